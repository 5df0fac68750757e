"""Our files are their user's alone, whatever umask cron's jobs get: cronie's under PAM is 0002."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.host.probe import CommandResult, Machine
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.fakes import MESSAGE, FakeClock, kakao_section
from tests.host.test_crontab_programs import CRON, be, tab

__all__ = ["tab"]


@pytest.fixture(params=[0o002, 0o000])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    return [
        f"{path} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in sorted(folder.rglob("*"))
        if not path.is_symlink() and path.stat().st_mode & 0o077
    ]


def test_whatever_is_written_is_its_users_alone(
    umask: int,
    tab: Path,
    home: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.rmtree(home / ".config")  # which was made under another umask
    be(tab, CRON)
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    monkeypatch.setattr(Machine, "run", lambda *_: CommandResult(0, ""))
    assert run(["init", "--yes"]) == 0
    config = home / ".config/kakaocron/config.toml"
    config.write_text(kakao_section(sandbox) + MESSAGE, "utf-8")
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    (config.parent / ".env").write_text(f"KAKAO_REFRESH_TOKEN={token}\n")
    (config.parent / ".env").chmod(0o600)

    assert run(["cron", "install"]) == 0
    assert run(["cron", "install", "--systemd"]) == 0
    assert run(["tick"]) == 0
    clock.at += timedelta(minutes=1)
    for words in (
        ["tick"],
        ["send", "안녕"],
        ["schedule", "나중에", "--in", "5m"],
        ["pause", "report"],
        ["tick"],
        ["ledger", "verify"],
    ):
        assert run(words) == 0, words

    written = [path for path in home.rglob("*") if path.is_file()]
    names = {path.name for path in written}
    assert names >= {"config.toml", "owner.json", "tokens.json", "pauses.json", "kakaocron.log"}
    assert names >= {"kakaocron.service", "kakaocron.timer"}
    assert open_to_others(home) == []


def test_a_tick_of_cronies_makes_its_files_its_users_alone(home: Path, tmp_path: Path) -> None:
    """In a process of its own, as cron starts it: an idle one, and one that has a slot."""
    config = tmp_path / "config.toml"
    config.write_text('[kakao]\nrest_api_key = "k"\n' + MESSAGE, "utf-8")
    config.chmod(0o600)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path)}
    command = f"umask 0002; exec {sys.executable} -m kakaocron tick --config {config}"
    root = Path(__file__).parents[2]
    for _ in range(2):
        subprocess.run(
            ["/bin/sh", "-c", command], env=environment, cwd=root, capture_output=True, check=False
        )
    assert (home / ".local/state/kakaocron/log/ticks").is_dir()
    assert open_to_others(home) == []
