"""The library's holidays, held to the gazette's days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from kakaocron.schedule import holidays
from kakaocron.schedule.holidays import is_holiday, last_year

# The days that Korea's almanac names (월력요항, published by 우주항공청 in the year before), mere
# Sundays left out. When the next one is out, it goes here.
GAZETTE = {
    2026: "01-01 02-16 02-17 02-18 03-01 03-02 05-01 05-05 05-24 05-25 06-03 06-06 07-17 08-15 "
    "08-17 09-24 09-25 09-26 10-03 10-05 10-09 12-25",
    2027: "01-01 02-06 02-07 02-08 02-09 03-01 05-01 05-03 05-05 05-13 06-06 07-17 07-19 08-15 "
    "08-16 09-14 09-15 09-16 10-03 10-04 10-09 10-11 12-25 12-27",
}


@pytest.mark.parametrize("year", GAZETTE)
def test_the_holidays_are_those_of_the_gazette(year: int) -> None:
    days = (date(year, 1, 1) + timedelta(n) for n in range(366))
    found = [f"{day:%m-%d}" for day in days if day.year == year and is_holiday(day)]
    assert found == GAZETTE[year].split()


@pytest.mark.parametrize("lang", ["C.UTF-8", "en_US.UTF-8", "th_TH.UTF-8"])
def test_the_names_are_korean_whatever_the_environment_says(
    lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, lang)
    holidays._korean.cache_clear()
    assert holidays._korean().get(date(2026, 2, 17)) == "설날"


def test_after_its_last_year_the_library_knows_no_holiday() -> None:
    assert last_year() >= 2100
    assert is_holiday(date(last_year(), 1, 1))
    assert not is_holiday(date(last_year() + 1, 1, 1))
