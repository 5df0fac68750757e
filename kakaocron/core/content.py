"""What a message says: placeholders, Kakao's length limit, the parts that are sent. Pure."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from msgspec import Struct

# Kakao's documentation says 200 characters and not how it counts them; UTF-16 units are the
# strictest reading, so that nothing is cut or refused.
MAX_UTF16_UNITS = 200
MAX_FIELD_WIDTH = 200
MAX_FILLED = 100_000


class ContentError(Exception):
    """The content cannot be made; `str()` says why, without secrets.

    `fallback` is what may be sent in its place when there is no time left to try again.
    """

    fallback: Parcel | None = None


class Part(Struct, frozen=True):
    """One request's worth of content: Kakao's kind of message and its form fields."""

    kind: str  # "default", "custom" or "scrap"
    fields: Mapping[str, str]


class Parcel(Struct, frozen=True):
    """What one delivery brings to each of its receivers. `text` is for people and the ledger."""

    text: str
    parts: tuple[Part, ...]

    @property
    def hash(self) -> str:
        return content_hash(json.dumps([[part.kind, dict(part.fields)] for part in self.parts]))

    def fields(self) -> dict[str, Any]:
        """Return what the ledger keeps, so that the same can be sent again."""
        parts = [{"kind": part.kind, "fields": dict(part.fields)} for part in self.parts]
        return {"text": self.text, "parts": parts}


def parcel_of(fields: Mapping[str, Any]) -> Parcel:
    """Read back what the ledger kept. Raises ContentError."""
    try:
        parts = tuple(Part(part["kind"], dict(part["fields"])) for part in fields["parts"])
        return Parcel(fields["text"], parts)
    except (KeyError, TypeError, ValueError):
        raise ContentError("the ledger's copy of the content cannot be read") from None


def content_hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def text_parcel(text: str, link: str, texts: Sequence[str] | None = None) -> Parcel:
    """Make a parcel of a text, sent as `texts` if that is not the text itself.

    Raises ContentError if Kakao would not take it.
    """
    if not text.strip():
        raise ContentError("the text is empty")
    parts = []
    for one in texts or (text,):
        units = utf16_units(one)
        if units > MAX_UTF16_UNITS:
            raise ContentError(
                f"the text has {units} characters, Kakao takes {MAX_UTF16_UNITS}; shorten it, "
                'or configure a message with overflow = "split"'
            )
        links = {"web_url": link, "mobile_web_url": link}
        parts.append(template_part({"object_type": "text", "text": one, "link": links}))
    return Parcel(text, tuple(parts))


def template_part(template: Mapping[str, Any]) -> Part:
    return Part("default", {"template_object": as_json(template)})


def as_json(value: Mapping[str, Any]) -> str:
    """Return JSON that can be sent. Raises ContentError."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ContentError("the text holds half a surrogate pair, which is no character") from None
    return text


_SPEC = re.compile(r"[^{}]{0,40}")


class _Formatter(string.Formatter):
    """`str.format` with names and formats only: no attributes, indexes, calls or nesting."""

    def __init__(self) -> None:
        self._length = 0

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        if not field_name.replace("_", "a").isalnum() or field_name.isdigit():
            raise ContentError(f"'{{{field_name}}}' is not a plain name")
        if field_name not in kwargs:
            known = ", ".join(sorted(kwargs))
            raise ContentError(f"no value for '{{{field_name}}}'; there are: {known}")
        return kwargs[field_name], field_name

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion is not None:
            raise ContentError(f"'!{conversion}' is not allowed in a placeholder")
        return value

    def format_field(self, value: Any, format_spec: str) -> str:
        if not _SPEC.fullmatch(format_spec) or _width(format_spec) > MAX_FIELD_WIDTH:
            raise ContentError(f"format '{format_spec[:40]}' is not allowed")
        if not isinstance(value, str | int | float | date | datetime):
            value = "" if value is None else json.dumps(value, ensure_ascii=False)
        text = format(value, format_spec)
        self._length += len(text)
        if self._length > MAX_FILLED:
            raise ContentError(f"what the placeholders stand for has over {MAX_FILLED} characters")
        return text


def _width(format_spec: str) -> int:
    return max((int(digits) for digits in re.findall(r"\d+", format_spec)), default=0)


def fill(template: str, fields: Mapping[str, Any]) -> str:
    """Fill placeholders such as `{score}` and `{time:%H:%M}`. Raises ContentError."""
    try:
        return _Formatter().vformat(template, (), fields)
    except ContentError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise ContentError(f"'{template[:40]}': {error}") from None


class SlotTime(datetime):
    """A slot's time, shown as people write it unless a format says otherwise."""

    def __format__(self, format_spec: str) -> str:
        return super().__format__(format_spec or "%Y-%m-%d %H:%M:%S")


def fill_all(value: Any, fields: Mapping[str, Any]) -> Any:
    """Fill the placeholders of every text inside tables and lists. Raises ContentError."""
    try:
        return _filled(value, fields)
    except RecursionError:
        raise ContentError("the template is nested too deeply") from None


def _filled(value: Any, fields: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return fill(value, fields)
    if isinstance(value, Mapping):
        return {key: _filled(item, fields) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, fields) for item in value]
    return value


def check_placeholders(template: str, known: Iterable[str] | None = None) -> None:
    """Raise ContentError for what could not be filled: attributes, calls, unclosed braces, and
    names that are not among the known ones, if those are known."""
    try:
        names = known or [name or "" for _, name, _, _ in string.Formatter().parse(template)]
    except ValueError as error:
        raise ContentError(f"'{template[:40]}': {error}") from None
    fill(template, dict.fromkeys(names, _Anything()))


class _Anything(str):
    """A value that takes any format."""

    __slots__ = ()

    def __format__(self, format_spec: str) -> str:
        return ""


class Rate(float):
    """A share from 0 to 1, shown in per cent unless a format says otherwise."""

    def __format__(self, format_spec: str) -> str:
        return super().__format__(format_spec or ".1%")


BUILT_IN = frozenset(
    ["time", "date", "slot", "name", "attempt", "success_rate", "completed_count", "failed_count"]
)


def slot_fields(name: str, slot: datetime, kind: str, attempt: int) -> dict[str, Any]:
    """Return the placeholders that every message has."""
    return {
        "time": SlotTime.fromtimestamp(slot.timestamp(), slot.tzinfo),
        "date": slot.date(),
        "slot": kind,
        "name": name,
        "attempt": attempt,
    }
