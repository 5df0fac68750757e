"""Cron expressions: what is none, or can never be due, is refused with its field and range."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.errors import UsageError
from kakaocron.kst import KST
from kakaocron.schedule.cron_rule import CALENDAR, CronTimes, check_cron
from kakaocron.schedule.slots import Timetable, not_within_a_year
from kakaocron.system.clock import SystemClock

MONDAY = datetime(2026, 11, 23, tzinfo=KST)
HEAD = '[[message]]\nname = "m"\ntext = "x"\n'


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("*/61 * * * *", "'*/61' steps over the whole minute, which has 60"),
        ("*/90 * * * *", "steps over the whole minute"),
        ("5/61 * * * *", "steps over the whole minute"),
        ("0-30/100 * * * *", "steps over the whole minute"),
        ("0,*/75 * * * *", "steps over the whole minute"),
        ("0 */25 * * *", "steps over the whole hour, which has 24"),
        ("0 9 */32 * *", "steps over the whole day of the month, which has 31"),
        ("0 9 * */13 *", "steps over the whole month, which has 12"),
        ("0 9 * * */8", "steps over the whole weekday, which has 7"),
        ("*/99999999999999999999 * * * *", "steps over the whole minute"),
        ("60 * * * *", "bad minute '60'; it goes from 0 to 59"),
        ("0-70 * * * *", "bad minute '0-70'; it goes from 0 to 59"),
        ("30-10 * * * *", "bad minute '30-10'"),
        ("-5 * * * *", "bad minute '-5'"),
        ("*/0 * * * *", "bad minute '*/0'"),
        ("*/x * * * *", "bad minute '*/x'"),
        ("1, * * * *", "bad minute '1,'"),
        ("３ * * * *", "bad minute"),
        ("0 24 * * *", "bad hour '24'; it goes from 0 to 23"),
        ("0 9 0 * *", "bad day of the month '0'; it goes from 1 to 31"),
        ("0 9 32 * *", "bad day of the month '32'"),
        ("0 9 * 13 *", "bad month '13'; it goes from 1 to 12"),
        ("0 9 * 0 *", "bad month '0'"),
        ("0 9 * * 8", "bad weekday '8'; it goes from 0 to 7"),
        ("0 9 * * 월", "bad weekday '월'; it goes from 0 to 7 (0 and 7 are Sunday), or sun to sat"),
        ("0 9 * * monday", "bad weekday 'monday'"),
        ("0 9 31 2 *", "never due: no such month has a day 31"),
        ("0 9 30 2 *", "never due: no such month has a day 30"),
        ("* * 31 2 *", "never due"),
        ("0 9 31 4,6,9,11 *", "never due: no such month has a day 31"),
        ("@daily", "has not five fields"),
        ("0 9 * *", "has not five fields"),
        ("0 0 9 * * *", "has not five fields"),
        ("*/" + "9" * 5000 + " * * * *", "steps over the whole minute"),
        ("9" * 5000 + " * * * *", "bad minute"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_its_field(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^'") as caught:
        check_cron(expression)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "expression",
    ["*/60 * * * *", "0 */24 * * *", "0 9 */31 * *", "0 9 1 */12 *", "0 9 * * */7", "0 9 29 2 *",
     "0 9 31 2,3 *", "0 9 L * *", "0 9 31 2 mon", "0 9 * JAN mon-FRI", "5/20 * * * *", "0 9 * * 7"],
)  # fmt: skip
def test_what_is_a_rule_is_taken(expression: str) -> None:
    check_cron(expression)


@pytest.mark.parametrize(
    ("config", "is_due"),
    [
        ('cron = "0 9 * * sat"\ndays = ["mon", "fri"]', False),
        ('cron = "0 9 * * sat"\ndays = ["mon", "sat"]', True),
        ('cron = "0 23 * * *"\nquiet = ["22:00-06:00"]', False),
        ('cron = "0,30 21-23 * * *"\nquiet = ["21:30-06:00"]', True),
        ('cron = "0 9 29 2 *"\ndays = ["wed"]', True),
        ('cron = "* * * * *"\nquiet = ["00:00-12:00", "12:00-23:59"]', True),
        ('cron = "* * * * *"\nquiet = ["00:00-12:00", "12:00-00:00"]', False),
    ],
)
def test_a_rule_whose_every_time_is_at_rest_is_refused(config: str, is_due: bool) -> None:
    if is_due:
        parse_config(HEAD + config, "config.toml")
        return
    with pytest.raises(UsageError, match=r"config.toml:4: message\[1\].cron: it is never due"):
        parse_config(HEAD + config, "config.toml")


def test_every_weekday_is_found_for_a_day_of_leap_years_only() -> None:
    rule = CronTimes("0 9 29 2 *")
    assert all(rule.can_be_on(frozenset({day}), ()) for day in range(7))
    assert timedelta(days=10_000) < CALENDAR < timedelta(days=10_300)


@pytest.mark.parametrize(
    ("rule", "after", "day"),
    [
        ("0 9 29 2 *", MONDAY, datetime(2028, 2, 29, 9, tzinfo=KST)),
        ("0 9 29 2 *", datetime(2096, 3, 1, tzinfo=KST), datetime(2104, 2, 29, 9, tzinfo=KST)),
        ("0 9 23 11 *", MONDAY, None),
        ("* * * * *", MONDAY, None),
    ],
)
def test_a_rule_that_is_not_due_within_a_year_is_named_with_its_day(
    rule: str, after: datetime, day: datetime | None
) -> None:
    rare = not_within_a_year("m", Timetable(CronTimes(rule)), after)
    assert rare == (("m", day) if day else None)


def test_next_names_the_day_of_what_is_rare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text(HEAD + 'cron = "0 9 29 2 *"\n', "utf-8")
    monkeypatch.setenv("KAKAOCRON_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setattr(SystemClock, "now", lambda _: MONDAY)

    assert run(["config", "check"]) == 0
    capsys.readouterr()
    said = "'m' has no slot within a year; its next slot is on 2028-02-29 (Tue) 09:00\n"
    assert run(["next"]) == 0
    assert capsys.readouterr().out.endswith(said)
    assert run(["next", "--json"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("[]\n", said)
