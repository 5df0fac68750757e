"""What a process has read of a day's file it does not read again, whatever others do to it."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from zlib import crc32

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


def test_a_view_grows_by_what_is_new_and_begins_anew_where_the_past_has_changed(
    tmp_path: Path,
) -> None:
    """Lines come from this process, and from others; now and then one spoils or replaces a file."""
    chance = random.Random(11)
    ledger, other = (ledger_in(tmp_path / "ledger", RealDisk()) for _ in range(2))
    path = Path(ledger.path(DAY))
    view, grown = None, 0
    for _ in range(300):
        match chance.randrange(8):
            case 0 | 1 | 2:
                with other.open() as book:
                    book.record([_event(chance.randrange(60)) for _ in range(3)])
            case 3 if path.exists():
                path.write_bytes(path.read_bytes()[:-1])
            case 4 if path.exists() and not chance.randrange(4):
                path.write_bytes(path.read_bytes().replace(b"report", b"reporr", 1))
            case 5 if path.exists() and not chance.randrange(4):
                beside = path.with_suffix(".old")
                beside.write_bytes(path.read_bytes().partition(b"\n")[2])
                beside.replace(path)
        with ledger.open() as book:
            known = view.deliveries if view else None
            view = book.read([DAY], view)
            if chance.randrange(2):
                book.record([_event(chance.randrange(60))])
                view = book.read([DAY], view)
            grown += view.deliveries is known
        # Only a byte changed in the middle, and nothing else, may go unseen.
        afresh = ledger.read([DAY])
        assert (view.deliveries, view.lines) == (afresh.deliveries, afresh.lines)
        assert view.ends == afresh.ends
        assert all(view.deliveries[id_] is one for id_, one in view.news.items())
    assert grown > 100


def test_what_a_claim_wrote_is_ours_until_a_line_says_otherwise(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path / "ledger", RealDisk())
    with ledger.open() as book:
        receipt = book.record([_event(9)])[_event(9).id]
        assert ledger.still_ours(receipt)
        book.record([_event(minute) for minute in range(8)])
        assert ledger.still_ours(receipt)
    path = Path(ledger.path(DAY))
    content = path.read_bytes()
    mine = to_line(_event(9))
    escaped = mine.replace(b"report@", b"\\u0072eport@")
    sealed = escaped[:-19] + b',"crc":"%08x"}\n' % crc32(escaped[:-19] + b"}")
    for later, is_ours in (
        (to_line(_event(8)), True),
        (to_line(_event(8))[:-1], True),
        (b"garbage\n", True),
        (mine, False),
        (mine[:-1], False),
        (sealed, False),
        (to_line(_event(8)).replace(b'"v":1', b'"v":2'), True),  # damage: its checksum is wrong
    ):
        path.write_bytes(content + later)
        assert ledger.still_ours(receipt) is is_ours, later
    path.write_bytes(content.replace(mine, b""))
    assert not ledger.still_ours(receipt)


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
