"""One tick: look at the ledger, decide, make ready, send, and leave a heartbeat."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.delivery.engine import send_all
from kakaocron.delivery.log_lines import log_end
from kakaocron.delivery.orders import led_back
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.plan import Plan
from kakaocron.delivery.policy import Decision, Due, next_attempt
from kakaocron.delivery.snapshot import Snapshot, days_to_read, decide_by, take_snapshot
from kakaocron.delivery.underway import Engine, Sent
from kakaocron.errors import Cause, Exit, KakaocronError, LedgerError
from kakaocron.kst import DAY
from kakaocron.ledger.beats import NOTHING, End, Word
from kakaocron.ledger.deliveries import Delivery, apply
from kakaocron.ledger.events import Event, as_read
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.ledger.ledger import Book, Ledger, View
from kakaocron.ledger.stats import slots_on
from kakaocron.states import BAD, State
from kakaocron.text.causes import as_facts

# Kakao answers with its own time; further off than this, ours is plainly wrong.
LARGEST_CLOCK_ERROR = timedelta(seconds=90)
CLOCK_BEHIND = "clock-wrong:ledger"


class TickReport(Struct, frozen=True):
    """What one tick did. `problems` are for the user to know, each with a stable key."""

    now: datetime
    ended: dict[str, Delivery] = field(default_factory=dict)
    due: tuple[Due, ...] = ()
    problems: tuple[tuple[str, Cause], ...] = ()
    down: Mapping[str, KakaocronError] = field(default_factory=dict)  # see Sent
    is_complete: bool = True
    is_first: bool = False
    ledger_end: End = NOTHING
    days: tuple[date, ...] = ()  # of the ledger, by which it was decided
    asked: Collection[str] = ()  # channels, what became of messages

    @property
    def troubles(self) -> tuple[Delivery, ...]:
        """The deliveries that ended badly; not those that a person had paused."""
        ended = self.ended.values()
        return tuple(one for one in ended if one.state in BAD and not one.was_meant)

    @property
    def exit_code(self) -> Exit:
        for error in self.down.values():
            return error.exit_code
        is_bad = any(delivery.state in BAD for delivery in self.ended.values())
        return Exit.TROUBLE if is_bad else Exit.FINE


class ReplacedError(Exception):
    """The configuration was replaced while the tick waited for the lock: nothing was done."""


class Ended(Struct, frozen=True):
    """How a tick ended: with a report, with an error that stopped it, or, where it had nothing to
    do, with neither; and whether those after it may find nothing to do."""

    exit_code: Exit
    report: TickReport | None = None
    error: KakaocronError | None = None
    may_be_idle: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every slot up to its instant has a state."""
        return self.error is None and (self.report is None or self.report.is_complete)

    @property
    def waited(self) -> timedelta:
        """How long the tick waited for the minute that it sends ahead of (`early_start`)."""
        if self.report is None:
            return timedelta(0)
        return max([self.report.now, *(one.slot.at for one in self.report.due)]) - self.report.now

    @property
    def is_fine(self) -> bool:
        """Whether nobody has to look: nothing failed, or only what was paused was missed."""
        if self.exit_code == Exit.TROUBLE:
            return self.report is not None and not self.report.troubles
        return self.exit_code == Exit.FINE


def tick(engine: Engine, plan: Plan, heartbeat: Heartbeat) -> TickReport:
    """Do what this minute asks for. Raises what ends the sending early (see `send_all`), and
    ReplacedError."""
    now = engine.clock.now()
    heartbeat.keep_ahead(now)
    heartbeat.beat(now, Word.START, Exit.FINE)
    word, exit_code, ledger_end = Word.FAIL, Exit.BUG, NOTHING
    try:
        report = _tick(engine, plan, heartbeat)
        now, exit_code, ledger_end = report.now, report.exit_code, report.ledger_end
        word = Word.DONE if report.is_complete else Word.FAIL
        return report
    except KakaocronError as error:
        exit_code = error.exit_code
        raise
    except ReplacedError:
        exit_code = Exit.FINE
        raise
    except KeyboardInterrupt:
        exit_code = Exit.INTERRUPTED
        raise
    finally:
        # The instant is that of the decision: what came due since then is for the next tick.
        heartbeat.beat(now, word, exit_code, ledger_end)
        if word is Word.DONE and report.is_first:  # nothing is owed before it
            heartbeat.sync(now.date())


def _tick(engine: Engine, plan: Plan, heartbeat: Heartbeat) -> TickReport:
    """Settle and send what is due, and clear up after it."""
    # So that with the lock held only what has come since is left to be read.
    now = engine.clock.now()
    engine.ledger.read(days_to_read(engine.ledger, plan, now, heartbeat.last_complete(now)))
    with engine.ledger.open() as book:
        # A process may be stopped for minutes before it holds the lock: what it had read by then
        # may be another timetable than the one that holds.
        if not engine.is_configured():
            raise ReplacedError
        seen, problems = _sound_snapshot(book, engine.ledger, heartbeat, plan)
        plan.note_timetables(seen.series)
        decision = decide_by(seen, plan, engine.policy)
        settled_until = seen.settled_until or _owed_from(decision, seen.now)
        settle = [replace(event, settled=settled_until) for event in decision.settle]
        ids = [due.id for due in decision.due]
        behind = led_back(ids, seen.now, heartbeat.last_complete()) if ids else []
        if settle or behind:
            written = book.record([*behind, *settle])
            settle = [event for event in settle if event.id in written]
    settled = _folded(seen.view, settle)
    for delivery in settled.values():
        if delivery.state is not State.MISSED:  # of a host that was off there may be thousands
            log_end(delivery)
    sent = _sent(engine, plan, decision.due, seen.view.deliveries, settled_until)
    told = _told(engine, plan, seen.view.days, settled_until) if engine.receipts else Inquiry()
    ledger_end = engine.ledger.note_ends(seen.view, seen.now)
    return TickReport(
        now=seen.now,
        ended={**settled, **sent.ended, **told.ended},
        due=decision.due,
        problems=(
            *problems,
            *told.problems,
            *_pruned(engine.ledger, plan, seen),
            *_clock_problems(engine, seen.view, sent),
        ),
        down={**told.down, **sent.down},
        # What is left and lies ahead is no matter of this instant; the clock may have been set back
        # since, so that what had come lies ahead again.
        is_complete=all(due.slot.at > seen.now for due in sent.left),
        is_first=seen.settled_until is None,
        ledger_end=ledger_end,
        days=seen.view.days,
        asked=told.asked,
    )


def _sent(
    engine: Engine,
    plan: Plan,
    due: Sequence[Due],
    known: Mapping[str, Delivery],
    settled_until: datetime,
) -> Sent:
    """Send what is due; `known` holds what the ledger has of it, and of its days."""
    if not due:
        return Sent()
    days = {one.slot.at.date() for one in due}
    totals = {day: slots_on(known.values(), day) for day in days}  # once, not for each

    def make(one: Due) -> Parcel:
        return plan.make(one, known.get(one.id), totals[one.slot.at.date()])

    return send_all(engine, due, make, settled_until)


class Inquiry(Struct, frozen=True):
    """What channels with receipts told of what was sent before, and what came of sending once more
    what they did not know."""

    ended: Mapping[str, Delivery] = field(default_factory=dict)
    problems: Sequence[tuple[str, Cause]] = ()
    down: Mapping[str, KakaocronError] = field(default_factory=dict)
    asked: Collection[str] = ()


def _told(engine: Engine, plan: Plan, days: Sequence[date], settled_until: datetime) -> Inquiry:
    """Ask those channels, once nothing is left to send."""
    from kakaocron.delivery.asking import ask  # noqa: PLC0415 - most installations have none

    found = ask(engine, days)
    due = [next_attempt(one, engine.policy) for one in found.again.values()]
    again = _sent(engine, plan, due, found.again, settled_until)
    return Inquiry({**found.ended, **again.ended}, found.problems, again.down, found.asked)


def _sound_snapshot(
    book: Book, ledger: Ledger, heartbeat: Heartbeat, plan: Plan
) -> tuple[Snapshot, list[tuple[str, Cause]]]:
    """Look at what is on record; set aside what is damaged, say so, and look again."""
    seen = take_snapshot(book, ledger, heartbeat, plan, book.now)
    problems = [
        (
            f"ledger-damaged:{found.day}:{found.what}",
            Cause(
                "ledger-damaged",
                {"day": str(found.day), "kept": found.kept, **as_facts("damage", found.what)},
            ),
        )
        for found in book.set_aside_damage(seen.view.days)
    ]
    if problems:
        seen = take_snapshot(book, ledger, heartbeat, plan, book.now)
    return seen, problems


def _pruned(ledger: Ledger, plan: Plan, seen: Snapshot) -> list[tuple[str, Cause]]:
    """Remove old days in the first tick of a day; say so if that cannot be done."""
    last, today = seen.last_complete, seen.now.date()
    if last and timedelta(0) < today - last.date() <= 2 * DAY:
        try:
            ledger.prune(today, plan.keep_days)
        except LedgerError as error:  # what was sent is recorded; this is no part of it
            return [("prune:", error.cause)]
    return []


def _owed_from(decision: Decision, now: datetime) -> datetime:
    """Return up to when a first run owes nothing: to just before what it finds due."""
    return min([now, *(due.slot.at - timedelta(seconds=1) for due in decision.due)])


def _folded(view: View, settled: Sequence[Event]) -> dict[str, Delivery]:
    ended: dict[str, Delivery] = {}
    for event in settled:
        delivery = apply(view.deliveries.get(event.id), as_read(event))
        if delivery is not None:
            ended[event.id] = delivery
    return ended


def _clock_problems(engine: Engine, view: View, sent: Sent) -> list[tuple[str, Cause]]:
    now = engine.clock.now()
    last = view.last_event_at
    if last is not None and last > now + LARGEST_CLOCK_ERROR:
        return [
            (
                CLOCK_BEHIND,
                Cause(
                    "clock-behind-ledger",
                    {"now": f"{now:%Y-%m-%d %H:%M:%S}", "last": f"{last:%Y-%m-%d %H:%M:%S}"},
                ),
            )
        ]
    if sent.server_date is None:
        return []
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - after the sending

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
            Cause("clock-off", {"seconds": offset.total_seconds()}),
        )
    ]
