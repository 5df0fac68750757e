"""A ledger that somebody spoilt or replaced: what may have gone stays unsent, and is told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from kakaocron.actions import schedule
from kakaocron.delivery.policy import settle_delivery
from kakaocron.delivery.tick import TickReport
from kakaocron.errors import LedgerError
from kakaocron.installation import Installation
from kakaocron.ledger.heartbeat import TAIL_BYTES
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.simulation.home import PLACES
from kakaocron.states import Reason, State
from tests.fakes import FakeClock, install, run_tick, texts
from tests.proofs.solo import Solo
from tests.proofs.workloads import ONE
from tests.proofs.workloads import at as instant


class Machine:
    """An installation that ticks at the times named, and a hand on its files."""

    def __init__(self, folder: Path, sandbox: SandboxServer, clock: FakeClock) -> None:
        self.clock, self.sandbox = clock, sandbox
        self.installation: Installation = install(folder, sandbox, clock)
        self.file = folder / "data" / "ledger" / "2026-11-23.jsonl"

    def tick(self, at: str) -> TickReport:
        self.clock.set(at)
        return run_tick(self.installation)

    def state(self, identity: str) -> tuple[State, Reason | None]:
        ledger = self.installation.ledger
        found = ledger.read(ledger.days()).deliveries[identity]
        return found.state, found.reason

    def spoil(self, line: int) -> None:
        lines = self.file.read_bytes().split(b"\n")
        lines[line] = lines[line].replace(b"report", b"rep0rt")
        self.file.write_bytes(b"\n".join(lines))


@pytest.fixture
def machine(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Machine:
    return Machine(tmp_path, sandbox, clock)


def test_damage_above_damage_that_is_known_is_damage_too(machine: Machine) -> None:
    machine.tick("09:30")
    machine.tick("10:00")
    machine.spoil(2)
    machine.tick("10:01")
    for line in (0, 1):
        machine.spoil(line)
    report = machine.tick("10:02")

    assert [key.split(":")[0] for key, _ in report.problems] == ["ledger-damaged"]
    assert machine.state("report@20261123T0930") == (State.UNKNOWN, Reason.LEDGER_DAMAGED)
    assert machine.tick("10:03").problems == ()


def test_what_is_ordered_below_damage_that_a_clock_ahead_has_noted_is_sent(
    machine: Machine,
) -> None:
    machine.tick("09:30")
    machine.spoil(1)
    machine.tick("12:00")
    machine.clock.set("10:02")
    once = schedule(machine.installation, machine.clock.now(), text="곧")
    machine.tick("10:02:01")

    assert machine.state("report@20261123T1000") == (State.UNKNOWN, Reason.LEDGER_DAMAGED)
    assert machine.state(once.id) == (State.CONFIRMED, None)


def test_an_older_copy_that_is_larger_than_what_damage_left_is_known(machine: Machine) -> None:
    for at in ("00:30", "01:00", "01:30", "02:00", "02:30"):
        machine.tick(at)
    copy = machine.file.read_bytes()
    machine.file.write_bytes(b"")
    machine.tick("02:31")
    machine.tick("03:00")
    arrived = texts(machine.sandbox)
    assert machine.file.stat().st_size < len(copy)
    machine.file.write_bytes(copy)
    report = machine.tick("03:01")

    assert [key.split(":")[0] for key, _ in report.problems] == ["ledger-damaged"]
    assert machine.state("report@20261123T0300") == (State.UNKNOWN, Reason.LEDGER_DAMAGED)
    assert texts(machine.sandbox) == arrived


def test_the_end_of_a_heartbeat_that_was_cut_is_no_heartbeat(machine: Machine) -> None:
    machine.tick("00:30")
    beats, now = machine.installation.heartbeat, machine.clock.now()
    line = b"00:45:01.118 done 0 0\n"  # of which "01.118", read alone, is one o'clock
    rest = b"x" * (TAIL_BYTES + 6 - len(line) - 1) + b"\n"
    Path(beats.path(now.date())).write_bytes(line + rest)

    found = beats.last_complete(now.replace(hour=12))
    assert found == now.replace(hour=0, minute=45, second=1, microsecond=118_000)


def test_a_reset_of_another_days_ledger_is_not_taken_for_its_last_tick(machine: Machine) -> None:
    machine.tick("09:30")
    beats, now = machine.installation.heartbeat, machine.clock.now()
    beats.reset(now.date(), now.replace(hour=23, minute=59), beats.ledger_end(now.date()))
    machine.spoil(0)
    machine.tick("09:31")
    machine.tick("10:00")

    assert machine.state("report@20261123T1000")[0] is State.CONFIRMED


def test_the_end_of_yesterdays_ledger_is_known_again_after_its_heartbeats_are_lost(
    machine: Machine,
) -> None:
    machine.tick("23:30")
    Path(machine.installation.heartbeat.path(machine.clock.now().date())).unlink()
    machine.clock.set("00:10", day=24)
    run_tick(machine.installation)
    machine.file.write_bytes(b"")
    machine.clock.set("00:11", day=24)
    report = run_tick(machine.installation)

    assert [key.split(":")[0] for key, _ in report.problems] == ["ledger-damaged"]


def test_a_line_that_a_power_cut_left_unfinished_is_no_damage_to_any_later_tick(
    machine: Machine,
) -> None:
    machine.tick("09:30:01")
    whole = machine.file.read_bytes()
    machine.file.write_bytes(whole + b'{"v":1,"at":"2026')
    reports = [machine.tick(at) for at in ("09:31:01", "09:32:01", "09:45:01")]

    assert [report.problems for report in reports] == [(), (), ()]
    assert machine.file.read_bytes().startswith(whole + b'{"v":1,"at":"2026-11-23T09:45')


def test_nothing_is_written_where_somebody_else_has_written_under_the_lock(
    machine: Machine,
) -> None:
    machine.tick("09:30")
    ledger, day = machine.installation.ledger, machine.clock.now().date()
    with ledger.open() as book:
        delivery = book.read([day]).deliveries["report@20261123T0930"]
        before = machine.file.read_bytes()
        machine.file.write_bytes(before + before)
        with pytest.raises(LedgerError, match="another process writes to it too"):
            book.record([settle_delivery(delivery, book.now, State.MISSED, Reason.NO_TICK)])

    assert machine.file.read_bytes() == before + before


@pytest.mark.parametrize("ahead", [instant(20, 30), instant(0, 30, day=24)])
def test_what_a_clock_ahead_saw_survives_a_power_cut_once_it_is_right_again(
    ahead: datetime,
) -> None:
    solo = Solo(instant(9, 0), Kakao(seed=1))
    solo.configure(ONE.replace('quiet = ["10:15-08:45"]\n', ""))
    solo.log_in()
    beats = f"{PLACES.heartbeat}/{ahead:%Y-%m-%d}"
    for moment in (instant(9, 0), ahead):
        solo.at = moment
        solo.tick()
    assert f"{ahead:%H:%M:%S}".encode() not in (solo.files.durable(beats) or b"")
    solo.at = instant(9, 1)
    solo.tick()

    assert f"{ahead:%H:%M:%S}".encode() in (solo.files.durable(beats) or b"")
