"""What a process has read of a day's file it does not read again, whatever others do to it."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

from kakaocron.delivery.policy import settle_slot
from kakaocron.ledger.day_file import parse_day
from kakaocron.ledger.events import Event, to_line
from kakaocron.ledger.files import FileLedger
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.schedule.slots import Slot
from kakaocron.states import Reason, State
from kakaocron.system.syscalls import RealDisk
from tests.fakes import NOW, FakeClock

DAY = NOW.date()


def _event(minute: int) -> Event:
    slot = NOW.replace(minute=minute, second=0)
    at = NOW + timedelta(seconds=minute)
    return settle_slot(Slot("report", slot, "peak"), ["me"], at, State.MISSED, Reason.NO_TICK)


def ledger_in(folder: Path, disk: RealDisk) -> FileLedger:
    beats = Heartbeat(f"{folder}.ticks", disk, f"{folder}.spare")
    return FileLedger(str(folder), disk, FakeClock(NOW), beats)


def test_reading_again_gives_what_reading_afresh_gives(tmp_path: Path) -> None:
    chance = random.Random(7)
    ledger = ledger_in(tmp_path, RealDisk())
    path = Path(ledger.path(DAY))
    path.touch()
    for _ in range(300):
        content = path.read_bytes()
        line = to_line(_event(chance.randrange(60)))
        changed = chance.choice(
            [
                content + line,
                content + line + line[: chance.randrange(len(line))],
                content + line[:-1],
                content + b"garbage\n",
                content.rpartition(b"\n")[0] + b"\n" + line,
                content[: chance.randrange(len(content) + 1)],
                content[: len(content) // 2] + line,
            ]
        )
        path.write_bytes(changed)
        assert ledger.read_day(DAY) == parse_day(DAY, changed)


class Counting(RealDisk):
    def __init__(self) -> None:
        self.bytes_read = self.fsyncs = 0

    def read(self, fd: int, count: int) -> bytes:
        found = super().read(fd, count)
        self.bytes_read += len(found)
        return found

    def fsync(self, fd: int) -> None:
        self.fsyncs += 1
        super().fsync(fd)


def test_a_turn_reads_and_syncs_only_what_is_new(tmp_path: Path) -> None:
    disk = Counting()
    ledger = ledger_in(tmp_path / "ledger", disk)
    with ledger.open() as book:
        book.read([DAY])
        book.record([_event(minute) for minute in range(60)])
    with ledger.open() as book:
        book.read([DAY])
    line = len(to_line(_event(1)))
    disk.bytes_read = disk.fsyncs = 0
    with ledger.open() as book:
        assert len(book.read([DAY]).deliveries) == 60
        book.record([_event(1)])
    assert disk.fsyncs == 1
    assert disk.bytes_read < 3 * line
