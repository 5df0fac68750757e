"""The next slot at which a message does not rest."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from kakaocron.kst import KST
from kakaocron.schedule.pauses import (
    Pause,
    as_of,
    first_open,
    from_json,
    is_paused,
    resumed,
    to_json,
)
from kakaocron.schedule.slots import Minutes, Series, Timetable

NOW = datetime(2026, 11, 23, 9, 16, tzinfo=KST)
HALF_PAST, QUARTER_TO, TEN = (
    datetime(2026, 11, 23, hour, minute, tzinfo=KST) for hour, minute in ((9, 30), (9, 45), (10, 0))
)
INSTANT = timedelta.resolution


def series(name: str = "report", *kinds: str) -> Series:
    kinds = kinds or ("regular", "peak")
    return Series(
        name,
        Timetable(
            Minutes(
                frozenset({0, 30}), frozenset({0, 15, 30, 45}), frozenset({9}), frozenset(kinds)
            )
        ),
        ("me",),
    )


def found(*pauses: Pause, kind: str | None = None, taken: frozenset[str] = frozenset()) -> object:
    slot = first_open([series()], pauses, NOW, kind, taken)
    return slot and slot.at


def test_without_a_pause_it_is_the_next_slot_of_the_kind() -> None:
    assert (found(), found(kind="peak"), found(kind="regular")) == (HALF_PAST, HALF_PAST, TEN)
    assert first_open([], (), NOW) is None


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (HALF_PAST - INSTANT, HALF_PAST),
        (HALF_PAST, HALF_PAST),
        (HALF_PAST + INSTANT, QUARTER_TO),
        (QUARTER_TO, QUARTER_TO),
        (None, None),
    ],
)
def test_a_pause_is_over_at_its_end_and_not_before(
    until: datetime | None, expected: datetime | None
) -> None:
    assert found(Pause(NOW, None, until)) == expected
    assert found(Pause(NOW, "report", until)) == expected
    assert found(Pause(NOW, "other", until)) == HALF_PAST


def test_pauses_that_overlap_are_leapt_over_one_after_the_other() -> None:
    years = timedelta(days=3000)
    pauses = (Pause(NOW, None, QUARTER_TO), Pause(HALF_PAST, "report", NOW + years))

    slot = first_open([series()], pauses, NOW)
    assert slot is not None
    assert timedelta(0) < slot.at - (NOW + years) <= timedelta(minutes=30)


def test_what_has_a_state_already_is_passed_over() -> None:
    taken = frozenset({"report@20261123T0930"})
    assert found(taken=taken) == QUARTER_TO
    assert found(kind="peak", taken=taken) == QUARTER_TO


def test_the_first_of_all_messages_is_named_and_at_one_instant_the_first_by_name() -> None:
    both = [series("b"), series("a")]
    for pauses, expected in (((), "a"), ((Pause(NOW, "a"),), "b")):
        slot = first_open(both, pauses, NOW)
        assert slot is not None
        assert (slot.message, slot.at) == (expected, HALF_PAST)


def test_a_kind_that_a_message_never_has_is_not_looked_for() -> None:
    only_regular = series("report", "regular")
    slot = first_open([only_regular], (), NOW, "regular")

    assert slot is not None
    assert slot.at == TEN
    never = Minutes(frozenset({0}), frozenset(), frozenset(), frozenset({"peak"}))
    no_peak = Series("x", Timetable(never), ())
    assert first_open([no_peak], (), NOW) is None


@pytest.mark.parametrize(("now", "expected"), [(TEN - INSTANT, False), (TEN, True)])
def test_what_was_resumed_stays_so_when_the_clock_is_set_back(
    now: datetime, expected: bool
) -> None:
    ended = resumed([Pause(NOW, None, None)], None, TEN)

    assert is_paused(as_of(ended, now), "report", HALF_PAST) is expected
    assert not any(pause.is_open(now) for pause in ended)


def test_what_was_paused_until_a_time_rests_until_then_by_every_clock() -> None:
    pauses = (Pause(NOW, None, TEN),)
    for now in (NOW - timedelta(hours=5), HALF_PAST, TEN + INSTANT):
        assert is_paused(as_of(pauses, now), "report", HALF_PAST)
        assert not is_paused(as_of(pauses, now), "report", TEN)


def test_what_was_paused_by_a_clock_ahead_rests_by_the_right_one_too() -> None:
    ahead = Pause(NOW + timedelta(hours=5), "report")

    assert is_paused(as_of([ahead], TEN), "report", HALF_PAST)
    assert not is_paused(as_of([ahead], TEN), "other", HALF_PAST)
    begun = Pause(HALF_PAST, "report")
    assert as_of([begun], HALF_PAST) == (begun,)


def test_pauses_are_read_back_as_they_were_also_without_the_word_resumed() -> None:
    kept = resumed([Pause(NOW, "report", None, "쉼"), Pause(NOW, None, TEN)], "report", TEN)

    assert from_json(to_json(kept)) == kept
    assert [pause.is_resumed for pause in kept] == [True, False]
    older = to_json(kept).replace(b', "resumed": true', b"").replace(b', "resumed": false', b"")
    assert b"resumed" not in older
    assert [pause.is_resumed for pause in from_json(older)] == [False, False]
