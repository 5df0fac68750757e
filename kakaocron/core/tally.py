"""How a day's deliveries ended, read off the lines without building every event. Pure.

Nearly all deliveries are a claim and its outcome, or one line that settles them: of those the few
words that a report needs stand at known places, as `to_line` writes them. Whatever else there is,
is folded as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from zlib import crc32

from kakaocron.core.calendar import parse_delivery_id
from kakaocron.core.ledger import Kind, State, fold, from_line

Ending = tuple[State, float | None]

_HEAD = re.compile(
    rb'\{"v":1,"at":"[^"\\]+","event":"(claim|outcome|settle)","id":"([^"\\]+)","state":"([a-z]+)"'
)
# A quote inside a JSON string is escaped: none of these can stand in a text.
_SENT_AT = re.compile(rb'"sent_at":"([^"\\]+)"')
_MAY_HAVE_GONE = re.compile(rb'"state":"(?:confirmed|sent|unknown)"')
_SEAL = b',"crc":"'
_SEAL_BYTES = len(_SEAL) + len('01234567"}')


def endings(content: bytes) -> list[Ending] | None:
    """Return each delivery's state and its lateness in seconds; None where lines are not whole."""
    lines = content.split(b"\n")
    if lines.pop():
        return None
    plain: dict[bytes, bytes] = {}
    odd: set[bytes] = set()
    kinds: dict[bytes, bytes] = {}
    for line in lines:
        head = _HEAD.match(line)
        if head is None or not _is_sealed(line):
            return None
        kind, id_, _ = head.groups()
        if kind == _NEXT.get(kinds.get(id_, b"")) or (kind == b"settle" and id_ not in kinds):
            plain[id_] = line
        else:
            odd.add(id_)
        kinds[id_] = kind
    found = [_ending(line) for id_, line in plain.items() if id_ not in odd]
    return [*found, *_folded(lines, odd)]


_NEXT = {b"": b"claim", b"claim": b"outcome"}


def _is_sealed(line: bytes) -> bool:
    body, seal = line[:-_SEAL_BYTES], line[-_SEAL_BYTES:]
    try:
        return seal.startswith(_SEAL) and int(seal[len(_SEAL) : -2], 16) == crc32(b"}", crc32(body))
    except ValueError:
        return False


def _ending(line: bytes) -> Ending:
    head = _HEAD.match(line)
    assert head is not None  # noqa: S101 - only such lines come here
    state = State(head[3].decode())
    sent_at = _SENT_AT.search(line)
    if head[1] != Kind.OUTCOME.encode() or not sent_at or not _MAY_HAVE_GONE.search(line):
        return state, None
    _, slot = parse_delivery_id(head[2].decode())
    return state, (datetime.fromisoformat(sent_at[1].decode()) - slot).total_seconds()


def _folded(lines: list[bytes], odd: set[bytes]) -> Iterator[Ending]:
    if odd:
        wanted = [line for line in lines if (head := _HEAD.match(line)) and head[2] in odd]
        for delivery in fold(from_line(line) for line in wanted).values():
            yield delivery.state, delivery.delay_seconds
