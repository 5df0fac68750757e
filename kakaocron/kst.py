"""Korean time. The host's zone plays no part."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from kakaocron.language.words import _, marked

# Korea has kept +09:00 without daylight saving since 1988; the host's zone plays no part.
KST = timezone(timedelta(hours=9))
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

YEARS = range(1900, 9000)
_WEEKDAYS = (
    marked("Mon"),
    marked("Tue"),
    marked("Wed"),
    marked("Thu"),
    marked("Fri"),
    marked("Sat"),
    marked("Sun"),
)


def in_kst(moment: datetime) -> datetime:
    """Return an instant from outside in KST.

    Raises ValueError for one without a zone, and for one so far off that what is reckoned from it
    could pass the ends of the calendar.
    """
    if moment.tzinfo is None:
        raise ValueError(f"'{moment.isoformat()}' has no zone")
    return within_reason(moment).astimezone(KST)


def within_reason(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"{moment.year} is no year for a message")
    return moment


def isoformat(moment: datetime) -> str:
    """Return an instant as ISO 8601 in KST, with milliseconds unless it is a whole second."""
    moment = moment.astimezone(KST)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def isoformat_if_any(moment: datetime | None) -> str | None:
    return isoformat(moment) if moment else None


def weekday(moment: date) -> str:
    """Return the short name of a day of the week, in the language that is spoken."""
    return _(_WEEKDAYS[moment.weekday()])
