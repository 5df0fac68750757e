"""timetables.json: since when each message's times hold, as the last tick knew them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from msgspec import Struct

from kakaocron.ledger.document_file import DocumentFile
from kakaocron.ledger.ledger import Document, OvertakenError
from kakaocron.schedule.slots import Series
from kakaocron.schedule.timetables import Timetables, from_json, to_json
from kakaocron.system.disk import Disk


class NotedTimetables(Struct, frozen=True):
    document: Document

    def read(self) -> Timetables | None:
        """Return them, None where none were ever noted. Raises LedgerError."""
        return self.document.read(from_json)

    def note(self, series: Iterable[Series]) -> None:
        """Note the messages' timetables, unless they are what is noted. Raises LedgerError."""
        content = to_json(series)
        if content != self.document.read(bytes):
            with suppress(OvertakenError):  # by another tick that has begun just now
                self.document.write(content)


UNREADABLE = "timetables-unreadable"


def timetables_in(path: str, disk: Disk) -> NotedTimetables:
    return NotedTimetables(DocumentFile(path, disk, UNREADABLE))
