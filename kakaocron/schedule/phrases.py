"""Times as people write them, in KST, in Korean and English. Pure.

What can be read in two ways, and what has passed, is refused, with the nearest reading.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from kakaocron.errors import UsageError
from kakaocron.kst import DAY, KST
from kakaocron.schedule.slots import parse_delivery_id

NOON = 12
HOURS = 24


class PhraseError(ValueError):
    """A time that cannot be read in exactly one way; `str()` says why and what is near."""


class _NoDayError(PhraseError):
    """A day that the calendar does not have; `near` is the one that it has instead."""

    def __init__(self, fault: str, near: date) -> None:
        super().__init__(fault)
        self.near = near

    def with_reading(self, moment: datetime) -> PhraseError:
        return PhraseError(f"{self}; did you mean {_shown(moment)}?")


@dataclass(frozen=True, slots=True)
class _Day:
    """A day as written: `again` gives the one after it that the same words may have meant."""

    day: date
    again: Callable[[date], date] | None = None


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of day; one that is half past `hour` twelve hours later too if it was not said."""

    hour: int
    minute: int
    may_be_afternoon: bool = False


_MORNING = _Clock(9, 0)
EXAMPLES = "such as 12:35, 'tomorrow 09:00', '내일 오후 3시 반' or 2026-11-23T12:35+09:00"


def read_time(text: str, now: datetime) -> datetime:
    """Return the instant that a phrase names, in KST. Raises PhraseError."""
    return _within_reach(text, now, may_be_past=False)


def read_moment(text: str, now: datetime) -> datetime:
    """Return the instant that a phrase names, in KST, be it past or to come: a bare time of day is
    today's. Raises PhraseError."""
    return _within_reach(text, now, may_be_past=True)


def _within_reach(text: str, now: datetime, *, may_be_past: bool) -> datetime:
    try:
        moment = _read(text, now.astimezone(KST), may_be_past=may_be_past)
    except OverflowError:
        raise PhraseError(f"the calendar has no '{text}'") from None
    if abs(moment - now) > LONGEST:
        raise PhraseError(f"'{text}' is more than ten years away; did you mean {now.year}?")
    return moment


def _read(text: str, now: datetime, *, may_be_past: bool) -> datetime:
    said = " ".join(unicodedata.normalize("NFKC", text).split())
    phrase = said.lower()
    iso = _iso(said, now)
    if iso is not None:
        return iso if may_be_past else _ahead(iso, now, said)
    if may_be_past and (ago := re.fullmatch(r"(.+?) ?(?:전에?|ago)", phrase)):
        return now - read_span(ago[1])
    span = re.fullmatch(r"in (.+)|(.+?) ?(?:후에?|뒤에?|from now|later)", phrase)
    if span:
        return now + read_span(span[1] or span[2])
    if phrase in {"midnight", "자정"}:
        return _at(now.date() + DAY, _Clock(0, 0))
    found = re.fullmatch(_DAY + _CLOCK, phrase, re.VERBOSE)
    if found is None or not phrase:
        raise PhraseError(f"cannot read the time '{text}'; write it {EXAMPLES}")
    try:
        day = _day({k: v for k, v in found.groupdict().items() if v is not None}, now)
    except _NoDayError as error:
        near = _Day(error.near, _next_month if found["only"] else _next_year)
        clock = _clock(found.groupdict(), near, now) if found["clock"] else _MORNING
        raise error.with_reading(_next_reading(near, clock, now)) from None
    if found["clock"] is None:
        near_at = _next_reading(day, _MORNING, now)
        is_first = may_be_past or near_at == _at(day.day, _MORNING)
        reading = f"'{said} 09:00'" if is_first else _shown(near_at)
        raise PhraseError(f"'{text}' names no time of day; did you mean {reading}?")
    clock = _clock(found.groupdict(), day, now)
    return _at(day.day, clock) if may_be_past else _chosen(day, clock, now, text)


def _at(day: date, clock: _Clock) -> datetime:
    return datetime.combine(day, time(clock.hour, clock.minute), KST)


def _shown(moment: datetime) -> str:
    return f"'{moment:%Y-%m-%d %H:%M}'"


def _ahead(moment: datetime, now: datetime, phrase: str) -> datetime:
    if moment >= now.replace(second=0, microsecond=0):
        return moment
    tomorrow = datetime.combine(now.date(), moment.timetz())
    tomorrow += DAY if tomorrow < now else timedelta(0)
    raise PhraseError(f"'{phrase}' has passed; did you mean {_shown(tomorrow)}?")


def _chosen(day: _Day, clock: _Clock, now: datetime, text: str) -> datetime:
    """Return the day's time if it is still to come; otherwise refuse it with the next reading."""
    moment, reading = _at(day.day, clock), _next_reading(day, clock, now)
    if reading == moment:
        return moment
    raise PhraseError(f"'{text}' has passed; did you mean {_shown(reading)}?")


def _next_reading(day: _Day, clock: _Clock, now: datetime) -> datetime:
    """Return the nearest instant still to come that a day and a time of day may mean."""
    moment = _at(day.day, clock)
    if moment >= now.replace(second=0, microsecond=0):
        return moment
    later = moment + timedelta(hours=NOON)
    if clock.may_be_afternoon and later > now:
        return later
    step = day.again or (lambda one: one + DAY)
    again = step(day.day) if day.again else now.date()
    while _at(again, clock) < now:
        again = step(again)
    return _at(again, clock)


_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_UNIT_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "초"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "분"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "시간"), "h"),
    **dict.fromkeys(("d", "day", "days", "일"), "d"),
    **dict.fromkeys(("w", "week", "weeks", "주", "주일"), "w"),
}
_COUNTS = {"a": 1, "an": 1, "one": 1, "한": 1, "두": 2, "세": 3, "네": 4, "half an": 0.5}
_PIECE = re.compile(
    r"(\d{1,6}|half an|an?|one|한|두|세|네) ?([a-z]+|시간|주일|[초분일주])( ?반)? ?"
)
LONGEST = timedelta(days=3660)


def read_span(text: str) -> timedelta:
    """Read how long from now: `5m`, `1h30m`, `90 seconds`, `1시간 30분`. Raises PhraseError."""
    phrase = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    total, rest = timedelta(0), phrase
    while rest:
        piece = _PIECE.match(rest)
        unit = _UNIT_WORDS.get(piece[2]) if piece else None
        if piece is None or unit is None:
            raise PhraseError(f"cannot read the span '{text}'; write it such as 5m, 1h30m or 10분")
        count = float(_COUNTS[piece[1]]) if piece[1] in _COUNTS else int(piece[1])
        total += (count + (0.5 if piece[3] else 0)) * _UNITS[unit]
        rest = rest[piece.end() :].removeprefix("and ")
        if total > LONGEST:
            raise PhraseError(f"'{text}' is more than ten years")
    if not total:
        raise PhraseError(f"'{text}' is no time at all; write a span such as 5m")
    return total


_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?: ?(?:Z|[+-]\d{2}(?::?\d{2})?))?"
)


def _iso(said: str, now: datetime) -> datetime | None:
    """Return an ISO 8601 instant; one without an offset is in KST."""
    phrase = said.upper()
    if not _ISO.fullmatch(phrase):
        return None
    if "24:00" in phrase[11:16]:
        raise PhraseError(f"'{said}': the day ends at 23:59; did you mean 00:00 of the next one?")
    try:
        moment = datetime.fromisoformat(phrase[:11] + phrase[11:].replace(" ", ""))
        return (moment if moment.tzinfo else moment.replace(tzinfo=KST)).astimezone(KST)
    except (ValueError, OverflowError):
        pass
    try:
        day = _real_day(int(phrase[:4]), int(phrase[5:7]), int(phrase[8:10]))
    except _NoDayError as error:
        if near := _iso(f"{error.near}{phrase[10:]}", now):
            again = _next_reading(
                _Day(near.date(), _next_year), _Clock(near.hour, near.minute), now
            )
            raise error.with_reading(again) from None
        raise
    raise PhraseError(f"'{said}' is no time of {day}; hours go from 00 to 23")


_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            ("mon", "monday", "월요일", "월"),
            ("tue", "tues", "tuesday", "화요일", "화"),
            ("wed", "wednesday", "수요일", "수"),
            ("thu", "thur", "thurs", "thursday", "목요일", "목"),
            ("fri", "friday", "금요일", "금"),
            ("sat", "saturday", "토요일", "토"),
            ("sun", "sunday", "일요일", "일"),
        )
    )
    for name in names
}
_DAY_WORDS = {
    **dict.fromkeys(("day before yesterday", "그저께", "그제"), -2),
    **dict.fromkeys(("yesterday", "어제"), -1),
    **dict.fromkeys(("today", "오늘"), 0),
    **dict.fromkeys(("tomorrow", "내일"), 1),
    **dict.fromkeys(("day after tomorrow", "the day after tomorrow", "모레", "내일모레"), 2),
    "글피": 3,
}
_MONTHS = dict(
    zip(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        range(1, 13),
        strict=True,
    )
)


def _any_of(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_DAY = rf"""
(?: (?:
    (?P<word> {_any_of(_DAY_WORDS)} )
  | (?P<week> (?:this|next) \  | 이번[ ]?주[ ]? | 다음[ ]?주[ ]? )?
    (?P<weekday> {_any_of(_WEEKDAYS)} )
  | (?: (?P<year> \d{{4}} ) (?: 년[ ]? | [-./][ ]? ) )?
    (?P<month> \d{{1,2}} ) (?: 월[ ]? | [-./][ ]? ) (?P<mday> \d{{1,2}} ) (?: 일 | \. )?
  | (?P<mname> {_any_of(_MONTHS)} ) [a-z]* \.?[ ] (?P<mday2> \d{{1,2}} ) (?: st|nd|rd|th )?
    (?: ,?[ ] (?P<year2> \d{{4}} ) )?
  | (?P<only> \d{{1,2}} ) 일
) (?: [ ,t]+ (?: at[ ] )? | (?=[오아새낮저밤정자]) | $ ) )?
"""
_CLOCK = r"""
(?: at[ ] )?
(?P<clock>
    (?P<named> noon | midnight | 정오 | 자정 )
  | (?P<part> 오전 | 오후 | 새벽 | 아침 | 낮 | 저녁 | 밤 )? [ ]?
    (?P<hour> \d{1,2} ) (?: : (?P<minute> \d{2} ) | 시 (?: [ ]? (?P<kmin> \d{1,2} ) 분 | [ ]?
    (?P<half> 반 ) )? (?: 에 )? )? [ ]?
    (?P<ampm> am | pm | a\.m\. | p\.m\. )?
)?
"""


def _day(found: dict[str, str], now: datetime) -> _Day:
    today = now.date()
    if word := found.get("word"):
        return _Day(today + _DAY_WORDS[word] * DAY)
    if weekday := found.get("weekday"):
        return _weekday(found.get("week", ""), _WEEKDAYS[weekday], today)
    if name := found.get("mname"):
        return _date(found.get("year2"), _MONTHS[name], int(found["mday2"]), today)
    if month := found.get("month"):
        return _date(found.get("year"), int(month), int(found["mday"]), today)
    if only := found.get("only"):
        return _Day(_real_day(today.year, today.month, int(only)), _next_month)
    return _Day(today, lambda day: day + DAY)


def _weekday(week: str, weekday: int, today: date) -> _Day:
    monday = today - today.weekday() * DAY
    if week.startswith("next"):
        first = today + ((weekday - today.weekday() - 1) % 7 + 1) * DAY
        raise PhraseError(
            f"'next' weekday can be this week's or the next one's; did you mean '{first}' or "
            f"'{first + 7 * DAY}'? Write the date"
        )
    if week.startswith("다음"):
        return _Day(monday + (7 + weekday) * DAY)
    if week:
        return _Day(monday + weekday * DAY, lambda day: day + 7 * DAY)
    return _Day(today + ((weekday - today.weekday()) % 7) * DAY, lambda day: day + 7 * DAY)


def _date(year: str | None, month: int, day: int, today: date) -> _Day:
    if year is None and (month, day) == (2, 29) and not _exists(today.year, 2, 29):
        leap = next(y for y in range(today.year, today.year + 9) if _exists(y, 2, 29))
        raise _NoDayError(f"{today.year} has no 29 February", date(leap, 2, 29))
    return _Day(_real_day(int(year) if year else today.year, month, day), _next_year)


def _next_month(one: date) -> date:
    """Return the same day of the next month that has it."""
    following = one.replace(day=1)
    while following <= one or not _exists(following.year, following.month, one.day):
        following = (following + 31 * DAY).replace(day=1)
    return following.replace(day=one.day)


def _next_year(one: date) -> date:
    try:
        return one.replace(year=one.year + 1)
    except ValueError:
        return date(one.year + 1, 2, 28)


def _real_day(year: int, month: int, day: int) -> date:
    """Return a date, or refuse one that the calendar does not have, with the one before it."""
    try:
        return date(year, month, day)
    except ValueError:
        pass
    if not 1 <= month <= 12 or not 1 <= day <= 31 or year < 1:  # noqa: PLR2004
        raise PhraseError(f"there is no day {day} of month {month}; write it as year-month-day")
    last = next(d for d in range(day, 0, -1) if _exists(year, month, d))
    raise _NoDayError(f"{year}-{month:02d} has no day {day}", date(year, month, last))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


# For each part of the day: the hours that it may be said with, and what is added to them.
_PARTS = {
    "오전": (range(12), 0),
    "새벽": (range(7), 0),
    "아침": (range(5, 12), 0),
    "낮": (range(1, 6), NOON),
    "저녁": (range(5, 12), NOON),
    "밤": (range(7, 12), NOON),
    "오후": (range(1, 12), NOON),
}


def _clock(found: dict[str, str | None], day: _Day, now: datetime) -> _Clock:
    if found["named"] in {"noon", "정오"}:
        return _Clock(NOON, 0)
    if found["named"]:
        raise PhraseError(_two_midnights(day, now))
    hour = int(found["hour"] or 0)
    said_minute = found["minute"] or found["kmin"]
    minute = 30 if found["half"] else int(said_minute or 0)
    part = found["part"] or {"a": "오전", "p": "오후"}.get((found["ampm"] or " ")[0], "")
    if hour == HOURS and minute == 0 and not part:
        raise PhraseError(
            f"the day ends at 23:59; did you mean "
            f"{_shown(_next_reading(_Day(day.day + DAY), _Clock(0, 0), now))}?"
        )
    if hour >= HOURS or minute > 59:  # noqa: PLR2004
        raise PhraseError(
            f"there is no {hour:02d}:{minute:02d}; hours go from 00 to 23, minutes from 00 to 59"
        )
    is_bare = not (found["minute"] or part or "시" in (found["clock"] or ""))
    if is_bare:
        raise PhraseError(
            f"'{hour}' alone can be a day or an hour; did you mean "
            f"{_shown(_next_reading(day, _Clock(hour, 0, 0 < hour < NOON), now))}?"
        )
    if not part:
        # 9시 may be in the evening; 09:00, as on a clock of 24 hours, is not.
        return _Clock(hour, minute, 0 < hour < NOON and not found["minute"])
    return _in_part(part, hour, minute, day, now)


def _in_part(part: str, hour: int, minute: int, day: _Day, now: datetime) -> _Clock:
    hours, added = _PARTS[part]
    if hour in hours:
        return _Clock(hour + added, minute)
    if hour == NOON and part in {"오후", "낮"}:
        return _Clock(NOON, minute)
    if hour > NOON and added:
        return _Clock(hour, minute)
    if hour == NOON:
        raise PhraseError(_two_midnights(day, now, may_be_noon=part == "오전"))
    reading = _next_reading(day, _Clock(hour, minute), now)
    raise PhraseError(f"'{part} {hour}' is unclear; did you mean {_shown(reading)}?")


def _two_midnights(day: _Day, now: datetime, *, may_be_noon: bool = False) -> str:
    start = _at(day.day, _Clock(0, 0))
    noon = [start + timedelta(hours=NOON)] if may_be_noon else []
    coming = [moment for moment in (start, *noon, start + DAY) if moment >= now]
    readings = coming or [_next_reading(day, _Clock(0, 0), now)]
    said = "midnight can begin the day or end it"
    if may_be_noon:
        said = f"12 in the morning can be noon or midnight, and {said}"
    return f"{said}; did you mean {' or '.join(map(_shown, readings))}?"


@contextmanager
def reading_times() -> Iterator[None]:
    """Turn a time that cannot be read into the error that the user sees."""
    try:
        yield
    except PhraseError as error:
        said = str(error)
        raise UsageError(said[:1].upper() + said[1:]) from None


def read_minute(text: str, now: datetime) -> datetime:
    """Read a minute, past or to come, or a delivery's id as that of its slot. Raises UsageError."""
    try:
        found = parse_delivery_id(text)[1]
    except ValueError:
        with reading_times():
            found = read_moment(text, now)
    return found.replace(second=0, microsecond=0)
