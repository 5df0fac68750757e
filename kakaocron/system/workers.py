"""Work done side by side. Threads that hang are left behind: nothing waits for them for ever."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from kakaocron.system.log import log

Task = Callable[[], None]


class Signal(Protocol):
    """Something that happens once, for which tasks wait."""

    def set(self) -> None: ...

    def wait(self) -> object: ...


class Workers(Protocol):
    """Runs tasks, each under a name, and tells which have ended."""

    def start(self, name: str, task: Task) -> None: ...

    def signal(self) -> Signal: ...

    def wait(self, timeout_seconds: float) -> list[str]:
        """Return the names of the tasks that have ended since the last call.

        Waits for one if none has, at the longest for the given time.
        """
        ...


class Threads:
    """A daemon thread a task, so that a task that never ends does not keep the process alive."""

    def __init__(self) -> None:
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()

    def start(self, name: str, task: Task) -> None:
        def run() -> None:
            try:
                task()
            except Exception:
                log.exception("bug in the worker '%s'", name)
            finally:
                self._ended.put(name)

        threading.Thread(target=run, name=name, daemon=True).start()

    def signal(self) -> Signal:
        return threading.Event()

    def wait(self, timeout_seconds: float) -> list[str]:
        try:
            ended = [self._ended.get(timeout=max(0.0, timeout_seconds))]
        except queue.Empty:
            return []
        while not self._ended.empty():
            ended.append(self._ended.get())
        return ended
