"""What the shell offers after TAB, asked as bash asks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kakaocron.actions import schedule
from kakaocron.cli import make_app, run
from kakaocron.installation import find_installation
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.fakes import FakeClock, kakao_section, live_in, run_tick

CONFIG = """
[friends]
"지우" = "uuid-aaa"

[[message]]
name = "report"
slots = ["regular", "peak"]
text = "보고 {time}"

[[message]]
name = "rates"
slots = ["regular"]
text = "환율"
"""


@pytest.fixture
def folder(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A morning: one message confirmed, one that nobody knows of, and a one-off two days ahead."""
    config = live_in(tmp_path, monkeypatch)
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", token)
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    config.write_text(kakao_section(sandbox) + CONFIG, "utf-8")
    clock.set("09:30:01")
    sandbox.faults.enqueue("cut-after")
    run_tick(find_installation())
    clock.set("09:31:00")
    schedule(find_installation(), clock.now() + timedelta(days=2), text="한 번")
    return tmp_path


def offered(*words: str) -> list[str]:
    asked = {
        "_KAKAOCRON_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("kakaocron", *words)),
        "COMP_CWORD": str(len(words)),
    }
    return CliRunner().invoke(make_app([]), [], "", asked, prog_name="kakaocron").output.split()


@pytest.mark.usefixtures("folder")
def test_each_command_is_offered_the_deliveries_that_it_can_do_something_for() -> None:
    once, *ahead = offered("cancel", "")
    confirmed, unknown = sorted(offered("show", "r"), key=lambda id_: id_ in offered("resolve", ""))

    assert once.startswith("once-") and once.endswith("@20261125T0931")
    assert ahead[:3] == ["report@20261123T0945", "rates@20261123T1000", "report@20261123T1000"]
    assert {confirmed, unknown} == {"report@20261123T0930", "rates@20261123T0930"}
    assert offered("resolve", "") == offered("retry", "") == [unknown]
    assert offered("show", "rep") == offered("explain", "rep") == ["report@20261123T0930"]


@pytest.mark.usefixtures("folder")
def test_messages_and_receivers_are_offered_by_name() -> None:
    assert offered("pause", "r") == ["report", "rates"]
    assert offered("preview", "--message", "rep") == ["report"]
    assert offered("send", "--to", "") == ["me", "지우"]
    assert offered("schedule", "--to", "지") == ["지우"]


def test_another_configuration_that_is_named_is_looked_into(folder: Path) -> None:
    other = folder / "other.toml"
    other.write_text('[[message]]\nname = "other"\nslots = ["peak"]\ntext = "x"\n', "utf-8")

    assert offered("pause", "--config", str(other), "") == ["other"]


@pytest.mark.parametrize("content", [None, "[[message]", '[kakao]\ntimeout = "x"\n'])
def test_a_broken_configuration_offers_nothing_and_says_nothing(
    folder: Path, content: str | None
) -> None:
    config = folder / "config.toml"
    config.unlink() if content is None else config.write_text(content, "utf-8")

    assert offered("pause", "") == []


def test_a_damaged_ledger_offers_what_can_be_read(folder: Path) -> None:
    day = folder / "data" / "ledger" / "2026-11-23.jsonl"
    day.write_bytes(b"\0" * 40 + b"\n" + day.read_bytes())

    assert "report@20261123T0930" in offered("show", "")


@pytest.mark.parametrize(
    ("shell", "block"),
    [("bash", ""), ("bash", ".bash_completions"), ("zsh", ".zfunc"), ("fish", ".config")],
)
def test_a_home_that_takes_no_completion_is_named(
    home: Path,
    shell: str,
    block: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file where a folder has to be stops root too, whom no mode of a folder would."""
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: shell)
    blocked = home / block
    if not block:
        home.rmdir()
    blocked.touch()

    assert run(["--install-completion"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"Cannot write '{blocked}")
    assert told.count("\n") == 1


def test_a_start_file_of_the_shell_that_is_no_text_is_left_as_it_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: "bash")
    korean = "# 한글".encode("cp949")
    (home / ".bashrc").write_bytes(korean)

    assert run(["--install-completion"]) == 2
    assert "not UTF-8" in capsys.readouterr().err
    assert (home / ".bashrc").read_bytes() == korean
