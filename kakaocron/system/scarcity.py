"""What the machine has run out of: memory, threads, processes or descriptors. No bug of ours."""

from __future__ import annotations

import errno

SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOBUFS})
# Python's own words where it has no thread (RuntimeError), and the loader's (ImportError).
_WORDS = (
    "start new thread",
    "can't allocate",
    "Too many open files",
    "Cannot allocate memory",
    "failed to map segment",
)


def is_scarcity(error: BaseException | None) -> bool:
    """Say whether an error, or what has caused it, is that the machine has no more to give."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        if isinstance(error, OSError) and error.errno in SCARCE:
            return True
        if isinstance(error, RuntimeError | ImportError) and any(w in str(error) for w in _WORDS):
            return True
        error = error.__cause__
    return False
