"""Phone numbers as people write them."""

from __future__ import annotations

import pytest

from kakaocron.text.phones import is_mobile, is_number, number_in, unfit

MOBILE = "01012345678"


@pytest.mark.parametrize(
    "written",
    [
        "010-1234-5678",
        "01012345678",
        "010 1234 5678",
        "010.1234.5678",
        "(010) 1234-5678",
        "010–1234–5678",
        "０１０-１２３４-５６７８",
        "+82 10-1234-5678",
        "+82-010-1234-5678",
        "0082 10 1234 5678",
        "10-1234-5678",
        "1012345678",
    ],
)
def test_a_number_has_one_form_however_it_is_written(written: str) -> None:
    assert number_in(written) == MOBILE
    assert is_number(MOBILE)


@pytest.mark.parametrize(
    "text",
    ["", "me", "민수", "uuid-aaa", "2027-01-01", "12345678", "010-12", "0101234567890123",
     "010-1234-567a", "+", "+82", "1", "-", "abcdefg0001"],
)  # fmt: skip
def test_what_is_no_number_is_a_name(text: str) -> None:
    assert number_in(text) is None


@pytest.mark.parametrize(
    ("number", "is_fit"),
    [
        ("01012345678", True),
        ("0101234567", False),
        ("010123456789", False),
        ("0111234567", True),
        ("01112345678", True),
        ("011123456", False),
        ("0121234567", False),
    ],
)
def test_a_mobile_number_has_its_length(number: str, is_fit: bool) -> None:
    assert is_mobile(number) is is_fit


@pytest.mark.parametrize(
    ("written", "kept", "why"),
    [
        ("02-123-4567", "021234567", "landline"),
        ("031-123-4567", "0311234567", "landline"),
        ("+1 415 555 0100", "+14155550100", "foreign"),
        ("070-1234-5678", "07012345678", "no mobile number"),
        ("1588-1234", "15881234", "no mobile number"),
        ("0101234567", "0101234567", "no mobile number"),
    ],
)
def test_who_cannot_have_a_kakaotalk_is_told_why(written: str, kept: str, why: str) -> None:
    assert number_in(written) == kept
    assert why in (unfit(kept) or "")
    assert is_number(kept)


def test_a_mobile_number_is_fit() -> None:
    assert unfit(MOBILE) is None
