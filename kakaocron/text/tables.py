"""Tables from outside, held against their types: faults in a user's words. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, ValidationError, to_builtins

from kakaocron.errors import Cause, Keys
from kakaocron.language.words import _
from kakaocron.text.causes import said


class FaultError(ValueError):
    """What is wrong with the value at `keys`, seen from the table that holds it: in words where
    it is only shown, a cause where it may be stored."""

    def __init__(self, keys: Keys, what: str | Cause) -> None:
        super().__init__(what)
        self.keys = keys
        self.cause = said(what) if isinstance(what, str) else what


UNKNOWN_KEY, BAD_CHOICE = "unknown-key", "bad-choice"
_KINDS = {
    "int": "not-integer",
    "float": "not-number",
    "str": "not-string",
    "bool": "not-boolean",
    "array": "not-list",
    "object": "not-table",
}
_BOUNDS = {">=": "at-least", "<=": "at-most", ">": "more-than"}
_LENGTHS = {
    ("str", ">="): "short-value",
    ("str", "<="): "long-value",
    ("array", ">="): "few-elements",
    ("array", "<="): "many-elements",
}
# What msgspec says of a value, and the cause of text/causes that it is.
_SAYINGS: tuple[tuple[str, Callable[[re.Match[str]], Cause]], ...] = (
    (r"Object missing required field `(?P<key>.*)`", lambda _m: Cause("missing")),
    (r"(?s)Object contains unknown field `(?P<key>.*)`", lambda _m: Cause(UNKNOWN_KEY)),
    (r"(?s)Invalid enum value (.*)", lambda m: Cause(BAD_CHOICE, {"value": m[1]})),
    (r"Expected `\w+` (>=|<=|>) (\S+)", lambda m: Cause(_BOUNDS[m[1]], {"bound": m[2]})),
    (
        r"Expected `(str|array)` of length (>=|<=) (\d+)",
        lambda m: Cause(_LENGTHS[m[1], m[2]], {"count": int(m[3])}),
    ),
    (
        r"Expected `(int|float|str|bool|array|object)(?: \| null)?`, got .*",
        lambda m: Cause(_KINDS[m[1]]),
    ),
)


def fault_of(error: ValidationError) -> tuple[Keys, Cause]:
    """Return the key that a fault is at (elements of lists from "0"), and what is wrong."""
    found = re.fullmatch(r"(.*) - at `\$([\w.\[\]]*)`", str(error), re.DOTALL)
    words, path = found.groups() if found else (str(error), "")
    keys = tuple(re.findall(r"\w+", path))
    if isinstance(error.__cause__, FaultError):
        return keys + error.__cause__.keys, error.__cause__.cause
    for pattern, cause_of in _SAYINGS:
        if found := re.fullmatch(pattern, words):
            last = found.groupdict().get("key")
            return keys if last is None else (*keys, last), cause_of(found)
    return keys, said(words[0].lower() + words[1:])


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
