"""The clock: the one place that asks what time it is, and the one that waits."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Protocol

from kakaocron.core.calendar import KST


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the wall clock as an aware datetime in KST."""
        ...

    def monotonic(self) -> float:
        """Return seconds that no clock step changes."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(KST)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
