"""What the ledger's lines mean: events, and the deliveries that they fold into. Pure.

The format is described for users in docs/ledger.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zlib import crc32

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.core.calendar import KST, in_kst, parse_delivery_id

FORMAT_VERSION = 1

# A claim whose writer's clock ran ahead of ours by more than this cannot be judged by its lease.
CLOCK_SLACK = timedelta(seconds=5)


class State(StrEnum):
    """The closed list of a delivery's states."""

    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    RETRYING = "retrying"
    FAILED = "failed"
    UNKNOWN = "unknown"
    MISSED = "missed"
    CANCELLED = "cancelled"


FINAL = frozenset({State.CONFIRMED, State.FAILED, State.UNKNOWN, State.MISSED, State.CANCELLED})

# The ends that a person has to be told of.
BAD = frozenset({State.FAILED, State.UNKNOWN, State.MISSED})


class Reason(StrEnum):
    """The closed list of reasons: part of the interface, never reworded, only added to."""

    NO_SLOT = "no-slot"
    DAY_OFF = "day-off"
    NO_TICK = "no-tick"
    EXPIRED = "expired"
    PAUSED = "paused"
    QUIET = "quiet"
    QUOTA = "quota"
    NOT_LOGGED_IN = "not-logged-in"
    REFUSED = "refused"
    REFUSED_FOR_NOW = "refused-for-now"
    RETRIES_SPENT = "retries-spent"
    UNREACHABLE = "unreachable"
    READ_TIMEOUT = "read-timeout"
    CONNECTION_RESET = "connection-reset"
    SERVER_FAULT = "server-fault"
    UNPROVEN_ANSWER = "unproven-answer"
    PROCESS_DIED = "process-died"
    LEDGER_DAMAGED = "ledger-damaged"
    LEDGER_UNWRITABLE = "ledger-unwritable"
    LOCK_HELD = "lock-held"
    TICK_CRASHED = "tick-crashed"
    CONFIG_BROKEN = "config-broken"
    CONTENT_FAILED = "content-failed"
    CLOCK_WRONG = "clock-wrong"
    BY_HAND = "by-hand"


_SENT_BY_HAND = "send-"


def is_by_hand(id_: str) -> bool:
    """Say whether a person sent it at once (`kakaocron send`), as its id or message tells.

    It had no slot to keep: it counts for no share and no lateness, and raises no alarm.
    """
    return id_.startswith(_SENT_BY_HAND)


class DamagedLineError(ValueError):
    """A ledger line that is not an event of this format."""


class NewerFormatError(ValueError):
    """A ledger line that a later version of kakaocron wrote."""


class Kind(StrEnum):
    """What a ledger line announces."""

    SCHEDULE = "schedule"  # a one-off is to be sent at its slot
    CLAIM = "claim"  # this process, and no other, is about to send
    OUTCOME = "outcome"  # how an attempt ended, receiver by receiver
    SETTLE = "settle"  # a state without an attempt: missed, cancelled, process-died, by hand
    REOPEN = "reopen"  # by hand: may be sent (again) from `next_attempt_at` on
    POINTER = "pointer"  # a delivery of an earlier day was reopened and is `due` on this day
    DAMAGE = "damage"  # `lines` above this one were unreadable and have been set aside


class Result(Struct, frozen=True):
    """How one receiver's part of an attempt ended. `parts` counts the confirmed ones of a split."""

    state: State
    reason: Reason | None = None
    detail: str | None = None
    code: int | None = None
    http_status: int | None = None
    phase: str | None = None
    parts: int = 0


class Event(Struct, frozen=True):
    """One ledger line. Instants are aware; `data` holds what only this kind of line has."""

    kind: Kind
    at: datetime
    id: str
    state: State | None = None
    reason: Reason | None = None
    detail: str | None = None
    settled: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def to_line(event: Event) -> bytes:
    """Encode an event as one JSON line, newline included.

    Raises ValueError for a reason that is not of the closed list.
    """
    fields: dict[str, Any] = {
        "v": FORMAT_VERSION,
        "at": isoformat(event.at),
        "event": event.kind,
        "id": event.id,
        "state": event.state,
        "reason": None if event.reason is None else Reason(event.reason),
        "detail": event.detail,
        **event.data,
        "settled": isoformat(event.settled) if event.settled else None,
    }
    kept = {key: _plain(value) for key, value in fields.items() if value is not None}
    body = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return b'%b,"crc":"%08x"}\n' % (body[:-1], crc32(body))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    if isinstance(value, Result):
        return result_fields(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def result_fields(result: Result) -> dict[str, Any]:
    """Return a result as JSON fields, without those that say nothing."""
    fields = {
        "state": result.state,
        "reason": None if result.reason is None else Reason(result.reason),
        "detail": result.detail,
        "code": result.code,
        "http_status": result.http_status,
        "phase": result.phase,
        "parts": result.parts or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def isoformat(moment: datetime) -> str:
    """Return an instant as ISO 8601 in KST, with milliseconds unless it is a whole second."""
    moment = moment.astimezone(KST)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


# The checksum covers the line without it: a flipped bit in an id would otherwise be another slot.
_CHECKED = re.compile(rb'(\{.*),"crc":"([0-9a-f]{8})"\}')
LINE_START = b'{"v":'

_COMMON = frozenset({"v", "at", "event", "id", "state", "reason", "detail", "settled"})


def from_line(line: bytes) -> Event:
    """Decode one line, without its newline.

    Raises DamagedLineError for anything that is not an event, NewerFormatError for a line of a
    later version.
    """
    try:
        found = _CHECKED.fullmatch(line)
        if found is None or int(found[2], 16) != crc32(found[1] + b"}"):
            raise ValueError("checksum")
        fields = json.loads((found[1] + b"}").decode())
        version = fields["v"]
        if version != FORMAT_VERSION:
            raise _version_fault(version)
        kind = Kind(fields["event"])
        identity = fields["id"]
        if kind is not Kind.DAMAGE:
            parse_delivery_id(identity)
        state = fields.get("state")
        reason = fields.get("reason")
        settled = fields.get("settled")
        data = {key: value for key, value in fields.items() if key not in _COMMON}
        return Event(
            kind,
            _instant(fields["at"]),
            identity,
            None if state is None else State(state),
            None if reason is None else Reason(reason),
            fields.get("detail"),
            None if settled is None else _instant(settled),
            _READ[kind](data),
        )
    except NewerFormatError:
        raise
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise DamagedLineError(str(error)) from None


def as_read(event: Event) -> Event:
    """Return an event as it will be read back from its line."""
    return from_line(to_line(event)[:-1])


def is_event(line: bytes) -> bool:
    """Say whether a line can be decoded, by this version or a later one."""
    try:
        from_line(line)
    except DamagedLineError:
        return False
    except NewerFormatError:
        return True
    return True


def _version_fault(version: object) -> ValueError:
    if version in range(FORMAT_VERSION + 1, 1000):
        return NewerFormatError(f"format {version}, this kakaocron reads {FORMAT_VERSION}")
    return DamagedLineError(f"version {version!r}")


def _instant(text: Any) -> datetime:
    return in_kst(datetime.fromisoformat(text))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return tuple(_text(item) for item in value)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a number")
    return value


def _maybe_instant(value: Any) -> datetime | None:
    return None if value is None else _instant(value)


def _result(value: Mapping[str, Any]) -> Result:
    reason = value.get("reason")
    return Result(
        State(value["state"]),
        None if reason is None else Reason(reason),
        value.get("detail"),
        value.get("code"),
        value.get("http_status"),
        value.get("phase"),
        _number(value.get("parts", 0)),
    )


def _read_identity(data: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(data.get("content", {}), dict):
        raise TypeError("content is not a table")
    return {
        **data,
        "message": _text(data["message"]),
        "kind": _text(data["kind"]),
        "slot": _instant(data["slot"]),
        "expires_at": _maybe_instant(data.get("expires_at")),
        "to": _names(data.get("to", [])),
    }


def _read_claim(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_read_identity(data),
        "attempt": _number(data["attempt"]),
        "by": _text(data["by"]),
        "until": _instant(data["until"]),
    }


def _read_outcome(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **data,
        "attempt": _number(data["attempt"]),
        "by": _text(data["by"]),
        "targets": {_text(name): _result(item) for name, item in data["targets"].items()},
        "sent_at": _maybe_instant(data.get("sent_at")),
        "next_attempt_at": _maybe_instant(data.get("next_attempt_at")),
    }


def _read_settle(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_read_identity(data),
        "next_attempt_at": _maybe_instant(data.get("next_attempt_at")),
    }


def _read_pointer(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, "due": _instant(data["due"])}


def _read_damage(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **data,
        "until": _maybe_instant(data.get("until")),
        "lines": _names(data.get("lines", [])),
    }


_READ: Mapping[Kind, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    Kind.SCHEDULE: _read_identity,
    Kind.CLAIM: _read_claim,
    Kind.OUTCOME: _read_outcome,
    Kind.SETTLE: _read_settle,
    Kind.REOPEN: _read_settle,
    Kind.POINTER: _read_pointer,
    Kind.DAMAGE: _read_damage,
}


class Gap(Struct, frozen=True):
    """What a day's part of the ledger may have lost: anything due up to `until`, but for those ids
    that have a line below the note of it. By order, not by time: its clock may have been ahead."""

    until: datetime
    known: frozenset[str] = frozenset()


class Attempt(Struct, frozen=True):
    """One try at sending: claimed by one process, and how it ended, if it is known to have."""

    number: int
    by: str
    claimed_at: datetime
    until: datetime
    to: tuple[str, ...]
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    results: Mapping[str, Result] = field(default_factory=dict)


class Delivery(Struct, frozen=True):
    """What the ledger knows of one message at one slot."""

    id: str
    message: str
    kind: str
    slot: datetime
    state: State
    to: tuple[str, ...] = ()
    reason: Reason | None = None
    detail: str | None = None
    expires_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    targets: Mapping[str, Result] = field(default_factory=dict)
    next_attempt_at: datetime | None = None
    text: str | None = None
    content_hash: str | None = None
    content: Mapping[str, Any] | None = None
    meta: Mapping[str, str] | None = None
    updated_at: datetime | None = None
    is_reopened: bool = False  # by hand: it has no slot to keep any more
    tries_before: int = 0  # attempts made before it was last reopened

    @property
    def sent_at(self) -> datetime | None:
        """When the first request left that was not certainly refused."""
        return next((a.sent_at for a in self.attempts if a.sent_at and _may_have_gone(a)), None)

    @property
    def confirmed_at(self) -> datetime | None:
        return self.updated_at if self.state is State.CONFIRMED else None

    @property
    def delay_seconds(self) -> float | None:
        sent_at = self.sent_at
        return (sent_at - self.slot).total_seconds() if sent_at else None

    @property
    def is_held(self) -> bool:
        """Whether it waits for a person's word: nobody knows whether it arrived."""
        return self.state is State.UNKNOWN and self.next_attempt_at is None

    @property
    def was_meant(self) -> bool:
        """Whether it was not sent because a person had it rest."""
        return self.state is State.MISSED and self.reason is Reason.PAUSED

    def lease_is_over(self, now: datetime) -> bool:
        """Say whether the process that claimed it must have ended, as its promise to stop tells.

        A claim from the future means that the clock was set back since: no lease can be trusted.
        """
        last = self.attempts[-1]
        return now > last.until or now < last.claimed_at - CLOCK_SLACK


def _may_have_gone(attempt: Attempt) -> bool:
    return any(
        r.state in {State.CONFIRMED, State.SENT, State.UNKNOWN} for r in attempt.results.values()
    )


# A delivery is as its worst receiver is; one that will be tried again is not at its end yet.
_WORST_FIRST = (
    State.SENDING,
    State.SCHEDULED,
    State.RETRYING,
    State.UNKNOWN,
    State.FAILED,
    State.MISSED,
    State.CANCELLED,
    State.SENT,
    State.CONFIRMED,
)


def worst(results: Iterable[Result]) -> Result:
    """Return the result that decides a delivery's state."""
    return min(results, key=lambda result: _WORST_FIRST.index(result.state))


def fold(events: Iterable[Event]) -> dict[str, Delivery]:
    """Fold events, in the order of the ledger, into deliveries by id.

    Confirmed is final per receiver: whatever other lines say, Kakao's own word stands.
    """
    deliveries: dict[str, Delivery] = {}
    for event in events:
        fold_into(deliveries, event)
    return deliveries


def fold_into(deliveries: dict[str, Delivery], event: Event) -> None:
    """Fold one more event into what those before it came to."""
    if event.kind in {Kind.DAMAGE, Kind.POINTER}:
        return
    folded = apply(deliveries.get(event.id), event)
    if folded is not None:
        deliveries[event.id] = folded


def apply(delivery: Delivery | None, event: Event) -> Delivery | None:
    """Return the delivery after one more event; None for an outcome that belongs to no claim."""
    if event.kind is Kind.OUTCOME:
        return None if delivery is None else _ended(delivery, event)
    data = event.data
    if delivery is None:
        delivery = Delivery(event.id, data["message"], data["kind"], data["slot"], State.SCHEDULED)
    if event.kind is Kind.CLAIM:
        return _claimed(delivery, event)
    if delivery.state is State.CONFIRMED and not data.get("forced"):
        return delivery
    targets = _settled_targets(delivery, event)
    said = Result(event.state or delivery.state, event.reason, event.detail)
    decisive = worst(targets.values()) if event.kind is Kind.SETTLE and targets else said
    return replace(
        delivery,
        state=decisive.state,
        reason=decisive.reason,
        detail=decisive.detail,
        to=data["to"] or delivery.to,
        expires_at=data["expires_at"] or delivery.expires_at,
        next_attempt_at=data.get("next_attempt_at"),
        targets=targets,
        text=data.get("text", delivery.text),
        content_hash=data.get("content_hash", delivery.content_hash),
        content=data.get("content", delivery.content),
        meta=data.get("meta", delivery.meta),
        updated_at=event.at,
        is_reopened=delivery.is_reopened or event.kind is Kind.REOPEN,
        tries_before=len(delivery.attempts) if event.kind is Kind.REOPEN else delivery.tries_before,
    )


def _settled_targets(delivery: Delivery, event: Event) -> Mapping[str, Result]:
    """A settled delivery's open receivers share its state; confirmed ones keep theirs."""
    if event.data.get("forced"):
        return {}
    if event.kind is Kind.REOPEN:
        return {
            name: found
            if found.state is State.CONFIRMED
            else Result(State.SCHEDULED, parts=found.parts)
            for name, found in delivery.targets.items()
        }
    if event.kind is not Kind.SETTLE or event.state is None:
        return delivery.targets
    settled = Result(event.state, event.reason, event.detail)
    names = event.data["to"] or delivery.to
    return {
        name: found
        if (found := delivery.targets.get(name)) and found.state in {State.CONFIRMED, State.FAILED}
        else replace(settled, parts=found.parts if found else 0)
        for name in names
    }


def _claimed(delivery: Delivery, event: Event) -> Delivery:
    data = event.data
    attempt = Attempt(data["attempt"], data["by"], event.at, data["until"], data["to"])
    sending = {
        name: Result(
            State.SENDING, parts=found.parts if (found := delivery.targets.get(name)) else 0
        )
        for name in data["to"]
    }
    return replace(
        delivery,
        state=State.SENDING,
        reason=None,
        detail=None,
        to=delivery.to or data["to"],
        expires_at=data["expires_at"] or delivery.expires_at,
        attempts=(*delivery.attempts, attempt),
        targets={**delivery.targets, **sending},
        next_attempt_at=None,
        text=data.get("text", delivery.text),
        content_hash=data.get("content_hash", delivery.content_hash),
        content={**(delivery.content or {}), **data.get("content", {})} or None,
        updated_at=event.at,
    )


def _ended(delivery: Delivery, event: Event) -> Delivery:
    data = event.data
    attempts = tuple(
        replace(a, sent_at=data["sent_at"], ended_at=event.at, results=data["targets"])
        if (a.number, a.by) == (data["attempt"], data["by"])
        else a
        for a in delivery.attempts
    )
    is_newest = (
        bool(attempts)
        and attempts[-1].by == data["by"]
        and (attempts[-1].number == data["attempt"])
    )
    # An outcome that comes after its claim was given up may only bring good news, unless nobody
    # has decided anything since: another attempt may be under way, or a person has settled it.
    is_awaited = is_newest and (
        delivery.state is State.SENDING or delivery.reason is Reason.PROCESS_DIED
    )
    news = {
        name: result
        for name, result in data["targets"].items()
        if result.state is State.CONFIRMED
        or (is_awaited and _state_of(delivery, name) is not State.CONFIRMED)
    }
    if not news:
        return replace(delivery, attempts=attempts)
    targets = {**delivery.targets, **news}
    decisive = worst(targets.values())
    if delivery.state is State.SCHEDULED and decisive.state is not State.CONFIRMED:
        # Reopened meanwhile: who has no confirmation by now is still to be served.
        decisive = Result(delivery.state, delivery.reason, delivery.detail)
    return replace(
        delivery,
        attempts=attempts,
        targets=targets,
        state=decisive.state,
        reason=decisive.reason,
        detail=decisive.detail,
        next_attempt_at=data["next_attempt_at"] if is_awaited else delivery.next_attempt_at,
        updated_at=event.at,
    )


def _state_of(delivery: Delivery, name: str) -> State | None:
    found = delivery.targets.get(name)
    return found.state if found else None


def delivery_fields(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as the JSON object that `history --json` prints."""
    return {
        "id": delivery.id,
        "message": delivery.message,
        "kind": delivery.kind,
        "slot": isoformat(delivery.slot),
        "state": delivery.state,
        "attempts": len(delivery.attempts),
        "to": list(delivery.to),
        "targets": {name: result.state for name, result in delivery.targets.items()},
        "sent_at": _maybe_iso(delivery.sent_at),
        "confirmed_at": _maybe_iso(delivery.confirmed_at),
        "delay_seconds": delivery.delay_seconds,
        "next_attempt_at": _maybe_iso(delivery.next_attempt_at),
        "reason": delivery.reason,
        "text": delivery.text,
        "content_hash": delivery.content_hash,
    }


def attempt_fields(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as an element of the `attempt_log` of `show --json`."""
    ended = attempt.ended_at
    return {
        "attempt": attempt.number,
        "claimed_at": isoformat(attempt.claimed_at),
        "sent_at": _maybe_iso(attempt.sent_at),
        "ended_at": _maybe_iso(ended),
        "duration_seconds": (ended - (attempt.sent_at or attempt.claimed_at)).total_seconds()
        if ended
        else None,
        "to": list(attempt.to),
        "results": {name: result_fields(result) for name, result in attempt.results.items()},
    }


def _maybe_iso(moment: datetime | None) -> str | None:
    return isoformat(moment) if moment else None
