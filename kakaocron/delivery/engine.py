"""claim → send → record: how what is due becomes what is proven. The heart of kakaocron."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from kakaocron.delivery import claims, early_start
from kakaocron.delivery.early_start import HEAD_START
from kakaocron.delivery.landing import (
    collect,
    leave,
    leave_open,
    make_room,
    note_end,
    note_flights,
    outcome,
    wind_up,
)
from kakaocron.delivery.parcel import FallbackError, Parcel
from kakaocron.delivery.policy import Due
from kakaocron.delivery.underway import Engine, Run, Sent, Stage, Underway, ready
from kakaocron.errors import ContentError
from kakaocron.ledger.events import Claim, Event
from kakaocron.ledger.ledger import Book, View
from kakaocron.system.log import log
from kakaocron.system.scarcity import is_scarcity
from kakaocron.text.causes import content_error

# How long a content may take: less than a minute, so that the next tick does not make it too.
MAKING_SECONDS = 50.0

MakeParcel = Callable[[Due], Parcel]


def send_all(
    engine: Engine, due: Sequence[Due], make: MakeParcel, settled: datetime | None = None
) -> Sent:
    """Make the content of everything due, claim, send and record it, side by side.

    `make` makes a content and may raise ContentError; at most `engine.at_once` are made or on
    their way at a time, and none waits for another. Each turn writes once: the outcomes that have
    come in and the claims that take their places. What lies ahead waits for its instant. `settled`
    is noted in the ledger's lines.

    Whatever ends it early, nothing more is claimed then, and what is in flight is waited for and
    recorded. Raises LedgerError or LockTimeoutError when the ledger fails, KeyboardInterrupt if the
    process is told to end, and, once all the others are done, the first bug met in a worker.
    """
    run = _take_up(engine, due, settled)
    with engine.interrupts.held(engine.workers.wake):
        try:
            _send(engine, run, make)
        except BaseException as error:
            wind_up(engine, run, error)
            raise
        if engine.interrupts.is_asked:
            wind_up(engine, run, None)
    if run.bugs:
        raise run.bugs[0]
    return run.sent


def _send(engine: Engine, run: Run, make: MakeParcel) -> None:
    early_start.prepare(engine, run, early_start.PREPARING_SECONDS)
    while not run.is_over and not engine.interrupts.is_asked:
        try:
            _make_more(engine, run, make)
            early_start.warm_up(engine, run)
            _record_and_claim(engine, run)
            collect(engine, run, _patience(engine, run))
        except Exception as error:
            if not (is_scarcity(error) and make_room(engine, run)):
                raise
            log.warning("one after another from here on: %s", error)


def _take_up(engine: Engine, due: Sequence[Due], settled: datetime | None) -> Run:
    run = Run(settled, engine.clock.now(), engine.clock.monotonic())
    for one in engine.sharing.order(due) if engine.sharing else due:
        run.add(Underway(one, engine.by_channel(one.to), one.id, one.slot.at))
    group = run.at(Stage.TO_MAKE)
    run.deliveries = Counter(name for one in group for name in one.to)
    run.warm_at = early_start.warm_from(run.began, group)
    return run


def _make_more(engine: Engine, run: Run, make: MakeParcel) -> None:
    free = engine.at_once - run.count(Stage.MAKING) - run.count(Stage.ENCLOSING)
    if engine.sharing:
        free = min(free, 2 * engine.at_once - run.count(Stage.WAITING))
        _leave_to_others(engine, run)
    for one in run.at(Stage.TO_MAKE, max(0, free)):
        one.tasks = {f"make {one.id}"}
        one.make_until = engine.clock.monotonic() + MAKING_SECONDS
        run.move(one, Stage.MAKING)
        engine.workers.start(f"make {one.id}", partial(_make, engine, run, make, one))


def _leave_to_others(engine: Engine, run: Run) -> None:
    """Make nothing of what is next if another host has it by now."""
    if run.view is None:
        return
    known, now = run.view.deliveries, engine.clock.now()
    for one in run.at(Stage.TO_MAKE, engine.at_once):
        is_known = one.at.date() in run.view.days
        if is_known and not claims.is_ours(known.get(one.id), one.due, engine.policy, now):
            leave(run, one)


def _make(engine: Engine, run: Run, make: MakeParcel, one: Underway) -> None:
    made: Parcel | ContentError
    try:
        made = make(one.due)
    except ContentError as error:
        made = error
    except Exception as error:
        run.note_bug(f"make {one.id}", error)
        made = content_error("not-made", error=type(error).__name__)
    if engine.receipts and isinstance(made, Parcel | FallbackError):
        try:
            one.reserved = claims.reserve(engine, run, one)
        except Exception as error:
            run.note_bug(f"reserve {one.id}", error)
    one.made = made


def _record_and_claim(engine: Engine, run: Run) -> None:
    """Write the outcomes that have come in and claim what may go now, under one lock."""
    soon = ready(engine, run, engine.clock.now() + HEAD_START)
    landed = run.at(Stage.LANDED)
    if not landed and not soon:
        return
    early_start.board(engine, run, soon)
    with engine.ledger.open() as book:
        wanted, view, allowed = _look(engine, run, book, landed)
        lines: dict[Underway, list[Event]]
        lines = {one: [outcome(engine, one, book.now)] for one in landed}
        lines |= _begin(engine, run, wanted, view, book.now, allowed)
        claimed = _record(book, lines)
        for one in claimed:
            _start(engine, run, one)
        for one in landed:
            note_flights(run, one)
        for one in (*landed, *wanted):
            if one.stage is not Stage.IN_FLIGHT:
                leave(run, one)
        view = run.read(book, ())
    for one in claimed:
        log.info("📤 메시지 전송 시작: %s", one.id)
    run.sent.left += [one.due for one in wanted if one not in lines]
    for one, events in lines.items():
        if events and one.stage is not Stage.IN_FLIGHT:
            note_end(run, view.deliveries[one.id])


def _look(
    engine: Engine, run: Run, book: Book, landed: Sequence[Underway]
) -> tuple[list[Underway], View, claims.Allowances]:
    """Return what may be claimed, the days that matter to it, and what its channels still take.

    If some of it is a moment away, this returns at its instant.
    """
    wanted = _wanted(engine, run, book.now)
    days = {one.at.date() for one in (*landed, *wanted)}
    view = run.read(book, days | claims.allowance_days(engine, wanted, book.now.date()))
    first = early_start.first_ahead(wanted, book.now)
    day = (first or book.now).date()
    allowed = claims.allowances(engine, run, wanted, view, day)
    if first is not None:
        looked_up = set(wanted)
        book.now = early_start.wait_for(engine, run, wanted, first)
        # What came meanwhile, as the process was stopped, has not been looked up.
        wanted = [one for one in ready(engine, run, book.now) if one in looked_up]
    if engine.interrupts.is_asked:
        wanted = []
    return wanted, view, allowed


def _wanted(engine: Engine, run: Run, now: datetime) -> list[Underway]:
    """Return what may be claimed in a moment.

    What was waited for goes only if all is as it was when the wait began: else the slot's own
    tick, or the one after it, decides again.
    """
    wanted = ready(engine, run, now + HEAD_START)
    if all(one.at <= run.began for one in wanted) or (
        engine.is_current() and early_start.has_waited(engine, run)
    ):
        return wanted
    for one in list(run.waiting()):
        if one.at > run.began:
            leave_open(run, one)
    return [one for one in wanted if one.at <= run.began]


def _begin(
    engine: Engine,
    run: Run,
    wanted: Sequence[Underway],
    view: View,
    now: datetime,
    allowed: claims.Allowances,
) -> dict[Underway, list[Event]]:
    """Return the lines with which each begins; nothing does while a part of it is damaged.

    What is damaged is set aside by the next tick before anything of that day is sent.
    """
    if view.damaged:
        return {}
    return {
        one: claims.begin(engine, run, one, view.deliveries.get(one.id), now, allowed)
        for one in wanted
    }


def _record(book: Book, lines: Mapping[Underway, list[Event]]) -> list[Underway]:
    """Write all lines at once; return what is claimed by them. Of what another host was first to
    write nothing is left."""
    events = [event for group in lines.values() for event in group]
    claimed = []
    for one, group in lines.items():
        if group and isinstance(group[-1], Claim):
            one.claim = group[-1]  # from here on it may be in the ledger, whatever is raised
            claimed.append(one)
    receipts = book.record(events) if events else {}
    for one, group in lines.items():
        if group and one.id not in receipts:  # another host was first
            group.clear()
            one.claim = None
    claimed = [one for one in claimed if one.id in receipts]
    for one in claimed:
        one.receipt = receipts[one.id]
    return claimed


def _start(engine: Engine, run: Run, one: Underway) -> None:
    """Let a claimed delivery go: what is at the gate, or by workers of its own."""
    is_at_the_gate = one.stage is Stage.BOARDED and not one.blocked
    run.move(one, Stage.IN_FLIGHT)
    if is_at_the_gate:
        early_start.release(engine, one)
    else:
        early_start.turn_back(one)
        early_start.take_off(engine, run, one, claims.gate(engine, one))


def _patience(engine: Engine, run: Run) -> float:
    """Return for how many seconds there is nothing to do unless a worker ends.

    At most one: the clock may be set meanwhile, which moves every instant that is awaited.
    """
    now, elapsed = engine.clock.now(), engine.clock.monotonic()
    if run.count(Stage.LANDED) or run.is_over or ready(engine, run, now + HEAD_START):
        return 0.0
    heads = [at - HEAD_START for at in run.awaited()]
    ends = [one.claim.until for one in run.at(Stage.IN_FLIGHT) if one.claim]
    # A head start that is reached, but not made use of, waits for a connection or a place.
    moments = (*(head for head in heads if head > now), *ends)
    seconds = [(moment - now).total_seconds() for moment in moments]
    made = (*run.at(Stage.MAKING), *run.at(Stage.ENCLOSING))
    seconds += [one.make_until - elapsed for one in made]
    seconds += [until - elapsed for until in run.preparing.values()]
    return max(0.0, min([1.0, *seconds]))
