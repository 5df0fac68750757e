"""Asking channels afterwards what became of what they took, or may have taken.

It comes after the sending and holds nothing up: so many look-ups a tick, and for a while at most.
What is left is for the ticks to come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial

from msgspec import Struct, field

from kakaocron.delivery.channel import ReceiptChannel
from kakaocron.delivery.log_lines import log_receipt
from kakaocron.delivery.policy import look_up_at
from kakaocron.delivery.receipts import questions, receipt, to_ask
from kakaocron.delivery.underway import Engine
from kakaocron.delivery.verdicts import Asked, Fate, Found
from kakaocron.errors import Cause
from kakaocron.kst import DAY
from kakaocron.ledger.deliveries import Delivery, apply
from kakaocron.ledger.events import Event, Pointer, as_read, day_of
from kakaocron.ledger.ledger import Book
from kakaocron.schedule.slots import slot_day
from kakaocron.states import State
from kakaocron.system.log import log
from kakaocron.system.scarcity import is_scarcity

LOOK_UPS_A_TICK = 200
ASKING_SECONDS = 20.0
ROUNDS = 2  # who told nothing is asked once more

Replies = dict[tuple[str, str], Found]  # by delivery and receiver
Question = tuple[str, Asked]  # of which delivery


class LookedUp(Struct, frozen=True):
    """What came of asking: the deliveries that have another state since, and what is wrong."""

    ended: Mapping[str, Delivery] = field(default_factory=dict)
    again: Mapping[str, Delivery] = field(default_factory=dict)  # to be sent once more, at once
    problems: Sequence[tuple[str, Cause]] = ()
    asked: Collection[str] = ()  # channels


def ask(engine: Engine, days: Iterable[date]) -> LookedUp:
    """Look up what is due of these days of the ledger, and record what is told.

    Raises LedgerError or LockTimeoutError when the ledger fails, KeyboardInterrupt if the process
    is told to end, and, once what was told is recorded, a bug met in a channel.
    """
    days = set(days)
    known = engine.ledger.read(days).deliveries
    wanted = to_ask(known.values(), engine.policy, engine.clock.now())[:LOOK_UPS_A_TICK]
    asked = {
        name: of_channel
        for name in engine.receipts
        if (of_channel := _of_channel(engine, name, wanted))
    }
    if not asked:
        return LookedUp()
    bugs: list[Exception] = []
    with engine.interrupts.held(engine.workers.wake):
        answers = _answers(engine, asked, bugs)
        with engine.ledger.open() as book:
            after = _record(engine, book, days, wanted, answers)
    before = {one.id: one.state for one in wanted}
    ended = {id_: one for id_, one in after.items() if one.state is not before[id_]}
    for delivery in ended.values():
        log_receipt(delivery)
    again = {id_: one for id_, one in after.items() if one.is_being_settled and one.next_attempt_at}
    if bugs:
        raise bugs[0]
    return LookedUp(ended, again, _problems(asked, answers), frozenset(asked))


def _of_channel(engine: Engine, channel: str, wanted: Iterable[Delivery]) -> list[Question]:
    return [
        (one.id, asked)
        for one in wanted
        for asked in questions(one)
        if engine.channel_of(asked.receiver) == channel
    ]


def _answers(
    engine: Engine, asked: Mapping[str, Sequence[Question]], bugs: list[Exception]
) -> Replies:
    """Ask all channels side by side until they have answered, or time is up."""
    answers: Replies = {}
    until = engine.clock.monotonic() + ASKING_SECONDS
    tasks = set()

    def is_over() -> bool:
        return engine.clock.monotonic() >= until or engine.interrupts.is_asked

    def pull(channel: ReceiptChannel, group: Sequence[Question]) -> None:
        of = {asked: id_ for id_, asked in group}
        try:
            for _ in range(ROUNDS):
                open_ = [one for one in of if _is_open(answers.get((of[one], one.receiver)))]
                for one, found in channel.look_up(open_) if open_ else ():
                    answers[of[one], one.receiver] = found
                    if is_over():
                        return
        except Exception as error:
            log.error("looking up met %s", type(error).__name__, exc_info=error)
            if not is_scarcity(error):
                bugs.append(error)

    for name, group in asked.items():
        tasks.add(task := f"look up {name}")
        engine.workers.start(task, partial(pull, engine.receipts[name], group))
    while tasks and not is_over():
        tasks -= set(engine.workers.wait(max(0.0, until - engine.clock.monotonic())))
    return dict(answers)


def _is_open(found: Found | None) -> bool:
    return found is None or found.fate is Fate.NOT_TOLD


def _record(
    engine: Engine, book: Book, days: set[date], wanted: Iterable[Delivery], answers: Replies
) -> dict[str, Delivery]:
    """Write what was told of each delivery, unless another process has gone on with it meanwhile;
    return them as they are then."""
    view = book.read(days)
    if view.damaged:  # the next tick sets that aside first
        return {}
    found: dict[str, dict[str, Found]] = {}
    for (id_, name), what in answers.items():
        found.setdefault(id_, {})[name] = what
    lines: list[Event] = []
    written = {}
    for one in wanted:
        delivery = view.deliveries.get(one.id)
        if delivery is None or _has_gone_on(delivery, one):
            continue
        if one.id not in found and engine.interrupts.is_asked:
            continue  # nobody has asked
        line = receipt(delivery, found.get(one.id, {}), engine.policy, book.now)
        after = apply(delivery, as_read(line))
        if after is None:
            continue
        lines.append(line)
        written[one.id] = after
        lines += _leading(engine, after, lines, book.now)
    recorded = book.record(lines) if lines else {}
    return {id_: one for id_, one in written.items() if id_ in recorded}


def _has_gone_on(delivery: Delivery, before: Delivery) -> bool:
    return delivery.state is State.SENDING or len(delivery.attempts) != len(before.attempts)


def _leading(
    engine: Engine, delivery: Delivery, lines: Iterable[Event], now: datetime
) -> list[Event]:
    """Return the line that leads the tick of the next look-up to a delivery whose day it would not
    read by itself, if none does so far."""
    due = look_up_at(delivery, engine.policy, now)
    day = delivery.slot.date()
    if due is None or due.date() - day <= DAY:
        return []
    if day in engine.ledger.read([due.date()]).pointed_days:
        return []
    written = {(day_of(one), slot_day(one.id)) for one in lines if isinstance(one, Pointer)}
    if (due.date(), day) in written:
        return []
    return [Pointer(at=now, id=delivery.id, due=due)]


def _problems(asked: Mapping[str, Sequence[Question]], answers: Replies) -> list[tuple[str, Cause]]:
    """Return which channels told nothing of anything, and why."""
    problems = []
    for name, group in asked.items():
        found = [answers[id_, one.receiver] for id_, one in group if (id_, one.receiver) in answers]
        if all(one.fate is Fate.NOT_TOLD for one in found):
            causes = [one.cause for one in found if one.cause]
            why = causes[0] if causes else Cause("no-answer")
            facts = {**why.facts, "behind": why.code}
            problems.append((f"look-up:{name}", Cause("look-up-failed", facts)))
    return problems
