"""The clock: the one place that asks what time it is, and the one that waits."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Protocol

from kakaocron.kst import KST

# So short a time is waited for awake: to be woken up can take longer.
AWAKE_SECONDS = 0.003


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
        if seconds > AWAKE_SECONDS:
            time.sleep(seconds)
            return
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
