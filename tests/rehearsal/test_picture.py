"""The demo's picture, and what is said of a simulation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.rehearsal.demo import Comparison, DemoDay
from kakaocron.rehearsal.picture import print_day, print_verdict
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.simulation.campaign import play
from kakaocron.rehearsal.simulation.world import HistoryResult, SoFar
from kakaocron.watching.overview import look
from tests.fakes import MESSAGE, FakeClock, install, live_in, run_tick


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


ENDS = {
    ("report", "confirmed", None): 60,
    ("report", "missed", "no-tick"): 7,
    ("report", "missed", "expired"): 2,
    ("orders", "unknown", "read-timeout"): 1,
}
HELD = HistoryResult(7, 2 * 1440, 2800, 61, 90, 70, 60, (), "", ends=ENDS)


def test_a_simulation_says_what_became_of_this_plan(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdict(HELD)

    said = capsys.readouterr().out
    assert "90 mishaps, 2,800 ticks" in said
    assert "report: confirmed 60, missed 9 (no-tick 7, expired 2)" in said
    assert "orders: unknown 1 (read-timeout 1)" in said
    assert "The promises hold" in said
    assert "--seed 8 --days 2" in said


def test_a_promise_that_broke_is_said_with_the_command_that_plays_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_verdict(replace(HELD, breaches=("twice: report reached me 2 times",)))

    said = capsys.readouterr().out
    assert "BROKEN: twice: report reached me 2 times" in said
    assert "broke a promise. To see it again: kakaocron simulate --seed 7 --days 2" in said
    assert "hold" not in said


def test_a_history_tells_each_minute_how_far_it_is_and_is_the_same_for_it() -> None:
    config, told = parse_config(MESSAGE, "config.toml"), list[SoFar]()
    outcome = play(3, 90, config, told.append)

    assert [one.minutes for one in told] == list(range(90))
    assert told[-1].ticks <= outcome.ticks
    assert outcome == play(3, 90, config)


def test_the_command_says_at_once_what_it_tries_and_draws_nothing_in_a_pipe(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live_in(home, monkeypatch).write_text('[kakao]\nrest_api_key = "key"\n' + MESSAGE)
    said_before: list[str] = []

    def played(seed: int, minutes: int, *_: object) -> HistoryResult:
        said_before.append(capsys.readouterr().out)
        return HELD

    monkeypatch.setattr("kakaocron.rehearsal.simulation.campaign.play", played)
    assert run(["simulate", "--seed", "7", "--days", "2"]) == 0

    assert said_before[0].startswith("This plan sends so many a day: report 68.\n2 days of it are")
    assert "\x1b" not in "".join(capsys.readouterr())
