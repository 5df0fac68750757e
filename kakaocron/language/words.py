"""Sentences in the language that is spoken. Pure: it is handed its catalogue.

Mark a sentence where it is said: `_("… {name} …").format(name=name)`. One that stands in a table or
a constant is `marked("…")` there, and goes through `_` where it is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol

from kakaocron.language.particles import fitted

Language = Literal["ko", "en"]


class Catalogue(Protocol):
    """Sentences by their English ones, as gettext's own classes have them."""

    def gettext(self, message: str, /) -> str: ...
    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str: ...


class _Spoken:
    """What all threads of this process speak; None is English."""

    catalogue: Catalogue | None = None


_here: ContextVar[Catalogue | None] = ContextVar("catalogue")


def speak(catalogue: Catalogue | None) -> None:
    """Speak the language of a catalogue from now on, in all threads; None is English."""
    _Spoken.catalogue = catalogue


@contextmanager
def speaking(catalogue: Catalogue | None) -> Iterator[None]:
    """Speak the language of a catalogue in this context alone, as for one reader of the page."""
    token = _here.set(catalogue)
    try:
        yield
    finally:
        _here.reset(token)


def _catalogue() -> Catalogue | None:
    return _here.get(_Spoken.catalogue)


def language() -> Language:
    """Return the language that is spoken."""
    return "en" if _catalogue() is None else "ko"


def marked(sentence: str) -> str:
    """Return a sentence as it is: it is in the catalogue, and said later through `_`."""
    return sentence


# Of the values that stand in sentences, those that are words of the system, or of an edge to it.
_FROM_OUTSIDE = ("error", "strerror", "why", "reason", "kind")
_OF_THE_SYSTEM = (
    marked("No such file or directory"),
    marked("Permission denied"),
    marked("Operation not permitted"),
    marked("Not a directory"),
    marked("Is a directory"),
    marked("File exists"),
    marked("File name too long"),
    marked("Too many levels of symbolic links"),
    marked("Read-only file system"),
    marked("No space left on device"),
    marked("Disk quota exceeded"),
    marked("Input/output error"),
    marked("Too many open files"),
    marked("Cannot allocate memory"),
    marked("Exec format error"),
    marked("Address already in use"),
    marked("Cannot assign requested address"),
    marked("Connection refused"),
    marked("Connection reset by peer"),
    marked("Network is unreachable"),
    marked("No route to host"),
    marked("Connection timed out"),
    marked("not a file"),
    marked("not UTF-8 text"),
    marked("not this user's private folder"),
    marked("another process writes to it too: was its lock file removed?"),
    marked("not an http:// or https:// address"),
    marked("no certificates"),
    marked("no content type"),
)


class _Template(str):
    """A Korean sentence with places: its particles fit what is put before them.

    One whose places are not those of its English one, as in a catalogue of another version or one
    that somebody has changed, is said in English.
    """

    english: str

    @classmethod
    def of(cls, korean: str, english: str) -> _Template:
        found = cls(korean)
        found.english = english
        return found

    def format(self, *values: Any, **named: Any) -> str:
        said = named | {
            name: _(str(named[name]))  # an exception stands for its words
            for name in _FROM_OUTSIDE
            if name in named
        }
        try:
            return fitted(self, lambda template: str.format(template, *values, **said))
        except (LookupError, ValueError, AttributeError, TypeError):
            return self.english.format(*values, **named)

    def format_map(self, named: Any) -> str:
        return self.format(**named)


def _(sentence: str) -> str:
    """Return a sentence in the language that is spoken; as it is where the catalogue has none."""
    catalogue = _catalogue()
    if catalogue is None or not sentence:  # under "" a catalogue keeps facts on itself
        return sentence
    found = catalogue.gettext(sentence)
    return _Template.of(found, sentence) if "{" in sentence else found


def ngettext(one: str, many: str, count: int) -> str:
    """Return the sentence for a count, as English tells one from many."""
    catalogue = _catalogue()
    english = one if count == 1 else many
    if catalogue is None:
        return english
    return _Template.of(catalogue.ngettext(one, many, count), english)
