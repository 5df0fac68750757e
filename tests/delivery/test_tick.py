"""A tick against the sandbox, over real files and sockets."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from kakaocron import actions
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import parse_delivery_id, slots_between
from kakaocron.states import State
from kakaocron.watching.causes import in_words
from tests.fakes import MESSAGE, FakeClock, day_file, ended_tick, install, run_tick, texts


def test_a_tick_sends_a_slot_at_its_own_minute(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    report = run_tick(install(tmp_path, sandbox, clock))

    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    assert report.ended["report@20261123T0930"].state is State.CONFIRMED
    assert report.exit_code == 0


def test_a_second_tick_in_the_same_minute_sends_nothing(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    second = run_tick(installation)

    assert len(texts(sandbox)) == 1
    assert second.ended == {}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("09:29:59", "2026-11-23 09:15"),
        ("09:30:00", "2026-11-23 09:30"),
        ("09:39:59", "2026-11-23 09:30"),
    ],
)
def test_the_newest_slot_that_has_not_expired_is_sent(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, at: str, expected: str
) -> None:
    clock.set(at)
    config = MESSAGE.replace("보고 ", "")
    run_tick(install(tmp_path, sandbox, clock, "[delivery]\nexpire_after = 900\n" + config))

    assert texts(sandbox) == [expected]


def test_after_a_long_absence_each_slot_of_the_days_that_are_kept_gets_a_state(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = "[ledger]\nkeep_days = 2\n" + MESSAGE
    run_tick(install(tmp_path, sandbox, clock, config))
    clock.set("19:34:01", day=27)
    installation = install(tmp_path, sandbox, clock, config)
    report = run_tick(installation)

    (series,) = installation.plan.series
    midnight = clock.at.replace(hour=0, minute=0, second=0) - timedelta(days=2)
    before = midnight - timedelta.resolution
    owed = {slot.id for slot in slots_between("report", series.timetable, before, clock.at)}
    ledger = installation.ledger
    known = ledger.read(ledger.days()).deliveries
    assert "report@20261125T0000" in owed
    assert {id_ for id_ in known if parse_delivery_id(id_)[1] >= midnight} == owed
    assert "report@20261124T2330" not in known
    assert report.problems == ()


def test_days_removed_by_hand_do_not_hide_since_when_slots_are_owed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    run_tick(install(tmp_path, sandbox, clock))
    clock.set("01:30:01", day=27)
    installation = install(tmp_path, sandbox, clock)
    with installation.ledger.open():
        installation.ledger.prune(clock.at.date(), 2)
    report = run_tick(installation)

    ledger = installation.ledger
    assert "report@20261123T0945" in ledger.read(ledger.days()).deliveries
    assert report.ended["report@20261125T0000"].state is State.MISSED
    assert report.problems == ()


def test_what_was_scheduled_days_before_the_first_tick_gets_a_state(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    early = actions.schedule(installation, clock.at + timedelta(hours=1), text="early")
    late = actions.schedule(installation, clock.at + timedelta(days=3), text="late")
    clock.set("09:31:00", day=26)
    report = run_tick(installation)

    assert report.ended[early.id].state is State.MISSED
    assert report.ended[late.id].state is State.CONFIRMED
    assert "late" in texts(sandbox)


def test_without_heartbeats_no_more_is_read_than_the_ledger_says_is_open(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    shutil.rmtree(tmp_path / "log")
    # Years old, for all that this tick has to know.
    (tmp_path / "data" / "ledger" / "2026-11-20.jsonl").write_text("would be damage\n")
    clock.set("09:45:01")
    report = run_tick(installation)

    assert report.problems == ()
    assert report.ended["report@20261123T0945"].state is State.CONFIRMED


def test_an_old_day_that_cannot_be_removed_stops_no_tick(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, "[ledger]\nkeep_days = 2\n" + MESSAGE)
    run_tick(installation)
    stuck = day_file(installation, date(2026, 11, 1))
    stuck.mkdir()
    clock.set("00:00:01", day=24)
    first = run_tick(installation)
    clock.set("00:01:01", day=24)
    second = run_tick(installation)

    assert len(texts(sandbox)) == 2
    ((_, problem),) = first.problems
    assert str(stuck) in in_words(problem)
    assert (first.exit_code, first.is_complete, second.problems) == (1, True, ())


def test_what_was_missed_is_missed_once_though_the_clock_is_set_back(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    for at in ("09:00:01", "12:00:01"):  # the host was off in between
        clock.set(at)
        ended_tick(installation)
    told = capsys.readouterr().err
    lines = day_file(installation).read_bytes().count(b'"no-tick"')
    assert told.count("Missed") > 3

    clock.set("11:50:01")
    ended_tick(installation)
    assert capsys.readouterr().err.count("Missed") == 0
    assert day_file(installation).read_bytes().count(b'"no-tick"') == lines


def test_what_a_clock_ahead_has_given_up_is_sent_when_it_comes(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    for at in ("09:00:01", "12:00:01", "09:14:01", "09:15:01"):
        clock.set(at)
        ended_tick(installation)
    assert "보고 2026-11-23 09:15" in texts(sandbox)
