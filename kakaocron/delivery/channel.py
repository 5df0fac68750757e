"""What the engine asks of a messaging service, and what it hands to it.

A channel is one service under one account. A receiver's form tells which channel reaches it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Protocol

from msgspec import Struct, field

from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.verdicts import Asked, Found, Meaning, Verdict, result_of, unsent
from kakaocron.errors import Cause, KakaocronError
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import Result
from kakaocron.states import Reason, State


class Withheld(Exception):  # noqa: N818 - not an error: the request rightly did not leave
    """The request may not leave; `reason` says why."""

    def __init__(self, reason: Reason, cause: Cause) -> None:
        super().__init__(str(cause))
        self.reason = reason
        self.cause = cause

    @property
    def verdict(self) -> Verdict:
        return unsent(Meaning.NOT_SENT, self.reason, self.cause)


class LeftOutError(Exception):
    """A picture could not be brought to the service.

    `verdict` is that on what may not go without it; `down` as in a Flight.
    """

    def __init__(self, verdict: Verdict, down: KakaocronError | None = None) -> None:
        super().__init__(str(verdict.cause))
        self.verdict = verdict
        self.down = down


class Flight(Struct):
    """One attempt on its way by one channel: asked before each request leaves, told how each
    receiver fared.

    `may_leave` raises Withheld unless the claim stands and the time is right. A flight that was
    made ready ahead of its claim is held at the gate until there is one, or will be none. `down`
    is for a channel that takes nothing until a person acts: what, which, and what to do. `keys` are
    those that a channel with receipts has reserved, by receiver; to the `repeats` among these a
    request with that key may have gone before, and none may leave from `until` on.
    """

    may_leave: Callable[[], datetime]
    to: Sequence[str] = ()
    parts_total: int = 1
    parts_done: Mapping[str, int] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    sent_at: datetime | None = None
    down: KakaocronError | None = None
    server_date: str | None = None
    hold: Callable[[], object] = lambda: None
    keys: Mapping[str, str] = field(default_factory=dict)
    repeats: Set[str] = frozenset()
    until: datetime | None = None
    lock: AbstractContextManager[object] = field(default_factory=threading.Lock)
    _is_abandoned: bool = False

    def leave(self) -> None:
        """Let one request leave, or raise Withheld."""
        self.hold()
        with self.lock:
            if self._is_abandoned:
                raise Withheld(Reason.READ_TIMEOUT, Cause("given-up"))
            moment = self.may_leave()
            if self.until is not None and moment >= self.until:
                raise Withheld(Reason.EXPIRED, Cause("key-over"))
            self.sent_at = self.sent_at or moment

    def land(self, receiver: str, verdict: Verdict, parts: int) -> None:
        """Take down how a receiver fared; after the attempt was given up it is too late."""
        with self.lock:
            if not self._is_abandoned:
                self.results[receiver] = result_of(verdict, parts)

    def abandon(self) -> None:
        """Stop waiting: nothing more leaves, and who has no result by now gets one.

        If any request has left, theirs may have been it.
        """
        with self.lock:
            self._is_abandoned = True
            if self.sent_at is None:
                verdict = unsent(Meaning.NOT_SENT, Reason.UNREACHABLE, Cause("given-up-before"))
            else:
                verdict = Verdict(Meaning.AMBIGUOUS, Reason.READ_TIMEOUT, Cause("given-up-waiting"))
            for receiver in self.to:
                found = self.results.get(receiver)
                parts = found.parts if found else self.parts_done.get(receiver, 0)
                is_halfway = found and found.state is State.CONFIRMED and parts < self.parts_total
                if found is None or is_halfway:
                    self.results[receiver] = result_of(verdict, parts)


class Allowance(Protocol):
    """What a service still takes on a day."""

    def note(self, deliveries: Iterable[Delivery]) -> None:
        """Count what went out of deliveries by now, in place of what was counted of them before."""
        ...

    def left(self) -> Allowance:
        """Return a copy, to be spent."""
        ...

    def spend(self, wanted: Mapping[str, int]) -> dict[str, Cause]:
        """Count messages that are about to go, so many to each receiver.

        Returns those to whom they may not go, each with its cause.
        """
        ...


class Unlimited:
    """The allowance of a service that states no quota of its own: its answers alone tell."""

    def note(self, deliveries: Iterable[Delivery]) -> None:
        """Nothing is counted."""

    def left(self) -> Allowance:
        return self

    def spend(self, wanted: Mapping[str, int]) -> dict[str, Cause]:
        return {}


class Channel(Protocol):
    """One messaging service. It is only ever handed receivers that are its own."""

    def allowance_days(self, to: Iterable[str], today: date) -> set[date]:
        """Return the days of the ledger by which messages to these receivers are counted."""
        ...

    def allowance(self, deliveries: Iterable[Delivery], day: date) -> Allowance:
        """Return what is left of a KST day after what went out of these deliveries.

        They are those of every channel; each counts its own receivers.
        """
        ...

    def prepare(self, count: int) -> None:
        """Get ready for `count` deliveries: token, name look-up, connections. Never raises."""
        ...

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        """Bring a parcel to its receivers; `flight` learns how each fared."""
        ...

    def let_go(self) -> None:
        """Close connections that are only kept for what is still to come."""
        ...


class PictureChannel(Channel, Protocol):
    """A messaging service that shows pictures, which are brought to it before they are sent."""

    def enclose(self, parcel: Parcel, seconds: float) -> Parcel:
        """Bring a parcel's picture to the service, for at most some seconds; return the parcel that
        shows it. Raises LeftOutError."""
        ...


class ReceiptChannel(Channel, Protocol):
    """A messaging service that takes a message first (Meaning.ACCEPTED) and can be asked afterwards
    what became of it. Each receiver's message has a key, on record before its request leaves.

    `settling` is for how long after a request "not found" proves nothing. `key_life` is for how
    long after its claim a key can be sent once more without a second message coming of it; None:
    for ever. It is the channel's to be sure of: less than the service promises, by as much as a
    request may be under way.
    """

    @property
    def settling(self) -> timedelta: ...

    @property
    def key_life(self) -> timedelta | None: ...

    def reserve(self, id_: str, attempt: int, to: Sequence[str]) -> Mapping[str, str | Verdict]:
        """Return a new key for each receiver of an attempt, or why there is none: who has none gets
        nothing sent.

        It may make requests, as long as nothing is sent by them: the claim is written later, with
        the keys in it, if it comes to one. Keys of the same id and attempt may be the same.
        """
        ...

    def down_by(self, verdict: Verdict) -> KakaocronError | None:
        """Return what a person has to act upon before this channel takes anything, if this verdict
        says so."""
        ...

    def look_up(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, Found]]:
        """Yield what became of each, as answers come in; whom it does not yield was not told of.

        Whoever takes the answers stops when time is up: no request may be made ahead of that.
        """
        ...
