"""What a message says: placeholders, and Kakao's limit to the unit."""

from __future__ import annotations

import json
import locale
import unicodedata
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.errors import ContentError
from kakaocron.kakao.texts import text_parcel
from kakaocron.kst import KST
from kakaocron.text.placeholders import Rate, fill, slot_fields
from kakaocron.text.plain import utf16_units

SLOT = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
LINK = "https://example.com"


def filled(template: str, **fields: Any) -> str:
    return fill(template, slot_fields("report", SLOT, "peak", 2) | fields)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{time}", "2026-11-23 09:30:00"),
        ("{time:%H:%M}", "09:30"),
        ("{date}", "2026-11-23"),
        ("{date:%m/%d}", "11/23"),
        ("{slot} {name} {attempt}", "peak report 2"),
        ("{{braces}}", "{braces}"),
        ("📈 {score}점", "📈 1200점"),
        ("{score:,}", "1,200"),
        ("{ratio:.1%}", "93.5%"),
        ("{items}", '["가", 1]'),
        ("{nothing}|", "|"),
    ],
)
def test_placeholders_are_filled(template: str, text: str) -> None:
    assert filled(template, score=1200, ratio=0.935, items=["가", 1], nothing=None) == text


def test_the_page_shows_the_success_rate_as_it_is_filled_in() -> None:
    page = (Path(__file__).parents[2] / "docs" / "messages.md").read_text("utf-8")
    shown = filled("`{success_rate}` `{success_rate:.2f}`", success_rate=Rate(0.979)).split()
    assert shown == ["`97.9%`", "`0.98`"]
    said = page.partition("totals `{success_rate}`")[2].partition(")")[0]
    assert all(value in said for value in shown)


@pytest.mark.parametrize(
    "template",
    [
        "{unknown}",
        "{}",
        "{0}",
        "{time.year}",
        "{name.__class__}",
        "{items[0]}",
        "{name!r}",
        "{name:{unknown}}",
        "{name:>999999999}",
        "{name:>201}",
        "{attempt:.999999999f}",
        "{attempt:%Q%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%}",
        "{attempt:zzz}",
        "{name",
        "name}",
        "{ name }",
        "{name:{x:{y}}}",
    ],
)
def test_a_template_that_reaches_further_is_refused_with_a_sentence(template: str) -> None:
    with pytest.raises(ContentError, match=r"\S"):
        filled(template, items=[1])


def test_an_unknown_placeholder_names_those_that_there_are() -> None:
    with pytest.raises(ContentError, match=r"no value for '\{scroe\}'; there are: .*score"):
        filled("{scroe}", score=1)


@pytest.mark.parametrize("units", [1, 199, 200])
def test_a_text_of_up_to_200_units_is_taken(units: int) -> None:
    assert text_parcel("가" * units, LINK).text == "가" * units


@pytest.mark.parametrize(
    ("text", "units"), [("가" * 201, 201), ("📊" * 101, 202), ("📊" * 100 + "!", 201)]
)
def test_a_text_over_200_units_is_refused_with_both_numbers(text: str, units: int) -> None:
    with pytest.raises(ContentError, match=rf"{units} characters, Kakao takes 200; .*split"):
        text_parcel(text, LINK)


def test_a_character_outside_the_basic_plane_counts_twice() -> None:
    assert [utf16_units(text) for text in ("", "a", "가", "📊", "👨‍👩‍👧")] == [0, 1, 1, 2, 8]
    assert text_parcel("📊" * 100, LINK).text == "📊" * 100


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(ContentError, match="empty"):
        text_parcel(text, LINK)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ContentError, match="surrogate"):
        text_parcel("\ud83d", LINK)


def test_a_parcel_is_one_request_with_the_text_and_the_link_in_json() -> None:
    (part,) = text_parcel('안녕 "둘"', LINK).parts

    assert part.kind == "default"
    assert json.loads(part.fields["template_object"]) == {
        "object_type": "text",
        "text": '안녕 "둘"',
        "link": {"web_url": LINK, "mobile_web_url": LINK},
    }


def test_the_hash_tells_contents_apart_and_repeats() -> None:
    one, same, other = (text_parcel(text, LINK).hash for text in ("가", "가", "나"))

    assert one == same != other
    assert one != text_parcel("가", "https://example.org").hash


@given(st.text(max_size=300))
def test_any_text_is_either_sent_whole_or_refused(text: str) -> None:
    try:
        parcel = text_parcel(text, LINK)
    except ContentError:
        assert not text.strip() or utf16_units(text) > 200 or not text.isprintable()
        return
    template = json.loads(parcel.parts[0].fields["template_object"])
    assert template["text"] == text
    assert 0 < utf16_units(text) <= 200


@given(st.text(max_size=60), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3))
def test_any_template_is_filled_or_refused_and_nothing_else(
    template: str, fields: dict[str, int]
) -> None:
    try:
        result = fill(template, fields)
    except ContentError as error:
        assert str(error)
    else:
        assert isinstance(result, str)


AT = {
    "time": SLOT,
    "noon": datetime(2026, 11, 23, 12, 0, tzinfo=KST),
    "before": datetime(2026, 11, 23, 11, 59, tzinfo=KST),
    "midnight": datetime(2026, 11, 24, 0, 0, tzinfo=KST),
    "date": date(2026, 1, 4),
    "clock": time(21, 5),
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{time:%p %I:%M}", "오전 09:30"),
        ("{noon:%p %I:%M}", "오후 12:00"),
        ("{before:%p %I:%M}", "오전 11:59"),
        ("{midnight:%p %I:%M}", "오전 12:00"),
        ("{clock:%p %-I시}", "오후 9시"),
        ("{date:%p}", "오전"),
        ("{time:%P}", "오전"),
        ("{date:%a} {date:%A}", "일 일요일"),
        ("{time:%m월 %d일 (%a)}", "11월 23일 (월)"),
        ("{date:%b}|{date:%B}|{date:%h}|{time:%b}", "1월|1월|1월|11월"),
        ("{time:%^a %-p %10A}", "월 오전 월요일"),
        ("{time:%c}", "2026년 11월 23일 (월) 오전 09시 30분 00초"),
        ("{time:%Ec|%%c}", "2026년 11월 23일 (월) 오전 09시 30분 00초|%c"),
        ("{clock:%r}", "오후 09시 05분 00초"),
        # Everything else is strftime's.
        ("{time:%%a %%p %%r}", "%a %p %r"),
        ("{time:%%%a}", "%월"),
        ("{time:%Y-%m-%dT%H:%M:%S}", "2026-11-23T09:30:00"),
        ("{time:%j %u %w %y}", "327 1 1 26"),
        ("{clock}", "21:05:00"),
        ("{date}", "2026-01-04"),
    ],
)
def test_names_of_weekdays_months_and_halves_of_the_day_are_korean(
    template: str, text: str
) -> None:
    assert fill(template, AT) == text


def test_every_weekday_and_month_has_its_korean_name() -> None:
    days = [fill("{d:%a %A}", {"d": date(2026, 11, 23 + n)}) for n in range(7)]
    assert days == [f"{name} {name}요일" for name in "월화수목금토일"]
    months = [fill("{d:%b %B}", {"d": date(2026, n, 1)}) for n in range(1, 13)]
    assert months == [f"{n}월 {n}월" for n in range(1, 13)]


def test_the_names_do_not_depend_on_the_hosts_language() -> None:
    before = locale.setlocale(locale.LC_TIME)
    found = []
    for name in ("C", "C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8", "ko_KR.UTF-8"):
        try:
            locale.setlocale(locale.LC_TIME, name)
        except locale.Error:
            continue
        found.append(fill("{time:%p %A %B}", AT))
    locale.setlocale(locale.LC_TIME, before)
    assert found
    assert set(found) == {"오전 월요일 11월"}


@pytest.mark.parametrize(
    ("template", "value", "kind"),
    [
        ("{score:,}", None, "null"),
        ("{score:d}", None, "null"),
        ("{score:.1f}", "12,300", "a text"),
        ("{score:,}", [1], "a list"),
        ("{score:,}", {"a": 1}, "an object"),
        ("{score:d}", 87.5, "a number"),
        ("{score:,d}", float("nan"), "a number"),
        ("{score:%H:%M}", 5, "a whole number"),
    ],
)
def test_a_value_that_a_format_cannot_show_is_named_with_its_field(
    template: str, value: object, kind: str
) -> None:
    with pytest.raises(ContentError) as caught:
        fill("보고 {other} " + template, {"other": 1, "score": value})
    assert str(caught.value).startswith(f"'{template}': the value of 'score' is {kind}, which")


def test_a_null_in_a_format_for_texts_is_blank() -> None:
    assert fill("{a:>3}|{a}|", {"a": None}) == "   ||"


def test_a_placeholder_typed_on_a_mac_is_the_same_placeholder() -> None:
    assert fill(unicodedata.normalize("NFD", "{점수}점"), {"점수": 87}) == "87점"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("📊" * 101, "101 characters count 202 "),
        (("👨‍👩‍👧‍👦" * 19), "19 characters count 209 "),
        ("🇰🇷" * 51, "51 characters count 204 "),
        ("가" * 201, "the text has 201 characters"),
    ],
)
def test_what_looks_shorter_than_it_counts_is_told_with_both_numbers(text: str, said: str) -> None:
    with pytest.raises(ContentError) as caught:
        text_parcel(text, LINK)
    assert str(caught.value).startswith(said)
