"""The power fails at any instant of what kakaocron does: whatever is left, it goes on from there.

This is a sample; all of it: python -m tests.proofs.powerloss.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date, datetime

import pytest

from kakaocron.delivery import snapshot
from kakaocron.ledger import files
from kakaocron.ledger.beats import End
from kakaocron.rehearsal.simulation.files import FileSystem
from kakaocron.schedule import timetables
from kakaocron.schedule.pauses import Pause
from kakaocron.system import disk
from tests.proofs import solo
from tests.proofs.crashes import after_power_cut
from tests.proofs.powerloss import cut_everywhere
from tests.proofs.workloads import WORKLOADS, Workload

pytestmark = pytest.mark.usefixtures("uncounted")

Patch = pytest.MonkeyPatch
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def contents(files: FileSystem, path: str) -> set[bytes | None]:
    return {left.files.content(path) for left in after_power_cut(files, set())}


def appended(files: FileSystem, path: str, *writes: bytes) -> int:
    fd = files.open(path, APPEND)
    for data in writes:
        files.write(fd, data)
    return fd


def test_an_append_may_be_there_in_part_or_hollow() -> None:
    files = FileSystem()
    files.put("/log", b"old")
    appended(files, "/log", b"ab")
    assert contents(files, "/log") == {
        b"old", b"olda", b"oldab", b"olda\0", b"old\0\0", b"old\0b",
    }  # fmt: skip


def test_a_later_append_may_be_there_without_the_one_before() -> None:
    files = FileSystem()
    files.put("/log", b"")
    appended(files, "/log", b"a", b"b")
    assert {b"", b"a", b"ab", b"\0b"} <= contents(files, "/log")


def test_what_is_fsynced_stays_and_its_name_only_with_its_folder() -> None:
    files = FileSystem()
    files.put("/folder/other", b"")
    fd = appended(files, "/folder/log", b"a")
    files.fsync(fd)
    assert contents(files, "/folder/log") == {None, b"a"}
    files.fsync(files.open("/folder", os.O_RDONLY | os.O_DIRECTORY))
    assert contents(files, "/folder/log") == {b"a"}


def test_a_rename_may_come_before_the_data() -> None:
    files = FileSystem()
    files.put("/config", b"old")
    appended(files, "/config.new", b"x")
    files.replace("/config.new", "/config")
    assert contents(files, "/config") == {b"old", b"", b"x", b"\0"}


def test_two_files_are_kept_or_lost_each_by_itself() -> None:
    files = FileSystem()
    files.put("/a", b"")
    files.put("/b", b"")
    appended(files, "/a", b"1")
    appended(files, "/b", b"2")
    found = {
        (left.files.content("/a"), left.files.content("/b"))
        for left in after_power_cut(files, set())
    }
    assert {(b"", b""), (b"1", b""), (b"", b"2"), (b"1", b"2")} <= found


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_it_recovers_from_whatever_a_power_cut_leaves(workload: Workload) -> None:
    count = cut_everywhere(workload, every=101, one_in=23)
    assert count.breaches == []
    assert count.recovered == count.states > 1


def append_not_synced(patch: Patch) -> None:
    append = disk.append_lines

    def hasty(there: disk.Disk, *rest: object, **options: object) -> int:
        patch.setattr(solo._Disk, "fsync", lambda *_: None)
        try:
            return append(there, *rest, **options)  # type: ignore[arg-type]
        finally:
            patch.setattr(solo._Disk, "fsync", SYNC)

    patch.setattr(files, "append_lines", hasty)


SYNC = solo._Disk.fsync


def names_not_synced(patch: Patch) -> None:
    patch.setattr(disk, "sync_ancestors", lambda *_: None)


def only_the_folder_synced(patch: Patch) -> None:
    """Sync a new file's folder, and not the folder's own name: so it was once."""
    patch.setattr(
        disk,
        "sync_ancestors",
        lambda there, path: disk.sync_folder(there, path.rpartition("/")[0]),
    )


def no_sync(patch: Patch) -> None:
    patch.setattr(solo._Disk, "fsync", lambda *_: None)


def size_taken_before_the_sync(patch: Patch) -> None:
    """Note in the heartbeat what the ledger would have if nothing were lost."""
    known = files.FileLedger.synced_end

    def hopeful(ledger: files.FileLedger, day: date) -> End:
        end = known(ledger, day)
        return End(end.size + 10, end.mark)

    patch.setattr(files.FileLedger, "synced_end", hopeful)


def pauses_without_an_end(patch: Patch) -> None:
    """Skip without a word what comes after a pause, as if it were paused still."""

    def is_paused(pauses: Sequence[Pause], message: str, at: datetime) -> bool:
        return any(pause.start <= at for pause in pauses)

    patch.setattr(snapshot, "is_paused", is_paused)


def no_pauses(patch: Patch) -> None:
    patch.setattr(snapshot, "is_paused", lambda *_: False)


def former_times_forgotten(patch: Patch) -> None:
    patch.setattr(timetables, "_lately", lambda *_: None)


MUTANTS: dict[Callable[[Patch], None], str] = {
    append_not_synced: "a tick that sends one message",
    names_not_synced: "the first tick ever",
    only_the_folder_synced: "init",
    no_sync: "a new refresh token in an idle minute",
    size_taken_before_the_sync: "a tick that sends one message",
    pauses_without_an_end: "the end of a pause",
    no_pauses: "a pause",
    former_times_forgotten: "a tick that finds other times and messages",
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_seeded_bug_is_found(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    workload = next(one for one in WORKLOADS if one.name == MUTANTS[mutant])
    mutant(monkeypatch)
    assert cut_everywhere(workload, every=101, one_in=23, most=1).breaches
