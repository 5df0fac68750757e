"""What a message may hold: composed letters, lines, tabs, and no other control character."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.text.plain import in_percent, is_name, tidy, tidy_all, utf16_units

FAMILY = "👨‍👩‍👧‍👦"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        (unicodedata.normalize("NFD", "한글 보고"), "한글 보고"),
        (unicodedata.normalize("NFD", "café"), "café"),
        ("ㅋㅋ ㅠㅠ", "ㅋㅋ ㅠㅠ"),
        ("\ufeff보고", "보고"),
        ("보\ufeff고", "보고"),
        ("\u1112\ufeff\u1161\u11ab", "한"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\r\nb", "a\nb"),
        ("a\vb\fc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
        ("a\tb", "a\tb"),
        ("a\0b\x07c\x7fd\x9fe", "abcde"),
        ("\x1b[1;31m빨강\x1b[0m", "빨강"),
        ("\x1b[38:2::255:0:0mx\x1b[K", "x"),
        ("\x9b31mx", "x"),
        ("\x1b]8;;https://x.kr\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1bPq#0\x1b\\x", "x"),
        ("\x1b(Bx\x1b7y\x1b=z", "xyz"),
        ("x\x1b", "x"),
        ("x\x1b[31", "x"),
        ("N\bNA\bAM\bME\bE", "NAME"),
        ("_\bA_\bB", "AB"),
        ("ab\b\b\bcd", "cd"),
        ("a\n\bb", "a\nb"),
        (f"{FAMILY} {ENGLAND} 🇰🇷", f"{FAMILY} {ENGLAND} 🇰🇷"),
        ("한\ufffe\uffff", "한"),
    ],
)
def test_what_no_message_may_hold_is_taken_out(text: str, tidied: str) -> None:
    assert tidy(text) == tidied


@given(st.text())
def test_a_tidy_text_has_no_control_character_but_lines_and_tabs(text: str) -> None:
    tidied = tidy(text)
    controls = {c for c in tidied if unicodedata.category(c) == "Cc"}
    assert controls <= {"\n", "\t"}
    assert unicodedata.is_normalized("NFC", tidied)
    assert utf16_units(tidied) <= 3 * utf16_units(text)  # some single letters are two in NFC


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_letters_digits_signs_and_blanks_stay(text: str) -> None:
    assert tidy(text) == unicodedata.normalize("NFC", text)


def test_tables_and_lists_are_tidied_with_their_keys() -> None:
    name = unicodedata.normalize("NFD", "점수")
    assert tidy_all({name: ["a\r\nb", {"x": "\0"}, 5, None, True]}) == {
        "점수": ["a\nb", {"x": ""}, 5, None, True]
    }


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, "100.0%"), (0.9999, "99.9%"), (0.9, "90.0%"), (0.29, "29.0%"), (0.0, "0.0%")],
)
def test_what_is_not_all_is_not_called_100_per_cent(share: float, said: str) -> None:
    assert in_percent(share) == said


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("", False), ("a", True), ("가", True), ("힣.", True), ("a" * 7, True), ("a" * 8, True),
        ("a" * 9, False), (".a", False), ("-", False), ("a b", False), ("a\n", False),
        ("é", False), ("²", False), ("٣", False), ("ㄱ", False), ("\uabff", False),
        ("\ud7a4", False), ("A-9_.", False), ("A-9.", True),
    ],
)  # fmt: skip
def test_a_name_is_of_letters_digits_and_marks(name: str, is_one: bool) -> None:
    assert is_name(name, "-.", 8) is is_one
