"""A JSON document beside the ledger, without which nothing is sent. Changed under its lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from kakaocron.errors import UPGRADE, LedgerError
from kakaocron.system.disk import Disk, read_file, reason, replace_file
from kakaocron.text.documents import NewerDocumentError

T = TypeVar("T")


class DocumentFile(Struct, frozen=True):
    """`tells` is what nobody knows without it, `without` what counts once it is removed."""

    path: str
    disk: Disk
    tells: str
    without: str

    def read(self, parse: Callable[[bytes], T]) -> T | None:
        """Return what it says, None where there is none. Raises LedgerError if that cannot be
        known."""
        try:
            return parse(read_file(self.disk, self.path))
        except FileNotFoundError:
            return None
        except NewerDocumentError as error:
            raise LedgerError(
                f"'{self.path}' cannot be read: {error}; nothing was sent",
                UPGRADE,
                which=f"newer:{self.path}",
            ) from None
        except (OSError, ValueError) as error:
            why = reason(error) if isinstance(error, OSError) else error
            raise LedgerError(
                f"'{self.path}' cannot be read ({why}), so nobody knows {self.tells}; "
                "nothing was sent",
                f"Fix the file, or remove it {self.without}",
                which=f"read:{self.path}",
            ) from None

    def write(self, content: bytes) -> None:
        """Replace it, durably. Raises LedgerError."""
        try:
            replace_file(self.disk, self.path, content)
        except OSError as error:
            raise LedgerError(
                f"'{self.path}' cannot be written ({reason(error)}); nothing was changed",
                which=f"written:{self.path}",
            ) from None
