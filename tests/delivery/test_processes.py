"""Real processes, started together and killed anywhere; the sandbox counts what arrived."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import IO
from urllib.request import urlopen

import pytest

from kakaocron.installation import Edges, make_ledger
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import parse_delivery_id
from kakaocron.states import FINAL, State
from kakaocron.system.places import Places
from tests.fakes import FakeClock, kakao_section

pytestmark = pytest.mark.usefixtures("uncounted")  # processes that are killed count nothing

START = datetime(2026, 11, 23, 9, tzinfo=KST)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
KILLS = 200
KILLS_A_HOUSE = 25
TWINS = 8

TICK = [sys.executable, "-m", "kakaocron", "tick"]

EVERY = str(list(range(60)))
EVERY_MINUTE = f"""
[schedule]
regular_minutes = {EVERY}

[[message]]
name = "report"
slots = ["regular"]
text = "{{time:%Y%m%dT%H%M}}"
"""


@dataclass(frozen=True)
class House:
    """One user's files, and the sandbox that his kakaocron talks to."""

    folder: Path
    sandbox: SandboxServer
    clock: FakeClock

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KAKAOCRON_CONFIG": str(self.folder / "config.toml"),
            "KAKAOCRON_DATA_DIR": str(self.folder / "data"),
            "KAKAOCRON_LOG_DIR": str(self.folder / "log"),
        }

    def write(self, config: str) -> None:
        text = kakao_section(self.sandbox, timeout=2) + config
        (self.folder / "config.toml").write_text(text, "utf-8")
        token = self.sandbox.kakao.issue_login(self.clock.now()).refresh_token
        (self.folder / ".env").write_text(f"KAKAO_REFRESH_TOKEN={token}\n")

    def now_is_a_slot(self) -> str:
        """Make the minute that it is the only slot of each hour; return how its text names it."""
        now = self.clock.at = datetime.now(KST)
        self.write(EVERY_MINUTE.replace(EVERY, f"[{now.minute}]"))
        return f"{now:%Y%m%dT%H%M}"

    def deliveries(self) -> dict[str, Delivery]:
        places = Places(self.folder / "config.toml", self.folder / "data", self.folder / "log", {})
        ledger = make_ledger(places, Edges())
        return ledger.read(ledger.days()).deliveries

    def received(self) -> Counter[str]:
        """Count the texts that arrived; each names its slot."""
        return Counter(delivery.text for delivery in self.sandbox.deliveries)


@contextmanager
def a_house(folder: Path) -> Iterator[House]:
    clock = FakeClock(START)
    with SandboxServer(Kakao(seed=3), clock.now, answer_delay_seconds=0.004) as sandbox:
        house = House(folder, sandbox, clock)
        house.write(EVERY_MINUTE)
        yield house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as house:
        yield house


@dataclass
class Forks:
    """The program of tests/forked_ticks.py, asked round by round."""

    stdin: IO[str]
    stdout: IO[str]

    def ticks(
        self, house: House, at: datetime, kill_after: Sequence[float | None]
    ) -> tuple[list[int], list[float]]:
        """Start ticks at the same moment; return how each ended and after how many seconds."""
        house.clock.at = at
        order = {"folder": str(house.folder), "at": at.timestamp(), "kill_after": list(kill_after)}
        self.stdin.write(json.dumps(order) + "\n")
        self.stdin.flush()
        answer = json.loads(self.stdout.readline())
        _wait_for_the_sandbox(house.sandbox)
        return [int(code) for code in answer["exits"]], answer["seconds"]


def _wait_for_the_sandbox(sandbox: SandboxServer, seconds: float = 20) -> None:
    """Wait until what a killed tick had sent is dealt with, by the clock at which it was sent."""
    # Connections are taken in turn: once this one is answered, all before it have a thread.
    with suppress(OSError), urlopen(f"{sandbox.url}/", timeout=seconds):
        pass
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(
        "process_request" in thread.name for thread in threading.enumerate()
    ):
        time.sleep(0.002)


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Forks]:
    with (tmp_path / "stderr").open("w") as stderr:
        helper = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forked_ticks.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        assert helper.stdin is not None
        assert helper.stdout is not None
        with helper, helper.stdin, helper.stdout:
            yield Forks(helper.stdin, helper.stdout)
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_eight_ticks_started_at_the_same_moment_send_one_message(house: House) -> None:
    slot = house.now_is_a_slot()
    ticks = [
        subprocess.Popen(TICK, env=house.environment, stderr=subprocess.PIPE) for _ in range(TWINS)
    ]
    said = [tick.communicate(timeout=60)[1] for tick in ticks]

    assert house.received() == {slot: 1}
    assert house.deliveries()[f"report@{slot}"].state is State.CONFIRMED
    assert [(tick.returncode, text) for tick, text in zip(ticks, said, strict=True)] == (
        [(0, b"")] * TWINS
    )


def test_eight_ticks_at_a_time_send_one_message_a_slot_for_ten_slots(
    house: House, forks: Forks
) -> None:
    exits = [forks.ticks(house, START + n * MINUTE, [None] * TWINS)[0] for n in range(10)]

    assert exits == [[0] * TWINS] * 10
    assert house.received() == {f"20261123T09{n:02d}": 1 for n in range(10)}
    assert {d.state for d in house.deliveries().values()} == {State.CONFIRMED}


def test_no_kill_makes_a_message_come_twice_or_be_falsely_confirmed(
    tmp_path: Path, forks: Forks
) -> None:
    """Kill 200 ticks at random moments, in several installations, as a long ledger takes time."""
    draw = random.Random(20261123)
    places: Counter[str] = Counter()
    while places.total() < KILLS:
        folder = tmp_path / f"house-{places.total()}"
        folder.mkdir()
        with a_house(folder) as house:
            places += _killings(house, forks, draw, min(KILLS_A_HOUSE, KILLS - places.total()))

    assert min(places[name] for name in ("before the claim", "claimed", "delivered")) > 0, places


def _killings(house: House, forks: Forks, draw: random.Random, kills: int) -> Counter[str]:
    """Kill ticks, every third beside a rival that lives on; say between which steps they died."""
    places: Counter[str] = Counter()
    minute = 0
    usual = forks.ticks(house, START, [None])[1]
    while places.total() < kills:
        minute += 1
        slot = START + minute * MINUTE
        delay = draw.uniform(0.1, 1.2) * median(usual[-9:])
        exits, _ = forks.ticks(house, slot + SECOND, [delay, None][: 2 if minute % 3 == 0 else 1])
        if exits[0] < 0:
            places["beside a rival" if len(exits) > 1 else _place(house, slot)] += 1
        # The claim of a killed tick has run out by then: a normal tick says so, or sends.
        exits, seconds = forks.ticks(house, slot + 40 * SECOND, [None])
        assert exits[0] in {0, 1}
        if exits[0] == 0 and house.received():
            usual += seconds
    _judge(house, minute + 1)
    return places


def _place(house: House, slot: datetime) -> str:
    """Tell between which two steps the kill of this slot's tick fell."""
    stamp = f"{slot:%Y%m%dT%H%M}"
    path = house.folder / "data" / "ledger" / f"{slot:%Y-%m-%d}.jsonl"
    lines = path.read_text("utf-8").splitlines()[-3:] if path.exists() else []
    states = [json.loads(line)["state"] for line in lines if f"report@{stamp}" in line]
    if not states:
        return "before the claim"
    if states[-1] != "sending":
        return "recorded"
    return "delivered" if house.received()[stamp] else "claimed"


def _judge(house: House, minutes: int) -> None:
    received, deliveries = house.received(), house.deliveries()
    assert max(received.values()) == 1
    slots = {f"{START + n * MINUTE:%Y%m%dT%H%M}" for n in range(minutes)}
    assert {id_.partition("@")[2] for id_ in deliveries} == slots
    for id_, delivery in deliveries.items():
        stamp = f"{parse_delivery_id(id_)[1]:%Y%m%dT%H%M}"
        assert delivery.state in FINAL, id_
        assert (delivery.reason is None) == (delivery.state is State.CONFIRMED)
        if delivery.state is State.CONFIRMED:
            assert received[stamp] == 1
        elif delivery.state is not State.UNKNOWN:
            assert received[stamp] == 0
    for arrived in house.sandbox.deliveries:
        slot = datetime.strptime(arrived.text, "%Y%m%dT%H%M").replace(tzinfo=KST)
        assert slot <= arrived.at < slot + MINUTE


@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.6])
def test_a_whole_process_killed_leaves_nothing_that_hinders_the_next(
    house: House, seconds: float
) -> None:
    """As above from the start of Python on, with the machine's own clock."""
    slot = house.now_is_a_slot()
    killed = subprocess.Popen(TICK, env=house.environment, stderr=subprocess.DEVNULL)
    with suppress(subprocess.TimeoutExpired):
        killed.wait(seconds)
    killed.kill()
    killed.wait()

    after = subprocess.run(
        TICK, env=house.environment, capture_output=True, timeout=60, check=False
    )

    assert (after.returncode, after.stderr) == (0, b"")
    assert house.received()[slot] <= 1
    if house.deliveries()[f"report@{slot}"].state is State.CONFIRMED:
        assert house.received()[slot] == 1
