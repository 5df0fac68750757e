"""Forms of JSON documents: exact keys, and the type of each value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

# A form is a type, a pattern of a whole text, a set of words, or one of these:
# a mapping of keys to forms (a key that ends in "?" may be left out), a list of the one form that
# each of its elements has, of which there is at least one, Maybe, Each and AnyCount.
Form = Any
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?\+09:00")
MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00\+09:00")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
HASH = re.compile(r"[0-9a-f]{16}")


class Maybe(NamedTuple):
    """null, or what has the form."""

    form: Form


class Each(NamedTuple):
    """An object whose keys are data, and whose values all have the form."""

    form: Form


class AnyCount(NamedTuple):
    """A list that may be empty."""

    form: Form


def faults(document: Any, form: Form, at: str = "") -> Iterator[str]:
    """Yield where a document has not its form, and what is there instead."""
    match form:
        case Maybe(inner):
            if document is not None:
                yield from faults(document, inner, at)
        case Each(inner) if isinstance(document, dict):
            for name, value in document.items():
                yield from faults(value, inner, f"{at}.{name}")
        case AnyCount(inner) if isinstance(document, list):
            for index, value in enumerate(document):
                yield from faults(value, inner, f"{at}[{index}]")
        case list() if isinstance(document, list):
            if not document:
                yield f"{at}: empty, so nothing is known of its elements"
            yield from faults(document, AnyCount(*form), at)
        case Mapping() if isinstance(document, dict):
            yield from _faults_of_object(document, form, at)
        case _ if not _has(document, form):
            yield f"{at}: {document!r}"


def _faults_of_object(
    document: Mapping[str, Any], form: Mapping[str, Form], at: str
) -> Iterator[str]:
    forms = {key.rstrip("?"): value for key, value in form.items()}
    needed = {key for key in form if not key.endswith("?")}
    for key in sorted(needed - document.keys()):
        yield f"{at}.{key}: not there"
    for key, value in document.items():
        if key in forms:
            yield from faults(value, forms[key], f"{at}.{key}")
        else:
            yield f"{at}.{key}: not in the form"


def _has(value: Any, form: Form) -> bool:
    match form:
        case re.Pattern():
            return isinstance(value, str) and form.fullmatch(value) is not None
        case set() | frozenset():
            return isinstance(value, str) and value in form
        case type() if form is float:  # a number; of a whole one JSON does not say which it is
            return isinstance(value, int | float) and not isinstance(value, bool)
        case type():
            return type(value) is form
        case str() | int():
            return type(value) is type(form) and value == form
    return False
