"""Work done side by side. Threads that hang are left behind: nothing waits for them for ever."""

from __future__ import annotations

import _thread
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from kakaocron.system.log import log
from kakaocron.system.scarcity import is_scarcity

Task = Callable[[], None]


class Signal(Protocol):
    """Something that happens once, for which tasks wait."""

    def set(self) -> None: ...

    def wait(self) -> object: ...


class Workers(Protocol):
    """Runs tasks, each under a name, and tells which have ended."""

    def start(self, name: str, task: Task) -> None:
        """Run a task beside the others, or after them if the machine has no thread for it."""
        ...

    def try_start(self, name: str, task: Task) -> bool:
        """Run a task beside the others, if the machine has a thread for it."""
        ...

    def signal(self) -> Signal: ...

    def lock(self) -> AbstractContextManager[object]:
        """Return a lock between the tasks."""
        ...

    def wait(self, timeout_seconds: float) -> list[str]:
        """Return the names of the tasks that have ended since the last call.

        Waits for one if none has, at the longest for the given time, or until `wake`.
        """
        ...

    def wake(self) -> None:
        """End a wait, from a signal's handler too."""
        ...


AWAKE = ""  # the name of no task


class Threads:
    """A thread for each task that is under way, which takes another one after it; one that never
    ends does not keep the process alive.

    A task for which there is no thread is started when another has ended; where none is under way,
    `wait` runs it itself.
    """

    def __init__(self) -> None:
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._handed: queue.SimpleQueue[tuple[str, Task] | None] = queue.SimpleQueue()
        self._threads = 0
        self._under_way = 0
        self._parked: deque[tuple[str, Task]] = deque()

    def __del__(self) -> None:
        for _ in range(self._threads):
            self._handed.put(None)

    def start(self, name: str, task: Task) -> None:
        self._parked.append((name, task))
        self._start_parked()

    def try_start(self, name: str, task: Task) -> bool:
        if self._threads <= self._under_way:
            try:
                # Not by threading.Thread: its start waits until the thread reports, and one that
                # finds no memory never does.
                _thread.start_new_thread(_work, (self._handed, self._ended))
            except (RuntimeError, MemoryError) as error:
                if not is_scarcity(error):
                    raise
                return False
            self._threads += 1
        self._under_way += 1
        self._handed.put((name, task))
        return True

    def signal(self) -> Signal:
        return threading.Event()

    def lock(self) -> AbstractContextManager[object]:
        return threading.Lock()

    def wait(self, timeout_seconds: float) -> list[str]:
        self._start_parked()
        if self._parked and not self._under_way:
            self._under_way += 1
            _run(*self._parked.popleft(), self._ended)
        try:
            ended = [self._ended.get(timeout=max(0.0, timeout_seconds))]
        except queue.Empty:
            return []
        while not self._ended.empty():
            ended.append(self._ended.get())
        ended = [name for name in ended if name != AWAKE]
        self._under_way -= len(ended)
        return ended

    def wake(self) -> None:
        self._ended.put(AWAKE)

    def _start_parked(self) -> None:
        while self._parked and self.try_start(*self._parked[0]):
            self._parked.popleft()


def _work(
    handed: queue.SimpleQueue[tuple[str, Task] | None], ended: queue.SimpleQueue[str]
) -> None:
    """Run one task after another, until there is none to come. Knows no Threads: with the last who
    does, they go."""
    while (one := handed.get()) is not None:
        _run(*one, ended)
        one = None  # what the task holds is not held for the time of waiting


def _run(name: str, task: Task, ended: queue.SimpleQueue[str]) -> None:
    try:
        task()
    except BaseException:  # SystemExit too: the thread goes on to the next task
        with suppress(Exception):  # as with no memory left
            log.exception("bug in the worker '%s'", name)
    finally:
        ended.put(name)
