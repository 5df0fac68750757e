"""A template of 알림톡 and what fills it. Pure.

The text that Kakao has approved is the dealer's to know; where the configuration repeats it, it is
checked and shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from msgspec import Struct

from kakaocron.alimtalk.causes import content_error
from kakaocron.delivery.parcel import Parcel, Part
from kakaocron.text.plain import tidy

# The kind of a parcel's part that a dealer takes.
KIND = "alimtalk"
_VARIABLE = re.compile(r"#\{([^{}]+)\}")
# By dealer: what a text may have with its variables filled in, and a variable's value. NHN Cloud's
# release notes of 2025-10-28 and 2026-02-24; of SOLAPI only code 1031's 1,000 is known.
LONGEST_TEXT: Mapping[str, int] = {"nhn": 1300, "solapi": 1000}
LONGEST_VALUE: Mapping[str, int] = {"nhn": 1300, "solapi": 1000}
DEALER_NAMES: Mapping[str, str] = {"nhn": "NHN Cloud", "solapi": "SOLAPI"}


class Letter(Struct, frozen=True):
    """What a dealer is to bring: a template's code, and what fills it."""

    code: str
    variables: Mapping[str, str]


def variables_of(text: str) -> list[str]:
    """Return the names that a template's text leaves open, in their order, each once."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def check_variables(code: str, text: str, given: Mapping[str, object]) -> None:
    """Raise ContentError if a template's variables are not exactly those that are given."""
    wanted = variables_of(text)
    if missing := [name for name in wanted if name not in given]:
        raise content_error("alimtalk-missing", template=code, names=", ".join(missing))
    if unknown := [name for name in given if name not in wanted]:
        raise content_error("alimtalk-unknown", template=code, names=", ".join(unknown))


def parcel_of_template(
    dealer: str, code: str, variables: Mapping[str, str], text: str | None
) -> Parcel:
    """Make a parcel of a template; `text` is the one that was approved, if the configuration has
    it. Raises ContentError if the dealer would not take it."""
    name = DEALER_NAMES[dealer]
    for key, value in variables.items():
        if len(value) > LONGEST_VALUE[dealer]:
            raise content_error(
                "alimtalk-long-value",
                name=key,
                length=len(value),
                dealer=name,
                most=LONGEST_VALUE[dealer],
            )
    if text is None:
        shown = " ".join([code, *(f"{key}: {value}" for key, value in variables.items())])
    else:
        check_variables(code, text, variables)
        shown = _VARIABLE.sub(lambda found: variables[found[1]], tidy(text))
        if len(shown) > LONGEST_TEXT[dealer]:
            raise content_error(
                "alimtalk-long", length=len(shown), dealer=name, most=LONGEST_TEXT[dealer]
            )
    said = json.dumps(dict(variables), ensure_ascii=False)
    return Parcel(shown, (Part(KIND, {"code": code, "variables": said}),))


def letter_in(part: Part) -> Letter | None:
    """Read back what a part brings; None if it is for another channel."""
    if part.kind != KIND:
        return None
    try:
        variables = json.loads(part.fields["variables"])
        return Letter(part.fields["code"], {str(name): str(variables[name]) for name in variables})
    except (KeyError, ValueError, TypeError):
        return None
