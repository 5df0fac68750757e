"""How the slots of a day ended, read off the lines without building every event. Pure.

Nearly all deliveries are a claim and its outcome, or one line that settles them: of those the few
words that a report needs stand at known places, as `to_line` writes them. Whatever else there is,
is folded as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from zlib import crc32

from kakaocron.ledger.deliveries import Delivery, fold, is_by_hand
from kakaocron.ledger.events import from_line
from kakaocron.states import State

Ending = tuple[State, float | None]

_HEAD = re.compile(
    rb'\{"v":1,"at":"[^"\\]+","event":"(claim|outcome|settle)",'
    rb'"id":"([^"\\]+@(\d{8}T\d{4}))","state":"([a-z]+)"(,"reason":"paused")?'
)
# A quote inside a JSON string is escaped: none of these can stand in a text.
_SENT_AT = re.compile(rb'"sent_at":"([^"\\]+)"')
_MAY_HAVE_GONE = re.compile(rb'"state":"(?:confirmed|sent|unknown)"')
_SEAL = b',"crc":"%08x"}'
_SEAL_BYTES = len(_SEAL % 0)
_STATES: Mapping[bytes, State] = {state.encode(): state for state in State}
_CLAIM, _OUTCOME, _SETTLE = b"claim", b"outcome", b"settle"
_BEFORE: Mapping[bytes, bytes | None] = {_CLAIM: None, _OUTCOME: _CLAIM, _SETTLE: None}


def endings_of(deliveries: Iterable[Delivery]) -> list[Ending]:
    """Return the state and the lateness in seconds of each slot.

    What a person sent at once had none, and what a person had rest was not due.
    """
    return [
        (one.state, one.delay_seconds)
        for one in deliveries
        if not is_by_hand(one.id) and not one.was_meant
    ]


def endings(content: bytes) -> list[Ending] | None:
    """Return the same off a day's file; None where its lines are not whole."""
    lines = content.split(b"\n")
    if lines.pop():
        return None
    last: dict[bytes, bytes] = {}  # the kind of each delivery's last line
    found: dict[bytes, Ending] = {}
    odd: set[bytes] = set()
    for line in lines:
        head = _HEAD.match(line)
        if head is None or line[-_SEAL_BYTES:] != _SEAL % crc32(b"}", crc32(line[:-_SEAL_BYTES])):
            return None
        kind, id_, stamp, state, paused = head.groups()
        if paused or last.get(id_) != _BEFORE[kind]:
            odd.add(id_)
        last[id_] = kind
        try:
            late = _lateness(line, stamp) if kind == _OUTCOME else None
            found[id_] = _STATES[state], late
        except (KeyError, ValueError):
            return None
    plain = [end for id_, end in found.items() if id_ not in odd and not is_by_hand(id_.decode())]
    return [*plain, *endings_of(_folded(lines, odd))]


def _lateness(line: bytes, stamp: bytes) -> float | None:
    sent_at = _SENT_AT.search(line)
    if sent_at is None or not _MAY_HAVE_GONE.search(line):
        return None
    slot = datetime.fromisoformat(f"{stamp.decode()}+0900")
    return (datetime.fromisoformat(sent_at[1].decode()) - slot).total_seconds()


def _folded(lines: Iterable[bytes], wanted: set[bytes]) -> Iterable[Delivery]:
    if not wanted:
        return ()
    these = [line for line in lines if (head := _HEAD.match(line)) and head[2] in wanted]
    return fold(from_line(line) for line in these).values()
