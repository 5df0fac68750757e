"""What comes back: how flights fared, and the end of the sending, whatever brings it about."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from kakaocron.delivery import claims, early_start, enclosing
from kakaocron.delivery.early_start import LONGEST_WAIT
from kakaocron.delivery.log_lines import log_end
from kakaocron.delivery.underway import Engine, Run, Stage, Underway
from kakaocron.errors import KakaocronError, LedgerError, LockTimeoutError
from kakaocron.ledger.deliveries import CLOCK_SLACK, Delivery
from kakaocron.ledger.events import Outcome
from kakaocron.ledger.ledger import Book
from kakaocron.states import State
from kakaocron.text.causes import content_error, parts

# How long a process that was told to end waits for what is in flight.
FINISHING_SECONDS = 10.0
# For how long it is tried to record how flights fared, when the ledger does not take it.
RECORDING_SECONDS = 10.0
PAUSE_SECONDS = 0.5


def collect(engine: Engine, run: Run, seconds: float) -> None:
    """Wait for whatever comes next, and move on what has ended or has to be given up."""
    ended = set(engine.workers.wait(seconds))
    now, elapsed = engine.clock.now(), engine.clock.monotonic()
    early_start.note_prepared(engine, run, ended)
    for one in run.at(Stage.BOARDED):
        if one.tasks & ended:
            early_start.turn_back(one)
            run.move(one, Stage.WAITING)
    for one in run.at(Stage.MAKING):
        if one.tasks & ended or elapsed >= one.make_until:
            one.parcel = one.made or content_error("making-too-long")
            enclosing.set_out(engine, run, one)
    for one in run.at(Stage.ENCLOSING):
        one.tasks -= ended
        if not one.tasks or elapsed >= one.make_until:
            enclosing.settle(engine, run, one)
    flying = run.at(Stage.IN_FLIGHT)
    is_set_back = any(now < one.claim.at - CLOCK_SLACK for one in flying if one.claim)
    for one in flying:
        one.tasks -= ended
        if one.tasks and not is_set_back and one.claim and now < one.claim.until:
            continue
        _land(run, one)
    # A clock that was set back leaves slots too far ahead: a later tick will see to them.
    if any(at - now > LONGEST_WAIT for at in run.awaited()):
        for one in list(run.waiting()):
            if one.at - now > LONGEST_WAIT:
                leave_open(run, one)


def _land(run: Run, one: Underway) -> None:
    for flight in one.flights.values():
        flight.abandon()
    run.move(one, Stage.LANDED)


def leave(run: Run, one: Underway) -> None:
    """Have no more to do with a delivery; what it has at the gate is given up."""
    early_start.turn_back(one)
    run.move(one, Stage.ENDED)


def leave_open(run: Run, one: Underway) -> None:
    """Leave a delivery to a later tick, which has to know that it has no state yet."""
    leave(run, one)
    run.sent.left.append(one.due)


def outcome(engine: Engine, one: Underway, now: datetime) -> Outcome:
    return claims.outcome_event(engine, one, one.results, one.sent_at, now)


def make_room(engine: Engine, run: Run) -> bool:
    """Let go of what can be let go of, as the machine has no more to give; wait for what is in
    flight, record it, and let the others go one after another. Say whether that is any change."""
    if run.most == 1:
        return False
    run.most = 1
    _let_go(engine, run)
    _wait_for_flights(engine, run, engine.lease.total_seconds())
    _record_claimed(engine, run)
    return True


def wind_up(engine: Engine, run: Run, why: BaseException | None) -> None:
    """End the sending early: claim no more, wait for what is in flight, and record it.

    `why` is the error that has ended it, None if the process was told to end. Raises LedgerError
    in its place if something may have arrived that is not on record.
    """
    _let_go(engine, run)
    is_told = why is None or isinstance(why, KeyboardInterrupt)
    seconds = FINISHING_SECONDS if is_told else engine.lease.total_seconds()
    _wait_for_flights(engine, run, seconds)
    _record_claimed(engine, run)
    if isinstance(why, LockTimeoutError) and run.sent.ended:
        raise LockTimeoutError(*parts("lock-held-sending"), which="while-sending") from why


def _let_go(engine: Engine, run: Run) -> None:
    """Give back what only waits: requests at the gate, and kept connections."""
    run.preparing.clear()
    for one in run.at(Stage.BOARDED):
        early_start.turn_back(one)
        run.move(one, Stage.WAITING)
    for channel in engine.channels.values():
        with suppress(OSError):
            channel.let_go()


def _wait_for_flights(engine: Engine, run: Run, seconds: float) -> None:
    """Wait for what is in flight, on the clock that nobody sets; then give it up."""
    until = engine.clock.monotonic() + seconds
    while run.count(Stage.IN_FLIGHT) and (left := until - engine.clock.monotonic()) > 0:
        collect(engine, run, min(1.0, left))
    for one in run.at(Stage.IN_FLIGHT):
        _land(run, one)


def _record_claimed(engine: Engine, run: Run) -> None:
    """Record how everything that has been claimed fared; if that fails, again and again for a
    while: room, descriptors, memory and the lock come free as others end."""
    claimed = [*run.at(Stage.LANDED), *(one for one in run.waiting() if one.claim)]
    until = engine.clock.monotonic() + RECORDING_SECONDS
    while claimed:
        try:
            with engine.ledger.open() as book:
                _record(engine, run, book, claimed)
            return
        except (KakaocronError, OSError, MemoryError) as error:
            if engine.clock.monotonic() < until:
                engine.workers.wait(PAUSE_SECONDS)
            else:
                raise _not_recorded(claimed, error) from error


def _record(engine: Engine, run: Run, book: Book, claimed: Sequence[Underway]) -> None:
    view = run.read(book, {one.at.date() for one in claimed})
    lines = {
        one: outcome(engine, one, book.now)
        for one in claimed
        if one.receipt or _stands(engine, one, view.deliveries.get(one.id))
    }
    if lines:
        book.record(list(lines.values()))
    for one in claimed:
        if one in lines:
            note_flights(run, one)
            leave(run, one)
        else:
            one.claim = None
    view = run.read(book, ())
    for one in lines:
        note_end(run, view.deliveries[one.id])


def _stands(engine: Engine, one: Underway, delivery: Delivery | None) -> bool:
    """Say whether a claim that may not have been written is in the ledger all the same."""
    if delivery is None or delivery.state is not State.SENDING:
        return False
    last = delivery.attempts[-1]
    return (last.number, last.by) == (one.due.attempt, engine.owner)


def _not_recorded(claimed: Sequence[Underway], error: Exception) -> LedgerError:
    """Return what to say where claims stand in the ledger, and not how they ended."""
    departed = sorted(one.id for one in claimed if one.sent_at)
    facts: dict[str, str | int] = {}
    if departed:
        facts = {"count": len(departed), "ids": ", ".join(departed)}
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(error, LockTimeoutError):
        facts["behind"] = "lock-elsewhere"
    else:
        is_of_the_system = isinstance(cause, OSError) and cause.strerror
        facts["error"] = is_of_the_system or type(cause or error).__name__
    code = ("not-recorded", "not-recorded-one", "not-recorded-many")[min(len(departed), 2)]
    return LedgerError(
        *parts(code, **facts),
        which=f"not-recorded:{' '.join(departed)}",
    )


def note_flights(run: Run, one: Underway) -> None:
    """Remember what flights have learned of their channels."""
    for channel, flight in one.flights.items():
        if flight.down is not None:
            run.sent.down.setdefault(channel, flight.down)
        run.sent.server_date = flight.server_date or run.sent.server_date


def note_end(run: Run, delivery: Delivery) -> None:
    """Remember how a delivery ended, and log it."""
    run.sent.ended[delivery.id] = delivery
    log_end(delivery)
