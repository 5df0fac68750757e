"""The demo's picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from kakaocron.rehearsal.demo import Comparison, DemoDay
from kakaocron.rehearsal.picture import print_day
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.watching.overview import look
from tests.fakes import FakeClock, install, run_tick


def test_the_demo_says_first_that_its_faults_are_made_on_purpose(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    verdict = Comparison(1, 1, 1, 1, 0, 0, 0, 0, {"confirmed": 1})

    print_day(DemoDay(verdict, look(installation), 0.1))

    said = capsys.readouterr().out
    assert said.startswith("What fails below fails on purpose: ")
    assert said.index("on purpose") < said.index("Today, 2026-11-23")
    assert "The promises held" in said
