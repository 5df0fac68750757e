"""`early_start`: prepared in the minute before, sent at the slot's instant, never before it."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.actions import pause
from kakaocron.cli import run
from kakaocron.delivery import early_start
from kakaocron.delivery.tick import tick
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.kst import KST
from kakaocron.ledger.beats import Word
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.pictures import draw
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.show.pictures import print_explanation
from kakaocron.states import State
from kakaocron.system.clock import SystemClock
from kakaocron.system.socket_http import SocketHttp
from kakaocron.watching.overview import explain_minute, look
from tests.fakes import MESSAGE, NOW, FakeClock, ended_tick, install, live_in, run_tick, texts

SLOT = NOW.replace(minute=30, second=0)
EARLY = "[schedule]\nearly_start = true\n" + MESSAGE


class RunningClock(FakeClock):
    """Starts where it is set and then goes on by itself."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self._since = time.monotonic()

    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self._since)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.fixture
def clock() -> FakeClock:
    return RunningClock(SLOT - timedelta(seconds=1))


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[SandboxServer]:
    with SandboxServer(Kakao(seed=7), clock.now) as server:
        yield server


@pytest.fixture
def early(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Installation:
    return install(tmp_path, sandbox, clock, EARLY)


def waiting_tick(
    early: Installation, sandbox: SandboxServer, clock: FakeClock, seconds: float
) -> threading.Thread:
    """Start a tick so many seconds ahead of the slot; return once it waits: it has renewed the
    token by then, and needs nothing more until the slot."""
    clock.at -= timedelta(seconds=seconds) - (SLOT - clock.now())
    waiting = threading.Thread(target=run_tick, args=(early,))
    waiting.start()
    deadline = time.monotonic() + 30
    while not sandbox.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return waiting


def test_the_tick_before_a_slot_sends_at_its_instant_and_not_before(
    early: Installation, sandbox: SandboxServer
) -> None:
    report = run_tick(early)

    (sending,) = sandbox.deliveries
    assert timedelta(0) <= sending.at - SLOT < timedelta(seconds=5)
    (ended,) = report.ended.values()
    assert ended.state is State.CONFIRMED
    assert ended.attempts[0].claimed_at >= SLOT


@pytest.mark.parametrize("is_given", [False, True])
def test_the_next_tick_has_a_plan_to_wait_by_whatever_the_login_is(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, is_given: bool
) -> None:
    """Also where each minute has a slot, so that no tick is idle."""
    minutes = f"regular_minutes = {list(range(60))}\npeak_hours = []\n"
    config = EARLY.replace("early_start = true\n", f"early_start = true\n{minutes}", 1)
    token = sandbox.kakao.issue_login(clock.now()).access_token
    given = {"KAKAO_ACCESS_TOKEN": token} if is_given else {}
    here = install(tmp_path, sandbox, clock, config, variables=given)
    run_tick(here)

    numbers = Path(f"{here.places.log}/idle").read_text("utf-8").splitlines()[1].split()
    since, until, ready_from = (datetime.fromtimestamp(int(n) / 1000, KST) for n in numbers[:3])
    assert until <= since < ready_from == SLOT + timedelta(seconds=55)


@pytest.mark.parametrize("upload", ["", "stall@/v2/api/talk/message/image/upload"])
def test_a_picture_is_uploaded_ahead_and_waited_for_until_shortly_before_the_slot(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    upload: str,
) -> None:
    monkeypatch.setattr("kakaocron.delivery.enclosing.MARGIN", timedelta(seconds=0.3))
    monkeypatch.setattr("kakaocron.delivery.enclosing.MOMENT_SECONDS", 0.1)
    (tmp_path / "chart.png").write_bytes(draw(300, 200).content)
    here = install(tmp_path, sandbox, clock, EARLY + 'image = "chart.png"\n')
    sandbox.faults.replace(upload)

    run_tick(here)

    (sending,) = sandbox.deliveries
    (uploading,) = (one for one in sandbox.requests if one.path.endswith("/upload"))
    assert timedelta(0) <= sending.at - SLOT < timedelta(seconds=2.5)  # an upload may take 3
    assert uploading.at < SLOT
    assert (sending.picture is None) == bool(upload)


def test_the_tick_of_the_minute_before_leaves_no_gap_to_be_explained(
    early: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    run_tick(early)
    explanation = explain_minute(early, SLOT)
    print_explanation(explanation)

    assert capsys.readouterr().out.endswith("    ticks  none began in this minute\n")

    assert explanation.messages[0].state is State.CONFIRMED
    assert (explanation.ticks, explanation.gap_words) == ((), None)


def test_a_tick_that_waited_for_its_slot_tells_how_it_went(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it waited is not taken off the time that it has for alarms."""
    told = tmp_path / "told"
    command = json.dumps(["sh", "-c", f"cat >>{told}"])
    installation = install(
        tmp_path, sandbox, clock, f"[monitor]\nalert_command = {command}\n{EARLY}"
    )
    sandbox.faults.enqueue("-501")
    monkeypatch.setattr("kakaocron.watching.telling.TICK_SECONDS", 4.0)
    clock.at = SLOT - (clock.now() - clock.at) - timedelta(seconds=4)
    assert ended_tick(installation).exit_code == 1

    (alarm,) = json.loads(told.read_text())["alarms"]
    assert (alarm["turn"], alarm["key"]) == ("begun", "delivery:report")
    assert datetime.fromisoformat(alarm["since"]) >= SLOT


def test_a_slot_to_come_is_none_that_no_tick_has_seen_to(early: Installation) -> None:
    overview = look(early)

    assert overview.unseen == ()
    assert overview.following[0].at == SLOT
    assert overview.stats.total_scheduled == len(overview.upcoming)


def test_a_slot_more_than_a_minute_away_is_not_waited_for(
    early: Installation, clock: FakeClock
) -> None:
    clock.at -= timedelta(seconds=61)
    assert run_tick(early).due == ()


def test_of_two_that_wait_one_sends(early: Installation, sandbox: SandboxServer) -> None:
    ticks = [threading.Thread(target=run_tick, args=(early,)) for _ in range(2)]
    for one in ticks:
        one.start()
    for one in ticks:
        one.join()
    assert len(texts(sandbox)) == 1


def test_the_slots_own_tick_sends_when_the_one_that_waited_has_died(
    early: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    early.heartbeat.beat(clock.now(), Word.START, 0)  # all that a killed one leaves behind
    clock.at = SLOT + timedelta(seconds=1)
    run_tick(early)
    assert len(texts(sandbox)) == 1


def test_a_pause_during_the_wait_is_heeded(
    early: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    waiting = waiting_tick(early, sandbox, clock, 3)
    pause(early, None, None, None)
    waiting.join()
    assert texts(sandbox) == []


def test_a_clock_set_back_during_the_wait_leaves_the_slot_to_a_later_tick(
    early: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    waiting = waiting_tick(early, sandbox, clock, 20)
    clock.at -= timedelta(minutes=10)
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert texts(sandbox) == []


@pytest.mark.parametrize(
    ("minutes", "sent", "state"), [(5, 1, State.CONFIRMED), (14, 0, State.MISSED)]
)
def test_a_process_that_the_machine_slept_on_leaves_the_slot_to_the_next_tick(
    early: Installation,
    sandbox: SandboxServer,
    clock: FakeClock,
    minutes: int,
    sent: int,
    state: State,
) -> None:
    waiting = waiting_tick(early, sandbox, clock, 20)
    clock.at += timedelta(minutes=minutes)
    waiting.join(timeout=30)
    assert texts(sandbox) == []  # its connections are those of before
    run_tick(early)
    assert len(texts(sandbox)) == sent
    assert state_of_the_slot(early) is state


def test_a_content_that_takes_longer_goes_when_it_is_there_and_delays_no_other(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    slow = MESSAGE.replace('"report"', '"slow"').replace(
        'text = "보고 {time:%Y-%m-%d %H:%M}"', 'command = ["sh", "-c", "sleep 4; echo 느린 보고"]'
    )
    run_tick(install(tmp_path, sandbox, clock, EARLY + slow))
    (first, second) = sandbox.deliveries
    assert SLOT <= first.at < second.at - timedelta(seconds=0.5)
    assert timedelta(seconds=2.9) <= second.at - SLOT
    assert second.text.startswith("느린 보고")


def test_a_content_that_takes_its_time_before_the_slot_costs_none_after_it(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    text = 'text = "보고 {time:%Y-%m-%d %H:%M}"'
    made = tmp_path / "made"
    command = json.dumps(["sh", "-c", f"sleep 0.3; touch {made}; echo 보고"])
    installation = install(tmp_path, sandbox, clock, EARLY.replace(text, f"command = {command}"))
    slot_at = time.time() + (SLOT - clock.now()).total_seconds()
    run_tick(installation)
    (sending,) = sandbox.deliveries
    assert sending.at >= SLOT
    assert made.stat().st_mtime < slot_at


class SlowToWarm(SocketHttp):
    """A network on which connections can be opened at once the first time only."""

    def __init__(self, timeout: float, clock: FakeClock) -> None:
        super().__init__(timeout)
        self.clock = clock
        self.warmed: list[datetime] = []

    def warm(self, url: str, count: int) -> None:
        if self.warmed:
            time.sleep(3)
        super().warm(url, count)
        self.warmed.append(self.clock.now())


def test_connections_that_take_long_to_renew_do_not_hold_up_what_is_due(
    early: Installation, sandbox: SandboxServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_start, "WARMING", timedelta(seconds=0.5))
    https: list[SlowToWarm] = []

    def make_http(timeout: float) -> SlowToWarm:
        https.append(SlowToWarm(timeout, clock))
        return https[-1]

    process = assemble(early.places, early.config, Edges(early.clock, make_http=make_http))
    tick(process.engine, process.plan, process.heartbeat)

    (sent,) = sandbox.deliveries
    deadline = time.monotonic() + 30
    while len(https[0].warmed) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert SLOT <= sent.at < https[0].warmed[1]


def test_who_gets_no_claim_leaves_nothing_at_the_gate(
    early: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    before = threads_of_this_process()
    waiting = waiting_tick(early, sandbox, clock, 3)
    pause(early, None, None, None)
    waiting.join()
    deadline = time.monotonic() + 30
    while threads_of_this_process() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert texts(sandbox) == []
    assert threads_of_this_process() <= before


def threads_of_this_process() -> int:
    """Count the kernel's: of some that have ended Python keeps a stand-in."""
    return len(list(Path("/proc/self/task").iterdir()))


def state_of_the_slot(installation: Installation) -> State:
    day = installation.ledger.read([SLOT.date()]).deliveries
    (state,) = (found.state for found in day.values() if found.slot == SLOT)
    return state


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_person_is_told_for_what_the_tick_waits(
    early: Installation,
    clock: FakeClock,
    *,
    is_terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = early.places.config.parent
    url = early.config.kakao.api_url
    text = f'[kakao]\napi_url = "{url}"\nauth_url = "{url}"\n{EARLY}'
    live_in(folder, monkeypatch).write_text(text, "utf-8")
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    monkeypatch.setenv("KAKAO_ACCESS_TOKEN", "none")
    run(["tick"])

    said = "Waits until 09:30:00 for report@20261123T0930 (early_start)"
    assert (said in capsys.readouterr().err.splitlines()) == is_terminal
