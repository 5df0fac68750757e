"""Times by a cron expression, in KST. Pure; cronsim does the reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cronsim import CronSim, CronSimError

from kakaocron.kst import KST

CRON = "cron"
FIELDS = 5


def check_cron(expression: str) -> None:
    """Raise ValueError for what is no cron expression of five fields."""
    if len(expression.split()) != FIELDS:
        raise ValueError(
            f"'{expression}' has not five fields; write minute, hour, day, month, weekday, "
            'as in "0 9 * * mon-fri"'
        )
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=KST))
    except CronSimError as error:
        raise ValueError(f"'{expression}' is no cron rule: {error}") from None


@dataclass(frozen=True, slots=True)
class CronTimes:
    """The minutes that a cron expression names, each of kind `cron`."""

    expression: str

    def between(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        for at in CronSim(self.expression, after.astimezone(KST)):
            if at > until:
                return
            yield at, CRON
