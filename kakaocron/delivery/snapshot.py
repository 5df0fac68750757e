"""What is on record at one instant: read once, for all who decide by it, show it or tell it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial

from msgspec import Struct, field

from kakaocron.delivery.plan import Plan
from kakaocron.delivery.policy import Decision, Policy, decide, why_missed
from kakaocron.kst import DAY, KST
from kakaocron.ledger.beats import Beat, End, first_of, parse
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.ledger.ledger import Ledger, Reader, View
from kakaocron.ledger.lookup import in_order
from kakaocron.schedule.pauses import Pause, is_paused
from kakaocron.schedule.slots import Series, Slot
from kakaocron.schedule.timetables import dated
from kakaocron.states import Reason


class Beats(Struct, frozen=True):
    """What the ticks left of themselves: each day's is read once, when it is first asked for."""

    heartbeat: Heartbeat
    _known: dict[date, tuple[bytes, ...]] = field(default_factory=dict)

    def read(self, day: date) -> tuple[bytes, ...]:
        if day not in self._known:
            self._known[day] = self.heartbeat.contents(day)
        return self._known[day]

    def on(self, day: date) -> list[Beat]:
        return [beat for content in self.read(day) for beat in parse(day, content)]

    def first_on(self, day: date) -> Beat | None:
        """Return the first beat of a tick on a day."""
        if day not in self._known:
            return self.heartbeat.first(day)
        return first_of(day, self._known[day])

    def of_ticks_on(self, day: date) -> list[Beat]:
        return [beat for beat in self.on(day) if beat.is_of_a_tick]


class Snapshot(Struct, frozen=True):
    """What was on record at `now`: several days of the ledger, the pauses, and how far the ticks
    had come.

    `last_complete` is the last instant up to which a tick has said that every slot has a state,
    `settled_until` the last one of which that is known at all; both are None before the first tick.
    `newest_beats` is what the last ticks said of themselves, `series` are the messages with
    timetables that say since when they hold.
    """

    now: datetime
    view: View
    pauses: tuple[Pause, ...]
    last_complete: datetime | None
    settled_until: datetime | None
    newest_beats: tuple[Beat, ...]
    beats: Beats
    series: tuple[Series, ...] = ()
    began_at: datetime | None = None  # when the very first tick ran, if that was today

    @property
    def ledger_end(self) -> End:
        """Where today's part of the ledger ends."""
        return self.view.end_of(self.now.date())

    def on(self, day: date) -> tuple[Delivery, ...]:
        """Return a day's deliveries, in the order of their slots."""
        return in_order(one for one in self.view.deliveries.values() if one.slot.date() == day)

    def is_paused(self, message: str, at: datetime) -> bool:
        return is_paused(self.pauses, message, at)


def take_snapshot(
    source: Reader,
    ledger: Ledger,
    heartbeat: Heartbeat,
    plan: Plan,
    now: datetime,
    *,
    days: Iterable[date] = (),
    beats_of: Iterable[date] = (),
) -> Snapshot:
    """Read what is on record: the days whose slots may still change, and `days`.

    `beats_of` are days of which all beats will be asked for. Raises LedgerError.

    Who shows something takes no lock, and ticks may write meanwhile. `now` is read first: what is
    written later counts as not yet due. Then the heartbeats, as a tick leaves its own when its
    lines are written: what they say is settled is in the ledger read after them. The other way
    round, a tick in between would make a slot look forgotten. The ledger comes last: what it knows
    besides does no harm.
    """
    beats = Beats(heartbeat)
    for day in beats_of:
        beats.read(day)
    beat_days = heartbeat.days()
    newest_beats = _newest_beats(heartbeat, now, beat_days)
    began_at = _began_at(beats, now.date(), beat_days)
    last_complete = heartbeat.last_complete(now)
    wanted = sorted({*days_to_read(ledger, plan, now, last_complete), *days})
    pauses, noted = plan.pauses(now), plan.timetables()
    view = source.read(wanted)
    if others := view.pointed_days:  # of deliveries that were reopened for one of these days
        view = source.read([*wanted, *sorted(others)])
    settled_until = _settled_until(view, last_complete, now, plan.keep_days)
    series = dated(plan.series, noted, now, settled_until, plan.written_at)
    return Snapshot(
        now, view, pauses, last_complete, settled_until, newest_beats, beats, series, began_at
    )


def decide_by(seen: Snapshot, plan: Plan, policy: Policy) -> Decision:
    """Decide what the instant of a snapshot asks for."""
    return decide(
        seen.series,
        policy,
        seen.view.deliveries,
        seen.now,
        seen.settled_until,
        ahead=plan.ahead,
        gaps=seen.view.gaps,
        missed_reason=partial(_missed_reason, seen.beats),
        paused=seen.is_paused,
    )


def days_to_read(ledger: Ledger, plan: Plan, now: datetime, since: datetime | None) -> list[date]:
    """Return the days whose slots may still change: from the last settled one to the next slot's.

    Without a heartbeat the ledger itself tells how far it got.
    """
    today = now.date()
    settled_day = _last_settled_day(ledger, today) if since is None else since.date()
    first = max(min(today - DAY, settled_day), today - plan.keep_days * DAY)
    last = (now + plan.ahead).date()
    return [first + n * DAY for n in range((last - first).days + 1)]


def _last_settled_day(ledger: Ledger, today: date) -> date:
    """Return the last day up to which a line says that every slot has a state, or the first one.

    What was scheduled before the first tick waits in days of which no tick has said anything.
    """
    first = today
    for day in reversed(ledger.days()):
        first = min(first, day)
        settled = ledger.read([day]).settled
        if settled is not None and settled.date() <= today:
            return min(first, settled.date())
    return first


def _settled_until(
    view: View, last_complete: datetime | None, now: datetime, keep_days: int
) -> datetime | None:
    """Return up to when every slot has a state, or needs none: its day is kept no longer.

    That is what the last heartbeat and the ledger know.
    """
    known = [found for found in (last_complete, view.settled) if found and found <= now]
    oldest_day = datetime.combine(now.date() - keep_days * DAY, time(), KST)
    return max(*known, oldest_day - timedelta.resolution) if known else None


def _began_at(beats: Beats, today: date, days: Sequence[date]) -> datetime | None:
    first = None if any(day < today for day in days) else beats.first_on(today)
    return first.at if first else None


def _newest_beats(heartbeat: Heartbeat, now: datetime, days: Sequence[date]) -> tuple[Beat, ...]:
    """Return the last beats up to `now`, however long ago those were.

    Of today and yesterday there may be some that only the spare folder has, which `days` lack.
    """
    wanted = {now.date(), now.date() - DAY, *days}
    for day in sorted((day for day in wanted if day <= now.date()), reverse=True):
        beats = [*heartbeat.tail(day), *heartbeat.spared(day)]
        found = tuple(beat for beat in beats if beat.at <= now and beat.is_of_a_tick)
        if found:
            return found
    return ()


def _missed_reason(beats: Beats, slot: Slot, expires_at: datetime) -> Reason:
    """Tell why a slot was missed, from what the ticks left behind."""
    return why_missed(
        beat for beat in beats.of_ticks_on(slot.at.date()) if slot.at <= beat.at < expires_at
    )
