"""Every cron daemon that Debian has runs the real command each minute; the sandbox counts.

Takes about seven minutes a daemon, as root: pytest -n 4 -m daemons. What it prints is in
docs/cron.md.
"""

from __future__ import annotations

import json
import shutil
import stat
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.kst import KST
from kakaocron.ledger.beats import Beat, Word, parse
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.daemons.machines import CACHE, HOME, KINDS, Kind, Machine, run_here, running
from tests.fakes import kakao_section

REPOSITORY = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)
FORMAT = "%Y-%m-%d %H:%M%z"
CONFIG = f"""
[schedule]
early_start = true

[[message]]
name = "every-minute"
cron = "* * * * *"
text = "{{time:{FORMAT}}}"
"""
# A folder that no daemon's own way with % may spoil.
FOLDER = "내 50% 폴더"
OWN_LINES = '# 내 줄\nMAILTO=""\n*/5 * * * * true # 백업\n'.encode()
PROGRAM = f"{HOME}/venv/bin/kakaocron"


def add_kakaocron(machine: Machine) -> None:
    """Install this tree, with what it needs from wheels that stay for the next time."""
    version = machine.said("python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    wheels = CACHE / f"wheels-{version.strip()}"
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    if not wheels.is_dir():
        fresh = wheels.with_name(f"{wheels.name}.unfinished")
        wanted = [f"--python-version={version.strip()}", "--only-binary=:all:", f"--dest={fresh}"]
        run_here(*pip, "download", *wanted, str(REPOSITORY))
        for own in fresh.glob("kakaocron-*"):
            own.unlink()
        fresh.rename(wheels)
    shutil.copytree(wheels, machine.home / "wheels")
    into = f"--wheel-dir={machine.home}/wheels"
    run_here(*pip, "wheel", "--no-deps", into, str(REPOSITORY))
    machine.said("python3", "-m", "venv", "venv")
    options = ("--quiet", "--no-index", "--find-links=wheels")
    machine.said("venv/bin/pip", "install", *options, "kakaocron")


class Installed:
    """A kakaocron in a machine, whose message is due each minute."""

    def __init__(self, machine: Machine, sandbox: SandboxServer) -> None:
        self.machine = machine
        self.sandbox = sandbox
        folder = machine.home / FOLDER
        folder.mkdir()
        (folder / "config.toml").write_text(kakao_section(sandbox, 5) + CONFIG, "utf-8")
        token = sandbox.kakao.issue_login(datetime.now(KST)).refresh_token
        (folder / ".env").write_text(f"KAKAO_REFRESH_TOKEN={token}\n")
        found = machine.home.stat()
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, found.st_uid, found.st_gid)

    def run(self, *words: str, bound: bool = False) -> tuple[int, str]:
        """Run a command of it; return the exit code and all that it said."""
        config = f"{HOME}/{FOLDER}/config.toml"
        done = self.machine.run(PROGRAM, *words, "--config", config, bound=bound)
        return done.returncode, (done.stdout + done.stderr).decode()

    def doctor(self) -> dict[str, dict[str, str]]:
        _, said = self.run("doctor", "--json")
        return {one["name"]: one for one in json.loads(said)["findings"]}

    def beats(self) -> list[Beat]:
        """Return the beginning of each tick."""
        found = []
        for path in sorted((self.machine.home / ".local/state/kakaocron/log/ticks").iterdir()):
            day = datetime.strptime(path.name, "%Y-%m-%d").replace(tzinfo=KST).date()
            found += [b for b in parse(day, path.read_bytes()) if b.word in {Word.START, Word.IDLE}]
        return found

    def crontab(self) -> bytes | None:
        done = self.machine.run("crontab", "-l")
        return done.stdout if done.returncode == 0 else None


def slot_of(text: str) -> datetime:
    return datetime.strptime(text, FORMAT).astimezone(KST)


def until(instant: datetime) -> None:
    while (left := (instant - datetime.now(KST)).total_seconds()) > 0:
        time.sleep(min(left, 5))


def write_own_lines(machine: Machine) -> None:
    (machine.home / "own").write_bytes(OWN_LINES)
    machine.said("crontab", "own")
    time.sleep(2.5)  # so that it is not the change before ours that is overlooked


def from_nothing(installed: Installed) -> float:
    """Install where there is no crontab, wait for a tick, and take it out. Return the seconds."""
    assert installed.crontab() is None
    begun = datetime.now(KST)
    code, said = installed.run("cron", "install", "--wait")
    waited = datetime.now(KST) - begun
    assert (code, "It runs: a tick came at" in said) == (0, True), said
    assert installed.run("cron", "uninstall")[0] == 0
    assert installed.crontab() is None
    return waited.total_seconds()


def beside_own_lines(kind: Kind, installed: Installed) -> None:
    """Install beside a user's own lines: with no right to change them, and then with it."""
    write_own_lines(installed.machine)
    code, said = installed.run("cron", "install", bound=True)
    if kind.name == "bcron":  # a socket takes the crontab, for which no program gains rights
        assert code == 0, said
        assert installed.run("cron", "uninstall")[0] == 0
    else:
        assert (code, "no_new_privs" in said) == (1, True), said
    assert installed.crontab() == OWN_LINES
    code, said = installed.run("cron", "install")
    assert (code, "Installed" in said, "systemctl" in said) == (0, True, False), said
    assert (installed.crontab() or b"").startswith(OWN_LINES)


def see_doctor(kind: Kind, installed: Installed) -> None:
    findings = installed.doctor()
    for name in ("crontab", "crontab-twice", "cron-command", "ticks", "tick-ends"):
        assert findings[name]["status"] == "ok", findings[name]
    assert findings["cron-running"]["what"].startswith(kind.process)
    assert findings["cron-running"]["status"] == ("warn" if kind.is_systemd else "ok")


def take_out(installed: Installed) -> None:
    code, said = installed.run("cron", "uninstall")
    assert (code, "systemctl" in said) == (0, False), said
    assert installed.crontab() == OWN_LINES


def this_minute() -> datetime:
    return datetime.now(KST).replace(second=0, microsecond=0)


@pytest.mark.daemons
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.process], ids=lambda k: k.name)
def test_a_daemon_runs_each_minute_and_what_was_there_before_stays(
    kind: Kind, tmp_path: Path
) -> None:
    with (
        SandboxServer(Kakao(seed=5), SystemClock().now) as sandbox,
        running(kind, tmp_path) as machine,
    ):
        add_kakaocron(machine)
        installed = Installed(machine, sandbox)
        waited = from_nothing(installed)
        beside_own_lines(kind, installed)
        first = this_minute() + 2 * MINUTE  # bcron starts in the second minute
        until(first + 3 * MINUTE + timedelta(seconds=20))
        see_doctor(kind, installed)
        take_out(installed)
        # bcron has read the next minute's jobs by then.
        gone = this_minute() + (2 if kind.name == "bcron" else 1) * MINUTE
        until(gone + MINUTE + timedelta(seconds=10))

        received = [(d.at, slot_of(d.text)) for d in sandbox.deliveries]
        counts = Counter(slot for _, slot in received)
        assert set(counts.values()) == {1}
        assert counts.keys() >= {first + n * MINUTE for n in range(4)}
        assert all(timedelta(0) <= at - slot < MINUTE for at, slot in received)
        assert [beat for beat in installed.beats() if beat.at > gone] == []
        assert max(counts) <= gone  # which the tick before it may have prepared
        ticks = [beat for beat in installed.beats() if first <= beat.at < gone]
        print_result(kind, machine, waited, ticks, received, first, (gone - first) // MINUTE)
        assert modes_open_to_others(machine.home) == []


def print_result(
    kind: Kind,
    machine: Machine,
    waited: float,
    ticks: list[Beat],
    received: list[tuple[datetime, datetime]],
    first: datetime,
    minutes: int,
) -> None:
    version = machine.version(kind.packages[0])
    late = " ".join(f"{beat.at.second + beat.at.microsecond / 1e6:.1f}" for beat in ticks)
    delays = " ".join(f"{(at - slot).total_seconds():.2f}" for at, slot in received if slot > first)
    print(
        f"\n{kind.name} {version}: first tick {waited:.0f} s after cron install; in {minutes} "
        f"minutes {len(ticks)} ticks, {late} s after theirs, and {len(delays.split())} messages, "
        f"{delays} s after theirs"
    )


def modes_open_to_others(home: Path) -> list[str]:
    """Return what of ours other users may read or write; what the test made is not ours."""
    found = []
    for name in (".local/share/kakaocron", ".local/state/kakaocron"):
        for path in [home / name, *(home / name).rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                found.append(f"{path} {mode:o}")
    return found


@pytest.mark.daemons
def test_anacron_alone_runs_nothing_and_that_is_said(tmp_path: Path) -> None:
    (kind,) = (kind for kind in KINDS if kind.name == "anacron")
    with (
        SandboxServer(Kakao(seed=5), SystemClock().now) as sandbox,
        running(kind, tmp_path) as machine,
    ):
        add_kakaocron(machine)
        installed = Installed(machine, sandbox)
        write_own_lines(machine)
        code, said = installed.run("cron", "install", "--wait")
        assert (code, "no tick came" in said) == (1, True), said
        assert "No cron daemon is seen here" in said
        findings = installed.doctor()
        assert findings["cron-running"]["status"] == "warn"
        assert findings["ticks"]["status"] == "fail"
        assert "start a cron daemon" in findings["ticks"]["mend"]
        assert installed.run("cron", "uninstall")[0] == 0
        assert installed.crontab() == OWN_LINES
        assert sandbox.deliveries == []
        print(f"\nanacron {machine.version('anacron')}: no tick in 150 s, said so")
