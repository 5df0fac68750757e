"""Stand-ins with behaviour, and a whole installation over a sandbox."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kakaocron.config.reading import parse_config
from kakaocron.delivery.tick import Ended, TickReport
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.kst import DAY, KST
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.wire import WireAnswer
from kakaocron.system.disk import Disk
from kakaocron.system.http import Answer
from kakaocron.system.places import Places
from kakaocron.system.stderr import complain
from kakaocron.system.syscalls import RealDisk
from kakaocron.system.workers import Signal, Task
from kakaocron.ticking.runner import run_full

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 11, 23, 9, 30, 1, tzinfo=KST)

MESSAGE = """
[[message]]
name = "report"
slots = ["regular", "peak"]
text = "보고 {time:%Y-%m-%d %H:%M}"
"""


class FakeClock:
    """A clock that stands until it is moved; sleeping moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def set(self, clock_time: str, day: int = 23) -> None:
        """Set the time of day, as in "09:30:01", on a day of November 2026."""
        hour, minute, second = (*map(int, clock_time.split(":")), 0)[:3]
        self.at = datetime(2026, 11, day, hour, minute, second, tzinfo=KST)


class UnsyncedDisk(RealDisk):
    """A disk that is spared: no power is cut."""

    def fsync(self, fd: int) -> None:
        """Nothing is awaited."""


class AtOnce:
    """Workers that do each task when it is started: nothing overlaps, and no thread is needed."""

    def __init__(self) -> None:
        self._ended: list[str] = []

    def start(self, name: str, task: Task) -> None:
        task()
        self._ended.append(name)

    def try_start(self, name: str, task: Task) -> bool:
        self.start(name, task)
        return True

    def wake(self) -> None:
        """Nothing waits."""

    def signal(self) -> Signal:
        return threading.Event()

    def lock(self) -> AbstractContextManager[object]:
        return threading.Lock()

    def wait(self, timeout_seconds: float) -> list[str]:
        ended, self._ended = self._ended, []
        return ended


def received(answer: WireAnswer) -> Answer:
    """Return an answer of the sandbox's model as an HTTP client gives it."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status, headers, answer.body)


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_a_minute_with(seconds: float) -> None:
    """Wait for the next minute if less is left of this one, with which a real tick's slot ends."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 0.2)


def keep_off_midnight() -> None:
    """Wait while the last minute of a Korean day runs, or the first one: there, what was a minute
    ago or is a minute ahead is of another day."""
    left = (60 - time.time() - KST.utcoffset(None).total_seconds()) % DAY.total_seconds()
    if left <= 120:
        time.sleep(left)


def kakao_section(sandbox: SandboxServer, timeout: float = 3) -> str:
    settings = sandbox.kakao.settings
    return (
        f'[kakao]\nrest_api_key = "{settings.rest_api_key}"\n'
        f'client_secret = "{settings.client_secret}"\n'
        f'api_url = "{sandbox.url}"\nauth_url = "{sandbox.url}"\ntimeout = {timeout}\n'
    )


def write_config(home: Path, text: str) -> Path:
    """Write a configuration where commands look for it in a home; return its path."""
    path = home / ".config" / "kakaocron" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    return path


def live_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let commands find all that is theirs in a folder; return their configuration's path."""
    path = folder / "config.toml"
    monkeypatch.setenv("KAKAOCRON_CONFIG", str(path))
    monkeypatch.setenv("KAKAOCRON_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("KAKAOCRON_LOG_DIR", str(folder / "log"))
    return path


def day_file(installation: Installation, day: date | None = None) -> Path:
    """Return the ledger's file of a day; of today without one."""
    return Path(installation.places.ledger) / f"{day or installation.clock.now().date()}.jsonl"


def install(
    folder: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    config: str = MESSAGE,
    *,
    disk: Disk | None = None,
    variables: Mapping[str, str] | None = None,
    timeout: float = 3,
) -> Installation:
    """Assemble what a new process would find in `folder`, logged in to the sandbox.

    `config` is everything but the [kakao] section.
    """
    if variables is None:
        tokens = folder / "refresh-token"
        if not tokens.exists():
            tokens.parent.mkdir(parents=True, exist_ok=True)
            tokens.write_text(sandbox.kakao.issue_login(clock.now()).refresh_token)
        variables = {"KAKAO_REFRESH_TOKEN": tokens.read_text()}
    places = Places(folder / "config.toml", folder / "data", folder / "log", variables)
    parsed = parse_config(kakao_section(sandbox, timeout) + config, str(places.config))
    return assemble(places, parsed, Edges(clock=clock, disk=disk or RealDisk()))


def run_tick(installation: Installation) -> TickReport:
    """Run one full tick as a process of its own would: nothing but files and the clock is shared.

    Raises the error that has stopped it.
    """
    ended = ended_tick(installation, disk=installation.edges.disk)
    if ended.error is not None:
        raise ended.error
    assert ended.report is not None
    return ended.report


def ended_tick(installation: Installation, **edges: Any) -> Ended:
    """Run one full tick as a process of its own would; it complains on stderr."""
    around = Edges(clock=installation.clock, **edges)
    places, config = installation.places, installation.config
    return run_full(places, around, lambda: assemble(places, config, around), complain)


def texts(sandbox: SandboxServer) -> list[str]:
    """Return what was delivered, in order: the only judge of duplicates."""
    return [delivery.text for delivery in sandbox.deliveries]
