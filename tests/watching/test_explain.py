"""Causes brought about for real, and what `explain` says of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from msgspec.structs import replace

from kakaocron import actions
from kakaocron.errors import LedgerError, UsageError
from kakaocron.installation import Installation
from kakaocron.ledger.beats import Word
from kakaocron.ledger.events import (
    Claim,
    Event,
    Outcome,
    Result,
    Settle,
    from_line,
    of_slot,
    to_line,
)
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.phrases import read_minute
from kakaocron.schedule.slots import Slot
from kakaocron.show.pictures import print_explanation
from kakaocron.states import Reason, State
from kakaocron.system.syscalls import RealDisk
from kakaocron.watching.explain import MEANINGS, Explanation
from kakaocron.watching.overview import explain_minute, explain_what
from tests.fakes import MESSAGE, NOW, FakeClock, day_file, install, run_tick

SLOT = "09:30"
NO_RETRY = "[delivery]\nmax_retries = 0\n"


@dataclass
class Scene:
    """An installation whose ticks ran up to 09:15; the cause is at work from 09:30 on."""

    folder: Path
    sandbox: SandboxServer
    clock: FakeClock
    config: str = MESSAGE

    def ticks(self, *times: str) -> Installation:
        installation = install(self.folder, self.sandbox, self.clock, self.config)
        for at in times:
            self.clock.set(at)
            run_tick(installation)
        return installation

    def beat(self, at: str, word: Word, exit_code: int) -> None:
        self.clock.set(at)
        self.ticks().heartbeat.beat(self.clock.now(), word, exit_code)

    def fault(self, *names: str) -> None:
        self.sandbox.faults.enqueue(*names)


Cause = Callable[[Scene], str | None]
CAUSES: list[tuple[str, Cause, Reason | None, State | None]] = []


def cause(reason: Reason | None, state: State | None) -> Callable[[Cause], Cause]:
    """Register how a cause is brought about, and what `explain 09:30` must make of it.

    A cause may name another minute to be explained.
    """

    def register(bring_about: Cause) -> Cause:
        CAUSES.append((bring_about.__name__, bring_about, reason, state))
        return bring_about

    return register


@cause(None, State.CONFIRMED)
def delivered(scene: Scene) -> None:
    scene.ticks("09:15:01", "09:30:01")


@cause(None, State.SCHEDULED)
def ahead(scene: Scene) -> None:
    scene.ticks("09:15:01")


@cause(Reason.NO_SLOT, None)
def not_a_slot(scene: Scene) -> str:
    scene.ticks("09:15:01")
    return "09:31"


@cause(Reason.NO_SLOT, None)
def before_kakaocron_was_set_up(scene: Scene) -> str:
    scene.ticks("09:45:01")
    return "08:30"


@cause(Reason.NO_SLOT, None)
def before_the_first_tick_ever(scene: Scene) -> None:
    scene.clock.set("09:46:00")


@cause(Reason.NO_TICK, State.SCHEDULED)
def the_first_tick_ever_is_still_in_time(scene: Scene) -> None:
    scene.clock.set("09:31:00")


@cause(None, State.SCHEDULED)
def its_tick_is_at_work(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.beat("09:30:01", Word.START, 0)
    scene.clock.set("09:30:59")


@cause(Reason.TICK_CRASHED, State.SCHEDULED)
def its_tick_has_not_ended_in_a_minute(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.beat("09:30:01", Word.START, 0)
    scene.clock.set("09:31:01")


@cause(Reason.QUIET, None)
def quiet_hours(scene: Scene) -> None:
    scene.config = '[schedule]\nquiet = ["09:20-10:00"]\n' + MESSAGE
    scene.ticks("09:30:01")


@cause(Reason.DAY_OFF, None)
def a_weekday_off(scene: Scene) -> None:
    scene.config = '[schedule]\ndays = ["sun"]\n' + MESSAGE
    scene.ticks("09:30:01")


@cause(Reason.NO_TICK, State.MISSED)
def cron_stopped(scene: Scene) -> None:
    scene.ticks("09:15:01", "09:50:01")


@cause(Reason.NO_TICK, State.MISSED)
def cron_has_not_come_back(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.clock.set("11:00:00")


@cause(Reason.NO_TICK, State.SCHEDULED)
def cron_is_late(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.clock.set("09:31:30")


@cause(Reason.TICK_CRASHED, State.MISSED)
def the_tick_has_a_bug(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.beat("09:30:01", Word.START, 0)
    scene.beat("09:30:01", Word.FAIL, 70)
    scene.ticks("09:50:01")


@cause(Reason.TICK_CRASHED, State.MISSED)
def the_tick_is_killed(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.beat("09:30:01", Word.START, 0)
    scene.ticks("09:50:01")


@cause(Reason.LOCK_HELD, State.MISSED)
def the_lock_is_held(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.beat("09:30:01", Word.FAIL, 75)
    scene.ticks("09:50:01")


@cause(Reason.CONFIG_BROKEN, State.MISSED)
def the_configuration_is_broken(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.beat("09:30:01", Word.FAIL, 2)
    scene.ticks("09:50:01")


class FullDisk(RealDisk):
    def write(self, fd: int, data: bytes) -> int:
        if data.startswith(b'{"v":'):
            raise OSError(28, "No space left on device")
        return super().write(fd, data)


@cause(Reason.LEDGER_UNWRITABLE, State.MISSED)
def the_disk_is_full(scene: Scene) -> None:
    installation = scene.ticks("09:15:01")
    full = replace(installation, edges=replace(installation.edges, disk=FullDisk()))
    for at in ("09:30:01", "09:31:01"):
        scene.clock.set(at)
        with pytest.raises(LedgerError):
            run_tick(full)
    scene.ticks("09:50:01")


@cause(Reason.UNREACHABLE, State.RETRYING)
def kakao_cannot_be_reached(scene: Scene) -> None:
    installation = scene.ticks("09:15:01")
    kakao = replace(installation.config.kakao, api_url="http://127.0.0.1:1")
    scene.clock.set("09:30:01")
    config = replace(installation.config, kakao=kakao)
    run_tick(replace(installation, config=config))


@cause(Reason.RETRIES_SPENT, State.FAILED)
def no_retry_is_left(scene: Scene) -> None:
    scene.fault("429")
    scene.config = NO_RETRY + MESSAGE
    scene.ticks("09:30:01")


@cause(Reason.READ_TIMEOUT, State.UNKNOWN)
def no_answer(scene: Scene) -> None:
    scene.fault("stall-after")
    scene.ticks("09:30:01")


@cause(Reason.CONNECTION_RESET, State.UNKNOWN)
def the_connection_is_cut(scene: Scene) -> None:
    scene.fault("cut-after")
    scene.ticks("09:30:01")


@cause(Reason.SERVER_FAULT, State.UNKNOWN)
def a_fault_at_kakao(scene: Scene) -> None:
    scene.fault("-603+")
    scene.ticks("09:30:01")


@cause(Reason.UNPROVEN_ANSWER, State.UNKNOWN)
def a_captive_portal(scene: Scene) -> None:
    scene.fault("html")
    scene.ticks("09:30:01")


@cause(Reason.QUOTA, State.RETRYING)
def the_quota_is_spent(scene: Scene) -> None:
    scene.fault("-10")
    scene.ticks("09:30:01")


@cause(Reason.REFUSED_FOR_NOW, State.RETRYING)
def refused_for_now(scene: Scene) -> None:
    scene.fault("-502")
    scene.ticks("09:30:01")


@cause(Reason.REFUSED, State.FAILED)
def refused_for_good(scene: Scene) -> None:
    scene.fault("-501")
    scene.ticks("09:30:01")


@cause(Reason.NOT_LOGGED_IN, State.FAILED)
def the_login_is_revoked(scene: Scene) -> None:
    scene.ticks("09:15:01")
    scene.sandbox.kakao.revoke_access_tokens()
    scene.sandbox.kakao.revoke_refresh_tokens()
    scene.ticks("09:30:01")


@cause(Reason.CONTENT_FAILED, State.RETRYING)
def no_content(scene: Scene) -> None:
    scene.config = MESSAGE.replace("보고 ", "가" * 300)
    scene.ticks("09:30:01")


@cause(Reason.PROCESS_DIED, State.UNKNOWN)
def the_sender_is_killed(scene: Scene) -> None:
    installation = scene.ticks("09:15:01")
    scene.clock.set("09:30:01")
    _claim(installation)
    scene.ticks("09:32:01")


@cause(Reason.LEDGER_DAMAGED, State.UNKNOWN)
def the_ledger_is_damaged(scene: Scene) -> None:
    installation = scene.ticks("09:15:01", "09:30:01")
    path = day_file(installation)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b"confirmed", b"c0nfirmed"))
    scene.ticks("09:31:01")


@cause(Reason.BY_HAND, State.CANCELLED)
def cancelled_by_hand(scene: Scene) -> None:
    actions.cancel(scene.ticks("09:15:01"), "report@20261123T0930")
    scene.ticks("09:30:01")


@cause(Reason.PAUSED, State.MISSED)
def paused(scene: Scene) -> None:
    actions.pause(scene.ticks("09:15:01"), "report", read_minute("10:00", NOW), None)
    scene.ticks("09:30:01")


@cause(Reason.EXPIRED, State.FAILED)
def no_tick_came_to_try_again(scene: Scene) -> None:
    scene.fault("429")
    scene.ticks("09:30:01", "09:50:01")


def _claim(installation: Installation) -> None:
    slot = read_minute(SLOT, NOW)
    now = installation.clock.now()
    until = now.replace(second=40)
    with installation.ledger.open() as book:
        claim = of_slot(
            Claim, Slot("report", slot, "peak"), ["me"], now, attempt=1, by="1-dead", until=until
        )
        book.record([claim])


@pytest.mark.parametrize(
    ("bring_about", "reason", "state"), [pytest.param(*c[1:], id=c[0]) for c in CAUSES]
)
def test_each_cause_is_explained(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    bring_about: Cause,
    reason: Reason | None,
    state: State | None,
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    clock.set("09:15:01")
    minute = bring_about(scene) or SLOT
    installation = install(tmp_path, sandbox, clock, scene.config)
    explanation = explain_minute(installation, read_minute(minute, clock.now()))

    assert (explanation.reason, explanation.messages[0].state) == (reason, state)
    assert explanation.messages[0].what_next
    assert explanation.is_expected is (reason not in NOT_EXPECTED)


NOT_EXPECTED = {Reason.NO_SLOT, Reason.QUIET, Reason.DAY_OFF, Reason.PAUSED}


@pytest.mark.parametrize(
    ("first_tick", "words"),
    [
        ("09:09:59", "as kakaocron was set up then"),
        ("09:10:00", "before kakaocron's first tick"),
        ("09:10:01", "before kakaocron's first tick"),
    ],
)
def test_a_slot_from_before_the_first_tick_is_told_from_one_that_was_not_there(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, first_tick: str, words: str
) -> None:
    elsewhere = MESSAGE.replace('slots = ["regular", "peak"]', 'cron = "0 12 * * *"')
    Scene(tmp_path, sandbox, clock, elsewhere).ticks(first_tick, "09:30:01")
    (tmp_path / "data" / "timetables.json").unlink()  # as of a version that noted none
    scene = Scene(tmp_path, sandbox, clock)
    installation = scene.ticks()

    (finding,) = explain_minute(installation, NOW.replace(minute=0, second=0)).messages
    assert finding.reason is Reason.NO_SLOT
    assert finding.why.endswith(words)


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Reason)


def test_every_reason_but_a_wrong_clock_is_brought_about() -> None:
    told = {reason for _, _, reason, _ in CAUSES if reason}

    # Of channels that are asked afterwards (tests/delivery/test_receipts.py), and of pictures.
    elsewhere = {Reason.UNDELIVERED, Reason.NO_RECEIPT, Reason.NOT_FOUND, Reason.PICTURE_LEFT_OUT}
    assert set(Reason) - told == {Reason.CLOCK_WRONG, *elsewhere}


SETTLED = of_slot(Settle, Slot("report", NOW, "peak"), ["me"], NOW, state=State.MISSED)
OTHER: Any = "because"


@pytest.mark.parametrize(
    "event",
    [
        replace(SETTLED, reason=OTHER),
        replace(SETTLED, reason=""),
        Outcome(
            at=NOW, id=SETTLED.id, attempt=1, by="a", targets={"me": Result(State.MISSED, OTHER)}
        ),
    ],
)
def test_no_other_reason_can_be_written(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, event: Event
) -> None:
    ledger = install(tmp_path, sandbox, clock).ledger
    with ledger.open() as book, pytest.raises(ValueError, match="not a valid Reason"):
        book.record([event])

    assert ledger.days() == []


def test_another_reason_is_read_as_the_word_that_it_is() -> None:
    line = to_line(replace(SETTLED, reason=Reason.NO_TICK))
    body = line.rpartition(b',"crc"')[0].replace(b"no-tick", b"because") + b"}"
    forged = b'%b,"crc":"%08x"}' % (body[:-1], crc32(body))

    reason = from_line(forged).reason
    assert reason is not None
    assert (str(reason), reason.is_known) == ("because", False)


def explained(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, minute: str) -> Explanation:
    return explain_minute(install(tmp_path, sandbox, clock), read_minute(minute, clock.now()))


def test_a_gap_is_told_with_its_two_ends(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    Scene(tmp_path, sandbox, clock).ticks("09:15:01", "09:50:01")

    words = explained(tmp_path, sandbox, clock, "09:20").gap_words
    assert words == "no tick in this minute: none between 11-23 09:15:01 and 11-23 09:50:01"


def test_a_host_that_was_down_is_told_apart_from_a_cron_that_was(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    Scene(tmp_path, sandbox, clock).ticks("09:15:01", "09:50:01")
    installation = install(tmp_path, sandbox, clock)
    booted_at = read_minute("09:48", NOW)

    during = explain_minute(installation, read_minute("09:20", NOW), booted_at)
    after = explain_minute(installation, read_minute("09:49", NOW), booted_at)
    assert "this host was down until 11-23 09:48:00" in (during.gap_words or "")
    assert "down" not in (after.gap_words or "down")


def test_a_delivery_named_by_its_id_is_explained_alone_with_the_ticks_of_its_minute(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock, f"{MESSAGE}{MESSAGE.replace('report', 'other')}")
    quiet = scene.config.replace("[[", '[schedule]\nquiet = ["20:00-21:00"]\n[[', 1)
    scene.config = quiet
    scene.ticks("09:15:01", "09:30:01")
    installation = scene.ticks()

    of_minute = explain_what(installation, "09:30")
    of_one = explain_what(installation, "report@20261123T0930")
    ahead = explain_what(installation, "report@20261123T1000")
    left_out = explain_what(installation, "report@20261123T2030")
    assert {found.message for found in of_minute.messages} == {"report", "other"}
    assert [found.id for found in of_one.messages] == ["report@20261123T0930"]
    assert of_one.ticks == of_minute.ticks != ()
    assert [(found.id, found.state) for found in ahead.messages] == [
        ("report@20261123T1000", State.SCHEDULED)
    ]
    assert [(found.message, found.reason) for found in left_out.messages] == [
        ("report", Reason.QUIET)
    ]


@pytest.mark.parametrize(
    "id_", ["nope@20261123T0930", "report@20261123T0931", "once-0123456789abcdef@20261123T0930"]
)
def test_an_id_of_nothing_is_refused_as_elsewhere(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, id_: str
) -> None:
    installation = Scene(tmp_path, sandbox, clock).ticks("09:15:01", "09:30:01")

    with pytest.raises(UsageError, match=f"no delivery '{id_}'") as refused:
        explain_what(installation, id_)
    assert refused.value.exit_code == 2


def test_a_minute_in_which_only_a_person_sent_had_no_tick(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    scene.ticks("09:30:01")
    clock.set("09:32:00")
    actions.send_now(scene.ticks(), text="안녕")
    scene.ticks("09:35:00")
    ticks = {}
    for minute in ("09:31", "09:32", "09:36"):
        print_explanation(explain_what(scene.ticks(), minute))
        ticks[minute] = capsys.readouterr().out.splitlines()[-1].split(maxsplit=1)

    gap = "no tick in this minute: none between 11-23 09:30:01 and 11-23 09:35:00"
    assert ticks == {
        "09:31": ["ticks", gap],
        "09:32": ["ticks", gap],
        "09:36": ["ticks", "not yet"],
    }


def test_a_day_that_is_kept_no_longer_is_not_said_to_have_had_no_slot(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    with pytest.raises(UsageError, match="keep_days is 90"):
        explained(tmp_path, sandbox, clock, "2026-08-01 09:30")


def test_what_comes_next_is_true_for_a_minute_that_has_passed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    clock.set("09:15:01")
    once = actions.schedule(scene.ticks(), read_minute("09:20", NOW), text="한 번").slot
    told = []
    for at in ("09:19:59", "09:21:00", "09:31:00"):
        clock.set(at)
        (found,) = explain_minute(scene.ticks(), once).messages
        told.append(found.what_next)

    assert told == [
        "a tick at 09:20 sends it",
        "the next tick sends it, if it runs before 09:30:00",
        "the next tick records it as missed",
    ]


def test_a_one_off_that_falls_into_a_pause_is_not_expected(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    clock.set("09:15:01")
    once = actions.schedule(scene.ticks(), read_minute("09:20", NOW), text="한 번").slot
    actions.pause(scene.ticks(), None, None, None)
    (found,) = explain_minute(scene.ticks(), once).messages
    (slot,) = explain_minute(scene.ticks(), read_minute(SLOT, NOW)).messages

    assert (found.is_expected, found.reason) == (False, Reason.PAUSED)
    assert found.what_next == "a tick records it as missed"
    assert slot.what_next == "nothing until it is resumed: kakaocron resume"


def test_the_next_slot_is_named_across_a_pause_that_lasts_for_weeks(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    clock.set("09:15:01")
    actions.pause(scene.ticks(), None, read_minute("2026-12-13 09:30", NOW), None)
    told = {
        minute: explain_minute(scene.ticks(), read_minute(minute, NOW)).messages[0].what_next
        for minute in ("09:30", "09:31")
    }

    assert told == {
        "09:30": "the next slot of 'report' is 2026-12-13 09:30",
        "09:31": "the next slot is 2026-12-13 09:30, of 'report'",
    }


def test_while_one_message_rests_that_one_is_to_be_resumed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    clock.set("09:15:01")
    actions.pause(scene.ticks(), "report", None, None)
    (slot,) = explain_minute(scene.ticks(), read_minute(SLOT, NOW)).messages
    (none,) = explain_minute(scene.ticks(), read_minute("09:31", NOW)).messages

    assert slot.what_next == "nothing until it is resumed: kakaocron resume report"
    assert none.what_next == "nothing within a year, or until what is paused is resumed"


def test_the_last_tick_before_a_long_gap_is_named(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    scene.ticks("09:15:01")
    clock.set("09:31:00", day=30)
    explanation = explain_minute(scene.ticks(), read_minute("2026-11-27 09:30", clock.now()))

    assert explanation.reason is Reason.NO_TICK
    assert explanation.gap_words == "no tick in this minute: none since 11-23 09:15:01"


def test_a_cancelled_slot_to_come_is_not_named_as_the_next_one(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    clock.set("09:16:00")
    actions.cancel(scene.ticks(), "report@20261123T0930")
    (found,) = explain_minute(scene.ticks(), read_minute("09:30", NOW)).messages

    assert (found.state, found.reason) == (State.CANCELLED, Reason.BY_HAND)
    assert found.what_next == "the next slot of 'report' is 2026-11-23 09:45"


@pytest.mark.parametrize(
    "text",
    ["", "25:00", "10:60", "soon", "10", "10Z", "10+05", "2026-13-01 10:00", "10:30:00:00"],
)
def test_a_time_that_is_none_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(UsageError, match=r"such as|hours go from|did you mean|write it as"):
        read_minute(text, NOW)


@pytest.mark.parametrize(
    "text",
    ["9:30", "09:30", "2026-11-23 09:30", "2026-11-23T00:30+00:00", "report@20261123T0930"],
)
def test_a_time_may_be_written_in_several_ways(text: str) -> None:
    assert read_minute(text, NOW) == NOW.replace(second=0)


def test_nothing_is_left_behind_by_looking(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    explained(tmp_path, sandbox, clock, SLOT)

    assert not os.path.exists(tmp_path / "data")  # noqa: PTH110


def test_the_documented_reasons_are_those_of_the_list() -> None:
    text = (Path(__file__).parents[2] / "docs" / "watching.md").read_text()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    documented = {row[0].strip("| `"): row[1].removesuffix(" |") for row in rows}

    assert {reason: documented.get(reason) for reason in Reason} == dict(MEANINGS)
