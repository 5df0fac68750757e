"""Times by a cron expression, in KST. Pure; cronsim does the reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from cronsim import CronSim, CronSimError
from msgspec import Struct

from kakaocron.kst import DAY, KST
from kakaocron.language.words import _, marked
from kakaocron.schedule.slots import Span

CRON = "cron"
# Each field: its name, what it takes, and the largest step, which is the field once around.
FIELDS = (
    (marked("minute"), marked("0 to 59"), 60),
    (marked("hour"), marked("0 to 23"), 24),
    (marked("day of the month"), marked("1 to 31, or L for the last"), 31),
    (marked("month"), marked("1 to 12, or jan to dec"), 12),
    (marked("weekday"), marked("0 to 7 (0 and 7 are Sunday), or sun to sat"), 7),
)
# After so long the calendar's days fall on the same weekdays again (but for the year 2100).
CALENDAR = timedelta(days=28 * 365 + 7)
_START = datetime(2026, 1, 1, tzinfo=KST)


def check_cron(expression: str) -> None:
    """Raise ValueError for what is no cron expression of five fields, or can never be due."""
    fields = expression.split()
    if len(fields) != len(FIELDS):
        said = _(
            "'{expression}' has not five fields; write minute, hour, day, month, weekday, "
            'as in "0 9 * * mon-fri"'
        )
        raise ValueError(said.format(expression=expression))
    for (name, _values, most), field in zip(FIELDS, fields, strict=True):
        for step in (part.partition("/")[2] for part in field.split(",")):
            if step.isascii() and step.isdigit() and (len(step) > 2 or int(step) > most):  # noqa: PLR2004
                said = _(
                    "'{expression}' is no cron rule: '{field}' steps over the whole {name}, "
                    "which has {most}; list the times instead, as in 0,30"
                )
                raise ValueError(
                    said.format(expression=expression, field=field[:40], name=_(name), most=most)
                )
    if _is_wrong(expression):
        said = _("'{expression}' is no cron rule: {fault}")
        raise ValueError(said.format(expression=expression, fault=_fault(fields)))


def _is_wrong(expression: str) -> bool:
    try:
        CronSim(expression, _START)
    except (CronSimError, ValueError):
        return True
    return False


def _fault(fields: Sequence[str]) -> str:
    for index, (name, values, _most) in enumerate(FIELDS):
        alone = ["*"] * len(FIELDS)
        alone[index] = fields[index]
        if _is_wrong(" ".join(alone)):
            said = _("bad {name} '{field}'; it goes from {values}")
            return said.format(name=_(name), field=fields[index][:40], values=_(values))
    return _("never due: no such month has a day {day}").format(day=fields[2][:40])


class CronTimes(Struct, frozen=True):
    """The minutes that a cron expression names, each of kind `cron`."""

    expression: str

    def between(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        for at in CronSim(self.expression, after.astimezone(KST)):
            if at > until:
                return
            yield at, CRON

    def fields(self) -> dict[str, Any]:
        return {CRON: self.expression}

    def can_be_on(self, days: frozenset[int], quiet: Sequence[Span]) -> bool:
        """Say whether any of the minutes is on one of the weekdays (0: Monday) and not quiet."""
        minute, hour, day = self.expression.split(maxsplit=2)
        before = _START - timedelta(minutes=1)
        clock = CronSim(f"{minute} {hour} * * *", before)
        times = takewhile(lambda at: at < _START + DAY, clock)
        dates = takewhile(lambda at: at < _START + CALENDAR, CronSim(f"0 0 {day}", before))
        return any(all(at not in span for span in quiet) for at in times) and any(
            at.weekday() in days for at in dates
        )
