"""Waiting for a slot's instant, so that at the instant only its claim is left to be written.

What slots ahead cost is paid before they come: token and connections (`prepare`, `warm_up`), lock
and ledger, and the requests themselves, which are brought to the gate (`board`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from kakaocron.delivery import claims
from kakaocron.delivery.channel import Channel, Flight
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.underway import Engine, Run, Stage, Underway
from kakaocron.ledger.events import to_line

# How far ahead of its slot a delivery is waited for, and how long for token and connections.
LONGEST_WAIT = timedelta(seconds=70)
PREPARING_SECONDS = 20.0
# How long before an awaited slot connections are looked at again: servers close idle ones.
WARMING = timedelta(seconds=3)
# How long before it the ledger is locked and read and requests are brought to the gate, so that at
# the instant only the claim is left.
HEAD_START = timedelta(milliseconds=100)
# The last of it is spent awake.
LAST_MOMENT = timedelta(milliseconds=3)


def prepare(engine: Engine, run: Run, seconds: float) -> None:
    """Let the channels get ready, for at most some seconds."""
    until = engine.clock.monotonic() + seconds
    for name, count in run.deliveries.items():
        run.preparing[name] = until
        most = min(count, run.most or engine.at_once)
        engine.workers.start(_preparing(name), partial(engine.channels[name].prepare, most))


def note_prepared(engine: Engine, run: Run, ended: set[str]) -> None:
    """Wait no longer for channels that are ready, or that have had their time."""
    elapsed = engine.clock.monotonic()
    for name, until in list(run.preparing.items()):
        if _preparing(name) in ended or elapsed >= until:
            del run.preparing[name]


def _preparing(name: str) -> str:
    return f"prepare {name}"


def warm_up(engine: Engine, run: Run) -> None:
    """Shortly before an awaited slot, make sure of the connections, and read the ledger's past."""
    now = engine.clock.now()
    if run.warm_at is None or now < run.warm_at or run.preparing:
        return
    run.warm_at = None
    ahead = [one.at for one in run.waiting() if one.at > now]
    if ahead:
        prepare(engine, run, (min(ahead) - now).total_seconds())
        with engine.ledger.open() as book:
            run.read(book, {at.date() for at in ahead})


def warm_from(began: datetime, group: Iterable[Underway]) -> datetime | None:
    """Return when connections are to be looked at again; None if nothing is that far ahead."""
    first = first_ahead(group, began)
    return first - WARMING if first is not None and first - began > WARMING else None


def board(engine: Engine, run: Run, group: Sequence[Underway]) -> None:
    """Bring the requests of what is a moment away to the gate, to wait there for their claims."""
    now = engine.clock.now()
    for one in group:
        if one.stage is Stage.WAITING and one.at > now and isinstance(one.parcel, Parcel):
            one.claimed = engine.workers.signal()
            if take_off(engine, run, one, claims.no_claim, one.claimed.wait):
                run.move(one, Stage.BOARDED)
            else:  # without threads enough it sets out once it is claimed
                turn_back(one)


def release(engine: Engine, one: Underway) -> None:
    """Let go what is at the gate: it is claimed."""
    may_leave = claims.gate(engine, one)
    for flight in one.flights.values():
        flight.may_leave = may_leave
    if one.claimed:
        one.claimed.set()


def turn_back(one: Underway) -> None:
    """Give up what is at the gate: nothing of it leaves."""
    for flight in one.flights.values():
        flight.abandon()
    if one.claimed:
        one.claimed.set()
    one.flights, one.tasks, one.claimed = {}, set(), None


def take_off(
    engine: Engine,
    run: Run,
    one: Underway,
    may_leave: Callable[[], datetime],
    hold: Callable[[], object] | None = None,
) -> bool:
    """Start a worker for each channel of a delivery; none waits for another.

    With `hold` they are held at the gate, which asks for a thread each: say whether there were
    enough. Without it they set out one after another if need be.
    """
    parcel = one.to_send
    assert parcel is not None  # noqa: S101 - a claim without content has ended already
    done = {name: result.parts for name, result in one.due.known.items()}
    one.flights, one.tasks = {}, set()
    for channel, receivers in one.to.items():
        to = [name for name in receivers if name not in one.blocked]
        if to:
            flight = Flight(
                may_leave,
                to,
                one.parts,
                done,
                hold=hold or (lambda: None),
                lock=engine.workers.lock(),
            )
            if channel in engine.receipts:
                flight.keys = {name: key for name, key in one.keys.items() if name in to}
                flight.repeats = one.repeats.intersection(to)
                ends = [one.due.keys[name].until for name in flight.repeats]
                flight.until = min((end for end in ends if end), default=None)
            one.flights[channel] = flight
            # The verb tells their names from those of workers that were given up.
            name = f"{'board' if hold else 'send'} {one.id} {channel}"
            shown = one.shown.get(channel, parcel)
            task = partial(_deliver, engine.channels[channel], shown, flight, run, name)
            if hold is None:
                engine.workers.start(name, task)
            elif not engine.workers.try_start(name, task):
                return False
            one.tasks.add(name)
    return True


def _deliver(channel: Channel, parcel: Parcel, flight: Flight, run: Run, name: str) -> None:
    try:
        channel.deliver(parcel, flight.to, flight)
    except Exception as error:
        run.note_bug(name, error)


def has_waited(engine: Engine, run: Run) -> bool:
    """Say whether the clock shows the time that this process has waited.

    If not, it was set, or the machine slept, and what the connections still show is not true.
    """
    waited = timedelta(seconds=engine.clock.monotonic() - run.began_at)
    return abs(engine.clock.now() - run.began - waited) < WARMING


def first_ahead(group: Iterable[Underway], now: datetime) -> datetime | None:
    return min((one.at for one in group if one.at > now), default=None)


def wait_for(engine: Engine, run: Run, group: Sequence[Underway], instant: datetime) -> datetime:
    """Wait for an instant that is a moment away; return what time it is then."""
    now = engine.clock.now()
    while now < instant <= now + HEAD_START:
        left = instant - now
        if left > LAST_MOMENT:
            engine.clock.sleep((left - LAST_MOMENT).total_seconds())
            for one in group:  # the first time through this code is a slow one
                to_line(claims.claim_event(engine, run, one, one.to_send, instant, None))
        else:
            engine.clock.sleep(left.total_seconds())
        now = engine.clock.now()
    return now
