"""Which messages are paused: pauses.json, or what all hosts share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from kakaocron.ledger.document_file import DocumentFile
from kakaocron.ledger.ledger import Document
from kakaocron.schedule.pauses import Pause, as_of, from_json, to_json
from kakaocron.system.disk import Disk


class Pauses(Struct, frozen=True):
    document: Document

    def read(self) -> tuple[Pause, ...]:
        """Return every pause that there was. Raises LedgerError if that cannot be known."""
        return self.document.read(from_json) or ()

    def write(self, pauses: Sequence[Pause]) -> None:
        """Replace them all. Raises LedgerError."""
        self.document.write(to_json(pauses))

    def as_of(self, now: datetime) -> tuple[Pause, ...]:
        """Return the pauses that count at an instant. Raises LedgerError."""
        return as_of(self.read(), now)


UNREADABLE = "pauses-unreadable"


def pauses_in(path: str, disk: Disk) -> Pauses:
    return Pauses(DocumentFile(path, disk, UNREADABLE))
