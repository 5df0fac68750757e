"""A day in numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from math import ceil
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.ledger.deliveries import Delivery, is_by_hand
from kakaocron.states import TAKEN, Reason, State

# A delivery that left within this time of its slot counts as punctual.
PUNCTUAL_SECONDS = 60.0


# The state of a slot, and how many seconds late it left.
Ending = tuple[State, float | None]


class Slots(Struct, frozen=True):
    """The slots of a day that came to an end: the base of its success rate.

    What a person sent at once, and what he or she had paused, is none of them. What was sent again
    by hand counts as it ended first, until it has ended again.
    """

    confirmed: int = 0
    failed: int = 0
    unknown: int = 0
    missed: int = 0

    @property
    def ended(self) -> int:
        return self.confirmed + self.failed + self.unknown + self.missed

    @property
    def success_rate(self) -> float | None:
        return self.confirmed / self.ended if self.ended else None

    def without(self, delivery: Delivery) -> Slots:
        """Return the others, of which one was."""
        name = delivery.standing.value
        if not is_planned(delivery) or name not in self.__struct_fields__:
            return self
        return replace(self, **{name: getattr(self, name) - 1})


def is_planned(delivery: Delivery) -> bool:
    """Say whether a delivery is one of the schedule's, and counts in its shares."""
    return not is_by_hand(delivery.id) and not delivery.was_meant


def slots_of(deliveries: Iterable[Delivery]) -> Slots:
    counts = Counter(one.standing for one in deliveries if is_planned(one))
    return Slots(
        counts[State.CONFIRMED], counts[State.FAILED], counts[State.UNKNOWN], counts[State.MISSED]
    )


def slots_on(deliveries: Iterable[Delivery], day: date) -> Slots:
    return slots_of(one for one in deliveries if one.slot.date() == day)


class Stats(Struct, frozen=True):
    """Counts of deliveries, shares from 0 to 1 (None where there is nothing to divide by), and
    how late they left, in seconds.

    The totals are of everything, the shares and the lateness of the schedule alone (see Slots).
    """

    total_scheduled: int
    total_sent: int
    total_failed: int
    total_confirmed: int
    total_unknown: int
    total_missed: int
    success_rate: float | None
    schedule_accuracy: float | None
    delay_p50_seconds: float | None
    delay_p99_seconds: float | None


def stats_of(
    deliveries: Iterable[Delivery], upcoming: int = 0, began_at: datetime | None = None
) -> Stats:
    """Count deliveries; `upcoming` slots of the same time are scheduled and not due yet.

    The shares and the lateness are those of the schedule: of what a person sent, had rest or sent
    again they say nothing. A slot from before `began_at`, the very first tick, could not be sent in
    time, and tells nothing of the lateness.
    """
    deliveries = list(deliveries)
    counts = Counter(delivery.state for delivery in deliveries)
    lateness = (
        d.delay_seconds
        for d in deliveries
        if is_planned(d) and not d.is_reopened and (began_at is None or d.slot >= began_at)
    )
    delays = sorted(delay for delay in lateness if delay is not None)
    return Stats(
        len(deliveries) + upcoming,
        sum(d.delay_seconds is not None for d in deliveries),
        counts[State.FAILED],
        counts[State.CONFIRMED],
        counts[State.UNKNOWN],
        counts[State.MISSED],
        slots_of(deliveries).success_rate,
        sum(delay <= PUNCTUAL_SECONDS for delay in delays) / len(delays) if delays else None,
        percentile(delays, 0.50),
        percentile(delays, 0.99),
    )


class Receipts(Struct, frozen=True):
    """What became of the messages that channels took first and told of later, one a receiver, and
    how long after it left the receiver had it, in seconds."""

    accepted: int
    delivered: int
    undelivered: int
    times: tuple[float, ...] = ()  # ordered

    @property
    def waiting(self) -> int:
        """How many have no last word so far."""
        return self.accepted - self.delivered - self.undelivered

    def fields(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "delivered": self.delivered,
            "undelivered": self.undelivered,
            "waiting": self.waiting,
            "receipt_p50_seconds": percentile(self.times, 0.50),
            "receipt_p99_seconds": percentile(self.times, 0.99),
        }


def receipts_of(deliveries: Iterable[Delivery]) -> Receipts | None:
    """Count what was taken by channels that tell later; None if nothing was."""
    found = [told for one in deliveries for told in _told_of(one)]
    if not found:
        return None
    times = (seconds for state, seconds in found if seconds is not None)
    states = Counter(state for state, _ in found)
    return Receipts(len(found), states[State.CONFIRMED], states[State.FAILED], tuple(sorted(times)))


def _told_of(delivery: Delivery) -> Iterator[Ending]:
    """Yield how each message to one receiver stands that such a channel has taken."""
    for name, result in delivery.targets.items():
        last = next((one for one in reversed(delivery.attempts) if name in one.to), None)
        if last is None or not last.keys or name not in last.keys:
            continue
        is_failed = result.reason is Reason.UNDELIVERED
        if result.state not in TAKEN and not is_failed:
            continue
        seconds = None
        if result.state is State.CONFIRMED and result.at and last.sent_at:
            seconds = max(0.0, (result.at - last.sent_at).total_seconds())
        yield result.state, seconds


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` of an ordered list lies (nearest rank), or None."""
    if not ordered:
        return None
    rank = ceil(share * len(ordered) - 1e-9) - 1  # 0.07 * 100 is a little more than 7
    rank = max(0, min(len(ordered) - 1, rank))
    return ordered[rank]


class DayReport(Struct, frozen=True):
    """One day's slots: how many came due, what became of them, how late they left."""

    day: date
    due: int
    sent: int
    confirmed: int
    late: int
    failed: int
    unknown: int
    missed: int
    delays: tuple[float, ...]

    @property
    def bad(self) -> int:
        return self.late + self.failed + self.unknown + self.missed

    def fields(self) -> dict[str, Any]:
        return {
            "day": self.day.isoformat(),
            "due": self.due,
            "sent": self.sent,
            "confirmed": self.confirmed,
            "late": self.late,
            "failed": self.failed,
            "unknown": self.unknown,
            "missed": self.missed,
            **_lateness(self.delays),
        }


def endings_of(deliveries: Iterable[Delivery]) -> list[Ending]:
    """Return the state and the lateness in seconds of each slot.

    What a person sent at once had none, and what a person had rest was not due.
    """
    return [
        (one.state, one.delay_seconds)
        for one in deliveries
        if not is_by_hand(one.id) and not one.was_meant
    ]


def report_of_day(day: date, endings: Iterable[Ending]) -> DayReport:
    """Count one day by each slot's state and lateness in seconds.

    A cancelled slot and one that is still ahead were not due.
    """
    delays: list[float] = []
    counts: Counter[State] = Counter()
    for state, delay in endings:
        counts[state] += 1
        if delay is not None:
            delays.append(delay)
    delays.sort()
    return DayReport(
        day,
        counts.total() - counts[State.CANCELLED] - counts[State.SCHEDULED],
        len(delays),
        counts[State.CONFIRMED],
        sum(delay > PUNCTUAL_SECONDS for delay in delays),
        counts[State.FAILED],
        counts[State.UNKNOWN],
        counts[State.MISSED],
        tuple(delays),
    )


class Report(Struct, frozen=True):
    """Several days, oldest first."""

    days: tuple[DayReport, ...]
    receipts: Receipts | None = None

    def total(self, name: str) -> int:
        return sum(getattr(day, name) for day in self.days)

    @property
    def delays(self) -> list[float]:
        return sorted(delay for day in self.days for delay in day.delays)

    @property
    def bad_days(self) -> list[DayReport]:
        """The days with anything late, failed, unknown or missed, the worst first."""
        return sorted((day for day in self.days if day.bad), key=lambda day: (-day.bad, day.day))

    def fields(self) -> dict[str, Any]:
        """Return the object that `report --json` prints."""
        names = ("due", "sent", "confirmed", "late", "failed", "unknown", "missed")
        return {
            "from": self.days[0].day.isoformat() if self.days else None,
            "to": self.days[-1].day.isoformat() if self.days else None,
            **{name: self.total(name) for name in names},
            **_lateness(self.delays),
            **({"receipts": self.receipts.fields()} if self.receipts else {}),
            "bad_days": [day.fields() for day in self.bad_days],
            "days": [day.fields() for day in self.days],
        }


def _lateness(ordered: Sequence[float]) -> dict[str, float | None]:
    return {
        "delay_p50_seconds": percentile(ordered, 0.50),
        "delay_p99_seconds": percentile(ordered, 0.99),
    }
