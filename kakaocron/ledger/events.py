"""What the ledger's lines mean: events, one a line. Pure.

The format is described for users in docs/ledger.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from zlib import crc32

from msgspec import Struct, field

from kakaocron.kst import in_kst, isoformat
from kakaocron.schedule.slots import parse_delivery_id
from kakaocron.states import Reason, State

FORMAT_VERSION = 1


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
    code: int | str | None = None
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
