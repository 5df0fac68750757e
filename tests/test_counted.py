"""Work that must not grow with what is there: counted, never timed (benchmarks/counted.py)."""

from __future__ import annotations

import pytest

from benchmarks.counted import QUICK, Count


@pytest.mark.parametrize("one", QUICK, ids=lambda one: one.name)
def test_no_more_work_is_done_than_is_needed(one: Count) -> None:
    assert one.count() <= one.most
