"""Reads the catalogue: at the first sentence, as a tick that says nothing needs none."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kakaocron.language.words import Catalogue, Language

FOLDER = Path(__file__).parent
NAME = "ko.mo"


class KoreanCatalogue:
    """The Korean sentences. Without the file, or with a broken one, they are English."""

    def gettext(self, message: str) -> str:
        return _read().gettext(message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        return _read().ngettext(one, many, count)


def catalogue_of(language: Language) -> Catalogue | None:
    """Return what `speak` is to be given for a language."""
    return KoreanCatalogue() if language == "ko" else None


def is_sound() -> bool:
    """Say whether the Korean sentences can be read."""
    return len(_read().gettext("")) > 0


@cache
def _read() -> Catalogue:
    import gettext  # noqa: PLC0415 - for those who read Korean

    try:
        with (FOLDER / NAME).open("rb") as file:
            return gettext.GNUTranslations(file)
    except Exception:  # whatever gettext makes of bytes that are no catalogue
        return gettext.NullTranslations()
