"""status, health, report and history, over ledgers that real ticks wrote."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kakaocron.actions import cancel, pause, resolve, retry, schedule, send_now
from kakaocron.cli import run
from kakaocron.delivery.policy import next_to_come
from kakaocron.errors import LedgerError
from kakaocron.installation import Installation, find_installation
from kakaocron.kakao.tokens import Tokens
from kakaocron.kst import KST
from kakaocron.ledger.beats import Word
from kakaocron.ledger.events import Event, Settle, of_slot
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import Slot
from kakaocron.show.console import MARKS, deliveries_table
from kakaocron.show.pictures import print_overview, strip
from kakaocron.states import Reason, State
from kakaocron.system.syscalls import RealDisk
from kakaocron.watching.causes import in_words
from kakaocron.watching.coming import coming
from kakaocron.watching.health import login_problem
from kakaocron.watching.overview import (
    NEXT_SLOTS,
    Overview,
    explain_minute,
    health_of,
    look,
    report,
)
from kakaocron.watching.prometheus import metrics_of
from tests.fakes import (
    MESSAGE,
    NOW,
    FakeClock,
    install,
    kakao_section,
    keep_off_midnight,
    live_in,
    run_tick,
    texts,
)


def day_of_ticks(installation: Installation, clock: FakeClock, *times: str) -> Overview:
    for at in times:
        clock.set(at)
        run_tick(installation)
    return look(installation)


def problems(installation: Installation) -> tuple[str, ...]:
    return health_of(look(installation), installation.config.monitor).problems


def test_the_strip_has_a_mark_a_slot_and_fits_80_columns(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("-501", "stall-after")
    installation = install(tmp_path, sandbox, clock)
    overview = day_of_ticks(installation, clock, "09:00:01", "09:15:01", "09:30:01", "09:59:00")

    hours, marks, legend = (line.plain for line in strip(overview, 80))
    assert marks == "✗?✓!" + "." * 42
    assert hours.startswith("09  10    12")
    assert legend == "✗ failed  ? unknown  ✓ confirmed  ! missed  . scheduled"


def test_a_day_of_more_slots_than_columns_is_drawn_by_the_hour(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = f"[schedule]\nregular_minutes = {list(range(60))}\n" + MESSAGE
    overview = day_of_ticks(install(tmp_path, sandbox, clock, config), clock, "00:00:01")

    hours, marks, legend = (line.plain for line in strip(overview, 80))
    assert (len(hours), len(marks)) == (23, 24)
    assert legend.endswith("(a mark an hour: the worst of it)")


def test_marks_differ_without_colour() -> None:
    assert set(MARKS) == set(State)
    assert len(set(MARKS.values())) == len(State)


def test_health_is_good_while_ticks_run_and_messages_arrive(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:15:01", "09:30:01")

    assert problems(installation) == ()


@pytest.mark.parametrize(("at", "count"), [("09:30:59", 0), ("09:31:00", 1), ("09:32:29", 2)])
def test_a_slot_that_no_tick_saw_to_is_told_after_a_minute(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, at: str, count: int
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:15:01", "09:29:01")
    clock.set(at)

    assert len(problems(installation)) == count


def test_health_names_a_tick_that_failed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    installation.heartbeat.beat(clock.now(), Word.FAIL, 74)

    (problem,) = problems(installation)
    assert "the ledger cannot be written or read" in problem


def test_health_names_ticks_that_fail_although_each_says_that_it_starts(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:30:01")
    Path(installation.places.pauses).write_text("nonsense")
    clock.set("09:31:01")
    with pytest.raises(LedgerError):
        run_tick(installation)
    Path(installation.places.pauses).unlink()
    clock.set("09:32:01")
    installation.heartbeat.beat(clock.now(), Word.START, 0)

    (problem,) = problems(installation)
    assert problem.startswith(
        "The last tick (09:31:01) failed: the ledger cannot be written or read"
    )


def test_a_tick_that_a_signal_ends_is_no_bug(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    installation = install(tmp_path, sandbox, clock)
    monkeypatch.setattr("kakaocron.delivery.tick.send_all", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_tick(installation)

    (problem,) = problems(installation)
    assert "ended by a signal" in problem


def test_a_pause_of_one_message_is_leapt_over_however_long_it_is(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    other = MESSAGE.replace('"report"', '"other"').replace('"regular", "peak"', '"regular"')
    installation = install(tmp_path, sandbox, clock, MESSAGE + other)
    pause(installation, "report", clock.now() + timedelta(days=200), None)

    overview = look(installation)
    assert overview.next_peak
    assert overview.next_peak.at - clock.now() < timedelta(hours=3)
    assert overview.next_peak.message == "other"
    pause(installation, "other", None, None)
    overview = look(installation)
    assert overview.next_peak
    assert overview.next_peak.message == "report"
    assert overview.next_peak.at - clock.now() > timedelta(days=200) - timedelta(minutes=1)


def test_a_one_off_that_falls_into_a_pause_is_not_counted_as_coming(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, "")
    schedule(installation, clock.now() + timedelta(minutes=10), text="곧")
    schedule(installation, clock.now() + timedelta(minutes=50), text="나중")
    assert look(installation).scheduled_count == 2
    pause(installation, None, clock.now() + timedelta(minutes=30), None)

    assert look(installation).scheduled_count == 1


def test_the_figures_of_a_day_add_up_while_all_is_paused(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    schedule(installation, clock.now() + timedelta(minutes=10), text="곧")
    ahead = look(installation).scheduled_count
    pause(installation, None, clock.now() + timedelta(hours=3), None)

    paused = ahead - look(installation).scheduled_count
    print_overview(look(installation))
    out = " ".join(capsys.readouterr().out.split())
    assert paused > 4
    assert f"{ahead - paused + 1} slots today: 1 confirmed" in out
    assert f"{ahead - paused} to come besides: {paused} paused" in out


def test_what_rests_is_not_shown_as_next(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    pause(installation, None, clock.now() + timedelta(days=1), None)

    overview = look(installation)
    print_overview(overview)
    out = capsys.readouterr().out
    assert "paused: all messages until 2026-11-24 09:30" in out
    assert "next: 11-24 09:45" in out
    assert "next: 11-23" not in out
    assert overview.next_peak
    assert overview.next_peak.id == "report@20261124T0945"


def test_without_a_login_health_and_status_say_so(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock, variables={})

    assert "Not logged in to Kakao. Run: kakaocron login" in problems(installation)
    print_overview(look(installation))
    assert "login: Not logged in to Kakao. Run: kakaocron login" in capsys.readouterr().out


def test_a_token_of_the_environment_s_is_what_counts_whatever_is_saved(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    sandbox.kakao.revoke_refresh_tokens()
    day_of_ticks(installation, clock, "09:15:01")
    assert "no longer accepts" in problems(installation)[0]
    given = sandbox.kakao.issue_login(clock.now()).access_token
    installation = install(tmp_path, sandbox, clock, variables={"KAKAO_ACCESS_TOKEN": given})
    day_of_ticks(installation, clock, "09:30:01")

    assert not any("login" in problem for problem in problems(installation))
    print_overview(look(installation))
    assert "login: KAKAO_ACCESS_TOKEN, which nobody renews" in capsys.readouterr().out


def test_a_saved_login_that_cannot_be_read_is_named_as_that(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:15:01")
    Path(installation.places.tokens).write_text("nonsense")

    (problem,) = problems(installation)
    assert problem.startswith("Cannot read the saved login")


def test_the_last_tick_is_known_however_long_ago_it_was(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:15:01")
    clock.set("09:15:01", day=27)

    overview = look(installation)
    assert overview.fields()["last_tick"] == "2026-11-23T09:15:01+09:00"
    assert "No tick for 5760 minutes" in problems(installation)[0]
    said = metrics_of(overview, health_of(overview, installation.config.monitor))
    moment = int(datetime(2026, 11, 23, 9, 15, 1, tzinfo=KST).timestamp())
    assert f"kakaocron_last_tick_timestamp_seconds {moment}" in said


def test_what_a_person_had_rest_counts_in_no_share_and_is_no_trouble(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:15:01")
    pause(installation, None, None, None)
    overview = day_of_ticks(installation, clock, "09:30:01", "09:45:01")

    assert (overview.stats.total_missed, overview.stats.success_rate) == (2, 1.0)
    assert problems(installation) == ()
    assert report(installation, 1).bad_days == []


def test_what_a_person_sends_again_is_not_late_for_the_schedule(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:00:01", "09:15:01", "09:44:00", "09:45:01")
    clock.set("14:51:00")
    again = retry(installation, "report@20261123T0930").delivery

    stats = look(installation).stats
    assert again.state is State.CONFIRMED
    assert again.delay_seconds == pytest.approx(19_260, abs=60)
    assert (stats.success_rate, stats.schedule_accuracy) == (1.0, 1.0)
    assert stats.delay_p99_seconds is not None
    assert stats.delay_p99_seconds < 60


def test_what_a_person_said_is_sent_is_among_the_figures_of_the_day(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    sandbox.faults.enqueue("cut-after")
    day_of_ticks(installation, clock, "09:30:01", "09:45:01")
    sandbox.faults.enqueue("-10")
    day_of_ticks(installation, clock, "10:00:01")
    resolve(installation, "report@20261123T0930", delivered=True)
    cancel(installation, "report@20261123T1100")
    overview = look(installation)
    print_overview(overview)

    (line,) = [one for one in capsys.readouterr().out.splitlines() if "slots today" in one]
    count, *figures = (int(number) for number in re.findall(r"\d+", line))
    assert "1 cancelled, 1 retrying, 1 sent, " in line
    assert sum(figures) == count


@pytest.mark.parametrize("begun", ["09:32:01", "09:33:00", "09:33:01"])
def test_a_tick_that_is_at_work_is_the_last_one_seen(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, begun: str
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:30:01")
    clock.set(begun)
    installation.heartbeat.beat(clock.now(), Word.START, 0)
    began = clock.now()
    clock.at += timedelta(seconds=30)
    overview = look(installation)

    assert (overview.last_tick, overview.is_running) == (began, True)
    assert problems(installation) == ()


def test_the_next_slot_is_that_of_any_message(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    hourly = MESSAGE.replace('slots = ["regular", "peak"]', 'cron = "20 9 * * *"')
    installation = install(tmp_path, sandbox, clock, hourly)
    overview = day_of_ticks(installation, clock, "09:30:01")
    print_overview(overview)

    assert (overview.next_regular, overview.next_peak) == (None, None)
    assert [one.id[-13:] for one in overview.following] == [
        f"202611{day}T0920" for day in (24, 25, 26)
    ]
    assert "next: 11-24 09:20 report (cron)" in capsys.readouterr().out
    moment = int(overview.following[0].at.timestamp())
    said = metrics_of(overview, health_of(overview, installation.config.monitor))
    assert f"kakaocron_next_slot_timestamp_seconds {moment}" in said


def next_times(installation: Installation) -> tuple[str, str]:
    """Return the next regular and peak slots, as status gives them: day and time."""
    said = look(installation).fields()
    return said["next_regular_time"][5:16], said["next_peak_time"][5:16]


def test_a_slot_that_was_cancelled_and_then_retried_is_the_next_one_again(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:30:01")
    before, minute = next_times(installation), clock.now().replace(second=0)
    explained = explain_minute(installation, minute).messages[0].what_next
    for id_ in ("report@20261123T0945", "report@20261123T1000"):
        cancel(installation, id_)
    assert next_times(installation) == ("11-23T10:30", "11-23T11:00")
    for id_ in ("report@20261123T0945", "report@20261123T1000"):
        retry(installation, id_)

    assert before == next_times(installation) == ("11-23T10:00", "11-23T09:45")
    assert explain_minute(installation, minute).messages[0].what_next == explained
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]

    retry_later = clock.now() + timedelta(minutes=50)
    cancel(installation, "report@20261123T1000")
    retry(installation, "report@20261123T1000", retry_later)
    assert next_times(installation)[0] == "11-23T10:30"


def test_a_slot_of_tomorrow_that_was_cancelled_is_not_the_next_one(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "23:30:01")
    cancel(installation, "report@20261124T0000")
    cancel(installation, "report@20261124T0700")

    assert next_times(installation) == ("11-24T00:30", "11-24T07:15")


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("at", ["09:30:01", "23:30:01"])
def test_what_is_next_is_the_same_however_much_is_booked_for_later_days(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, at: str, count: int
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, at)
    for ahead in range(1, count + 1):
        booked = schedule(installation, clock.now() + timedelta(days=ahead), text=f"{ahead}")
        cancel(installation, f"report@202611{23 + ahead}T0000")
        cancel(installation, f"report@202611{23 + ahead}T0700")
        if ahead > 1:  # of a later day, and due earlier
            cancel(installation, booked.id)
            retry(installation, booked.id, clock.now() + timedelta(days=1, minutes=ahead))
    found = look(installation)

    series, whole = installation.plan.series, installation.snapshot_ahead()
    assert found.following == tuple(coming(whole, series, installation.config, NEXT_SLOTS))
    known, now = whole.view.deliveries, whole.now
    assert found.next_regular == next_to_come(series, (), known, now, "regular")
    assert found.next_peak == next_to_come(series, (), known, now, "peak")


def test_a_one_off_is_among_the_next_slots(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:30:01")
    once = schedule(installation, clock.now() + timedelta(minutes=5), text="곧")
    overview = look(installation)
    print_overview(overview)

    assert (overview.following[0].id, overview.following[0].why) == (
        once.id,
        "scheduled by hand: 곧",
    )
    said = capsys.readouterr().out
    assert [line[:17] for line in said.splitlines() if line.startswith("next:")] == [
        "next: 11-23 09:36",
        "next: 11-23 09:45",
        "next: 11-23 10:00",
    ]


def test_slots_that_no_tick_has_seen_to_are_in_their_places(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    before = day_of_ticks(installation, clock, "09:15:01")
    clock.set("10:32:00")
    after = look(installation)
    print_overview(after)

    assert after.stats.total_scheduled == before.stats.total_scheduled
    assert [(one.id[-4:], one.state, one.reason) for one in after.unseen] == [
        ("0930", State.MISSED, Reason.NO_TICK),
        ("0945", State.MISSED, Reason.NO_TICK),
        ("1000", State.MISSED, Reason.NO_TICK),
        ("1030", State.SCHEDULED, None),
    ]
    marks = [strip(overview, 80)[1].plain for overview in (before, after)]
    assert len(marks[0]) == len(marks[1])
    assert marks[1].startswith("✓!!!.")
    said = capsys.readouterr().out
    assert "report@20261123T0930 ! missed" in said
    assert "4 that no tick has handled: kakaocron explain report@20261123T0930" in said
    assert "No tick has handled report@20261123T0930 and 3 more" in " ".join(problems(installation))
    assert after.fields()["today"] == before.fields()["today"]
    run_tick(installation)
    settled = look(installation)
    assert settled.unseen == ()
    assert settled.stats.total_scheduled == before.stats.total_scheduled


def test_what_is_held_is_named_until_somebody_settles_it_the_next_day_too(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.faults.enqueue("cut-after")
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "23:30:01")
    clock.set("00:05:00", day=24)
    print_overview(look(installation))
    command = "kakaocron resolve report@20261123T2330 --delivered"
    assert command in capsys.readouterr().out

    resolve(installation, "report@20261123T2330", delivered=True)
    print_overview(look(installation))
    assert "kakaocron resolve" not in capsys.readouterr().out


def test_what_is_sent_again_by_itself_is_nobody_s_to_settle(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("cut-after")
    resend = '[delivery]\non_unknown = "resend"\n'
    overview = day_of_ticks(install(tmp_path, sandbox, clock, resend + MESSAGE), clock, "09:30:01")

    assert overview.deliveries[0].state is State.UNKNOWN
    assert overview.held == ()


def test_a_long_list_of_what_is_held_is_cut_with_the_way_to_the_rest(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.faults.enqueue(*["cut-after"] * 7)
    installation = install(tmp_path, sandbox, clock)
    times = [f"{hour:02}:{minute}:01" for hour in (7, 8) for minute in ("00", "15", "30", "45")]
    print_overview(day_of_ticks(installation, clock, *times[:7]))

    said = capsys.readouterr().out
    assert said.count("kakaocron resolve") == 5
    assert "… and 2 more: kakaocron history --days 2 --state unknown" in said


def test_a_used_up_quota_is_not_hidden_by_a_slot_to_come_that_was_cancelled(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("-10")
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:30:01")
    before = problems(installation)
    cancel(installation, "report@20261123T2000")

    assert "A quota is used up" in before[0]
    assert problems(installation) == before


@pytest.mark.parametrize("width", [80, 200])
def test_an_id_is_shown_whole(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, width: int
) -> None:
    installation = install(tmp_path, sandbox, clock)
    send_now(installation, text="안녕")
    out = Console(width=width, file=io.StringIO())
    out.print(deliveries_table(look(installation).deliveries, width))

    assert isinstance(out.file, io.StringIO)
    assert f"{look(installation).deliveries[0].id} " in out.file.getvalue()


def test_health_names_a_dead_login_and_a_lost_bound(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    sandbox.kakao.revoke_refresh_tokens()
    day_of_ticks(installation, clock, "09:30:01")

    login, rate = problems(installation)
    assert "no longer accepts KAKAO_REFRESH_TOKEN" in login
    assert "Only 0.0%" in rate


@pytest.fixture
def setup(home: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that the commands find by themselves, without any tick yet."""
    live_in(home, monkeypatch).write_text(kakao_section(sandbox) + MESSAGE)
    return home


def test_health_without_ticks_is_unhealthy_in_json_and_exit_code(
    setup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["health", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "unhealthy"
    assert set(found) == {"v", "status", "scheduled_count", "success_rate", "problems"}


def test_health_with_a_broken_configuration_is_unhealthy(
    setup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (setup / "config.toml").write_text("nonsense")

    assert run(["health", "--json"]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert "not TOML" in problem


def test_a_tick_with_a_broken_configuration_leaves_a_beat_and_speaks_once(
    setup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (setup / "config.toml").write_text("nonsense")

    assert [run(["tick"]), run(["tick"])] == [2, 2]
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [(b.word, b.exit_code) for b in _beats(setup)] == [(Word.FAIL, 2)] * 2


def test_a_tick_with_an_unreadable_env_file_leaves_a_beat_and_speaks_once(
    setup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (setup / ".env").write_text("KAKAO_REFRESH_TOKEN what is this\n")

    assert [run(["tick"]), run(["tick"])] == [2, 2]
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [(b.word, b.exit_code) for b in _beats(setup)] == [(Word.FAIL, 2)] * 2


def test_a_tick_with_a_broken_configuration_speaks_from_the_folders_that_the_env_file_names(
    setup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (setup / "config.toml").write_text("nonsense")
    monkeypatch.delenv("KAKAOCRON_LOG_DIR")
    (setup / ".env").write_text(f"KAKAOCRON_LOG_DIR={setup / 'log'}\n")

    assert run(["tick"]) == 2
    assert [(b.word, b.exit_code) for b in _beats(setup)] == [(Word.FAIL, 2)]


def _beats(setup: Path) -> list[Any]:
    heartbeat = Heartbeat(str(setup / "log" / "ticks"), RealDisk(), str(setup / "spare"))
    return [beat for day in heartbeat.days() for beat in heartbeat.read(day)]


@pytest.mark.parametrize("command", [["status"], ["report"]])
def test_commands_print_plain_lines_of_80_columns_into_a_pipe(
    setup: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert run(command) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize(
    "command", [["status"], ["report"], ["explain", "09:30"], ["history"], ["next"]]
)
def test_json_is_one_document_and_nothing_else(
    setup: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) is not None


def test_history_as_csv_is_read_back_and_holds_no_formula(
    setup: Path, sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    login = sandbox.kakao.issue_login(datetime.now(KST))
    (setup / ".env").write_text(f"KAKAO_REFRESH_TOKEN={login.refresh_token}\n")
    installation = find_installation()
    send_now(installation, text='=cmd|"/c calc"\n둘째 줄, "따옴표"')
    installation.close()

    assert run(["history", "--csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["state"] == "confirmed"
    assert row["text"] == '\'=cmd|"/c calc"\n둘째 줄, "따옴표"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\rb", "a\nb"),
        ("x\r=1+1", "x\n=1+1"),
        ("\n=1+1", "'\n=1+1"),
        ("＝1+1", "'＝1+1"),
        ("-1 도", "'-1 도"),
        ("a\x1b[31m\u202eb", "a·b"),
        ("그냥 글", "그냥 글"),
    ],
)
def test_a_row_of_csv_is_one_row_and_harmless(
    setup: Path, capsys: pytest.CaptureFixture[str], text: str, shown: str
) -> None:
    keep_off_midnight()
    installation = find_installation()
    schedule(installation, installation.clock.now() + timedelta(minutes=1), text=text)
    installation.close()

    assert run(["history", "--csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert row["text"] == shown


def settled(message: str, at: datetime, state: State, reason: Reason | None) -> Event:
    return of_slot(Settle, Slot(message, at, "regular"), ["me"], at, state=state, reason=reason)


def test_the_report_counts_each_slot_once_and_names_the_bad_days(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("-501", "cut-after")
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:00:01", "09:15:01", "09:30:01", "09:47:01", "10:20:00")

    day = report(installation, 1).days[0]
    assert (day.due, day.confirmed, day.late, day.failed, day.unknown, day.missed) == (
        5,
        2,
        1,
        1,
        1,
        1,
    )
    assert day.bad == 4
    assert day.fields()["delay_p99_seconds"] == pytest.approx(121)


def test_lateness_over_its_bound_is_a_problem(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "08:50:01", "09:06:00")

    assert any("Today's lateness" in problem for problem in problems(installation))


def test_a_login_near_its_end_is_a_problem() -> None:
    end = NOW + timedelta(days=7)
    tokens = Tokens("a", NOW, "r", end)
    assert login_problem(tokens, NOW - timedelta(seconds=1)) is None
    near, over = login_problem(tokens, NOW), login_problem(tokens, end)
    assert near and "ends in 7 days" in in_words(near)
    assert over and "expired on" in in_words(over)


def test_the_first_tick_of_all_is_late_for_no_slot(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    print_overview(day_of_ticks(installation, clock, "09:36:01"))
    assert "success 100.0%, on schedule –, lateness p50 –" in capsys.readouterr().out
    print_overview(day_of_ticks(installation, clock, "09:45:01"))
    assert "on schedule 100.0%" in capsys.readouterr().out


def test_what_is_sent_by_hand_stands_beside_the_slots(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock)
    day_of_ticks(installation, clock, "09:15:01")
    sandbox.faults.enqueue("-2", "-2")
    for text in ("a", "b"):
        send_now(installation, text=text)
    print_overview(look(installation))
    out = capsys.readouterr().out
    assert "slots today: 1 confirmed, 0 failed, 0 unknown, 0 missed" in out
    assert "besides: 2 failed by hand" in out
    assert "success 100.0%" in out
