"""Hypothesis for mutation testing: the same examples each time, and no shrinking of what fails.

Nor does it fail for being slow on a busy machine: that would pass for a change that was found.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture
def uncounted() -> None:
    """In place of the one of tests/conftest.py, which is not read: here no line is counted."""
