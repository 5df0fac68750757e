"""Which minutes are slots. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Protocol

from msgspec import Struct

from kakaocron.kst import DAY, KST, within_reason
from kakaocron.language.words import _

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# A cron expression such as "0 9 29 2 *" matches once in years: looking ahead must end.
HORIZON = timedelta(days=366)
FAR_HORIZON = 40 * HORIZON

_DELIVERY_ID = re.compile(r"([^@\s/]+)@([0-9]{8}T(?:[01][0-9]|2[0-3])[0-5][0-9])")


class Slot(Struct, frozen=True):
    """One message at one instant. The kind is a property of the minute, not part of the name."""

    message: str
    at: datetime
    kind: str

    @property
    def id(self) -> str:
        return delivery_id(self.message, self.at)


def delivery_id(name: str, at: datetime) -> str:
    """Name a delivery by what it is and when it is due, as in `report@20261123T0930`."""
    return f"{name}@{_stamp(at)}"


@lru_cache(maxsize=4096)  # of an instant there are many: one for each message
def _stamp(at: datetime) -> str:
    return f"{at.astimezone(KST):%Y%m%dT%H%M}"


def parse_delivery_id(text: str) -> tuple[str, datetime]:
    """Return the message name and the slot's instant in KST; ValueError for anything else."""
    match = _DELIVERY_ID.fullmatch(text)
    try:
        if match:
            return match[1], _instant(match[2])
    except ValueError:  # a date that no calendar has
        pass
    raise ValueError(
        _("'{text}' is not a delivery id such as report@20261123T0930").format(text=text)
    )


def slot_day(id_: str) -> date:
    """Return the KST day of the slot of a delivery. Raises ValueError for what is no id."""
    return parse_delivery_id(id_)[1].date()


@lru_cache(maxsize=4096)
def _instant(stamp: str) -> datetime:
    return within_reason(datetime.fromisoformat(stamp).replace(tzinfo=KST))


class Span(Struct, frozen=True):
    """Hours of the day from `start` up to, not including, `end`; may cross midnight."""

    start: time
    end: time

    def __contains__(self, moment: datetime) -> bool:
        clock = moment.astimezone(KST).time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


class Times(Protocol):
    """When a message may be due, and of which kind each minute is."""

    def between(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        """Yield (instant, kind) in order, for `after` < instant <= `until`."""
        ...

    def fields(self) -> dict[str, Any]:
        """Return what they are made of, as JSON."""
        ...


class Minutes(Struct, frozen=True):
    """The regular and peak minutes of the clock; one that is both is of kind `peak`.

    A message that lists only `regular` is still due at a minute that is both.
    """

    regular_minutes: frozenset[int]
    peak_minutes: frozenset[int]
    peak_hours: frozenset[int]
    kinds: frozenset[str]

    def kind_at(self, hour: int, minute: int) -> str | None:
        regular = minute in self.regular_minutes
        peak = minute in self.peak_minutes and hour in self.peak_hours
        if not (regular and "regular" in self.kinds) and not (peak and "peak" in self.kinds):
            return None
        return "peak" if peak else "regular"

    def fields(self) -> dict[str, Any]:
        return {name: sorted(getattr(self, name)) for name in self.__struct_fields__}

    def has(self, kind: str) -> bool:
        minutes = self.regular_minutes | self.peak_minutes
        return any(self.kind_at(hour, minute) == kind for hour in range(24) for minute in minutes)

    def between(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        hour = after.astimezone(KST).replace(minute=0, second=0, microsecond=0)
        while hour <= until:
            for minute, kind in _of_hour(self, hour.hour):
                if after < (at := hour.replace(minute=minute)) <= until:
                    yield at, kind
            hour += timedelta(hours=1)


@lru_cache(maxsize=1024)  # most messages have the same times
def _of_hour(times: Minutes, hour: int) -> list[tuple[int, str]]:
    minutes = sorted(times.regular_minutes | times.peak_minutes)
    return [(one, kind) for one in minutes if (kind := times.kind_at(hour, one)) is not None]


class Timetable(Struct, frozen=True):
    """A message's times, less its days off and quiet hours.

    One that was changed holds from `since` on, and `before` is what held until then (None: the
    message was not there).
    """

    times: Times
    days: frozenset[int] = frozenset(range(7))
    quiet: tuple[Span, ...] = ()
    is_holiday: Callable[[date], bool] | None = None
    since: datetime | None = None
    before: Timetable | None = None

    def held_at(self, at: datetime) -> Timetable | None:
        """Return the timetable that holds, or held, at an instant; None before the first."""
        if self.since is None or at >= self.since:
            return self
        return self.before.held_at(at) if self.before else None

    def left_out(self, at: datetime) -> str | None:
        """Say why a minute that would be a slot is none: `day`, `quiet`, `holiday`, or None."""
        if at.weekday() not in self.days:
            return "day"
        if any(at in span for span in self.quiet):
            return "quiet"
        if self.is_holiday is not None and self.is_holiday(at.date()):
            return "holiday"
        return None

    def between(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        if self.since is not None and after < self.since:
            end = self.since - timedelta.resolution
            if self.before is not None:
                yield from self.before.between(after, min(until, end))
            after = end
        for at, kind in self.times.between(after, until):
            if self.left_out(at) is None:
                yield at, kind


def slots_between(
    name: str, timetable: Timetable, after: datetime, until: datetime
) -> Iterator[Slot]:
    """Yield the slots of one message in order, for `after` < instant <= `until`."""
    for at, kind in timetable.between(after, until):
        yield Slot(name, at, kind)


def count_of_day(timetable: Timetable, day: date) -> int:
    """Return how many slots a message has on a day."""
    start = datetime.combine(day, time(), KST) - timedelta.resolution
    return sum(1 for _ in timetable.between(start, start + DAY))


def slot_at(name: str, timetable: Timetable, at: datetime) -> Slot | None:
    """Return the slot of a message at an instant, if it has one there."""
    return next(slots_between(name, timetable, at - timedelta.resolution, at), None)


def next_slot(name: str, timetable: Timetable, after: datetime) -> Slot | None:
    """Return the first slot later than `after`, or None if there is none within a year."""
    return next(slots_between(name, timetable, after, after + HORIZON), None)


def not_within_a_year(
    name: str, timetable: Timetable, after: datetime
) -> tuple[str, datetime | None] | None:
    """Return the name of a message without a slot in the year after, and the first one after
    that, if any; None for a message that has one sooner."""
    far = next(timetable.between(after, after + FAR_HORIZON), None)
    if far is None:
        return name, None
    at, _ = far
    return None if at <= after + HORIZON else (name, at)


def expiry(slot: Slot, timetable: Timetable | None, expire_after: timedelta) -> datetime:
    """Return the instant from which the slot may no longer be sent.

    That is `expire_after` later, and never past the next slot of the same message.
    """
    limit = slot.at + expire_after
    if timetable is None:
        return limit
    following = next(timetable.between(slot.at, limit), None)
    return following[0] if following else limit


class Series(Struct, frozen=True):
    """A configured message: when it is due and to whom it goes."""

    name: str
    timetable: Timetable
    to: tuple[str, ...]
