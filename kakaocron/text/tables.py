"""Tables from outside, held against their types: faults in a user's words. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, ValidationError, to_builtins

from kakaocron.errors import Keys
from kakaocron.language.words import _, marked


class FaultError(ValueError):
    """What is wrong with the value at `keys`, seen from the table that holds it."""

    def __init__(self, keys: Keys, what: str) -> None:
        super().__init__(what)
        self.keys = keys


_KINDS = {
    "int": marked("an integer"),
    "float": marked("a number"),
    "str": marked("a string"),
    "bool": marked("a boolean: true or false"),
    "array": marked('a list, as in [1, 2] or ["a", "b"]'),
    "object": marked("a table"),
}
_BOUNDS = {
    ">=": marked("must be at least {bound}"),
    "<=": marked("must be at most {bound}"),
    ">": marked("must be greater than {bound}"),
    "<": marked("must be less than {bound}"),
}
_LENGTHS = {
    ("str", ">="): marked("must have at least {count} characters"),
    ("str", "<="): marked("must have at most {count} characters"),
    ("array", ">="): marked("must have at least {count} elements"),
    ("array", "<="): marked("must have at most {count} elements"),
    ("object", ">="): marked("must have at least {count} keys"),
    ("object", "<="): marked("must have at most {count} keys"),
}
UNKNOWN_KEY = marked("unknown key")
# What msgspec says of a value, and what a user is told.
_SAYINGS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"Object missing required field `(?P<key>.*)`", lambda _m: _("is missing")),
    (r"(?s)Object contains unknown field `(?P<key>.*)`", lambda _m: _(UNKNOWN_KEY)),
    (r"Expected `\w+` ([<>]=?) (\S+)", lambda m: _(_BOUNDS[m[1]]).format(bound=m[2])),
    (
        r"Expected `(\w+)` of length ([<>]=?) (\d+)",
        lambda m: _(_LENGTHS[m[1], m[2]]).format(count=m[3]),
    ),
    (
        r"Expected `(\w+)(?: \| null)?`, got .*",
        lambda m: _("must be {kind}").format(kind=_(_KINDS.get(m[1], m[1]))),
    ),
)


def fault_of(error: ValidationError) -> tuple[Keys, str]:
    """Return the key that a fault is at (elements of lists from "0"), and what is wrong."""
    found = re.fullmatch(r"(.*) - at `\$([\w.\[\]]*)`", str(error), re.DOTALL)
    said, path = found.groups() if found else (str(error), "")
    keys = tuple(re.findall(r"\w+", path))
    if isinstance(error.__cause__, FaultError):
        return keys + error.__cause__.keys, str(error.__cause__)
    for pattern, words in _SAYINGS:
        if found := re.fullmatch(pattern, said):
            last = found.groupdict().get("key")
            return keys if last is None else (*keys, last), words(found)
    return keys, said[0].lower() + said[1:]


def plain(table: Struct, enc_hook: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a table's keys and values, without those that are not given."""
    return _given(to_builtins(table, enc_hook=enc_hook))  # type: ignore[no-any-return]


def _given(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _given(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_given(one) for one in value]
    return value


def nearest(word: str, known: Sequence[str]) -> str:
    """Ask whether one of the known words was meant, if one is like this word."""
    import difflib  # noqa: PLC0415 - for faults alone

    found = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return _("; did you mean '{found}'?").format(found=found[0]) if found else ""
