"""What the judge asks again and again."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kakaocron.rehearsal.simulation.judge import Spans
from tests.fakes import NOW

MOMENTS = st.integers(0, 40).map(lambda seconds: NOW + timedelta(seconds=seconds))
SPANS = st.tuples(MOMENTS, MOMENTS).map(lambda ends: (min(ends), max(ends)))


@given(st.lists(SPANS, max_size=12), SPANS)
def test_spans_that_touch_another_are_found_as_by_looking_at_each(
    spans: list[tuple[datetime, datetime]], other: tuple[datetime, datetime]
) -> None:
    start, end = other
    each = [one for one in spans if one[0] <= end and one[1] >= start]

    assert sorted(Spans(spans).touching(start, end)) == sorted(each)
