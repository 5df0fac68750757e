"""What a tick could not write is named, with its owner or mode and what to do: as a plain user, as
root may write everywhere."""

from __future__ import annotations

import os
import posix
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.doctor.files import files
from kakaocron.doctor.finding import Bench, Status
from kakaocron.host.crontab import Job
from kakaocron.host.probe import Machine
from kakaocron.installation import Installation
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.access import NO_ROOM_BYTES, barriers, no_room
from kakaocron.system.syscalls import RealDisk
from kakaocron.watching.overview import health_of, look
from tests.fakes import FakeClock, day_file, install, run_tick
from tests.host.test_crontab import FakeCrontab

NOBODY = 65534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="kakaocron-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_plain_user(task: Callable[[], object]) -> None:
    """Run a task in a process that is not root's; an assertion that fails there fails here."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            task()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            # Not by os._exit: coverage would write down here what it has counted in all tests.
            posix._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


@pytest.fixture
def plain(open_folder: Path, sandbox: SandboxServer, clock: FakeClock) -> Installation:
    """An installation of a plain user's that has ticked."""
    installation = install(open_folder / "home", sandbox, clock)
    run_tick(installation)
    give_away(open_folder / "home")
    return installation


def bench_of(installation: Installation) -> Bench:
    job = Job(("/opt/kakaocron",), installation.places.config)
    now = installation.clock.now()
    return Bench(installation.places, Machine(), FakeCrontab(None), job, now, installation)


@pytest.mark.parametrize(
    ("name", "mode", "stops"),
    [
        ("ledger", 0o500, True),
        ("ledger", 0o600, True),
        ("ledger.lock", 0o400, True),
        ("day", 0o400, True),
        ("data", 0o500, True),
        ("tokens.json.lock", 0o400, False),
        ("ticks", 0o500, False),
        ("beats", 0o400, False),
        ("log", 0o500, False),
    ],
)
def test_what_a_mode_forbids_is_named_by_doctor_and_by_health_if_it_stops_the_sending(
    plain: Installation, name: str, mode: int, stops: bool
) -> None:
    places = plain.places
    path = {
        "ledger.lock": Path(f"{places.ledger}.lock"),
        "tokens.json.lock": Path(f"{places.tokens}.lock"),
        "day": day_file(plain),
        "ticks": Path(places.heartbeat),
        "beats": Path(places.heartbeat) / f"{plain.clock.now().date()}",
    }.get(name) or Path(getattr(places, name))
    if not path.exists():
        path.touch()
        give_away(path)

    usual = path.stat().st_mode

    def looked() -> None:
        before = health_of(look(plain), plain.config.monitor).problems
        assert [one for one in files(bench_of(plain)) if one.status is Status.FAIL] == []
        path.chmod(mode)
        failed = [one for one in files(bench_of(plain)) if one.status is Status.FAIL]
        (said, fix) = next((one.what, one.mend) for one in failed)
        assert f"'{path}' cannot be written: its mode {mode:04o} forbids it" in said
        assert fix == f"Allow it: chmod u+{'rwx' if path.is_dir() else 'rw'} {path}"
        if mode & 0o100 == 0 and path.is_dir():
            return  # cannot be read either, which health says
        after = health_of(look(plain), plain.config.monitor).problems
        news = [one for one in after if one not in before]
        assert news == ([f"{said}. {fix}"] if stops else [])

    try:
        as_plain_user(looked)
    finally:
        path.chmod(usual)  # a plain user could not take the folder away else


def test_what_belongs_to_another_user_is_to_be_given_back(
    open_folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    if os.geteuid() != 0:
        pytest.skip("files are given away as root")
    folder = open_folder / "others"
    folder.mkdir(0o755)

    def looked() -> None:
        (one,) = barriers(RealDisk(), [str(folder), f"{folder}/data"])
        assert one.what == f"'{folder}' cannot be written: it is root's, mode 0755"
        assert one.mend == f"Give it to this user: sudo chown -R $(id -un) {folder}"
        wanted = f"{folder}/not/yet/there"  # nobody is to take what is above it
        said = f"'{wanted}' is not there, and {one.what}"
        for found in (*barriers(RealDisk(), [wanted]), Machine().barrier(wanted)):
            assert found.what == said
            assert found.mend == f"Make it: sudo install -d -m 700 -o $(id -un) {wanted}"

    as_plain_user(looked)

    def barred() -> None:
        wanted = f"{folder}/it/may/be/there"
        (found,) = {*barriers(RealDisk(), [wanted]), Machine().barrier(wanted)}
        assert found.what == f"'{wanted}' cannot be reached: '{folder}' is root's, mode 0700"
        assert found.mend == f"If it is yours: sudo chown -R $(id -un) {folder}"

    folder.chmod(0o700)
    as_plain_user(barred)


def test_a_home_that_is_read_only_is_named_and_no_folder_that_is_not_there(
    open_folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    home = open_folder / "home"
    home.mkdir(0o500)
    give_away(home)
    here = install(open_folder / "other", sandbox, clock)
    places = replace(here.places, data=home / "share/kakaocron", log=home / "state/log")
    bench = replace(bench_of(here), places=places)

    def looked() -> None:
        failed = [one for one in files(bench) if one.status is Status.FAIL]
        assert {one.name for one in failed} == {"data-folder", "log-folder", "writable"}
        for one in failed:
            assert f"'{home}' cannot be written: its mode 0500 forbids it" in one.what
            assert one.mend == f"Allow it: chmod u+rwx {home}"

    as_plain_user(looked)


class Barred(RealDisk):
    """A disk that takes nothing, for a reason that no mode tells; or one that is full."""

    def __init__(self, left: int = 1 << 40, *, is_read_only: bool = False) -> None:
        self.left, self.is_read_only = left, is_read_only

    def may_write(self, path: str) -> bool:
        return not self.is_read_only

    def free(self, path: str) -> int:
        return self.left


def test_a_file_system_that_is_read_only_is_asked_for(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    run_tick(install(tmp_path, sandbox, clock))
    here = install(tmp_path, sandbox, clock, disk=Barred(is_read_only=True))
    problems = "\n".join(health_of(look(here), here.config.monitor).problems)
    assert f"'{here.places.ledger}' cannot be written, though its mode 0700 allows it" in problems
    assert f"findmnt -T {here.places.ledger}" in problems


@pytest.mark.parametrize(
    ("left", "is_full"), [(NO_ROOM_BYTES - 1, True), (NO_ROOM_BYTES, False), (0, True)]
)
def test_a_disk_that_is_full_makes_health_ill(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, left: int, is_full: bool
) -> None:
    run_tick(install(tmp_path, sandbox, clock))
    here = install(tmp_path, sandbox, clock, disk=Barred(left))
    problems = health_of(look(here), here.config.monitor).problems
    assert any("is full" in one for one in problems) is is_full
    assert (no_room(Barred(left), str(tmp_path / "not/there")) is not None) is is_full


def test_what_a_tick_does_not_write_into_may_be_put_away(plain: Installation) -> None:
    names = ("ledger/2026-11-20.jsonl", "ledger/damaged/2026-11-21-x.jsonl", "pauses.json")
    for name in names:
        path = plain.places.data / name
        path.parent.mkdir(exist_ok=True)
        path.touch(0o400)
    give_away(plain.places.data)

    def looked() -> None:
        bench = replace(bench_of(plain))
        assert [one for one in files(bench) if one.status is Status.FAIL] == []

    as_plain_user(looked)
