"""Each folder of examples/ run as its user runs it: its files in a folder of their own, commands by
their entry point, what arrived compared.

A new one is `examples/NAME/` with a config.toml, its row in both READMEs there, and
`tests/examples/test_NAME.py`, whose tests ask for `example`. The time is the test's, the server a
sandbox of its own; nothing of the configuration is changed but Kakao's address and key.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.rehearsal.sandbox.arrival import Arrival
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.fakes import FakeClock, kakao_section, live_in, texts
from tests.kakao.test_account_logins import Phone

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@dataclass(frozen=True)
class Example:
    """One example at work. `folder` is a copy of its own, which a test may write into."""

    folder: Path
    sandbox: SandboxServer
    clock: FakeClock
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """Run a command as a person does; return what it said, on stdout and stderr."""
        found = run(arguments)
        told = self.capsys.readouterr()
        assert found == exit_code, told.err
        return told.out + told.err

    def tick(self, clock_time: str, day: int = 23, *, exit_code: int = 0) -> str:
        """Let cron's tick run at a time of November 2026, of which the 23rd is a Monday."""
        self.clock.set(clock_time, day)
        return self.run("tick", exit_code=exit_code)

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content, "utf-8")

    @property
    def arrived(self) -> Sequence[Arrival]:
        return self.sandbox.deliveries

    @property
    def texts(self) -> Sequence[str]:
        return texts(self.sandbox)


@pytest.fixture
def example(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Example:
    """The example by which the test's module is named, logged in, with its configuration checked.

    The sandbox stands in its testing profile; its `python3` is the Python that runs the tests.
    """
    name = request.module.__name__.rpartition(".test_")[2]
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    config = live_in(folder, monkeypatch)
    with config.open("a", encoding="utf-8") as file:
        file.write("\n" + kakao_section(sandbox).replace("[kakao]", "[profile.testing.kakao]"))
    monkeypatch.setenv("ENVIRONMENT", "testing")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", token)
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    found = Example(folder, sandbox, clock, capsys)
    found.run("config", "check")
    return found


def log_in(
    example: Example, monkeypatch: pytest.MonkeyPatch, account: str, who: str, *scopes: str
) -> None:
    """Let somebody log in by the link that is handed over, and agree to these scopes."""
    phone = Phone(example.capsys, who, agreed_scope=list(scopes))
    monkeypatch.setattr(sys, "stdin", phone)
    example.run("login", "--account", account)
