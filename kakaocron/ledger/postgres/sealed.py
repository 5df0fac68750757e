"""A login that all hosts share, sealed: the database never holds a token that it could read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

from kakaocron.errors import LedgerError, LoginError
from kakaocron.ledger.ledger import MOST_TIMES, OvertakenError
from kakaocron.ledger.postgres.connection import Asker
from kakaocron.ledger.postgres.documents import SharedDocument, leased
from kakaocron.text.causes import parts

# Longer than a request for tokens may take: who holds it for longer has died.
LEASE_SECONDS = 40.0


class SharedLogin:
    """An account's login as a document, encrypted and authenticated (Fernet: AES-128-CBC, HMAC)
    with a key made of the hosts' own."""

    def __init__(self, database: Asker, account: str, key: str) -> None:
        self.database = database
        self.name = f"login {account}".strip()
        self._document = SharedDocument(database, self.name, "database-unusable")
        self._key = _sealing_key(key, self.name)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only host that changes it. Raises LockTimeoutError, LedgerError."""
        with leased(self.database, self.name, LEASE_SECONDS):
            yield

    def fetch(self) -> bytes | None:
        """Return what was put there, None if nothing ever was. Raises LoginError for what another
        key has sealed, LedgerError."""
        sealed = self._document.read(bytes)
        if not sealed:
            return sealed
        from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415 - where there is one

        try:
            return Fernet(self._key).decrypt(sealed)
        except InvalidToken:
            raise LoginError(*parts("login-key")) from None

    def put(self, content: bytes) -> None:
        """Put it there, whatever was there before. Raises LedgerError, also where other hosts were
        first again and again."""
        from cryptography.fernet import Fernet  # noqa: PLC0415 - likewise

        sealed = Fernet(self._key).encrypt(content) if content else b""
        for _time in range(MOST_TIMES):
            self._document.read(bytes)
            with suppress(OvertakenError):
                self._document.write(sealed)
                return
        raise LedgerError(*parts("overtaken", what=self.name), which=f"overtaken:{self.name}")


@cache
def _sealing_key(key: str, salt: str) -> bytes:
    """Make the key for Fernet of the hosts' own: slow on purpose."""
    made = hashlib.scrypt(key.encode(), salt=salt.encode(), n=2**12, r=8, p=1, dklen=32)
    return base64.urlsafe_b64encode(made)
