"""One tick: look at the ledger, decide, make ready, send, and leave a heartbeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.delivery.engine import send_all
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.policy import Decision, Due, MissedReason, decide, quiet_until, why_missed
from kakaocron.delivery.underway import Engine, Sent
from kakaocron.errors import KakaocronError, LedgerError
from kakaocron.kst import DAY, KST
from kakaocron.ledger.beats import NOTHING, Beat, End, Word
from kakaocron.ledger.deliveries import Delivery, apply
from kakaocron.ledger.events import Event, as_read
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.ledger.ledger import Book, Ledger, Reader, View
from kakaocron.schedule.pauses import Paused
from kakaocron.schedule.slots import Series, Slot
from kakaocron.states import BAD, Reason

BUG = 70
INTERRUPTED = 130
# Kakao answers with its own time; further off than this, ours is plainly wrong.
LARGEST_CLOCK_ERROR = timedelta(seconds=90)

Make = Callable[[Due, View], Parcel]


class Plan(Struct, frozen=True):
    """What is to be sent: the messages, and how to make their content.

    `make` may take long and raise ContentError; it is called outside the lock. `paused` reads what
    rests, and is called with the lock held.
    """

    series: Sequence[Series]
    make: Make
    keep_days: int = 90
    ahead: timedelta = timedelta(0)
    paused: Callable[[datetime], Paused] = lambda _: lambda *_: False


class Report(Struct, frozen=True):
    """What one tick did. `problems` are sentences for the user, each with a stable key."""

    now: datetime
    ended: dict[str, Delivery] = field(default_factory=dict)
    due: tuple[Due, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    down: Mapping[str, KakaocronError] = field(default_factory=dict)  # see Sent
    is_complete: bool = True
    is_first: bool = False
    ledger_end: End = NOTHING

    @property
    def troubles(self) -> tuple[Delivery, ...]:
        """The deliveries that ended badly; not those that a person had rest."""
        ended = self.ended.values()
        return tuple(one for one in ended if one.state in BAD and not one.was_meant)

    @property
    def exit_code(self) -> int:
        for error in self.down.values():
            return error.exit_code
        return 1 if any(delivery.state in BAD for delivery in self.ended.values()) else 0


class Ended(Struct, frozen=True):
    """How a tick ended: with a report, or with an error that stopped it; and whether those after
    it may find nothing to do."""

    exit_code: int
    report: Report | None = None
    error: KakaocronError | None = None
    may_rest: bool = False

    @property
    def waited(self) -> timedelta:
        """How long the tick waited for the minute that it sends ahead of (`early_start`)."""
        if self.report is None:
            return timedelta(0)
        return max([self.report.now, *(one.slot.at for one in self.report.due)]) - self.report.now

    @property
    def is_fine(self) -> bool:
        """Whether nobody has to look: nothing failed, or only what a person had rest was missed."""
        rested = self.exit_code == 1 and self.report is not None and not self.report.troubles
        return self.exit_code == 0 or rested


def tick(engine: Engine, plan: Plan, heartbeat: Heartbeat) -> Report:
    """Do what this minute asks for. Raises LedgerError, LockTimeoutError: then nothing was sent."""
    now = engine.clock.now()
    heartbeat.keep_ahead(now)
    heartbeat.beat(now, Word.START, 0)
    word, exit_code, ledger_end = Word.FAIL, BUG, NOTHING
    try:
        report = _tick(engine, plan, heartbeat)
        now, exit_code, ledger_end = report.now, report.exit_code, report.ledger_end
        word = Word.DONE if report.is_complete else Word.FAIL
        return report
    except KakaocronError as error:
        exit_code = error.exit_code
        raise
    except KeyboardInterrupt:
        exit_code = INTERRUPTED
        raise
    finally:
        # The instant is that of the decision: what came due since then is for the next tick.
        heartbeat.beat(now, word, exit_code, ledger_end)
        if word is Word.DONE and report.is_first:  # nothing is owed before it
            heartbeat.sync(now.date())


def preview(engine: Engine, plan: Plan, heartbeat: Heartbeat) -> Decision:
    """Return what a tick would do now. Takes no lock and writes nothing."""
    now = engine.clock.now()
    last_complete = heartbeat.last_complete(now)
    view = _with_pointed(engine.ledger, days_to_read(engine.ledger, plan, now, last_complete))
    since = _settled_until(view, last_complete, now, plan)
    return _decide(engine, plan, heartbeat, view, now, since)


class Quiet(Struct, frozen=True):
    """No tick from `since` until before `until` will find anything to do.

    `days` are those of the ledger that this rests on.
    """

    since: datetime
    until: datetime
    ledger_end: End
    days: tuple[date, ...]


def look_ahead(engine: Engine, plan: Plan, heartbeat: Heartbeat) -> Quiet | None:
    """Return how long nothing will be due; None if something is, or if it cannot be told.

    Takes no lock and writes nothing. It holds for as long as nothing is changed.
    """
    now = engine.clock.now()
    last_complete = heartbeat.last_complete(now)
    if last_complete is None:
        return None
    view = _with_pointed(engine.ledger, days_to_read(engine.ledger, plan, now, last_complete))
    decision = _decide(
        engine, plan, heartbeat, view, now, _settled_until(view, last_complete, now, plan)
    )
    if decision.settle or decision.due or engine.ledger.damage(view.days):
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    until = quiet_until(
        plan.series, engine.policy, view.deliveries, now, midnight - plan.ahead, plan.ahead
    )
    return Quiet(now, until, view.end_of(now.date()), view.days)


def _decide(
    engine: Engine,
    plan: Plan,
    heartbeat: Heartbeat,
    view: View,
    now: datetime,
    since: datetime | None,
) -> Decision:
    return decide(
        plan.series,
        engine.policy,
        view.deliveries,
        now,
        since,
        ahead=plan.ahead,
        gaps=view.gaps,
        missed_reason=missed_reason(heartbeat),
        paused=plan.paused(now),
    )


def _tick(engine: Engine, plan: Plan, heartbeat: Heartbeat) -> Report:
    with engine.ledger.open() as book:
        now = book.now
        last_complete = heartbeat.last_complete(now)
        view, problems = _read(book, engine.ledger, plan, last_complete)
        since = _settled_until(view, last_complete, now, plan)
        decision = _decide(engine, plan, heartbeat, view, now, since)
        settled = _begun(decision, now) if since is None else since
        settle = [replace(event, settled=settled) for event in decision.settle]
        if settle:
            book.record(settle)
    sent = Sent()
    if decision.due:
        sent = send_all(engine, decision.due, lambda due: plan.make(due, view), settled)
    ledger_end = engine.ledger.note_ends(view, now)
    if last_complete and timedelta(0) < now.date() - last_complete.date() <= 2 * DAY:
        try:
            engine.ledger.prune(now.date(), plan.keep_days)
        except LedgerError as error:  # what was sent is recorded; this is no part of it
            problems.append((f"prune:{error}", str(error)))
    return Report(
        now,
        {**_folded(view, settle), **sent.ended},
        decision.due,
        (*problems, *_clock_problems(engine, view, sent)),
        sent.down,
        not sent.left,
        since is None,
        ledger_end,
    )


def _begun(decision: Decision, now: datetime) -> datetime:
    """Return up to when a first run owes nothing: to just before what it finds due."""
    return min([now, *(due.slot.at - timedelta(seconds=1) for due in decision.due)])


def _settled_until(
    view: View, last_complete: datetime | None, now: datetime, plan: Plan
) -> datetime | None:
    """Return up to when every slot has a state, or needs none: its day is kept no longer.

    That is what the last heartbeat and the ledger know.
    """
    known = [found for found in (last_complete, view.settled) if found and found <= now]
    oldest_day = datetime.combine(now.date() - plan.keep_days * DAY, time(), KST)
    return max(*known, oldest_day - timedelta.resolution) if known else None


def _read(
    book: Book, ledger: Ledger, plan: Plan, since: datetime | None
) -> tuple[View, list[tuple[str, str]]]:
    """Read the days that matter; set aside what is damaged, and say so."""
    days = days_to_read(ledger, plan, book.now, since)
    view = _with_pointed(book, days)
    problems = [
        (
            f"ledger-damaged:{found.day}:{found.what}",
            f"The ledger of {found.day} is damaged ({found.what}); a copy is kept as "
            f"'{found.kept}'. Slots that it may have held are not sent again: "
            "kakaocron history --days 2",
        )
        for found in book.set_aside_damage(view.days)
    ]
    return _with_pointed(book, days) if problems else view, problems


def _with_pointed(source: Reader, days: Sequence[date]) -> View:
    """Read days, and those of the deliveries that were reopened for one of them."""
    view = source.read(days)
    pointed = view.pointed_days
    return source.read([*days, *sorted(pointed)]) if pointed else view


def days_to_read(ledger: Ledger, plan: Plan, now: datetime, since: datetime | None) -> list[date]:
    """Return the days whose slots may still change: from the last settled one to the next slot's.

    Without a heartbeat the ledger itself tells how far it got.
    """
    today = now.date()
    settled = _last_settled(ledger, today) if since is None else since.date()
    first = max(min(today - DAY, settled), today - plan.keep_days * DAY)
    last = (now + plan.ahead).date()
    return [first + n * DAY for n in range((last - first).days + 1)]


def _last_settled(ledger: Ledger, today: date) -> date:
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


def _folded(view: View, settled: Sequence[Event]) -> dict[str, Delivery]:
    ended: dict[str, Delivery] = {}
    for event in settled:
        delivery = apply(view.deliveries.get(event.id), as_read(event))
        if delivery is not None:
            ended[event.id] = delivery
    return ended


def missed_reason(heartbeat: Heartbeat) -> MissedReason:
    """Return the rule that tells why a slot was missed, from what the ticks left behind."""
    seen: dict[date, list[Beat]] = {}

    def reason(slot: Slot, expires_at: datetime) -> Reason:
        day = slot.at.date()
        beats = seen.setdefault(day, [b for b in heartbeat.read(day) if b.word is not Word.RESET])
        return why_missed(beat for beat in beats if slot.at <= beat.at < expires_at)

    return reason


def _clock_problems(engine: Engine, view: View, sent: Sent) -> list[tuple[str, str]]:
    now = engine.clock.now()
    last = view.last_event_at
    if last is not None and last > now + LARGEST_CLOCK_ERROR:
        return [
            (
                "clock-wrong:ledger",
                f"clock-wrong: it is {now:%Y-%m-%d %H:%M:%S}, but the ledger's last entry is of "
                f"{last:%Y-%m-%d %H:%M:%S}. Set the clock: timedatectl set-ntp true",
            )
        ]
    if sent.server_date is None:
        return []
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - requests has brought it by now

    try:
        theirs = parsedate_to_datetime(sent.server_date)
        offset = now - theirs
    except (ValueError, TypeError):
        return []
    if abs(offset) <= LARGEST_CLOCK_ERROR:
        return []
    return [
        (
            "clock-wrong:server",
            f"clock-wrong: this clock is {offset.total_seconds():+.0f} s off Kakao's. "
            "Set it: timedatectl set-ntp true",
        )
    ]
