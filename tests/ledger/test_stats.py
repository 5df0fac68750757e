"""A day in numbers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Attempt, Delivery
from kakaocron.ledger.events import Result
from kakaocron.ledger.stats import percentile, slots_of, stats_of
from kakaocron.states import Reason, State

SLOT = datetime(2026, 11, 23, 9, 30, tzinfo=KST)


def delivery(state: State, late_seconds: float | None = None) -> Delivery:
    tries: tuple[Attempt, ...] = ()
    if late_seconds is not None:
        sent_at = SLOT + timedelta(seconds=late_seconds)
        results = {"me": Result(state)}
        tries = (Attempt(1, "a", SLOT, SLOT, ("me",), sent_at, sent_at, results),)
    return Delivery("x", "report", "peak", SLOT, state, ("me",), attempts=tries)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.51, 51), (0.99, 99), (1.0, 100)]
)
def test_a_percentile_is_the_nearest_rank_of_a_hundred(share: float, value: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == value


def test_a_percentile_of_one_is_it_and_of_none_is_none() -> None:
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) is None


def test_what_was_sent_by_hand_is_counted_and_spoils_no_rate() -> None:
    by_hand = [replace(delivery(s, 59.9), id="send-1a2b") for s in (State.CONFIRMED, State.FAILED)]
    stats = stats_of([delivery(State.CONFIRMED, 1.0), *by_hand])

    assert (stats.total_sent, stats.total_confirmed, stats.total_failed) == (2, 2, 1)
    assert (stats.success_rate, stats.schedule_accuracy, stats.delay_p99_seconds) == (1.0, 1.0, 1.0)


def test_what_a_person_had_rest_is_counted_as_missed_and_spoils_no_rate() -> None:
    rested = replace(delivery(State.MISSED), reason=Reason.PAUSED)
    stats = stats_of([delivery(State.CONFIRMED, 1.0), rested])

    assert (stats.total_scheduled, stats.total_missed, stats.success_rate) == (2, 1, 1.0)


def test_what_a_person_sent_again_is_a_success_and_not_late() -> None:
    again = replace(delivery(State.CONFIRMED, 19_261.0), is_reopened=True)
    stats = stats_of([delivery(State.CONFIRMED, 1.0), again])

    assert (stats.total_sent, stats.success_rate) == (2, 1.0)
    assert (stats.schedule_accuracy, stats.delay_p99_seconds) == (1.0, 1.0)


def test_a_day_without_slots_has_no_rates() -> None:
    stats = stats_of([])

    assert stats.total_scheduled == 0
    assert (stats.success_rate, stats.schedule_accuracy, stats.delay_p50_seconds) == (
        None,
        None,
        None,
    )


def test_each_state_is_counted_and_open_ones_count_for_no_rate() -> None:
    states = [State.CONFIRMED, State.FAILED, State.UNKNOWN, State.MISSED, State.RETRYING]
    stats = stats_of([delivery(state) for state in states], upcoming=3)

    assert stats.total_scheduled == 8
    assert (stats.total_confirmed, stats.total_failed) == (1, 1)
    assert (stats.total_unknown, stats.total_missed) == (1, 1)
    assert stats.success_rate == 0.25


@pytest.mark.parametrize(("late", "accuracy"), [(59.0, 1.0), (60.0, 1.0), (60.001, 0.0)])
def test_a_minute_late_is_punctual_and_more_is_not(late: float, accuracy: float) -> None:
    assert stats_of([delivery(State.CONFIRMED, late)]).schedule_accuracy == accuracy


def test_the_base_of_the_success_rate_is_what_is_counted_beside_it() -> None:
    by_hand = [replace(delivery(State.FAILED, 1.0), id="send-1a2b") for _ in range(2)]
    rested = replace(delivery(State.MISSED), reason=Reason.PAUSED)
    slots = slots_of([delivery(State.CONFIRMED), delivery(State.UNKNOWN), *by_hand, rested])

    assert (slots.confirmed, slots.failed, slots.unknown, slots.missed) == (1, 0, 1, 0)
    assert (slots.ended, slots.success_rate) == (2, 0.5)


def test_a_slot_from_before_the_very_first_tick_was_not_late() -> None:
    first = [delivery(State.CONFIRMED, 420.0)]

    assert stats_of(first, began_at=SLOT + timedelta(seconds=1)).schedule_accuracy is None
    assert stats_of(first, began_at=SLOT).schedule_accuracy == 0.0
    assert stats_of(first).delay_p99_seconds == 420.0
