"""kakaocron on a booted machine: its configuration, its units, and waiting for what they do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.deploy.machines import Machine
from tests.fakes import kakao_section

KAKAOCRON = "/opt/kakaocron/bin/kakaocron"


def every_minute(name: str, early_start: bool = False) -> str:
    return (
        f"[schedule]\nregular_minutes = {list(range(60))}\npeak_hours = []\n"
        f"early_start = {str(early_start).lower()}\n"
        f'[[message]]\nname = "{name}"\nslots = ["regular"]\ntext = "{{name}} {{time:%H:%M}}"\n'
    )


def write_config(machine: Machine, user: str, sandbox: SandboxServer, rules: str) -> Path:
    """Write a user's config.toml and .env, logged in to the sandbox; return their folder."""
    folder = machine.root / "home" / user / ".config" / "kakaocron"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(kakao_section(sandbox, timeout=8) + rules)
    token = sandbox.kakao.issue_login(SystemClock().now()).refresh_token
    (folder / ".env").write_text(f"KAKAO_REFRESH_TOKEN={token}\n")
    for path in folder.iterdir():
        path.chmod(0o600)
    machine.run("chown", "-R", f"{user}:", f"/home/{user}/.config")
    return folder


def install_units(machine: Machine, user: str) -> None:
    """Do what `cron install --systemd` does, and what it says to do next."""
    said = machine.run(KAKAOCRON, "cron", "install", "--systemd", user=user)
    start = re.search(r"^Start it: (.*)$", said, re.MULTILINE)
    assert start
    machine.run("sh", "-c", start[1], user=user)


def wait_until(is_so: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
