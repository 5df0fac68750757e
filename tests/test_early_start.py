"""`early_start`: prepared in the minute before, sent at the slot's instant, never before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.byhand import pause
from kakaocron.core.heartbeat import Word
from kakaocron.core.ledger import State
from kakaocron.sandbox.kakao import Kakao
from kakaocron.sandbox.server import SandboxServer
from kakaocron.wiring import Installation

from .fakes import MESSAGE, NOW, FakeClock, install, run_tick, texts

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


def test_the_tick_before_a_slot_sends_at_its_instant_and_not_before(
    early: Installation, sandbox: SandboxServer
) -> None:
    report = run_tick(early)

    (delivery,) = sandbox.deliveries
    assert timedelta(0) <= delivery.at - SLOT < timedelta(seconds=1)
    (ended,) = report.ended.values()
    assert ended.state is State.CONFIRMED
    assert ended.attempts[0].claimed_at >= SLOT


def test_a_slot_more_than_a_minute_away_is_not_waited_for(
    early: Installation, sandbox: SandboxServer, clock: FakeClock
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
    waiting = threading.Thread(target=run_tick, args=(early,))
    waiting.start()
    time.sleep(0.3)
    pause(early, None, None, None)
    waiting.join()
    assert texts(sandbox) == []


def test_a_clock_set_back_during_the_wait_leaves_the_slot_to_a_later_tick(
    early: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    waiting = threading.Thread(target=run_tick, args=(early,))
    waiting.start()
    time.sleep(0.2)
    clock.at -= timedelta(minutes=10)
    waiting.join(timeout=5)
    assert not waiting.is_alive()
    assert texts(sandbox) == []


def test_a_process_that_slept_through_the_expiry_sends_nothing(
    early: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    waiting = threading.Thread(target=run_tick, args=(early,))
    waiting.start()
    time.sleep(0.2)
    clock.at += timedelta(minutes=14)
    waiting.join(timeout=5)
    assert texts(sandbox) == []
    day = early.ledger.read([SLOT.date()]).deliveries
    assert [d.state for d in day.values() if d.slot == SLOT] == [State.MISSED]
