"""What the ticks leave of themselves: a line each, without an fsync. Pure.

A line is `HH:MM:SS.mmm WORD EXIT SIZE`, in a file per KST day: SIZE is that of the day's ledger
file then, which tells a ledger that shrank (an old copy put back) from one that grew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from kakaocron.core.calendar import KST


class Word(StrEnum):
    """What a tick says of itself."""

    START = "start"  # a full tick has begun
    IDLE = "idle"  # looked, nothing was due
    DONE = "done"  # every slot up to this instant has a state
    FAIL = "fail"  # ended, and that cannot be said
    RESET = "reset"  # the ledger file's new size was accepted after damage


COMPLETE = frozenset({Word.IDLE, Word.DONE})


@dataclass(frozen=True, slots=True)
class Beat:
    at: datetime
    word: Word
    exit_code: int
    ledger_bytes: int


def to_line(at: datetime, word: Word, exit_code: int, ledger_bytes: int) -> bytes:
    at = at.astimezone(KST)
    return (
        f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {word} {exit_code} {ledger_bytes}\n".encode()
    )


def parse(day: date, content: bytes) -> list[Beat]:
    """Return the beats of a day's file; a line that is none is passed over."""
    beats = []
    for line in content.split(b"\n"):
        try:
            clock, word, exit_code, size = line.decode("ascii").split(" ")
            at = datetime.combine(day, time.fromisoformat(clock), KST)
            beats.append(Beat(at, Word(word), int(exit_code), int(size)))
        except ValueError:
            continue
    return beats


def last_complete(beats: Iterable[Beat], now: datetime) -> datetime | None:
    """Return the last instant, not after `now`, up to which every slot has a state."""
    return max((b.at for b in beats if b.word in COMPLETE and b.at <= now), default=None)


def ledger_bytes(beats: Iterable[Beat]) -> int | None:
    """Return the size in bytes that the day's ledger file has certainly had, None if none is told.

    A ledger only grows, so the last word on it is the largest, unless a smaller one was accepted.
    """
    return next(
        (b.ledger_bytes for b in reversed(list(beats)) if b.word in {*COMPLETE, Word.RESET}), None
    )
