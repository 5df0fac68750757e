"""Ledger lines and what they fold into."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.core.calendar import KST
from kakaocron.core.ledger import (
    FINAL,
    DamagedLineError,
    Delivery,
    Event,
    Kind,
    NewerFormatError,
    Reason,
    Result,
    State,
    as_read,
    attempt_fields,
    delivery_fields,
    fold,
    from_line,
    is_event,
    isoformat,
    to_line,
    worst,
)

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
    return as_read(Event(Kind.CLAIM, at, ID, State.SENDING, data=data))


def outcome(
    targets: Mapping[str, Result],
    number: int = 1,
    by: str = "a",
    at: datetime = SLOT + SECOND,
    next_at: datetime | None = None,
) -> Event:
    end = worst(targets.values())
    data = {
        "attempt": number,
        "by": by,
        "targets": dict(targets),
        "sent_at": at - SECOND / 2,
        "next_attempt_at": next_at,
    }
    return as_read(Event(Kind.OUTCOME, at, ID, end.state, end.reason, end.detail, data=data))


def settle(
    state: State,
    reason: Reason,
    at: datetime = SLOT + MINUTE,
    to: list[str] | None = None,
    kind: Kind = Kind.SETTLE,
    **data: Any,
) -> Event:
    return as_read(Event(kind, at, ID, state, reason, data={**identity(to or ["me"]), **data}))


def folded(*events: Event) -> Delivery:
    return fold(events)[ID]


def rewritten(line: bytes, **changes: Any) -> bytes:
    """Change fields of a line and give it the checksum that goes with them."""
    fields = {k: v for k, v in json.loads(line).items() if k != "crc"} | changes
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return b'%b,"crc":"%08x"}' % (body[:-1], crc32(body))


# --- one line ---------------------------------------------------------------------------------


def test_a_line_is_one_json_object_with_its_checksum_last() -> None:
    line = to_line(claim())
    fields = json.loads(line)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert list(fields)[:4] == ["v", "at", "event", "id"]
    assert list(fields)[-1] == "crc"
    assert fields["at"] == "2026-11-23T09:30:00+09:00"


_NAMES = st.text(st.characters(codec="utf-8"), max_size=12)
_INSTANTS = st.integers(0, 4_102_444_800_000).map(
    lambda number: datetime.fromtimestamp(0, KST) + timedelta(milliseconds=number)
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
)


@given(
    kind=st.sampled_from([Kind.SETTLE, Kind.REOPEN]),
    at=_INSTANTS,
    state=st.sampled_from(State),
    reason=st.none() | st.sampled_from(Reason),
    detail=st.none() | _NAMES,
    settled=st.none() | _INSTANTS,
    to=st.lists(_NAMES, max_size=4),
    text=_NAMES,
)
def test_a_settling_line_is_read_back_as_it_was_written(
    kind: Kind,
    at: datetime,
    state: State,
    reason: Reason | None,
    detail: str | None,
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
    }
    event = Event(kind, at, ID, state, reason, detail, settled, data)

    assert as_read(event) == event


@given(st.dictionaries(_NAMES, _RESULTS, max_size=4), _INSTANTS, st.none() | _INSTANTS)
def test_an_outcome_is_read_back_as_it_was_written(
    targets: dict[str, Result], at: datetime, next_at: datetime | None
) -> None:
    data = {
        "attempt": 3,
        "by": "1234-ff",
        "targets": targets,
        "sent_at": at,
        "next_attempt_at": next_at,
    }
    event = Event(Kind.OUTCOME, at, ID, State.FAILED, None, data=data)

    assert as_read(event) == event


@given(st.integers(0), st.integers(0, 7))
def test_no_flipped_bit_is_read_as_an_event(place: int, bit: int) -> None:
    line = bytearray(to_line(claim())[:-1])
    line[place % len(line)] ^= 1 << bit

    with pytest.raises(DamagedLineError):
        from_line(bytes(line))


def test_no_line_cut_short_is_read_as_an_event() -> None:
    line = to_line(claim())[:-1]

    assert not any(is_event(line[:length]) for length in range(len(line)))
    assert is_event(line)


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
        {"event": "dance"},
        {"id": "report"},
        {"id": 5},
        {"id": "report@20261399T0930"},
        {"at": "2026-11-23T09:30:00"},
        {"at": "yesterday"},
        {"at": 5},
        {"state": "fine"},
        {"reason": "because"},
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
    line = to_line(claim())
    assert is_event(rewritten(line))

    with pytest.raises(DamagedLineError):
        from_line(rewritten(line, **changes))


@pytest.mark.parametrize("targets", [None, [], {"me": None}, {"me": {}}, {"me": {"state": "x"}}])
def test_an_outcome_with_wrong_targets_is_damage(targets: object) -> None:
    with pytest.raises(DamagedLineError):
        from_line(rewritten(to_line(outcome({"me": C})), targets=targets))


def test_a_field_that_a_later_writer_added_is_passed_over() -> None:
    assert from_line(rewritten(to_line(claim()), mood="good")).id == ID


# --- states -------------------------------------------------------------------------------------


def test_the_states_are_those_of_the_contract() -> None:
    assert {str(state) for state in State} == {
        "scheduled", "sending", "sent", "confirmed", "retrying", "failed", "unknown", "missed",
        "cancelled",
    }  # fmt: skip
    assert {str(state) for state in FINAL} == {
        "confirmed", "failed", "unknown", "missed", "cancelled",
    }  # fmt: skip


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


def test_an_attempt_that_was_certainly_refused_is_not_when_it_was_sent() -> None:
    delivery = folded(
        claim(),
        outcome({"me": R}, next_at=SLOT + 30 * SECOND),
        claim(2, "b", SLOT + MINUTE),
        outcome({"me": C}, 2, "b", SLOT + MINUTE + SECOND),
    )

    assert len(delivery.attempts) == 2
    assert delivery.sent_at == SLOT + MINUTE + SECOND / 2


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
        settle(State.SCHEDULED, Reason.BY_HAND, kind=Kind.REOPEN),
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
    reopened = settle(
        State.SCHEDULED, Reason.BY_HAND, to=both, kind=Kind.REOPEN, next_attempt_at=SLOT + MINUTE
    )
    delivery = folded(
        claim(to=both), reopened, outcome({"me": C, "uuid-aaa": F}, at=SLOT + 2 * MINUTE)
    )

    assert delivery.state is State.SCHEDULED
    assert delivery.targets["me"].state is State.CONFIRMED
    assert delivery.next_attempt_at == SLOT + MINUTE


def test_an_outcome_without_any_claim_makes_no_delivery() -> None:
    assert fold([outcome({"me": C})]) == {}


@pytest.mark.parametrize(
    "event",
    [
        settle(State.UNKNOWN, Reason.PROCESS_DIED),
        settle(State.FAILED, Reason.EXPIRED),
        settle(State.MISSED, Reason.NO_TICK),
        settle(State.CANCELLED, Reason.BY_HAND),
        settle(State.SCHEDULED, Reason.BY_HAND, kind=Kind.REOPEN),
        outcome({"me": F}, at=SLOT + MINUTE),
        outcome({"me": U}, at=SLOT + MINUTE),
    ],
    ids=lambda event: f"{event.kind}-{event.state}",
)
def test_confirmed_is_final(event: Event) -> None:
    delivery = folded(claim(), outcome({"me": C}), event)

    assert delivery.state is State.CONFIRMED
    assert delivery.targets["me"].state is State.CONFIRMED


def test_a_confirmed_delivery_is_reopened_by_force_alone() -> None:
    reopened = settle(
        State.SCHEDULED, Reason.BY_HAND, kind=Kind.REOPEN, forced=True, next_attempt_at=SLOT
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
    event = Event(Kind.DAMAGE, SLOT, "2026-11-23", detail="line 5", data={"kept": "x"})

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
                settle(State.SCHEDULED, Reason.BY_HAND, kind=Kind.REOPEN),
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
        if event.kind is Kind.CLAIM:
            has_word = False
        elif event.kind is Kind.OUTCOME and event.state is State.CONFIRMED:
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
        "targets": {"me": "confirmed"},
        "sent_at": "2026-11-23T09:30:00.500+09:00",
        "confirmed_at": "2026-11-23T09:30:01+09:00",
        "delay_seconds": 0.5,
        "next_attempt_at": None,
        "reason": None,
        "text": "보고",
        "content_hash": "00ff",
    }


def test_an_attempt_tells_its_time_duration_status_and_code() -> None:
    (attempt,) = folded(claim(), outcome({"me": F})).attempts

    assert attempt_fields(attempt) == {
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


def test_an_attempt_under_way_has_no_end() -> None:
    (attempt,) = folded(claim()).attempts
    fields = attempt_fields(attempt)

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
