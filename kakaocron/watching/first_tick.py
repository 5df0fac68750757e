"""Whether ticks come: what somebody waits for who has just let cron run them."""

from __future__ import annotations

from datetime import datetime, timedelta

from kakaocron.kst import DAY
from kakaocron.ledger.beats import Beat
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.system.clock import Clock

POLL_SECONDS = 0.5


def first_tick(heartbeat: Heartbeat, clock: Clock, since: datetime, most: timedelta) -> Beat | None:
    """Return what the first tick at or after an instant left, None if none came in time."""
    deadline = clock.monotonic() + most.total_seconds()  # the wall clock may be set back
    while True:
        days = (since.date(), since.date() + DAY)  # midnight may pass meanwhile
        beats = [beat for day in days for beat in heartbeat.read(day)]
        seen = [beat for beat in beats if beat.is_of_a_tick and beat.at >= since]
        if seen:
            return min(seen, key=lambda beat: beat.at)
        if clock.monotonic() >= deadline:
            return None
        clock.sleep(POLL_SECONDS)
