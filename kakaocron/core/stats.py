"""A day in numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kakaocron.core.ledger import Delivery, State

# A delivery that left within this time of its slot counts as punctual.
PUNCTUAL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of deliveries, shares from 0 to 1 (None where there is nothing to divide by), and
    how late they left, in seconds."""

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


def stats_of(deliveries: Iterable[Delivery], upcoming: int = 0) -> Stats:
    """Count deliveries; `upcoming` slots of the same time are scheduled and not due yet."""
    deliveries = list(deliveries)
    counts = Counter(delivery.state for delivery in deliveries)
    delays = sorted(d.delay_seconds for d in deliveries if d.delay_seconds is not None)
    ended = sum(counts[s] for s in (State.CONFIRMED, State.FAILED, State.UNKNOWN, State.MISSED))
    return Stats(
        len(deliveries) + upcoming,
        len(delays),
        counts[State.FAILED],
        counts[State.CONFIRMED],
        counts[State.UNKNOWN],
        counts[State.MISSED],
        counts[State.CONFIRMED] / ended if ended else None,
        sum(delay <= PUNCTUAL_SECONDS for delay in delays) / len(delays) if delays else None,
        percentile(delays, 0.50),
        percentile(delays, 0.99),
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` of an ordered list lies (nearest rank), or None."""
    if not ordered:
        return None
    rank = max(0, min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1))
    return ordered[rank]
