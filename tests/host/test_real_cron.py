"""The real cron daemon runs the real command each minute; the sandbox counts what arrives."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.fakes import kakao_section

CONFIG = """
[schedule]
regular_minutes = [{minutes}]

[[message]]
name = "every-minute"
slots = ["regular"]
text = "{{time:%Y-%m-%d %H:%M%z}}"
"""


def _why_not() -> str | None:
    if shutil.which("cron") is None:
        return "no cron daemon here (Debian's package: cron)"
    if os.geteuid() != 0:
        return "starting a cron daemon of its own needs root"
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return None if probe.returncode == 0 else "no mount namespace can be made here"


@dataclass(slots=True)
class Cron:
    """A daemon at work, and who receives what its one job sends."""

    daemon: subprocess.Popen[bytes]
    sandbox: SandboxServer
    second: datetime  # the second of the minutes that the job sees from their beginning


@pytest.fixture(scope="session")
def cron(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cron]:
    """Start a cron daemon with one crontab, that of a kakaocron with a slot every minute.

    It runs in a mount namespace of its own, so that the machine's crontabs are neither seen nor
    touched.
    """
    if reason := _why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("cron")
    spool, empty, run = (folder / name for name in ("spool", "empty", "run"))
    for one in (spool, empty, run):
        one.mkdir()
    (folder / "crontab").write_text("")
    script = (
        f"mount --make-rprivate / && mount --bind {spool} /var/spool/cron/crontabs"
        f" && mount --bind {empty} /etc/cron.d && mount --bind {folder}/crontab /etc/crontab"
        f" && mount --bind {run} /run && exec cron -f"
    )
    clock = SystemClock()
    with SandboxServer(Kakao(), clock.now) as sandbox:
        _write_crontab(spool / "root", folder, sandbox)
        second = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=2)
        daemon = subprocess.Popen(["unshare", "-m", "sh", "-c", script])
        try:
            yield Cron(daemon, sandbox, second)
        finally:
            daemon.terminate()
            daemon.wait(10)


def test_cron_takes_the_crontab(cron: Cron) -> None:
    """Runs first: cron's minutes pass while the other tests run."""
    assert cron.daemon.poll() is None


def test_cron_delivers_each_minute_once_and_in_its_minute(cron: Cron) -> None:
    """Runs last."""
    while (now := datetime.now(KST)) < cron.second + timedelta(seconds=20):
        time.sleep(0.5)
    assert cron.daemon.poll() is None, "the cron daemon ended by itself"
    received = [
        (d.at, datetime.strptime(d.text, "%Y-%m-%d %H:%M%z")) for d in cron.sandbox.deliveries
    ]

    counts = Counter(slot for _, slot in received)
    minutes = int((now - timedelta(seconds=20) - cron.second) / timedelta(minutes=1)) + 1
    assert minutes >= 1
    assert set(counts.values()) == {1}
    assert counts.keys() >= {cron.second + n * timedelta(minutes=1) for n in range(-1, minutes)}
    for at, slot in received:
        assert timedelta(0) <= at - slot < timedelta(minutes=1)


def _write_crontab(crontab: Path, folder: Path, sandbox: SandboxServer) -> None:
    """Write a crontab with one kakaocron whose slot is every minute from the next one on."""
    config = folder / "config.toml"
    minutes = ", ".join(str(minute) for minute in range(60))
    config.write_text(kakao_section(sandbox, timeout=5) + CONFIG.format(minutes=minutes))
    token = sandbox.kakao.issue_login(datetime.now(KST)).refresh_token
    (folder / ".env").write_text(f"KAKAO_REFRESH_TOKEN={token}\n")
    crontab.write_text(
        f"KAKAOCRON_CONFIG={config}\n"
        f"KAKAOCRON_DATA_DIR={folder}/data\n"
        f"KAKAOCRON_LOG_DIR={folder}/log\n"
        f"* * * * * {sys.executable} -m kakaocron tick\n"
    )
    crontab.chmod(0o600)
