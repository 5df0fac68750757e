"""What a message says: placeholders, and Kakao's limit to the unit."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.errors import ContentError
from kakaocron.kakao.texts import text_parcel
from kakaocron.kst import KST
from kakaocron.text.placeholders import fill, slot_fields
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
