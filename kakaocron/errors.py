"""Every error that a user can meet: what, which, and what to do next; and all exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import ClassVar

from msgspec import Struct, field

from kakaocron.language.words import _, marked

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


class Cause(Struct, frozen=True, omit_defaults=True):
    """Why something went wrong, or what was done: a code, and what is to be said with it. It is
    what is stored.

    text/causes has the codes and the sentences.
    """

    code: str
    facts: Mapping[str, str | int | float] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.facts.items())])


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
    """The content cannot be made; `str()` says why, without secrets. Its `cause` is what is stored.

    `keys` lead to the value that is at fault, from the message on, if it is one of its values.
    """

    def __init__(self, what: str, cause: Cause, keys: Keys = ()) -> None:
        super().__init__(what)
        self.what = what
        self.keys = keys
        self.cause = cause

    def __str__(self) -> str:
        return f"{readable(self.keys)}: {self.what}" if self.keys else self.what


class KakaocronError(Exception):
    """An expected failure: what it is and, if that is not in it, what to do.

    `str()` of it is the one line that the user reads. `which` tells it from other errors of its
    kind, in no language: paths, keys, numbers; where it is empty, its `cause` does.
    """

    exit_code: ClassVar[Exit] = Exit.TROUBLE

    def __init__(
        self, what: str, mend: str = "", cause: Cause | None = None, *, which: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.mend = _(mend)  # many stand in constants
        self.which = which
        self.cause = cause or Cause("said", {"words": str(self)})

    def __str__(self) -> str:
        return f"{self.what}. {self.mend}" if self.mend else self.what


class UsageError(KakaocronError):
    """Wrong usage or configuration: nothing was done."""

    exit_code = Exit.USAGE


class LoginError(KakaocronError):
    """Not logged in, or Kakao no longer accepts the saved login."""

    exit_code = Exit.LOGIN


class LedgerError(KakaocronError):
    """The ledger cannot be written or read: nothing more is sent, and the words say whether
    something in flight may have arrived."""

    exit_code = Exit.LEDGER


class Barrier(Struct, frozen=True):
    """A file, folder or disk that cannot be written: which and why, and what to do."""

    what: str
    mend: str


SEE_DOCTOR = marked("See: kakaocron doctor")
UPGRADE = marked("Upgrade: pip install --upgrade kakaocron")


class LockTimeoutError(KakaocronError):
    """Another process held the ledger's lock for too long: nothing was done."""

    exit_code = Exit.LOCK


class BugError(KakaocronError):
    """A fault of kakaocron's own; the log has the whole story."""

    exit_code = Exit.BUG
