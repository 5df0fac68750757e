"""A tick against the sandbox, over real files and sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from kakaocron.core.ledger import State
from kakaocron.sandbox.server import SandboxServer

from .fakes import MESSAGE, FakeClock, install, run_tick, texts


def test_a_tick_sends_a_slot_at_its_own_minute(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    report = run_tick(install(tmp_path, sandbox, clock))

    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    assert report.ended["report@20261123T0930"].state is State.CONFIRMED
    assert report.exit_code == 0


def test_a_second_tick_in_the_same_minute_sends_nothing(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    second = run_tick(installation)

    assert len(texts(sandbox)) == 1
    assert second.ended == {}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("09:29:59", "2026-11-23 09:15"),
        ("09:30:00", "2026-11-23 09:30"),
        ("09:39:59", "2026-11-23 09:30"),
    ],
)
def test_the_newest_slot_that_has_not_expired_is_sent(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, at: str, expected: str
) -> None:
    clock.set(at)
    config = MESSAGE.replace("보고 ", "")
    run_tick(install(tmp_path, sandbox, clock, "[delivery]\nexpire_after = 900\n" + config))

    assert texts(sandbox) == [expected]
