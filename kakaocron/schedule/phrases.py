"""Times as people write them, in KST, in Korean and English. Pure.

What can be read in two ways, and what has passed, is refused, with the nearest reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta

from msgspec import Struct

from kakaocron.errors import UsageError
from kakaocron.kst import DAY, KST
from kakaocron.language.words import _, marked
from kakaocron.schedule.slots import parse_delivery_id
from kakaocron.schedule.spans import (
    DAYS,
    LONGEST,
    NATIVE,
    NUMBER,
    SINO,
    PhraseError,
    any_of,
    number_of,
    plain_letters,
    read_span,
)

NOON = 12
HOURS = 24


class _NoDayError(PhraseError):
    """A day that the calendar does not have; `near` is the one that it has instead."""

    def __init__(self, fault: str, near: date) -> None:
        super().__init__(fault)
        self.near = near

    def with_reading(self, moment: datetime) -> PhraseError:
        return _meant(str(self), moment)


class _Day(Struct, frozen=True):
    """A day as written: `again` gives the one after it that the same words may have meant."""

    day: date
    again: Callable[[date], date] | None = None


class _Clock(Struct, frozen=True):
    """A time of day; one that is half past `hour` twelve hours later too if it was not said."""

    hour: int
    minute: int
    may_be_afternoon: bool = False


_MORNING = _Clock(9, 0)
EXAMPLES = marked("12:35, 'tomorrow 09:00', '내일 오후 3시 반' or 2026-11-23T12:35+09:00")


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
        raise PhraseError(_("the calendar has no '{text}'").format(text=text)) from None
    if abs(moment - now) > LONGEST:
        what = _("'{text}' is more than ten years away; did you mean {year}?")
        raise PhraseError(what.format(text=text, year=now.year))
    return moment


_NOW = frozenset({"now", "right now", "지금", "지금 바로", "바로 지금", "당장", "지금 당장"})
_JUST_NOW = frozenset({"just now", "방금", "방금 전"})
_AFTER = "(?:이후|(?<!오)후|뒤|있다가?|이따가?)에?"
_AHEAD = re.compile(rf"in (.+)|(.+?)(?<![달월])(?<![달월][ ])[ ]?(?:{_AFTER}|from now|later)")
_AGO = re.compile(r"(.+?)(?<![달월])(?<![달월][ ])[ ]?(?:(?<!오)전에?|ago)")
_AGAIN = re.compile(
    r"매 ?[일주월달년시분\d]|날마다|마다|평일|\b(?:every|each|daily|hourly|weekly|monthly|yearly)\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun|week)days\b"
)
AGAIN = marked(
    "'{text}' repeats, and this takes one time. For a repeating message: [[message]] in "
    'config.toml, as in cron = "0 9 * * mon-fri" (where it is: kakaocron config path)'
)


def _read(text: str, now: datetime, *, may_be_past: bool) -> datetime:
    said = plain_letters(text)
    phrase = said.lower()
    iso = _iso(said, now)
    if iso is not None:
        return iso if may_be_past else _ahead(iso, now, said)
    if phrase in _NOW:
        return now
    if _AGAIN.search(phrase):
        raise PhraseError(_(AGAIN).format(text=text))
    near = _near_now(phrase, now)
    if near is not None:
        if near <= now and not may_be_past:
            raise PhraseError(_("'{text}' has passed; did you mean 'now'?").format(text=text))
        return near
    if re.fullmatch("midnight|자정(?:에|까지)?", phrase):
        return _at(now.date() + DAY, _Clock(0, 0))
    found = re.fullmatch(_DAY + _CLOCK, phrase, re.VERBOSE)
    if found is None or not phrase:
        what = _("cannot read the time '{text}'; write it such as {examples}")
        raise PhraseError(what.format(text=text, examples=_(EXAMPLES)))
    try:
        day = _day({k: v for k, v in found.groupdict().items() if v is not None}, now)
    except _NoDayError as error:
        near_day = _Day(error.near, _next_month if found["only"] else _next_year)
        clock = _clock(found.groupdict(), near_day, now) if found["clock"] else _MORNING
        raise error.with_reading(_next_reading(near_day, clock, now)) from None
    if found["clock"] is None:
        if found["unit"] in _MONTHS_LONG:
            return datetime.combine(day.day, now.timetz())
        raise _no_clock(day, said, now, may_be_past=may_be_past)
    clock = _clock(found.groupdict(), day, now)
    return _at(day.day, clock) if may_be_past else _chosen(day, clock, now, text)


def _near_now(phrase: str, now: datetime) -> datetime | None:
    """Return what is said by how far it is from now; None for any other phrase."""
    if phrase in _JUST_NOW:
        return now
    if ago := _AGO.fullmatch(phrase):
        return now - read_span(ago[1])
    if span := _AHEAD.fullmatch(phrase):
        return now + read_span(span[1] or span[2])
    return None


def _no_clock(day: _Day, said: str, now: datetime, *, may_be_past: bool) -> PhraseError:
    near_at = _next_reading(day, _MORNING, now)
    if day.day < now.date() and not may_be_past:
        return _passed(said, near_at)
    is_first = may_be_past or near_at == _at(day.day, _MORNING)
    reading = f"'{said} 09:00'" if is_first else near_at
    return _meant(_("'{text}' names no time of day").format(text=said), reading)


def _passed(said: str, reading: datetime) -> PhraseError:
    return _meant(_("'{text}' has passed").format(text=said), reading)


def _meant(why: str, *readings: datetime | date | str) -> PhraseError:
    """Refuse a phrase, with what may be meant, as it can be typed."""
    what = _("{why}; did you mean {readings}?")
    return PhraseError(what.format(why=why, readings=_(" or ").join(map(_shown, readings))))


def _shown(reading: datetime | date | str) -> str:
    if isinstance(reading, str):
        return reading
    return f"'{reading:%Y-%m-%d %H:%M}'" if isinstance(reading, datetime) else f"'{reading}'"


def _at(day: date, clock: _Clock) -> datetime:
    return datetime.combine(day, time(clock.hour, clock.minute), KST)


def _ahead(moment: datetime, now: datetime, phrase: str) -> datetime:
    if moment >= now.replace(second=0, microsecond=0):
        return moment
    tomorrow = datetime.combine(now.date(), moment.timetz())
    tomorrow += DAY if tomorrow < now else timedelta(0)
    raise _passed(phrase, tomorrow)


def _chosen(day: _Day, clock: _Clock, now: datetime, text: str) -> datetime:
    """Return the day's time if it is still to come; otherwise refuse it with the next reading."""
    moment, reading = _at(day.day, clock), _next_reading(day, clock, now)
    if reading == moment:
        return moment
    raise _passed(text, reading)


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


_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?: ?(?:Z|[+-]\d{2}(?::?\d{2})?))?"
)


def _iso(said: str, now: datetime) -> datetime | None:
    """Return an ISO 8601 instant; one without an offset is in KST."""
    phrase = said.upper()
    if not _ISO.fullmatch(phrase):
        return None
    if "24:00" in phrase[11:16]:
        what = _("'{text}': the day ends at 23:59; did you mean 00:00 of the next one?")
        raise PhraseError(what.format(text=said))
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
    what = _("'{text}' is no time of {day}; hours go from 00 to 23")
    raise PhraseError(what.format(text=said, day=day))


_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            ("mon", "monday", "월요일", "월욜", "월"),
            ("tue", "tues", "tuesday", "화요일", "화욜", "화"),
            ("wed", "wednesday", "수요일", "수욜", "수"),
            ("thu", "thur", "thurs", "thursday", "목요일", "목욜", "목"),
            ("fri", "friday", "금요일", "금욜", "금"),
            ("sat", "saturday", "토요일", "토욜", "토"),
            ("sun", "sunday", "일요일", "일욜", "일"),
        )
    )
    for name in names
}
_DAY_WORDS = {
    **dict.fromkeys(("그끄저께", "그끄제"), -3),
    **dict.fromkeys(("day before yesterday", "그저께", "그제"), -2),
    **dict.fromkeys(("yesterday", "어제"), -1),
    **dict.fromkeys(("today", "오늘", "금일"), 0),
    **dict.fromkeys(("tomorrow", "내일", "낼", "명일"), 1),
    **dict.fromkeys(
        ("day after tomorrow", "the day after tomorrow", "모레", "내일모레", "낼모레"), 2
    ),
    "글피": 3,
    "그글피": 4,
}
# How many weeks, months and years from this one.
_WEEKS = {
    **dict.fromkeys(("지난", "저번"), -1),
    **dict.fromkeys(("이번", "금"), 0),
    **dict.fromkeys(("다음", "담", "차", "내"), 1),
    **dict.fromkeys(("다다음", "다담", "담담"), 2),
}
_WHICH_MONTH = {"지난": -1, "저번": -1, "이번": 0, "다음": 1, "담": 1, "다다음": 2}
_WHICH_YEAR = {"작년": -1, "지난해": -1, "올해": 0, "금년": 0, "내년": 1}
_MONTHS_LONG = ("달", "개월")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        1,
    )
    for name in names
}


# For each part of the day: the hours that it may be said with, and what is added to them.
_PARTS = {
    "오전": (range(12), 0),
    "새벽": (range(7), 0),
    "아침": (range(5, 12), 0),
    "낮": (range(1, 6), NOON),
    "점심": (range(1, 4), NOON),
    "저녁": (range(5, 12), NOON),
    "밤": (range(7, 12), NOON),
    "오후": (range(1, 12), NOON),
}
# What hour a part of the day is where none is said; that of the second ones nobody can tell.
_HOURS = {
    **dict.fromkeys(("아침", "morning"), 9),
    **dict.fromkeys(("점심", "lunch"), NOON),
    **dict.fromkeys(("저녁", "evening"), 18),
    **dict.fromkeys(("밤", "night", "tonight"), 21),
}
_MANY_HOURS = {"새벽": 5, "오전": 9, "낮": 14, "오후": 15, "afternoon": 15}


_DAY = rf"""
(?: (?:
    (?P<word> {any_of(_DAY_WORDS)} )
  | (?P<week> {any_of(_WEEKS)} ) [ ]? 주 [ ]?
    (?: (?P<weekend> 말 ) | (?P<wday> {any_of(_WEEKDAYS)} ) )?
  | (?P<which> (?:this|next) [ ] | (?:이번|다음|담) [ ]? | (?:돌아)?오는 [ ]? )?
    (?P<weekday> {any_of(_WEEKDAYS)} )
  | (?P<either> 주말 )
  | (?: (?P<days> {any_of(DAYS)} )
      | (?!이[ ]?달) (?P<count> {NUMBER} ) [ ]?
        (?P<unit> 일 | 주일? | {any_of(_MONTHS_LONG)} ) ) [ ]?
    (?: {_AFTER} | (?P<ago> 전 ) 에? )
  | (?: (?P<year> \d{{4}} | \d{{2}} (?=년) ) (?: 년[ ]? | [-./][ ]? )
      | (?P<year_word> {any_of(_WHICH_YEAR)} ) [ ]? )?
    (?P<month> \d{{1,2}} ) (?: 월[ ]? | [-./][ ]? ) (?P<mday> \d{{1,2}} ) (?: 일 | \. )?
  | (?P<digits> \d{{8}} )
  | (?P<mname> {any_of(_MONTHS)} ) \.?[ ] (?P<mday2> \d{{1,2}} ) (?: st|nd|rd|th )?
    (?: ,?[ ] (?P<year2> (?:19|2[01]) \d{{2}} ) )?
  | (?: (?P<which_month> {any_of(_WHICH_MONTH)} ) [ ]? 달 [ ]? )? (?P<only> \d{{1,2}} ) 일
  )
  (?: [ ]? \( (?P<beside> {any_of(_WEEKDAYS)} ) \)
    | [ ] (?P<beside2> {any_of(w for w in _WEEKDAYS if len(w) > 1)} ) )?
  날? (?: 에 | 까지 )? (?: [ ,t]+ (?: at[ ] )? | (?<=[가-힣)]) | $ )
)?
"""
_CLOCK = rf"""
(?: at[ ] )?
(?P<clock>
  (?: (?P<named> noon | midnight | 정오 | 자정 )
    | (?P<hours> {any_of((*_HOURS, *_MANY_HOURS))} ) (?: 때 )?
    | (?: (?P<part> {any_of(_PARTS)} ) (?: 때|에 )? | (?P<before> am|pm ) )? [ ]?
      (?: (?P<hhmm> \d{{4}} )
        | (?P<hour> \d{{1,2}} | (?: {any_of(NATIVE)} ) (?= [ ]? 시 ) )
          (?: : (?P<minute> \d{{2}} ) | [ ]? 시 (?: [ ]? (?P<kmin> \d{{1,2}} (?= [ ]? 분 ) | \d{{2}}
            | (?: {any_of(SINO)} ) (?= [ ]? 분 ) ) (?: [ ]? 분 )? | [ ]? (?P<half> 반 ) )? )?
          (?: [ ]? 정각 )? [ ]? (?P<ampm> am | pm | a\.m\. | p\.m\. )?
      )
  ) (?: 에|까지 )?
)?
"""


def _day(found: dict[str, str], now: datetime) -> _Day:
    day = _day_alone(found, now.date())
    said = found.get("beside") or found.get("beside2")
    if said is None or day.day.weekday() == _WEEKDAYS[said]:
        return day
    # "1월 3일(일)", said in November, is the next year's if that is a Sunday.
    following = day.again(day.day) if day.again and day.day < now.date() else day.day
    if following.weekday() == _WEEKDAYS[said]:
        return _Day(following, day.again)
    what = _("{day} is a {weekday}, not '{text}'; write the one that is meant")
    raise PhraseError(what.format(day=day.day, weekday=_(_NAMES[day.day.weekday()]), text=said))


def _day_alone(found: dict[str, str], today: date) -> _Day:
    if word := found.get("word"):
        return _Day(today + _DAY_WORDS[word] * DAY)
    if week := found.get("week"):
        return _in_week(found, _WEEKS[week], today)
    if weekday := found.get("weekday"):
        return _weekday(found.get("which", "").strip(), _WEEKDAYS[weekday], today)
    if "either" in found:
        raise _two_days(today + (5 - today.weekday()) % 7 * DAY)
    if count := found.get("days") or found.get("count"):
        return _from_today(count, found, today)
    return _calendar_day(found, today)


def _calendar_day(found: dict[str, str], today: date) -> _Day:
    if digits := found.get("digits"):
        return _date(digits[:4], int(digits[4:6]), int(digits[6:]), today)
    if name := found.get("mname"):
        return _date(found.get("year2"), _MONTHS[name], int(found["mday2"]), today)
    if month := found.get("month"):
        year = found.get("year", "")
        year = f"20{year}" if len(year) == 2 else year  # noqa: PLR2004
        if which_year := found.get("year_word"):
            year = str(today.year + _WHICH_YEAR[which_year])
        return _date(year or None, int(month), int(found["mday"]), today)
    if only := found.get("only"):
        which = found.get("which_month")
        month_of = _months_from(today.replace(day=1), _WHICH_MONTH[which]) if which else today
        return _Day(_real_day(month_of.year, month_of.month, int(only)), _next_month)
    return _Day(today, lambda day: day + DAY)


_NAMES = (
    marked("Monday"),
    marked("Tuesday"),
    marked("Wednesday"),
    marked("Thursday"),
    marked("Friday"),
    marked("Saturday"),
    marked("Sunday"),
)


def _from_today(count: str, found: dict[str, str], today: date) -> _Day:
    """Return the day that lies so many days, weeks or months ahead, or behind."""
    number = DAYS[count] if "days" in found else number_of(count)
    if number % 1:
        raise PhraseError(_("'{count}' is no whole number of days").format(count=count))
    number = int(-number if "ago" in found else number)
    if found.get("unit") in _MONTHS_LONG:
        return _Day(_months_from(today, number))
    return _Day(today + number * (7 if found.get("unit", "").startswith("주") else 1) * DAY)


def _months_from(day: date, number: int) -> date:
    """Return the same day so many months on; refuse one that the calendar does not have."""
    months = day.year * 12 + day.month - 1 + number
    if not MINYEAR <= months // 12 <= MAXYEAR:
        raise OverflowError
    return _real_day(months // 12, months % 12 + 1, day.day)


def _in_week(found: dict[str, str], weeks: int, today: date) -> _Day:
    monday = today + (7 * weeks - today.weekday()) * DAY
    if weekday := found.get("wday"):
        again = (lambda day: day + 7 * DAY) if weeks <= 0 else None
        return _Day(monday + _WEEKDAYS[weekday] * DAY, again)
    if "weekend" in found:
        raise _two_days(monday + 5 * DAY)
    what = _("a week is seven days; did you mean '{monday}', its Monday? Write the date")
    raise PhraseError(what.format(monday=monday))


def _two_days(saturday: date) -> PhraseError:
    return _meant(_("'주말' is two days, and one is wanted"), saturday, saturday + DAY)


def _weekday(which: str, weekday: int, today: date) -> _Day:
    def a_week_on(day: date) -> date:
        return day + 7 * DAY

    coming = today + (weekday - today.weekday()) % 7 * DAY
    if which in {"next", "다음", "담"}:
        first = coming if coming > today else coming + 7 * DAY
        why = _("'{text}' weekday can be this week's or the next one's").format(text=which)
        raise _meant(why, first, first + 7 * DAY)
    if which in {"this", "이번"}:
        return _Day(today + (weekday - today.weekday()) * DAY, a_week_on)
    if which and coming == today:  # 오는
        return _Day(coming + 7 * DAY, a_week_on)
    return _Day(coming, a_week_on)


def _date(year: str | None, month: int, day: int, today: date) -> _Day:
    if year is None and (month, day) == (2, 29) and not _exists(today.year, 2, 29):
        leap = next(y for y in range(today.year, today.year + 9) if _exists(y, 2, 29))
        why = _("{year} has no 29 February").format(year=today.year)
        raise _NoDayError(why, date(leap, 2, 29))
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
        what = _("there is no day {day} of month {month}; write it as year-month-day")
        raise PhraseError(what.format(day=day, month=month))
    last = next(d for d in range(day, 0, -1) if _exists(year, month, d))
    why = _("{year}-{month:02d} has no day {day}").format(year=year, month=month, day=day)
    raise _NoDayError(why, date(year, month, last))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _clock(found: dict[str, str | None], day: _Day, now: datetime) -> _Clock:
    if found["named"] in {"noon", "정오"}:
        return _Clock(NOON, 0)
    if found["named"]:
        raise _two_midnights(day, _Clock(0, 0), now)
    if named := found["hours"]:
        if named in _HOURS:
            return _Clock(_HOURS[named], 0)
        reading = _next_reading(day, _Clock(_MANY_HOURS[named], 0), now)
        raise _meant(_("'{part}' has many hours").format(part=named), reading)
    hour, minute = _figures(found)
    part = found["part"]
    if half := found["before"] or found["ampm"]:
        part = part or {"a": "오전", "p": "오후"}[half[0]]
    if hour == HOURS and minute == 0 and not part:
        reading = _next_reading(_Day(day.day + DAY), _Clock(0, 0), now)
        raise _meant(_("the day ends at 23:59"), reading)
    if hour >= HOURS or minute > 59:  # noqa: PLR2004
        what = _("there is no {time}; hours go from 00 to 23, minutes from 00 to 59")
        raise PhraseError(what.format(time=f"{hour:02d}:{minute:02d}"))
    on_24_hours = found["minute"] or found["hhmm"]
    is_bare = not (on_24_hours or part or "시" in (found["clock"] or ""))
    if is_bare:
        reading = _next_reading(day, _Clock(hour, 0, 0 < hour < NOON), now)
        raise _meant(_("'{hour}' alone can be a day or an hour").format(hour=hour), reading)
    if not part:
        # 9시 may be in the evening; 09:00, as on a clock of 24 hours, is not.
        return _Clock(hour, minute, 0 < hour < NOON and not on_24_hours)
    return _in_part(part, hour, minute, day, now)


def _figures(found: dict[str, str | None]) -> tuple[int, int]:
    """Return the hour and the minute, as they are said."""
    if both := found["hhmm"]:
        return int(both[:2]), int(both[2:])
    minute = 30 if found["half"] else number_of(found["minute"] or found["kmin"] or "0")
    return int(number_of(found["hour"] or "0")), int(minute)


def _in_part(part: str, hour: int, minute: int, day: _Day, now: datetime) -> _Clock:
    hours, added = _PARTS[part]
    if hour in hours:
        return _Clock(hour + added, minute)
    if hour == NOON and part in {"오후", "낮", "점심"}:
        return _Clock(NOON, minute)
    if hour == NOON - 1 and part == "점심":
        return _Clock(hour, minute)
    if hour > NOON and added:
        return _Clock(hour, minute)
    if hour == NOON:
        at = _Clock(0, minute)
        raise _two_midnights(day, at, now, may_be_noon=part == "오전")
    reading = _next_reading(day, _Clock(hour, minute), now)
    raise _meant(_("'{part} {hour}' is unclear").format(part=part, hour=hour), reading)


def _two_midnights(
    day: _Day, at: _Clock, now: datetime, *, may_be_noon: bool = False
) -> PhraseError:
    start = _at(day.day, at)
    noon = [start + timedelta(hours=NOON)] if may_be_noon else []
    coming = [moment for moment in (start, *noon, start + DAY) if moment >= now]
    readings = coming or [_next_reading(day, at, now)]
    why = _("midnight can begin the day or end it")
    if may_be_noon:
        why = _("12 in the morning can be noon, and midnight can begin the day or end it")
    return _meant(why, *readings)


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
