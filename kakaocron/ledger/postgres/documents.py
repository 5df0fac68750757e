"""Small documents that all hosts share: whoever changes one that has changed since is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from uuid import uuid4

from kakaocron.errors import KakaocronError, LedgerError, LockTimeoutError
from kakaocron.ledger.ledger import OvertakenError
from kakaocron.ledger.postgres.connection import Asker
from kakaocron.system.log import log
from kakaocron.text.causes import parts
from kakaocron.text.documents import (
    VERSION,
    DocumentError,
    NewerDocumentError,
    versioned,
    with_version,
)

T = TypeVar("T")

_READ = "SELECT edition, content FROM kakaocron.document WHERE name = %s"
# As with a claim, the token tells whose the edition is, also after a lost answer.
_WRITE = """
INSERT INTO kakaocron.document AS d (name, edition, token, content)
SELECT %s, %s, %s::uuid, %s
WHERE NOT EXISTS (SELECT FROM kakaocron.ledger WHERE moved_to IS NOT NULL)
ON CONFLICT (name) DO UPDATE SET
    token = CASE WHEN d.edition = excluded.edition - 1 THEN excluded.token ELSE d.token END,
    content = CASE WHEN d.edition = excluded.edition - 1 THEN excluded.content ELSE d.content END,
    edition = CASE WHEN d.edition = excluded.edition - 1 THEN excluded.edition ELSE d.edition END
RETURNING token::text
"""
_TAKE = """
INSERT INTO kakaocron.lease AS l (name, holder, until)
VALUES (%s, %s::uuid, clock_timestamp() + %s * interval '1 second')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE l.until < clock_timestamp() OR l.holder = excluded.holder
RETURNING holder
"""
_GIVE_BACK = "DELETE FROM kakaocron.lease WHERE name = %s AND holder = %s::uuid"


class SharedDocument:
    """A document by its name. `unreadable` is the code of what nobody knows without it."""

    def __init__(self, database: Asker, name: str, unreadable: str) -> None:
        self.database = database
        self.name = name
        self.unreadable = unreadable
        self._edition = 0

    def read(self, parse: Callable[[bytes], T]) -> T | None:
        """Return what it says, None where there is none. Raises LedgerError if that cannot be
        known."""
        path = f"{self.database.where} {self.name}"
        found = self.database.ask(_READ, self.name)
        if not found:
            self._edition = 0
            return None
        self._edition, content = found[0]
        try:
            return parse(content.encode("utf-8", "surrogateescape"))
        except NewerDocumentError as error:
            raise LedgerError(
                *parts("later-document", path=path, format=error.version, known=VERSION),
                which=f"newer:{path}",
            ) from None
        except DocumentError as error:
            told = parts(self.unreadable, path=path, behind=error.cause.code, **error.cause.facts)
            raise LedgerError(*told, which=f"read:{path}") from None

    def is_as_read(self) -> bool:
        """Say whether it is still what it was when it was last read. Raises LedgerError."""
        found = self.database.ask(_READ, self.name)
        return bool(self._edition == (found[0][0] if found else 0))

    def write(self, content: bytes) -> None:
        """Replace it as it was when it was last read. Raises OvertakenError where it has changed
        since, LedgerError."""
        token = str(uuid4())
        edition = self._edition + 1
        found = self.database.ask(_WRITE, self.name, edition, token, content.decode())
        if not found:
            where = self.database.where
            raise LedgerError(*parts("ledger-moved", to="", folder=where), which=f"moved:{where}")
        if found[0][0] != token:
            raise OvertakenError(self.name)
        self._edition = edition


class SharedMemory:
    """A JSON object by its name, as system/memory keeps one in a file."""

    def __init__(self, database: Asker, name: str) -> None:
        self._document = SharedDocument(database, name, "database-unusable")

    def read(self) -> dict[str, Any]:
        """Return what is remembered, nothing where that cannot be known."""
        with suppress(KakaocronError):
            return self._document.read(versioned) or {}
        return {}

    def write(self, fields: Mapping[str, Any]) -> None:
        """Replace it; where the database does not take it it is forgotten. Raises OvertakenError
        where another host has changed it since it was read."""
        content = json.dumps(with_version(fields), ensure_ascii=False, indent=1)
        try:
            self._document.write(content.encode("utf-8", "replace"))
        except LedgerError as error:
            log.warning("%s", error)

    def remove(self) -> None:
        self.write({})


@contextmanager
def leased(database: Asker, name: str, seconds: float) -> Iterator[None]:
    """Be the only one for a block that ends within some seconds.

    Raises LockTimeoutError at once where another host is at it, LedgerError.
    """
    holder = str(uuid4())
    if not database.ask(_TAKE, name, holder, seconds):
        raise LockTimeoutError(*parts("lease-held", name=name))
    try:
        yield
    finally:
        with suppress(KakaocronError):
            database.ask(_GIVE_BACK, name, holder)
