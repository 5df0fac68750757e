"""No test may reach the user's home or any network but loopback: both end in a clear failure."""

from __future__ import annotations

import _thread
import gc
import ipaddress
import logging
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from kakaocron.commands import cron
from kakaocron.language.words import speak
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system import workers
from kakaocron.system.interrupts import ASKING
from tests.fakes import NOW, FakeClock
from tests.prefork import Prefork

# How long an example takes is the machine's matter. The same code passes each time, or fails each
# time; to look further: pytest --hypothesis-profile=search
ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", ANY_TIME, derandomize=True, database=None)
settings.register_profile("search", ANY_TIME, derandomize=False, max_examples=2000)
settings.load_profile("repeatable")

# The last two: readline, which pytest imports, leaves a terminal's size to the workers of xdist.
_FOREIGN = re.compile(
    r"KAKAO|ALIMTALK_|XDG_|CREDENTIALS_|ENVIRONMENT$|LOG_LEVEL$|.*_proxy$|SSL_CERT_|(REQUESTS|CURL)_CA_BUNDLE$"
    r"|COLUMNS$|LINES$",
    re.IGNORECASE,
)

_NUMBERS = count()
_COUNTING = pytest.StashKey[Any]()


class CountedThreads:
    """Begins threads as `_thread` does, below `threading`, which is where coverage waits for them:
    here it counts in these, too, if it is at work."""

    error = _thread.error

    @staticmethod
    def start_new_thread(work: Callable[..., object], arguments: tuple[object, ...]) -> int:
        def counted(*given: object) -> None:
            sys.settrace(threading.gettrace())
            work(*given)

        return _thread.start_new_thread(counted, arguments)


vars(workers)["_thread"] = CountedThreads

# As in the program itself: to look through all objects at each 700th new one is a tenth of a run.
gc.set_threshold(100_000)


# Files whose tests wait, for cron's minutes, for time-outs, for a browser. Begun late, they are all
# that is left in the end; so each of these lists is begun first, by a worker of its own. In the
# last one they come after some that work, as not all are to wait at the same time.
BEGUN_FIRST = (
    ("host/test_real_cron", "delivery/test_early_start"),
    ("hosts/test_silence", "hosts/test_failover", "web/test_connections"),
    ("delivery/test_endings",),
    (
        "rehearsal/simulation/test_histories",
        "rehearsal/simulation/test_hosts",
        "kakao/test_receivers",
        "web/test_page",
        "kakao/test_every_answer",
    ),
)


def counting() -> Any:
    """Return what counts which lines are run, None if nothing does."""
    coverage = sys.modules.get("coverage")
    return coverage.Coverage.current() if coverage else None


def pytest_configure(config: pytest.Config) -> None:
    """Let no worker count what importing the tests runs: .ci/run collects them once more, counted,
    and each of many workers would take half as long again for it."""
    if hasattr(config, "workerinput") and (at_work := counting()):
        at_work.stop()  # from here on it is nobody's current one
        config.stash[_COUNTING] = at_work


def pytest_collection_finish(session: pytest.Session) -> None:
    if at_work := session.config.stash.get(_COUNTING, None):
        at_work.start()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests into the order in which they take the least time.

    Nobody can hurry cron: it starts before all other tests, and is judged after them. Side by side
    its worker waits, as each has a cron of its own. With so few workers that all would wait, the
    order is as it was.
    """
    workers = config.workerinput["workercount"] if hasattr(config, "workerinput") else 0
    judged = 0 if workers else 2
    turns = {"test_cron_takes_the_crontab": 0, "test_cron_delivers_each_minute": judged}
    items.sort(key=lambda item: next((n for name, n in turns.items() if name in item.name), 1))
    if workers <= len(BEGUN_FIRST):
        return
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        name = item.nodeid.partition(".py")[0].removeprefix("tests/")
        files.setdefault(name, []).append(item)
    lists = [[item for name in names for item in files.pop(name, [])] for names in BEGUN_FIRST]
    others = list(chain(*files.values()))
    # Each worker begins with as many of the tests, as they stand here.
    for begun in lists:
        spare = max(0, len(items) // workers - len(begun))
        begun.extend(others[:spare])
        del others[:spare]
    items[:] = [*chain(*lists), *others]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return two workers a core, as many tests wait, and two that wait more than they work."""
    return 2 * len(os.sched_getaffinity(0)) + 2


class ReachedTheNetworkError(AssertionError):
    """A test tried to leave the machine."""


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of the test's own. Pytest looks through all others for the next number, and
    links to the newest, which takes as long as many a test."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}-{next(_NUMBERS)}"
    path.mkdir(0o700)
    return path


@pytest.fixture(autouse=True)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty home of its own, and an environment without kakaocron's variables."""
    home = tmp_path / "home"
    home.mkdir()
    for name in list(os.environ):
        if _FOREIGN.match(name):
            monkeypatch.delenv(name)
    # `kakaocron --config` sets it for the rest of its process: it must not outlive the test.
    monkeypatch.setenv("KAKAOCRON_CONFIG", "")
    monkeypatch.delenv("KAKAOCRON_CONFIG")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("KAKAOCRON_LANGUAGE", "en")  # for the processes that tests start, too
    if not request.node.get_closest_marker("counted"):
        # To begin with coverage and to end with it costs a process as much as all that it does.
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    # For the processes that tests start, on their way to Kakao: nobody listens there.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    # The crontab is written a second time after two seconds, which no stand-in needs.
    monkeypatch.setattr(cron, "AGAIN_SECONDS", 0)
    return home


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets reach this machine only."""
    for name in ("connect", "connect_ex", "sendto"):
        real = getattr(socket.socket, name)
        monkeypatch.setattr(socket.socket, name, _guarded(real))
    real_look_up = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host and _text(host).endswith((".invalid", ".example")):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host and not _is_loopback(_text(host)):
            raise ReachedTheNetworkError(f"a test tried to look up '{_text(host)}'")
        return real_look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def _guarded(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            raise ReachedTheNetworkError(f"a test tried to reach {address}")
        return real(self, *arguments)

    return call


def _text(host: str | bytes) -> str:
    return host if isinstance(host, str) else host.decode("ascii", "replace")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Leave no log handler of one test to the next."""
    yield
    log = logging.getLogger("kakaocron")
    for handler in list(log.handlers):
        if not isinstance(handler, logging.NullHandler):
            log.removeHandler(handler)
            handler.close()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Leave no language of one test to the next."""
    yield
    speak(None)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """Leave no signal handler of one test to the next, nor to the processes that it forks."""
    before = {number: signal.getsignal(number) for number in ASKING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def uncounted() -> Iterator[None]:
    """Let coverage, if it is at work, look away.

    For what is played over and over: it would take three times as long and count nothing new.
    """
    at_work = counting()
    if at_work is None:
        yield
        return
    at_work.stop()
    try:
        yield
    finally:
        at_work.start()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[SandboxServer]:
    """A sandbox on a real socket, whose time is the test's."""
    with SandboxServer(Kakao(seed=7), clock.now) as server:
        yield server


@pytest.fixture(scope="session")
def prefork(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefork]:
    found = Prefork(tmp_path_factory.mktemp("streams"))
    yield found
    found.end()
