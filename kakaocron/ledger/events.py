"""What the ledger's lines mean: events, one a line. Pure.

The format is described for users in docs/ledger.md.
"""

# Without `from __future__ import annotations`: msgspec would have each annotation compiled again to
# make its decoder, which is one instruction in twenty of a whole tick's.

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar
from zlib import crc32

import msgspec
from msgspec import Struct, to_builtins
from msgspec.structs import asdict, replace

from kakaocron.errors import Cause
from kakaocron.kst import KST, YEARS, in_kst, isoformat
from kakaocron.schedule.slots import Slot, parse_delivery_id, slot_day
from kakaocron.states import WORD, Reason, State

FORMAT_VERSION = 1


class DamagedLineError(ValueError):
    """A ledger line that is not an event of this format."""


class NewerFormatError(ValueError):
    """A ledger line that a later version of kakaocron wrote."""

    def __init__(self, version: int) -> None:
        super().__init__(f"format {version}, this kakaocron reads {FORMAT_VERSION}")
        self.version = version


class Result(Struct, frozen=True, gc=False):
    """How one receiver's part of an attempt ended. `parts` counts the confirmed ones of a split.

    `code` is the channel's own: a number or a word. `behind` is the reason of the last attempt,
    where `reason` says why there is no further one. `detail` is what an earlier version said in
    place of a cause. `ref` is the channel's own name for what it has accepted, `wait_seconds` how
    long it asked to wait before the next attempt, `at` its word for when the receiver got it, or
    never would.
    """

    state: State
    reason: Reason | None = None
    detail: str | None = None
    code: int | str | None = None
    http_status: int | None = None
    phase: str | None = None
    parts: int = 0
    cause: Cause | None = None
    behind: Reason | None = None
    ref: str | None = None
    wait_seconds: float | None = None
    at: datetime | None = None


class SendKey(Struct, frozen=True, gc=False):
    """Under which key a channel knows what is sent to one receiver: a claim at `since` was the
    first with it, and a request with it may leave until `until` (None: at any time)."""

    key: str
    since: datetime
    until: datetime | None = None


class Event(Struct, frozen=True, gc=False, kw_only=True, tag_field="event"):
    """One ledger line: what every kind of line has. Instants are aware.

    `settled`: every slot up to this instant had a state when the line was written. `host` has
    written it, where several share a ledger. `detail` and `behind` as in a Result.
    """

    at: datetime
    id: str
    state: State | None = None
    reason: Reason | None = None
    detail: str | None = None
    cause: Cause | None = None
    behind: Reason | None = None
    host: str | None = None
    settled: datetime | None = None
    v: int = FORMAT_VERSION


# The order of the fields is that in which they are written.


class _Entry(Event, frozen=True, kw_only=True):
    message: str
    kind: str
    slot: datetime
    to: tuple[str, ...] = ()
    expires_at: datetime | None = None
    meta: dict[str, str] | None = None
    text: str | None = None
    content_hash: str | None = None
    content: dict[str, Any] | None = None
    forced: bool = False  # whether even a confirmed delivery is to be sent once more
    next_attempt_at: datetime | None = None


class Schedule(_Entry, frozen=True, tag="schedule"):
    """A one-off, or a manual send, was accepted."""


class Settle(_Entry, frozen=True, tag="settle"):
    """A state without an attempt: missed, expired, cancelled, process died, by hand."""


class Reopen(_Entry, frozen=True, tag="reopen"):
    """By hand: may be sent (again) from `next_attempt_at` on."""


class Claim(Event, frozen=True, kw_only=True, tag="claim"):
    """The process `by`, and no other, is about to send; it lets no request leave after `until`."""

    message: str
    kind: str
    slot: datetime
    expires_at: datetime | None = None
    to: tuple[str, ...] = ()
    attempt: int
    by: str
    until: datetime
    text: str | None = None
    content_hash: str | None = None
    content: dict[str, Any] | None = None
    read: Cause | None = None  # what its data were read from
    keys: dict[str, SendKey] | None = None  # by receiver, of channels with receipts


class Outcome(Event, frozen=True, kw_only=True, tag="outcome"):
    """How the attempt of a claim ended, receiver by receiver."""

    attempt: int
    by: str
    targets: dict[str, Result]
    sent_at: datetime | None = None
    next_attempt_at: datetime | None = None


class DeliveryReceipt(Event, frozen=True, kw_only=True, tag="receipt"):
    """What channels said, asked what became of an attempt or of those before it. Of a receiver who
    is not there they told nothing."""

    attempt: int
    targets: dict[str, Result]
    next_attempt_at: datetime | None = None


class Pointer(Event, frozen=True, kw_only=True, tag="pointer"):
    """A delivery of another day was reopened, and is due on this one."""

    due: datetime


class Damage(Event, frozen=True, kw_only=True, tag="damage"):
    """The `lines` above it (their CRC-32, in hex) were unreadable and have been set aside.

    `id` is the day, `kept` says where the copy is, `until` up to which slot something may be lost.
    """

    kept: str | None = None
    until: datetime | None = None
    lines: tuple[str, ...] = ()


class Unknown(Event, frozen=True, kw_only=True):
    """A line of this format whose kind is a word of a later version: what it does nobody can tell.

    It is read, and never written.
    """

    word: str


KINDS: Mapping[str, type[Event]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (Schedule, Claim, Outcome, DeliveryReceipt, Settle, Reopen, Pointer, Damage)
}
OfSlot = TypeVar("OfSlot", Schedule, Claim, Settle, Reopen)


def of_slot(line: type[OfSlot], slot: Slot, to: Sequence[str], at: datetime, **more: Any) -> OfSlot:
    """Return a line about a slot, written at an instant."""
    return line(
        at=at,
        id=slot.id,
        message=slot.message,
        kind=slot.kind,
        slot=slot.at,
        to=tuple(to),
        **more,
    )


def day_of(event: Event) -> date:
    """Return the KST day in whose part of the ledger an event belongs: that of its slot, or that
    on which a pointer says that it is due."""
    if isinstance(event, Damage):
        return date.fromisoformat(event.id)
    if isinstance(event, Pointer):
        return event.due.astimezone(KST).date()
    return slot_day(event.id)


_COMMON = frozenset(Event.__struct_fields__)
_ENCODED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_line(event: Event) -> bytes:
    """Encode an event as one JSON line, newline included.

    Raises ValueError for a reason that is not of the closed list.
    """
    # Not msgspec's encoder: it refuses a lone surrogate, and writes numbers in a way of its own.
    said = asdict(event)
    fields: dict[str, Any] = {
        "v": event.v,
        "at": event.at,
        "event": event.__struct_config__.tag,
        "id": event.id,
        "state": event.state,
        "reason": _checked(event.reason),
        "detail": event.detail,
        "cause": event.cause,
        "behind": _checked(event.behind),
        "host": event.host,
        **{name: value for name, value in said.items() if name not in _COMMON},
        "settled": event.settled,
    }
    body = _ENCODED(_kept(fields)).encode(errors="replace")
    return b'%b,"crc":"%08x"}\n' % (body[:-1], crc32(body))


def _kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value)
        for name, value in fields.items()
        if value is not None and value is not False
    }


def _checked(reason: Reason | None) -> Reason | None:
    if reason is not None and not isinstance(reason, Reason):
        raise ValueError(f"{reason!r} is not a valid Reason")
    return reason


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    if isinstance(value, Result):
        return result_fields(value)
    if isinstance(value, SendKey):
        return _kept(asdict(value))
    if isinstance(value, Cause):
        return to_builtins(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def result_fields(result: Result) -> dict[str, Any]:
    """Return a result as JSON fields, without those that say nothing."""
    fields = {
        "state": result.state,
        "reason": _checked(result.reason),
        "detail": result.detail,
        "cause": result.cause and to_builtins(result.cause),
        "behind": _checked(result.behind),
        "code": result.code,
        "ref": result.ref,
        "wait_seconds": result.wait_seconds,
        "http_status": result.http_status,
        "phase": result.phase,
        "parts": result.parts or None,
        "at": result.at and isoformat(result.at),
    }
    return {key: value for key, value in fields.items() if value is not None}


LINE_START = b'{"v":'
# The checksum covers the line without it: a flipped bit in an id would otherwise be another slot.
_SEAL = b',"crc":"%08x"}'
_SEAL_BYTES = len(_SEAL % 0)


def from_line(line: bytes) -> Event:
    """Decode one line, without its newline. A word that this version does not know is no damage.

    Raises DamagedLineError for anything that is not an event, NewerFormatError for a line of a
    later version.
    """
    try:
        check_sum(line)
        return _decoded(line)
    except (NewerFormatError, DamagedLineError):
        raise
    except (ValueError, RecursionError, OverflowError) as error:
        raise DamagedLineError(str(error)) from None


def check_sum(line: bytes) -> None:
    """Raise DamagedLineError for a line that its checksum does not fit."""
    crc = crc32(b"}", crc32(line[:-_SEAL_BYTES]))
    if not line.startswith(LINE_START) or line[-_SEAL_BYTES:] != _SEAL % crc:
        raise DamagedLineError("checksum")


_DECODER = msgspec.json.Decoder(
    Schedule | Claim | Outcome | DeliveryReceipt | Settle | Reopen | Pointer | Damage
)


def _decoded(line: bytes) -> Event:
    try:
        event: Event = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        event = _of_unknown_kind(line, error)
    if event.v != FORMAT_VERSION:
        raise _version_fault(event.v)
    if not isinstance(event, _WITHOUT_SLOT):
        _check_id(event.id)
    return _in_kst(event)


class _AnyLine(Struct, frozen=True, gc=False):
    v: Any
    event: Any = None


class _UnknownLine(Struct, frozen=True, gc=False):
    at: datetime
    event: str
    id: str
    state: State | None = None
    reason: Reason | None = None
    detail: str | None = None
    cause: Cause | None = None
    behind: Reason | None = None
    host: str | None = None
    settled: datetime | None = None


def _of_unknown_kind(line: bytes, error: msgspec.ValidationError) -> Unknown:
    """Read a line that is none of the known kinds. Raises what is wrong with any other line."""
    said = msgspec.json.decode(line, type=_AnyLine)
    if said.v != FORMAT_VERSION:
        raise _version_fault(said.v)
    is_word = isinstance(said.event, str) and WORD.fullmatch(said.event)
    if not is_word or said.event in KINDS:
        raise error
    read = msgspec.json.decode(line, type=_UnknownLine)
    fields = {name: getattr(read, name) for name in _COMMON - {"v"}}
    return Unknown(**fields, word=read.event)


def _version_fault(version: object) -> ValueError:
    if isinstance(version, int) and version in range(FORMAT_VERSION + 1, 1000):
        return NewerFormatError(version)
    return DamagedLineError(f"version {version!r}")


_WITHOUT_SLOT = (Damage, Unknown)
_check_id = lru_cache(maxsize=4096)(parse_delivery_id)  # several lines of a delivery follow

_ALL_KINDS: tuple[type[Event], ...] = (*KINDS.values(), Unknown)
_INSTANTS: Mapping[type[Event], tuple[str, ...]] = {
    kind: tuple(
        one.name for one in msgspec.structs.fields(kind) if one.type in (datetime, datetime | None)
    )
    for kind in _ALL_KINDS
}
_WITH_TARGETS = (Outcome, DeliveryReceipt)
_instants_of = {kind: attrgetter(*names) for kind, names in _INSTANTS.items()}
# The decoder has one object for a zone, so that most need not be compared.
_DECODED_KST = msgspec.json.decode(b'"2000-01-01T00:00:00+09:00"', type=datetime).tzinfo


def _in_kst(event: Event) -> Event:
    """Return an event whose instants, checked, are in Korean time. Raises ValueError."""
    others: dict[str, Any] = {}
    kind = type(event)
    for at in _instants_of[kind](event):
        if at is not None and (
            (at.tzinfo is not _DECODED_KST and at.tzinfo != KST) or at.year not in YEARS
        ):
            found = ((name, getattr(event, name)) for name in _INSTANTS[kind])
            others = {name: in_kst(each) for name, each in found if each is not None}
            break
    if isinstance(event, Claim):
        if event.keys:
            others["keys"] = {name: _key_in_kst(key) for name, key in event.keys.items()}
    elif isinstance(event, _WITH_TARGETS):
        for result in event.targets.values():
            if result.at is not None:
                others["targets"] = _results_in_kst(event.targets)
                break
    if not others:
        return event
    return replace(event, **others)


def _key_in_kst(key: SendKey) -> SendKey:
    return SendKey(key.key, in_kst(key.since), key.until and in_kst(key.until))


def _results_in_kst(targets: Mapping[str, Result]) -> dict[str, Result]:
    return {
        name: replace(result, at=result.at and in_kst(result.at))
        for name, result in targets.items()
    }


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
