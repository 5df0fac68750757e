"""Since when each message's times hold: a new one, or one whose times were changed, starts with
its next slot, and what held before counts until then. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

from msgspec.structs import replace

from kakaocron.kst import DAY, MINUTE, in_kst, isoformat_if_any
from kakaocron.schedule.slots import Minutes, Series, Span, Times, Timetable
from kakaocron.text.documents import DocumentError, not_of_the_form, versioned, with_version

Timetables = Mapping[str, Timetable]  # by message


def dated(
    series: Iterable[Series],
    noted: Timetables | None,
    now: datetime,
    settled_until: datetime | None,
    written_at: datetime | None,
) -> tuple[Series, ...]:
    """Return the messages with timetables that say since when they hold.

    `noted` are those that the last tick knew (None: nothing was ever noted, so what is there has
    always been), `settled_until` the instant up to which every slot is known to have a state, and
    `written_at` the one since which the configuration is as it is now.
    """
    if noted is None and settled_until is not None:
        return tuple(series)
    begins = _beginning(now, settled_until, written_at)
    return tuple(
        replace(
            one,
            timetable=_dated(one.timetable, (noted or {}).get(one.name), now, begins),
        )
        for one in series
    )


def _beginning(
    now: datetime, settled_until: datetime | None, written_at: datetime | None
) -> datetime | None:
    """Return from when a timetable counts that no tick has seen before, None for ever.

    A file from the future says nothing. The first tick of all has this minute's slot for its own,
    even if the file was written in it. Later ones may have read the file a moment before the
    instant up to which they settled everything: hence the minute.
    """
    minute = now.replace(second=0, microsecond=0)
    if written_at is not None and written_at > now:
        written_at = None
    if settled_until is None:
        return min(written_at, minute) if written_at else None
    return max(written_at or minute, settled_until - MINUTE)


def _dated(
    timetable: Timetable, noted: Timetable | None, now: datetime, begins: datetime | None
) -> Timetable:
    if noted is None or _rules(noted) != _rules(timetable):
        return replace(timetable, since=begins, before=_lately(noted, now))
    since = noted.since
    if since and since > now:  # the clock was set back
        since = now.replace(second=0, microsecond=0)
    return replace(timetable, since=since, before=_lately(noted.before, now, since))


def _lately(
    noted: Timetable | None, now: datetime, until: datetime | None = None
) -> Timetable | None:
    """Leave out what has ended before yesterday: no tick asks for it any more."""
    if noted is None or (until is not None and until.date() < now.date() - DAY):
        return None
    return replace(noted, before=_lately(noted.before, now, noted.since))


def to_json(series: Iterable[Series]) -> bytes:
    """Return what the next tick is to know of these messages."""
    rows = {one.name: list(_rows(one.timetable)) for one in series}
    return json.dumps(with_version({"timetables": rows}), ensure_ascii=False).encode() + b"\n"


def _rows(timetable: Timetable | None) -> Iterator[dict[str, Any]]:
    """Yield what held, the newest first."""
    while timetable is not None:
        yield {"since": isoformat_if_any(timetable.since), **_rules(timetable)}
        timetable = timetable.before


def _rules(timetable: Timetable) -> dict[str, Any]:
    return {
        **timetable.times.fields(),
        "days": sorted(timetable.days),
        "quiet": [[f"{span.start:%H:%M}", f"{span.end:%H:%M}"] for span in timetable.quiet],
        "skip_holidays": timetable.is_holiday is not None,
    }


def from_json(content: bytes) -> dict[str, Timetable]:
    """Read them back. Raises DocumentError for anything that is none."""
    try:
        found = versioned(content)["timetables"]
        return {name: _chain(rows) for name, rows in found.items()}
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise not_of_the_form(error) from None


def _chain(rows: Iterable[dict[str, Any]]) -> Timetable:
    found: Timetable | None = None
    for row in reversed(list(rows)):
        found = Timetable(
            _times(row),
            _numbers(row["days"], 7),
            tuple(Span(*map(time.fromisoformat, span)) for span in row["quiet"]),
            _is_holiday if row["skip_holidays"] else None,
            in_kst(datetime.fromisoformat(row["since"])) if row["since"] else None,
            found,
        )
    if found is None:
        raise IndexError  # no row at all: not of the form
    return found


def _times(row: Mapping[str, Any]) -> Times:
    if "cron" not in row:
        minutes = _numbers(row["regular_minutes"], 60), _numbers(row["peak_minutes"], 60)
        return Minutes(*minutes, _numbers(row["peak_hours"], 24), frozenset(row["kinds"]))
    from kakaocron.schedule.cron_rule import CronTimes, check_cron  # noqa: PLC0415 - most have none

    check_cron(row["cron"])
    return CronTimes(row["cron"])


def _numbers(values: Iterable[Any], end: int) -> frozenset[int]:
    found = frozenset(values)
    if not all(type(value) is int and 0 <= value < end for value in found):
        raise DocumentError("odd-numbers", {"end": end})
    return found


def _is_holiday(day: date) -> bool:
    """Say what is_holiday says, and nothing of a time whose list of holidays is gone."""
    from kakaocron.schedule import holidays  # noqa: PLC0415 - an extra

    try:
        return holidays.is_holiday(day)
    except ImportError:
        return False
