"""Times as people write them: what each means, and which are refused with which reading near."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.kst import KST
from kakaocron.schedule.phrases import read_moment, read_time
from kakaocron.schedule.spans import PhraseError, read_span

MONDAY = "2026-11-23 12:30:10"
NEW_YEARS_EVE = "2026-12-31 23:50:00"
LEAP_EVE = "2028-02-28 22:00:00"
MONTH_END = "2026-04-30 23:59:30"
JUST_AFTER_MIDNIGHT = "2026-11-23 00:00:30"

READ = [
    # today
    (MONDAY, "12:35", "2026-11-23 12:35"),
    (MONDAY, "12:31", "2026-11-23 12:31"),
    (MONDAY, "12:30", "2026-11-23 12:30"),
    (MONDAY, "23:59", "2026-11-23 23:59"),
    (MONDAY, " 18:05 ", "2026-11-23 18:05"),
    (MONDAY, "１８：０５", "2026-11-23 18:05"),
    (MONDAY, "today 18:05", "2026-11-23 18:05"),
    (MONDAY, "at 18:05", "2026-11-23 18:05"),
    (MONDAY, "3pm", "2026-11-23 15:00"),
    (MONDAY, "3:30 PM", "2026-11-23 15:30"),
    (MONDAY, "15시", "2026-11-23 15:00"),
    (MONDAY, "15시 30분", "2026-11-23 15:30"),
    (MONDAY, "오후 3시", "2026-11-23 15:00"),
    (MONDAY, "오후3시반", "2026-11-23 15:30"),
    (MONDAY, "오늘 오후 3시 5분", "2026-11-23 15:05"),
    (MONDAY, "오후 15시", "2026-11-23 15:00"),
    (MONDAY, "저녁 7시", "2026-11-23 19:00"),
    (MONDAY, "밤 11시", "2026-11-23 23:00"),
    (MONDAY, "낮 2시", "2026-11-23 14:00"),
    # other days
    (MONDAY, "tomorrow 09:00", "2026-11-24 09:00"),
    (MONDAY, "tomorrow at 9:30", "2026-11-24 09:30"),
    (MONDAY, "tomorrow noon", "2026-11-24 12:00"),
    (MONDAY, "day after tomorrow 08:15", "2026-11-25 08:15"),
    (MONDAY, "내일 9시", "2026-11-24 09:00"),
    (MONDAY, "내일오전9시", "2026-11-24 09:00"),
    (MONDAY, "내일 9시에", "2026-11-24 09:00"),
    (MONDAY, "내일 새벽 2시", "2026-11-24 02:00"),
    (MONDAY, "내일 0시", "2026-11-24 00:00"),
    (MONDAY, "내일 정오", "2026-11-24 12:00"),
    (MONDAY, "내일 낮 12시", "2026-11-24 12:00"),
    (MONDAY, "모레 오후 3시 반", "2026-11-25 15:30"),
    (MONDAY, "내일모레 10:00", "2026-11-25 10:00"),
    (MONDAY, "글피 8시", "2026-11-26 08:00"),
    (MONDAY, "화요일 9시", "2026-11-24 09:00"),
    (MONDAY, "월요일 오후 1시", "2026-11-23 13:00"),
    (MONDAY, "friday 17:00", "2026-11-27 17:00"),
    (MONDAY, "이번 주 금요일 17:00", "2026-11-27 17:00"),
    (MONDAY, "다음 주 월요일 9시", "2026-11-30 09:00"),
    (MONDAY, "11-24 09:00", "2026-11-24 09:00"),
    (MONDAY, "11/24 09:00", "2026-11-24 09:00"),
    (MONDAY, "11월 24일 9시", "2026-11-24 09:00"),
    (MONDAY, "24일 9시", "2026-11-24 09:00"),
    (MONDAY, "Nov 24 9:00", "2026-11-24 09:00"),
    (MONDAY, "November 24, 2026 9am", "2026-11-24 09:00"),
    (MONDAY, "2026년 11월 30일 오전 9시", "2026-11-30 09:00"),
    # ISO 8601
    (MONDAY, "2026-11-23T12:35+09:00", "2026-11-23 12:35"),
    (MONDAY, "2026-11-23T03:35Z", "2026-11-23 12:35"),
    (MONDAY, "2026-11-23T03:35:00.000Z", "2026-11-23 12:35"),
    (MONDAY, "2026-11-22T23:00:00-05:00", "2026-11-23 13:00"),
    (MONDAY, "2026-11-23T18:05+0530", "2026-11-23 21:35"),
    (MONDAY, "2026-11-23 13:00", "2026-11-23 13:00"),
    (MONDAY, "2026-11-23T13:00", "2026-11-23 13:00"),
    # how long from now
    (MONDAY, "in 5 minutes", "2026-11-23 12:35:10"),
    (MONDAY, "5분 후", "2026-11-23 12:35:10"),
    (MONDAY, "1시간 30분 뒤", "2026-11-23 14:00:10"),
    (MONDAY, "한 시간 반 뒤", "2026-11-23 14:00:10"),
    # midnight, month ends, leap days
    (MONDAY, "midnight", "2026-11-24 00:00"),
    (MONDAY, "자정", "2026-11-24 00:00"),
    (JUST_AFTER_MIDNIGHT, "00:00", "2026-11-23 00:00"),
    (JUST_AFTER_MIDNIGHT, "00:01", "2026-11-23 00:01"),
    (NEW_YEARS_EVE, "tomorrow 00:00", "2027-01-01 00:00"),
    (NEW_YEARS_EVE, "내일 9시", "2027-01-01 09:00"),
    (NEW_YEARS_EVE, "모레 9시", "2027-01-02 09:00"),
    (NEW_YEARS_EVE, "in 15m", "2027-01-01 00:05"),
    (MONTH_END, "내일 0시", "2026-05-01 00:00"),
    (MONTH_END, "in 1m", "2026-05-01 00:00:30"),
    (LEAP_EVE, "내일 9시", "2028-02-29 09:00"),
    (LEAP_EVE, "2월 29일 9시", "2028-02-29 09:00"),
    (LEAP_EVE, "29일 9시", "2028-02-29 09:00"),
    (LEAP_EVE, "모레 9시", "2028-03-01 09:00"),
]

REFUSED = [
    # what has passed
    (MONDAY, "어제 9시", "2026-11-24 09:00"),
    (MONDAY, "yesterday 13:00", "2026-11-23 13:00"),
    (MONDAY, "12:29", "2026-11-24 12:29"),
    (MONDAY, "09:00", "2026-11-24 09:00"),
    (MONDAY, "9:00", "2026-11-24 09:00"),
    (MONDAY, "today 11:30", "2026-11-24 11:30"),
    (MONDAY, "3시 반", "2026-11-23 15:30"),
    (MONDAY, "3시", "2026-11-23 15:00"),
    (MONDAY, "오늘 3시", "2026-11-23 15:00"),
    (MONDAY, "오전 3시", "2026-11-24 03:00"),
    (MONDAY, "noon", "2026-11-24 12:00"),
    (MONDAY, "12pm", "2026-11-24 12:00"),
    (MONDAY, "월요일 오전 9시", "2026-11-30 09:00"),
    (MONDAY, "2026-11-23T12:29+09:00", "2026-11-24 12:29"),
    (MONDAY, "2026-11-23T12:29", "'2026-11-23T12:29' has passed"),
    (MONDAY, "2026-11-22 13:00", "2026-11-23 13:00"),
    (MONDAY, "11월 22일 13시", "2027-11-22 13:00"),
    (MONDAY, "22일 9시", "2026-12-22 09:00"),
    (NEW_YEARS_EVE, "31일 9시", "2027-01-31 09:00"),
    (MONTH_END, "31일 9시", "2026-05-30 09:00"),
    ("2027-01-31 12:00", "30일 9시", "2027-03-30 09:00"),
    (NEW_YEARS_EVE, "23:49", "2027-01-01 23:49"),
    (MONTH_END, "23:58", "2026-05-01 23:58"),
    # what can be read in two ways
    (MONDAY, "내일 자정", "2026-11-25 00:00"),
    (MONDAY, "12am", "2026-11-24 00:00"),
    (MONDAY, "오전 12시", "2026-11-24 00:00"),
    (MONDAY, "밤 12시", "2026-11-24 00:00"),
    (MONDAY, "밤 1시", "2026-11-24 01:00"),
    (MONDAY, "next monday 9:00", "2026-11-30"),
    (MONDAY, "9", "2026-11-23 21:00"),
    (MONDAY, "13", "2026-11-23 13:00"),
    (MONDAY, "tomorrow", "tomorrow 09:00"),
    (MONDAY, "Tomorrow", "'Tomorrow 09:00'"),
    (MONDAY, "today", "2026-11-24 09:00"),
    (MONDAY, "11-24", "11-24 09:00"),
    # what the clock and the calendar do not have
    (MONDAY, "24:00", "2026-11-24 00:00"),
    (NEW_YEARS_EVE, "24:00", "2027-01-01 00:00"),
    (MONDAY, "25:00", "00 to 23"),
    (MONDAY, "12:60", "00 to 59"),
    (MONDAY, "2월 29일 9시", "2028-02-29 09:00"),
    (MONDAY, "2월 30일 9시", "2027-02-28 09:00"),
    (MONDAY, "11월 31일 9시", "2026-11-30 09:00"),
    (MONDAY, "2027-02-29T09:00", "2027-02-28 09:00"),
    (MONDAY, "2026-02-30 10:00", "2027-02-28 10:00"),
    (MONDAY, "2027-02-30T01:00Z", "2027-02-28 10:00"),
    (MONDAY, "2026-13-01 09:00", "month 13"),
    (MONDAY, "9999-01-01 09:00", "ten years"),
    (MONDAY, "soon", "write it such as"),
    (MONDAY, "", "write it such as"),
    (MONDAY, "-5분 후", "such as 5m"),
]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KST)


@pytest.mark.parametrize(("now", "phrase", "expected"), READ)
def test_a_phrase_names_an_instant(now: str, phrase: str, expected: str) -> None:
    assert read_time(phrase, moment(now)) == moment(expected)


@pytest.mark.parametrize(("now", "phrase", "near"), REFUSED)
def test_a_doubtful_or_past_phrase_is_refused_with_the_nearest_reading(
    now: str, phrase: str, near: str
) -> None:
    with pytest.raises(PhraseError, match=re.escape(near)) as refused:
        read_time(phrase, moment(now))
    assert "\n" not in str(refused.value)


def test_the_nearest_reading_can_be_typed_as_it_stands() -> None:
    for now, phrase, _ in REFUSED:
        with pytest.raises(PhraseError) as refused:
            read_time(phrase, moment(now))
        for reading in re.findall(r"'(\d{4}-\d\d-\d\d \d\d:\d\d)'", str(refused.value)):
            if reading != phrase:
                assert read_time(reading, moment(now)) == moment(reading)


def test_midnight_is_never_taken_for_noon() -> None:
    with pytest.raises(PhraseError) as refused:
        read_time("내일 자정", moment(MONDAY))
    assert "did you mean '2026-11-24 00:00' or '2026-11-25 00:00'?" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5m", 300),
        ("90s", 90),
        ("1h30m", 5400),
        ("2 hours", 7200),
        ("1 hour and 5 minutes", 3900),
        ("an hour", 3600),
        ("half an hour", 1800),
        ("1d", 86400),
        ("1w", 604800),
        ("10분", 600),
        ("1시간 30분", 5400),
        ("두 시간", 7200),
        ("2일", 172800),
    ],
)
def test_a_span_is_read(text: str, seconds: int) -> None:
    assert read_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "0m", "5 parsecs", "5m ago", "-5m", "999999w"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(PhraseError):
        read_span(text)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("12:29", "2026-11-23 12:29"),
        ("12:30", "2026-11-23 12:30"),
        ("12:31", "2026-11-23 12:31"),
        ("오전 9시 반", "2026-11-23 09:30"),
        ("어제 10:30", "2026-11-22 10:30"),
        ("yesterday 10:30", "2026-11-22 10:30"),
        ("그제 오후 3시", "2026-11-21 15:00"),
        ("day before yesterday 15:00", "2026-11-21 15:00"),
        ("11월 20일 9시", "2026-11-20 09:00"),
        ("2026-11-20T00:30Z", "2026-11-20 09:30"),
        ("10분 전", "2026-11-23 12:20:10"),
        ("2시간 전에", "2026-11-23 10:30:10"),
        ("an hour ago", "2026-11-23 11:30:10"),
        ("내일 9시", "2026-11-24 09:00"),
        ("in 5m", "2026-11-23 12:35:10"),
    ],
)
def test_a_moment_may_have_passed_or_be_to_come(phrase: str, expected: str) -> None:
    assert read_moment(phrase, moment(MONDAY)) == moment(expected)


@pytest.mark.parametrize(
    ("phrase", "near"),
    [
        ("어제", "'어제 09:00'"),
        ("2026-11-22", "'2026-11-22 09:00'"),
        ("2016-11-01 09:00", "2026"),
        ("2036-12-31 09:00", "2026"),
        ("600 weeks ago", "more than ten years"),
        ("soon", "12:35"),
    ],
)
def test_a_moment_that_cannot_be_read_is_refused_with_what_is_near(phrase: str, near: str) -> None:
    with pytest.raises(PhraseError, match=re.escape(near)):
        read_moment(phrase, moment(MONDAY))


WORDS = """
오늘 내일 모레 다음 주 월요일 오전 오후 밤 9시 12시 반 자정 30분 2월 29일 31일 후 2026년 ١٢:٣٥
지금 방금 담주 월욜 (월) 아침 새벽 0900 20260229 열한시 삼십분 사흘 뒤
전 한 달 9999개월 매일 주말 까지
tomorrow next friday feb 29 am pm at in 5m noon 24:00 12:35 9999-12-31 T09:00 Z +09:00 0
"""


@given(
    st.one_of(
        st.lists(st.sampled_from(WORDS.split()), max_size=6).map(" ".join),
        st.lists(st.sampled_from(WORDS.split()), max_size=6).map("".join),
        st.text(max_size=30),
    ),
    st.datetimes(datetime(2000, 1, 1), datetime(9000, 1, 1)),  # noqa: DTZ001
)
def test_any_text_is_an_instant_that_is_not_past_or_refused(text: str, now: datetime) -> None:
    aware = now.replace(tzinfo=KST)
    try:
        found = read_time(text, aware)
    except PhraseError:
        return
    assert found >= aware.replace(second=0, microsecond=0)
    assert found.utcoffset() == timedelta(hours=9)
