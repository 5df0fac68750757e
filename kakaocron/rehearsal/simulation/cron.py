"""cron as the real daemons behave (Vixie cron and its heirs in Debian and Red Hat)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from kakaocron.rehearsal.simulation.event_loop import EventLoop

# A forward jump of up to this many minutes is caught up with, run by run.
MOST_CATCH_UP = 5
CATCH_UP_SECONDS = 10.0


class Cron:
    """One daemon: wakes at each minute of the host's clock and starts the command.

    It sleeps for as long as it was to the next minute when it lay down; a clock that is set
    meanwhile shows when it wakes. `latest_seconds` is how late its runs may be.
    """

    def __init__(
        self,
        loop: EventLoop,
        host_time: Callable[[], datetime],
        run: Callable[[], None],
        rng: random.Random,
        latest_seconds: float,
    ) -> None:
        self._loop = loop
        self._host_time = host_time
        self._run = run
        self._rng = rng
        self._latest_seconds = latest_seconds
        self._minute = 0
        self._life = 0

    def start(self) -> None:
        """Begin (anew): what is left of the current minute is not used, as at a restart."""
        self._life += 1
        self._minute = self._now()
        self._sleep(self._life)

    def stop(self) -> None:
        self._life += 1

    def _now(self) -> int:
        return int(self._host_time().timestamp() // 60)

    def _sleep(self, life: int) -> None:
        seconds = 60 - self._host_time().timestamp() % 60
        self._loop.at(self._loop.now + seconds, lambda: self._wake(life))

    def _wake(self, life: int) -> None:
        if life != self._life:
            return
        now = self._now()
        jump = now - self._minute
        runs = 1
        if 1 < jump <= MOST_CATCH_UP:
            runs = jump
        elif jump == 0:
            runs = 0
        self._minute = now
        for index in range(runs):
            late = self._rng.random() * self._latest_seconds + index * CATCH_UP_SECONDS
            self._loop.at(self._loop.now + late, lambda: self._run_if(life))
        self._sleep(life)

    def _run_if(self, life: int) -> None:
        if life == self._life:
            self._run()
