"""Phone numbers as people write them, and which of them a KakaoTalk can have. Pure."""

from __future__ import annotations

import re
from unicodedata import normalize

from kakaocron.language.words import _

_DASHES = r"\-\u2010-\u2015"
_WRITTEN = re.compile(rf"[0-9 +().{_DASHES}]+")
_SEPARATORS = re.compile(rf"[ ().{_DASHES}]+")
# Digits alone: with its 0, a firm's (15xx to 18xx), or another country's behind a +.
_KEPT = re.compile(r"0[0-9]{6,14}|1[5-8][0-9]{6}|\+[0-9]{7,15}")
_MOBILE = re.compile(r"010[0-9]{8}|01[16789][0-9]{7,8}")
_LANDLINE = re.compile(r"02|0[3-6][1-5]")


def number_in(text: str) -> str | None:
    """Return a phone number in one form: digits alone, of another country behind a `+`; None for a
    text that is none."""
    text = normalize("NFKC", text)
    if _WRITTEN.fullmatch(text) is None:
        return None
    digits = _SEPARATORS.sub("", text)
    if korean := re.fullmatch(r"(?:\+|00)82\(?0?([0-9]+)", digits):
        digits = f"0{korean[1]}"
    elif re.fullmatch(r"10[0-9]{8}", digits):  # a spreadsheet takes the 0 away
        digits = f"0{digits}"
    return digits if is_number(digits) else None


def is_number(receiver: str) -> bool:
    """Say whether a receiver is a phone number in the form of `number_in`."""
    return _KEPT.fullmatch(receiver) is not None


def is_mobile(number: str) -> bool:
    return _MOBILE.fullmatch(number) is not None


def unfit(number: str) -> str | None:
    """Say why there is no KakaoTalk at a number; None if there can be one."""
    if is_mobile(number):
        return None
    if number.startswith("+"):
        said = _("'{number}' is a foreign number: 알림톡 goes to Korean mobile numbers")
    elif _LANDLINE.match(number):
        said = _("'{number}' is a landline: 알림톡 goes to mobile numbers")
    else:
        said = _("'{number}' is no mobile number such as 010-1234-5678")
    return said.format(number=number)
