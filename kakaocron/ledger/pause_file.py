"""pauses.json beside the ledger: which messages are paused. Changed under the ledger's lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from kakaocron.errors import UPGRADE, LedgerError
from kakaocron.schedule.pauses import Pause, as_of, from_json, to_json
from kakaocron.system.disk import Disk, read_file, reason, replace_file
from kakaocron.text.documents import NewerDocumentError


class Pauses(Struct, frozen=True):
    path: str
    disk: Disk

    def read(self) -> tuple[Pause, ...]:
        """Return every pause that there was. Raises LedgerError if that cannot be known."""
        try:
            return from_json(read_file(self.disk, self.path))
        except FileNotFoundError:
            return ()
        except NewerDocumentError as error:
            raise LedgerError(
                f"'{self.path}' cannot be read: {error}; nothing was sent", UPGRADE
            ) from None
        except (OSError, ValueError) as error:
            why = reason(error) if isinstance(error, OSError) else error
            raise LedgerError(
                f"'{self.path}' cannot be read ({why}), so nobody knows what is paused; "
                "nothing was sent",
                "Fix the file, or remove it to pause nothing",
            ) from None

    def write(self, pauses: Sequence[Pause]) -> None:
        """Replace them all. Raises LedgerError."""
        try:
            replace_file(self.disk, self.path, to_json(pauses))
        except OSError as error:
            raise LedgerError(
                f"'{self.path}' cannot be written ({reason(error)}); nothing was changed"
            ) from None

    def as_of(self, now: datetime) -> tuple[Pause, ...]:
        """Return the pauses that count at an instant. Raises LedgerError."""
        return as_of(self.read(), now)
