"""Simulated time, and tasks of which one runs at a time, in an order that the seed decides.

Each task is a thread that waits for the baton. Python's own scheduler has no say in the order.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count


class Task:
    """Something that runs until it waits; `wake` numbers its waits, so that old alarms are void."""

    def __init__(self) -> None:
        self.baton = threading.Lock()
        self.baton.acquire()
        self.wake = 0
        self.is_over = False


class _Thread:
    """A thread that runs one task after the other, as starting one takes long."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._baton = threading.Lock()
        self._baton.acquire()
        self._job: tuple[Task, Callable[[], None]] | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def give(self, task: Task, work: Callable[[], None]) -> None:
        self._job = task, work
        self._baton.release()

    def _run(self) -> None:
        while True:
            self._baton.acquire()
            if self._job is None:
                return
            task, work = self._job
            task.baton.acquire()
            try:
                work()
            except BaseException as error:
                self._schedule.broken = error
            task.is_over = True
            self._job = None
            self._schedule.hand_over(self)

    def stop(self) -> None:
        self._baton.release()


class Schedule:
    """The order of events. `now` is in seconds since the history began, and only ever grows."""

    def __init__(self) -> None:
        self.now = 0.0
        self.broken: BaseException | None = None
        self._order = count()
        self._events: list[tuple[float, int, Task | None, int, Callable[[], None] | None]] = []
        self._idle: list[_Thread] = []
        self._main = threading.Lock()
        self._main.acquire()
        self.current: Task | None = None

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Call something at an instant, between the tasks."""
        heapq.heappush(self._events, (when, next(self._order), None, 0, action))

    def start(self, work: Callable[[], None]) -> Task:
        """Begin a task; it runs when its turn comes."""
        task = Task()
        thread = self._idle.pop() if self._idle else _Thread(self)
        thread.give(task, work)
        self.wake(task, self.now)
        return task

    def wake(self, task: Task, when: float) -> None:
        """Let a waiting task run on at an instant, if it has not by then."""
        heapq.heappush(self._events, (when, next(self._order), task, task.wake, None))

    def wait(self, until: float) -> None:
        """Let the running task wait, at the longest until an instant, while others run."""
        task = self.current
        if task is None or not self._events or self._events[0][0] > until:
            self.now = max(self.now, until)
            return
        self.wake(task, until)
        self._main.release()
        task.baton.acquire()

    def hand_over(self, thread: _Thread) -> None:
        self._idle.append(thread)
        self._main.release()

    def run(self, until: float) -> None:
        """Run everything that happens up to an instant. An error in a task goes up from here."""
        while self._events and self._events[0][0] <= until:
            when, _, task, wake, action = heapq.heappop(self._events)
            if action is not None:
                self.now = max(self.now, when)
                action()
            elif task is not None and not task.is_over and wake == task.wake:
                self.now = max(self.now, when)
                task.wake += 1
                self.current = task
                task.baton.release()
                self._main.acquire()
                self.current = None
                if self.broken is not None:
                    raise self.broken
        self.now = max(self.now, until)

    def close(self) -> None:
        """End the threads that have nothing to do."""
        for thread in self._idle:
            thread.stop()
        self._idle.clear()
