"""What is wrong with the configured messages and can be known before their time."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from kakaocron.config.schema import Config, Message
from kakaocron.errors import ContentError
from kakaocron.kakao.quota import KAKAOS, Limits
from kakaocron.kst import DAY, KST
from kakaocron.messages.making import Contents
from kakaocron.schedule.slots import DAY_NAMES, Series, slots_between
from kakaocron.states import ME
from kakaocron.system.programs import USUAL
from kakaocron.text.placeholders import (
    BUILT_IN,
    check_placeholders,
)
from kakaocron.text.plain import tidy, tidy_all


def plan_faults(
    series: Sequence[Series], today: date, names: Mapping[str, str], limits: Limits = KAKAOS
) -> list[str]:
    """Say which quotas a plan cannot keep on its busiest day of the next seven.

    `names` gives the friends' names by their uuids.
    """
    by_day = [(today + n * DAY, _wanted(series, today + n * DAY)) for n in range(7)]
    faults = []
    for uuid in sorted({uuid for _, wanted in by_day for uuid in wanted}):
        day, wanted = max(by_day, key=lambda item: item[1][uuid])
        if wanted[uuid] > limits.per_pair:
            who = f"'{names.get(uuid, uuid)}'"
            faults.append(_fault(f"to {who}", wanted[uuid], day, limits.per_pair, "to one friend"))
    day, wanted = max(by_day, key=lambda item: item[1].total())
    if wanted.total() > limits.per_sender:
        total = wanted.total()
        faults.append(_fault("to friends", total, day, limits.per_sender, "from one sender"))
    return faults


def _fault(whom: str, count: int, day: date, most: int, what: str) -> str:
    return (
        f"This plan cannot fit: {count} messages {whom} on a {DAY_NAMES[day.weekday()]}, and Kakao "
        f"takes {most} a day {what}; {count - most} would end as failed (quota). Plan fewer slots "
        "([schedule]), or send them to 'me'"
    )


def _wanted(series: Sequence[Series], day: date) -> Counter[str]:
    start = datetime.combine(day, time(), KST) - timedelta.resolution
    wanted: Counter[str] = Counter()
    for one in series:
        friends = [receiver for receiver in one.to if receiver != ME]
        if friends:
            slots = sum(1 for _ in slots_between(one.name, one.timetable, start, start + DAY))
            wanted.update(dict.fromkeys(friends, slots))
    return wanted


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
        from kakaocron.kakao.templates import checked  # noqa: PLC0415 - slow to build

        try:
            checked(tidy_all(message.template), is_draft=True)
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
    return BUILT_IN | frozenset(map(tidy, message.data or {}))


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


def quota_faults(config: Config, today: date) -> list[str]:
    """Say on the first day which of Kakao's quotas the plan cannot keep."""
    names = {uuid: name for name, uuid in config.friends.items()}
    return plan_faults(config.series(), today, names)
