"""What is ordered or begun while the clock is set back is not forgotten once it is right again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron import actions
from kakaocron.delivery.tick import tick
from kakaocron.installation import Installation
from kakaocron.kst import DAY, MINUTE
from kakaocron.ledger.lookup import find_delivery
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from tests.fakes import NOW, FakeClock, day_file, install, run_tick, texts

TEN = NOW.replace(hour=10, minute=0, second=1)
MESSAGES = """
[schedule]
regular_minutes = [0, 30]
peak_hours = []

[[message]]
name = "report"
text = "x"
slots = ["regular"]
"""


@pytest.fixture
def house(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Installation:
    """Give an installation whose last tick was at ten, and had nothing to do."""
    clock.at = TEN
    house = install(tmp_path, sandbox, clock, "")
    run_tick(house)
    return house


@pytest.mark.parametrize(
    "back", [timedelta(minutes=10, seconds=1), DAY, 2 * DAY, 40 * DAY], ids=str
)
@pytest.mark.parametrize("away", [timedelta(0), 3 * DAY], ids=["at once", "days later"])
def test_a_one_off_that_was_booked_meanwhile_is_missed(
    house: Installation,
    sandbox: SandboxServer,
    clock: FakeClock,
    back: timedelta,
    away: timedelta,
) -> None:
    clock.at = TEN - back
    booked = actions.schedule(house, clock.at + MINUTE, text="x")

    clock.at = TEN + away + 11 * MINUTE
    run_tick(house)

    ended = find_delivery(house.ledger, booked.id)
    assert (ended.state, ended.reason) == (State.MISSED, Reason.NO_TICK)
    assert texts(sandbox) == []


@pytest.mark.parametrize("back", [DAY, 2 * DAY, 40 * DAY], ids=str)
def test_what_a_tick_began_meanwhile_is_ended(
    tmp_path: Path, house: Installation, sandbox: SandboxServer, clock: FakeClock, back: timedelta
) -> None:
    clock.at = TEN - back
    house = install(tmp_path, sandbox, clock, MESSAGES)
    run_tick(house)  # from here on its times hold
    clock.at += 30 * MINUTE
    sandbox.faults.enqueue("429")
    run_tick(house)
    id_ = f"report@{clock.at:%Y%m%dT%H%M}"
    assert find_delivery(house.ledger, id_).state is State.RETRYING

    clock.at = TEN + 3 * DAY
    run_tick(house)

    ended = find_delivery(house.ledger, id_)
    assert (ended.state, ended.reason) == (State.FAILED, Reason.EXPIRED)


@pytest.mark.parametrize(
    ("back", "is_current"),
    [
        (timedelta(seconds=1, milliseconds=50), False),  # waited for, but the configuration is new
        (timedelta(minutes=2), True),
        (timedelta(hours=1), True),
        (DAY, True),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("after", "state"), [(MINUTE, State.CONFIRMED), (31 * MINUTE, State.MISSED)], ids=str
)
def test_what_was_due_as_the_clock_was_set_back_under_a_tick_gets_its_state_later(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    back: timedelta,
    is_current: bool,
    after: timedelta,
    state: State,
) -> None:
    clock.at = TEN - 20 * MINUTE
    house = install(tmp_path, sandbox, clock, MESSAGES)
    run_tick(house)  # from here on its times hold
    clock.at = TEN

    def set_back(_: object) -> None:  # with the lock held, when the tick's instant is known
        clock.at = TEN - back

    report = tick(
        replace(house.engine, is_current=lambda: is_current),
        replace(house.plan, note_timetables=set_back),
        house.heartbeat,
    )
    assert (len(report.due), report.is_complete, texts(sandbox)) == (1, False, [])

    clock.at = TEN + after
    run_tick(house)

    assert find_delivery(house.ledger, report.due[0].id).state is state


def test_an_order_under_a_clock_that_is_right_leads_nowhere(
    house: Installation, clock: FakeClock
) -> None:
    actions.schedule(house, clock.at + MINUTE, text="x")
    actions.schedule(house, clock.at + 2 * DAY, text="x")

    written = [day_file(house, clock.at.date() + n * DAY) for n in range(3) if n != 1]
    assert [path.read_text("utf-8").count('"pointer"') for path in written] == [0, 0]
