"""Daemons that overlook a change of the crontab, and how writing it again is seen by them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from kakaocron.commands.cron import AGAIN_SECONDS
from kakaocron.host.crontab import CrontabError, install, uninstall, write_again
from tests.fakes import NOW, FakeClock
from tests.host.test_crontab import JOB, FakeCrontab

SECOND = timedelta(seconds=1)


class DebiansCron(FakeCrontab):
    """Compares, each minute, the spool's time with that of the change that it read, in whole
    seconds."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(None)
        self.clock = clock
        self.spool = self.read_at = NOW - 60 * SECOND
        self.runs: bytes | None = None

    def _change(self, content: bytes | None) -> None:
        super()._change(content)
        self.spool = self.clock.now().replace(microsecond=0)

    def wake(self) -> None:
        if self.spool != self.read_at:
            self.read_at, self.runs = self.spool, self.content


class SystemdCron(FakeCrontab):
    """A change starts a unit that reads and then sleeps a second; what changes meanwhile starts
    nothing."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(None)
        self.clock = clock
        self.busy_until = NOW - 60 * SECOND
        self.runs: bytes | None = None

    def _change(self, content: bytes | None) -> None:
        super()._change(content)
        if self.clock.now() >= self.busy_until:
            self.runs, self.busy_until = self.content, self.clock.now() + 1.2 * SECOND

    def wake(self) -> None:
        """Nothing but a change does."""


Daemon = DebiansCron | SystemdCron
KINDS = [DebiansCron, SystemdCron]


def at_the_wrong_instant(daemon: Daemon) -> None:
    """Let somebody change a crontab, and the daemon read it, in the second in which we come."""
    daemon.write(daemon.content or b"")
    daemon.wake()
    daemon.clock.at += 0.3 * SECOND


def later(daemon: Daemon) -> bytes:
    """Return what the daemon runs after another minute."""
    daemon.clock.at += 60 * SECOND
    daemon.wake()
    return daemon.runs or b""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lines", [b"", b"0 4 * * * true\n"])
def test_what_was_overlooked_is_seen_when_it_is_written_again(
    kind: Callable[[FakeClock], Daemon], lines: bytes, tmp_path: Path
) -> None:
    for is_written_again in (False, True):
        daemon = kind(FakeClock(NOW.replace(second=0)))
        daemon.content = lines or None
        for change, runs_then in ((install, True), (uninstall, False)):
            at_the_wrong_instant(daemon)
            assert change(daemon, JOB, tmp_path / "backup")
            if is_written_again:
                daemon.clock.sleep(AGAIN_SECONDS)
                write_again(daemon, tmp_path / "backup", daemon.content or b"")
            runs = JOB.line in later(daemon)
            assert runs is (runs_then if is_written_again else not runs_then)
            if not is_written_again:  # as the next change does
                daemon.clock.sleep(AGAIN_SECONDS)
                write_again(daemon, tmp_path / "backup", daemon.content or b"")
                assert (JOB.line in later(daemon)) is runs_then
        assert daemon.content == (lines or None)


@pytest.mark.parametrize("listed", [None, b"", b"0 4 * * * true\n", b"0 5 * * * other\n"])
def test_what_is_not_what_was_written_is_not_written_again(
    listed: bytes | None, tmp_path: Path
) -> None:
    """Somebody has changed it since, or the program lists less than there is."""
    crontab = FakeCrontab(b"0 4 * * * true\n")
    install(crontab, JOB, tmp_path / "backup")
    written, crontab.content = crontab.content or b"", listed
    write_again(crontab, tmp_path / "backup", written)
    assert crontab.writes == [written]


def test_a_second_write_that_fails_names_a_backup_that_is_there(tmp_path: Path) -> None:
    crontab = FakeCrontab(b"0 4 * * * true\n", takes=0)
    with pytest.raises(CrontabError, match="nothing was changed"):
        write_again(crontab, tmp_path / "backup", crontab.content or b"")
    lost = FakeCrontab(b"0 4 * * * true\n", lists=1)
    with pytest.raises(CrontabError, match="cannot be read again") as raised:
        write_again(lost, tmp_path / "backup", lost.content or b"")
    assert str(tmp_path / "backup") in str(raised.value)
    assert (tmp_path / "backup").read_bytes() == b"0 4 * * * true\n"
