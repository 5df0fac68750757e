"""What is kept in a folder that everybody may write to: no link in it leads us astray."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.kst import KST
from kakaocron.ledger.beats import Word
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.system.disk import RealDisk
from kakaocron.system.memory import Memory
from kakaocron.system.syscalls import Stat

PRECIOUS = b'{"mine": 1}'
NOW = datetime(2026, 11, 23, 0, 30, tzinfo=UTC).astimezone(KST)
DAY = NOW.date()


class Full(RealDisk):
    """Takes nothing but what goes to the spare folder, or to where that leads."""

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        if "/everybodys/" not in path and "/home/" not in path:
            raise OSError(28, "No space left on device", path)
        return super().open(path, flags, mode)


class Owned(Full):
    """Says that all is another user's."""

    def fstat(self, fd: int) -> Stat:
        found = super().fstat(fd)
        found.is_ours = False
        return found


def mine(tmp_path: Path) -> Path:
    """Make a folder of the user's own, with files of the names that we write."""
    folder = tmp_path / "home" / "precious"
    folder.mkdir(parents=True, mode=0o700)
    for name in ("a.json", "a.json.new", str(DAY)):
        (folder / name).write_bytes(PRECIOUS)
    return folder


def a_link(spare: Path, precious: Path) -> None:
    spare.symlink_to(precious)


def a_link_by_a_folder(spare: Path, precious: Path) -> None:
    (spare.parent / "more").symlink_to(precious.parent)
    spare.symlink_to(spare.parent / "more" / precious.name)


def links_below(spare: Path, precious: Path) -> None:
    spare.mkdir(mode=0o700)
    for one in precious.iterdir():
        (spare / one.name).symlink_to(one)


def a_file(spare: Path, precious: Path) -> None:
    spare.write_bytes(PRECIOUS)


def a_dangling_link(spare: Path, precious: Path) -> None:
    spare.symlink_to(precious / "not-yet")


def open_to_all(spare: Path, precious: Path) -> None:
    spare.mkdir()
    spare.chmod(0o777)
    (spare / "a.json").write_bytes(PRECIOUS)
    (spare / str(DAY)).write_bytes(PRECIOUS)


def open_to_a_group(spare: Path, precious: Path) -> None:
    open_to_all(spare, precious)
    spare.chmod(0o720)


HARM: list[Callable[[Path, Path], None]] = [
    a_link,
    a_link_by_a_folder,
    links_below,
    a_file,
    a_dangling_link,
    open_to_all,
    open_to_a_group,
]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("harm", HARM)
def test_what_others_have_put_where_everybody_may_write_is_neither_read_nor_written(
    tmp_path: Path, harm: Callable[[Path, Path], None]
) -> None:
    precious, everybodys = mine(tmp_path), tmp_path / "everybodys"
    everybodys.mkdir()
    spare = everybodys / "kakaocron-1000-0"
    harm(spare, precious)
    before = everything(tmp_path)

    memory = Memory(str(tmp_path / "full" / "a.json"), f"{spare}/a.json", Full())
    memory.write({"told": 2})
    assert memory.read() == {}
    beats = Heartbeat(str(tmp_path / "full" / "ticks"), Full(), str(spare))
    beats.beat(NOW, Word.DONE, 0)
    assert beats.read(DAY) == []
    beats.prune(DAY + timedelta(days=200), 1)

    assert everything(tmp_path) == before


def test_a_pruned_day_takes_no_file_away_behind_a_link(tmp_path: Path) -> None:
    precious = mine(tmp_path)
    (tmp_path / "everybodys").mkdir()
    spare = tmp_path / "everybodys" / "kakaocron"
    spare.symlink_to(precious)
    ticks = tmp_path / "home" / "ticks"
    beats = Heartbeat(str(ticks), RealDisk(), str(spare))
    beats.beat(NOW, Word.DONE, 0)
    beats.beat(NOW + timedelta(days=300), Word.DONE, 0)

    beats.prune(DAY + timedelta(days=300), 1)

    assert not (ticks / str(DAY)).exists()
    assert (precious / str(DAY)).read_bytes() == PRECIOUS


@pytest.mark.parametrize(("disk", "is_kept"), [(Full(), True), (Owned(), False)])
def test_a_folder_of_our_own_is_used(tmp_path: Path, disk: Full, is_kept: bool) -> None:
    (tmp_path / "everybodys").mkdir(mode=0o777)
    memory = Memory(str(tmp_path / "full" / "a"), str(tmp_path / "everybodys" / "own" / "a"), disk)
    memory.write({"told": 2})
    assert memory.read() == ({"told": 2} if is_kept else {})
