"""Damaged lines anywhere. This is a sample; more: python -m tests.proofs.damage."""

from __future__ import annotations

import pytest

from tests.proofs.damage import damage_all, damages

pytestmark = pytest.mark.usefixtures("uncounted")


def test_whatever_is_damaged_is_reported_and_nothing_is_sent_twice() -> None:
    counts = damage_all(every=397, one_in=5)
    assert [said for count in counts for said in count.breaches] == []
    assert {count.kind for count in counts} == {damage.kind for damage in damages(397)}
