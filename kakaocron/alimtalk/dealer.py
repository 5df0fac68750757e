"""What the channel asks of a dealer, and the verdicts that all of them share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.alimtalk.template import Letter
from kakaocron.delivery.channel import Flight
from kakaocron.delivery.verdicts import (
    Asked,
    Fate,
    Found,
    Meaning,
    Verdict,
    seconds_to_wait,
    unsent,
)
from kakaocron.errors import Cause
from kakaocron.states import Reason
from kakaocron.system.http import Answer, Failure, Phase

_TOO_MANY = 429
_SERVER_ERRORS = range(500, 600)
GOOD = range(200, 300)
# What goes into the ledger of what a dealer says: its codes, and its names for things.
NUMBERS = range(-100_000, 100_000)
WORD = re.compile(r"[A-Za-z0-9_.-]{1,40}")
REF = re.compile(r"[!-~]{1,100}")


class Probe(Struct, frozen=True):
    """What a dealer said to a question by which nothing is sent: CONFIRMED if the keys are right;
    `date` is its own, as it stood in the answer."""

    verdict: Verdict
    date: str | None = None


class Dealer(Protocol):
    """One dealer's API for one account. Requests are made one after another and never repeated."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def settling(self) -> timedelta: ...

    @property
    def key_life(self) -> timedelta | None: ...

    def reserve(self, id_: str, attempt: int, to: Sequence[str]) -> Mapping[str, str | Verdict]:
        """Return a key for each phone number, or why there is none. Nothing is sent by it."""
        ...

    def send(self, letter: Letter, number: str, flight: Flight) -> Verdict:
        """Have a letter brought to a number, under the key that the flight has for it. Raises
        Withheld."""
        ...

    def look_up(self, asked: Asked) -> Found:
        """Ask what became of a message."""
        ...

    def probe(self) -> Probe:
        """Ask for something by which nothing is sent."""
        ...


def of_no_answer(answer: Answer, dealer: str) -> Verdict:
    """Judge an answer that is none of the dealer's own."""
    status = answer.status
    http = Cause("http", {"status": status})
    if status == _TOO_MANY:
        verdict = Verdict(Meaning.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW, http, http_status=status)
        return replace(verdict, wait_seconds=seconds_to_wait(answer))
    if status in _SERVER_ERRORS:
        return Verdict(Meaning.AMBIGUOUS, Reason.SERVER_FAULT, http, http_status=status)
    facts: dict[str, str | int] = {"status": status, "bytes": len(answer.body), "dealer": dealer}
    cause = Cause("alimtalk-no-answer", facts)
    return Verdict(Meaning.AMBIGUOUS, Reason.UNPROVEN_ANSWER, cause, http_status=status)


def nothing_sent(verdict: Verdict) -> Verdict:
    """Return the verdict of a call by which nothing can have been sent, whatever became of it."""
    if verdict.meaning is Meaning.AMBIGUOUS:
        return replace(verdict, meaning=Meaning.NOT_SENT, phase=Phase.BEFORE)
    return replace(verdict, phase=Phase.BEFORE)


def untold(failure: Failure) -> Found:
    """Return what a look-up that failed has told: nothing, and why."""
    return Found(Fate.NOT_TOLD, cause=failure.cause)


def refused_before(cause: Cause, code: str | None = None) -> Verdict:
    """Return the verdict of what no dealer is asked for."""
    return unsent(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, cause, code)
