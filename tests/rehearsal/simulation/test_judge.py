"""What the judge asks again and again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.config.reading import parse_config
from kakaocron.kst import DAY, MINUTE
from kakaocron.rehearsal.simulation.judge import History, Spans, TickRun, Version, judge
from kakaocron.rehearsal.simulation.orders import Order, may_be_paused
from kakaocron.rehearsal.simulation.rules import rules_of
from tests.fakes import MESSAGE, NOW

MOMENTS = st.integers(0, 40).map(lambda seconds: NOW + timedelta(seconds=seconds))
SPANS = st.tuples(MOMENTS, MOMENTS).map(lambda ends: (min(ends), max(ends)))


@given(st.lists(SPANS, max_size=12), SPANS)
def test_spans_that_touch_another_are_found_as_by_looking_at_each(
    spans: list[tuple[datetime, datetime]], other: tuple[datetime, datetime]
) -> None:
    start, end = other
    each = [one for one in spans if one[0] <= end and one[1] >= start]

    assert sorted(Spans(spans).touching(start, end)) == sorted(each)


SECOND = timedelta(seconds=1)
RULES = rules_of(parse_config(f'[kakao]\nrest_api_key = "k"\n{MESSAGE}', "config.toml"))


@pytest.mark.parametrize(
    ("found", "shown", "state", "is_lost"),
    [
        (MINUTE, 2 * MINUTE, "unknown", False),
        (MINUTE, 2 * MINUTE - SECOND, "unknown", True),  # its time had not come: nothing was lost
        (MINUTE, 2 * MINUTE, "missed", True),
        (-SECOND, 2 * MINUTE, "unknown", True),  # set aside before it was entered
    ],
)
def test_what_is_entered_beside_damage_is_held_only_if_its_time_had_come_when_that_was_found(
    found: timedelta, shown: timedelta, state: str, is_lost: bool
) -> None:
    """`found` is when a tick found the damage, after the order; `shown` what a clock that ran ahead
    earlier had shown. The order is for two minutes later, and a tick was there then."""
    slot = NOW + 2 * MINUTE
    order = Order("schedule", NOW, NOW, "hand1", "once-a", slot, ended=NOW, host_ended=NOW)
    order.is_done = True
    ticks = {NOW - DAY: NOW + shown, NOW + found: NOW + found, slot: slot}
    runs = [
        TickRun(at, host_at, ended=at, exit_code=0, is_complete=True)
        for at, host_at in ticks.items()
    ]
    version = Version(NOW - DAY, NOW - DAY, RULES, NOW - DAY, NOW + DAY)
    history = History([version], runs, tampered=[NOW - 2 * SECOND], orders=[order])
    history.ended = history.latest_host = NOW + 5 * MINUTE

    lost = [one for one in judge(history, {("once-a", slot): state}, {}) if "hand1" in one]
    assert [one.partition(":")[0] for one in lost] == ["lost"] * is_lost


@pytest.mark.parametrize(("begun", "may_rest"), [(9, True), (10, False), (11, False)])
def test_a_pause_is_surely_over_only_by_a_resume_that_was_begun_after_it(
    begun: int, may_rest: bool
) -> None:
    """Of two commands that run side by side, either may write last."""

    def order(what: str, start: int, end: int) -> Order:
        started, ended = NOW + start * MINUTE, NOW + end * MINUTE
        return Order(what, started, started, ended=ended, host_ended=ended, is_done=True)

    orders = [order("pause", 0, 10), order("resume", begun, 12)]
    assert may_be_paused(orders, "report", NOW + 20 * MINUTE, []) is may_rest
