"""Every error that a user can meet: what, which, and what to do next; and all exit codes."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

Keys = tuple[str, ...]


class Exit(IntEnum):
    """What kakaocron's commands end with: the one list. Part of the interface."""

    FINE = 0
    TROUBLE = 1  # a delivery ended badly, or was refused as a duplicate; or unhealthy
    USAGE = 2
    LOGIN = 3
    BUG = 70
    LEDGER = 74
    LOCK = 75
    INTERRUPTED = 130


def readable(keys: Keys) -> str:
    """Write ("message", "0", "text") as `message[1].text`: people count from one."""
    name = ""
    for key in keys:
        if key.isdigit():
            name += f"[{int(key) + 1}]"
        else:
            name += f".{key}" if name else key
    return name


class ContentError(Exception):
    """The content cannot be made; `str()` says why, without secrets.

    `keys` lead to the value that is at fault, from the message on, if it is one of its values.
    """

    def __init__(self, what: str, keys: Keys = ()) -> None:
        super().__init__(what)
        self.what = what
        self.keys = keys

    def __str__(self) -> str:
        return f"{readable(self.keys)}: {self.what}" if self.keys else self.what


class KakaocronError(Exception):
    """An expected failure: what it is and, if that is not in it, what to do.

    `str()` of it is the one line that the user reads.
    """

    exit_code: ClassVar[Exit] = Exit.TROUBLE

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}. {self.mend}" if self.mend else self.what


class UsageError(KakaocronError):
    """Wrong usage or configuration: nothing was done."""

    exit_code = Exit.USAGE


class LoginError(KakaocronError):
    """Not logged in, or Kakao no longer accepts the saved login."""

    exit_code = Exit.LOGIN


class LedgerError(KakaocronError):
    """The ledger cannot be written or read: nothing was sent."""

    exit_code = Exit.LEDGER


SEE_DOCTOR = "See: kakaocron doctor"
UPGRADE = "Upgrade: pip install --upgrade kakaocron"


class LockTimeoutError(KakaocronError):
    """Another process held the ledger's lock for too long: nothing was done."""

    exit_code = Exit.LOCK


class BugError(KakaocronError):
    """A fault of kakaocron's own; the log has the whole story."""

    exit_code = Exit.BUG
