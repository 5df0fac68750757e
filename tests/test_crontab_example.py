"""Every line of crontab.example is one that cron takes, and its command runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.fakes import kakao_section, write_config

EXAMPLE = Path(__file__).parent.parent / "crontab.example"
LINES = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
SETTINGS = [line for line in LINES if re.match(r"\w+=", line)]
JOBS = [line for line in LINES if line not in SETTINGS]
FIELD_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def test_the_example_has_the_tick_of_every_minute() -> None:
    assert any(re.fullmatch(r"(\* ){5}.* tick", line) for line in JOBS)


def test_what_is_set_makes_mail_readable_and_changes_no_tick() -> None:
    """Debian's cron and cronie tell a mail's charset by that name."""
    assert SETTINGS == ['CONTENT_TYPE="text/plain; charset=UTF-8"']


@pytest.mark.parametrize("line", JOBS)
def test_each_line_has_five_fields_that_cron_takes(line: str) -> None:
    for field, (low, high) in zip(line.split()[:5], FIELD_LIMITS, strict=True):
        assert field == "*" or low <= int(field) <= high


@pytest.mark.parametrize("line", JOBS)
def test_each_command_runs_as_cron_would_run_it(
    line: str, home: Path, sandbox: SandboxServer
) -> None:
    command = " ".join(line.split()[5:])
    assert "%" not in command  # cron would make a newline of it
    _install_in(home, sandbox)

    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        env={"HOME": str(home), "LOGNAME": "me", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"},
        cwd=home,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr.decode()
    assert ran.stderr == b""


def _install_in(home: Path, sandbox: SandboxServer) -> None:
    """Put the command where the example has it, and a configuration where it looks."""
    bin_folder = home / ".local" / "bin"
    bin_folder.mkdir(parents=True)
    script = bin_folder / "kakaocron"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kakaocron "$@"\n')
    script.chmod(0o755)
    write_config(home, kakao_section(sandbox))
