"""Placeholders in texts, such as `{score}` and `{time:%H:%M}`. Pure."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from kakaocron.errors import ContentError
from kakaocron.text.causes import content_error
from kakaocron.text.plain import in_percent, tidy

MAX_FIELD_WIDTH = 200
MAX_FILLED = 100_000
NOON = 12

# Whole forms that hold such names, as glibc's ko_KR has them (localedata/locales/ko_KR).
_WHOLE = {"c": "%Y년 %m월 %d일 (%a) %p %I시 %M분 %S초", "r": "%p %I시 %M분 %S초"}
_WHOLE_NAMED = re.compile(r"%(?:%|E?([cr]))")
# What strftime takes from the host's language, which under cron is English: weekday, month, half of
# the day. `%%` is found too, so that what follows it is left alone.
_NAMED = re.compile(r"%(?:%|[-_0^#]?\d*([aAbBhpP]))")
_WEEKDAYS = "월화수목금토일"

_SPEC = re.compile(r"[^{}]{0,40}")


class SelfShown:
    """A value that knows itself how a format shows it."""

    def shown(self, format_spec: str) -> str:
        """Return it as the format shows it. Raises ContentError."""
        raise NotImplementedError


class _Formatter(string.Formatter):
    """`str.format` with names and formats only: no attributes, indexes, calls or nesting."""

    def __init__(self) -> None:
        self._length = 0
        self._name = ""  # of the field that is being filled

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        if not field_name.replace("_", "a").isalnum() or field_name.isdigit():
            raise content_error("bad-name", name=field_name)
        if field_name not in kwargs:
            known = ", ".join(sorted(kwargs))
            raise content_error("no-value", name=field_name, known=known)
        self._name = field_name
        return kwargs[field_name], field_name

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion is not None:
            raise content_error("conversion", conversion=conversion)
        return value

    def format_field(self, value: Any, format_spec: str) -> str:
        if not _SPEC.fullmatch(format_spec) or _width(format_spec) > MAX_FIELD_WIDTH:
            raise content_error("bad-format", format=format_spec[:40])
        text = self._formatted(value, format_spec)
        self._length += len(text)
        if self._length > MAX_FILLED:
            raise content_error("long-values", most=MAX_FILLED)
        return text

    def _formatted(self, value: Any, format_spec: str) -> str:
        if isinstance(value, SelfShown):
            return value.shown(format_spec)
        shown, spec = value, format_spec
        if isinstance(value, date | time):
            spec = in_korean(format_spec, value)
        elif value is None:
            shown = ""
        elif not isinstance(value, str | int | float):
            shown = json.dumps(value, ensure_ascii=False, default=str)
        try:
            return format(shown, spec)
        except (ValueError, TypeError, OverflowError):
            raise content_error(
                "cannot-show", name=self._name, format=format_spec, kind=_kind(value)
            ) from None


def _kind(value: Any) -> str:
    """Return the code of what its author would call a value; the value itself may be private."""
    if value is None:
        return "kind-null"
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "kind-truth"),
        (int, "kind-whole"),
        (float, "kind-number"),
        (str, "kind-text"),
        (dict, "kind-object"),
        (list, "kind-list"),
    )
    return next((code for kind, code in kinds if isinstance(value, kind)), "kind-time")


def in_korean(format_spec: str, at: date | time) -> str:
    """Return a strftime format with the names of weekday, month and half of the day filled in."""

    def named(found: re.Match[str]) -> str:
        directive = found[1]
        if directive in {"p", "P"}:
            return "오전" if isinstance(at, date) and not isinstance(at, datetime) else _half(at)
        if directive is None or not isinstance(at, date):
            return found[0]
        if directive in {"a", "A"}:
            return _WEEKDAYS[at.weekday()] + ("요일" if directive == "A" else "")
        return f"{at.month}월"

    whole = _WHOLE_NAMED.sub(lambda m: _WHOLE[m[1]] if m[1] else m[0], format_spec)
    return _NAMED.sub(named, whole)


def _half(at: date | time) -> str:
    return "오후" if isinstance(at, datetime | time) and at.hour >= NOON else "오전"


def _width(format_spec: str) -> int:
    return max((int(digits) for digits in re.findall(r"\d+", format_spec)), default=0)


def fill(template: str, fields: Mapping[str, Any]) -> str:
    """Fill placeholders such as `{score}` and `{time:%H:%M}`. Raises ContentError."""
    template = tidy(template)
    try:
        return _Formatter().vformat(template, (), fields)
    except ContentError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise content_error("bad-template", template=template[:40], error=str(error)) from None


class SlotTime(datetime):
    """A slot's time, shown as people write it unless a format says otherwise."""

    def __format__(self, format_spec: str) -> str:
        return super().__format__(format_spec or "%Y-%m-%d %H:%M:%S")


def fill_all(value: Any, fields: Mapping[str, Any]) -> Any:
    """Fill the placeholders of every text inside tables and lists. Raises ContentError."""
    try:
        return _filled(value, fields)
    except RecursionError:
        raise content_error("deep-template") from None


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
    template = tidy(template)
    try:
        names = known or [name or "" for _, name, _, _ in string.Formatter().parse(template)]
    except ValueError as error:
        raise content_error("bad-template", template=template[:40], error=str(error)) from None
    fill(template, dict.fromkeys(names, _Anything()))


class _Anything(str):
    """A value that takes any format."""

    __slots__ = ()

    def __format__(self, format_spec: str) -> str:
        return ""


class Rate(float):
    """A share from 0 to 1, shown in per cent unless a format says otherwise."""

    def __format__(self, format_spec: str) -> str:
        return super().__format__(format_spec) if format_spec else in_percent(self)


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
