"""The ledger on disk: a folder of JSON Lines files, one per KST day of the slots, and its lock."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import accumulate
from zlib import crc32

from msgspec import Struct, field

from kakaocron.errors import Barrier, Cause, LedgerError
from kakaocron.ledger.beats import NOTHING, End
from kakaocron.ledger.day_file import DayFile, Reading, as_mark, parse_day, view_of
from kakaocron.ledger.events import (
    FORMAT_VERSION,
    LINE_START,
    Damage,
    Event,
    NewerFormatError,
    day_of,
    to_line,
)
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.ledger.ledger import Checked, Receipt, Remark, SetAside, View
from kakaocron.ledger.stats import Ending, endings_of
from kakaocron.ledger.tally import endings
from kakaocron.states import Reason
from kakaocron.system.access import barriers, no_room
from kakaocron.system.clock import Clock
from kakaocron.system.disk import (
    Disk,
    append_lines,
    exists,
    locked,
    make_folders,
    opened,
    read_file,
    read_rest,
    replace_file,
    sync_folder,
    why,
)
from kakaocron.text.causes import parts
from kakaocron.text.documents import DocumentError, versioned, with_version

LOCK_TIMEOUT_SECONDS = 10.0
SUFFIX = ".jsonl"
MOVED_NAME = "moved.json"
_THIS_VERSION = b"%b%d," % (LINE_START, FORMAT_VERSION)


class FileBook(Struct):
    """The ledger with its lock held. `now` was read after the lock was."""

    ledger: FileLedger
    now: datetime
    _files: dict[date, DayFile] = field(default_factory=dict)

    def read(self, days: Iterable[date], past: View | None = None) -> View:
        """Fold days. What is read here is durable: a writer may have died before its fsync."""
        for day in days:
            if day not in self._files:
                found = self._files[day] = self.ledger.read_day(day)
                if found.size:
                    self.ledger.sync_day(found)
        return view_of(self._files.values(), past)

    def record(self, events: Sequence[Event]) -> dict[str, Receipt]:
        """Append events, each to the file of its slot's day, and fsync before returning.

        Returns by id the receipt of its last line. Raises LedgerError, and then nothing of it
        counts.
        """
        by_day: dict[date, list[Event]] = {}
        for event in events:
            by_day.setdefault(day_of(event), []).append(event)
        receipts: dict[str, Receipt] = {}
        for day, group in by_day.items():
            found = self._files.get(day) or self.ledger.read_day(day)
            lines = [to_line(event) for event in group]
            offsets, after = self.ledger.append(day, lines, found)
            places = zip(group, offsets, lines, strict=True)
            receipts |= {event.id: Receipt(event, (at, line)) for event, at, line in places}
            self._files.pop(day, None)
            if after is not None:
                self._files[day] = after
        return receipts

    def set_aside_damage(self, days: Iterable[date]) -> list[SetAside]:
        """Keep a copy of each damaged day's file, and note in the file that its gaps are known.

        Damage is also a file that is not the one whose end the heartbeats know.
        """
        found = ((day, self.ledger.damage_of(self._file(day))) for day in days)
        return [self._set_aside(self._file(day), what) for day, what in found if what is not None]

    def _file(self, day: date) -> DayFile:
        self.read([day])
        return self._files[day]

    def _set_aside(self, found: DayFile, what: Cause) -> SetAside:
        day, heartbeat = found.day, self.ledger.heartbeat
        kept = self.ledger.keep_copy(day, self.now)
        # Up to the latest instant that a tick of that day has seen.
        beats = [beat.at for beat in heartbeat.read(day) if beat.is_of_a_tick]
        damage = Damage(
            at=self.now,
            id=day.isoformat(),
            cause=what,
            kept=kept,
            until=max([self.now, *beats]),
            lines=found.marks,
        )
        self.record([damage])
        heartbeat.reset(day, self.now, self.ledger.read_day(day).end)
        # Else a power cut could take it, and the same damage be found again, for later slots too.
        heartbeat.sync(day)
        return SetAside(day, what, kept)


class FileLedger(Struct, frozen=True):
    """The ledger in `folder`; `disk` and `clock` are the edges that it stands on.

    The heartbeats know where each day's file has ended once: a file that does not go on from there
    is damaged.
    """

    folder: str
    disk: Disk
    clock: Clock
    heartbeat: Heartbeat
    lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS
    make_reading: Callable[[], Reading] = Reading  # a simulation remembers what it has read
    _known: dict[date, Reading] = field(default_factory=dict)

    @property
    def lock_path(self) -> str:
        return f"{self.folder}.lock"

    @property
    def moved_path(self) -> str:
        """Where it is said that the ledger was carried over, beside its folder."""
        return f"{os.path.dirname(self.folder)}/{MOVED_NAME}"  # noqa: PTH120

    @property
    def moved_to(self) -> str | None:
        """Where the ledger was carried over to; None if it is here. Raises OSError."""
        try:
            return str(versioned(read_file(self.disk, self.moved_path)).get("to"))
        except FileNotFoundError:
            return None
        except DocumentError:  # it is there: whatever it says, nothing is written here
            return ""

    def note_moved(self, to: str | None) -> None:
        """Say that the ledger was carried over, or that it is here again. Raises LedgerError."""
        try:
            if to is not None:
                content = json.dumps(with_version({"to": to}), ensure_ascii=False).encode()
                replace_file(self.disk, self.moved_path, content)
            elif exists(self.disk, self.moved_path):
                self.disk.unlink(self.moved_path)
                sync_folder(self.disk, os.path.dirname(self.folder))  # noqa: PTH120
        except OSError as error:
            raise self._unusable("written", error) from error

    @contextmanager
    def open(self, *, even_moved: bool = False) -> Iterator[FileBook]:
        """Hold the lock for a block. Raises LockTimeoutError, LedgerError."""
        try:
            make_folders(self.disk, self.folder)
            with locked(self.disk, self.clock, self.lock_path, self.lock_timeout_seconds):
                # A process that has the ledger from before it was carried over is to stop, too.
                if not even_moved and (to := self.moved_to) is not None:
                    raise LedgerError(
                        *parts("ledger-moved", folder=self.folder, to=to),
                        which=f"moved:{self.folder}",
                    )
                yield FileBook(self, self.clock.now())
        except OSError as error:
            raise self._unusable("written", error) from error

    def read(self, days: Iterable[date]) -> View:
        """Fold days without the lock, for showing them: a line half written counts as none."""
        return view_of([self.read_day(day) for day in days])

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
                reading, content = self._what_follows(fd, reading or self.make_reading())
            found = reading.followed_by(day, content)
            self._known[day] = reading
            return found
        except FileNotFoundError:
            return DayFile(day)
        except NewerFormatError as error:
            raise LedgerError(
                *parts(
                    "later-ledger",
                    path=self.path(day),
                    format=error.version,
                    known=FORMAT_VERSION,
                ),
                which=f"newer:{self.path(day)}",
            ) from None
        except OSError as error:
            raise self._unusable("read", error) from error

    def _what_follows(self, fd: int, reading: Reading) -> tuple[Reading, bytes]:
        """Return what follows that which is known, or, where the known has changed, everything."""
        inode = self.disk.fstat(fd).inode
        if reading.offset and reading.inode == inode:
            self.disk.seek(fd, reading.offset - len(reading.last_line))
            content = read_rest(self.disk, fd)
            if content.startswith(reading.last_line):
                return reading, content[len(reading.last_line) :]
            self.disk.seek(fd, 0)
        reading = self.make_reading()
        reading.inode = inode
        return reading, read_rest(self.disk, fd)

    def append(
        self, day: date, lines: Sequence[bytes], found: DayFile
    ) -> tuple[list[int], DayFile | None]:
        """Append and fsync; return each line's offset, and the file as it is now, if it is known
        without being read."""
        offsets = [0, *accumulate(len(line) for line in lines)]
        try:
            written = [b"\n" + lines[0], *lines[1:]] if found.lacks_newline else lines
            path, cut_to = self.path(day), found.torn_at
            start = append_lines(self.disk, path, written, found.size, cut_to=cut_to)
        except OSError as error:
            raise self._unusable("written", error) from error
        start += found.lacks_newline
        after, reading = None, self._known.get(day)
        if reading is not None:
            reading.synced = End(start + offsets[-1], as_mark(crc32(lines[-1][:-1])))
            if reading.offset == start:
                after = reading.followed_by(day, b"".join(lines))
        return [start + offset for offset in offsets[:-1]], after

    def sync_day(self, found: DayFile) -> None:
        """Make durable what was read of a day, unless this process has done so already."""
        reading = self._known[found.day]
        if reading.synced == found.end:
            return
        try:
            with opened(self.disk, self.path(found.day), os.O_RDONLY) as fd:
                self.disk.fsync(fd)
        except OSError as error:
            raise self._unusable("written", error) from error
        reading.synced = found.end  # a torn last line is no part of it

    def synced_end(self, day: date) -> End:
        """Return up to where this process knows a day's file to be on the disk."""
        reading = self._known.get(day)
        return reading.synced if reading else NOTHING

    def note_ends(self, view: View, now: datetime) -> End:
        """Note where the days before today end; return where today does, for a heartbeat.

        With what this process has written since: an older copy put back a moment later is known.
        """
        for day in view.days:
            # Today's end is in the tick's own beat; of other days nobody else would tell, or a
            # power cut took away what was told.
            end = max(view.end_of(day), self.synced_end(day))
            if day < now.date() and end != self.heartbeat.ledger_end(day):
                self.heartbeat.reset(day, now, end)
        return max(view.end_of(now.date()), self.synced_end(now.date()))

    def lost(self, receipt: Receipt) -> tuple[Reason, Cause] | None:
        """Say why nothing may leave by a claim; None if it holds."""
        gone = Reason.LEDGER_DAMAGED, Cause("claim-gone")
        return None if self.still_ours(receipt) else gone

    def still_ours(self, receipt: Receipt) -> bool:
        """Say whether the line stands where it was written and nothing after it undoes it."""
        event, day = receipt.event, day_of(receipt.event)
        place, line = receipt.place
        try:
            tail = read_file(self.disk, self.path(day), place)
            if not tail.startswith(line):
                return False
            tail = tail[len(line) :]
            if _is_of_others(tail, event.id):
                return True
            later = parse_day(day, tail).ids
        except (OSError, NewerFormatError):
            return False
        return event.id not in later

    def endings(self, day: date) -> list[Ending]:
        """Return the state and the lateness of each slot of a day. Raises LedgerError."""
        try:
            found = endings(read_file(self.disk, self.path(day)))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable("read", error) from error
        return endings_of(self.read([day]).deliveries.values()) if found is None else found

    def version(self, day: date) -> object:
        """Return what changes whenever a day's file does; None if there is none."""
        try:
            found = self.disk.stat(self.path(day))
        except OSError:
            return None
        return found.inode, found.size, found.mtime_ns, found.ctime_ns

    def damage(self, days: Iterable[date]) -> dict[date, Cause]:
        """Return what is wrong with days that are damaged and not set aside yet."""
        # In this order: a tick leaves its heartbeat when its lines are written, so that what it
        # says of the end is in the file that is read after it.
        known = {day: self.heartbeat.ledger_end(day) for day in days}
        found = {day: self.read_day(day).damage_since(end) for day, end in known.items()}
        return {day: what for day, what in found.items() if what is not None}

    def damage_of(self, found: DayFile) -> Cause | None:
        return found.damage_since(self.heartbeat.ledger_end(found.day))

    def barriers(self, day: date) -> list[Barrier]:
        """Return what would keep lines of a day from being written, without writing."""
        above = os.path.dirname(self.folder)  # noqa: PTH120
        found = barriers(self.disk, [above, self.lock_path, self.folder, self.path(day)])
        full = no_room(self.disk, self.folder)
        return [*found, *([full] if full else [])]

    def verify(self) -> tuple[Checked, list[Remark]]:
        """Look for damage in all days, without changing anything. Raises LedgerError."""
        files = [self.read_day(day) for day in self.days()]
        remarks = [one for found in files for one in found.remarks(self.path(found.day))]
        return Checked(len(files), sum(len(found.ids) for found in files)), remarks

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
        """Remove the files of days more than `keep_days` ago; return which. Raises LedgerError.

        What the heartbeats know goes first: a file that they know of and that is gone is damage.
        """
        self.heartbeat.prune(today, keep_days)
        old = [day for day in self.days() if (today - day).days > keep_days]
        for day in old:
            try:
                self.disk.unlink(self.path(day))
            except OSError as error:
                raise LedgerError(
                    *parts(
                        "old-day-stays",
                        path=self.path(day),
                        error=os.strerror(error.errno or 0),
                    ),
                    which=f"prune:{self.path(day)}",
                ) from error
        return old

    def _unusable(self, verb: str, error: OSError) -> LedgerError:
        return LedgerError(
            *parts(
                "ledger-unreadable" if verb == "read" else "ledger-unwritable",
                folder=self.folder,
                **why(error),
            ),
            which=f"{verb}:{self.folder}:{error.errno}",
        )


def _is_of_others(lines: bytes, id_: str) -> bool:
    """Say whether all lines are certainly of this version and of other deliveries, without reading
    each: all that is in flight has a line below most claims. An id has one spelling in JSON, but
    for what may be escaped by number."""
    spelt = json.dumps(id_, ensure_ascii=False).encode(errors="replace")
    if spelt in lines or b"\\u" in lines:
        return False
    return all(line.startswith(_THIS_VERSION) for line in lines.splitlines())


def _day_named(name: str) -> date | None:
    stem, dot, _ = name.partition(SUFFIX)
    try:
        return date.fromisoformat(stem) if dot and name == stem + SUFFIX else None
    except ValueError:
        return None
