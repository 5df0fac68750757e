"""`cron install`: what is tried first, what is said, and what is waited for."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.host.crontab import Job
from kakaocron.host.daemons import SYSTEMD_CRON_1
from kakaocron.host.probe import CommandResult, Machine
from kakaocron.ledger.beats import Word
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.system.clock import SystemClock
from kakaocron.system.syscalls import RealDisk
from tests.fakes import NOW, FakeClock
from tests.host.test_crontab_programs import CRON, be, commands, tab

__all__ = ["tab"]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Let commands live by a clock that only their own waiting moves."""
    fake = FakeClock(NOW)
    for name in ("now", "sleep", "monotonic"):
        monkeypatch.setattr(SystemClock, name, lambda _, *a, n=name: getattr(fake, n)(*a))
    monkeypatch.setattr(FakeClock, "monotonic", lambda self: self.at.timestamp())
    return fake


def heartbeat(home: Path) -> Heartbeat:
    log = home / ".local/state/kakaocron/log"
    return Heartbeat(str(log / "ticks"), RealDisk(), str(home / "spare"))


def when(
    fake: FakeClock, instant: float, happens: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let something happen once so many seconds have passed."""
    todo = [happens]

    def sleep(seconds: float) -> None:
        fake.at += timedelta(seconds=seconds)
        if todo and fake.at >= NOW + timedelta(seconds=instant):
            todo.pop()()

    monkeypatch.setattr(fake, "sleep", sleep)


@pytest.mark.parametrize(
    ("seconds", "code"), [(60, 0), (150, 0), (150.5, 1), (151, 1)]
)  # half a second a look
def test_a_first_tick_is_awaited_for_two_minutes_and_a_half(
    seconds: float,
    code: int,
    tab: Path,
    home: Path,
    at: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    be(tab, CRON)
    when(at, seconds, lambda: heartbeat(home).beat(at.now(), Word.IDLE, 0), monkeypatch)
    assert run(["cron", "install", "--wait"]) == code
    told = capsys.readouterr()
    assert "Installed in your crontab" in told.out
    assert ("It runs: a tick came at" in told.out) is (code == 0)
    assert ("in 150 seconds no tick came" in told.err) is (code == 1)
    assert "two minutes" not in told.out


def test_a_tick_of_before_the_installation_is_none(
    tab: Path, home: Path, at: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    be(tab, CRON)
    heartbeat(home).beat(NOW - timedelta(milliseconds=1), Word.IDLE, 0)
    assert run(["cron", "install", "--wait"]) == 1


def test_a_clock_that_is_set_back_prolongs_no_waiting(
    tab: Path, home: Path, at: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(tab, CRON)
    waited = [0.0]

    def sleep(seconds: float) -> None:
        waited[0] += seconds
        at.at -= timedelta(seconds=seconds)
        assert waited[0] < 200

    monkeypatch.setattr(at, "sleep", sleep)
    monkeypatch.setattr(SystemClock, "monotonic", lambda _: waited[0])
    assert run(["cron", "install", "--wait"]) == 1


def test_midnight_may_pass_while_a_tick_is_awaited(
    tab: Path, home: Path, at: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(tab, CRON)
    at.set("23:59:30")

    def sleep(seconds: float) -> None:
        at.at += timedelta(seconds=seconds)
        if at.at.day == 24:
            heartbeat(home).beat(at.now(), Word.IDLE, 0)

    monkeypatch.setattr(at, "sleep", sleep)
    assert run(["cron", "install", "--wait"]) == 0


def test_a_first_tick_that_failed_runs_but_is_told(
    tab: Path, home: Path, at: FakeClock, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    be(tab, CRON)
    when(at, 60, lambda: heartbeat(home).beat(at.now(), Word.FAIL, 3), monkeypatch)
    assert run(["cron", "install", "--wait"]) == 0
    assert "It ended with exit code 3" in capsys.readouterr().out


def test_without_waiting_it_says_installed_and_no_more(
    tab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    be(tab, CRON)
    monkeypatch.setattr(Machine, "cron_processes", lambda _: ["cron"])
    assert run(["cron", "install"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Installed in your crontab:\n* * * * * ")
    assert "within two minutes" in said
    assert "runs" not in said


def test_who_waits_for_a_line_that_is_there_has_it_written_again(
    tab: Path, home: Path, at: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a daemon sees it that overlooked it."""
    log = tab.with_name("calls")
    be(tab, f'echo "$1" >> {log}\n{CRON}')
    assert run(["cron", "install"]) == 0
    log.write_text("")
    when(at, 60, lambda: heartbeat(home).beat(at.now(), Word.IDLE, 0), monkeypatch)
    assert run(["cron", "install", "--wait"]) == 0
    assert log.read_text().split().count("-") == 1


@pytest.mark.parametrize("crons", [[], ["cron"]])
def test_no_daemon_is_said_at_once(
    crons: list[str],
    tab: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    be(tab, CRON)
    monkeypatch.setattr(Machine, "cron_processes", lambda _: crons)
    assert run(["cron", "install"]) == 0
    assert ("No cron daemon is seen here" in capsys.readouterr().out) is (crons == [])


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (CommandResult(0, ""), 0),
        (CommandResult(2, "config.toml:3: …"), 0),  # it runs, and says itself what is wrong
        (CommandResult(3, "not logged in"), 0),
        (CommandResult(1, "ModuleNotFoundError: No module named 'kakaocron'"), 1),
        (CommandResult(126, "bad interpreter"), 1),
        (CommandResult(127, "not found"), 1),
        (CommandResult(None, "no end after 30 s"), 1),
        (CommandResult(-9, ""), 1),
    ],
)
def test_a_command_that_does_not_run_is_not_installed(
    ended: CommandResult,
    code: int,
    tab: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    be(tab, CRON)
    monkeypatch.setattr(Machine, "run", lambda *_: ended)
    assert run(["cron", "install"]) == code
    assert tab.exists() is (code == 0)
    told = capsys.readouterr().err
    if code:
        assert (ended.said or "exit -9") in told
        assert "--dry-run" in told
        assert told.count("\n") == 1


def test_from_a_virtual_environment_that_was_moved_it_refuses(
    tab: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("TAB", str(tab))
    monkeypatch.setattr("kakaocron.commands.cron.AGAIN_SECONDS", 0)
    be(tab, CRON)
    moved = tmp_path / "moved" / "bin"
    moved.mkdir(parents=True)
    program = moved / "kakaocron"
    program.write_text("#!/where/it/was/bin/python3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(moved / "python3"))
    assert run(["cron", "install"]) == 1
    told = capsys.readouterr().err
    assert "does not run" in told
    assert "the crontab is unchanged" in told
    assert shlex.quote(str(program)) in told
    assert not tab.exists()


@pytest.mark.parametrize("comes_after", [0, 5, None])
def test_systemd_cron_is_asked_whether_it_has_seen_the_change(
    comes_after: int | None,
    tab: Path,
    at: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    be(tab, CRON)
    seen: list[bool] = []

    def has_timer(_: Machine, command: str) -> bool:
        assert command.endswith("kakaocron tick")
        seen.append(True)
        late = comes_after is None or len(seen) <= comes_after
        return tab.exists() and bool(commands(tab)) is not late

    monkeypatch.setattr(Machine, "daemon", SYSTEMD_CRON_1)
    monkeypatch.setattr(Machine, "has_timer_of", has_timer)
    assert run(["cron", "install"]) == 0
    said = capsys.readouterr().out
    assert ("systemd has no timer of it yet: as root" in said) is (comes_after is None)


def generated(folder: Path, job: Job, *, percent: str = r"\%") -> None:
    """Write what systemd-cron's generator makes of a job."""
    command = job.command.replace(r"\%", percent)
    (folder / "cron-k-k-0.sh").write_text(command)
    described = f'Description=[Timer] "* * * * * {job.command}"'.replace("%", "%%")
    (folder / "cron-k-k-0.timer").write_text(f"[Unit]\n{described}\n")


@pytest.mark.parametrize("percent", [r"\%", "%"])  # 1.15 leaves it, 2.5 reads it
@pytest.mark.parametrize(("state", "is_live"), [(0, True), (3, False), (4, False), (1, True)])
def test_a_timer_counts_once_it_is_active(
    percent: str, state: int, is_live: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemctl: 0 active, 3 not, 4 no such unit; 1 where no bus answers."""
    job = Job(("/opt/kakaocron",), Path("/etc/a b%/config.toml"))
    folder = tmp_path / "generator"
    folder.mkdir()
    monkeypatch.setattr("kakaocron.host.probe.GENERATED", folder)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(f'#!/bin/sh\n[ "$*" = "is-active --quiet cron-k-k-0.timer" ]'
                                     f" || exit 99\nexit {state}\n")  # fmt: skip
    (tools / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    assert Machine().has_timer_of(job.command) is False
    generated(folder, job, percent=percent)
    assert Machine().has_timer_of(job.command) is is_live
    assert Machine().has_timer_of("another") is False
    shutil.rmtree(folder)
    assert Machine().has_timer_of(job.command) is False
