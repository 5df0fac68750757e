"""Korean particles after a word that is known only when it is said. Pure.

A sentence of the catalogue names both forms, as Korean forms do: '{name}'을(를). Which one holds is
the matter of the last sound of what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# After a consonant, after a vowel. 으로 is 로 after ㄹ too.
_FORMS = {
    "을(를)": ("을", "를"),
    "이(가)": ("이", "가"),
    "은(는)": ("은", "는"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
    "이에요(예요)": ("이에요", "예요"),
    "이어야(여야)": ("이어야", "여야"),
}
_FORM = "|".join(re.escape(form) for form in _FORMS)
# Put before the sentence's own forms while it is filled: what others write stays as it is.
_MARK = "\0"
_UNMARKED = f"(?={_FORM})"  # texts, all of these: few commands need them
_PARTICLE = rf"(?:(\w)([^\w\s]*))?{_MARK}({_FORM})"
# So much of a word tells how it ends: what others write can be one word of any length.
_END_OF_WORD = 8
_FIRST_SYLLABLE, _FINALS, _RIEUL = 0xAC00, 28, 8
# How the digits end when they are read: 영 (and 십, 백, 천, 만), 일, 삼, 육, 칠, 팔 in a consonant.
_DIGITS = {"0": "ㅇ", "1": "ㄹ", "3": "ㅁ", "6": "ㄱ", "7": "ㄹ", "8": "ㄹ"}
# Latin words, as they are written in Hangul: 톰엘, 이메일; 제이슨; 폼; 틱, 백업, 포맷; 홈, 파일. A
# capital alone or among capitals is read by its name: 엘, 엠, 엔, 알; but HOME is 홈.
_LATIN = (
    (r"(?:^|[^a-z])[LR]$|l$", "ㄹ"),
    (r"(?i)[a-z]le$", "ㄹ"),
    (r"(?:^|[^a-z])[MN]$|[mn]$|ng$|ck$|(?:^|[^aeiou])[aeiou][bkpt]$", "ㅁ"),
    (r"(?i)[aeiou][mn]e$", "ㅁ"),
)


def fitted(sentence: str, fill: Callable[[str], str] = str) -> str:
    """Return a sentence whose particles have the one form that fits, once `fill` has put into it
    what it says."""
    if "(" not in sentence:
        return fill(sentence)
    said = fill(re.sub(_UNMARKED, _MARK, sentence))
    return re.sub(_PARTICLE, lambda found: _fit(found, said), said)


def _fit(found: re.Match[str], sentence: str) -> str:
    last, closing, form = found.groups()
    if last is None:
        return form
    end = sentence[max(0, found.end(1) - _END_OF_WORD) : found.end(1)]
    word = re.search(r"\w+$", end, re.ASCII)
    final = final_of(word[0] if word else last)
    after_consonant, after_vowel = _FORMS[form]
    is_vowel = not final or (form == "(으)로" and final == "ㄹ")
    return last + closing + (after_vowel if is_vowel else after_consonant)


def final_of(word: str) -> str:
    """Return the consonant that a word ends in when it is read aloud (ㄹ is told from others), ""
    for a vowel."""
    last = word[-1:]
    if "가" <= last <= "힣":
        final = (ord(last) - _FIRST_SYLLABLE) % _FINALS
        return "ㄹ" if final == _RIEUL else "ㅁ" if final else ""
    if last.isdecimal():
        return _DIGITS.get(last, "")
    return next((final for pattern, final in _LATIN if re.search(pattern, word)), "")
