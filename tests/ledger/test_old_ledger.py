"""A ledger that kakaocron wrote at d4b3f8a, when events were made and read by hand.

data/d4b3f8a.jsonl has every kind of line that it wrote, data/d4b3f8a.deliveries.json what it made
of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from kakaocron.kst import isoformat
from kakaocron.ledger.day_file import parse_day
from kakaocron.ledger.deliveries import Attempt, Delivery, fold
from kakaocron.ledger.events import KINDS, DeliveryReceipt, Event, Result, from_line, to_line
from kakaocron.states import Reason, State
from tests.ledger.test_deliveries import rewritten

DATA = Path(__file__).parent / "data"
LINES = (DATA / "d4b3f8a.jsonl").read_bytes().splitlines(keepends=True)

# What was not there then: fields, kinds of lines, reasons.
LATER = ("cause", "behind", "ref", "read", "wait_seconds", "at", "keys", "asked_at", "host")
LATER_KINDS = {DeliveryReceipt}
LATER_REASONS = {
    Reason.PICTURE_LEFT_OUT,
    Reason.UNDELIVERED,
    Reason.NO_RECEIPT,
    Reason.NOT_FOUND,
}


def plain(value: Any) -> Any:
    """Return a value as the JSON that the old code's was written as."""
    if isinstance(value, datetime):
        return isoformat(value)
    if isinstance(value, Delivery | Attempt | Result):
        fields = asdict(value)
        later = {name: fields.pop(name) for name in LATER if name in fields}
        assert set(later.values()) <= {None}
        return plain(fields)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def test_it_holds_every_kind_of_line_and_every_reason() -> None:
    read = [from_line(line[:-1]) for line in LINES]

    assert {type(event) for event in read} == {*KINDS.values()} - LATER_KINDS
    assert {event.reason for event in read} >= set(Reason) - LATER_REASONS


def test_it_is_read_to_the_same_deliveries() -> None:
    read = fold(from_line(line[:-1]) for line in LINES)
    expected = json.loads((DATA / "d4b3f8a.deliveries.json").read_text("utf-8"))

    assert plain(read) == expected


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_each_line_is_written_again_with_the_same_bytes(line: bytes) -> None:
    assert to_line(from_line(line[:-1])) == line


_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_WHEN = st.integers(0, 4_102_444_800_000).map(lambda ms: isoformat(_at(ms)))


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000).astimezone()


_VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "state": st.sampled_from([str(state) for state in State]),
    "reason": st.sampled_from([str(reason) for reason in Reason]),
    "detail": _TEXT,
    "message": _TEXT,
    "kind": _TEXT,
    "slot": _WHEN,
    "expires_at": _WHEN,
    "next_attempt_at": _WHEN,
    "sent_at": _WHEN,
    "settled": _WHEN,
    "due": _WHEN,
    "until": _WHEN,
    "to": st.lists(_TEXT, max_size=3),
    "meta": st.dictionaries(_TEXT, _TEXT, max_size=3),
    "text": _TEXT,
    "content_hash": _TEXT,
    "content": st.dictionaries(
        _TEXT, st.none() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT, max_size=3
    ),
    "attempt": st.integers(0, 10**6),
    "by": _TEXT,
    "kept": _TEXT,
    "lines": st.lists(_TEXT, max_size=3),
}


@given(st.sampled_from(LINES), st.data())
def test_whatever_its_fields_hold_is_written_again_with_the_same_bytes(
    line: bytes, data: st.DataObject
) -> None:
    fields = json.loads(line)
    names = st.sets(st.sampled_from(sorted(fields.keys() & _VALUES.keys())))
    changes = {name: data.draw(_VALUES[name], name) for name in data.draw(names, "changed")}
    changed = rewritten(line, **changes)

    assert to_line(from_line(changed)) == changed + b"\n"


# --- words of a later version ---------------------------------------------------------------------

DAY = date(2026, 11, 23)
SETTLE = next(line for line in LINES if b'"event":"settle"' in line)


def later(**changes: Any) -> Event:
    return from_line(rewritten(SETTLE, **changes))


@pytest.mark.parametrize(
    "changes", [{"state": "queued"}, {"reason": "dealer-busy"}, {"event": "rerouted"}]
)
def test_a_word_of_a_later_version_is_no_damage(changes: dict[str, str]) -> None:
    line = rewritten(SETTLE, **changes)
    found = parse_day(DAY, line + b"\n")

    assert (found.damaged, found.torn_at) == ((), None)
    assert len(found.deliveries) == 1


def test_a_code_may_be_a_word() -> None:
    outcome = next(line for line in LINES if b'"code":-2' in line)
    fields = json.loads(outcome)
    fields["targets"]["me"]["code"] = "M001"
    line = rewritten(outcome, targets=fields["targets"])

    assert to_line(from_line(line)) == line + b"\n"


def test_a_word_is_read_back_as_it_was_written() -> None:
    line = rewritten(SETTLE, state="queued", reason="dealer-busy")

    assert to_line(from_line(line)) == line + b"\n"
