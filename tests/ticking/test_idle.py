"""No slot can hide behind an idle tick, and an idle tick imports next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import kakaocron
from kakaocron import idle as idle_module
from kakaocron.delivery.policy import Policy, decide, idle_until
from kakaocron.delivery.snapshot import decide_by
from kakaocron.idle import LONGEST_WAIT_SECONDS, is_idle_tick, plan_path, wait_before
from kakaocron.installation import Edges, Installation
from kakaocron.kst import KST
from kakaocron.ledger.beats import NOTHING, End, Word
from kakaocron.ledger.deliveries import Attempt, Delivery
from kakaocron.ledger.events import Result
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import Minutes, Series, Timetable
from kakaocron.states import Reason, State
from kakaocron.system.places import find_places
from kakaocron.system.syscalls import RealDisk
from kakaocron.ticking.idle_plan import may_leave_at_once
from kakaocron.ticking.runner import run_full
from tests.fakes import MESSAGE, FakeClock, day_file, install, run_tick, texts, write_config


@pytest.fixture
def idle(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Installation:
    """An installation whose last tick, at 09:31:01, has left its plan: 09:45 is next."""
    run_tick(install(tmp_path, sandbox, clock))
    clock.set("09:31:01")
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    return installation


def idles(installation: Installation) -> bool:
    return may_leave_at_once(installation.places, Edges(clock=installation.clock))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("09:31:00", False),  # the clock was set back before the plan
        ("09:31:02", True),
        ("09:44:59", True),
        ("09:45:00", False),
        ("09:45:01", False),
    ],
)
def test_a_tick_is_idle_from_the_plan_until_before_the_next_slot(
    idle: Installation, clock: FakeClock, at: str, expected: bool
) -> None:
    clock.set(at)
    assert idles(idle) is expected


def test_a_tick_that_sent_leaves_a_plan_too(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    clock.set("09:44:59")

    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    assert idles(installation)


EARLY = "[schedule]\nearly_start = true\n"
SLOW = '[[message]]\nname = "slow"\nslots = ["peak"]\ncommand = ["echo", "x"]\ntimeout = 20\n'


@pytest.mark.parametrize(
    ("config", "at", "is_early", "until"),
    [
        (EARLY + MESSAGE, "09:43:59", False, "09:43:59"),  # nothing to do: it has left
        (EARLY + MESSAGE, "09:44:00", True, "09:44:55"),
        (EARLY + MESSAGE, "09:44:01", True, "09:44:55"),
        (EARLY + MESSAGE, "09:44:54", True, "09:44:55"),
        (EARLY + MESSAGE, "09:44:55", True, "09:44:55"),
        (EARLY + MESSAGE, "09:44:58", True, "09:44:58"),
        (EARLY + MESSAGE + SLOW, "09:44:01", True, "09:44:35"),  # its command takes its time
        (MESSAGE, "09:44:01", False, "09:44:01"),
        (MESSAGE, "09:44:58", False, "09:44:58"),
    ],
)
def test_a_tick_that_is_early_for_a_slot_waits_before_it_does_anything(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    config: str,
    at: str,
    is_early: bool,
    until: str,
) -> None:
    clock.set("09:30:01")
    run_tick(install(tmp_path, sandbox, clock, config))
    clock.set(at)
    installation = install(tmp_path, sandbox, clock, config)

    assert idles(installation) is not is_early
    assert f"{clock.now():%H:%M:%S}" == until
    words = [beat.word for beat in installation.heartbeat.read(clock.now().date())]
    assert (words[-1] is Word.IDLE) == (until != at or not is_early)


def test_an_idle_tick_leaves_the_heartbeat_of_a_full_one(
    idle: Installation, clock: FakeClock
) -> None:
    clock.at += timedelta(microseconds=2_345_678)
    assert idles(idle)

    last = idle.heartbeat.read(clock.now().date())[-1]
    assert last.word is Word.IDLE
    assert timedelta(0) <= clock.now() - last.at < timedelta(milliseconds=1)
    assert last.ledger_end == _end_of_today(idle) != NOTHING
    assert idle.heartbeat.last_complete(clock.now()) == last.at


def _end_of_today(installation: Installation) -> End:
    today = installation.clock.now().date()
    return installation.ledger.read([today]).end_of(today)


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(" ")


CHANGES: dict[str, Callable[[Installation], None]] = {
    "configuration": lambda i: _touch(i.places.config),
    ".env": lambda i: _touch(i.places.config.parent / ".env"),
    "ledger": lambda i: _touch(day_file(i)),
    "ledger of yesterday": lambda i: _touch(day_file(i, i.clock.now().date() - timedelta(days=1))),
    "ledger gone": lambda i: day_file(i).unlink(),
    "ledger replaced by its copy": lambda i: _copy(day_file(i)),
    "tokens": lambda i: _touch(i.places.data / "tokens.json"),
    "something new in the data folder": lambda i: _touch(i.places.data / "pauses.json"),
    "no plan": lambda i: (i.places.log / "idle").unlink(),
    "no heartbeats": lambda i: Path(i.heartbeat.path(i.clock.now().date())).unlink(),
}


def _copy(path: Path) -> None:
    found = path.stat()
    beside = path.with_suffix(".copy")
    beside.write_bytes(path.read_bytes())
    os.utime(beside, ns=(found.st_atime_ns, found.st_mtime_ns))
    beside.replace(path)


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changed_makes_the_tick_a_full_one(
    idle: Installation, clock: FakeClock, what: str
) -> None:
    clock.set("09:32:01")
    CHANGES[what](idle)
    assert not idles(idle)


@pytest.mark.parametrize(
    "variable", ["ENVIRONMENT", "KAKAOCRON_DATA_DIR", "HOME", "LOG_LEVEL", "KAKAO_REST_API_KEY"]
)
def test_another_environment_makes_the_tick_a_full_one(
    idle: Installation, clock: FakeClock, variable: str
) -> None:
    clock.set("09:32:01")
    assert idles(idle)
    variables = {**idle.places.variables, variable: "/elsewhere"}
    other = replace(idle.places, variables=variables)
    assert not may_leave_at_once(other, Edges(clock=clock))


def test_a_plan_with_any_byte_changed_or_cut_off_is_no_plan(
    idle: Installation, clock: FakeClock
) -> None:
    clock.set("09:32:01")
    path = idle.places.log / "idle"
    plan = path.read_bytes()
    for index in range(len(plan)):
        path.write_bytes(plan[:index])
        assert not idles(idle), index
        path.write_bytes(plan[:index] + bytes([plan[index] ^ 1]) + plan[index + 1 :])
        assert not idles(idle), index
    path.write_bytes(plan)
    assert idles(idle)


def test_the_login_wakes_a_tick_when_it_is_time_to_renew_it(
    idle: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    idle.login.write(
        replace(idle.login.read(), access_expires_at=clock.now() + timedelta(minutes=65))
    )
    run_tick(idle)
    clock.set("09:36:00")
    assert idles(idle)
    clock.set("09:36:01")
    assert not idles(idle)
    sandbox.faults.enqueue("refuse@/oauth/token")
    run_tick(idle)
    clock.set("09:37:01")
    assert not idles(idle)
    run_tick(idle)
    clock.set("09:38:01")
    assert idles(idle)


@pytest.mark.parametrize(
    ("at", "expected"), [("09:28:30.999", True), ("09:28:31", False), ("09:28:32", False)]
)
def test_behind_the_ledger_ticks_are_idle_until_the_clock_has_caught_up(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    at: str,
    expected: bool,
) -> None:
    run_tick(install(tmp_path, sandbox, clock))  # at 09:30:01
    clock.set("09:20:01")
    behind = install(tmp_path, sandbox, clock)
    run_tick(behind)
    assert "clock" in capsys.readouterr().err
    clock.at = datetime.fromisoformat(f"2026-11-23 {at}").replace(tzinfo=KST)
    assert idles(behind) is expected


def test_no_secret_stands_in_the_plan(idle: Installation) -> None:
    plan = (idle.places.log / "idle").read_text()
    assert idle.places.variables["KAKAO_REFRESH_TOKEN"] not in plan
    assert "KAKAO_REFRESH_TOKEN" in plan


def test_a_tick_that_read_another_configuration_than_is_there_now_leaves_no_plan(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    _touch(installation.places.config)
    run_full(installation.places, installation.edges, lambda: installation, lambda _: None)
    assert not idles(installation)


TIMES = st.datetimes(
    datetime(2026, 11, 23, 9, 0),  # noqa: DTZ001
    datetime(2026, 11, 23, 10, 30),  # noqa: DTZ001
    timezones=st.just(KST),
)
MINUTES_OF_THE_HOUR = st.frozensets(st.integers(0, 59), max_size=6)
LATER = st.timedeltas(timedelta(0), timedelta(hours=2))


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    at = draw(TIMES)
    attempts: tuple[Attempt, ...] = ()
    state = draw(st.sampled_from(State))
    if state is State.SENDING or draw(st.booleans()):
        claimed = at + draw(LATER)
        attempts = (Attempt(1, "x", claimed, claimed + draw(LATER), ("me",)),)
    slot = at.replace(minute=draw(st.integers(0, 59)), second=0, microsecond=0)
    return Delivery(
        f"{draw(st.sampled_from(['one', 'two', 'once-x']))}@{slot:%Y%m%dT%H%M}",
        "one",
        "regular",
        slot,
        state,
        ("me",),
        draw(st.sampled_from([None, *Reason])),
        expires_at=draw(st.none() | st.builds(slot.__add__, LATER)),
        attempts=attempts,
        targets={"me": Result(state)},
        next_attempt_at=draw(st.none() | st.builds(at.__add__, LATER)),
    )


SERIES = st.builds(
    lambda name, regular, peak: Series(
        name,
        Timetable(Minutes(regular, peak, frozenset({9}), frozenset({"regular", "peak"}))),
        ("me",),
    ),
    st.sampled_from(["one", "two"]),
    MINUTES_OF_THE_HOUR,
    MINUTES_OF_THE_HOUR,
)


@pytest.mark.usefixtures("uncounted")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    series=st.lists(SERIES, max_size=2, unique_by=lambda one: one.name),
    known=st.lists(deliveries(), max_size=4),
    now=TIMES,
    ahead=st.sampled_from([timedelta(0), timedelta(seconds=60)]),
    resend=st.booleans(),
    expire_after=st.sampled_from([timedelta(seconds=90), timedelta(minutes=10)]),
    shares=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6),
)
def test_until_the_instant_that_is_named_there_is_nothing_to_decide(
    series: list[Series],
    known: list[Delivery],
    now: datetime,
    ahead: timedelta,
    resend: bool,
    expire_after: timedelta,
    shares: list[float],
) -> None:
    policy = Policy((timedelta(seconds=30),), 4, expire_after, resend)
    ledger = {delivery.id: delivery for delivery in known}

    def decides(at: datetime, since: datetime) -> bool:
        found = decide(series, policy, ledger, at, since, ahead=ahead)
        return bool(found.settle or found.due)

    assume(not decides(now, now))
    limit = now + timedelta(hours=3)
    until = idle_until(series, policy, ledger, now, limit, ahead)
    moments = [now + (until - now) * share for share in shares]
    for at in [*moments, until - timedelta(milliseconds=1)]:
        if now <= at < until:
            assert not decides(at, now)
            assert not decides(at, at)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    regular=MINUTES_OF_THE_HOUR.filter(bool),
    steps=st.lists(
        st.sampled_from([-1800.0, -90.0, 1.0, 29.0, 60.0, 61.5, 200.0]), min_size=5, max_size=12
    ),
)
def test_an_idle_tick_means_that_a_full_one_would_find_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    sandbox: SandboxServer,
    clock: FakeClock,
    regular: frozenset[int],
    steps: list[float],
) -> None:
    folder = tmp_path_factory.mktemp("day")
    config = f"[schedule]\nregular_minutes = {sorted(regular)}\npeak_minutes = []\n" + MESSAGE
    for step in steps:
        clock.sleep(step)
        installation = install(folder, sandbox, clock, config)
        seen = installation.snapshot()
        decision = decide_by(seen, installation.plan, installation.engine.policy)
        if idles(installation):
            assert not decision.settle
            assert not decision.due
        else:
            run_tick(installation)


# One for each thing that an idle tick stands on; a new one must earn its milliseconds.
ALLOWED = {
    "kakaocron",
    "kakaocron.__main__",
    "kakaocron.files",
    "kakaocron.idle",
}
COMMAND = """
import os, sys
os._exit = sys.exit
before = set(sys.modules)
sys.argv[0] = "kakaocron"
from kakaocron.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sorted(set(sys.modules) - before))
"""


def imported_by(*arguments: str) -> set[str]:
    argv = [sys.executable, "-c", COMMAND, *arguments]
    run = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert not run.stderr
    return set(run.stdout.splitlines()[-1].split())


def imported_by_a_tick() -> set[str]:
    return imported_by("tick")


@pytest.fixture
def installed(home: Path) -> Path:
    return write_config(home, "[schedule]\nregular_minutes = []\n")


def test_an_idle_tick_imports_next_to_nothing(installed: Path) -> None:
    full = imported_by_a_tick()
    assert "kakaocron.delivery.engine" in full
    assert not {"rich", "requests", "typer", "kakaocron.show", "kakaocron.rehearsal"} & full
    assert not {"typing_extensions", "inspect"} & full
    assert imported_by_a_tick() == ALLOWED


@pytest.mark.parametrize(
    "words", ["status", "status --json", "report --days 365", "tick --config CONFIG"]
)
def test_a_plain_look_builds_no_parser_and_loads_no_client(installed: Path, words: str) -> None:
    looked = imported_by(*words.replace("CONFIG", str(installed)).split())
    assert ("rich.console" in looked) is ("tick" not in words)
    assert not {"typer", "requests", "kakaocron.rehearsal", "kakaocron.web"} & looked


def test_a_look_that_asks_for_help_builds_a_parser(installed: Path) -> None:
    assert "typer" in imported_by("status", "--help")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tick"], True),
        (["tick", "--config", "CONFIG"], True),
        (["--config=CONFIG", "tick"], True),
        (["tick", "--config", "/no/such.toml"], False),
        (["tick", "--dry-run"], False),
        (["tick", "--config"], False),
        (["tick", "tick"], False),
        (["status"], False),
        ([], False),
    ],
)
def test_only_a_plain_tick_of_the_same_configuration_is_idle(
    installed: Path, arguments: list[str], expected: bool
) -> None:
    imported_by_a_tick()
    given = [word.replace("CONFIG", str(installed)) for word in arguments]
    assert is_idle_tick(given, os.environ) is expected


def is_idle(*options: str) -> int:
    """Ask as cron's line does, beside a Python that finds no installed package."""
    argv = [
        sys.executable,
        "-I",
        "-S",
        *options,
        str(Path(kakaocron.__file__).with_name("is_idle.py")),
    ]
    asked = subprocess.run(argv, capture_output=True, check=False, timeout=30)
    assert not asked.stdout
    return asked.returncode


def test_crons_line_asks_first_and_gets_the_answer_that_the_tick_gives(installed: Path) -> None:
    assert is_idle() == 1  # no tick has left a plan
    imported_by_a_tick()
    assert is_idle() == 0
    (beats,) = find_places().log.glob("ticks/*")
    assert beats.read_text().split("\n")[-2].split()[1] == "idle"
    installed.write_bytes(installed.read_bytes() + b"\n")
    assert is_idle() == 1


def test_a_plan_of_another_python_is_none(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update of Python in its place what a tick imports may be gone with the old one."""
    imported_by_a_tick()
    assert is_idle_tick(["tick"], os.environ)
    assert idle_module.HEADER.endswith(f" 3{sys.version_info.minor:02x}")
    monkeypatch.setattr(idle_module, "HEADER", "kakaocron idle plan 4 300")
    assert not is_idle_tick(["tick"], os.environ)


@pytest.mark.parametrize(("may_wait", "waits"), [(True, True), (False, False)])
def test_what_only_asks_does_not_wait_for_a_slot_and_leaves_no_heartbeat(
    idle: Installation, clock: FakeClock, may_wait: bool, waits: bool
) -> None:
    plan = Path(str(idle.places.log)) / "idle"
    told = plan.read_text().split("\n")
    since, _, ready, *end = told[1].split()
    told[1] = told[-2] = " ".join([since, since, ready, *end])  # from now on it gets ready
    plan.write_text("\n".join(told))
    beats = idle.heartbeat.read(clock.now().date())
    longest = LONGEST_WAIT_SECONDS if may_wait else 0
    given = (str(plan), str(idle.places.config), idle.places.variables)
    clock.at = datetime.fromtimestamp(int(ready) / 1000 - 5, KST)
    now = clock.at.timestamp()
    found = wait_before(RealDisk(), *given, now, lambda *_: False, longest=longest)
    assert found == 5 * waits
    assert len(idle.heartbeat.read(clock.now().date())) == len(beats) + waits


def test_the_idle_tick_finds_the_places_that_a_full_one_finds(home: Path) -> None:
    """It knows the platform's rules by heart; where they differ it would only never be idle."""
    for environ in (
        {},
        {"XDG_CONFIG_HOME": "/a", "XDG_STATE_HOME": "/b"},
        {"KAKAOCRON_CONFIG": "~/c.toml", "KAKAOCRON_LOG_DIR": "~/d"},
    ):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            places = find_places()
            assert plan_path(os.environ, str(places.folder)) == f"{places.log}/idle"


def test_an_idle_tick_writes_its_heartbeat_and_nothing_else(
    idle: Installation, clock: FakeClock
) -> None:
    class Watched(RealDisk):
        opened: ClassVar[set[str]] = set()

        def open(self, path: str, flags: int, mode: int = 0o600) -> int:
            if flags & (os.O_WRONLY | os.O_RDWR):
                self.opened.add(path)
            return super().open(path, flags, mode)

    clock.set("09:40:01")
    assert may_leave_at_once(idle.places, Edges(clock=clock, disk=Watched()))
    assert Watched.opened == {idle.heartbeat.path(clock.now().date())}
