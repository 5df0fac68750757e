"""Makes what a message says, from its configuration and the outside."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.config import Config, Message
from kakaocron.core.calendar import Slot
from kakaocron.core.content import (
    BUILT_IN,
    ContentError,
    Parcel,
    Part,
    Rate,
    as_json,
    check_placeholders,
    fill,
    fill_all,
    parcel_of,
    slot_fields,
    template_part,
    text_parcel,
)
from kakaocron.core.ledger import Delivery, State
from kakaocron.core.orders import BY_HAND
from kakaocron.core.policy import Due
from kakaocron.core.split import split, truncated
from kakaocron.core.stats import stats_of
from kakaocron.outside import USUAL, Outside
from kakaocron.store import View

# What has been confirmed to one receiver, or may have arrived, must reach the others unchanged.
BEGUN = frozenset({State.CONFIRMED, State.SENT, State.UNKNOWN})


class Contents(Struct, frozen=True):
    """The contents of one configuration; relative paths start at `folder`."""

    config: Config
    folder: Path
    outside: Outside

    def of(self, due: Due, view: View) -> Parcel:
        """Make a delivery's content, or repeat what was sent of it. Raises ContentError."""
        known = view.deliveries.get(due.id)
        kept = known.content if known else None
        if kept and "parts" in kept and (_is_literal(due, kept) or _has_begun(known)):
            return parcel_of(kept)
        name = str(kept["message"]) if kept and "message" in kept else due.slot.message
        for message in self.config.message:
            if message.name == name:
                slot = replace(due.slot, message=name)
                others = (one for one in view.deliveries.values() if one.id != due.id)
                return self.of_message(message, slot, others, due.attempt)
        raise ContentError(f"the configuration has no message '{name}' any more")

    def of_message(
        self,
        message: Message,
        slot: Slot,
        others: Iterable[Delivery],
        attempt: int = 1,
    ) -> Parcel:
        """Make a configured message for a slot. Raises ContentError, with the fallback if any.

        The totals that it may name are those of the `others` of the slot's day.
        """
        today = _today(one for one in others if one.slot.date() == slot.at.date())
        fields = {**slot_fields(message.name, slot.at, slot.kind, attempt), **today}
        try:
            return self._made(message, fields)
        except ContentError as error:
            error.fallback = self._fallback(message, fields)
            raise

    def of_text(self, text: str, overflow: str = "error") -> Parcel:
        """Make a parcel of a text as it is. Raises ContentError."""
        link = self.config.kakao.link
        if overflow == "split":
            return text_parcel(text, link, split(text))
        return text_parcel(truncated(text) if overflow == "truncate" else text, link)

    def _fallback(self, message: Message, fields: Mapping[str, Any]) -> Parcel | None:
        if message.fallback_text is None:
            return None
        try:
            return self.of_text(fill(message.fallback_text, fields), "truncate")
        except ContentError:
            return None

    def _made(self, message: Message, built_in: Mapping[str, Any]) -> Parcel:
        if message.command is not None:
            output = self.outside.run(message.command, self.folder, message.timeout)
            return self.of_text(_decoded(output, message.command[0]).rstrip(), message.overflow)
        fields = {**self._data(message), **built_in}
        if message.template is not None:
            return _template_parcel(fill_all(message.template, fields))
        if message.template_id is not None:
            args = {name: str(v) for name, v in fill_all(message.template_args, fields).items()}
            return _custom_parcel(str(message.template_id), args)
        if message.scrap_url is not None:
            url = fill(message.scrap_url, fields)
            as_json({"url": url})
            return Parcel(url, (Part("scrap", {"request_url": url}),))
        return self.of_text(fill(self._text(message), fields), message.overflow)

    def _text(self, message: Message) -> str:
        if message.file is None:
            return message.text or ""
        path = self.path(message.file)
        return _decoded(self.outside.read(path), str(path)).rstrip()

    def path(self, name: str) -> Path:
        # Path.expanduser raises where there is no such user.
        return self.folder / os.path.expanduser(name)  # noqa: PTH111

    def _data(self, message: Message) -> dict[str, Any]:
        if message.data_command is not None:
            output = self.outside.run(message.data_command, self.folder, message.timeout)
            return _json_object(output, message.data_command[0])
        if message.data_file is not None:
            path = self.path(message.data_file)
            return _json_object(self.outside.read(path), str(path))
        return dict(message.data or {})


def _is_literal(due: Due, kept: Mapping[str, Any]) -> bool:
    """Say whether a person gave the content itself, not the name of a message."""
    return due.slot.kind in BY_HAND and "message" not in kept


def _has_begun(known: Delivery | None) -> bool:
    return known is not None and any(r.state in BEGUN or r.parts for r in known.targets.values())


def _today(deliveries: Iterable[Delivery]) -> dict[str, Any]:
    """Return a day's totals as placeholders; before anything has ended, all has gone well."""
    stats = stats_of(deliveries)
    rate = stats.success_rate
    return {
        "success_rate": Rate(1.0 if rate is None else rate),
        "completed_count": stats.total_confirmed,
        "failed_count": stats.total_failed,
    }


def _template_parcel(template: Mapping[str, Any]) -> Parcel:
    from kakaocron.core.templates import checked, shown_text  # noqa: PLC0415 - slow to build

    found = checked(template)
    return Parcel(shown_text(found), (template_part(found),))


def _custom_parcel(template_id: str, args: Mapping[str, str]) -> Parcel:
    fields = {"template_id": template_id}
    if args:
        fields["template_args"] = as_json(args)
    shown = ", ".join(f"{name}: {value}" for name, value in args.items())
    return Parcel(f"template {template_id} {shown}".rstrip(), (Part("custom", fields),))


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError(f"'{name}' is not UTF-8 text (byte {error.start})") from None


def _json_object(content: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(content, name))
    except (ValueError, RecursionError) as error:
        raise ContentError(f"'{name}' gives no JSON: {str(error)[:80]}") from None
    if not isinstance(found, dict):
        raise ContentError(f"'{name}' gives JSON, but no object such as {{\"score\": 5}}")
    return found


def faults(contents: Contents, search_path: str | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with messages and commands and can be known before their time: the key,
    and a sentence."""
    for index, message in enumerate(contents.config.message):
        for key, fault in _message_faults(contents, message, search_path):
            yield ("message", str(index), *key.split(".")), fault
    told = contents.config.monitor.alert_command
    if told and not _is_found(told[0], contents.folder, search_path):
        yield ("monitor", "alert_command"), _no_command(told[0])


def _message_faults(
    contents: Contents, message: Message, search_path: str | None
) -> Iterator[tuple[str, str]]:
    for key in ("file", "data_file"):
        name = getattr(message, key)
        if name is not None and not os.path.isfile(contents.path(name)):  # noqa: PTH113
            yield key, f"there is no file '{contents.path(name)}'"
    for key in ("command", "data_command"):
        argv = getattr(message, key)
        if argv is not None and not _is_found(argv[0], contents.folder, search_path):
            yield key, _no_command(argv[0])
    for receiver in message.to:
        if stranger := contents.config.stranger(receiver):
            yield "to", stranger
    for key, value in _texts(message):
        try:
            check_placeholders(value, _known_names(message))
            if key == "text" and "{" not in value:
                contents.of_text(value, message.overflow)
        except ContentError as error:
            yield key, str(error)
    if message.template is not None:
        from kakaocron.core.templates import checked  # noqa: PLC0415 - slow to build

        try:
            checked(message.template, is_draft=True)
        except ContentError as error:
            key, _, fault = str(error).partition(": ")
            yield key.replace("[", ".").replace("]", ""), fault


def _no_command(name: str) -> str:
    return f"there is no command '{name}'; give its absolute path"


def _is_found(name: str, folder: Path, search_path: str | None) -> bool:
    if "/" in name:
        return shutil.which(str(folder / name)) is not None
    return shutil.which(name, path=search_path or USUAL["PATH"]) is not None


def _known_names(message: Message) -> frozenset[str] | None:
    """Return the names that placeholders may have; None where only the data of the day tells."""
    if message.data_file is not None or message.data_command is not None:
        return None
    return BUILT_IN | frozenset(message.data or {})


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    for key in ("text", "scrap_url", "template", "template_args"):
        yield from _strings(key, getattr(message, key))
    if message.fallback_text is not None:
        yield "fallback_text", message.fallback_text


def _strings(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _strings(f"{key}.{name}", item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(key, item)
