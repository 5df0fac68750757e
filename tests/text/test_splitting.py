"""Long texts in parts: they fit, they join to the whole, and no character is cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.errors import ContentError
from kakaocron.text.plain import utf16_units
from kakaocron.text.splitting import graphemes, split, truncated

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇰🇷"
DECOMPOSED = "\u1112\u1161\u11ab"  # 한 in three jamo

PIECES = [FAMILY, FLAG, DECOMPOSED, "가", "a", " ", "\n", "\r\n", "e\u0301", "👍🏽"]
TEXTS = st.one_of(
    st.text(max_size=2000),
    st.lists(st.sampled_from(PIECES), max_size=700).map("".join),
)


@given(TEXTS)
def test_parts_fit_and_join_back_to_the_whole(text: str) -> None:
    parts = split(text, 200)
    assert all(utf16_units(part) <= 200 for part in parts)
    if len(parts) == 1:
        assert parts == [text]
        return
    for number, part in enumerate(parts, 1):
        assert part.startswith(f"({number}/{len(parts)}) ")
    bodies = [re.sub(r"^\(\d+/\d+\) ", "", part, count=1) for part in parts]
    assert "".join(bodies) == text
    assert [g for body in bodies for g in graphemes(body)] == graphemes(text)


@given(TEXTS)
def test_a_truncated_text_fits_and_is_a_beginning_of_whole_characters(text: str) -> None:
    short = truncated(text, 200)
    assert utf16_units(short) <= 200
    if short != text:
        kept = graphemes(short.removesuffix("…"))
        assert kept == graphemes(text)[: len(kept)]


def test_a_cut_is_at_a_line_before_a_word_before_a_character() -> None:
    lines = "가나다라마바사 아자차카\n" * 30
    assert all(part.endswith("\n") for part in split(lines, 200))
    words = "가나다라마바사 " * 60
    assert all(part.endswith(" ") for part in split(words, 200))
    assert [len(part) for part in split("가" * 200 + "나", 200)] == [200, 13]


@pytest.mark.parametrize(("length", "count"), [(199, 1), (200, 1), (201, 2), (194 * 9, 9)])
def test_the_limit_is_200_units(length: int, count: int) -> None:
    assert len(split("가" * length, 200)) == count


def test_ten_parts_and_more_have_room_for_their_numbers() -> None:
    parts = split("가" * 194 * 9 + "나", 200)
    assert parts[0].startswith("(1/10) ")
    assert max(map(utf16_units, parts)) <= 200


def test_a_character_longer_than_a_message_is_refused() -> None:
    with pytest.raises(ContentError, match="one character"):
        split("a" + "\u0301" * 300, 200)


def test_a_text_of_too_many_parts_is_refused() -> None:
    with pytest.raises(ContentError, match="more than 99 parts"):
        split("가" * 20_000, 200)
