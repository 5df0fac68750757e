"""`kakaocron` alone, and what the commands name as the one next step."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.fakes import MESSAGE, FakeClock, kakao_section, live_in
from tests.test_cli import Shell

ROOT = Path(__file__).parents[2]


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in for the `crontab` program on the path, where kakaocron is as in a virtual
    environment that is activated; return its crontab."""
    found, folder = tmp_path / "crontab.txt", tmp_path / "bin"
    folder.mkdir()
    program = folder / "crontab"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" != -l ]; then exec cat > {found}; fi\n'
        f"[ -f {found} ] && exec cat {found}\necho no crontab for me >&2\nexit 1\n"
    )
    program.chmod(0o755)
    (folder / "kakaocron").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return found


@pytest.fixture
def bare(
    tmp_path: Path,
    crontab: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """A user's shell in which nothing has been done yet."""
    live_in(tmp_path, monkeypatch)
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    return Shell(capsys, sandbox, clock)


def steps(shell: Shell) -> tuple[list[str], str]:
    """Return what `kakaocron` alone shows of each thing, and its next step."""
    exit_code, out, err = shell.run()
    rows, _, rest = out.partition("\n\n")
    assert (exit_code, err) == (0, "")
    assert rest.endswith("All commands: kakaocron --help\n")
    return rows.splitlines(), rest.splitlines()[0]


def test_a_terminal_that_would_not_find_the_next_command_is_told_how(
    bare: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my venv"
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "prefix", str(folder))
    assert steps(bare)[1] == "Next: kakaocron init"  # no virtual environment: nothing helps
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "activate").touch()
    shown = bare.run()[1].splitlines()
    assert shown[-3:-1] == [
        f"First, for this terminal to find kakaocron: . '{folder}/bin/activate'",
        "Next: kakaocron init",
    ]


def test_from_nothing_to_messages_by_the_minute_each_step_is_named(
    bare: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    assert steps(bare) == ([f"! configuration: none yet at '{config}'"], "Next: kakaocron init")

    config.write_text(MESSAGE, "utf-8")
    rows, step = steps(bare)
    assert rows == [
        f"✓ configuration: {config}, 1 message",
        "✗ login: the app's REST API key is missing",
        "! last message: none yet",
        "! cron: does not run kakaocron yet",
    ]
    assert step == f"Next: put rest_api_key into [kakao] of '{config}', then: kakaocron login"

    config.write_text(kakao_section(bare.sandbox) + MESSAGE, "utf-8")
    rows, step = steps(bare)
    assert rows[1] == "✗ login: Not logged in to Kakao"
    assert step == "Next: kakaocron login"

    login = bare.sandbox.kakao.issue_login(bare.clock.now())
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", login.refresh_token)
    rows, step = steps(bare)
    assert rows[1:3] == ["✓ login: there", "! last message: none yet"]
    assert step == "Next: kakaocron send 안녕"

    assert bare.run("send", "안녕")[0] == 0
    rows, step = steps(bare)
    assert rows[2] == "! cron: does not run kakaocron yet"
    assert re.fullmatch(r"✓ last message: send-[0-9a-f]{16}@20261123T0930: confirmed", rows[3])
    assert step == "Next: kakaocron cron install"
    shown = bare.run()[1].replace(str(config), "/home/me/.config/kakaocron/config.toml")
    assert shown in (ROOT / "docs" / "set-up.md").read_text("utf-8")

    wait = "Next: wait a minute, then: kakaocron doctor"
    assert bare.run("cron", "install")[1].endswith(f"\n{wait}\n")
    rows, step = steps(bare)
    assert step == wait
    assert rows[2] == "! cron: has its line; no tick has come yet"

    bare.clock.set("09:31:01")
    bare.run("tick")
    rows, step = steps(bare)
    assert [row[0] for row in rows] == ["✓"] * 4
    assert rows[2] == "✓ cron: runs; the last tick was at 09:31:01"
    assert step == "All is well. Today: kakaocron status"


@pytest.fixture
def running(bare: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The same shell with all set up: a message was sent, and ticks come."""
    (tmp_path / "config.toml").write_text(kakao_section(bare.sandbox) + MESSAGE, "utf-8")
    login = bare.sandbox.kakao.issue_login(bare.clock.now())
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", login.refresh_token)
    bare.clock.set("09:30:01")
    assert bare.run("cron", "install")[0] == bare.run("tick")[0] == 0
    return bare


SILENT = "no tick has come since 2026-11-23 09:30:01"


@pytest.mark.parametrize(
    ("time", "row", "next_"),
    [
        ("09:33:01", "✓ cron: runs; the last tick was at 09:30:01", "All is well."),
        (
            "09:33:02",
            "✗ cron: no tick has come since 2026-11-23 09:30:01",
            "Next: kakaocron doctor",
        ),
        (
            "09:45:00",
            "✗ cron: no tick has come since 2026-11-23 09:30:01",
            "Next: kakaocron doctor",
        ),
    ],
)
def test_ticks_that_have_stopped_are_told(running: Shell, time: str, row: str, next_: str) -> None:
    running.clock.set(time)
    rows, step = steps(running)

    assert rows[2] == row
    assert step.startswith(next_)


def test_ticks_that_have_stopped_with_their_line_are_installed_again(
    running: Shell, crontab: Path
) -> None:
    crontab.write_text("")
    running.clock.set("09:45:00")

    assert steps(running)[1] == "Next: kakaocron cron install"


@pytest.mark.parametrize(
    ("fault", "state"), [("cut-after", "unknown (connection-reset)"), ("-2", "failed (refused)")]
)
def test_a_last_message_that_ended_badly_is_explained_next(
    running: Shell, fault: str, state: str
) -> None:
    running.sandbox.faults.enqueue(fault)
    running.clock.set("09:45:01")
    running.run("tick")
    rows, step = steps(running)

    assert rows[3] == f"✗ last message: report@20261123T0945: {state}"
    assert step == "Next: kakaocron explain report@20261123T0945"


def test_an_older_one_that_nobody_can_know_of_is_still_to_be_looked_into(running: Shell) -> None:
    running.sandbox.faults.enqueue("cut-after")
    for minute in ("09:45:01", "10:00:01"):
        running.clock.set(minute)
        running.run("tick")

    rows, step = steps(running)

    assert rows[3] == "✗ last message: report@20261123T0945: unknown (connection-reset)"
    assert step == "Next: kakaocron explain report@20261123T0945"


def test_a_message_that_was_paused_is_nothing_to_look_into(running: Shell) -> None:
    running.run("pause")
    running.clock.set("09:45:01")
    running.run("tick")
    rows, step = steps(running)

    assert rows[3] == "✓ last message: report@20261123T0945: missed (paused)"
    assert step.startswith("All is well.")


def test_a_broken_configuration_is_told_with_its_line_and_no_fault_of_the_command(
    bare: Shell, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text("[kakao]\ntimeuot = 5\n", "utf-8")
    rows, step = steps(bare)

    assert rows[0].startswith(f"✗ configuration: {tmp_path}/config.toml:2: kakao.timeuot: unknown")
    assert step == "Next: kakaocron config check"


def test_a_data_folder_of_another_configuration_is_told(running: Shell, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text((tmp_path / "config.toml").read_text("utf-8"), "utf-8")
    exit_code, out, _ = running.run("--config", str(other))

    assert exit_code == 0
    assert out.startswith("✗ configuration: ")
    assert str(tmp_path / "config.toml") in out


def test_the_option_names_the_configuration_that_is_looked_at(bare: Shell, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.toml"

    assert bare.run("--config", str(other))[1].startswith(
        f"! configuration: none yet at '{other}'\n\nNext: kakaocron init\n"
    )


def test_the_step_of_a_configuration_that_was_named_names_it_too(
    bare: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "the shop.toml"
    other.write_text(kakao_section(bare.sandbox) + MESSAGE, "utf-8")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    out = bare.run("next", "--config", str(other))[1]
    assert out.endswith(f"\nNext: kakaocron login --config '{other}'\n")


def test_nothing_is_written_by_looking(bare: Shell, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    steps(bare)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "command",
    ["status", "status --json", "next", "next --json", "preview", "preview --json", "config check"],
)
def test_at_a_terminal_each_command_ends_with_the_next_step_and_in_a_pipe_none_does(
    bare: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "config.toml").write_text(kakao_section(bare.sandbox) + MESSAGE, "utf-8")

    assert "Next: " not in bare.run(*command.split())[1]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = bare.run(*command.split())[1]
    if "--json" in command:
        json.loads(out)
    else:
        assert out.endswith("\nNext: kakaocron login\n")


def test_where_ticks_come_no_command_names_a_step(
    running: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for command in (["status"], ["next"], ["preview"], ["send", "안녕"]):
        assert "Next: " not in running.run(*command)[1]


def test_init_and_login_name_the_step_wherever_it_is_read(
    bare: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    put = f"Next: put rest_api_key into [kakao] of '{config}', then: kakaocron login\n"
    assert bare.run("init", "--yes")[1].endswith(put)
    monkeypatch.setenv("KAKAO_REST_API_KEY", "a" * 32)
    assert bare.run("init", "--yes", "--force")[1].endswith("\nNext: kakaocron login\n")
