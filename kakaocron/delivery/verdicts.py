"""What an answer means for a delivery, whichever service gave it. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from kakaocron.errors import Cause
from kakaocron.ledger.events import Result
from kakaocron.states import Reason, State
from kakaocron.system.http import Answer, Failure, Phase

LONGEST_WAIT_SECONDS = 1e8  # longer than any slot lives, and no overflow


def result_of(verdict: Verdict, parts: int = 0) -> Result:
    """Translate one verdict into a receiver's result, before retries are counted."""
    state = {
        Meaning.CONFIRMED: State.CONFIRMED,
        Meaning.ACCEPTED: State.SENT,
        Meaning.NOT_SENT: State.RETRYING,
        Meaning.REFUSED_FOR_NOW: State.RETRYING,
        Meaning.REFUSED_FOR_GOOD: State.FAILED,
        Meaning.LOG_IN_AGAIN: State.FAILED,
        Meaning.AMBIGUOUS: State.UNKNOWN,
    }[verdict.meaning]
    return Result(
        state,
        verdict.reason,
        code=verdict.code,
        http_status=verdict.http_status,
        phase=verdict.phase,
        parts=parts,
        cause=verdict.cause,
        ref=verdict.ref,
        wait_seconds=verdict.wait_seconds,
    )


class Meaning(StrEnum):
    """What a request came to, as far as it can be known."""

    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"  # what becomes of it is looked up later
    NOT_SENT = "not sent"
    REFUSED_FOR_NOW = "refused for now"
    REFUSED_FOR_GOOD = "refused for good"
    LOG_IN_AGAIN = "log in again"
    AMBIGUOUS = "ambiguous"


class Verdict(Struct, frozen=True):
    """The meaning of one answer or failure, for one receiver or for all of a request.

    `code` is the service's own: a number or a word. `ref` is its name for what it has accepted, if
    it can be asked by that; `wait_seconds` is how long it asks to wait before the next try.
    """

    meaning: Meaning
    reason: Reason | None = None
    cause: Cause | None = None
    code: int | str | None = None
    http_status: int | None = None
    phase: Phase = Phase.AFTER
    ref: str | None = None
    wait_seconds: float | None = None


def seconds_to_wait(answer: Answer) -> float | None:
    """Return for how long the server asks to wait (RFC 9110, section 10.2.3): a number of seconds,
    or an instant by its own clock."""
    asked = answer.headers.get("retry-after", "").strip()
    if not asked:
        return None
    if asked.isascii() and asked.isdigit():
        return min(float(asked[:20]), LONGEST_WAIT_SECONDS)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - hardly ever, and 20 modules

    try:
        until, now = map(parsedate_to_datetime, (asked, answer.headers.get("date", "")))
        return min(max(0.0, (until - now).total_seconds()), LONGEST_WAIT_SECONDS)
    except (ValueError, TypeError, OverflowError):
        return None


def unsent(
    meaning: Meaning, reason: Reason, cause: Cause | None, code: int | str | None = None
) -> Verdict:
    """Return the verdict on what certainly did not leave."""
    return Verdict(meaning, reason, cause, code, phase=Phase.BEFORE)


def of_failure(failure: Failure) -> Verdict:
    """Judge a request that failed: before it could leave it is not sent, after it ambiguous."""
    is_before = failure.phase is Phase.BEFORE
    return Verdict(
        Meaning.NOT_SENT if is_before else Meaning.AMBIGUOUS,
        failure.reason,
        failure.cause,
        phase=failure.phase,
    )


class Fate(StrEnum):
    """What a service says, asked afterwards, of one message to one receiver."""

    DELIVERED = "delivered"  # for good: the receiver has it
    FAILED = "failed"  # for good: the receiver will never have it
    ACCEPTED = "accepted"  # it knows the message; its last word is still to come
    NOT_FOUND = "not found"  # it says that it knows no such message
    NOT_TOLD = "not told"  # it was not asked, or its answer proves nothing


class Found(Struct, frozen=True):
    """What one look-up came to.

    `at` is the service's own time, aware, of a delivery; `code` its own number or word. `cause`
    says more of what has failed, or of why the last word may be long in coming.
    """

    fate: Fate
    at: datetime | None = None
    code: int | str | None = None
    cause: Cause | None = None


class Asked(Struct, frozen=True):
    """A message to one receiver that is to be looked up: by the key that was reserved for it, or by
    `ref`, the service's own name for what it has accepted, where its answer gave one.

    No request with this key left before `since`.
    """

    receiver: str
    key: str
    since: datetime
    ref: str | None = None
