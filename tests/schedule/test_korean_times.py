"""Times as they are written in Korea: every day with every clock, and what each refusal says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.kst import DAY, KST
from kakaocron.schedule.phrases import AGAIN, read_moment, read_time
from kakaocron.schedule.spans import PhraseError, read_span

PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text("utf-8")
MONDAY = datetime(2026, 11, 23, 12, 30, 10, tzinfo=KST)
WEEKDAYS = "월화수목금토일"


def on(days: int) -> Callable[[date], date]:
    return lambda today: today + days * DAY


def of_week(weeks: int, weekday: int) -> Callable[[date], date]:
    return lambda today: today + (7 * weeks + weekday - today.weekday()) * DAY


def coming(weekday: int) -> Callable[[date], date]:
    return lambda today: today + (weekday - today.weekday()) % 7 * DAY


# What stands for a day, and which one that is.
DAYS: dict[str, Callable[[date], date]] = {
    **{"그끄저께": on(-3), "그저께": on(-2), "그제": on(-2), "어제": on(-1), "오늘": on(0)},
    **{
        "금일": on(0),
        "내일": on(1),
        "낼": on(1),
        "모레": on(2),
        "내일모레": on(2),
        "낼모레": on(2),
    },
    **{"글피": on(3), "그글피": on(4), "하루 뒤": on(1), "이틀 후": on(2), "사흘뒤": on(3)},
    **{"열흘 뒤에": on(10), "보름 후": on(15), "3일 뒤": on(3), "12일후": on(12), "5일 전": on(-5)},
    **{"일주일 뒤": on(7), "2주 뒤": on(14), "두 주 뒤": on(14), "이주일 후": on(14)},
    **{f"{one}{end}": coming(n) for n, one in enumerate(WEEKDAYS) for end in ("요일", "욜", "")},
    **{
        f"{week} {one}요일": of_week(weeks, n)
        for n, one in enumerate(WEEKDAYS)
        for week, weeks in {
            **{"지난주": -1, "저번 주": -1, "이번 주": 0, "금주": 0, "다음주": 1, "담주": 1},
            **{"차주": 1, "다음 주": 1, "다다음주": 2, "담담주": 2},
        }.items()
    },
    "20281231": lambda _: date(2028, 12, 31),
    "2028. 12. 31.": lambda _: date(2028, 12, 31),
    "28년 12월 31일": lambda _: date(2028, 12, 31),
    "2028-12-31(일)": lambda _: date(2028, 12, 31),
    "2028년 12월 31일 일요일": lambda _: date(2028, 12, 31),
    "올해 12월 31일": lambda today: date(today.year, 12, 31),
    "내년 1월 1일": lambda today: date(today.year + 1, 1, 1),
    "작년 1월 1일": lambda today: date(today.year - 1, 1, 1),
    "이번 달 28일": lambda today: today.replace(day=28),
    "다음 달 1일": lambda today: (today.replace(day=28) + 4 * DAY).replace(day=1),
    "지난달 1일": lambda today: (today.replace(day=1) - DAY).replace(day=1),
}
# What stands for a time of day, and which one that is.
CLOCKS = {
    **{"00:00": (0, 0), "00:01": (0, 1), "23:59": (23, 59), "9:05": (9, 5), "0900": (9, 0)},
    **{"2359": (23, 59), "0000": (0, 0), "0시": (0, 0), "15시30": (15, 30), "15시 30분": (15, 30)},
    **{"3시 반": (3, 30), "3시반": (3, 30), "세시": (3, 0), "열한 시 십오분": (11, 15)},
    **{"열두시 오십구분": (12, 59), "9시 정각": (9, 0), "오전 9시": (9, 0), "오전 0시": (0, 0)},
    **{"오전 11시 59분": (11, 59), "오후 12시": (12, 0), "오후 12시 1분": (12, 1)},
    **{"오후 1시": (13, 0), "오후 3:30": (15, 30), "오후 두시 반": (14, 30), "오후3": (15, 0)},
    **{"PM 3:30": (15, 30), "am 9:00": (9, 0), "새벽 2시": (2, 0), "아침 7시": (7, 0)},
    **{"점심 11시": (11, 0), "점심 12시": (12, 0), "점심 1시": (13, 0), "낮 2시": (14, 0)},
    **{"저녁 7시 반": (19, 30), "밤 11시": (23, 0), "정오": (12, 0), "아침": (9, 0)},
    **{"점심": (12, 0), "점심때": (12, 0), "저녁": (18, 0), "밤": (21, 0)},
}
NOWS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31))  # noqa: DTZ001


@given(
    st.sampled_from(sorted(DAYS)),
    st.sampled_from([" ", "  ", "에 ", "까지 ", "\u3000"]),
    st.sampled_from(sorted(CLOCKS)),
    st.sampled_from(["", "에", "까지"]),
    st.sampled_from(["NFC", "NFD"]),
    NOWS,
)
def test_each_day_goes_with_each_clock_in_whatever_form_it_was_typed(
    day: str, blank: str, clock: str, end: str, form: str, now: datetime
) -> None:
    said = normalize(form, f"{day}{blank}{clock}{end}")  # type: ignore[arg-type]
    aware = now.replace(tzinfo=KST)
    expected = datetime.combine(DAYS[day](now.date()), time(*CLOCKS[clock]), KST)

    assert read_moment(said, aware) == expected
    if expected < aware.replace(second=0, microsecond=0):
        with pytest.raises(PhraseError, match="has passed; did you mean"):
            read_time(said, aware)
    else:
        assert read_time(said, aware) == expected


@pytest.mark.parametrize("day", [day for day in DAYS if re.search(r"[가-힣)]$", day)])
def test_after_a_day_in_hangul_no_blank_is_needed(day: str) -> None:
    assert read_moment(f"{day}오후3시", MONDAY) == read_moment(f"{day} 15:00", MONDAY)


@pytest.mark.parametrize(
    "phrase", ["지금", "now", "right now", "지금 당장", normalize("NFD", "지금")]
)
def test_now_is_now(phrase: str) -> None:
    assert read_time(phrase, MONDAY) == read_moment(phrase, MONDAY) == MONDAY


@pytest.mark.parametrize(
    ("phrase", "minutes"),
    [
        ("30분 후", 30),
        ("반시간 뒤", 30),
        ("반 시간 후에", 30),
        ("한시간 반 뒤", 90),
        ("1.5시간 뒤", 90),
        ("두 시간 뒤", 120),
        ("열두시간 뒤", 720),
        ("십분 뒤", 10),
        ("구십분 이따가", 90),
        ("30분 있다가", 30),
        ("3시간이후", 180),
        ("하루 뒤", 1440),
        ("하루 반 뒤", 2160),
        ("보름 뒤", 21600),
        ("일주일 뒤", 10080),
        ("10분 전", -10),
        ("이틀 전에", -2880),
        ("방금", 0),
    ],
)
def test_how_far_from_now_is_counted_from_now(phrase: str, minutes: int) -> None:
    assert read_moment(phrase, MONDAY) == MONDAY + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("today", "phrase", "expected"),
    [
        ("2026-11-29", "한 달 뒤", "2026-12-29"),
        ("2026-12-31", "1개월 뒤", "2027-01-31"),
        ("2027-01-28", "한달 뒤", "2027-02-28"),
        ("2027-01-31", "두 달 뒤", "2027-03-31"),
        ("2026-11-23", "열두 달 뒤", "2027-11-23"),
    ],
)
def test_months_keep_the_day_and_the_time(today: str, phrase: str, expected: str) -> None:
    now = datetime.fromisoformat(f"{today}T12:30+09:00")
    assert read_time(phrase, now) == datetime.fromisoformat(f"{expected}T12:30+09:00")


@pytest.mark.parametrize(
    "phrase",
    [
        *("매일 9시", "매일", "매주 월요일 9시", "매월 1일", "매달 1일", "매년 1월 1일", "매시간"),
        *("매 30분", "날마다 9시", "월요일마다 9시", "3일마다", "평일 9시", "매일 아침"),
        *("every day 9:00", "daily 09:00", "mondays 9:00", "weekdays 09:00"),
    ],
)
def test_what_repeats_is_told_where_it_is_made(phrase: str) -> None:
    for read in (read_time, read_moment):
        with pytest.raises(PhraseError) as refused:
            read(phrase, MONDAY)
        assert str(refused.value) == AGAIN.format(text=phrase)


@pytest.mark.parametrize(
    ("phrase", "near"),
    [
        # past
        ("어제", "'어제' has passed; did you mean '2026-11-24 09:00'?"),
        ("어제까지", "has passed"),
        ("지난주 금요일", "has passed; did you mean '2026-11-27 09:00'?"),
        ("10분 전", "'10분 전' has passed; did you mean 'now'?"),
        ("방금", "'방금' has passed; did you mean 'now'?"),
        ("한 달 전 9시", "has passed"),
        ("아침", "'아침' has passed; did you mean '2026-11-24 09:00'?"),
        ("0900", "'0900' has passed; did you mean '2026-11-24 09:00'?"),
        # more than one reading
        ("내일 새벽", "'새벽' has many hours; did you mean '2026-11-24 05:00'?"),
        ("내일 오전", "'오전' has many hours; did you mean '2026-11-24 09:00'?"),
        ("내일 오후", "'오후' has many hours; did you mean '2026-11-24 15:00'?"),
        ("다음 주", "did you mean '2026-11-30', its Monday?"),
        ("담주 9시", "did you mean '2026-11-30', its Monday?"),
        ("다음 월요일 9시", "did you mean '2026-11-30' or '2026-12-07'?"),
        ("이번 주말", "did you mean '2026-11-28' or '2026-11-29'?"),
        ("다음 주말 9시", "did you mean '2026-12-05' or '2026-12-06'?"),
        ("주말 9시", "did you mean '2026-11-28' or '2026-11-29'?"),
        ("밤 12시 반", "did you mean '2026-11-24 00:30'?"),
        ("내일 밤 12시", "did you mean '2026-11-24 00:00' or '2026-11-25 00:00'?"),
        ("금요일까지", "did you mean '금요일까지 09:00'?"),
        # what does not go together
        ("11월 30일(화) 9시", "2026-11-30 is a Monday, not '화'"),
        ("내일 수요일 9시", "2026-11-24 is a Tuesday, not '수요일'"),
        # what the clock and the calendar do not have
        ("9시 60분", "minutes from 00 to 59"),
        ("2401", "there is no 24:01"),
        ("2400", "did you mean '2026-11-24 00:00'?"),
        ("이번 달 31일 9시", "did you mean '2026-11-30 09:00'?"),
        ("20260230 9시", "did you mean '2027-02-28 09:00'?"),
        ("9999개월 뒤", "more than ten years"),
        ("999999개월 뒤", "the calendar has no"),
        ("1.5일 뒤 9시", "no whole number of days"),
        # too vague
        ("이따가", "write it such as"),
        ("조금 이따가", "write it such as"),
        ("9시쯤", "write it such as"),
        ("9시 10분 전", "such as 5m"),
    ],
)
def test_what_is_past_or_not_plain_is_refused_and_what_is_near_is_named(
    phrase: str, near: str
) -> None:
    with pytest.raises(PhraseError, match=re.escape(near)):
        read_time(phrase, MONDAY)


@pytest.mark.parametrize(("day", "year"), [("일", 2027), ("토", None), ("월", None)])
def test_a_date_that_has_passed_is_the_next_years_if_its_weekday_says_so(
    day: str, year: int | None
) -> None:
    """3 January is a Saturday in 2026 and a Sunday in 2027."""
    phrase = f"1월 3일({day}) 9시"
    if year:
        assert read_time(phrase, MONDAY) == datetime(year, 1, 3, 9, tzinfo=KST)
    else:
        with pytest.raises(PhraseError):
            read_time(phrase, MONDAY)


def test_the_coming_monday_is_never_today() -> None:
    for n, one in enumerate(WEEKDAYS):
        found = read_time(f"오는 {one}요일 9시", MONDAY).date()
        assert found.weekday() == n
        assert timedelta(0) < found - MONDAY.date() <= timedelta(days=7)


@given(st.integers(1, 99), st.sampled_from(["초", "분", "시간", "일", "주"]))
def test_numbers_in_hangul_are_those_in_figures(number: int, unit: str) -> None:
    digits = "일이삼사오육칠팔구"
    tens, ones = divmod(number, 10)
    said = ("" if tens == 0 else "십" if tens == 1 else f"{digits[tens - 1]}십") + (
        digits[ones - 1] if ones else ""
    )

    assert read_span(f"{said}{unit}") == read_span(f"{number}{unit}")
    assert read_span(f"{said} {unit}") == read_span(f"{number} {unit}")


@pytest.mark.parametrize(
    ("phrase", "meant"),
    [
        (phrase, meant)
        for row, meant in re.findall(r"^\| (`.+`) \| (\d{4}-.+) \|$", PAGE, re.MULTILINE)
        for phrase in re.findall("`(.+?)`", row)
    ],
)
def test_the_page_tells_what_is_meant(phrase: str, meant: str) -> None:
    found = read_time(phrase, MONDAY.replace(second=0))
    assert f"{found:%Y-%m-%d %H:%M}" == meant


REFUSED = PAGE[PAGE.index("What has passed\n") :].partition("\n\n")[0]


@pytest.mark.parametrize(
    "phrase",
    [
        phrase
        for in_brackets in re.findall(r"\((`.+?`)\)", REFUSED)
        for phrase in re.findall("`(.+?)`", in_brackets)
    ],
)
def test_the_page_names_what_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseError):
        read_time(phrase, MONDAY)


@pytest.mark.parametrize(
    "phrase",
    [
        *("이 시간 뒤", "이시간 후", "이 달 뒤 9시", "이달 뒤"),  # this hour, this month
        *("mayhem 3 9:00", "decimal 1 9:00", "marathon 5 9:00"),
    ],
)
def test_what_only_looks_like_a_time_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseError, match="cannot read"):
        read_moment(phrase, MONDAY)


@pytest.mark.parametrize("month", ["sep", "Sept.", "September"])
def test_a_month_has_its_name_and_its_short_forms(month: str) -> None:
    assert read_moment(f"{month} 5 9:00", MONDAY) == read_moment("2026-09-05 09:00", MONDAY)
