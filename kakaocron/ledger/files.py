"""The ledger on disk: a folder of JSON Lines files, one per KST day of the slots, and its lock.

Everything else reaches the ledger through `open`, `read`, `record` and `shows_claim`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import date, datetime
from itertools import accumulate, takewhile
from zlib import crc32

from msgspec import Struct, field

from kakaocron.errors import SEE_DOCTOR, LedgerError
from kakaocron.kst import KST
from kakaocron.ledger.beats import NO_MARK, NOTHING, End
from kakaocron.ledger.deliveries import Delivery, Gap, fold_into
from kakaocron.ledger.events import (
    LINE_START,
    DamagedLineError,
    Event,
    Kind,
    NewerFormatError,
    from_line,
    is_event,
    to_line,
)
from kakaocron.schedule.slots import parse_delivery_id
from kakaocron.system.clock import Clock
from kakaocron.system.disk import (
    Disk,
    append_lines,
    locked,
    make_folders,
    opened,
    read_file,
    read_rest,
    replace_file,
)

LOCK_TIMEOUT_SECONDS = 10.0
SUFFIX = ".jsonl"


class DayFile(Struct, frozen=True):
    """One day's file as read: its events, and what of it could not be read.

    `damaged` holds the numbers (from 1) of unreadable lines that no `damage` line below them
    accounts for, `marks` the checksums of these lines, `torn_at` the offset of a last line that was
    never finished, `lacks_newline` says that the last line is whole or damaged, but not ended,
    `ends` holds each line's checksum by the offset at which it ends.
    """

    day: date
    size: int = 0  # bytes, a torn last line included
    events: tuple[Event, ...] = ()
    damaged: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()
    torn_at: int | None = None
    lacks_newline: bool = False
    gap: Gap | None = None
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    settled: datetime | None = None
    last_event_at: datetime | None = None
    ends: Mapping[int, int] = field(default_factory=dict)

    @property
    def end(self) -> End:
        size = self.size if self.torn_at is None else self.torn_at
        return End(size, self._mark_at(size))

    def goes_on_from(self, end: End) -> bool:
        """Say whether this may be a file that once ended so, and has grown since."""
        if end.mark == NO_MARK:
            return end.size <= self.end.size
        return end.mark in {self._mark_at(end.size), self._mark_at(end.size + 1)}

    def _mark_at(self, size: int) -> str:
        return as_mark(self.ends[size]) if size in self.ends else NO_MARK


class View(Struct, frozen=True):
    """Several days of the ledger, folded."""

    files: tuple[DayFile, ...]
    deliveries: dict[str, Delivery]
    settled: datetime | None = None
    last_event_at: datetime | None = None

    @property
    def gaps(self) -> dict[date, Gap]:
        return {found.day: found.gap for found in self.files if found.gap}

    @property
    def pointed_days(self) -> set[date]:
        """The other days that hold deliveries which were reopened for one of these."""
        return {
            parse_delivery_id(event.id)[1].date()
            for found in self.files
            for event in found.events
            if event.kind is Kind.POINTER
        } - {found.day for found in self.files}


def parse_day(day: date, content: bytes) -> DayFile:
    """Read a day's file. Only NewerFormatError is raised: everything else is damage, and said."""
    return _Reading().followed_by(day, content)


class _Reading(Struct):
    """A day's file as far as it is known: up to the end of its last whole line.

    Files only grow, so that of one that still has this line there, only what follows is new.
    """

    inode: int = 0
    offset: int = 0
    last_line: bytes = b""
    synced: End = NOTHING  # up to where this process knows it to be on the disk
    lines: int = 0
    ends: dict[int, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    damaged: dict[int, str] = field(default_factory=dict)
    gap_until: datetime | None = None
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    settled: datetime | None = None
    last_event_at: datetime | None = None

    def followed_by(self, day: date, content: bytes) -> DayFile:
        """Take in what follows, and return the whole. A last line without an end is not kept."""
        *lines, tail = content.split(b"\n")
        for line in lines:
            self.offset += len(line) + 1
            self._take(line, self.offset)
        if lines:
            self.last_line = lines[-1] + b"\n"
        size = self.offset + len(tail)
        if not tail:
            return self._found(day, size)
        if is_torn(tail, size):
            return self._found(day, size, torn_at=self.offset)
        whole = copy(self)
        whole.events, whole.damaged = [*self.events], {**self.damaged}
        whole.deliveries, whole.ends = {**self.deliveries}, {**self.ends}
        whole._take(tail, size)
        return whole._found(day, size, lacks_newline=True)

    def _take(self, line: bytes, end: int) -> None:
        self.lines += 1
        self.ends[end] = crc32(line)
        try:
            event = from_line(line)
        except DamagedLineError:
            self.damaged[self.lines] = as_mark(self.ends[end])
            return
        if event.kind is Kind.DAMAGE:
            # By content: what is spoilt later, above this line, is not accounted for by it.
            known = event.data["lines"]
            self.damaged = {n: mark for n, mark in self.damaged.items() if mark not in known}
            until = event.data["until"] or event.at
            self.gap_until = max(until, self.gap_until or until)
        self.events.append(event)
        fold_into(self.deliveries, event)
        if event.settled:
            self.settled = max(self.settled or event.settled, event.settled)
        self.last_event_at = max(self.last_event_at or event.at, event.at)

    def _gap(self) -> Gap | None:
        if self.gap_until is None:
            return None
        below = takewhile(lambda event: event.kind is not Kind.DAMAGE, reversed(self.events))
        return Gap(self.gap_until, frozenset(event.id for event in below))

    def _found(
        self, day: date, size: int, torn_at: int | None = None, *, lacks_newline: bool = False
    ) -> DayFile:
        return DayFile(
            day,
            size,
            tuple(self.events),
            tuple(self.damaged),
            tuple(self.damaged.values()),
            torn_at,
            lacks_newline,
            self._gap(),
            {**self.deliveries},
            self.settled,
            self.last_event_at,
            self.ends,
        )


def as_mark(checksum: int) -> str:
    return f"{checksum:08x}"


def is_torn(tail: bytes, file_size: int) -> bool:
    """Say whether what stands after the last newline is a line that a power cut left unfinished.

    Such a line was never fsynced, so nothing was done on its word. It begins as every line does,
    or is all NUL (a file system may have grown the file and not yet written to it). Anything else,
    and a file of nothing but NUL, is damage to something that may have counted.
    """
    if not tail:
        return False
    if not tail.strip(b"\0"):
        return len(tail) < file_size
    begins_well = tail[: len(LINE_START)] == LINE_START[: len(tail)]
    return begins_well and not is_event(tail)


class Book(Struct):
    """The ledger with its lock held. `now` was read after the lock was."""

    ledger: Ledger
    now: datetime
    _files: dict[date, DayFile] = field(default_factory=dict)

    def read(self, days: Iterable[date]) -> View:
        """Fold days. What is read here is durable: a writer may have died before its fsync."""
        for day in days:
            if day not in self._files:
                found = self._files[day] = self.ledger.read_day(day)
                if found.size:
                    self.ledger.sync_day(found)
        return _view(self._files.values())

    def record(self, events: Sequence[Event]) -> dict[str, tuple[date, int]]:
        """Append events, each to the file of its slot's day, and fsync before returning.

        Returns by id where its last line stands (day, offset in bytes). Raises LedgerError, and
        then nothing of it counts.
        """
        by_day: dict[date, list[Event]] = {}
        for event in events:
            by_day.setdefault(day_of(event), []).append(event)
        places: dict[str, tuple[date, int]] = {}
        for day, group in by_day.items():
            found = self._files.get(day) or self.ledger.read_day(day)
            offsets = self.ledger.append(day, group, found)
            places |= {e.id: (day, at) for e, at in zip(group, offsets, strict=True)}
            self._files.pop(day, None)
        return places

    def set_aside(self, found: DayFile, detail: str, until: datetime) -> str:
        """Keep a copy of a damaged day's file and note in the file that its gaps are known.

        `until` is the latest instant that a tick of that day has seen. Returns the copy's path.
        """
        kept = self.ledger.keep_copy(found.day, self.now)
        data = {"kept": kept, "until": max(until, self.now), "lines": list(found.marks)}
        event = Event(Kind.DAMAGE, self.now, found.day.isoformat(), detail=detail, data=data)
        self.record([event])
        return kept


def day_of(event: Event) -> date:
    """Return the KST day in whose file an event belongs: that of its slot, or that on which a
    pointer says that it is due."""
    if event.kind is Kind.DAMAGE:
        return date.fromisoformat(event.id)
    if event.kind is Kind.POINTER:
        due: datetime = event.data["due"]
        return due.astimezone(KST).date()
    stamp = event.id.rpartition("@")[2]
    return date(int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8]))


def _view(files: Iterable[DayFile]) -> View:
    ordered = tuple(sorted(files, key=lambda found: found.day))
    deliveries: dict[str, Delivery] = {}
    for found in ordered:
        deliveries.update(found.deliveries)
    return View(
        ordered,
        deliveries,
        max((found.settled for found in ordered if found.settled), default=None),
        max((found.last_event_at for found in ordered if found.last_event_at), default=None),
    )


class Ledger(Struct, frozen=True):
    """The ledger in `folder`; `disk` and `clock` are the edges that it stands on."""

    folder: str
    disk: Disk
    clock: Clock
    lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS
    _known: dict[date, _Reading] = field(default_factory=dict)

    @property
    def lock_path(self) -> str:
        return f"{self.folder}.lock"

    @contextmanager
    def open(self) -> Iterator[Book]:
        """Hold the lock for a block. Raises LockTimeoutError, LedgerError."""
        try:
            make_folders(self.disk, self.folder)
            with locked(self.disk, self.clock, self.lock_path, self.lock_timeout_seconds):
                yield Book(self, self.clock.now())
        except OSError as error:
            raise self._unusable("written", error) from error

    def read(self, days: Iterable[date]) -> View:
        """Fold days without the lock, for showing them: a line half written counts as none."""
        return _view([self.read_day(day) for day in days])

    def days(self) -> list[date]:
        """Return the days that have a file, oldest first."""
        try:
            names = self.disk.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable("read", error) from error
        return sorted(day for name in names if (day := _day_named(name)))

    def path(self, day: date) -> str:
        return f"{self.folder}/{day.isoformat()}{SUFFIX}"

    def read_day(self, day: date) -> DayFile:
        """Read a day's file; of what this process has read before, only what follows it.

        Raises LedgerError.
        """
        reading = self._known.pop(day, None)
        try:
            with opened(self.disk, self.path(day), os.O_RDONLY) as fd:
                reading, content = self._what_follows(fd, reading or _Reading())
            found = reading.followed_by(day, content)
            self._known[day] = reading
            return found
        except FileNotFoundError:
            return DayFile(day)
        except NewerFormatError as error:
            raise LedgerError(
                f"'{self.path(day)}' was written by a later kakaocron ({error}); nothing was sent. "
                "Upgrade: pip install --upgrade kakaocron"
            ) from None
        except OSError as error:
            raise self._unusable("read", error) from error

    def content(self, day: date) -> bytes:
        """Return a day's file as it stands. Raises LedgerError."""
        try:
            return read_file(self.disk, self.path(day))
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise self._unusable("read", error) from error

    def _what_follows(self, fd: int, reading: _Reading) -> tuple[_Reading, bytes]:
        """Return what follows that which is known, or, where the known has changed, everything."""
        inode = self.disk.fstat(fd).inode
        if reading.offset and reading.inode == inode:
            self.disk.seek(fd, reading.offset - len(reading.last_line))
            content = read_rest(self.disk, fd)
            if content.startswith(reading.last_line):
                return reading, content[len(reading.last_line) :]
            self.disk.seek(fd, 0)
        return _Reading(inode), read_rest(self.disk, fd)

    def append(self, day: date, events: Sequence[Event], found: DayFile) -> list[int]:
        """Append and fsync; return each line's offset."""
        lines = [to_line(event) for event in events]
        offsets = [0, *accumulate(len(line) for line in lines)]
        try:
            if found.lacks_newline:
                lines[0] = b"\n" + lines[0]
            start = append_lines(self.disk, self.path(day), lines, found.size, cut_to=found.torn_at)
        except OSError as error:
            raise self._unusable("written", error) from error
        if day in self._known:
            size = start + found.lacks_newline + offsets[-1]
            self._known[day].synced = End(size, as_mark(crc32(lines[-1].strip(b"\n"))))
        return [start + found.lacks_newline + offset for offset in offsets[:-1]]

    def sync_day(self, found: DayFile) -> None:
        """Make durable what was read of a day, unless this process has done so already."""
        reading = self._known[found.day]
        if reading.synced.size == found.size:
            return
        try:
            with opened(self.disk, self.path(found.day), os.O_RDONLY) as fd:
                self.disk.fsync(fd)
        except OSError as error:
            raise self._unusable("written", error) from error
        reading.synced = End(found.size, found.end.mark)

    def synced_end(self, day: date) -> End:
        """Return up to where this process knows a day's file to be on the disk."""
        reading = self._known.get(day)
        return reading.synced if reading else NOTHING

    def shows_claim(self, day: date, offset: int, event: Event) -> bool:
        """Say whether the claim stands where it was written and nothing after it undoes it."""
        try:
            tail = read_file(self.disk, self.path(day), offset)
        except OSError:
            return False
        line = to_line(event)
        if not tail.startswith(line):
            return False
        later = parse_day(day, tail[len(line) :]).events
        return not any(found.id == event.id for found in later)

    def keep_copy(self, day: date, now: datetime) -> str:
        """Copy a damaged file to `damaged/` beside the day files; return the copy's path."""
        folder = f"{self.folder}/damaged"
        path = f"{folder}/{day.isoformat()}-{now:%Y%m%dT%H%M%S}{SUFFIX}"
        try:
            make_folders(self.disk, folder)
            try:
                content = read_file(self.disk, self.path(day))
            except FileNotFoundError:
                content = b""
            replace_file(self.disk, path, content)
        except OSError as error:
            raise self._unusable("written", error) from error
        return path

    def prune(self, today: date, keep_days: int) -> list[date]:
        """Remove the files of days more than `keep_days` ago; return which. Raises LedgerError."""
        old = [day for day in self.days() if (today - day).days > keep_days]
        for day in old:
            try:
                self.disk.unlink(self.path(day))
            except OSError as error:
                raise LedgerError(
                    f"'{self.path(day)}' is older than [ledger] keep_days and cannot be removed "
                    f"({os.strerror(error.errno or 0)}). Remove it by hand"
                ) from error
        return old

    def _unusable(self, verb: str, error: OSError) -> LedgerError:
        what = os.strerror(error.errno) if error.errno else str(error)
        return LedgerError(
            f"The ledger '{self.folder}' cannot be {verb} ({what}), and nothing is sent "
            f"without it. {SEE_DOCTOR}"
        )


def _day_named(name: str) -> date | None:
    stem, dot, _ = name.partition(SUFFIX)
    try:
        return date.fromisoformat(stem) if dot and name == stem + SUFFIX else None
    except ValueError:
        return None
