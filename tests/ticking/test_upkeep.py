"""The login over months, and through a kill at every step of a renewal."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.cli import run
from kakaocron.config.contacts import KAKAOTALK
from kakaocron.config.reading import parse_config
from kakaocron.delivery.channel import Flight
from kakaocron.delivery.tick import TickReport, tick
from kakaocron.errors import LedgerError, LoginError
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.kakao.login import Credentials, Login, NoTokenNowError
from kakaocron.kakao.texts import text_parcel
from kakaocron.kakao.tokens import Tokens, from_json, to_json
from kakaocron.rehearsal.sandbox.faults import FaultPlan
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.rehearsal.sandbox.wire import WireRequest
from kakaocron.rehearsal.simulation.network import on_the_wire
from kakaocron.states import Reason, State
from kakaocron.system.disk import Disk
from kakaocron.system.http import Answer, Failure, Gate, Phase, Request
from kakaocron.system.places import Places
from kakaocron.system.syscalls import RealDisk
from kakaocron.text.causes import said
from kakaocron.ticking.upkeep import look_after_login
from tests.fakes import (
    MESSAGE,
    NOW,
    AtOnce,
    FakeClock,
    UnsyncedDisk,
    kakao_section,
    received,
    write_config,
)

MINUTE = timedelta(minutes=1)


@dataclass
class ModelHttp:
    """Requests answered by the sandbox's model at once, without a socket."""

    kakao: Kakao
    clock: FakeClock
    faults: FaultPlan = field(default_factory=FaultPlan)
    asked: list[str] = field(default_factory=list)
    is_offline: bool = False

    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        if self.is_offline:
            return Failure(Phase.BEFORE, Reason.UNREACHABLE, said("offline"))
        if gate:
            gate()
        asked = on_the_wire(request)
        self.asked.append(asked.path)
        wire = self.kakao.exchange(asked, self.clock.now(), self.faults.next(asked))
        if wire.action != "answer" or wire.answer is None:
            return Failure(Phase.AFTER, Reason.CONNECTION_RESET, said("cut"))
        return received(wire.answer)

    def warm(self, url: str, count: int) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def http(clock: FakeClock) -> ModelHttp:
    return ModelHttp(Kakao(seed=5), clock)


@pytest.fixture
def installation(tmp_path: Path, http: ModelHttp, clock: FakeClock) -> Installation:
    token = http.kakao.issue_login(clock.now()).refresh_token
    return installed(tmp_path, http, clock, {"KAKAO_REFRESH_TOKEN": token})


def installed(
    folder: Path, http: ModelHttp, clock: FakeClock, variables: Mapping[str, str]
) -> Installation:
    settings = http.kakao.settings
    kakao = (
        f'[kakao]\nrest_api_key = "{settings.rest_api_key}"\n'
        f'client_secret = "{settings.client_secret}"\n[ledger]\nkeep_days = 2\n'
    )
    config = parse_config(kakao + MESSAGE, "config.toml")
    places = Places(folder / "config.toml", folder / "data", folder / "log", variables)
    edges = Edges(clock, UnsyncedDisk(), AtOnce(), lambda *_: http, "test")
    return assemble(places, config, edges)


def idle(installation: Installation) -> dict[str, str]:
    """Do what an idle tick does for the login."""
    return look_after_login(installation, TickReport(installation.clock.now()))


def saved(installation: Installation) -> Tokens:
    return from_json(Path(installation.places.tokens).read_bytes())


def most_within(moments: list[datetime], span: timedelta) -> int:
    return max(sum(start <= other < start + span for other in moments) for start in moments)


@pytest.mark.usefixtures("uncounted")
def test_sixty_days_lose_no_slot_to_a_dead_token(
    installation: Installation, http: ModelHttp, clock: FakeClock
) -> None:
    """Every minute of 60 days; whole ticks around the first day, the rotation and the end."""
    renewals: list[datetime] = []
    said: set[str] = set()
    slots = waited = 0
    for minute in range(60 * 24 * 60):
        clock.at = NOW + minute * MINUTE
        asked = len(http.asked)
        report = TickReport(clock.now())
        if is_slot(clock.at):
            slots += 1
            if clock.at.day in {23, 24} or (clock.at - NOW).days == 59:
                report = tick(installation.engine, installation.plan, installation.heartbeat)
            else:
                send(installation)
            waited += "/oauth/token" in http.asked[asked:]
            assert len(http.kakao.deliveries) == slots
        if minute % 5 or report.due:
            said |= look_after_login(installation, report).keys()
        if "/oauth/token" in http.asked[asked:]:
            renewals.append(clock.at)

    # That alone: Kakao has given another refresh token than the variable's.
    assert said == {f"login-variable:{installation.login.path}"}
    assert slots == 60 * 68
    assert waited == 1  # the very first slot, as the login came without an access token
    # Kakao's limits: 20 access tokens in 10 minutes, 30 refresh tokens in 60.
    assert most_within(renewals, timedelta(minutes=10)) <= 2
    assert most_within(renewals, timedelta(minutes=60)) <= 3
    assert 280 <= len(renewals) <= 300
    tokens = saved(installation)
    assert tokens.refresh_expires_at is not None
    assert tokens.refresh_expires_at - clock.at > timedelta(days=29)


def is_slot(at: datetime) -> bool:
    peak_hours = (7, 8, 9, 11, 12, 13, 17, 18, 19, 20)
    return at.minute in (0, 30) or (at.minute in (15, 45) and at.hour in peak_hours)


def send(installation: Installation) -> None:
    flight = Flight(installation.clock.now)
    parcel = text_parcel("보고", "https://example.org")
    installation.engine.channels[KAKAOTALK].deliver(parcel, ["me"], flight)
    assert flight.results["me"].state is State.CONFIRMED


def test_an_hour_before_its_end_an_idle_minute_renews_the_token(
    installation: Installation, http: ModelHttp, clock: FakeClock
) -> None:
    idle(installation)
    end = saved(installation).access_expires_at
    assert end is not None
    for before, is_renewed in ((61, False), (59, True)):
        clock.at = end - timedelta(minutes=before)
        http.asked.clear()
        idle(installation)
        assert http.asked == (["/oauth/token"] if is_renewed else [])


def test_a_minute_with_a_slot_is_not_idle_until_it_gets_late(
    installation: Installation, http: ModelHttp, clock: FakeClock
) -> None:
    idle(installation)
    for minutes_left, is_renewed in ((40, False), (21, False), (19, True)):
        clock.set("11:29:30")
        end = clock.at + timedelta(minutes=minutes_left)
        installation.login.write(replace(saved(installation), access_expires_at=end))
        http.asked.clear()
        idle(installation)
        assert http.asked == (["/oauth/token"] if is_renewed else [])


def test_a_week_without_a_renewal_is_the_longest(
    installation: Installation, http: ModelHttp, clock: FakeClock
) -> None:
    idle(installation)
    far = clock.at + timedelta(days=300)
    installation.login.write(replace(saved(installation), access_expires_at=far))
    for days, is_renewed in ((6.9, False), (7.1, True)):
        clock.at = NOW + timedelta(days=days)
        http.asked.clear()
        idle(installation)
        assert http.asked == (["/oauth/token"] if is_renewed else [])


def test_koe237_backs_off_for_ten_minutes_then_an_hour(
    installation: Installation, http: ModelHttp, clock: FakeClock
) -> None:
    http.faults.enqueue(*["KOE237"] * 99)
    asked = []
    for minute in range(300):
        clock.at = NOW + minute * MINUTE
        before = len(http.asked)
        assert idle(installation) == {}
        asked += [minute] * (len(http.asked) - before)
    assert asked == [0, 10, 70, 130, 190, 250]


def test_koe237_does_not_keep_a_living_token_from_being_used(
    installation: Installation, http: ModelHttp, clock: FakeClock
) -> None:
    token = installation.login.access_token()
    end = saved(installation).access_expires_at
    assert end is not None
    http.faults.enqueue("KOE237")
    clock.at = end - timedelta(minutes=5)
    assert installation.login.access_token() == token
    clock.at = end - timedelta(seconds=29)
    with pytest.raises(NoTokenNowError):
        installation.login.access_token()


def test_koe322_is_asked_once_and_always_told_in_the_same_words(
    installation: Installation, http: ModelHttp, clock: FakeClock
) -> None:
    http.kakao.revoke_refresh_tokens()
    told: list[str] = []
    for minute in range(120):
        clock.at = NOW + minute * MINUTE
        told += idle(installation).values()
        if clock.at.minute % 30 == 0:
            report = tick(installation.engine, installation.plan, installation.heartbeat)
            assert report.exit_code == 3
            told += [str(error) for error in report.down.values()]
    assert http.asked == ["/oauth/token"]
    assert len(set(told)) == 1
    assert "KOE322" in told[0]
    assert "kakaocron login" in told[0]


@pytest.mark.parametrize(("days_left", "is_told"), [(15, False), (14, False), (13, True)])
def test_the_end_of_a_login_is_told_fourteen_days_ahead(
    installation: Installation, clock: FakeClock, days_left: int, is_told: bool
) -> None:
    idle(installation)
    end = clock.at + timedelta(days=days_left)
    installation.login.write(replace(saved(installation), refresh_expires_at=end))
    problems = idle(installation)
    assert [key.partition(":")[0] for key in problems] == (["login-ends"] if is_told else [])


def test_a_given_access_token_is_used_as_it_is(
    tmp_path: Path, http: ModelHttp, clock: FakeClock
) -> None:
    given = installed(tmp_path, http, clock, {"KAKAO_ACCESS_TOKEN": "given"})
    assert given.login.access_token() == "given"
    assert idle(given) == {}
    assert http.asked == []
    with pytest.raises(LoginError, match="KAKAO_ACCESS_TOKEN"):
        given.login.renew("given")


class Killed(BaseException):
    """The process is gone."""


class KillingDisk(UnsyncedDisk):
    """Ends the process before its n-th system call that changes anything."""

    def __init__(self, survives: int) -> None:
        self.left = survives
        self.calls: list[str] = []

    def _step(self, name: str) -> None:
        self.calls.append(name)
        if self.left == 0:
            raise Killed
        self.left -= 1

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        self._step("open")
        return super().open(path, flags, mode)

    def write(self, fd: int, data: bytes) -> int:
        self._step("write")
        return super().write(fd, data)

    def truncate(self, fd: int, size: int) -> None:
        self._step("truncate")
        super().truncate(fd, size)

    def seek(self, fd: int, offset: int) -> None:
        self._step("seek")
        super().seek(fd, offset)

    def fsync(self, fd: int) -> None:
        self._step("fsync")

    def replace(self, source: str, target: str) -> None:
        self._step("replace")
        super().replace(source, target)

    def unlink(self, path: str) -> None:
        if self.left == 0:
            raise Killed  # the dead clean nothing up
        super().unlink(path)


def login_of(path: Path, http: ModelHttp, clock: FakeClock, disk: Disk) -> Login:
    settings = http.kakao.settings
    keys = Credentials(settings.rest_api_key, settings.client_secret)
    return Login(str(path), disk, clock, http, "https://kauth.kakao.com", keys)


def saved_login(path: Path, http: ModelHttp, clock: FakeClock) -> None:
    given = http.kakao.issue_login(clock.now())
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(to_json(Tokens(refresh_token=given.refresh_token, client_id="x")))


def steps_of_a_renewal(tmp_path: Path) -> int:
    clock = FakeClock(NOW)
    http = ModelHttp(Kakao(seed=1), clock)
    saved_login(tmp_path / "probe" / "tokens.json", http, clock)
    disk = KillingDisk(1000)
    login_of(tmp_path / "probe" / "tokens.json", http, clock, disk).renew(None)
    return 1000 - disk.left


def test_a_rotation_outlives_a_kill_at_every_step(tmp_path: Path) -> None:
    """A login is lost only when the answer came and not one byte of it could be written."""
    lost = []
    steps = steps_of_a_renewal(tmp_path)
    assert steps > 8
    for step in range(steps):
        clock = FakeClock(NOW)
        http = ModelHttp(Kakao(seed=1), clock)
        http.faults.enqueue("rotate")
        path = tmp_path / str(step) / "tokens.json"
        saved_login(path, http, clock)
        disk = KillingDisk(step)
        with pytest.raises(Killed):
            login_of(path, http, clock, disk).renew(None)
        answered = "/oauth/token" in http.asked
        try:
            token = login_of(path, http, clock, UnsyncedDisk()).access_token()
            assert http.kakao.handle(_info(token), clock.now()).status == 200
        except LoginError:
            assert answered
            lost.append(disk.calls[-1])
    assert set(lost) <= {"seek", "write"}
    assert len(lost) <= 2


def test_a_rotation_outlives_a_second_kill_at_every_step_of_the_recovery(tmp_path: Path) -> None:
    steps = steps_of_a_renewal(tmp_path)
    for first in range(steps - 4, steps):  # the answer stands beside the file, not yet in its place
        for second in range(12):
            clock = FakeClock(NOW)
            http = ModelHttp(Kakao(seed=1), clock)
            http.faults.enqueue("rotate")
            path = tmp_path / f"{first}-{second}" / "tokens.json"
            saved_login(path, http, clock)
            for survives in (first, second):
                with contextlib.suppress(Killed):
                    login_of(path, http, clock, KillingDisk(survives)).renew(None)
            token = login_of(path, http, clock, UnsyncedDisk()).access_token()
            assert http.kakao.handle(_info(token), clock.now()).status == 200


def _info(token: str) -> WireRequest:
    headers = {"Authorization": f"Bearer {token}"}
    return WireRequest("GET", "/v1/user/access_token_info", "", headers, b"")


def test_an_answer_that_was_lost_costs_nothing_without_a_rotation(
    installation: Installation, http: ModelHttp
) -> None:
    http.faults.enqueue("cut-after@/oauth/token")
    with pytest.raises(NoTokenNowError):
        installation.login.access_token()
    assert installation.login.access_token()


def test_no_room_for_the_answer_is_found_out_before_asking(
    tmp_path: Path, http: ModelHttp, clock: FakeClock
) -> None:
    class FullDisk(UnsyncedDisk):
        def write(self, fd: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

    path = tmp_path / "data" / "tokens.json"
    saved_login(path, http, clock)
    with pytest.raises(LedgerError):
        login_of(path, http, clock, FullDisk()).renew(None)
    assert http.asked == []


def test_a_reply_without_a_new_refresh_token_keeps_the_old_one(installation: Installation) -> None:
    first = installation.login.access_token()
    before = saved(installation)
    second = installation.login.renew(first)
    assert second != first
    assert saved(installation).refresh_token == before.refresh_token


def test_a_new_token_is_on_disk_before_it_is_used(installation: Installation) -> None:
    token = installation.login.access_token()
    assert json.loads(Path(installation.places.tokens).read_text())["access_token"] == token


def test_many_that_need_a_token_ask_for_one(
    tmp_path: Path, http: ModelHttp, clock: FakeClock
) -> None:
    path = tmp_path / "data" / "tokens.json"
    saved_login(path, http, clock)
    found: list[str] = []

    def need() -> None:
        found.append(login_of(path, http, clock, RealDisk()).access_token())

    threads = [threading.Thread(target=need) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert http.asked == ["/oauth/token"]


@pytest.mark.parametrize("command", ["send x", "friends", "tick"])
def test_a_process_that_is_told_to_end_keeps_the_answer_it_waits_for(
    home: Path, clock: FakeClock, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real processes: SIGTERM comes while kauth takes its time with a rotated refresh token."""
    settings = Settings(rotation_window=timedelta(days=100))
    with SandboxServer(Kakao(settings, seed=3), clock.now) as sandbox:
        write_config(home, kakao_section(sandbox, timeout=5))
        first = sandbox.kakao.issue_login(clock.now()).refresh_token
        monkeypatch.setenv("KAKAO_REFRESH_TOKEN", first)
        sandbox.faults.enqueue("slow=1.5@/oauth/token")
        words = [sys.executable, "-m", "kakaocron", *command.split()]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not any(r.path == "/oauth/token" for r in sandbox.requests):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.terminate()
        assert process.wait(20) == 130
        tokens = from_json((home / ".local" / "share" / "kakaocron" / "tokens.json").read_bytes())
        assert tokens.refresh_token not in {None, first}
        assert run(["send", "still logged in"]) == 0


def test_a_login_that_has_died_is_told_once_not_every_minute(
    home: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    every_minute = f"[schedule]\nregular_minutes = {list(range(60))}\n"
    write_config(home, kakao_section(sandbox) + every_minute + MESSAGE)
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", sandbox.kakao.issue_login(clock.now()).refresh_token)
    sandbox.kakao.revoke_refresh_tokens()
    codes = [run(["tick"]) for _ in range(5)]
    said = capsys.readouterr()
    assert codes[0] == 3
    assert said.out == ""
    assert said.err.count("KOE322") == 1
    assert sum(request.path == "/oauth/token" for request in sandbox.requests) == 1
