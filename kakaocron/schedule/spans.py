"""How long, and how many, as people write it in Korean and English. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import timedelta

from kakaocron.language.words import _


class PhraseError(ValueError):
    """A time that cannot be read in exactly one way; `str()` says why and what is near."""


def any_of(words: Iterable[str]) -> str:
    """Return a pattern of these words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def plain_letters(text: str) -> str:
    """Return what was typed as it is read: Hangul whole, one blank where there are several."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


# Hours, days and weeks are counted in Korea's own numbers, minutes in those that came from China.
NATIVE = {
    word: number
    for number, word in enumerate(
        ["한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열한", "열두"], 1
    )
}
_SINO_DIGITS = "일이삼사오육칠팔구"
SINO = {
    ("" if tens == 0 else "십" if tens == 1 else f"{_SINO_DIGITS[tens - 1]}십")
    + ("" if ones == 0 else _SINO_DIGITS[ones - 1]): 10 * tens + ones
    for tens in range(10)
    for ones in range(10)
    if tens or ones
}
DAYS = {
    **{
        word: number
        for number, word in enumerate(
            ["하루", "이틀", "사흘", "나흘", "닷새", "엿새", "이레", "여드레", "아흐레", "열흘"], 1
        )
    },
    "보름": 15,
}
_ENGLISH = {"a": 1.0, "an": 1.0, "one": 1.0, "half an": 0.5, "반": 0.5}


def number_of(word: str) -> float:
    """Return what a number says that `NUMBER` matches."""
    for known in (NATIVE, SINO, _ENGLISH):
        if word in known:
            return float(known[word])
    return float(word)


NUMBER = rf"\d{{1,6}}(?:\.\d{{1,2}})?|{any_of([*NATIVE, *SINO, *_ENGLISH])}"

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_UNIT_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "초"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "분"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "시간"), "h"),
    **dict.fromkeys(("d", "day", "days", "일"), "d"),
    **dict.fromkeys(("w", "week", "weeks", "주", "주일"), "w"),
}
# "이 시간" is this hour, though 이 is a two elsewhere.
_PIECE = re.compile(
    rf"(?:(?P<days>{any_of(DAYS)})"
    rf"|(?!이 ?시간)(?P<count>{NUMBER}) ?(?P<unit>[a-z]+|시간|주일|[초분일주]))"
    r"(?P<half> ?반)?(?: ?and | )?"
)
LONGEST = timedelta(days=3660)


def read_span(text: str) -> timedelta:
    """Read how long from now: `5m`, `1h30m`, `1시간 30분`, `사흘`. Raises PhraseError."""
    total, rest = timedelta(0), plain_letters(text).lower()
    while rest:
        piece = _PIECE.match(rest)
        unit = "d" if piece and piece["days"] else _UNIT_WORDS.get(piece["unit"]) if piece else None
        if piece is None or unit is None:
            what = _("cannot read the span '{text}'; write it such as 5m, 1h30m or 10분")
            raise PhraseError(what.format(text=text))
        count = DAYS[piece["days"]] if piece["days"] else number_of(piece["count"])
        total += (count + (0.5 if piece["half"] else 0)) * _UNITS[unit]
        rest = rest[piece.end() :]
        if total > LONGEST:
            raise PhraseError(_("'{text}' is more than ten years").format(text=text))
    if not total:
        what = _("'{text}' is no time at all; write a span such as 5m")
        raise PhraseError(what.format(text=text))
    return total
