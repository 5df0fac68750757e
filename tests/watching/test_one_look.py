"""The logins beside what is on record: each read once a look, and by whoever sends once more."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.installation import DEFAULT_ACCOUNT, Installation
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.syscalls import RealDisk
from kakaocron.ticking.idle_plan import leave_plan, may_leave_at_once
from kakaocron.watching.overview import health_of, look
from tests.fakes import FakeClock, ended_tick, install, run_tick, texts
from tests.kakao.test_accounts import SECOND, TO, log_in

TOLD = '[monitor]\nalert_command = ["true"]\n' + TO


class CountingDisk(RealDisk):
    """Counts how often each file of tokens is read."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        if path.endswith(".json") and "tokens" in path:
            self.reads[path] += 1
        return super().open(path, flags, mode)


class ChangingDisk(RealDisk):
    """A disk on which a file changes as it is read: before it is opened, or after that."""

    def __init__(self, path: str, change: Callable[[], object], turn: str) -> None:
        self.path, self.change, self.turn = path, change, turn
        self.has_changed = False

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        is_it = path == self.path
        if is_it and self.turn == "before":
            self._change()
        fd = super().open(path, flags, mode)
        if is_it and self.turn == "after":
            self._change()
        return fd

    def _change(self) -> None:
        self.change()
        self.has_changed = True


class ScarceDisk(RealDisk):
    """A disk whose process has no descriptor left when it comes to the tokens."""

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        if path.endswith("tokens.json"):
            raise OSError(errno.EMFILE, "Too many open files", path)
        return super().open(path, flags, mode)


def installed(
    folder: Path, sandbox: SandboxServer, clock: FakeClock, disk: RealDisk | None = None
) -> Installation:
    """Return an installation with two accounts, whose last tick has sent and renewed."""
    here = install(folder, sandbox, clock, TOLD)
    log_in(here.logins[SECOND], sandbox)
    run_tick(here)
    clock.set("09:32:01")
    return install(folder, sandbox, clock, TOLD, disk=disk)


def test_status_reads_each_login_once(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    disk = CountingDisk()
    here = installed(tmp_path, sandbox, clock, disk)
    look(here)
    assert disk.reads == {login.path: 1 for login in here.logins.values()}


def test_a_full_tick_reads_each_login_once_for_each_look(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    disk = CountingDisk()
    here = installed(tmp_path, sandbox, clock)
    assert ended_tick(here, disk=disk).exit_code == 0
    # To renew it, for the alarms, and, when those are told, for the plan.
    assert disk.reads == {login.path: 3 for login in here.logins.values()}


def test_what_is_sent_goes_by_the_login_as_it_is_then_not_as_a_look_found_it(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = installed(tmp_path, sandbox, clock)
    seen = here.with_logins(here.snapshot())
    for account, login in here.logins.items():
        found = seen.logins[account]
        assert found == login.read()
        token = login.renew(login.access_token())
        assert install(tmp_path, sandbox, clock, TOLD).logins[account].access_token() == token
        assert seen.logins[account] == found != login.read()
    clock.set("09:45:01")
    before = len(texts(sandbox))
    assert run_tick(here).exit_code == 0
    assert len(texts(sandbox)) == before + 2


@pytest.mark.parametrize("turn", ["before", "after"])
def test_a_login_that_changes_as_the_plan_reads_it_wakes_the_ticks(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, turn: str
) -> None:
    """Its token is to be renewed sooner than it was."""
    here = installed(tmp_path, sandbox, clock)
    report = run_tick(here)
    (here.places.log / "idle").unlink()
    login = here.logins[SECOND]
    sooner = replace(login.read(), access_expires_at=clock.now() + timedelta(minutes=61))
    disk = ChangingDisk(login.path, lambda: login.write(sooner), turn)
    leave_plan(install(tmp_path, sandbox, clock, TOLD, disk=disk), report)
    assert disk.has_changed
    clock.set("09:34:01")
    assert not may_leave_at_once(here.places, here.edges)


def test_a_login_that_cannot_be_read_for_the_moment_is_no_bug_and_no_alarm(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told"
    config = TOLD.replace('["true"]', f'["sh", "-c", "cat >>{told}"]')
    here = installed(tmp_path, sandbox, clock)
    here = install(tmp_path, sandbox, clock, config, disk=ScarceDisk())
    ended = ended_tick(here, disk=ScarceDisk())
    assert (ended.exit_code, ended.error) == (0, None)
    assert capsys.readouterr().err == ""
    assert not told.exists()
    assert not may_leave_at_once(here.places, here.edges)

    found = look(here)
    problem = found.logins[DEFAULT_ACCOUNT].problem or ""
    assert "Too many open files" in problem
    assert health_of(found, here.config.monitor).problems == (problem,)
