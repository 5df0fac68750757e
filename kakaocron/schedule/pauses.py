"""When messages are paused because a person said so. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.kst import in_kst, isoformat, isoformat_if_any
from kakaocron.schedule.slots import (
    HORIZON,
    Minutes,
    Series,
    Slot,
    slots_between,
)
from kakaocron.text.documents import DocumentError, not_of_the_form, versioned, with_version

Paused = Callable[[str, datetime], bool]

MONTH = timedelta(days=31)


class Pause(Struct, frozen=True):
    """From `start` up to, not including, `until` (None: until resumed); `message` None is all."""

    start: datetime
    message: str | None = None
    until: datetime | None = None
    note: str | None = None
    is_resumed: bool = False  # a person has ended it, at `until`

    def covers(self, message: str, at: datetime) -> bool:
        return (
            self.message in {None, message}
            and self.start <= at
            and (self.until is None or at < self.until)
        )

    def is_open(self, now: datetime) -> bool:
        return not self.is_resumed and (self.until is None or now < self.until)


def as_of(pauses: Iterable[Pause], now: datetime) -> tuple[Pause, ...]:
    """Return the pauses as they are, also by a clock that was set back since they were ordered.

    One that a person has begun has begun, and one that a person has ended is over.
    """
    return tuple(
        replace(pause, start=now - HORIZON) if pause.start > now else pause
        for pause in pauses
        if not (pause.is_resumed and pause.until and pause.until > now)
    )


def is_paused(pauses: Sequence[Pause], message: str, at: datetime) -> bool:
    return _covering(pauses, message, at) is not None


def _covering(pauses: Sequence[Pause], message: str, at: datetime) -> Pause | None:
    return next((pause for pause in pauses if pause.covers(message, at)), None)


def first_open(
    series: Iterable[Series],
    pauses: Sequence[Pause],
    after: datetime,
    kind: str | None = None,
    taken: Container[str] = (),
) -> Slot | None:
    """Return the first slot after an instant at which its message is not paused.

    Only one of a kind, regular or peak, if that is given; none whose id is taken. None if there is
    none within a year, or of a kind within a month, counted from the end of the pauses.
    """
    found: list[Slot] = []
    for one in series:
        times, span = one.timetable.times, MONTH if kind else HORIZON
        if kind is None or (isinstance(times, Minutes) and times.has(kind)):
            slots = open_slots(one, pauses, after, span)
            found += islice((s for s in slots if kind in {None, s.kind} and s.id not in taken), 1)
    return min(found, key=lambda slot: (slot.at, slot.message), default=None)


def open_slots(
    one: Series, pauses: Sequence[Pause], after: datetime, span: timedelta = HORIZON
) -> Iterator[Slot]:
    """Yield the slots of a message at which it is not paused, for a span from the last pause on."""
    slots = slots_between(one.name, one.timetable, after, after + span)
    while (slot := next(slots, None)) is not None:
        pause = _covering(pauses, one.name, slot.at)
        if pause is None:
            yield slot
        elif pause.until is None:
            return
        else:  # leapt over: it may last for years
            resumed_at = pause.until - timedelta.resolution
            slots = slots_between(one.name, one.timetable, resumed_at, resumed_at + span)


def resumed(pauses: Sequence[Pause], message: str | None, now: datetime) -> tuple[Pause, ...]:
    """End the pauses of one message, or all, that are open; the past stays as it was.

    One that has come to its end by itself is over too, whatever a clock shows that is set back.
    """
    return tuple(
        replace(pause, until=min(now, pause.until or now), is_resumed=True)
        if message in {None, pause.message} and not pause.is_resumed
        else pause
        for pause in pauses
    )


def to_json(pauses: Sequence[Pause]) -> bytes:
    rows = [
        {
            "start": isoformat(pause.start),
            "message": pause.message,
            "until": isoformat_if_any(pause.until),
            "note": pause.note,
            "resumed": pause.is_resumed,
        }
        for pause in pauses
    ]
    return json.dumps(with_version({"pauses": rows}), ensure_ascii=False).encode() + b"\n"


def from_json(content: bytes) -> tuple[Pause, ...]:
    """Read pauses back. Raises DocumentError for anything that is none."""
    try:
        document = versioned(content)
        return tuple(
            Pause(
                in_kst(datetime.fromisoformat(row["start"])),
                _text(row["message"]),
                in_kst(datetime.fromisoformat(row["until"])) if row["until"] else None,
                _text(row["note"]),
                row.get("resumed") is True,
            )
            for row in document["pauses"]
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise not_of_the_form(error) from None


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DocumentError("odd-form")
    return value
