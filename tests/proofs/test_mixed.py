"""A person's commands and cron's ticks, mixed in every order: tests/mixed.py has what must hold."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proofs.mixed import Mixed

BRIEF = settings(
    max_examples=30,
    stateful_step_count=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.usefixtures("uncounted")
def test_whatever_is_mixed_keeps_the_promises() -> None:
    run_state_machine_as_test(Mixed, settings=BRIEF)


@pytest.mark.mixed
def test_a_great_many_mixtures_keep_the_promises() -> None:
    many = settings(BRIEF, max_examples=2000, stateful_step_count=50, derandomize=False)
    run_state_machine_as_test(Mixed, settings=many)
