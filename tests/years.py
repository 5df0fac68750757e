"""Ledgers of many days, written at once: what ticks would have left, without the waiting."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from kakaocron.delivery.policy import settle_slot
from kakaocron.kst import KST
from kakaocron.ledger.events import Claim, Event, Outcome, Result, of_slot, to_line
from kakaocron.schedule.slots import Series, Slot, slots_between
from kakaocron.states import Reason, State

ENDINGS = {
    "read-timeout": Result(State.UNKNOWN, Reason.READ_TIMEOUT, "no answer in time"),
    "refused": Result(State.FAILED, Reason.REFUSED, "a parameter (-2)", -2, 400),
}
FINE = Result(State.CONFIRMED, http_status=200, parts=1)
TEXT = "📊 장부 모니터링\n⏰ 현재 시간: {:%H:%M}\n📈 총점: {}점"


def write_days(
    ledger: Path, series: list[Series], until: datetime, days: int, *, bad: float = 0.01
) -> int:
    """Write `days` days up to `until`; a share of `bad` slots ends badly. Returns the lines."""
    ledger.mkdir(parents=True, exist_ok=True)
    chance = random.Random(7)
    count = 0
    for ago in range(days):
        day = until.date() - timedelta(days=ago)
        lines = [to_line(event) for event in _day(series, day, until, chance, bad)]
        (ledger / f"{day.isoformat()}.jsonl").write_bytes(b"".join(lines))
        count += len(lines)
    return count


def _day(
    series: list[Series], day: date, until: datetime, chance: random.Random, bad: float
) -> Iterator[Event]:
    start = datetime.combine(day, time(), KST) - timedelta.resolution
    end = min(start + timedelta(days=1), until)
    outage = chance.randrange(24) if chance.random() < 6 * bad else None
    slots = [slot for one in series for slot in slots_between(one.name, one.timetable, start, end)]
    for slot in sorted(slots, key=lambda slot: slot.at):
        if slot.at.hour == outage:
            at = slot.at.replace(minute=0) + timedelta(hours=1, seconds=1)
            yield _settled(slot, at)
            continue
        how = chance.choice(sorted(ENDINGS)) if chance.random() < bad else "fine"
        late = timedelta(milliseconds=round(min(30_000, 25 * chance.paretovariate(1.6))))
        yield from sent(slot, slot.at + late, ENDINGS.get(how, FINE), chance)


def _settled(slot: Slot, at: datetime) -> Event:
    return settle_slot(slot, ["me"], at, State.MISSED, Reason.NO_TICK)


def sent(slot: Slot, at: datetime, how: Result, chance: random.Random) -> Iterator[Event]:
    """Yield the events of a delivery that left at an instant and ended so."""
    answered = at + timedelta(milliseconds=chance.randrange(40, 200))
    yield of_slot(
        Claim,
        slot,
        ["me"],
        at - timedelta(milliseconds=4),
        state=State.SENDING,
        expires_at=slot.at + timedelta(minutes=10),
        attempt=1,
        by="4711-cafe",
        until=at + timedelta(seconds=40),
        text=TEXT.format(slot.at, chance.randrange(40, 100)),
        content_hash=f"{chance.getrandbits(64):016x}",
    )
    yield Outcome(
        at=answered,
        id=slot.id,
        state=how.state,
        reason=how.reason,
        detail=how.detail,
        cause=how.cause,
        attempt=1,
        by="4711-cafe",
        targets={"me": how},
        sent_at=at,
    )
