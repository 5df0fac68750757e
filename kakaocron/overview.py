"""What the ledger says of a day and of the days before: read once, for text and JSON alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from kakaocron.core.calendar import Slot, parse_delivery_id, slots_between, upcoming
from kakaocron.core.ledger import Delivery, State, attempt_fields, delivery_fields, isoformat
from kakaocron.core.stats import Stats, stats_of
from kakaocron.core.tokens import Tokens
from kakaocron.errors import LoginError, UsageError
from kakaocron.store import Ledger
from kakaocron.wiring import Installation

DAY = timedelta(days=1)
RUNNING_WITHIN = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Overview:
    """Today, as `kakaocron status` shows it."""

    now: datetime
    last_tick: datetime | None
    deliveries: tuple[Delivery, ...]
    upcoming: tuple[Slot, ...]
    stats: Stats
    next_regular: Slot | None
    next_peak: Slot | None
    tokens: Tokens

    @property
    def is_running(self) -> bool:
        return self.last_tick is not None and self.now - self.last_tick <= RUNNING_WITHIN

    @property
    def scheduled_count(self) -> int:
        waiting = sum(d.state is State.SCHEDULED for d in self.deliveries)
        return len(self.upcoming) + waiting

    def fields(self) -> dict[str, Any]:
        """Return the object that `status --json` prints."""
        return {
            "now": isoformat(self.now),
            "last_tick": isoformat(self.last_tick) if self.last_tick else None,
            "is_running": self.is_running,
            "scheduled_count": self.scheduled_count,
            "stats": asdict(self.stats),
            "next_regular_time": isoformat(self.next_regular.at) if self.next_regular else None,
            "next_peak_time": isoformat(self.next_peak.at) if self.next_peak else None,
            "token": {
                "expires_at": _iso(self.tokens.access_expires_at),
                "refresh_expires_at": _iso(self.tokens.refresh_expires_at),
            },
            "today": [delivery_fields(delivery) for delivery in self.deliveries],
        }


def _iso(moment: datetime | None) -> str | None:
    return isoformat(moment) if moment else None


def look(installation: Installation) -> Overview:
    """Read what `status` shows. Raises LedgerError."""
    now = installation.clock.now()
    deliveries = day_of(installation.ledger, now.date())
    known = {delivery.id for delivery in deliveries}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    ahead = tuple(
        slot
        for one in installation.plan.series
        for slot in slots_between(one.name, one.timetable, now, midnight - timedelta.resolution)
        if slot.id not in known
    )
    series = [(one.name, one.timetable) for one in installation.plan.series]
    following = upcoming(series, now, 200)
    return Overview(
        now,
        last_tick(installation, now),
        deliveries,
        tuple(sorted(ahead, key=lambda slot: (slot.at, slot.message))),
        stats_of(deliveries, len(ahead)),
        next((slot for slot in following if slot.kind == "regular"), None),
        next((slot for slot in following if slot.kind == "peak"), None),
        tokens_of(installation),
    )


def tokens_of(installation: Installation) -> Tokens:
    try:
        return installation.login.read()
    except LoginError:
        return Tokens()


def last_tick(installation: Installation, now: datetime) -> datetime | None:
    for day in (now.date(), now.date() - DAY):
        beats = [beat.at for beat in installation.heartbeat.read(day) if beat.at <= now]
        if beats:
            return max(beats)
    return None


def day_of(ledger: Ledger, day: date) -> tuple[Delivery, ...]:
    return in_order(ledger.read([day]).deliveries.values())


def in_order(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    return tuple(sorted(deliveries, key=lambda d: (d.slot, d.message)))


def recent(
    installation: Installation, days: int, states: frozenset[str] = frozenset()
) -> tuple[Delivery, ...]:
    """Return the deliveries of the last `days` days, today included, oldest first."""
    today = installation.clock.now().date()
    wanted = [day for day in installation.ledger.days() if today - days * DAY < day <= today]
    found = installation.ledger.read(wanted).deliveries.values()
    return in_order(d for d in found if not states or d.state in states)


def find_delivery(ledger: Ledger, id_: str) -> Delivery:
    """Return one delivery by its id. Raises UsageError with what to try."""
    try:
        _, slot = parse_delivery_id(id_)
    except ValueError as error:
        raise UsageError(f"{error}. List them: kakaocron history") from None
    delivery = ledger.read([slot.date()]).deliveries.get(id_)
    if delivery is None:
        raise UsageError(f"The ledger has no delivery '{id_}'. List them: kakaocron history")
    return delivery


def delivery_with_log(delivery: Delivery) -> dict[str, Any]:
    """Return the object that `show --json` prints."""
    log = [attempt_fields(attempt) for attempt in delivery.attempts]
    return {**delivery_fields(delivery), "attempt_log": log}
