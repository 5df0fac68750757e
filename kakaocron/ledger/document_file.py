"""A JSON document beside the ledger, without which nothing is sent. Changed under its lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from kakaocron.errors import LedgerError
from kakaocron.system.disk import Disk, read_file, replace_file, why
from kakaocron.text.causes import parts
from kakaocron.text.documents import VERSION, DocumentError, NewerDocumentError

T = TypeVar("T")


class DocumentFile(Struct, frozen=True):
    """`unreadable` is the code of the cause that says what nobody knows without it."""

    path: str
    disk: Disk
    unreadable: str

    def read(self, parse: Callable[[bytes], T]) -> T | None:
        """Return what it says, None where there is none. Raises LedgerError if that cannot be
        known."""
        try:
            return parse(read_file(self.disk, self.path))
        except FileNotFoundError:
            return None
        except NewerDocumentError as error:
            raise LedgerError(
                *parts("later-document", path=self.path, format=error.version, known=VERSION),
                which=f"newer:{self.path}",
            ) from None
        except OSError as error:
            raise self._unreadable(**why(error)) from None
        except DocumentError as error:
            raise self._unreadable(behind=error.cause.code, **error.cause.facts) from None

    def write(self, content: bytes) -> None:
        """Replace it, durably. Raises LedgerError."""
        try:
            replace_file(self.disk, self.path, content)
        except OSError as error:
            raise LedgerError(
                *parts("document-unwritable", path=self.path, **why(error)),
                which=f"written:{self.path}",
            ) from None

    def _unreadable(self, **facts: str | float) -> LedgerError:
        return LedgerError(
            *parts(self.unreadable, path=self.path, **facts), which=f"read:{self.path}"
        )
