"""One user's machine, as kakaocron itself left it, put back as it was before each try."""

from __future__ import annotations

import contextlib
import copy
import io
import os
import re
import shutil
import signal
import stat
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Self
from unittest.mock import patch

from kakaocron import idle
from kakaocron.cli import run
from kakaocron.host.crontab import SystemCrontab
from kakaocron.host.probe import CommandResult, Machine
from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest
from kakaocron.system.clock import SystemClock
from kakaocron.system.log import log
from tests.fuzz.server import HostileServer, Reply

HUNG, HUNG_SECONDS = -1, 30
KEY, CLIENT_SECRET = "5f0c3e9a7b2d4f6188aa90b1c2d3e4f5", "Zq8Lm2Vx7Rk4Tn9Yb3Wc6Hd1Jf5Gs0Pa"
NOBODY = 65534

CONFIG = """\
[kakao]
client_secret = "{secret}"
link = "https://example.com"
api_url = "{url}"
auth_url = "{url}"
timeout = 0.3

[schedule]
regular_minutes = [0, 30]
quiet = ["23:00-06:30"]

[delivery]
retry_delays = [30, 60]
on_unknown = "hold"

{monitor}
[friends]
"지우" = "uuid-aaa"
"하준" = "uuid-bbb"

[[message]]
name = "report"
slots = ["regular", "peak"]
text = "report {{time:%Y-%m-%d %H:%M}} {{success_rate}}"

[[message]]
name = "score"
slots = ["peak"]
text = "score {{time:%Y-%m-%d %H:%M}} {{score}} {{rider}}"
data_file = "data.json"
fallback_text = "score {{time:%Y-%m-%d %H:%M}} ?"
to = ["me", "지우", "하준"]

[[message]]
name = "note"
slots = ["regular"]
file = "note.txt"
overflow = "split"
to = ["지우"]

[[message]]
name = "shell"
slots = ["peak"]
command = ["cat", "said.txt"]
timeout = 1.5
overflow = "truncate"

[[message]]
name = "feed"
cron = "*/15 9-17 * * *"
template = {{ object_type = "feed", content = {{ title = "feed {{time:%Y-%m-%d %H:%M}}", \
image_url = "https://example.com/a.png", link = {{ web_url = "https://example.com" }} }} }}

[[message]]
name = "custom"
slots = ["peak"]
template_id = 77
template_args = {{ "when" = "custom {{time:%Y-%m-%d %H:%M}}" }}

[[message]]
name = "rests"
slots = ["peak"]
text = "rests {{time:%Y-%m-%d %H:%M}}"
"""

MONITOR = """\
[monitor]
ping_url = "{url}/ping/3f2a91c07d5e4b68"
alert_command = ["true"]
"""

# One text a message and slot, by which the receiver's copies are counted.
SLOT_TEXT = re.compile(r"(report|score|feed|custom|rests) (\d{4}-\d\d-\d\d \d\d:\d\d)")

Snapshot = dict[str, tuple[bytes | None, int]]


class HungError(BaseException):
    """A command did not come back."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float

    def __str__(self) -> str:
        return f"{' '.join(self.argv)} -> {self.code} after {self.seconds:.1f} s\n{self.err[:6000]}"


@dataclass
class House:
    folder: Path
    server: HostileServer
    at: datetime = datetime(2026, 11, 23, 9, 31, 30, tzinfo=KST)
    crontab: bytes | None = b""
    stdin: bytes = b""
    secrets: set[str] = field(default_factory=set)
    _snapshot: Snapshot = field(default_factory=dict)
    _kakao: Kakao | None = None
    _set_at: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Time goes on from where it was set."""
        return self.at + timedelta(seconds=time.monotonic() - self._set_at)

    def set(self, clock_time: str, day: int = 23) -> None:
        hour, minute, second = map(int, clock_time.split(":"))
        self.at = datetime(2026, 11, day, hour, minute, second, tzinfo=KST)
        self._set_at = time.monotonic()

    # -- running ---------------------------------------------------------------------------------

    def kakaocron(self, *argv: str, stdin: bytes | None = None, nobody: bool = False) -> Done:
        """Run a command in this process, as the entry point would."""
        out, err = (_stream(errors) for errors in ("strict", "backslashreplace"))
        given = io.TextIOWrapper(io.BytesIO(self.stdin if stdin is None else stdin), "utf-8")
        began = time.monotonic()
        with (
            patch("sys.stdin", given),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _not_for_ever(),
            _as_nobody(wanted=nobody),
        ):
            try:
                code = 0 if idle.is_idle_tick(argv, os.environ) else run(argv)
            except HungError as error:
                code = HUNG
                err.write(str(error))
        seconds = time.monotonic() - began
        return Done(argv, code, _said(out), _said(err), seconds)

    @contextmanager
    def lived_in(self) -> Iterator[Self]:
        """Let commands in this process find this house."""
        shim = SimpleNamespace(time=lambda: self.now().timestamp(), gmtime=time.gmtime)
        with ExitStack() as stack:
            environ = {
                "HOME": str(self.folder / "home"),
                "PATH": os.environ["PATH"],
                "KAKAOCRON_CONFIG": str(self.folder / "config" / "config.toml"),
                "KAKAOCRON_DATA_DIR": str(self.folder / "data"),
                "KAKAOCRON_LOG_DIR": str(self.folder / "log"),
                "XDG_RUNTIME_DIR": str(self.folder / "run"),
                "CREDENTIALS_DIRECTORY": str(self.folder / "credentials"),
                "NO_COLOR": "1",
                "COLUMNS": "100",
            }
            stack.enter_context(patch.dict(os.environ, environ, clear=True))
            stack.enter_context(patch.object(SystemClock, "now", lambda _: self.now()))
            stack.enter_context(patch.object(idle, "time", shim))
            stack.enter_context(patch.object(Machine, "run", lambda *_: CommandResult(0, "")))
            stack.enter_context(patch.object(SystemCrontab, "_run", self._cron_program))
            stack.enter_context(patch("kakaocron.commands.cron.AGAIN_SECONDS", 0))
            before = signal.getsignal(signal.SIGTERM)
            try:
                yield self
            finally:
                signal.signal(signal.SIGTERM, before)
                _close_log()

    def _cron_program(self, argument: str, stdin: bytes = b"") -> CompletedProcess[bytes]:
        if argument == "-l":
            missing = self.crontab is None
            said = b"no crontab for user" if missing else b""
            return CompletedProcess([], int(missing), self.crontab or b"", said)
        self.crontab = None if argument == "-r" else stdin
        return CompletedProcess([], 0, b"", b"")

    # -- what stands in it -----------------------------------------------------------------------

    def path(self, name: str) -> Path:
        return self.folder / name

    def furnish(self, *, watched: bool) -> None:
        """Let kakaocron live here for a while, well and badly, and remember how it left things.

        One that is `watched` from outside has pings and alarms; the other one idle ticks.
        """
        for name in ("home", "config", "credentials", "run"):
            (self.folder / name).mkdir(parents=True)
        settings = Settings(rest_api_key=KEY, client_secret=CLIENT_SECRET)
        self.server.kakao = Kakao(settings, seed=3)
        self.set("22:40:00", 22)
        login = self.server.kakao.issue_login(self.at)
        self.secrets = {KEY, CLIENT_SECRET, login.refresh_token, login.access_token}
        monitor = MONITOR.format(url=self.server.url) if watched else ""
        config = CONFIG.format(secret=CLIENT_SECRET, url=self.server.url, monitor=monitor)
        self.write("config/config.toml", config)
        self.write("config/.env", f'# tokens\nexport KAKAO_REFRESH_TOKEN="{login.refresh_token}"\n')
        self.write("credentials/kakao_rest_api_key", KEY + "\n")
        self.write("config/data.json", '{"score": 12.5, "rider": "김", "more": {"a": [1, 2]}}')
        self.write("config/note.txt", "{name} {time:%Y-%m-%d %H:%M} " + "가나다 " * 60)
        self.write("config/said.txt", "shell says\n" * 30)
        self.crontab = b"MAILTO=me\n5 4 * * * /usr/bin/backup tick\n"
        with self.lived_in():
            self._live()
        self._remember()

    def _live(self) -> None:
        self._do("22:45:01", "tick", day=22)
        self._do("08:59:30", "cron", "install")
        self._do("08:59:40", "tick")
        self._do("09:00:01", "tick")
        self._do("09:01:00", "pause", "rests", "--note", "쉼")
        self._do("09:01:01", "schedule", "나중에", "--at", "09:40")
        self._do("09:01:02", "schedule", "아니", "--in", "30m")
        self._do("09:01:03", "cancel", self._do("09:01:03", "schedule", "빼", "--in", "9m").strip())
        self._do("09:02:01", "send", "손으로", "--to", "지우")
        self.server.hostile = _unlucky()
        for clock_time in ("09:15:01", "09:16:01", "09:30:01", "09:31:01"):
            self._do(clock_time, "tick")
        self.server.hostile = None
        tokens = self.path("data/tokens.json").read_bytes()
        self.secrets |= {
            found.decode() for found in re.findall(rb'"(?:access|refresh)_token": "(.+)"', tokens)
        }

    def _do(self, clock_time: str, *argv: str, day: int = 23) -> str:
        self.set(clock_time, day)
        done = self.kakaocron(*argv)
        assert done.code in {0, 1}, done
        return done.out

    def _remember(self) -> None:
        self._snapshot = {}
        for path in sorted(self.folder.rglob("*")):
            found = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(found.st_mode) else None
            self._snapshot[str(path.relative_to(self.folder))] = content, found.st_mtime_ns
        self._kakao = copy.deepcopy(self.server.kakao)
        self._crontab = self.crontab

    def restore(self) -> None:
        """Put everything back: files, their times, Kakao's memory, the clock."""
        _close_log()
        for path in self.folder.iterdir():
            _remove(path)
        for name, (content, mtime) in self._snapshot.items():
            path = self.folder / name
            if content is None:
                path.mkdir(mode=0o700)
            else:
                path.write_bytes(content)
                path.chmod(0o600)
                os.utime(path, ns=(mtime, mtime))
        self.server.hostile = None
        self.server.kakao = copy.deepcopy(self._kakao) or Kakao()
        self.crontab, self.stdin = self._crontab, b""
        self.set("09:31:30")

    def files(self) -> dict[str, bytes]:
        return {name: found[0] for name, found in self._snapshot.items() if found[0] is not None}

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)

    # -- the receiver ----------------------------------------------------------------------------

    def received(self) -> Counter[tuple[str, str]]:
        """Count what arrived, by receiver and slot (or text, for what was sent by hand)."""
        counts: Counter[tuple[str, str]] = Counter()
        for delivery in self.server.kakao.deliveries:
            shown = f"{delivery.text} {delivery.template}"
            found = SLOT_TEXT.search(shown)
            if found:
                counts[delivery.receiver, found[0]] += 1
            elif delivery.text.startswith(("손으로", "나중에", "아니", "빼", "hand-")):
                counts[delivery.receiver, delivery.text] += 1
        return counts


def _unlucky() -> Callable[[WireRequest, Callable[[], WireAnswer]], Reply | None]:
    """Some messages get no answer, one is refused for now, one for good."""
    endings = ["lost", "", "-10", "", "", "lost-after", "-532", "", "500"]

    def hostile(request: WireRequest, handled: Callable[[], WireAnswer]) -> Reply | None:
        if "/talk/" not in request.path or not endings:
            return None
        ending = endings.pop(0)
        if ending == "lost":
            return Reply([], ending="reset")
        if ending == "lost-after":
            handled()
            return Reply([], ending="reset")
        if ending == "500":
            return Reply([b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"])
        if ending:
            body = b'{"code":%b,"msg":"no"}' % ending.encode()
            head = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(body)
            return Reply([head + body])
        return None

    return hostile


def _stream(errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8", errors=errors, newline="")


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content: bytes = stream.buffer.getvalue()  # type: ignore[attr-defined]
    return content.decode("utf-8")


@contextmanager
def _not_for_ever() -> Iterator[None]:
    def wake(*_: object) -> None:
        stacks = ["".join(traceback.format_stack(f)) for f in sys._current_frames().values()]
        raise HungError("\n".join(stack for stack in stacks if "kakaocron/" in stack))

    before = signal.signal(signal.SIGALRM, wake)
    signal.setitimer(signal.ITIMER_REAL, HUNG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _as_nobody(*, wanted: bool) -> Iterator[None]:
    """Give up root's right to everything for a block: its files must be nobody's by then."""
    is_root = wanted and os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def _close_log() -> None:
    for handler in list(log.handlers):
        if hasattr(handler, "baseFilename"):
            log.removeHandler(handler)
            handler.close()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o700)
        for inner in path.rglob("*"):
            if inner.is_dir() and not inner.is_symlink():
                inner.chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink()


def read_log(house: House) -> str:
    path = house.path("log/kakaocron.log")
    try:
        return path.read_text("utf-8", "replace") if path.is_file() else ""
    except OSError:
        return ""
