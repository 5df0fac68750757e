"""Pings and alarms: who is told, when, how often, and what it costs the sending."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace

from kakaocron.actions import cancel, pause, resolve, resume, retry
from kakaocron.errors import Cause, LedgerError, LockTimeoutError
from kakaocron.installation import Installation, make_memory
from kakaocron.ledger.deliveries import Attempt, Delivery
from kakaocron.ledger.events import Result
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.simulation.home import logged_in
from kakaocron.states import Reason, State
from kakaocron.system.memory import Memory
from kakaocron.system.syscalls import RealDisk, Stat
from kakaocron.text.causes import parts, said
from kakaocron.watching import telling
from kakaocron.watching.alarms import Alarm, Turn, of_deliveries
from kakaocron.watching.causes import in_words
from kakaocron.watching.overview import health_of, look
from kakaocron.watching.pings import address
from kakaocron.watching.telling import apprise_type
from tests.fakes import MESSAGE, NOW, FakeClock, ended_tick, install, texts
from tests.watchers import DeadMansSwitch, Watcher


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    with Watcher() as found:
        yield found


class Scene:
    """An installation that tells a command; `alarms` is what that command was given."""

    def __init__(
        self, folder: Path, sandbox: SandboxServer, clock: FakeClock, monitor: str = ""
    ) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.told = folder / "told"
        command = json.dumps(["sh", "-c", f"cat >>{self.told}; echo >>{self.told}"])
        config = f"[monitor]\nalert_command = {command}\n{monitor}{MESSAGE}"
        self.installation = install(folder, sandbox, clock, config)

    def use(self, *alert_command: str) -> None:
        """Tell another command; without one, none at all."""
        rules = replace(self.installation.config.monitor, alert_command=alert_command)
        config = replace(self.installation.config, monitor=rules)
        self.installation = replace(self.installation, config=config)

    def tick(self, *times: str, day: int = 23, **edges: Any) -> int:
        exit_code = 0
        for at in times:
            self.clock.set(at, day)
            exit_code = tick(self.installation, **edges)
        return exit_code

    @property
    def documents(self) -> list[dict[str, Any]]:
        lines = self.told.read_text().splitlines() if self.told.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def alarms(self) -> list[tuple[str, str]]:
        return [(a["turn"], a["key"]) for found in self.documents for a in found["alarms"]]


@pytest.fixture
def scene(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Scene:
    return Scene(tmp_path, sandbox, clock)


def health(installation: Installation) -> tuple[str, ...]:
    """Return what is wrong, but for ticks, which these tests run as they please."""
    found = health_of(look(installation), installation.config.monitor).problems
    return tuple(one for one in found if "tick" not in one.lower())


def tick(installation: Installation, **edges: Any) -> int:
    """Run one watched tick as a process of its own would."""
    return ended_tick(installation, **edges).exit_code


def test_a_quiet_tick_tells_nobody(scene: Scene) -> None:
    scene.tick("09:15:01", "09:16:01", "09:30:01")

    assert scene.documents == []


def test_a_failed_delivery_is_told_once_and_once_when_it_is_over(scene: Scene) -> None:
    scene.sandbox.faults.enqueue("-501", "-501")
    scene.tick("09:15:01", "09:16:01", "09:30:01", "09:31:01", "09:45:01", "10:00:01")

    assert scene.alarms == [("begun", "delivery:report"), ("over", "delivery:report")]
    begun, over = scene.documents
    assert "report@20261123T0915 failed (refused" in begun["body"]
    assert "kakaocron retry report@20261123T0915" in begun["body"]
    assert over["title"] == "kakaocron: over"


@pytest.mark.parametrize(("word", "turns"), [("cancelled", 2), ("sent", 2), ("waiting", 1)])
def test_what_is_to_be_sent_again_later_is_over_when_it_is_and_not_before(
    scene: Scene, word: str, turns: int
) -> None:
    scene.sandbox.faults.enqueue("-501")
    scene.tick("09:15:01", "09:16:01")
    id_ = "report@20261123T0915"
    retry(scene.installation, id_, NOW.replace(hour=9, minute=25))
    scene.tick("09:17:01")
    assert [turn for turn, _ in scene.alarms] == ["begun"]
    assert "Only 0.0%" in str(health(scene.installation))

    if word == "cancelled":
        cancel(scene.installation, id_)
    scene.tick("09:25:01" if word == "sent" else "09:18:01")
    assert [turn for turn, _ in scene.alarms] == ["begun", "over"][:turns]


def of_report(scene: Scene) -> list[tuple[str, str]]:
    """Return the alarms of the message; not that the clock is wrong."""
    return [alarm for alarm in scene.alarms if alarm[1] == "delivery:report"]


@pytest.mark.parametrize("back", ["11:51:00", "12:00:30", "09:05:00"])
def test_a_clock_that_is_set_back_tells_nothing_twice(scene: Scene, back: str) -> None:
    scene.tick("09:00:05", "12:01:05")  # the slots in between are missed
    told = of_report(scene)
    assert told == [("begun", "delivery:report")]
    hour, minute, second = map(int, back.split(":"))
    later = [f"{hour}:{minute + n}:{second}" for n in range(4)]
    scene.tick(*later, "12:02:05", "12:03:05")
    assert of_report(scene) == told


@pytest.mark.parametrize("ahead", [1, 3, 6])
def test_what_happens_after_a_clock_was_ahead_is_told(scene: Scene, ahead: int) -> None:
    scene.tick("09:00:05")
    scene.tick("12:01:05", day=23 + ahead)
    told = of_report(scene)
    scene.sandbox.faults.enqueue("-501")
    scene.tick("09:15:01", "09:16:01", "09:17:01")
    assert of_report(scene)[len(told) :] == [("begun", "delivery:report")]
    assert "report@20261123T0915" in scene.documents[-1]["body"]
    told = of_report(scene)
    scene.tick("09:30:01", "09:31:01", "09:45:01")
    assert of_report(scene)[len(told) :] == [("over", "delivery:report")]
    told = of_report(scene)
    scene.tick("12:02:05", "12:03:05", day=23 + ahead)
    scene.tick("12:03:05", "12:04:05", day=22)
    assert {turn for turn, _ in of_report(scene)[len(told) :]} <= {"begun"}
    assert len(of_report(scene)) - len(told) <= 1  # the slots missed until then, once


def test_a_trouble_that_a_clock_ahead_has_seen_begin_hides_no_other(scene: Scene) -> None:
    scene.sandbox.faults.enqueue("-501", "-501")
    scene.tick("09:00:05", "09:01:05", day=28)
    assert of_report(scene) == [("begun", "delivery:report")]
    scene.tick("09:02:05", "09:15:05")
    assert of_report(scene)[1:] == [("over", "delivery:report")]


def test_what_a_person_sends_that_was_cancelled_is_no_failure(scene: Scene) -> None:
    scene.clock.set("09:01")
    cancel(scene.installation, "report@20261123T0915")
    retry(scene.installation, "report@20261123T0915", NOW)
    scene.tick("09:16:01")
    assert health(scene.installation) == ()
    assert scene.alarms == []


def test_a_resend_on_its_way_does_not_end_its_trouble(scene: Scene) -> None:
    seen = look(scene.installation).now
    ended = Result(State.UNKNOWN, Reason.READ_TIMEOUT)
    tries = tuple(
        Attempt(n, "x", seen, seen, ("me",), seen, seen, {} if n == 2 else {"me": ended})
        for n in (1, 2)
    )
    slot = Delivery("report@x", "report", "peak", seen, State.SENDING, ("me",), attempts=tries)
    found = of_deliveries([slot], {"report"}, lambda _: True)
    assert found.lasting == {}
    assert "unknown:report" in found.open


def test_a_trouble_of_last_week_is_not_over_because_nothing_came_since(scene: Scene) -> None:
    weekly = MESSAGE.replace("text", 'days = ["mon"]\ntext')
    command = json.dumps(["sh", "-c", f"cat >>{scene.told}; echo >>{scene.told}"])
    config = f"[monitor]\nalert_command = {command}\n{weekly}"
    scene.installation = install(scene.told.parent, scene.sandbox, scene.clock, config)
    scene.sandbox.faults.enqueue("-501")
    scene.tick("20:45:01", "20:46:01")
    for day in (24, 25, 26, 29):
        scene.tick("00:00:01", "09:00:01", "21:00:01", day=day)
    keys = {(turn, key) for turn, key in scene.alarms}
    assert ("begun", "delivery:report") in keys
    assert ("over", "delivery:report") not in keys
    scene.tick("09:00:01", day=30)
    assert ("over", "delivery:report") in scene.alarms


def test_an_unknown_delivery_is_told_with_the_command_that_settles_it(scene: Scene) -> None:
    scene.sandbox.faults.enqueue("cut-after")
    scene.tick("09:15:01")

    assert scene.alarms == [("begun", "unknown:report")]
    assert "kakaocron resolve report@20261123T0915 --delivered" in scene.documents[0]["body"]


def test_an_unknown_delivery_is_not_called_over_while_nobody_has_settled_it(scene: Scene) -> None:
    scene.sandbox.faults.enqueue("cut-after")
    scene.tick("09:15:01", "09:30:01")
    over = scene.documents[1]["alarms"][0]
    assert (over["turn"], over["key"]) == ("over", "unknown:report")
    assert over["sentence"].startswith("Messages arrive again. Nobody can know whether report@2026")
    assert "kakaocron resolve report@20261123T0915 --delivered" in over["sentence"]

    scene.sandbox.faults.enqueue("cut-after")
    scene.tick("09:45:01")
    for minute in ("0915", "0945"):
        resolve(scene.installation, f"report@20261123T{minute}", delivered=True)
    scene.tick("10:00:01")
    over = scene.documents[3]["alarms"][0]
    assert over["sentence"].startswith("Over: Nobody can know whether report@20261123T0945")


def test_slots_that_were_missed_are_told_in_one_alarm_when_the_host_is_back(scene: Scene) -> None:
    scene.tick("09:15:01", "12:00:01", "12:15:01")

    assert scene.alarms == [("begun", "delivery:report")]
    assert "8 slots from report@20261123T0930 to report@20261123T1145" in scene.documents[0]["body"]


def test_what_a_person_had_rest_is_told_to_nobody_and_ends_no_trouble(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    watcher: Watcher,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scene = Scene(tmp_path, sandbox, clock, f'ping_url = "http://{watcher.address}/uuid"\n')
    scene.tick("09:00:01")
    pause(scene.installation, None, None, None)
    scene.tick("09:15:01", "09:30:01")
    assert scene.documents == []
    assert capsys.readouterr().err == ""
    assert watcher.paths[-2:] == ["/uuid/start", "/uuid"]

    resume(scene.installation, None)
    sandbox.faults.enqueue("-501")
    scene.tick("09:45:01")
    pause(scene.installation, None, None, None)
    scene.tick("10:00:01")
    assert scene.alarms == [("begun", "delivery:report")]
    resume(scene.installation, None)
    scene.tick("10:30:01")
    assert scene.alarms[1:] == [("over", "delivery:report")]


def test_a_single_failed_attempt_is_nobody_s_business(scene: Scene) -> None:
    scene.sandbox.faults.enqueue("429")
    scene.tick("09:15:01", "09:16:01", "09:30:01")

    assert scene.documents == []
    assert len(texts(scene.sandbox)) == 2


def test_a_lasting_trouble_is_told_again_after_a_day_and_not_before(scene: Scene) -> None:
    scene.sandbox.faults.enqueue(*["-501"] * 10)
    scene.tick("09:15:01", "21:00:01")
    scene.tick("09:00:01", "09:15:01", "09:30:01", day=24)

    turns = [turn for turn, key in scene.alarms if key == "delivery:report"]
    assert turns == ["begun", "lasting"]


def test_a_lost_success_rate_is_told_where_nothing_else_was(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock, "min_success_rate = 0.9\n")
    sandbox.faults.enqueue("-501")
    scene.tick("09:15:01", "09:30:01", "09:45:01")

    assert [key for _, key in scene.alarms] == ["delivery:report", "delivery:report"]


def test_lost_lateness_is_told(scene: Scene) -> None:
    scene.tick("08:50:01", "09:06:30")

    assert scene.alarms == [("begun", "delay")]


def test_a_login_near_its_end_is_told_before_it_is_dead(scene: Scene) -> None:
    scene.tick("09:15:01")
    login = scene.installation.login
    ends = NOW + timedelta(days=3)
    login.write(replace(login.read(), refresh_expires_at=ends, refreshed_at=scene.clock.now()))
    scene.tick("09:30:01", "09:45:01")

    assert scene.alarms == [("begun", "login")]


def test_the_end_of_a_dead_login_asks_nobody_to_log_in(scene: Scene) -> None:
    scene.tick("09:15:01")
    revoked(scene)
    scene.tick("09:30:01")
    log_in(scene)
    scene.tick("09:45:01")

    over = [a["sentence"] for found in scene.documents for a in found["alarms"]][-1]
    assert over == "Over: Kakao accepts the login again"


def test_the_alarm_command_is_looked_for_beside_the_configuration(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    folder = scene.installation.places.config.parent
    (folder / "tell").write_text(f"#!/bin/sh\ncat >{scene.told}\n")
    (folder / "tell").chmod(0o700)
    scene.use("./tell")
    sandbox.faults.enqueue("-501")
    scene.tick("09:15:01")

    assert scene.alarms == [("begun", "delivery:report")]


def without_names(scene: Scene) -> Callable[[], None]:
    whole = scene.installation
    kakao = replace(whole.config.kakao, api_url="https://kapi.invalid")
    config = replace(whole.config, kakao=kakao)
    scene.installation = replace(whole, config=config)
    return lambda: setattr(scene, "installation", whole)


def revoked(scene: Scene) -> Callable[[], None]:
    scene.sandbox.kakao.revoke_access_tokens()
    scene.sandbox.kakao.revoke_refresh_tokens()
    return lambda: log_in(scene)


def log_in(scene: Scene) -> None:
    scene.installation.login.write(logged_in(scene.sandbox.kakao, scene.clock.now()))


def spent(scene: Scene) -> Callable[[], None]:
    scene.sandbox.faults.replace("-10")
    return scene.sandbox.faults.replace


FAULTS: list[tuple[str, Callable[[Scene], Callable[[], None]], str]] = [
    ("DNS broken", without_names, "delivery:report"),
    ("token revoked", revoked, "login"),
    ("quota spent", spent, "quota"),
]


@pytest.mark.parametrize(
    ("break_it", "key"), [pytest.param(found[1], found[2], id=found[0]) for found in FAULTS]
)
def test_each_fault_is_told_within_two_minutes_of_its_first_slot_once_and_once_when_over(
    scene: Scene, break_it: Callable[[Scene], Callable[[], None]], key: str
) -> None:
    scene.tick("09:15:01", "09:29:01")
    mend = break_it(scene)
    scene.tick("09:30:01", "09:31:01")
    assert scene.alarms == [("begun", key)]

    scene.tick(*(f"09:{minute}:01" for minute in range(32, 60, 3)), "10:00:01", "10:01:01")
    assert scene.alarms == [("begun", key)]

    mend()
    scene.tick("10:20:01", "10:30:01", "10:31:01", "11:00:01", "11:15:01")
    assert scene.alarms == [("begun", key), ("over", key)]


def test_a_full_disk_is_told_at_once_and_once_though_nothing_can_be_written(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kakaocron.installation.IN_MEMORY", str(tmp_path / "in-memory"))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    (tmp_path / "in-memory").mkdir()
    scene = Scene(tmp_path, sandbox, clock)
    scene.tick("09:15:01")
    assert scene.tick("09:30:01", disk=DiskFull()) == 74
    scene.tick("09:31:01", "09:32:01", disk=DiskFull())

    assert scene.alarms == [("begun", "ledger")]
    scene.tick("09:50:01", "10:00:01")
    assert scene.alarms == [("begun", "ledger"), ("over", "ledger")]
    assert "Meanwhile: report@20261123T0930 missed" in scene.documents[-1]["body"]


class DiskFull(RealDisk):
    """The one file system is full, temporary folders included; what is kept in memory is not."""

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        self._path = path
        return super().open(path, flags, mode)

    def write(self, fd: int, data: bytes) -> int:
        if "/in-memory/" not in self._path:
            raise OSError(28, "No space left on device")
        return super().write(fd, data)


@pytest.mark.parametrize(
    ("stopped", "code"),
    [
        (LedgerError(*parts("ledger-unwritable", folder="/x", error="full")), "ledger-unwritable"),
        (LedgerError(*parts("later-ledger", path="/x", format=2, known=1)), "later-ledger"),
        (LockTimeoutError(*parts("lock-held-sending")), "lock-held-sending"),
        (RuntimeError("as if"), "bug"),
    ],
)
def test_of_what_stops_a_tick_a_code_is_stored_and_its_words_are_shown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, stopped: Exception, code: str
) -> None:
    def stop(*_: object) -> None:
        raise stopped

    monkeypatch.setattr("kakaocron.ticking.runner.run_tick", stop)
    scene.use("false")
    scene.tick("09:30:01")
    kept = json.loads((scene.installation.places.data / "alarms.json").read_text())
    (trouble,) = kept["troubles"].values()
    assert (trouble["cause"]["code"], "words" in str(trouble)) == (code, False)

    words = in_words(convert(trouble["cause"], Cause))
    if code == "bug":
        assert words.startswith("kakaocron has a bug: RuntimeError at test_telling.py:")
    else:
        assert words == str(stopped)


def test_where_another_user_has_made_the_spare_folder_it_is_left_alone(tmp_path: Path) -> None:
    kept = Memory(str(tmp_path / "data" / "a.json"), str(tmp_path / "spare" / "a.json"), Foreign())
    for folder in ("data", "spare"):
        (tmp_path / folder).mkdir(mode=0o700)
    Path(kept.spare).write_text('{"planted": "1"}')
    kept.write({"told": "2"})

    assert kept.read() == {"told": "2"}
    assert Path(kept.spare).read_text() == '{"planted": "1"}'


class Foreign(RealDisk):
    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        self._path = path
        return super().open(path, flags, mode)

    def fstat(self, fd: int) -> Stat:
        found = super().fstat(fd)
        found.is_ours = not self._path.endswith("/spare")
        return found


def test_a_cron_that_stopped_is_told_by_the_pings_that_do_not_come(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, watcher: Watcher
) -> None:
    scene = Scene(tmp_path, sandbox, clock, f'ping_url = "http://{watcher.address}/uuid"\n')
    switch = DeadMansSwitch(watcher)
    for minute in range(15, 30):
        scene.tick(f"09:{minute}:01")
        assert not switch.is_down(clock.now())

    clock.set("09:31:00")  # no tick has come since 09:29, and 09:30 was the first slot concerned
    assert not switch.is_down(clock.now())
    clock.set("09:31:30")
    assert switch.is_down(clock.now())
    scene.tick("09:32:01")
    assert not switch.is_down(clock.now())


def test_a_ping_says_start_and_success_with_one_run_id(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, watcher: Watcher
) -> None:
    scene = Scene(tmp_path, sandbox, clock, f'ping_url = "http://{watcher.address}/uuid"\n')
    scene.tick("09:15:01")

    assert watcher.paths == ["/uuid/start", "/uuid"]
    start, end = (query for _, query, _ in watcher.requests)
    assert start == end
    assert len(start["rid"][0]) == 36


def test_a_ping_says_fail_when_the_tick_did(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, watcher: Watcher
) -> None:
    scene = Scene(tmp_path, sandbox, clock, f'ping_url = "http://{watcher.address}/uuid"\n')
    sandbox.faults.enqueue("-501")
    scene.tick("09:15:01")

    assert watcher.paths[-1] == "/uuid/fail"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hc/uuid", "https://hc/uuid/fail?rid=7"),
        ("https://hc/uuid/", "https://hc/uuid/fail?rid=7"),
        ("https://hc/key/slug?create=1", "https://hc/key/slug/fail?create=1&rid=7"),
    ],
)
def test_the_ending_goes_after_the_path(url: str, expected: str) -> None:
    assert address(url, "/fail", "7") == expected


def test_alarms_go_through_apprise(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, watcher: Watcher
) -> None:
    scene = Scene(tmp_path, sandbox, clock, f'alert_urls = ["json://{watcher.address}/alert"]\n')
    sandbox.faults.enqueue("-501")
    scene.tick("09:15:01", "09:16:01")

    ((path, _, document),) = watcher.requests
    assert path == "/alert"
    assert document["title"] == "kakaocron: 1 problem"
    assert "report@20261123T0915" in document["message"]


@pytest.mark.parametrize(
    ("turns", "kind"),
    [("begun over", "failure"), ("lasting over", "warning"), ("over", "success")],
)
def test_apprise_is_told_how_bad_it_is(turns: str, kind: str) -> None:
    told = [Alarm(Turn(turn), "x", NOW, said("x")) for turn in turns.split()]
    assert apprise_type(told) == kind


def test_apprise_hears_of_a_failure_as_one_and_of_its_end_as_a_success(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, watcher: Watcher
) -> None:
    scene = Scene(tmp_path, sandbox, clock, f'alert_urls = ["json://{watcher.address}/alert"]\n')
    sandbox.faults.enqueue("-501")
    scene.tick("09:15:01", "09:16:01", "09:30:01")
    assert [document["type"] for _, _, document in watcher.requests] == ["failure", "success"]


@pytest.mark.parametrize("scheme", ["kakaotalk", "KakaoTalk", "kakao"])
def test_kakaotalk_never_counts_as_told(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    scheme: str,
) -> None:
    handed: list[Any] = []

    def feed(command: Any, content: bytes, *_: Any) -> int:
        handed.append(json.loads(content))
        return 0

    config = f'[monitor]\nalert_urls = ["{scheme}://x"]\n{MESSAGE}'
    installation = install(tmp_path, sandbox, clock, config)
    sandbox.faults.enqueue("-501")
    for at in ("09:15:01", "09:16:01", "09:17:01", "09:20:01", "09:25:01"):
        clock.set(at)
        ended_tick(installation, feed=feed)

    assert len(handed) == 1  # mentioned once, as it may arrive, and kept all the same
    kept = json.loads((installation.places.data / "alarms.json").read_text())
    assert len(kept["untold"]) == 1
    assert capsys.readouterr().err.count("KakaoTalk cannot report that it is broken") == 1

    other = f'[monitor]\nalert_urls = ["{scheme}://x", "ntfy://y"]\n{MESSAGE}'
    clock.set("10:30:01")
    ended_tick(install(tmp_path, sandbox, clock, other), feed=feed)
    assert {one["url"] for one in handed} == {f"{scheme}://x", "ntfy://y"}
    kept = json.loads((installation.places.data / "alarms.json").read_text())
    assert kept["untold"] == []


def test_alarms_that_nobody_took_are_kept_and_offered_again_ever_later(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, watcher: Watcher
) -> None:
    watcher.status = 500
    scene = Scene(tmp_path, sandbox, clock, f'alert_urls = ["json://{watcher.address}/alert"]\n')
    scene.use()
    sandbox.faults.enqueue("-501")
    scene.tick("09:15:01", "09:16:02", "09:17:01", "09:18:03")
    assert len(watcher.requests) == 3

    watcher.status = 200
    scene.tick("09:19:01", "09:22:04", "09:23:01")
    assert len(watcher.requests) == 4


def test_what_kakaotalk_took_has_told_nobody_that_kakaotalk_is_broken(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    watcher: Watcher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, through_kakaotalk = telling._through_apprise, []

    def through_apprise(feed: Any, url: str, *rest: Any) -> None:
        if url.startswith("KakaoTalk://"):
            through_kakaotalk.append(url)
        else:
            real(feed, url, *rest)

    monkeypatch.setattr(telling, "_through_apprise", through_apprise)
    watcher.status = 500
    urls = f'["json://{watcher.address}/alert", "KakaoTalk://token"]'
    scene = Scene(tmp_path, sandbox, clock, f"alert_urls = {urls}\n")
    scene.use()
    sandbox.faults.enqueue("-501")
    scene.tick("09:15:01", "09:16:02", "09:17:01", "09:18:03")

    assert len(watcher.requests) == 3
    assert through_kakaotalk
    watcher.status = 200
    scene.tick("09:22:04", "09:23:05")
    assert len(watcher.requests) == 4


ALWAYS_FAILING = f"""
[schedule]
regular_minutes = {list(range(60))}
[delivery]
max_retries = 0
[[message]]
name = "report"
slots = ["regular"]
file = "no-such-file"
"""


@pytest.mark.parametrize("scheme", ["json", "nonsense"])
def test_a_process_whose_watcher_never_comes_to_an_end_does(
    home: Path, watcher: Watcher, scheme: str
) -> None:
    """Apprise's pool of threads would keep the interpreter from its end."""
    watcher.drips = True
    url = f"{scheme}://{watcher.address}/alert"
    (home / "config.toml").write_text(f'[monitor]\nalert_urls = ["{url}"]\n{ALWAYS_FAILING}')
    argv = [sys.executable, "-m", "kakaocron", "--config", str(home / "config.toml"), "tick"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=45)

    said = {
        "json": "it did not end in time, and was killed",
        "nonsense": "Apprise does not know such an address",
    }
    assert ended.returncode == 1
    assert f"The monitor 'alert_urls 1 ({scheme})' cannot be told: {said[scheme]}" in ended.stderr
    assert "Traceback" not in ended.stderr


def break_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the name of the broken monitor be unknown, without asking anybody for it."""
    real_look_up = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host == "no-such-host.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real_look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("no_proxy", "*")


BROKEN = {"hanging": None, "500": 500}


@pytest.mark.parametrize("how", ["hanging", "broken name", "500"])
def test_a_broken_monitor_is_noted_once_and_costs_no_message_anything(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    watcher: Watcher,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    # As they are, one after the other: which of two at the same moment comes first nobody knows.
    monkeypatch.setattr("kakaocron.watching.telling.LONGEST_SECONDS", 4.0)
    monkeypatch.setattr("kakaocron.watching.pings.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("kakaocron.watching.pings.START_ANSWER_SECONDS", 0.3)
    watcher.status = BROKEN.get(how, 200)
    if how == "broken name":
        break_dns(monkeypatch)
    name = "no-such-host.invalid" if how == "broken name" else watcher.address
    monitor = f'ping_url = "http://{name}/uuid"\n'
    scene = Scene(tmp_path, sandbox, clock, monitor)
    began = time.monotonic()
    scene.tick("09:15:01", "09:30:01", "09:45:01")
    seconds = (time.monotonic() - began) / 3

    noted = [line for line in capsys.readouterr().err.splitlines() if "ping_url" in line]
    assert noted == [f"The monitor 'ping_url' cannot be told: {SAID[how]}"]
    assert texts(sandbox) == [f"보고 2026-11-23 09:{minute}" for minute in (15, 30, 45)]
    assert look(scene.installation).stats.delay_p99_seconds == 1.0
    assert seconds < 4


def test_a_monitor_whose_name_nobody_looks_up_is_left_in_the_end(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What has no limit of its own, as a look-up of a name, is ended by that of all ways."""
    looked_up = threading.Event()
    real_look_up = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host == "no-such-host.invalid":
            looked_up.wait(30)
        return real_look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("kakaocron.watching.telling.LONGEST_SECONDS", 1.0)
    scene = Scene(tmp_path, sandbox, clock, 'ping_url = "http://no-such-host.invalid/uuid"\n')
    try:
        scene.tick("09:30:01")
    finally:
        looked_up.set()

    assert "The monitor 'ping_url' cannot be told: no answer within 1 s" in capsys.readouterr().err
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]


SAID = {
    "hanging": "no answer in time",
    "broken name": "DNS: the server's name cannot be looked up",
    "500": "HTTP 500",
}


def test_a_command_that_hangs_is_killed_and_noted(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kakaocron.watching.telling.LONGEST_SECONDS", 1.0)
    scene = Scene(tmp_path, sandbox, clock)
    scene.use("sleep", "60")
    sandbox.faults.enqueue("-501")
    began = time.monotonic()
    scene.tick("09:15:01")

    assert time.monotonic() - began < 3
    assert "it did not end in time, and was killed" in capsys.readouterr().err


def test_a_tick_that_took_its_minute_tells_nobody_rather_than_go_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kakaocron.watching.telling.TICK_SECONDS", 0.0)
    scene.sandbox.faults.enqueue("-501")
    scene.tick("09:15:01")
    assert scene.documents == []

    monkeypatch.setattr("kakaocron.watching.telling.TICK_SECONDS", 48.0)
    scene.tick("09:20:01")
    assert scene.alarms == [("begun", "delivery:report")]


def test_the_alarm_command_sees_no_secret(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, sandbox, clock)
    out = tmp_path / "environment"
    scene.use("sh", "-c", f"env >{out}")
    variables = {**scene.installation.places.variables, "PATH": "/usr/bin:/bin", "SHOWN": "1"}
    variables |= {
        f"KAKAO_ACCOUNT_민지_{name}": "x" for name in ("ACCESS_TOKEN", "CLIENT_SECRET_FILE")
    }
    places = replace(scene.installation.places, variables=variables)
    scene.installation = replace(scene.installation, places=places)
    sandbox.faults.enqueue("-501")
    scene.tick("09:15:01")

    assert "SHOWN=1" in out.read_text()
    assert "KAKAO" not in out.read_text()


@pytest.mark.usefixtures("uncounted")
def test_thirty_quiet_days_raise_no_alarm(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    told, hours = tmp_path / "told", (8, 12, 18)
    clock.set("07:59:59", day=1)
    installation = install(
        tmp_path,
        sandbox,
        clock,
        "[schedule]\nregular_minutes = [0]\npeak_minutes = []\n"
        'quiet = ["08:01-12:00", "12:01-18:00", "18:01-08:00"]\n'
        f"[monitor]\nalert_command = {json.dumps(['touch', str(told)])}\n" + MESSAGE,
    )
    for day in range(30):
        for hour in hours:
            clock.set(f"{hour:02}:00:01", day=1 + day)
            tick(installation)

    assert len(texts(sandbox)) == 30 * len(hours)
    assert not told.exists()


def test_two_installations_do_not_share_what_they_remember(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    spares = {
        make_memory(
            install(tmp_path / name, sandbox, clock).places, RealDisk(), "alarms.json"
        ).spare
        for name in ("one", "two")
    }

    assert len(spares) == 2
