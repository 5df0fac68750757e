"""Day of the month beside weekday: what the table in docs/messages.md says of each rule, tried."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.kst import KST
from kakaocron.schedule.cron_rule import CronTimes

# Longer than a month; its 1st of March is a Monday.
DAYS = [date(2027, 3, 1) + timedelta(n) for n in range(38)]
MON, TUE, SUN = 0, 1, 6


def odd(day: date) -> bool:
    return day.day % 2 == 1


def on(*weekdays: int) -> Callable[[date], bool]:
    return lambda day: day.weekday() in weekdays


def both(first: Callable[[date], bool], second: Callable[[date], bool]) -> Callable[[date], bool]:
    return lambda day: first(day) and second(day)


def either(first: Callable[[date], bool], second: Callable[[date], bool]) -> Callable[[date], bool]:
    return lambda day: first(day) or second(day)


def first_of_the_month(day: date) -> bool:
    return day.day == 1


# rule → its days by cronsim, by croniter, by APScheduler
RULES = {
    "0 9 1 * 1": (
        either(first_of_the_month, on(MON)),
        either(first_of_the_month, on(MON)),
        both(first_of_the_month, on(TUE)),
    ),
    "0 9 1-31/2 * mon": (either(odd, on(MON)), either(odd, on(MON)), both(odd, on(MON))),
    "0 9 */2 * mon": (both(odd, on(MON)), either(odd, on(MON)), both(odd, on(MON))),
    "0 9 1 * */2": (
        both(first_of_the_month, on(SUN, 1, 3, 5)),
        either(first_of_the_month, on(SUN, 1, 3, 5)),
        both(first_of_the_month, on(0, 2, 4, 6)),
    ),
    "0 9 * * 1": (on(MON), on(MON), on(TUE)),
    "0 9 * * mon": (on(MON), on(MON), on(MON)),
}
# Prints the days by croniter on one line, by APScheduler on the next.
OTHERS = """
import sys
from datetime import datetime, timedelta, timezone
from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
rule, first, last = sys.argv[1], *map(datetime.fromisoformat, sys.argv[2:])
step = timedelta(seconds=1)
trigger = CronTrigger.from_crontab(rule, timezone=timezone.utc)
for following in (
    lambda after: croniter(rule, after).get_next(datetime),
    lambda after: trigger.get_next_fire_time(None, after + step),
):
    found, at = [], first - step
    while (at := following(at)) and at <= last:
        found.append(f"{at:%Y-%m-%d}")
    print(*found)
"""


def days_of(is_due: Callable[[date], bool]) -> list[str]:
    return [str(day) for day in DAYS if is_due(day)]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_due_on_the_days_that_the_table_says(rule: str) -> None:
    before = datetime(2027, 2, 28, 23, 59, tzinfo=KST)
    until = datetime.combine(DAYS[-1], datetime.max.time(), KST)
    found = [f"{at:%Y-%m-%d}" for at, _ in CronTimes(rule).between(before, until)]
    assert found == days_of(RULES[rule][0])


@pytest.mark.deploy
def test_others_read_the_same_rules_as_the_table_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("https_proxy")  # which keeps kakaocron in, and pip too
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    wanted = ("croniter==7.0.0", "APScheduler==3.11.3")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    for rule, (_, by_croniter, by_apscheduler) in RULES.items():
        span = (f"{DAYS[0]}T00:00:00+00:00", f"{DAYS[-1]}T23:59:59+00:00")
        said = subprocess.run(
            [python, "-c", OTHERS, rule, *span],
            capture_output=True,
            text=True,
            check=True,
        )
        croniters, apschedulers = [line.split() for line in said.stdout.splitlines()]
        assert (rule, croniters) == (rule, days_of(by_croniter))
        assert (rule, apschedulers) == (rule, days_of(by_apscheduler))
