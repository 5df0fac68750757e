"""What the engine works with, and how far each delivery has come in one of its runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import islice

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.delivery.channel import (
    Allowance,
    Channel,
    Flight,
    LeftOutError,
    PictureChannel,
    ReceiptChannel,
)
from kakaocron.delivery.parcel import FallbackError, Parcel
from kakaocron.delivery.policy import Due, Policy
from kakaocron.delivery.verdicts import Verdict
from kakaocron.errors import Cause, ContentError, KakaocronError
from kakaocron.language.words import marked
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import Claim, Result
from kakaocron.ledger.ledger import Book, Ledger, Receipt, View
from kakaocron.states import Reason, State
from kakaocron.system.clock import Clock
from kakaocron.system.http import Phase
from kakaocron.system.interrupts import SIGNALS, Interrupts
from kakaocron.system.log import log
from kakaocron.system.scarcity import is_scarcity
from kakaocron.system.workers import Signal, Workers


class Sharing(Struct, frozen=True):
    """What sending beside other hosts needs: in which order to take what is due, so that they
    begin with different ones, and what time it is at the latest by their common clock."""

    order: Callable[[Sequence[Due]], Sequence[Due]]
    latest: Callable[[], datetime]


class Engine(Struct, frozen=True):
    """What sending needs: the ledger, the ways out, the clock, and the rules.

    `channel_of` names the channel of a receiver, by the receiver's form alone: what the ledger
    keeps of a delivery tells by which way it went. `receipts` are those of the channels that tell
    later what became of a message, `pictures` those that show pictures.
    """

    ledger: Ledger
    channels: Mapping[str, Channel]
    channel_of: Callable[[str], str]
    workers: Workers
    clock: Clock
    policy: Policy
    owner: str
    lease: timedelta
    at_once: int = 16
    is_configured: Callable[[], bool] = lambda: True  # whether the configuration is still the same
    is_current: Callable[[], bool] = lambda: True  # ... and what is in the data folder
    interrupts: Interrupts = SIGNALS
    sharing: Sharing | None = None
    receipts: Mapping[str, ReceiptChannel] = field(default_factory=dict)
    pictures: Mapping[str, PictureChannel] = field(default_factory=dict)

    def by_channel(self, to: Iterable[str]) -> dict[str, list[str]]:
        """Sort receivers by the channel that reaches them; the order of each group is kept."""
        groups: dict[str, list[str]] = {}
        for receiver in to:
            groups.setdefault(self.channel_of(receiver), []).append(receiver)
        return groups


NEVER_LEFT = Result(
    State.RETRYING,
    Reason.TICK_CRASHED,
    marked("the sending ended before it left"),
    phase=Phase.BEFORE,
)


class Stage(Enum):
    """How far a delivery has come. It goes downwards, but from the gate it may be turned back."""

    TO_MAKE = 1  # its content is still to be made
    MAKING = 2  # a worker makes it
    ENCLOSING = 3  # workers bring its picture to its channels
    WAITING = 4  # for its instant, its channels and a place
    BOARDED = 5  # the same, with its requests at the gate
    IN_FLIGHT = 6  # claimed; workers deliver it
    LANDED = 7  # how it went is known and not recorded yet
    ENDED = 8  # this run has no more to do with it


_WAITS = (Stage.WAITING, Stage.BOARDED)


# What a channel made of a content with a picture, by its name.
Enclosed = dict[str, Parcel | LeftOutError]


class Underway(Struct, eq=False):
    """One delivery on its way.

    `to` holds the receivers of this attempt by channel, `flights` one flight for each of these
    channels, `tasks` the names of the workers that are at it. `made`, and before it `reserved`, is
    the worker's to write, and so is `enclosed`: what comes after it was given up is not looked at.
    """

    due: Due
    to: Mapping[str, Sequence[str]]
    id: str
    at: datetime  # its slot's instant
    stage: Stage = Stage.TO_MAKE
    tasks: set[str] = field(default_factory=set)
    made: Parcel | ContentError | None = None
    make_until: float = 0.0  # on the clock that no step changes
    parcel: Parcel | ContentError | None = None
    enclosed: Enclosed = field(default_factory=dict)
    shown: Mapping[str, Parcel] = field(default_factory=dict)  # with its picture, by channel
    left_out: Mapping[str, Cause | None] = field(default_factory=dict)  # channels that have none
    refused: dict[str, Result] = field(default_factory=dict)  # receivers who lack what they need
    flights: dict[str, Flight] = field(default_factory=dict)
    claimed: Signal | None = None  # lets what is boarded go
    claim: Claim | None = None
    receipt: Receipt | None = None  # of the claim
    blocked: Mapping[str, Result] = field(default_factory=dict)  # the same, or quota spent
    reserved: Mapping[str, str | Verdict] = field(default_factory=dict)  # new keys, by receiver

    @property
    def to_send(self) -> Parcel | None:
        """What a claim of it may send: the content, or what stands in for a failed one."""
        if isinstance(self.parcel, FallbackError):
            return self.parcel.fallback
        return self.parcel if isinstance(self.parcel, Parcel) else None

    @property
    def keys(self) -> dict[str, str]:
        """The key of each receiver who has one, whether it is new or goes out once more."""
        known = {name: key.key for name, key in self.due.keys.items()}
        return known | {name: key for name, key in self.reserved.items() if isinstance(key, str)}

    @property
    def repeats(self) -> frozenset[str]:
        """Whose key goes out once more."""
        return frozenset(self.due.keys) - self.reserved.keys()

    @property
    def parts(self) -> int:
        return len(self.to_send.parts) if self.to_send else 1

    @property
    def results(self) -> dict[str, Result]:
        """How each receiver of a claim fared; who was never set out for got nothing."""
        known = self.due.known
        found = {
            name: replace(NEVER_LEFT, parts=known[name].parts) if name in known else NEVER_LEFT
            for name in self.due.to
        }
        found.update(self.blocked)
        for channel, flight in self.flights.items():
            found.update(flight.results)
            if channel in self.left_out:
                found.update(_without_picture(flight.results, self.left_out[channel]))
        return found

    @property
    def sent_at(self) -> datetime | None:
        """When the first request left."""
        instants = [flight.sent_at for flight in self.flights.values() if flight.sent_at]
        return min(instants, default=None)


def _without_picture(results: Mapping[str, Result], why: Cause | None) -> dict[str, Result]:
    """Return those who have a message that should have shown a picture, and that it did not."""
    return {
        name: replace(result, reason=Reason.PICTURE_LEFT_OUT, cause=why)
        for name, result in results.items()
        if result.state is State.CONFIRMED
    }


class Sent(Struct):
    """What became of the deliveries of one run; `left` are those that have no new state.

    `down` holds the channels through which nothing goes until a person has acted.
    """

    ended: dict[str, Delivery] = field(default_factory=dict)
    down: dict[str, KakaocronError] = field(default_factory=dict)
    server_date: str | None = None
    left: list[Due] = field(default_factory=list)


class Run(Struct):
    """Everything that one call of the engine has on its way, by stage and id.

    By stage, as a turn looks at those that wait or fly, and at no others.
    """

    settled: datetime | None
    began: datetime
    began_at: float  # the same on the clock that no step changes
    warm_at: datetime | None = None
    deliveries: Mapping[str, int] = field(default_factory=dict)  # how many each channel has
    preparing: dict[str, float] = field(default_factory=dict)  # channels, and until when at most
    sent: Sent = field(default_factory=Sent)
    refusals: dict[str, Verdict] = field(default_factory=dict)  # of channels that give no key
    most: int | None = None  # in flight at a time, once the machine has run out of something
    bugs: list[Exception] = field(default_factory=list)  # met by workers
    instants: Counter[datetime] = field(default_factory=Counter)  # of what waits
    view: View | None = None  # of the ledger, as this run has last read it
    counted: dict[tuple[str, date], Allowance] = field(default_factory=dict)  # by channel and day
    stages: dict[Stage, dict[str, Underway]] = field(
        default_factory=lambda: {stage: {} for stage in Stage if stage is not Stage.ENDED}
    )

    @property
    def is_over(self) -> bool:
        return not any(self.stages.values())

    def add(self, one: Underway) -> None:
        self.stages[one.stage][one.id] = one

    def at(self, stage: Stage, most: int | None = None) -> list[Underway]:
        """Return what has come to a stage, the first to come there first."""
        return list(islice(self.stages[stage].values(), most))

    def count(self, stage: Stage) -> int:
        return len(self.stages[stage])

    def move(self, one: Underway, stage: Stage) -> None:
        del self.stages[one.stage][one.id]
        self.instants[one.at] += (stage in _WAITS) - (one.stage in _WAITS)
        one.stage = stage
        if stage is not Stage.ENDED:
            self.stages[stage][one.id] = one

    def read(self, book: Book, days: Iterable[date]) -> View:
        """Read days of the ledger, and those that this run has read before: only what is new of
        them costs anything."""
        known = self.view.days if self.view else ()
        self.view = view = book.read({*days, *known}, self.view)
        if view.news is view.deliveries:  # it has begun anew
            self.counted.clear()
        for allowance in self.counted.values():
            allowance.note(view.news.values())
        return view

    def note_bug(self, task: str, error: Exception) -> None:
        """Take down what a worker met that nobody foresaw; what the machine lacks is no bug."""
        log.error("the worker '%s' met %s", task, type(error).__name__, exc_info=error)
        if not is_scarcity(error):
            self.bugs.append(error)

    def awaited(self) -> list[datetime]:
        """Return for which instants something waits."""
        return [at for at, count in self.instants.items() if count]

    def waiting(self) -> Iterator[Underway]:
        """Yield what has its content and no claim; what is at the gate comes first."""
        yield from self.stages[Stage.BOARDED].values()
        yield from self.stages[Stage.WAITING].values()


def ready(engine: Engine, run: Run, now: datetime) -> list[Underway]:
    """Return what may be claimed at `now`: as many as there are places."""
    places = max(0, (run.most or engine.at_once) - run.count(Stage.IN_FLIGHT))
    if not places or all(at > now for at in run.awaited()):
        return []
    come = (
        one
        for one in run.waiting()
        if one.at <= now and not (run.preparing and run.preparing.keys() & one.to.keys())
    )
    return list(islice(come, places))
