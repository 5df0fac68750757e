"""The ticks' own trace on disk. It may be lost or unwritable at any time: none depends on it."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from msgspec import Struct

from kakaocron.kst import KST
from kakaocron.ledger.beats import (
    FIRST_BYTES,
    FIRST_LINE,
    NOTHING,
    Beat,
    End,
    Word,
    first_of,
    is_of_later,
    last_complete,
    ledger_end,
    parse,
    to_line,
)
from kakaocron.ledger.deliveries import CLOCK_SLACK
from kakaocron.system.disk import (
    NO_LINK,
    Disk,
    guard,
    make_folders,
    opened,
    read_file,
    read_rest,
    sync_ancestors,
    write_all,
)

TAIL_BYTES = 1024
LAST_INSTANT = datetime.max.replace(tzinfo=KST)


class Heartbeat(Struct, frozen=True):
    """The files in `folder`, one per KST day.

    What that does not take (a full disk) goes to `spare`, to be told; nothing depends on it.
    """

    folder: str
    disk: Disk
    spare: str

    def path(self, day: date) -> str:
        return f"{self.folder}/{day.isoformat()}"

    def read(self, day: date) -> list[Beat]:
        """Return all that is known of a day's ticks."""
        return [beat for content in self.contents(day) for beat in parse(day, content)]

    def contents(self, day: date) -> tuple[bytes, ...]:
        """Return a day's files as they are, the spare folder's first."""
        return self._spare_content(day), self._content(day)

    def first(self, day: date) -> Beat | None:
        """Return the first beat of a tick on a day."""
        return first_of(day, self.contents(day))

    def spared(self, day: date) -> list[Beat]:
        return parse(day, self._spare_content(day))

    def _whole(self, day: date) -> list[Beat]:
        return parse(day, self._content(day))

    def _spare_content(self, day: date) -> bytes:
        try:
            guard(self.disk, self.spare)
            return read_file(self.disk, f"{self.spare}/{day.isoformat()}", flags=NO_LINK)
        except OSError:
            return b""

    def _content(self, day: date) -> bytes:
        try:
            return read_file(self.disk, self.path(day))
        except OSError:
            return b""

    def tail(self, day: date) -> list[Beat]:
        """Return the last beats of a day: enough to tell what the last complete tick said."""
        try:
            with opened(self.disk, self.path(day), os.O_RDONLY) as fd:
                offset = max(0, self.disk.fstat(fd).size - TAIL_BYTES)
                if offset:
                    if is_of_later(self.disk.read(fd, FIRST_BYTES)):
                        return []
                    self.disk.seek(fd, offset)
                content = read_rest(self.disk, fd)
            return parse(day, content.partition(b"\n")[2] if offset else content)
        except OSError:
            return []

    def ledger_end(self, day: date) -> End:
        """Return where the day's ledger file has certainly ended once."""
        return ledger_end(self.tail(day)) or ledger_end(self._whole(day)) or NOTHING

    def days(self) -> list[date]:
        days = []
        with suppress(OSError):
            for name in self.disk.listdir(self.folder):
                with suppress(ValueError):
                    days.append(date.fromisoformat(name))
        return sorted(days)

    def last_complete(self, now: datetime = LAST_INSTANT) -> datetime | None:
        """Return the last instant up to which a tick has said that every slot has a state; without
        `now` one that is still to come, too, as after a clock was set back."""
        for day in reversed(self.days()):
            found = last_complete(self.tail(day), now) or last_complete(self._whole(day), now)
            if found is not None:
                return found
        return None

    def beat(self, at: datetime, word: Word, exit_code: int, end: End = NOTHING) -> None:
        """Append a line; a disk that refuses it is no reason to fail."""
        self._append(at.date(), to_line(at, word, exit_code, end))

    def reset(self, day: date, at: datetime, end: End) -> None:
        """Accept a day's ledger file as it is now, whatever it was before."""
        self._append(day, to_line(at, Word.RESET, 0, end))

    def _append(self, day: date, line: bytes) -> None:
        for folder in (self.folder, self.spare):
            path = f"{folder}/{day.isoformat()}"
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            with suppress(OSError):
                make_folders(self.disk, folder)
                if folder == self.spare:
                    guard(self.disk, folder)
                    flags |= NO_LINK
                with opened(self.disk, path, flags) as fd:
                    is_new = self.disk.fstat(fd).size == 0
                    write_all(self.disk, fd, FIRST_LINE + line if is_new else line)
                return

    def sync(self, day: date) -> None:
        """Make a day's beats survive a power cut."""
        with suppress(OSError):
            with opened(self.disk, self.path(day), os.O_RDONLY) as fd:
                self.disk.fsync(fd)
            sync_ancestors(self.disk, self.path(day))

    def keep_ahead(self, now: datetime) -> None:
        """Make the beats survive a power cut that a clock ahead of this one has left.

        Should a part of the ledger be lost, they alone tell up to when it may have sent.
        """
        for day in reversed(self.days()):
            if day < now.date():
                return
            if any(beat.at > now + CLOCK_SLACK for beat in self.tail(day)):
                self.sync(day)

    def prune(self, today: date, keep_days: int) -> None:
        """Remove the beats of days whose ledger is kept no longer.

        The last complete tick's stay, however old: without them nobody knew since when slots are
        owed. Of their day's ledger nothing is expected from now on.
        """
        last = self.last_complete(datetime.combine(today, time.max, KST))
        for day in self.days():
            if day >= today - timedelta(days=keep_days):
                continue
            if last and day >= last.date():
                self.reset(day, last, NOTHING)
                continue
            with suppress(OSError):
                self.disk.unlink(self.path(day))
                guard(self.disk, self.spare)
                self.disk.unlink(f"{self.spare}/{day.isoformat()}")
