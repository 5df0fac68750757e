"""Quiet hours with a tick each minute, as cron has them. Thirty days of them: pytest -m month"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.installation import Edges, Installation, assemble
from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.stderr import complain
from kakaocron.ticking.runner import run
from kakaocron.watching.overview import health_of, look, report
from tests.fakes import MESSAGE, FakeClock, install, texts

START = datetime(2026, 11, 1, 7, 59, 1, tzinfo=KST)
MINUTE = timedelta(minutes=1)
MONTH = 30 * 24


def tick(installation: Installation) -> bool:
    """Do what a process of cron's would; say whether it was a full tick."""
    edges = Edges(clock=installation.clock)
    places, config = installation.places, installation.config
    ended = run(places, edges, lambda: assemble(places, config, edges), complain)
    assert ended.exit_code == 0
    return ended.report is not None


@pytest.mark.parametrize("hours", [4, pytest.param(MONTH, marks=pytest.mark.month)])
def test_quiet_hours_raise_no_alarm(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    hours: int,
) -> None:
    told = tmp_path / "told"
    command = json.dumps(["sh", "-c", f"cat >>{told}"])
    clock.at = START - MINUTE
    config = f"[monitor]\nalert_command = {command}\n{MESSAGE}"
    installation = install(tmp_path, sandbox, clock, config)
    full = 0
    for minute in range(hours * 60):
        clock.at = START + minute * MINUTE
        full += tick(installation)
        if minute % 60 == 46:
            assert health_of(look(installation), installation.config.monitor).problems == ()

    assert not told.exists(), told.read_text()
    assert capsys.readouterr().err == ""
    due = sum(1 for one in installation.plan.series for _ in one.timetable.between(START, clock.at))
    found = report(installation, 31).fields()
    assert found["due"] == found["confirmed"] == due
    assert len(texts(sandbox)) == len(set(texts(sandbox))) == due
    assert full < 3 * due
