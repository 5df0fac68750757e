"""Simulated time, and tasks of which one runs at a time, in an order that the seed decides.

One thread at a time leads: it takes what comes next and does it. When a task that it runs has to
wait, another thread leads on, until that task's turn comes and its thread leads again. Python's own
scheduler has no say in the order, and what never waits costs no change of threads.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count


class LoopTask:
    """Something that runs until it waits; `wake` numbers its waits, so that old alarms are void."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work: Callable[[], None] | None = work  # until it has begun
        self.baton = threading.Lock()
        self.baton.acquire()
        self.wake = 0
        self.is_over = False


class _Thread:
    """A thread that leads whenever it is told to, as starting one takes long."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._baton = threading.Lock()
        self._baton.acquire()
        self._is_to_end = False
        threading.Thread(target=self._run, daemon=True).start()

    def lead(self) -> None:
        self._baton.release()

    def end(self) -> None:
        self._is_to_end = True
        self._baton.release()

    def _run(self) -> None:
        while True:
            self._baton.acquire()
            if self._is_to_end:
                return
            self._loop.lead(self)


# So many waits in a row that take no time: somebody polls, and time, which only waiting moves,
# stands still.
MOST_VAIN_WAITS = 100_000


class SpinError(Exception):
    """A task waits again and again for nothing."""


class EventLoop:
    """The order of events. `now` is in seconds since the history began, and only ever grows."""

    def __init__(self) -> None:
        self.now = 0.0
        self.current: LoopTask | None = None
        self._broken: BaseException | None = None
        self._order = count()
        self._events: list[tuple[float, int, LoopTask | None, int, Callable[[], None] | None]] = []
        self._idle: list[_Thread] = []
        self._until = 0.0
        self._vain_waits = 0
        self._reached = threading.Lock()
        self._reached.acquire()

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Call something at an instant, between the tasks."""
        heapq.heappush(self._events, (when, next(self._order), None, 0, action))

    def start(self, work: Callable[[], None]) -> LoopTask:
        """Begin a task; it runs when its turn comes."""
        task = LoopTask(work)
        self.wake(task, self.now)
        return task

    def wake(self, task: LoopTask, when: float) -> None:
        """Let a waiting task run on at an instant, if it has not by then."""
        heapq.heappush(self._events, (when, next(self._order), task, task.wake, None))

    def wait(self, until: float) -> None:
        """Let the running task wait, at the longest until an instant, while others run.

        Raises SpinError.
        """
        self._vain_waits = self._vain_waits + 1 if until <= self.now else 0
        if self._vain_waits > MOST_VAIN_WAITS:
            raise SpinError(f"time stands still at {self.now}")
        task = self.current
        if task is None or not self._events or self._events[0][0] > until:
            self.now = max(self.now, until)
            return
        self.wake(task, until)
        self._let_another_lead()
        task.baton.acquire()

    def run(self, until: float) -> None:
        """Run everything that happens up to an instant. An error in it goes up from here."""
        self._until = until
        self._let_another_lead()
        self._reached.acquire()
        if self._broken is not None:
            raise self._broken
        self.now = max(self.now, until)

    def lead(self, thread: _Thread) -> None:
        """Do what comes next, until another thread's task does, or the end is reached."""
        while self._events and self._events[0][0] <= self._until and self._broken is None:
            when, _, task, wake, action = heapq.heappop(self._events)
            if action is not None:
                self.now = max(self.now, when)
                self._do(action)
            elif task is not None and not task.is_over and wake == task.wake:
                self.now = max(self.now, when)
                task.wake += 1
                self.current = task
                if task.work is None:
                    self._idle.append(thread)
                    task.baton.release()
                    return
                work, task.work = task.work, None
                self._do(work)
                task.is_over = True
                self.current = None
        self._idle.append(thread)
        self._reached.release()

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._broken = error

    def _let_another_lead(self) -> None:
        self.current = None
        thread = self._idle.pop() if self._idle else _Thread(self)
        thread.lead()

    def close(self) -> None:
        """End the threads that have nothing to do."""
        for thread in self._idle:
            thread.end()
        self._idle.clear()
