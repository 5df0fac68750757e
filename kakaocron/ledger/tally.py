"""How the slots of a day ended, read off its lines without folding each delivery. Pure.

Nearly all deliveries are a claim and its outcome, or one line that settles them: of those a report
needs a few fields only. Whatever else there is, is folded as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct, field

from kakaocron.ledger.deliveries import Delivery, fold, is_by_hand
from kakaocron.ledger.events import FORMAT_VERSION, check_sum, from_line
from kakaocron.ledger.stats import Ending, endings_of
from kakaocron.states import MAY_HAVE_ARRIVED, Reason, State


class _Target(Struct, frozen=True, gc=False):
    state: State


class _Line(Struct, frozen=True, gc=False):
    """What a report needs of a line."""

    v: int
    event: str
    id: str
    state: State
    reason: str | None = None
    sent_at: datetime | None = None
    targets: dict[str, _Target] = field(default_factory=dict)


_DECODER = msgspec.json.Decoder(_Line)
# Which line a delivery's last one must be for this one to be its end.
_BEFORE: Mapping[str, str | None] = {"claim": None, "outcome": "claim", "settle": None}
_STATES = frozenset(State)


def endings(content: bytes) -> list[Ending] | None:
    """Return how the slots of a day's file ended; None where its lines ask for the whole reader:
    they are not whole, or of other kinds."""
    lines = content.split(b"\n")
    if lines.pop():
        return None
    last: dict[str, str] = {}  # the kind of each delivery's last line
    found: dict[str, Ending] = {}
    odd: set[str] = set()
    try:
        for line in lines:
            check_sum(line)
        for read in _DECODER.decode_lines(content):
            id_, event, sent_at = read.id, read.event, read.sent_at
            if read.v != FORMAT_VERSION or read.state not in _STATES or id_[-14:-13] != "@":
                return None
            for one in read.targets.values():
                if one.state not in _STATES:  # a later version's word decides in its own way
                    return None
            if read.reason == Reason.PAUSED or last.get(id_) != _BEFORE[event]:
                odd.add(id_)
            last[id_] = event
            found[id_] = read.state, _lateness(read, sent_at) if sent_at else None
    except (ValueError, KeyError, TypeError):
        return None
    plain = [end for id_, end in found.items() if id_ not in odd and not is_by_hand(id_)]
    return [*plain, *endings_of(_folded(lines, odd))]


def _lateness(line: _Line, sent_at: datetime) -> float | None:
    """Return how many seconds after its slot an attempt left; None if it certainly did not."""
    if line.state is not State.CONFIRMED and not any(
        one.state in MAY_HAVE_ARRIVED for one in line.targets.values()
    ):
        return None
    slot = datetime.fromisoformat(f"{line.id[-13:]}+0900")
    return (sent_at - slot).total_seconds()


def _folded(lines: Iterable[bytes], wanted: set[str]) -> Iterable[Delivery]:
    if not wanted:
        return ()
    read = (from_line(line) for line in lines)
    return fold(event for event in read if event.id in wanted).values()
