"""What the engine asks of a messaging service, and what it hands to it.

A channel is one service under one account. A receiver's form tells which channel reaches it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct, field

from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.verdicts import Meaning, Verdict, result_of
from kakaocron.errors import Cause, KakaocronError
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import Result
from kakaocron.states import Reason, State
from kakaocron.system.http import Phase


class Withheld(Exception):  # noqa: N818 - not an error: the request rightly did not leave
    """The request may not leave; `reason` says why."""

    def __init__(self, reason: Reason, cause: Cause) -> None:
        super().__init__(str(cause))
        self.reason = reason
        self.cause = cause


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
    is for a channel that takes nothing until a person acts: what, which, and what to do.
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
    _is_abandoned: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def leave(self) -> None:
        """Let one request leave, or raise Withheld."""
        self.hold()
        with self._lock:
            if self._is_abandoned:
                raise Withheld(Reason.READ_TIMEOUT, Cause("given-up"))
            moment = self.may_leave()
            self.sent_at = self.sent_at or moment

    def land(self, receiver: str, verdict: Verdict, parts: int) -> None:
        """Take down how a receiver fared; after the attempt was given up it is too late."""
        with self._lock:
            if not self._is_abandoned:
                self.results[receiver] = result_of(verdict, parts)

    def abandon(self) -> None:
        """Stop waiting: nothing more leaves, and who has no result by now gets one.

        If any request has left, theirs may have been it.
        """
        with self._lock:
            self._is_abandoned = True
            if self.sent_at is None:
                verdict = Verdict(
                    Meaning.NOT_SENT,
                    Reason.UNREACHABLE,
                    Cause("given-up-before"),
                    phase=Phase.BEFORE,
                )
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

    def enclose(self, parcel: Parcel, seconds: float) -> Parcel:
        """Bring a parcel's picture to the service, for at most some seconds; return the parcel that
        shows it. Raises LeftOutError."""
        ...

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        """Bring a parcel to its receivers; `flight` learns how each fared."""
        ...

    def let_go(self) -> None:
        """Close connections that are only kept for what is still to come."""
        ...
