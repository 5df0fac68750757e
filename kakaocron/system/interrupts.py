"""Signals that ask the process to end: SIGINT, SIGTERM and SIGHUP, all alike."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Protocol

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Service managers, terminals and timeout(1) send two at a time and mean one.
ONE_SECONDS = 1.0
# What is raised while CPython lets go of an import's lock it prints and forgets (3.11,
# importlib._bootstrap, _get_module_lock): there the signal is given once more, a moment later.
_DEAF = ("<frozen importlib._bootstrap>", "cb")
MOMENT_SECONDS = 0.01


class Interrupts(Protocol):
    """Whether the process was asked to end."""

    @property
    def is_asked(self) -> bool: ...

    def held(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Take note of the first signal and call `wake`, in place of an interrupt anywhere.

        The block has to look at `is_asked`; after it KeyboardInterrupt is raised if it was asked.
        A second signal, a second or more later, is raised at once.
        """
        ...


class Signals:
    """The real thing, for the main thread."""

    def __init__(self) -> None:
        self.is_asked = False
        self._asked_at = float("-inf")
        self._wake: Callable[[], None] | None = None

    def catch(self) -> None:
        """Raise KeyboardInterrupt for each of these signals, unless the caller ignores it."""
        for number in ASKING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's `&`
                signal.signal(number, self._take)

    @contextmanager
    def held(self, wake: Callable[[], None]) -> Iterator[None]:
        self.is_asked = False
        self._wake = wake
        try:
            yield
        finally:
            self._wake = None
        if self.is_asked:
            raise KeyboardInterrupt

    def _take(self, number: int, frame: FrameType | None) -> None:
        if frame is not None and (frame.f_code.co_filename, frame.f_code.co_name) == _DEAF:
            threading.Timer(MOMENT_SECONDS, os.kill, [os.getpid(), number]).start()
            return
        is_same = time.monotonic() - self._asked_at < ONE_SECONDS
        if is_same:
            return
        self._asked_at = time.monotonic()
        if self._wake is None or self.is_asked:
            raise KeyboardInterrupt
        self.is_asked = True
        self._wake()


SIGNALS = Signals()
