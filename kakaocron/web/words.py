"""The page's own sentences in its reader's language. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from kakaocron.language.choice import LANGUAGES, of_browser
from kakaocron.language.words import Language, _, language
from kakaocron.states import KINDS, Reason, State

COOKIE = "language"
_OTHER: Mapping[Language, Language] = {"ko": "en", "en": "ko"}
_IN_PAGE = re.compile(r"\{\{(.+?)\}\}")
_IN_SCRIPT = re.compile(r'\b_\("((?:[^"\\]|\\.)*)"')


def readers_language(cookies: Mapping[str, str], accepted: str) -> Language:
    """Return the language that the reader chose on the page, or that the browser asks for."""
    return LANGUAGES.get(cookies.get(COOKIE, "")) or of_browser(accepted)


def sentences_of_page(page: str) -> list[str]:
    return [one for one in _IN_PAGE.findall(page) if one not in LANGUAGES]


def sentences_of_script(script: str) -> list[str]:
    return _IN_SCRIPT.findall(script)


def translated_page(page: str) -> str:
    """Put the page into the language that is spoken; `{{en}}` is its code, `{{ko}}` the other."""
    codes = {"en": language(), "ko": _OTHER[language()]}
    return _IN_PAGE.sub(lambda m: codes.get(m[1]) or html.escape(_(m[1])), page)


def dictionary(script: str) -> dict[str, str]:
    """Return what the script says, by its English sentences: nothing where that is spoken."""
    words = [*sentences_of_script(script), *map(str, State), *map(str, Reason), *KINDS]
    return {} if language() == "en" else {one: _(one) for one in words}
