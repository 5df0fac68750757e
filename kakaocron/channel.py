"""The one verb by which a delivery reaches a messaging service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct, field

from kakaocron.core.answers import Outcome, Phase, Verdict
from kakaocron.core.content import Parcel
from kakaocron.core.ledger import Reason, Result, State
from kakaocron.core.policy import result_of


class Withheld(Exception):  # noqa: N818 - not an error: the request rightly did not leave
    """The request may not leave; `reason` says why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Flight(Struct):
    """One attempt on its way: asked before each request leaves, told how each receiver fared.

    `may_leave` raises Withheld unless the claim stands and the time is right. A flight that was
    made ready ahead of its claim is held at the gate until there is one, or will be none.
    """

    may_leave: Callable[[], datetime]
    parts_total: int = 1
    parts_done: Mapping[str, int] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    sent_at: datetime | None = None
    login_error: str | None = None
    server_date: str | None = None
    hold: Callable[[], object] = lambda: None
    _is_abandoned: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def leave(self) -> None:
        """Let one request leave, or raise Withheld."""
        self.hold()
        with self._lock:
            if self._is_abandoned:
                raise Withheld(Reason.READ_TIMEOUT, "the attempt was given up")
            moment = self.may_leave()
            self.sent_at = self.sent_at or moment

    def land(self, receiver: str, verdict: Verdict, parts: int) -> None:
        """Take down how a receiver fared; after the attempt was given up it is too late."""
        with self._lock:
            if not self._is_abandoned:
                self.results[receiver] = result_of(verdict, parts)

    def abandon(self, to: Sequence[str]) -> None:
        """Stop waiting: nothing more leaves, and who has no result by now gets one.

        If any request has left, theirs may have been it.
        """
        with self._lock:
            self._is_abandoned = True
            if self.sent_at is None:
                verdict = Verdict(
                    Outcome.NOT_SENT,
                    Reason.UNREACHABLE,
                    "gave up before it left",
                    phase=Phase.BEFORE,
                )
            else:
                verdict = Verdict(Outcome.AMBIGUOUS, Reason.READ_TIMEOUT, "gave up waiting")
            for receiver in to:
                found = self.results.get(receiver)
                parts = found.parts if found else self.parts_done.get(receiver, 0)
                is_halfway = found and found.state is State.CONFIRMED and parts < self.parts_total
                if found is None or is_halfway:
                    self.results[receiver] = result_of(verdict, parts)


class Channel(Protocol):
    def prepare(self, count: int) -> None:
        """Get ready for `count` deliveries: token, name look-up, connections. Never raises."""
        ...

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        """Bring a parcel to its receivers; `flight` learns how each fared."""
        ...
