"""Which language is spoken. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kakaocron.language.words import Language

AUTO = "auto"
LANGUAGES: Mapping[str, Language] = {"ko": "ko", "en": "en"}
CHOICES = (AUTO, *LANGUAGES)
VARIABLE = "KAKAOCRON_LANGUAGE"
# As setlocale(3) takes them: the first that is set counts, whatever it says.
_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")
_KEY = re.compile(r"""^[ \t]*language[ \t]*=[ \t]*["'](\w+)["']""", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def chosen_language(variables: Mapping[str, str], configured: str | None = None) -> Language:
    """Return the language by the environment's variable, the configuration's key, the locale.

    A word that is no choice counts as none: it is no reason to say nothing.
    """
    said = variables.get(VARIABLE)
    word = said if said in CHOICES else configured
    return LANGUAGES.get(word or AUTO) or of_locale(variables)


def of_locale(variables: Mapping[str, str]) -> Language:
    locale = next((found for name in _LOCALES if (found := variables.get(name))), "")
    return "ko" if re.match(r"ko(?![a-z])", locale, re.IGNORECASE) else "en"


def of_browser(accepted: str) -> Language:
    """Return the language that a browser's Accept-Language wants most of the two."""
    best: Language = "en"
    most = 0.0
    for part in accepted.split(",")[:50]:
        tag, _, rest = part.strip().partition(";")
        weight = re.fullmatch(r"\s*q=(\d(?:\.\d{0,3})?)\s*", rest)
        share = float(weight[1]) if weight else 0.0 if rest.strip() else 1.0
        found = LANGUAGES.get(tag.lower().partition("-")[0])
        if found and share > most:
            best, most = found, share
    return best


def configured_language(text: str) -> str | None:
    """Return what a configuration says of the language, read before all else and without a
    parser: help and errors too are to be in it, those of a broken file among them."""
    table = _TABLE.search(text)
    found = _KEY.search(text, 0, table.start() if table else len(text))
    return found[1] if found else None


def can_show_hangul(encoding: str | None) -> bool:
    """Say whether an output of this encoding shows Hangul at all."""
    try:
        "가".encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
