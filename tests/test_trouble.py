"""Disks, ledgers, locks and logins in trouble: the exit code, the one line, and no message lost."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.installation import make_heartbeat
from kakaocron.kst import KST
from kakaocron.ledger.files import FileLedger
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.system.clock import SystemClock
from kakaocron.system.disk import locked
from kakaocron.system.syscalls import PRIVATE_FILE, RealDisk
from tests.fakes import MESSAGE, FakeClock, install, kakao_section, live_in, run_tick, texts

SAID = "보고 2026-11-23 09:30"


@dataclass(frozen=True)
class House:
    """One user's files, and his commands in this process, at the clock's time."""

    folder: Path
    sandbox: SandboxServer
    clock: FakeClock
    capsys: pytest.CaptureFixture[str]

    def kakaocron(self, *arguments: str) -> tuple[int, list[str]]:
        """Run a command; return its exit code and the lines that it wrote to stderr."""
        exit_code = run(arguments)
        return exit_code, self.capsys.readouterr().err.splitlines()

    def tick(self, clock_time: str) -> tuple[int, list[str]]:
        self.clock.set(clock_time)
        return self.kakaocron("tick")

    def data(self, folder: Path) -> None:
        os.environ["KAKAOCRON_DATA_DIR"] = str(folder)

    @property
    def ledger(self) -> Path:
        return self.folder / "data" / "ledger" / "2026-11-23.jsonl"


@pytest.fixture
def house(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> House:
    config = live_in(tmp_path, monkeypatch)
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", token)
    config.write_text(kakao_section(sandbox) + MESSAGE, "utf-8")
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    return House(tmp_path, sandbox, clock, capsys)


def test_without_a_login_a_tick_ends_with_3_and_says_so_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAKAO_REFRESH_TOKEN")
    ended = [house.tick(time) for time in ("09:30:01", "09:45:01", "10:00:01")]

    assert ended == [(3, ["Not logged in to Kakao. Run: kakaocron login"]), (3, []), (3, [])]
    assert texts(house.sandbox) == []


def test_without_a_login_a_manual_send_ends_with_3(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAKAO_REFRESH_TOKEN")

    assert house.kakaocron("send", "안녕") == (
        3,
        ["Not logged in to Kakao. Run: kakaocron login"],
    )


def test_a_login_that_came_back_is_told_of_again_when_it_goes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = os.environ["KAKAO_REFRESH_TOKEN"]
    monkeypatch.delenv("KAKAO_REFRESH_TOKEN")
    first = house.tick("09:30:01")
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", token)
    second = house.tick("09:45:01")
    (house.folder / "data" / "tokens.json").unlink()
    monkeypatch.delenv("KAKAO_REFRESH_TOKEN")
    third = house.tick("10:00:01")

    assert [first[0], second, third[0]] == [3, (0, []), 3]
    assert first[1] == third[1] != []


def test_a_lock_that_is_held_ends_with_75_and_says_so_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "kakaocron.installation.make_ledger",
        lambda places, edges: FileLedger(
            places.ledger, edges.disk, edges.clock, make_heartbeat(places, edges.disk), 0.05
        ),
    )
    house.tick("09:15:01")
    lock = f"{house.folder}/data/ledger.lock"
    with locked(RealDisk(), SystemClock(), lock, 1):
        first, second = house.tick("09:30:01"), house.tick("09:31:01")

    assert first[0] == second[0] == 75
    assert len(first[1]) == 1
    assert f"fuser -v {lock}" in first[1][0]
    assert second[1] == []
    assert house.tick("09:32:01") == (0, [])
    assert texts(house.sandbox)[-1:] == [SAID]


def fails_with(number: int, name: str) -> Callable[..., int]:
    def call(self: RealDisk, target: str | int, *rest: object) -> int:
        path = (
            target if isinstance(target, str) else str(Path(f"/proc/self/fd/{target}").readlink())
        )
        is_write = name != "open" or bool(int(str(rest[0])) & (os.O_WRONLY | os.O_RDWR))
        if "/data" in path and is_write:
            raise OSError(number, os.strerror(number))
        return int(_REAL[name](self, target, *rest) or 0)

    return call


_REAL: dict[str, Callable[..., int | None]] = {
    "open": RealDisk.open,
    "write": RealDisk.write,
    "fsync": RealDisk.fsync,
}


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("write", errno.ENOSPC, "No space left on device"),
        ("write", errno.EDQUOT, "Disk quota exceeded"),
        ("write", errno.EIO, "Input/output error"),
        ("fsync", errno.EIO, "Input/output error"),
        ("open", errno.EROFS, "Read-only file system"),
        ("open", errno.EACCES, "Permission denied"),
    ],
)
def test_a_ledger_that_cannot_be_written_ends_with_74_and_nothing_is_sent(
    name: str, number: int, said: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tick("09:15:01")
    before = house.ledger.read_bytes()
    with monkeypatch.context() as trouble:
        trouble.setattr(RealDisk, name, fails_with(number, name))
        first, second = house.tick("09:30:01"), house.tick("09:31:01")

    assert first[0] == second[0] == 74
    assert len(first[1]) == 1
    assert f"({said})" in first[1][0]
    assert "nothing is sent without it" in first[1][0]
    assert second[1] == []
    assert SAID not in texts(house.sandbox)
    assert house.ledger.read_bytes() == before

    assert house.tick("09:32:01") == (0, [])
    assert texts(house.sandbox).count(SAID) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full_ends_with_74_and_goes_on_when_there_is_room(
    house: House, small_disk: Path
) -> None:
    house.data(small_disk / "data")
    with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(b"x" * 512)
    first, second = house.tick("09:30:01"), house.tick("09:31:01")

    assert (first[0], len(first[1])) == (74, 1)
    assert "No space left on device" in first[1][0]
    assert second == (74, [])
    assert SAID not in texts(house.sandbox)

    (small_disk / "filler").unlink()
    assert house.tick("09:32:01") == (0, [])
    assert texts(house.sandbox).count(SAID) == 1


def test_a_disk_that_is_really_read_only_ends_with_74(house: House, small_disk: Path) -> None:
    house.data(small_disk / "data")
    assert house.tick("09:15:01") == (0, [])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    first, second = house.tick("09:30:01"), house.tick("09:31:01")
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)

    assert (first[0], len(first[1])) == (74, 1)
    assert "Read-only file system" in first[1][0]
    assert second == (74, [])
    assert SAID not in texts(house.sandbox)


@pytest.mark.parametrize("kind", ["a flipped bit", "a line of garbage", "cut to nothing"])
def test_a_damaged_ledger_is_told_once_kept_and_not_sent_from_again(
    kind: str, house: House
) -> None:
    house.tick("09:15:01")
    house.tick("09:30:01")
    content = bytearray(house.ledger.read_bytes())
    if kind == "a flipped bit":
        content[len(content) // 2] ^= 4
    elif kind == "a line of garbage":
        content[0:0] = b"garbage\n"
    else:
        content.clear()
    house.ledger.write_bytes(content)
    sent = len(texts(house.sandbox))

    first, second = house.tick("09:31:01"), house.tick("09:32:01")
    assert any("is damaged" in line and "a copy is kept" in line for line in first[1])
    assert not any("is damaged" in line for line in second[1])
    assert len(texts(house.sandbox)) == sent
    (kept,) = (house.folder / "data" / "ledger" / "damaged").iterdir()
    assert kept.read_bytes() == bytes(content)

    later = house.tick("09:45:01")
    assert later[0] == 0
    assert texts(house.sandbox)[-1] == "보고 2026-11-23 09:45"


def test_verify_names_the_file_and_line_of_damage_and_changes_nothing(house: House) -> None:
    house.tick("09:30:01")
    assert run(["ledger", "verify"]) == 0
    house.ledger.write_bytes(b"garbage\n" + house.ledger.read_bytes())
    before = house.ledger.read_bytes()
    house.capsys.readouterr()

    assert run(["ledger", "verify"]) == 1
    assert f"{house.ledger}: line 1 is damaged" in house.capsys.readouterr().out
    assert house.ledger.read_bytes() == before


def test_a_torn_last_line_costs_nothing(house: House) -> None:
    house.tick("09:15:01")
    with house.ledger.open("ab") as file:
        file.write(b'{"v":1,"at":"2026-11-23T09:3')

    assert run(["ledger", "verify"]) == 0
    assert "never finished" in house.capsys.readouterr().out
    assert house.tick("09:30:01") == (0, [])
    assert texts(house.sandbox)[-1] == SAID
    assert run(["ledger", "verify"]) == 0


def test_a_ledger_of_a_later_version_ends_with_74_and_is_left_alone(house: House) -> None:
    from zlib import crc32  # noqa: PLC0415 - for one line

    body = b'{"v":2,"at":"2026-11-23T09:00:00+09:00","event":"dream","id":"x"'
    line = b'%b,"crc":"%08x"}\n' % (body, crc32(body + b"}"))
    house.ledger.parent.mkdir(parents=True)
    house.ledger.write_bytes(line)
    ended = house.tick("09:30:01")

    assert (ended[0], len(ended[1])) == (74, 1)
    assert "pip install --upgrade" in ended[1][0]
    assert house.ledger.read_bytes() == line
    assert texts(house.sandbox) == []


def test_a_bug_ends_with_70_in_one_line_and_its_story_is_in_the_log_without_secrets(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = os.environ["KAKAO_REFRESH_TOKEN"]

    def broken(*_: object) -> None:
        local = secret
        raise RuntimeError("as if " + str(len(local)))

    with monkeypatch.context() as trouble:
        trouble.setattr("kakaocron.ticking.runner.run_tick", broken)
        ended, again = house.tick("09:30:01"), house.tick("09:31:01")
    sound = house.tick("09:32:01")
    monkeypatch.setattr("kakaocron.ticking.runner.run_tick", broken)

    assert (ended[0], len(ended[1])) == (70, 1)
    assert "RuntimeError" in ended[1][0]
    assert (again, sound) == ((70, []), (0, []))
    assert house.tick("09:45:01") == ended
    log = (house.folder / "log" / "kakaocron.log").read_text("utf-8")
    assert log.count("Traceback") == 3
    assert secret not in log + ended[1][0]


def test_a_full_ledger_is_told_by_doctor_without_sending_to_doctor(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house.tick("09:15:01")
    with monkeypatch.context() as trouble:
        trouble.setattr(RealDisk, "fsync", fails_with(28, "fsync"))
        house.tick("09:30:01")
    run(["doctor"])

    said = capsys.readouterr().out
    assert "failed: the ledger cannot be written or read" in said
    assert "kakaocron doctor" not in said


def test_no_secret_is_in_any_file_but_the_tokens_and_those_are_private(house: House) -> None:
    house.sandbox.faults.enqueue("-401", "cut-before")
    for time in ("09:15:01", "09:30:01", "09:45:01"):
        house.tick(time)
    tokens = house.folder / "data" / "tokens.json"
    secrets = [os.environ["KAKAO_REFRESH_TOKEN"], house.sandbox.kakao.settings.client_secret or ""]

    assert tokens.stat().st_mode & 0o777 == 0o600
    for path in house.folder.rglob("*"):
        if path.is_file() and path not in {tokens, house.folder / "config.toml"}:
            content = path.read_text("utf-8", "replace")
            assert not any(secret in content for secret in secrets), path
            assert path.stat().st_mode & 0o077 == 0 or "home" in path.parts, path


def test_the_clock_of_the_machine_is_not_asked_for_the_day() -> None:
    """The zone of the host plays no part: the clock is Korea's."""
    assert SystemClock().now().utcoffset() == timedelta(hours=9)
    assert abs(SystemClock().now() - datetime.now(KST)) < timedelta(seconds=5)


def test_a_file_in_place_of_the_data_folder_is_the_ledgers_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[kakao]\nrest_api_key = "key"\n')
    (tmp_path / "data").write_text("a file")
    monkeypatch.setenv("KAKAOCRON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KAKAOCRON_LOG_DIR", str(tmp_path / "log"))

    assert run(["tick", "--config", str(config)]) == 74
    assert "kakaocron doctor" in capsys.readouterr().err


class ReluctantDisk(RealDisk):
    """Does not give the saved login away, for as long as it is told so."""

    is_reluctant = True

    def open(self, path: str, flags: int, mode: int = PRIVATE_FILE) -> int:
        if self.is_reluctant and path.endswith("tokens.json"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().open(path, flags, mode)


def test_a_login_that_the_disk_does_not_give_away_is_told_and_the_slot_tried_again(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    run_tick(install(tmp_path, sandbox, clock))
    disk = ReluctantDisk()
    clock.set("09:45:01")
    report = run_tick(install(tmp_path, sandbox, clock, disk=disk))
    found = report.ended["report@20261123T0945"]
    disk.is_reluctant = False
    clock.set("09:46:01")
    later = run_tick(install(tmp_path, sandbox, clock, disk=disk))

    assert (found.state, found.reason) == (State.RETRYING, Reason.NOT_LOGGED_IN)
    assert "Cannot read the saved login" in str(report.down["kakaotalk"])
    assert later.ended[found.id].state is State.CONFIRMED
    assert texts(sandbox)[-1] == "보고 2026-11-23 09:45"
