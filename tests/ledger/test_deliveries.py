"""Ledger lines and what they fold into."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from kakaocron.errors import Cause
from kakaocron.kst import KST, isoformat
from kakaocron.ledger.day_file import parse_day
from kakaocron.ledger.deliveries import (
    REOPENED_IN_PEACE,
    Attempt,
    Delivery,
    Gap,
    apply,
    attempt_fields,
    channel_by_form,
    delivery_fields,
    fold,
    is_awaited,
    is_by_hand,
    key_of,
    plain,
    shown_result,
    taken,
    worst,
)
from kakaocron.ledger.events import (
    KINDS,
    LINE_START,
    Claim,
    Damage,
    DamagedLineError,
    DeliveryReceipt,
    Event,
    NewerFormatError,
    Outcome,
    Pointer,
    Reopen,
    Result,
    Schedule,
    SendKey,
    Settle,
    Unknown,
    as_read,
    day_of,
    from_line,
    is_event,
    result_fields,
    to_line,
)
from kakaocron.states import BAD, FINAL, Reason, State
from tests.ledger.lines import line

SLOT = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
ID = "report@20261123T0930"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

C, F, U, R = (
    Result(State.CONFIRMED, http_status=200),
    Result(State.FAILED, Reason.REFUSED, "no", -2, 400, "after"),
    Result(State.UNKNOWN, Reason.READ_TIMEOUT, "silence", phase="after"),
    Result(State.RETRYING, Reason.UNREACHABLE, "DNS", phase="before"),
)


def identity(to: list[str]) -> dict[str, Any]:
    return {"message": "report", "kind": "peak", "slot": SLOT, "to": to}


def claim(
    number: int = 1, by: str = "a", at: datetime = SLOT, to: list[str] | None = None
) -> Event:
    data = {
        **identity(to or ["me"]),
        "expires_at": SLOT + 15 * MINUTE,
        "attempt": number,
        "by": by,
        "until": at + 30 * SECOND,
        "text": "보고",
        "content_hash": "00ff",
    }
    return as_read(line(Claim, at, ID, State.SENDING, **data))


def outcome(
    targets: Mapping[str, Result],
    number: int = 1,
    by: str = "a",
    at: datetime = SLOT + SECOND,
    next_at: datetime | None = None,
) -> Event:
    end = worst(targets.values())
    data: dict[str, Any] = {
        "attempt": number,
        "by": by,
        "targets": dict(targets),
        "sent_at": at - SECOND / 2,
        "next_attempt_at": next_at,
    }
    return as_read(line(Outcome, at, ID, end.state, end.reason, end.detail, **data))


def settle(
    state: State,
    reason: Reason,
    at: datetime = SLOT + MINUTE,
    to: list[str] | None = None,
    kind: type[Event] = Settle,
    **data: Any,
) -> Event:
    return as_read(line(kind, at, ID, state, reason, **{**identity(to or ["me"]), **data}))


def folded(*events: Event) -> Delivery:
    return fold(events)[ID]


def rewritten(line: bytes, **changes: Any) -> bytes:
    """Change fields of a line and give it the checksum that goes with them."""
    fields = {k: v for k, v in json.loads(line).items() if k != "crc"} | changes
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return b'%b,"crc":"%08x"}' % (body[:-1], crc32(body))


# --- one line ---------------------------------------------------------------------------------


def test_a_line_is_one_json_object_with_its_checksum_last() -> None:
    text = to_line(claim())
    fields = json.loads(text)

    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    assert list(fields)[:4] == ["v", "at", "event", "id"]
    assert list(fields)[-1] == "crc"
    assert fields["at"] == "2026-11-23T09:30:00+09:00"


def test_a_line_has_these_very_bytes() -> None:
    event = line(Settle, SLOT, ID, State.MISSED, Reason.NO_TICK, "정전", SLOT, **identity(["me"]))
    body = (
        '{"v":1,"at":"2026-11-23T09:30:00+09:00","event":"settle","id":"report@20261123T0930",'
        '"state":"missed","reason":"no-tick","detail":"정전","message":"report","kind":"peak",'
        '"slot":"2026-11-23T09:30:00+09:00","to":["me"],"settled":"2026-11-23T09:30:00+09:00"'
    ).encode()

    assert to_line(event) == body + b',"crc":"%08x"}\n' % crc32(body + b"}")


@pytest.mark.parametrize("at", ["2026-11-23T00:30:00+00:00", "2026-11-23T09:30:00+09:00"])
def test_an_instant_is_read_in_korean_time(at: str) -> None:
    event = from_line(rewritten(to_line(claim()), at=at))

    assert event.at == SLOT
    assert event.at.tzinfo == KST


@pytest.mark.parametrize(
    "event", [claim(), outcome({"me": C}), settle(State.MISSED, Reason.PAUSED)]
)
def test_what_is_in_korean_time_is_taken_as_it_is(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kakaocron.ledger.events.in_kst", None)

    assert as_read(event) == event


@pytest.mark.parametrize(
    ("year", "is_read"), [(1899, False), (1900, True), (8999, True), (9000, False)]
)
def test_a_line_of_a_year_that_cannot_be_reckoned_with_is_damage(year: int, is_read: bool) -> None:
    text = to_line(line(Damage, SLOT, "2026-11-23"))

    assert is_event(rewritten(text, at=f"{year}-06-01T09:30:00+09:00")) is is_read


def test_what_a_claim_and_its_outcome_say_has_these_very_names() -> None:
    at, until = "2026-11-23T09:30:00+09:00", "2026-11-23T09:30:01+09:00"
    keys = {"me": SendKey("k", SLOT, SLOT + SECOND), "mum": SendKey("l", SLOT)}
    why = Cause("http", {"status": 413})
    result = Result(
        State.SENT, Reason.PICTURE_LEFT_OUT, "x", 7, 200, "after", 2, why, Reason.REFUSED,
        "M4V", 1.5, SLOT,
    )  # fmt: skip
    claimed = replace(claim(), host="north", keys=keys)
    ended = replace(outcome({"me": result}), host="north")

    said = json.loads(to_line(claimed))
    assert said["host"] == "north"
    assert said["keys"] == {
        "me": {"key": "k", "since": at, "until": until}, "mum": {"key": "l", "since": at},
    }  # fmt: skip
    assert json.loads(to_line(ended))["targets"] == {
        "me": {
            "state": "sent",
            "reason": "picture-left-out",
            "detail": "x",
            "cause": {"code": "http", "facts": {"status": 413}},
            "behind": "refused",
            "code": 7,
            "ref": "M4V",
            "wait_seconds": 1.5,
            "http_status": 200,
            "phase": "after",
            "parts": 2,
            "at": at,
        }
    }
    for event in (claimed, ended):
        assert as_read(event) == event


def test_instants_within_a_line_are_read_in_korean_time() -> None:
    at, later = "2026-11-23T00:30:00+00:00", "2026-11-23T00:30:01+00:00"
    keys = {"me": {"key": "k", "since": at, "until": later}, "mum": {"key": "l", "since": at}}
    told = {"me": {"state": "confirmed", "code": "1000", "at": later}, "mum": {"state": "sent"}}
    mum = Result(State.SENT)
    receipt = written(DeliveryReceipt, attempt=1, targets={"mum": mum})

    claimed = from_line(rewritten(to_line(claim()), keys=keys))
    assert isinstance(claimed, Claim)
    assert claimed.keys == {"me": SendKey("k", SLOT, SLOT + SECOND), "mum": SendKey("l", SLOT)}
    assert {one.since.tzinfo for one in claimed.keys.values()} == {KST}
    assert claimed.keys["me"].until is not None
    assert claimed.keys["me"].until.tzinfo == KST
    me = Result(State.CONFIRMED, code="1000", at=SLOT + SECOND)
    for event, names in itertools.product((outcome({"mum": mum}), receipt), (("me",), told)):
        found = from_line(rewritten(to_line(event), targets={name: told[name] for name in names}))
        assert isinstance(found, Outcome | DeliveryReceipt)
        assert found.targets == {name: {"me": me, "mum": mum}[name] for name in names}
        assert found.targets["me"].at is not None
        assert found.targets["me"].at.tzinfo == KST


_NAMES = st.text(st.characters(codec="utf-8"), max_size=12)
_INSTANTS = st.integers(0, 4_102_444_800_000).map(
    lambda number: datetime.fromtimestamp(0, KST) + timedelta(milliseconds=number)
)
_CAUSES = st.builds(
    Cause, _NAMES, st.dictionaries(_NAMES, _NAMES | st.integers(-(2**53), 2**53), max_size=3)
)
_RESULTS = st.builds(
    Result,
    st.sampled_from([State.CONFIRMED, State.FAILED, State.UNKNOWN, State.RETRYING]),
    st.none() | st.sampled_from(Reason),
    st.none() | _NAMES,
    st.none() | st.integers(-10_000, 0),
    st.none() | st.integers(100, 599),
    st.sampled_from([None, "before", "after"]),
    st.integers(0, 20),
    st.none() | _CAUSES,
    st.none() | st.sampled_from(Reason),
)


@given(
    kind=st.sampled_from([Settle, Reopen]),
    at=_INSTANTS,
    state=st.sampled_from(State),
    reason=st.none() | st.sampled_from(Reason),
    detail=st.none() | _NAMES,
    cause=st.none() | _CAUSES,
    settled=st.none() | _INSTANTS,
    to=st.lists(_NAMES, max_size=4),
    text=_NAMES,
)
def test_a_settling_line_is_read_back_as_it_was_written(
    kind: type[Event],
    at: datetime,
    state: State,
    reason: Reason | None,
    detail: str | None,
    cause: Cause | None,
    settled: datetime | None,
    to: list[str],
    text: str,
) -> None:
    data = {
        **identity([]),
        "to": tuple(to),
        "text": text,
        "expires_at": None,
        "next_attempt_at": settled,
        "cause": cause,
        "behind": reason,
    }
    event = line(kind, at, ID, state, reason, detail, settled, **data)

    assert as_read(event) == event


@given(st.dictionaries(_NAMES, _RESULTS, max_size=4), _INSTANTS, st.none() | _INSTANTS)
def test_an_outcome_is_read_back_as_it_was_written(
    targets: dict[str, Result], at: datetime, next_at: datetime | None
) -> None:
    data: dict[str, Any] = {
        "attempt": 3,
        "by": "1234-ff",
        "targets": targets,
        "sent_at": at,
        "next_attempt_at": next_at,
    }
    event = line(Outcome, at, ID, State.FAILED, **data)

    assert as_read(event) == event


@given(st.integers(0), st.integers(0, 7))
def test_no_flipped_bit_is_read_as_an_event(place: int, bit: int) -> None:
    text = bytearray(to_line(claim())[:-1])
    text[place % len(text)] ^= 1 << bit

    with pytest.raises(DamagedLineError):
        from_line(bytes(text))


def test_no_line_cut_short_is_read_as_an_event() -> None:
    text = to_line(claim())[:-1]

    assert not any(is_event(text[:length]) for length in range(len(text)))
    assert is_event(text)


@given(st.binary(max_size=200))
def test_garbage_is_damage_and_nothing_worse(garbage: bytes) -> None:
    assert not is_event(garbage)


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (0, DamagedLineError),
        (2, NewerFormatError),
        ("1", DamagedLineError),
        (None, DamagedLineError),
    ],
)
def test_a_line_of_another_version_is_told_from_a_damaged_one(
    number: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        from_line(rewritten(to_line(claim()), v=number))


@pytest.mark.parametrize(
    "changes",
    [
        {"event": 5},
        {"event": "Dance"},
        {"event": ""},
        {"id": "report"},
        {"id": 5},
        {"id": "report@20261399T0930"},
        {"at": "2026-11-23T09:30:00"},
        {"at": "yesterday"},
        {"at": 5},
        {"keys": {"me": "k"}},
        {"keys": {"me": {"key": "k"}}},
        {"keys": {"me": {"key": "k", "since": "2026-11-23T09:30:00"}}},
        {"state": 5},
        {"state": "fine day"},
        {"state": "x" * 41},
        {"reason": "<b>"},
        {"reason": ["because"]},
        {"detail": 5},
        {"to": "me"},
        {"to": [5]},
        {"slot": None},
        {"attempt": "1"},
        {"attempt": True},
        {"by": None},
        {"until": None},
        {"message": ["report"]},
    ],
)
def test_a_claim_with_a_wrong_field_is_damage_even_with_a_right_checksum(
    changes: dict[str, Any],
) -> None:
    text = to_line(claim())
    assert is_event(rewritten(text))

    with pytest.raises(DamagedLineError):
        from_line(rewritten(text, **changes))


@pytest.mark.parametrize("targets", [None, [], {"me": None}, {"me": {}}, {"me": {"state": "X"}}])
def test_an_outcome_with_wrong_targets_is_damage(targets: object) -> None:
    with pytest.raises(DamagedLineError):
        from_line(rewritten(to_line(outcome({"me": C})), targets=targets))


def test_a_field_that_a_later_writer_added_is_passed_over() -> None:
    assert from_line(rewritten(to_line(claim()), mood="good")).id == ID


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"v": "1"}, "version '1'"),
        ({"v": 1000}, "version 1000"),
        ({"at": "2026-11-23T09:30:00"}, "'2026-11-23T09:30:00' has no zone"),
        ({"to": "me"}, "Expected `array`, got `str` - at `$.to`"),
        ({"by": 5}, "Expected `str`, got `int` - at `$.by`"),
        ({"attempt": True}, "Expected `int`, got `bool` - at `$.attempt`"),
        ({"content": "보고"}, "Expected `object | null`, got `str` - at `$.content`"),
    ],
)
def test_damage_says_what_is_wrong(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(DamagedLineError, match=f"^{re.escape(why)}$"):
        from_line(rewritten(to_line(claim()), **changes))


@pytest.mark.parametrize("number", [2, 999])
def test_a_line_of_a_later_version_says_which(number: int) -> None:
    text = rewritten(to_line(claim()), v=number)

    assert is_event(text)
    with pytest.raises(NewerFormatError, match=rf"^format {number}, this kakaocron reads 1$") as it:
        from_line(text)
    assert it.value.version == number


def test_a_wrong_checksum_is_damage_and_says_so() -> None:
    text = to_line(claim())[:-1]
    crc = text[-10:-2]
    other = b"%08x" % (int(crc, 16) ^ 1)

    with pytest.raises(DamagedLineError, match=r"^checksum$"):
        from_line(text.replace(crc, other))


def test_what_a_claim_need_not_say_is_empty() -> None:
    text = to_line(claim())
    fields = {k: v for k, v in json.loads(text).items() if k not in {"crc", "to", "expires_at"}}
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    event = from_line(b'%b,"crc":"%08x"}' % (body[:-1], crc32(body)))

    assert isinstance(event, Claim)
    assert (event.to, event.expires_at) == ((), None)


def test_a_pointer_and_a_damage_are_read_back_as_they_were_written() -> None:
    due = line(Pointer, SLOT, ID, due=SLOT + timedelta(days=1))
    until: dict[str, Any] = {"kept": "x", "until": SLOT, "lines": ("00ff00ff",)}
    damage = line(Damage, SLOT, "2026-11-23", detail="line 5", **until)
    old = line(Damage, SLOT, "2026-11-23", detail="line 5", kept="x")

    assert as_read(due) == due
    assert as_read(damage) == damage
    assert as_read(old) == old
    assert (old.until, old.lines) == (None, ())


def test_a_damage_is_named_by_its_day_and_everything_else_by_a_delivery() -> None:
    damage = to_line(line(Damage, SLOT, "2026-11-23", kept="x"))

    assert from_line(damage[:-1]).id == "2026-11-23"
    with pytest.raises(DamagedLineError, match="is not a delivery id"):
        from_line(rewritten(damage, event="pointer", due="2026-11-23T09:30:00+09:00"))


@pytest.fixture
def far_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host whose day is not Korea's."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("after", "day"), [(-SECOND, "23"), (0 * SECOND, "24"), (SECOND, "24")])
@pytest.mark.usefixtures("far_west")
def test_a_pointer_belongs_to_the_korean_day_on_which_it_is_due(after: timedelta, day: str) -> None:
    midnight = datetime(2026, 11, 23, 15, tzinfo=UTC)

    assert str(day_of(line(Pointer, SLOT, ID, due=midnight + after))) == f"2026-11-{day}"


@pytest.mark.parametrize(
    ("id_", "day"),
    [
        ("report@20261122T2359", "2026-11-22"),
        ("report@20261123T0000", "2026-11-23"),
        ("report@20261123T0001", "2026-11-23"),
    ],
)
@pytest.mark.usefixtures("far_west")
def test_a_line_of_a_delivery_belongs_to_the_day_of_its_slot(id_: str, day: str) -> None:
    event = line(Settle, SLOT + timedelta(days=3), id_, State.MISSED, **identity(["me"]))

    assert str(day_of(event)) == day


def test_a_damage_belongs_to_the_day_that_it_names() -> None:
    assert str(day_of(line(Damage, SLOT, "2026-11-20", kept="x"))) == "2026-11-20"


def test_text_that_no_encoding_holds_is_written_all_the_same() -> None:
    event = line(Settle, SLOT, ID, State.FAILED, detail="\ud800!", **identity(["me"]))

    assert as_read(event).detail == "?!"


def test_a_reason_that_is_not_of_the_list_is_never_written() -> None:
    data = identity(["me"])
    with pytest.raises(ValueError, match="because"):
        to_line(line(Settle, SLOT, ID, State.FAILED, "because", **data))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="because"):
        result_fields(Result(State.FAILED, "because"))  # type: ignore[arg-type]


# --- states -------------------------------------------------------------------------------------


def test_the_states_are_those_of_the_contract() -> None:
    assert {str(state) for state in State} == {
        "scheduled", "sending", "sent", "confirmed", "retrying", "failed", "unknown", "missed",
        "cancelled",
    }  # fmt: skip
    assert {str(state) for state in FINAL} == {
        "confirmed", "failed", "unknown", "missed", "cancelled",
    }  # fmt: skip


@pytest.mark.parametrize("word", [*State, *Reason], ids=repr)
def test_a_word_of_the_ledger_is_its_name_in_small_letters(word: State | Reason) -> None:
    assert word.value == word.name.lower().replace("_", "-")


def test_the_kinds_of_lines_are_those_of_the_format() -> None:
    assert {word: kind.__name__.lower() for word, kind in KINDS.items()} == {
        word: word
        for word in ("schedule", "claim", "outcome", "settle", "reopen", "pointer", "damage")
    } | {"receipt": "deliveryreceipt"}


def test_the_bad_ends_are_those_without_the_message_that_nobody_chose() -> None:
    assert {str(state) for state in BAD} == {"failed", "unknown", "missed"}


def test_every_line_begins_in_the_same_way() -> None:
    assert LINE_START == b'{"v":'
    assert to_line(claim()).startswith(LINE_START)


def test_what_is_not_known_is_empty() -> None:
    event = Event(at=SLOT, id=ID)
    result = Result(State.FAILED)
    attempt = Attempt(1, "a", SLOT, SLOT, ())
    delivery = Delivery(ID, "report", "peak", SLOT, State.SCHEDULED)

    assert astuple(event) == (SLOT, ID, None, None, None, None, None, None, None, 1)
    assert Gap(SLOT).known == frozenset()
    assert astuple(result)[1:] == (None, None, None, None, None, 0, None, None, None, None, None)
    assert astuple(attempt)[5:] == (None, None, {}, None, None)
    assert astuple(delivery)[5:] == (
        (), None, None, None, (), {}, None, None, None, None, None, None, False, 0,
        None, None, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [Schedule, Settle, Reopen])
def test_what_a_line_without_an_attempt_does_not_say_is_empty(kind: type[Event]) -> None:
    event = kind(at=SLOT, id=ID, message="report", kind="peak", slot=SLOT)  # type: ignore[call-arg]
    known = ("at", "id", "message", "kind", "slot", "v")
    left = {n: getattr(event, n) for n in event.__struct_fields__ if n not in known}

    assert left.pop("to") == ()
    assert left.pop("forced") is False
    assert set(left.values()) == {None}


def test_what_an_outcome_and_a_damage_do_not_say_is_empty() -> None:
    outcome_ = Outcome(at=SLOT, id=ID, attempt=1, by="a", targets={})
    damage = Damage(at=SLOT, id="2026-11-23")

    assert (outcome_.sent_at, outcome_.next_attempt_at) == (None, None)
    assert (damage.kept, damage.until, damage.lines) == (None, None, ())


@pytest.mark.parametrize("kind", [Event, Unknown, *KINDS.values()])
def test_what_a_line_says_is_given_by_name(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"^Extra positional arguments provided$"):
        kind("x")


def test_only_what_is_sent_at_once_is_by_hand() -> None:
    assert is_by_hand("send-1")
    assert not is_by_hand("report")
    assert not is_by_hand("resend-1")


def test_the_reasons_hold_those_of_the_contract() -> None:
    assert {str(reason) for reason in Reason} >= {
        "no-tick", "expired", "paused", "quiet", "quota", "not-logged-in", "refused",
        "retries-spent", "read-timeout", "connection-reset", "unproven-answer", "process-died",
        "ledger-damaged", "content-failed", "clock-wrong", "by-hand",
    }  # fmt: skip


_ORDER = (
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


def test_of_any_two_receivers_the_worse_decides() -> None:
    assert set(_ORDER) == set(State)
    for (i, one), (j, other) in itertools.product(enumerate(_ORDER), repeat=2):
        assert worst([Result(one), Result(other)]).state is _ORDER[min(i, j)]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_that_have_it_the_one_without_its_picture_is_told(order: int) -> None:
    bare = replace(C, reason=Reason.PICTURE_LEFT_OUT)
    delivery = folded(
        claim(to=["me", "uuid-a"]), outcome(dict([("me", C), ("uuid-a", bare)][::order]))
    )

    assert (delivery.state, delivery.reason) == (State.CONFIRMED, Reason.PICTURE_LEFT_OUT)


# --- folding ------------------------------------------------------------------------------------


def test_a_claim_alone_is_sending() -> None:
    delivery = folded(claim())

    assert delivery.state is State.SENDING
    assert delivery.targets == {"me": Result(State.SENDING)}
    assert (delivery.sent_at, delivery.confirmed_at, delivery.delay_seconds) == (None, None, None)


@pytest.mark.parametrize("result", [C, F, U, R])
def test_an_outcome_gives_its_state_and_reason(result: Result) -> None:
    delivery = folded(claim(), outcome({"me": result}))

    assert (delivery.state, delivery.reason) == (result.state, result.reason)
    assert delivery.targets == {"me": result}


def test_a_confirmed_delivery_knows_when_it_left_and_when_it_was_confirmed() -> None:
    delivery = folded(claim(), outcome({"me": C}, at=SLOT + 2 * SECOND))

    assert delivery.sent_at == SLOT + 1.5 * SECOND
    assert delivery.confirmed_at == SLOT + 2 * SECOND
    assert delivery.delay_seconds == 1.5


def test_a_claim_is_read_back_as_it_was_written() -> None:
    data = {
        **identity([]),
        "to": ("me",),
        "expires_at": SLOT + MINUTE,
        "attempt": 1,
        "by": "a",
        "until": SLOT + SECOND,
    }
    event = line(Claim, SLOT, ID, State.SENDING, **data)

    assert as_read(event) == event


def test_an_attempt_that_was_certainly_refused_is_not_when_it_was_sent() -> None:
    delivery = folded(
        claim(),
        outcome({"me": R}, next_at=SLOT + 30 * SECOND),
        claim(2, "b", SLOT + MINUTE),
        outcome({"me": C}, 2, "b", SLOT + MINUTE + SECOND),
    )

    assert len(delivery.attempts) == 2
    assert delivery.sent_at == SLOT + MINUTE + SECOND / 2


@pytest.mark.parametrize("state", State)
def test_an_attempt_was_sent_if_any_of_its_receivers_may_have_the_message(state: State) -> None:
    may_have_it = state in {State.SENT, State.CONFIRMED, State.UNKNOWN}
    results = {"me": Result(State.FAILED), "mum": Result(state)}
    tried = Attempt(1, "a", SLOT, SLOT, ("me", "mum"), SLOT + SECOND, results=results)
    delivery = Delivery(ID, "report", "peak", SLOT, state, attempts=(tried,))

    assert delivery.sent_at == (SLOT + SECOND if may_have_it else None)


def test_the_late_word_on_an_older_attempt_does_not_move_the_confirmation() -> None:
    delivery = folded(
        claim(),
        settle(State.UNKNOWN, Reason.PROCESS_DIED),
        claim(2, "b", SLOT + 2 * MINUTE),
        outcome({"me": C}, 2, "b", SLOT + 3 * MINUTE),
        outcome({"me": F}, 1, "a", SLOT + 4 * MINUTE),
    )

    assert delivery.confirmed_at == SLOT + 3 * MINUTE


def test_what_a_person_resolves_as_confirmed_was_confirmed_then() -> None:
    delivery = folded(
        claim(), outcome({"me": U}), settle(State.CONFIRMED, Reason.BY_HAND, SLOT + MINUTE)
    )

    assert delivery.confirmed_at == SLOT + MINUTE


def test_a_retrying_delivery_says_when_the_next_attempt_is() -> None:
    next_at = SLOT + 31 * SECOND

    assert folded(claim(), outcome({"me": R}, next_at=next_at)).next_attempt_at == next_at


@pytest.mark.parametrize("late", [C, F, U, R])
def test_only_good_news_counts_after_a_person_has_settled_it(late: Result) -> None:
    delivery = folded(
        claim(),
        settle(State.CANCELLED, Reason.BY_HAND),
        outcome({"me": late}, at=SLOT + 2 * MINUTE),
    )

    expected = State.CONFIRMED if late is C else State.CANCELLED
    assert delivery.state is expected


def test_late_word_that_it_was_taken_counts_but_against_that_it_was_delivered() -> None:
    late = outcome({"me": SENT, "mum": SENT}, at=SLOT + 2 * MINUTE)
    other = outcome({"me": C}, 9, "z")
    cancelled = settle(State.CANCELLED, Reason.BY_HAND, to=["me", "mum"])

    assert folded(FIRST_CLAIM, cancelled, late).targets == {"me": SENT, "mum": SENT}
    assert folded(FIRST_CLAIM, other, cancelled, late).targets == {"me": C, "mum": SENT}


@pytest.mark.parametrize("late", [C, F, U])
def test_the_late_word_of_a_process_taken_for_dead_counts_while_nothing_else_was_done(
    late: Result,
) -> None:
    delivery = folded(
        claim(),
        settle(State.UNKNOWN, Reason.PROCESS_DIED),
        outcome({"me": late}, at=SLOT + 2 * MINUTE),
    )

    assert (delivery.state, delivery.reason) == (late.state, late.reason)


@pytest.mark.parametrize(("late", "state"), [(C, State.CONFIRMED), (F, State.SENDING)])
def test_the_late_word_on_an_old_attempt_cannot_end_the_new_one_unless_it_is_good(
    late: Result, state: State
) -> None:
    delivery = folded(
        claim(),
        settle(State.UNKNOWN, Reason.PROCESS_DIED),
        claim(2, "b", SLOT + 2 * MINUTE),
        outcome({"me": late}, 1, "a", SLOT + 3 * MINUTE),
    )

    assert delivery.state is state


def test_an_outcome_of_another_process_is_not_believed_unless_it_is_good() -> None:
    assert folded(claim(), outcome({"me": F}, by="b")).state is State.SENDING
    assert folded(claim(), outcome({"me": C}, by="b")).state is State.CONFIRMED


@pytest.mark.parametrize(
    "event",
    [
        settle(State.CANCELLED, Reason.BY_HAND),
        settle(State.MISSED, Reason.NO_TICK),
        settle(State.FAILED, Reason.BY_HAND),
        settle(State.SCHEDULED, Reason.BY_HAND, kind=Reopen),
    ],
    ids=lambda event: str(event.state),
)
def test_late_bad_news_changes_nothing_that_was_decided_since(event: Event) -> None:
    before = folded(claim(), event)
    after = folded(claim(), event, outcome({"me": U}, at=SLOT + 2 * MINUTE))

    assert (after.state, after.reason, after.next_attempt_at) == (
        before.state,
        before.reason,
        before.next_attempt_at,
    )
    assert after.attempts[0].results == {"me": U}


def test_late_good_news_for_one_of_two_leaves_a_reopened_delivery_open_for_the_other() -> None:
    both = ["me", "uuid-aaa"]
    data = {**identity(both), "next_attempt_at": SLOT + MINUTE}
    reopened = as_read(
        line(Reopen, SLOT + MINUTE, ID, State.SCHEDULED, Reason.BY_HAND, "retry", **data)
    )
    delivery = folded(
        claim(to=both), reopened, outcome({"me": C, "uuid-aaa": F}, at=SLOT + 2 * MINUTE)
    )

    assert (delivery.state, delivery.reason, delivery.detail) == (
        State.SCHEDULED, Reason.BY_HAND, "retry",
    )  # fmt: skip
    assert delivery.targets["me"].state is State.CONFIRMED
    assert delivery.next_attempt_at == SLOT + MINUTE


def written(
    kind: type[Event],
    at: datetime = SLOT,
    state: State | None = None,
    reason: Reason | None = None,
    detail: str | None = None,
    /,
    **own: Any,
) -> Event:
    """An event with nothing of its own but what is given, as it is read back."""
    return as_read(line(kind, at, ID, state, reason, detail, **own))


FIRST_CLAIM = written(
    Claim,
    SLOT + SECOND,
    State.SENDING,
    **identity(["me", "mum"]),
    expires_at=SLOT + 10 * MINUTE,
    attempt=1,
    by="a",
    until=SLOT + 31 * SECOND,
    text="보고",
    content_hash="00ff",
    content={"title": "하나", "at": "09:30"},
)
SECOND_CLAIM = written(
    Claim,
    SLOT + MINUTE,
    State.SENDING,
    **identity(["mum"]),
    attempt=2,
    by="b",
    until=SLOT + 90 * SECOND,
)
FIRST_ATTEMPT = Attempt(1, "a", SLOT + SECOND, SLOT + 31 * SECOND, ("me", "mum"))
SECOND_ATTEMPT = Attempt(2, "b", SLOT + MINUTE, SLOT + 90 * SECOND, ("mum",))


def test_a_first_claim_gives_all_that_is_known() -> None:
    assert folded(FIRST_CLAIM) == Delivery(
        ID,
        "report",
        "peak",
        SLOT,
        State.SENDING,
        ("me", "mum"),
        expires_at=SLOT + 10 * MINUTE,
        attempts=(FIRST_ATTEMPT,),
        targets={"me": Result(State.SENDING), "mum": Result(State.SENDING)},
        text="보고",
        content_hash="00ff",
        content={"title": "하나", "at": "09:30"},
        updated_at=SLOT + SECOND,
    )


def test_an_outcome_closes_its_own_attempt_and_no_other() -> None:
    parts = {"me": C, "mum": replace(R, parts=2)}
    ended = written(
        Outcome, SLOT + 2 * SECOND, State.RETRYING, Reason.UNREACHABLE, "DNS",
        attempt=1, by="a", targets=parts, sent_at=SLOT + 1.5 * SECOND,
        next_attempt_at=SLOT + 32 * SECOND,
    )  # fmt: skip
    first = replace(
        FIRST_ATTEMPT, sent_at=SLOT + 1.5 * SECOND, ended_at=SLOT + 2 * SECOND, results=parts
    )
    waiting = folded(FIRST_CLAIM, ended)

    assert waiting == replace(
        folded(FIRST_CLAIM),
        state=State.RETRYING,
        reason=Reason.UNREACHABLE,
        detail="DNS",
        attempts=(first,),
        targets=parts,
        next_attempt_at=SLOT + 32 * SECOND,
        updated_at=SLOT + 2 * SECOND,
    )
    assert folded(FIRST_CLAIM, ended, SECOND_CLAIM) == replace(
        waiting,
        state=State.SENDING,
        reason=None,
        detail=None,
        attempts=(first, SECOND_ATTEMPT),
        targets={"me": C, "mum": Result(State.SENDING, parts=2)},
        next_attempt_at=None,
        updated_at=SLOT + MINUTE,
    )


def test_a_later_claim_may_say_everything_anew_but_to_whom_it_goes() -> None:
    anew = written(
        Claim,
        SLOT + MINUTE,
        State.SENDING,
        **identity(["mum"]),
        expires_at=SLOT + 20 * MINUTE,
        attempt=2,
        by="b",
        until=SLOT + 90 * SECOND,
        text="새 보고",
        content_hash="ff00",
        content={"title": "둘", "fallback": True},
    )

    assert folded(FIRST_CLAIM, anew) == replace(
        folded(FIRST_CLAIM, SECOND_CLAIM),
        to=("me", "mum"),
        expires_at=SLOT + 20 * MINUTE,
        text="새 보고",
        content_hash="ff00",
        content={"title": "둘", "at": "09:30", "fallback": True},
    )


def test_a_claim_after_a_schedule_that_names_no_receiver_says_who_they_are() -> None:
    scheduled = written(Schedule, SLOT - MINUTE, State.SCHEDULED, **identity([]))

    assert folded(scheduled, FIRST_CLAIM) == folded(FIRST_CLAIM)


def test_a_content_of_nothing_is_none() -> None:
    assert folded(SECOND_CLAIM).content is None


SCHEDULED = written(
    Schedule,
    SLOT - MINUTE,
    State.SCHEDULED,
    **identity(["me"]) | {"kind": "once"},
    expires_at=SLOT + 10 * MINUTE,
    text="약 먹기",
    content_hash="00ff",
    content={"title": "약"},
    meta={"why": "test"},
)


def test_a_schedule_gives_all_that_is_known_of_a_one_off() -> None:
    assert folded(SCHEDULED) == Delivery(
        ID,
        "report",
        "once",
        SLOT,
        State.SCHEDULED,
        ("me",),
        expires_at=SLOT + 10 * MINUTE,
        text="약 먹기",
        content_hash="00ff",
        content={"title": "약"},
        meta={"why": "test"},
        updated_at=SLOT - MINUTE,
    )


def test_a_settling_line_says_the_end_and_leaves_the_rest_as_it_was() -> None:
    end = written(Settle, SLOT, State.CANCELLED, Reason.BY_HAND, "resolved", **identity([]))

    assert folded(SCHEDULED, end) == replace(
        folded(SCHEDULED),
        state=State.CANCELLED,
        reason=Reason.BY_HAND,
        detail="resolved",
        targets={"me": Result(State.CANCELLED, Reason.BY_HAND, "resolved")},
        updated_at=SLOT,
    )


def test_a_settling_line_says_the_cause_and_the_reason_behind_its_own() -> None:
    why: dict[str, Any] = {
        "cause": Cause("http", {"status": 429}),
        "behind": Reason.REFUSED_FOR_NOW,
    }
    own = {**identity([]), **why}
    end = written(Settle, SLOT, State.FAILED, Reason.RETRIES_SPENT, **own)

    assert folded(SCHEDULED, end) == replace(
        folded(SCHEDULED),
        state=State.FAILED,
        reason=Reason.RETRIES_SPENT,
        **why,
        targets={"me": Result(State.FAILED, Reason.RETRIES_SPENT, **why)},
        updated_at=SLOT,
    )


def test_a_settling_line_may_say_everything_anew() -> None:
    end = written(
        Settle,
        SLOT,
        State.UNKNOWN,
        Reason.PROCESS_DIED,
        **identity(["mum"]),
        expires_at=SLOT + 20 * MINUTE,
        next_attempt_at=SLOT + MINUTE,
        text="새 보고",
        content_hash="ff00",
        content={"title": "둘"},
        meta={"why": "other"},
    )

    assert folded(SCHEDULED, end) == replace(
        folded(SCHEDULED),
        state=State.UNKNOWN,
        reason=Reason.PROCESS_DIED,
        to=("mum",),
        expires_at=SLOT + 20 * MINUTE,
        next_attempt_at=SLOT + MINUTE,
        targets={"mum": Result(State.UNKNOWN, Reason.PROCESS_DIED)},
        text="새 보고",
        content_hash="ff00",
        content={"title": "둘"},
        meta={"why": "other"},
        updated_at=SLOT,
    )


def test_a_settling_line_without_a_state_changes_none() -> None:
    noted = written(Settle, SLOT, **identity(["me"]))

    assert folded(SCHEDULED, noted) == replace(folded(SCHEDULED), updated_at=SLOT)
    assert folded(noted).state is State.SCHEDULED


def test_what_was_confirmed_of_a_split_is_kept_when_its_rest_is_settled() -> None:
    half = folded(
        FIRST_CLAIM,
        outcome({"me": replace(U, parts=2), "mum": C}),
        settle(State.FAILED, Reason.EXPIRED, to=["me", "mum"]),
    )

    assert half.targets == {"me": Result(State.FAILED, Reason.EXPIRED, parts=2), "mum": C}
    assert (half.state, half.reason, half.detail) == (State.FAILED, Reason.EXPIRED, None)


@pytest.mark.parametrize(
    ("reason", "keys", "is_kept"),
    [
        (Reason.EXPIRED, {"me": SendKey("k", SLOT)}, True),
        (Reason.EXPIRED, {"mum": SendKey("k", SLOT)}, False),
        (Reason.EXPIRED, None, False),
        (Reason.BY_HAND, {"me": SendKey("k", SLOT)}, False),
    ],
)
def test_whose_outcome_a_channel_can_still_tell_does_not_expire_with_the_others(
    reason: Reason, keys: dict[str, SendKey] | None, is_kept: bool
) -> None:
    both = ["me", "mum"]
    before = folded(replace(FIRST_CLAIM, keys=keys), outcome({"me": U, "mum": R}))
    after = apply(before, settle(State.FAILED, reason, to=both))

    ended = Result(State.FAILED, reason)
    assert after is not None
    assert after.targets == {"me": U if is_kept else ended, "mum": ended}


def test_the_host_of_a_delivery_is_who_last_tried_it_or_settled_what_nobody_tried() -> None:
    claimed = replace(claim(), host="north")
    ended = replace(settle(State.CANCELLED, Reason.BY_HAND), host="south")

    assert folded(ended).host == "south"
    assert folded(claimed, ended).host == "north"
    assert [one.host for one in folded(claimed, ended).attempts] == ["north"]


def test_of_a_settled_delivery_its_worst_receiver_tells_the_end() -> None:
    delivery = folded(
        FIRST_CLAIM,
        outcome({"me": F, "mum": R}),
        settle(State.CANCELLED, Reason.BY_HAND, to=["me", "mum"]),
    )

    assert (delivery.state, delivery.reason, delivery.detail) == (F.state, F.reason, F.detail)


@pytest.mark.parametrize("state", State)
def test_only_what_is_unknown_and_not_sent_again_waits_for_a_person(state: State) -> None:
    delivery = Delivery(ID, "report", "peak", SLOT, state)

    assert delivery.is_held is (state is State.UNKNOWN)
    assert not replace(delivery, next_attempt_at=SLOT + MINUTE).is_held


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("reason", [None, *Reason])
def test_only_what_was_missed_as_it_rested_was_meant(state: State, reason: Reason | None) -> None:
    delivery = Delivery(ID, "report", "peak", SLOT, state, reason=reason)

    assert delivery.was_meant is ((state, reason) == (State.MISSED, Reason.PAUSED))


def tried(*ends: Result | None) -> tuple[Attempt, ...]:
    """Attempts that ended so; None: nobody knows how."""
    return tuple(
        Attempt(number, "a", SLOT, SLOT, ("me",), results={"me": end} if end else {})
        for number, end in enumerate(ends, start=1)
    )


@pytest.mark.parametrize("state", State)
def test_on_its_way_is_what_waits_to_be_sent_once_more(state: State) -> None:
    waits = state in {"scheduled", "sending", "retrying"}
    for count, is_reopened in itertools.product(range(4), (False, True)):
        attempts = tried(*[R] * count)
        delivery = Delivery(
            ID, "report", "peak", SLOT, state, attempts=attempts, is_reopened=is_reopened
        )
        assert delivery.is_on_its_way is (waits and (is_reopened or count >= 2))


@pytest.mark.parametrize("state", State)
def test_what_nobody_reopened_stands_as_it_is(state: State) -> None:
    delivery = Delivery(ID, "report", "peak", SLOT, state, attempts=tried(F, F))

    assert delivery.standing is state


@pytest.mark.parametrize(
    ("before", "since", "end"),
    [
        ((), (), State.MISSED),
        ((), (R,), State.MISSED),
        ((F,), (), State.FAILED),
        ((F,), (U,), State.FAILED),
        ((R,), (), State.FAILED),
        ((U,), (R, R), State.UNKNOWN),
        ((None,), (F,), State.UNKNOWN),
        ((F, U), (), State.UNKNOWN),
        ((R, None, F), (), State.FAILED),
        ((R, F, None), (), State.UNKNOWN),
    ],
)
def test_what_is_reopened_stands_as_it_had_ended_until_it_ends_again(
    before: tuple[Result | None, ...], since: tuple[Result | None, ...], end: State
) -> None:
    for state in State:
        reopened = Delivery(
            ID,
            "report",
            "peak",
            SLOT,
            state,
            attempts=tried(*before, *since),
            is_reopened=True,
            tries_before=len(before),
        )
        assert reopened.standing is (end if reopened.is_on_its_way else state)
        assert replace(reopened, detail="retry").standing is reopened.standing
        assert replace(reopened, cause=REOPENED_IN_PEACE).standing is state
        # as earlier versions wrote it
        assert replace(reopened, detail="it was paused or cancelled").standing is state


def test_a_reopened_delivery_is_open_for_all_but_the_confirmed_and_counts_from_there() -> None:
    before = folded(FIRST_CLAIM, outcome({"me": C, "mum": replace(F, parts=1)}))
    again = written(
        Reopen,
        SLOT + MINUTE,
        State.SCHEDULED,
        Reason.BY_HAND,
        "retry",
        **identity(["me", "mum"]),
        next_attempt_at=SLOT + MINUTE,
    )

    assert apply(before, again) == replace(
        before,
        state=State.SCHEDULED,
        reason=Reason.BY_HAND,
        detail="retry",
        targets={"me": C, "mum": Result(State.SCHEDULED, parts=1)},
        next_attempt_at=SLOT + MINUTE,
        updated_at=SLOT + MINUTE,
        is_reopened=True,
        tries_before=1,
    )
    ended = settle(State.UNKNOWN, Reason.PROCESS_DIED)
    for then in ([SECOND_CLAIM], [SECOND_CLAIM, ended]):
        found = folded(FIRST_CLAIM, again, *then)
        assert (found.is_reopened, found.tries_before) == (True, 1)


def test_a_late_outcome_of_an_older_attempt_is_kept_with_that_attempt_alone() -> None:
    late = outcome({"me": F, "mum": F}, at=SLOT + 2 * MINUTE)
    before = folded(FIRST_CLAIM, settle(State.UNKNOWN, Reason.PROCESS_DIED), SECOND_CLAIM)
    after = apply(before, late)

    assert after is not None
    assert after.attempts == (
        replace(
            FIRST_ATTEMPT,
            sent_at=SLOT + 2 * MINUTE - SECOND / 2,
            ended_at=SLOT + 2 * MINUTE,
            results={"me": F, "mum": F},
        ),
        SECOND_ATTEMPT,
    )
    assert replace(after, attempts=before.attempts) == before


def test_late_good_news_keeps_the_time_of_the_next_attempt() -> None:
    next_at = SLOT + 5 * MINUTE
    waiting = folded(
        FIRST_CLAIM, settle(State.UNKNOWN, Reason.READ_TIMEOUT, next_attempt_at=next_at,
                            to=["me", "mum"])
    )  # fmt: skip
    after = apply(waiting, outcome({"me": C, "mum": F}, at=SLOT + 2 * MINUTE))

    assert after is not None
    assert after.targets == {"me": C, "mum": Result(State.UNKNOWN, Reason.READ_TIMEOUT)}
    assert (after.state, after.next_attempt_at) == (State.UNKNOWN, next_at)
    assert after.updated_at == SLOT + 2 * MINUTE


@pytest.mark.parametrize(("number", "by"), [(2, "a"), (1, "b")])
def test_bad_news_is_believed_only_of_the_very_claim_that_stands(number: int, by: str) -> None:
    delivery = folded(claim(), outcome({"me": F}, number, by))

    assert delivery.state is State.SENDING
    assert delivery.attempts == folded(claim()).attempts


def test_an_outcome_counts_for_a_receiver_whom_its_claim_did_not_name() -> None:
    assert folded(claim(), outcome({"me": F, "mum": C})).targets == {"me": F, "mum": C}
    assert folded(claim(), outcome({"me": F, "mum": F})).targets == {"me": F, "mum": F}


def test_good_news_without_an_attempt_is_believed() -> None:
    delivery = folded(settle(State.MISSED, Reason.NO_TICK), outcome({"me": C}))

    assert (delivery.state, delivery.attempts) == (State.CONFIRMED, ())
    assert delivery.confirmed_at == SLOT + SECOND


def test_bad_news_cannot_take_a_confirmation_back_while_the_claim_still_stands() -> None:
    again = outcome({"me": C, "mum": F}, at=SLOT + 3 * SECOND)
    delivery = folded(
        FIRST_CLAIM,
        outcome({"me": C}, 9, "z"),
        replace(again, targets={"me": F, "mum": F}),
    )

    assert delivery.targets == {"me": C, "mum": F}


def test_an_outcome_without_any_claim_makes_no_delivery() -> None:
    assert fold([outcome({"me": C})]) == {}


@pytest.mark.parametrize(
    "event",
    [
        settle(State.UNKNOWN, Reason.PROCESS_DIED),
        settle(State.FAILED, Reason.EXPIRED),
        settle(State.MISSED, Reason.NO_TICK),
        settle(State.CANCELLED, Reason.BY_HAND),
        settle(State.SCHEDULED, Reason.BY_HAND, kind=Reopen),
        outcome({"me": F}, at=SLOT + MINUTE),
        outcome({"me": U}, at=SLOT + MINUTE),
    ],
    ids=lambda event: f"{type(event).__name__}-{event.state}",
)
def test_confirmed_is_final(event: Event) -> None:
    delivery = folded(claim(), outcome({"me": C}), event)

    assert delivery.state is State.CONFIRMED
    assert delivery.targets["me"].state is State.CONFIRMED


def test_a_confirmed_delivery_is_reopened_by_force_alone() -> None:
    reopened = settle(
        State.SCHEDULED, Reason.BY_HAND, kind=Reopen, forced=True, next_attempt_at=SLOT
    )
    delivery = folded(claim(), outcome({"me": C}), reopened)

    assert delivery.state is State.SCHEDULED
    assert delivery.targets == {}
    assert len(delivery.attempts) == 1


def test_a_receiver_who_is_confirmed_stays_so_while_the_other_is_tried_again() -> None:
    both = ["me", "uuid-aaa"]
    first = [claim(to=both), outcome({"me": C, "uuid-aaa": R}, next_at=SLOT + 30 * SECOND)]
    second = [
        claim(2, "b", SLOT + MINUTE, ["uuid-aaa"]),
        outcome({"uuid-aaa": F}, 2, "b", SLOT + MINUTE + SECOND),
    ]

    assert folded(*first).state is State.RETRYING
    assert folded(*first, second[0]).state is State.SENDING
    ended = folded(*first, *second)
    assert ended.state is State.FAILED
    assert {name: r.state for name, r in ended.targets.items()} == {
        "me": State.CONFIRMED,
        "uuid-aaa": State.FAILED,
    }


def test_settling_leaves_confirmed_and_failed_receivers_as_they_are() -> None:
    names = ["me", "uuid-aaa", "uuid-bbb"]
    delivery = folded(
        claim(to=names),
        outcome({"me": C, "uuid-aaa": F, "uuid-bbb": R}, next_at=SLOT),
        settle(State.FAILED, Reason.EXPIRED, to=names),
    )

    assert [delivery.targets[name].reason for name in names] == [
        None,
        Reason.REFUSED,
        Reason.EXPIRED,
    ]


def test_a_missed_slot_has_no_attempt() -> None:
    delivery = folded(settle(State.MISSED, Reason.NO_TICK))

    assert (delivery.state, delivery.attempts, delivery.sent_at) == (State.MISSED, (), None)
    assert delivery.targets["me"].state is State.MISSED


def test_a_damage_line_makes_no_delivery() -> None:
    event = line(Damage, SLOT, "2026-11-23", detail="line 5", kept="x")

    assert fold([as_read(event)]) == {}


@given(
    st.lists(
        st.sampled_from(
            [
                claim(),
                claim(2, "b", SLOT + MINUTE),
                outcome({"me": C}),
                outcome({"me": U}, 2, "b", SLOT + 2 * MINUTE),
                outcome({"me": F}),
                settle(State.UNKNOWN, Reason.PROCESS_DIED),
                settle(State.MISSED, Reason.NO_TICK),
                settle(State.SCHEDULED, Reason.BY_HAND, kind=Reopen),
            ]
        ),
        max_size=8,
    )
)
def test_whatever_the_order_kakaos_own_word_stands_and_folding_never_fails(
    events: list[Event],
) -> None:
    has_word = False
    for count, event in enumerate(events):
        if isinstance(event, Claim):
            has_word = False
        elif isinstance(event, Outcome) and event.state is State.CONFIRMED:
            has_word = has_word or ID in fold(events[:count])
        delivery = fold(events[: count + 1]).get(ID)
        assert not has_word or (delivery is not None and delivery.state is State.CONFIRMED)


@pytest.mark.parametrize(
    ("now", "is_over"),
    [
        (SLOT + 29 * SECOND, False),
        (SLOT + 30 * SECOND, False),
        (SLOT + 31 * SECOND, True),
        (SLOT - 5 * SECOND, False),
        (SLOT - 6 * SECOND, True),
    ],
)
def test_a_lease_ends_with_its_time_or_when_the_clock_was_set_back(
    now: datetime, is_over: bool
) -> None:
    assert folded(claim()).lease_is_over(now) is is_over


# --- what a channel tells afterwards ------------------------------------------------------------

BOTH = ["me", "mum"]
KEYS = {name: SendKey(name, SLOT + SECOND, SLOT + 5 * MINUTE) for name in BOTH}
KEYED = replace(FIRST_CLAIM, keys=KEYS)
SENT = Result(State.SENT, code=0, parts=1, ref="M4V")
LATER = SLOT + 2 * MINUTE
NEXT_AT = SLOT + 7 * MINUTE
HAD_IT = Result(State.CONFIRMED, code="1000", at=SLOT + 90 * SECOND)
NEVER = Result(State.FAILED, Reason.UNDELIVERED, code="3019", at=SLOT + 90 * SECOND)
ABSENT = Result(State.UNKNOWN, Reason.NOT_FOUND, behind=Reason.READ_TIMEOUT)


def asked(number: int = 1, next_at: datetime | None = None, /, **told: Result) -> Event:
    return written(DeliveryReceipt, LATER, attempt=number, targets=told, next_attempt_at=next_at)


def test_what_a_channel_has_delivered_is_confirmed_with_its_time() -> None:
    before = folded(KEYED, outcome({"me": SENT, "mum": C}))

    assert apply(before, asked(me=HAD_IT)) == replace(
        before,
        state=State.CONFIRMED,
        targets={"me": replace(HAD_IT, ref="M4V", parts=1), "mum": C},
        updated_at=LATER,
        asked_at=LATER,
    )


def test_what_a_channel_says_later_takes_the_place_of_what_it_said() -> None:
    before = folded(KEYED, outcome({"me": SENT, "mum": C}))
    why = Cause("said", {"words": "no KakaoTalk"})
    never = replace(NEVER, cause=why, behind=Reason.QUOTA, ref="N5W", parts=2)

    assert apply(before, asked(me=never)) == replace(
        before,
        state=State.FAILED,
        reason=Reason.UNDELIVERED,
        cause=why,
        behind=Reason.QUOTA,
        targets={"me": never, "mum": C},
        updated_at=LATER,
        asked_at=LATER,
    )


def test_what_a_channel_does_not_know_has_its_next_attempt_by_that_line() -> None:
    before = folded(KEYED, outcome({"me": U, "mum": C}))

    assert apply(before, asked(1, NEXT_AT, me=ABSENT)) == replace(
        before,
        reason=Reason.NOT_FOUND,
        detail=None,
        behind=Reason.READ_TIMEOUT,
        targets={"me": ABSENT, "mum": C},
        next_attempt_at=NEXT_AT,
        updated_at=LATER,
        asked_at=LATER,
    )


def test_a_channel_that_tells_nothing_new_has_been_asked() -> None:
    before = folded(KEYED, outcome({"me": SENT, "mum": U}))

    assert apply(before, asked(1, NEXT_AT)) == replace(
        before, asked_at=LATER, next_attempt_at=NEXT_AT
    )


@pytest.mark.parametrize(
    ("told", "end"), [(HAD_IT, State.CONFIRMED), (NEVER, State.SENDING), (ABSENT, State.SENDING)]
)
def test_of_an_older_attempt_only_that_it_was_delivered_counts(told: Result, end: State) -> None:
    before = folded(KEYED, outcome({"me": U, "mum": U}), claim(2, "b", SLOT + MINUTE, BOTH))
    after = apply(before, asked(1, NEXT_AT, me=told, mum=told))

    assert after is not None
    assert {one.state for one in after.targets.values()} == {after.state} == {end}
    assert (after.asked_at, after.next_attempt_at) == (None, None)
    held = replace(before, state=State.UNKNOWN, next_attempt_at=SLOT, asked_at=SLOT + SECOND)
    assert apply(held, asked(1, NEXT_AT)) == held


@pytest.mark.parametrize("state", State)
def test_who_is_at_an_end_is_moved_by_nothing_but_that_it_was_delivered(state: State) -> None:
    before = folded(KEYED, outcome({"me": Result(state), "mum": Result(state)}))
    awaited = state in {State.SENT, State.UNKNOWN}

    for told in (NEVER, ABSENT, SENT):
        after = apply(before, asked(me=told, you=told))
        assert after is not None
        assert after.targets == {
            "me": told if awaited else Result(state), "mum": Result(state)
        }  # fmt: skip
    after = apply(before, asked(me=HAD_IT, you=HAD_IT))
    assert after is not None
    assert after.targets["me"] == (Result(state) if state is State.CONFIRMED else HAD_IT)
    assert after.targets.keys() == {"me", "mum"}


@pytest.mark.parametrize("state", State)
def test_a_channel_changes_when_the_next_attempt_is_only_of_what_it_can_settle(
    state: State,
) -> None:
    before = replace(folded(KEYED), state=state, next_attempt_at=SLOT)
    after = apply(before, asked(1, NEXT_AT))

    assert after is not None
    asks = state in {State.SENT, State.UNKNOWN}
    assert after.next_attempt_at == (NEXT_AT if asks else SLOT)


def test_a_person_who_settled_or_reopened_it_is_contradicted_only_by_what_was_delivered() -> None:
    sent = settle(State.SENT, Reason.BY_HAND, to=BOTH)
    again = settle(State.SCHEDULED, Reason.BY_HAND, to=BOTH, kind=Reopen, next_attempt_at=SLOT)
    for event in (sent, again):
        before = folded(KEYED, outcome({"me": U, "mum": U}), event)
        assert apply(before, asked(me=NEVER, mum=ABSENT)) == replace(before, asked_at=LATER)
        half = apply(before, asked(me=HAD_IT))
        assert half is not None
        assert (half.state, half.reason) == (before.state, Reason.BY_HAND)
        assert half.targets["me"].state is State.CONFIRMED
        whole = apply(half, asked(mum=HAD_IT))
        assert whole is not None
        assert whole.state is State.CONFIRMED


def test_what_a_channel_says_of_what_nobody_tried_counts_only_if_it_was_delivered() -> None:
    missed = folded(settle(State.MISSED, Reason.NO_TICK))

    assert apply(missed, asked(me=NEVER)) == missed
    after = apply(missed, asked(me=HAD_IT))
    assert after is not None
    assert (after.state, after.asked_at) == (State.CONFIRMED, None)
    assert apply(None, asked(me=HAD_IT)) is None


def test_a_new_claim_is_asked_about_anew() -> None:
    before = folded(KEYED, outcome({"me": U, "mum": U}), asked(me=ABSENT))
    after = apply(before, claim(2, "b", LATER + SECOND))

    assert (before.asked_at, after and after.asked_at) == (LATER, None)


@pytest.mark.parametrize("state", State)
def test_only_what_is_sent_or_unknown_and_not_by_hand_is_awaited(state: State) -> None:
    is_open = state in {State.SENT, State.UNKNOWN}

    assert is_awaited(Result(state)) is is_open
    assert is_awaited(Result(state, Reason.NO_RECEIPT)) is is_open
    assert not is_awaited(Result(state, Reason.BY_HAND))


def test_the_newest_key_of_a_receiver_counts() -> None:
    newer = {"mum": SendKey("newer", LATER)}
    first, second = replace(FIRST_ATTEMPT, keys=KEYS), replace(SECOND_ATTEMPT, keys=newer)
    one = replace(folded(KEYED), attempts=(first, second, replace(first, number=3, keys=None)))

    assert [key_of(one, name) for name in ("me", "mum", "you")] == [
        KEYS["me"], newer["mum"], None,
    ]  # fmt: skip


def unknown(*results: Result, keys: Mapping[str, SendKey] | None = KEYS, **more: Any) -> Delivery:
    """What came to these results and is unknown as a whole."""
    targets = dict(zip(BOTH, results, strict=False))
    tried = (replace(FIRST_ATTEMPT, keys=keys),)
    one = Delivery(ID, "report", "peak", SLOT, State.UNKNOWN, attempts=tried, targets=targets)
    return replace(one, **more)


@pytest.mark.parametrize(
    ("one", "is_settled"),
    [
        (unknown(U), True),
        (unknown(U, asked_at=LATER), False),
        (unknown(U, keys=None), False),
        (unknown(U, keys={"mum": KEYS["mum"]}), False),
        (unknown(C, U), True),
        (unknown(replace(U, reason=Reason.BY_HAND)), False),
        (unknown(U, state=State.SENT), False),
        (unknown(U, next_attempt_at=NEXT_AT), False),
        (unknown(ABSENT, next_attempt_at=NEXT_AT, asked_at=LATER), True),
        (unknown(ABSENT, U, next_attempt_at=NEXT_AT, asked_at=LATER), True),
        (unknown(ABSENT, next_attempt_at=NEXT_AT, keys=None), False),
        (unknown(ABSENT, asked_at=LATER), False),
    ],
)
def test_it_waits_for_a_person_when_no_channel_is_to_be_asked_any_more(
    one: Delivery, is_settled: bool
) -> None:
    assert one.is_being_settled is is_settled
    is_unknown = one.state is State.UNKNOWN
    assert one.is_held is (is_unknown and not is_settled and one.next_attempt_at is None)


def test_all_had_it_when_the_last_of_them_had() -> None:
    sooner = replace(HAD_IT, at=SLOT + MINUTE)
    for told in ({"me": HAD_IT, "mum": sooner}, {"me": sooner, "mum": HAD_IT}):
        one = folded(KEYED, outcome({"me": SENT, "mum": SENT}), asked(**told))
        assert (one.confirmed_at, one.updated_at) == (HAD_IT.at, LATER)
    half = folded(KEYED, outcome({"me": SENT, "mum": SENT}), asked(me=HAD_IT))
    assert half.confirmed_at is None


NO_WORD = Result(State.SENT, Reason.NO_RECEIPT, code="3005")


@pytest.mark.parametrize(
    ("results", "receipt"),
    [
        ([HAD_IT], HAD_IT),
        ([NO_WORD], NO_WORD),
        ([HAD_IT, NEVER], NEVER),
        ([NEVER, HAD_IT], NEVER),
        ([HAD_IT, NO_WORD], NO_WORD),
        ([HAD_IT, F], HAD_IT),
        ([SENT, U], None),
    ],
)
def test_the_receipt_is_the_worst_of_what_was_told_afterwards(
    results: list[Result], receipt: Result | None
) -> None:
    assert unknown(*results).receipt == receipt


# --- a first claim that goes well ---------------------------------------------------------------

WELL = replace(
    outcome({"me": C, "mum": replace(C, reason=Reason.PICTURE_LEFT_OUT)}),
    next_attempt_at=NEXT_AT,
)
NOTED = replace(FIRST_CLAIM, host="north", read=Cause("said", {"words": "a.csv"}))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"detail": "no picture"},
        {"cause": Cause("http", {"status": 413}), "behind": Reason.REFUSED},
    ],
)
@pytest.mark.parametrize("changes", [{}, {"content": None}, {"content": {}, "host": None}])
def test_what_goes_well_is_folded_in_one_step_to_the_same(
    said: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert isinstance(WELL, Outcome)
    claimed = replace(NOTED, **changes)
    ended = replace(WELL, targets={**WELL.targets, "mum": replace(WELL.targets["mum"], **said)})

    assert isinstance(claimed, Claim)
    assert plain(claimed, ended) == folded(claimed, ended)
    assert plain(replace(claimed, to=("me",)), replace(ended, targets={"me": C})) is not None


@pytest.mark.parametrize(
    ("claimed", "ended"),
    [
        ({}, {"attempt": 2}),
        ({}, {"by": "b"}),
        ({"state": State("queued")}, {}),
        ({"state": None}, {}),
        ({}, {"state": State.FAILED}),
        ({}, {"state": None}),
        ({"keys": KEYS}, {}),
        ({}, {"targets": {"mum": C, "me": C}}),
        ({}, {"targets": {"me": C}}),
        ({"to": ()}, {"targets": {}}),
        ({}, {"targets": {"me": C, "mum": F}}),
        ({}, {"targets": {"me": SENT, "mum": C}}),
    ],
)
def test_any_other_is_folded_line_by_line(claimed: dict[str, Any], ended: dict[str, Any]) -> None:
    first = replace(NOTED, **claimed)

    assert isinstance(first, Claim)
    assert plain(first, replace(WELL, **ended)) is None
    assert plain(first, settle(State.CONFIRMED, Reason.BY_HAND)) is None


@pytest.mark.parametrize(
    ("result", "count"),
    [
        (None, 1),  # nobody knows: it may have gone
        (Result(State.UNKNOWN), 1),
        (Result(State.UNKNOWN, parts=2), 2),
        (Result(State("queued")), 1),
        (Result(State.SENT), 1),
        (Result(State.CONFIRMED, parts=1), 1),
        (Result(State.CONFIRMED, parts=3), 3),
        (Result(State.RETRYING), None),
        (Result(State.RETRYING, parts=1), 1),
        (Result(State.FAILED), None),
        (Result(State.FAILED, parts=2), 2),
    ],
)
def test_what_the_service_has_taken_of_an_attempt_is_counted(
    result: Result | None, count: int | None
) -> None:
    results = {"mum": result, "you": C} if result else {}
    attempt = replace(FIRST_ATTEMPT, to=("mum",), results=results)

    assert taken(attempt) == ({} if count is None else {"mum": count})


# --- what scripts read --------------------------------------------------------------------------


def test_a_delivery_has_the_fields_of_the_contract_and_no_other() -> None:
    fields = delivery_fields(folded(claim(), outcome({"me": C})))

    assert fields == {
        "id": ID,
        "message": "report",
        "kind": "peak",
        "slot": "2026-11-23T09:30:00+09:00",
        "state": "confirmed",
        "attempts": 1,
        "to": ["me"],
        "channel": "kakaotalk",
        "targets": {"me": "confirmed"},
        "sent_at": "2026-11-23T09:30:00.500+09:00",
        "confirmed_at": "2026-11-23T09:30:01+09:00",
        "delay_seconds": 0.5,
        "next_attempt_at": None,
        "reason": None,
        "text": "보고",
        "content_hash": "00ff",
    }


def test_where_several_hosts_share_a_ledger_it_is_told_which_has_sent_it() -> None:
    one = folded(replace(claim(), host="north"), outcome({"me": C}))

    assert delivery_fields(one)["host"] == "north"
    assert attempt_fields(one.attempts[0], lambda _: None)["host"] == "north"


@pytest.mark.parametrize(
    ("told", "receipt"),
    [
        (HAD_IT, {"code": "1000", "at": "2026-11-23T09:31:30+09:00"}),
        (NO_WORD, {"code": "3005", "at": None}),
    ],
)
def test_what_a_channel_told_afterwards_is_told(told: Result, receipt: dict[str, Any]) -> None:
    assert delivery_fields(unknown(told))["receipt"] == receipt


def test_the_channels_of_a_delivery_are_told_once_each_in_the_order_of_its_receivers() -> None:
    one = folded(claim(to=["01012345678", "me", "+821012345678", "room:all"]))

    assert delivery_fields(one)["channel"] == "alimtalk,kakaotalk,bot"


def test_an_attempt_tells_its_time_duration_status_and_code() -> None:
    (attempt,) = folded(claim(), outcome({"me": F})).attempts

    assert attempt_fields(attempt, lambda one: one.detail) == {
        "attempt": 1,
        "claimed_at": "2026-11-23T09:30:00+09:00",
        "sent_at": "2026-11-23T09:30:00.500+09:00",
        "ended_at": "2026-11-23T09:30:01+09:00",
        "duration_seconds": 0.5,
        "to": ["me"],
        "results": {
            "me": {
                "state": "failed",
                "reason": "refused",
                "detail": "no",
                "code": -2,
                "http_status": 400,
                "phase": "after",
            }
        },
    }


def test_a_result_is_shown_with_its_cause_in_words() -> None:
    cause = Cause("http", {"status": 429})
    result = Result(
        State.FAILED, Reason.RETRIES_SPENT, "DNS", cause=cause, behind=Reason.REFUSED_FOR_NOW
    )

    assert shown_result(result, lambda one: str(one.cause and one.cause.code)) == {
        "state": "failed",
        "reason": "retries-spent",
        "detail": "http",
    }


def test_an_attempt_that_never_left_is_timed_from_its_claim() -> None:
    unsent = outcome({"me": R}, at=SLOT + 3 * SECOND)
    (attempt,) = folded(claim(), replace(unsent, sent_at=None)).attempts
    fields = attempt_fields(attempt, lambda one: one.detail)

    assert (fields["sent_at"], fields["duration_seconds"]) == (None, 3.0)


def test_a_delivery_tells_when_it_is_tried_again_and_why() -> None:
    fields = delivery_fields(folded(claim(), outcome({"me": R}, next_at=SLOT + MINUTE)))

    assert fields["next_attempt_at"] == "2026-11-23T09:31:00+09:00"
    assert fields["reason"] == "unreachable"


def test_an_attempt_under_way_has_no_end() -> None:
    (attempt,) = folded(claim()).attempts
    fields = attempt_fields(attempt, lambda one: one.detail)

    assert (fields["ended_at"], fields["duration_seconds"], fields["results"]) == (None, None, {})


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (SLOT, "2026-11-23T09:30:00+09:00"),
        (SLOT + timedelta(milliseconds=41), "2026-11-23T09:30:00.041+09:00"),
        (SLOT.astimezone(UTC), "2026-11-23T09:30:00+09:00"),
    ],
)
def test_an_instant_is_written_in_korean_time(moment: datetime, text: str) -> None:
    assert isoformat(moment) == text


def test_a_day_is_read_as_its_lines_fold_one_after_another() -> None:
    """What goes well is folded in one step; whatever else stands there makes no difference."""
    lines: list[list[Event]] = [
        [],
        [claim()],
        [replace(claim(), state=State("queued"))],
        [replace(claim(), content={})],
        [replace(claim(), to=())],
        [claim(), replace(claim(), attempt=2)],
    ]
    ends: list[list[Event]] = [
        [],
        [outcome({"me": C})],
        [outcome({"me": C}), outcome({"me": C})],
        [outcome({"you": C})],
        [outcome({"me": C, "you": C})],
        [outcome({"me": F})],
        [replace(outcome({"me": C}), state=State.FAILED)],
        [replace(outcome({"me": C}), by="another")],
        [replace(outcome({"me": C}), attempt=2)],
        [replace(outcome({"me": C}), next_attempt_at=SLOT)],
    ]
    for begin, end in itertools.product(lines, ends):
        content = b"".join(to_line(event) for event in [*begin, *end])
        events = [from_line(line) for line in content.splitlines()]
        assert parse_day(SLOT.date(), content).deliveries == fold(events), (begin, end)


@pytest.mark.parametrize(
    ("receiver", "channel"),
    [
        ("me", "kakaotalk"),
        ("minji", "kakaotalk"),
        ("uuid-aaa@minji", "kakaotalk"),
        ("0a1b2c3d4e5f", "kakaotalk"),
        ("01012345678", "alimtalk"),
        ("+821012345678", "alimtalk"),
        ("15881234", "alimtalk"),
        ("room:기사방", "bot"),
        ("room:010-1234-5678", "bot"),
        ("", "kakaotalk"),
    ],
)
def test_the_form_of_a_receiver_tells_the_channel(receiver: str, channel: str) -> None:
    assert channel_by_form(receiver) == channel
