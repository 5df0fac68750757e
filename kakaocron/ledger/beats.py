"""What the ticks leave of themselves: a line each, without an fsync. Pure.

A line is `HH:MM:SS.mmm WORD EXIT SIZE MARK`, in a file per KST day: SIZE is that of the day's
ledger file then, MARK the checksum of its last line. They tell a ledger that shrank, or was
replaced (an old copy put back), from one that grew. Of hosts that share a ledger the host's name
follows. The first line, `v 1`, is the version of that form; a file of earlier has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from kakaocron.kst import KST


class Word(StrEnum):
    """What a tick says of itself."""

    START = "start"  # a full tick has begun
    IDLE = "idle"  # looked, nothing was due
    DONE = "done"  # every slot up to this instant has a state
    FAIL = "fail"  # ended, and that cannot be said
    RESET = "reset"  # the ledger file's new size was accepted after damage


WORDS = {word.value: word for word in Word}
VERSION = 1
FIRST_LINE = f"v {VERSION}\n".encode()
NO_MARK = "-"
MARK_LENGTH = 8
_HOST = "host="
FIRST_BYTES = 16
CLOCK_LENGTH = len("HH:MM:SS.mmm")
COMPLETE = frozenset({Word.IDLE, Word.DONE})


class End(NamedTuple):
    """Where a day's ledger file ended, and the checksum of the line that ended there."""

    size: int = 0
    mark: str = NO_MARK

    def __str__(self) -> str:
        return f"{self.size} {self.mark}"


NOTHING = End()


class Beat(Struct, frozen=True):
    at: datetime
    word: Word
    exit_code: int
    ledger_end: End
    host: str | None = None

    @property
    def is_of_a_tick(self) -> bool:
        """Whether a tick ran at its instant. A reset says of which day's ledger it is, not when."""
        return self.word is not Word.RESET


def to_line(
    at: datetime, word: Word, exit_code: int, ledger_end: End, host: str | None = None
) -> bytes:
    at = at.astimezone(KST)
    clock = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
    return f"{clock} {word} {exit_code} {ledger_end}{f' host={host}' if host else ''}\n".encode()


def is_of_later(content: bytes) -> bool:
    """Say whether a day's file is of a later version, as its beginning tells: what its lines mean
    is not known."""
    word, _, version = content.partition(b"\n")[0].partition(b" ")
    return word == b"v" and version.isdigit() and int(version) > VERSION


def parse(day: date, content: bytes) -> list[Beat]:
    """Return the beats of a day's file; a line that is none is passed over."""
    if is_of_later(content[:FIRST_BYTES]):
        return []
    lines = content.split(b"\n")
    return [beat for line in lines if (beat := _from_line(day, line)) is not None]


def first_of_a_tick(day: date, content: bytes) -> Beat | None:
    """Return the earliest beat of a tick in a day's file."""
    if is_of_later(content[:FIRST_BYTES]):
        return None
    # Each line begins with its time of day, so that few have to be understood.
    beats = (_from_line(day, line) for line in sorted(content.split(b"\n")))
    return next((beat for beat in beats if beat is not None and beat.is_of_a_tick), None)


def first_of(day: date, contents: Iterable[bytes]) -> Beat | None:
    """Return the earliest beat of a tick in all of a day's files."""
    found = (first_of_a_tick(day, content) for content in contents)
    return min((beat for beat in found if beat), key=lambda beat: beat.at, default=None)


@lru_cache(maxsize=8192)  # a process reads the same day several times: two lines a minute
def _from_line(day: date, line: bytes) -> Beat | None:
    try:
        clock, word, exit_code, size, *rest = line.decode().split(" ")
        host = rest.pop().removeprefix(_HOST) if rest and rest[-1].startswith(_HOST) else None
        if len(clock) != CLOCK_LENGTH:
            return None  # the end of a clock's time is one too: "01.118" would be one o'clock
        end = End(int(size), *rest)
        if end.mark != NO_MARK and len(end.mark) != MARK_LENGTH:
            return None  # torn by a power cut: the beginning of a mark is that of another ledger
        at = datetime.combine(day, time.fromisoformat(clock), KST)
        return Beat(at, WORDS[word], int(exit_code), end, host)
    except (LookupError, ValueError, TypeError):
        return None


def last_complete(beats: Iterable[Beat], now: datetime) -> datetime | None:
    """Return the last instant, not after `now`, up to which every slot has a state."""
    return max((b.at for b in beats if b.word in COMPLETE and b.at <= now), default=None)


def ledger_end(beats: Iterable[Beat]) -> End | None:
    """Return where the day's ledger file has certainly ended once, None if none is told.

    A ledger only grows, so the last word on it is the largest, unless a smaller one was accepted.
    """
    return next(
        (b.ledger_end for b in reversed(list(beats)) if b.word in {*COMPLETE, Word.RESET}), None
    )
