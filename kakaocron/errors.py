"""Every error that a user can meet: one line that says what, which, and what to do next."""

from __future__ import annotations


class ContentError(Exception):
    """The content cannot be made; `str()` says why, without secrets."""


class KakaocronError(Exception):
    """An expected failure; `str()` of it is the one line that the user reads."""

    exit_code = 1


class UsageError(KakaocronError):
    """Wrong usage or configuration: nothing was done."""

    exit_code = 2


class LoginError(KakaocronError):
    """Not logged in, or Kakao no longer accepts the saved login."""

    exit_code = 3


class LedgerError(KakaocronError):
    """The ledger cannot be written or read: nothing was sent."""

    exit_code = 74


# How a sentence ends that `doctor` has more to say of; in doctor's own list it is left out.
SEE_DOCTOR = "See: kakaocron doctor"


class LockTimeoutError(KakaocronError):
    """Another process held the ledger's lock for too long: nothing was done."""

    exit_code = 75


class BugError(KakaocronError):
    """A fault of kakaocron's own; the log has the whole story."""

    exit_code = 70
