"""What is wrong with the configured messages and can be known before their time."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from kakaocron.config.contacts import ALIMTALK, UUID, is_room
from kakaocron.config.schema import Config, Message
from kakaocron.errors import ContentError, Keys
from kakaocron.kakao.causes import named
from kakaocron.kakao.quota import KAKAOS, Limits
from kakaocron.kst import DAY, weekday
from kakaocron.language.words import _
from kakaocron.messages.fields import Data, is_table
from kakaocron.messages.making import Contents
from kakaocron.schedule.slots import Series, count_of_day
from kakaocron.states import ME
from kakaocron.system.programs import USUAL, not_runnable
from kakaocron.text.causes import in_words
from kakaocron.text.placeholders import (
    BUILT_IN,
    check_placeholders,
)
from kakaocron.text.plain import address_shown, is_web_address, tidy, tidy_all
from kakaocron.text.tables import nearest


def _but_oneself(receiver: str) -> bool:
    return receiver != ME


def plan_faults(
    series: Sequence[Series],
    today: date,
    names: Mapping[str, str],
    limits: Limits = KAKAOS,
    is_friend: Callable[[str], bool] = _but_oneself,
) -> list[str]:
    """Say which quotas a plan cannot keep on its busiest day of the next seven.

    `names` gives the friends' names by their uuids, and `is_friend` says of receivers which are
    friends of the one account that this is about.
    """
    days = [today + n * DAY for n in range(7)]
    by_day = [(day, _wanted(series, day, is_friend)) for day in days]
    faults = []
    for uuid in sorted({uuid for _day, wanted in by_day for uuid in wanted}):
        day, wanted = max(by_day, key=lambda item: item[1][uuid])
        if wanted[uuid] > limits.per_pair:
            who = f"'{names.get(uuid, uuid)}'"
            faults.append(
                _fault(
                    _("to {who}").format(who=who),
                    wanted[uuid],
                    day,
                    limits.per_pair,
                    _("to one friend"),
                )
            )
    day, wanted = max(by_day, key=lambda item: item[1].total())
    if wanted.total() > limits.per_sender:
        total = wanted.total()
        faults.append(_fault(_("to friends"), total, day, limits.per_sender, _("from one sender")))
    return faults


def _fault(whom: str, count: int, day: date, most: int, what: str) -> str:
    return _(
        "This plan cannot fit: {count} messages {whom} on a {day}, and Kakao takes "
        "{most} a day {what}; {over} would end as failed (quota). Plan fewer slots "
        "([schedule]), or send them to 'me'"
    ).format(
        count=count, whom=whom, day=weekday(day).lower(), most=most, what=what, over=count - most
    )


def _wanted(series: Sequence[Series], day: date, is_friend: Callable[[str], bool]) -> Counter[str]:
    wanted: Counter[str] = Counter()
    for one in series:
        friends = [receiver for receiver in one.to if is_friend(receiver)]
        if friends:
            wanted.update(dict.fromkeys(friends, count_of_day(one.timetable, day)))
    return wanted


def faults(contents: Contents, search_path: str | None) -> Iterator[tuple[Keys, str]]:
    """Yield what is wrong with messages and commands and can be known before their time: the keys
    that lead to it, and a sentence."""
    for index, message in enumerate(contents.config.message):
        for keys, fault in _message_faults(contents, message, search_path):
            yield ("message", str(index), *keys), fault
    for name, uuid in contents.config.contacts.friends.items():
        if not UUID.fullmatch(uuid):
            yield ("friends", name), _("is no uuid; copy the friend's from: kakaocron friends")
    for name in contents.config.phones:
        if stranger := contents.config.contacts.stranger(name):
            yield ("phones", name), stranger
    for name, members in contents.config.group.items():
        for receiver in members:
            if receiver not in contents.config.group and (
                stranger := contents.config.contacts.stranger(receiver)
            ):
                yield ("group", name), stranger
    told = contents.config.monitor.alert_command
    if told and (said := _command_fault(told[0], contents.folder, search_path)):
        yield ("monitor", "alert_command"), said


def _message_faults(
    contents: Contents, message: Message, search_path: str | None
) -> Iterator[tuple[Keys, str]]:
    for key, fault in _outside_faults(contents, message, search_path):
        yield (key,), fault
    to = contents.config.contacts.receivers(message.to, message.sender)
    for key, fault in _room_faults(message, to):
        yield (key,), fault
    for receiver in message.to:
        if stranger := contents.config.contacts.stranger(receiver):
            yield ("to",), stranger
        elif wrong := _content_fault(contents.config, message, receiver):
            yield ("to",), wrong
    if message.alimtalk is not None:
        yield from _template_faults(contents.config, message, message.alimtalk)
    yield from _text_faults(contents, message, to)
    if message.template is not None:
        from kakaocron.kakao.templates import checked  # noqa: PLC0415 - slow to build

        try:
            checked(tidy_all(message.template), is_draft=True)
        except ContentError as error:
            yield error.keys, error.what


def _text_faults(
    contents: Contents, message: Message, to: Sequence[str]
) -> Iterator[tuple[Keys, str]]:
    data, unreadable = _table(contents, message)
    if unreadable is not None:
        yield ("data_file",), unreadable
    for keys, value in _texts(message):
        try:
            check_placeholders(value, _known_names(message, data))
            if keys == ("text",) and "{" not in value:
                contents.of_text(value, message.overflow, to=to)
        except ContentError as error:
            yield keys, str(data.explained(error) if data else error)


def _content_fault(config: Config, message: Message, receiver: str) -> str | None:
    """Say that a receiver's channel is not that of the message's content."""
    channels = set(map(config.contacts.channel_of, config.contacts.receivers([receiver])))
    said = ""
    if message.alimtalk is not None and channels - {ALIMTALK}:
        said = _(
            "'{receiver}' is no phone: a template of 알림톡 goes to phone numbers and names of "
            "[phones]"
        )
    elif message.alimtalk is None and ALIMTALK in channels:
        said = _("'{receiver}' is a phone: it gets templates only, as in alimtalk = \"CODE\"")
    return said.format(receiver=receiver) or None


def _template_faults(config: Config, message: Message, code: str) -> Iterator[tuple[Keys, str]]:
    from kakaocron.alimtalk.template import check_variables  # noqa: PLC0415 - few have a dealer

    settings = config.alimtalk
    if settings is None:
        yield ("alimtalk",), _("needs the table [alimtalk]")
        return
    text = settings.templates.get(code)
    if text is not None:
        try:
            check_variables(code, text, message.variables)
        except ContentError as error:
            yield ("variables" if message.variables else "alimtalk",), str(error)
    elif settings.templates:
        near = nearest(code, list(settings.templates))
        yield (
            ("alimtalk",),
            _("'{code}' is not in [alimtalk.templates]{near}").format(code=code, near=near),
        )


def _room_faults(message: Message, to: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what a message holds that a room does not take: it takes plain text."""
    if not any(map(is_room, to)):
        return
    for key in ("template", "template_id", "scrap_url"):
        if getattr(message, key) is not None:
            said = _("a room takes plain text, no {key}; give it a message with text of its own")
            yield key, said.format(key=key)
    if not all(map(is_room, to)):
        return  # the chats among the receivers show them
    for key in ("link", "button", "buttons"):
        if getattr(message, key):
            yield key, _("a room shows no link and no button; write the address into the text")
    for key in ("image", "image_command"):
        if getattr(message, key) is not None:
            yield key, _("no picture goes to a room")


def _outside_faults(
    contents: Contents, message: Message, search_path: str | None
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the files, programs and pages that a message names."""
    for key in ("file", "data_file", "image"):
        name = getattr(message, key)
        if name is not None and not name.isprintable():
            yield key, _(r'holds a control character; in "…" a backslash is written \\')
        elif name is not None and not os.path.isfile(contents.path(name)):  # noqa: PTH113
            yield key, _("there is no file '{path}'").format(path=contents.path(name))
    for key in ("command", "data_command", "image_command"):
        argv = getattr(message, key)
        fault = _command_fault(argv[0], contents.folder, search_path) if argv else None
        if fault is not None:
            yield key, fault
    url = message.scrap_url  # one that begins with a placeholder is known when it is filled
    if url is not None and not url.startswith("{") and not is_web_address(url):
        yield "scrap_url", _("must be an address such as https://www.naver.com")


def _command_fault(name: str, folder: Path, search_path: str | None) -> str | None:
    """Say why a command could not be run, if that can be known beforehand."""
    if "/" in name:
        path = str(folder / os.path.expanduser(name))  # noqa: PTH111
        if why := not_runnable(path):
            return _("cannot run '{name}': {why}").format(name=name, why=in_words(why))
        is_there = shutil.which(path) is not None
        return (
            None
            if is_there
            else _("there is no command '{name}'; give its absolute path").format(name=name)
        )
    if shutil.which(name, path=search_path or USUAL["PATH"]) is not None:
        return None
    said = _("there is no command '{name}'").format(name=name)
    if os.path.isfile(folder / name):  # noqa: PTH113 - never raises
        return _("{said}; for the file beside config.toml write './{name}'").format(
            said=said, name=name
        )
    if len(words := name.split()) > 1:
        return _('{said}; write each word by itself, as in ["{words}", …]').format(
            said=said, words=words[0]
        )
    return _("{said}; give its absolute path").format(said=said)


def _table(contents: Contents, message: Message) -> tuple[Data | None, str | None]:
    """Read the table that a message's data come from, as far as it is there: its headings are
    known before the time, its rows may still change. Else say what is wrong with it."""
    name = message.data_file
    if name is None or not is_table(name) or not os.path.isfile(contents.path(name)):  # noqa: PTH113
        return None, None
    try:
        return contents.data(message), None
    except ContentError as error:
        return None, None if error.cause.code == "no-rows" else str(error)


def what_is_read(contents: Contents) -> Iterator[str]:
    """Say of each message's data what is read of them now; of an address, that it is not asked."""
    for message in contents.config.message:
        if message.data_url is not None:
            said = _("'{url}': read when the message is made; try it: kakaocron preview")
            yield said.format(url=address_shown(message.data_url.reveal()))
        elif message.data_file is not None:
            with suppress(ContentError):
                read = contents.data(message).read
                yield in_words(read) if read else ""


def _known_names(message: Message, data: Data | None) -> frozenset[str] | None:
    """Return the names that placeholders may have; None where only the data of the day tells."""
    if message.command is not None or message.report is not None:  # no data for their buttons
        return BUILT_IN
    if data is not None:
        return BUILT_IN | data.fields.keys()
    if message.data_file or message.data_command or message.data_url:
        return None
    return BUILT_IN | frozenset(map(tidy, message.data or {}))


def _texts(message: Message) -> Iterator[tuple[Keys, str]]:
    for key in ("text", "scrap_url", "template", "template_args", "variables", "link", "button"):
        yield from _strings((key,), getattr(message, key))
    for index, one in enumerate(message.buttons):
        yield ("buttons", str(index), "title"), one.title
        yield ("buttons", str(index), "link"), one.link
    if message.fallback_text is not None:
        yield ("fallback_text",), message.fallback_text


def _strings(keys: Keys, value: Any) -> Iterator[tuple[Keys, str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _strings((*keys, name), item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(keys, item)


def quota_faults(config: Config, today: date) -> list[str]:
    """Say on the first day which of Kakao's quotas the plan cannot keep."""
    series, contacts = config.series(), config.contacts
    found = []
    for account in ("", *config.account):

        def is_friend(receiver: str, account: str = account) -> bool:
            return contacts.sender_of(receiver) == account

        faults = plan_faults(series, today, contacts.names(), is_friend=is_friend)
        found += [named(account, fault) for fault in faults]
    return found + _cap_faults(config, series, today)


def _cap_faults(config: Config, series: Sequence[Series], today: date) -> list[str]:
    """Say that a plan asks for more messages to phones than `daily_cap` lets go."""
    most = config.alimtalk.daily_cap if config.alimtalk else None
    if most is None:
        return []
    channel_of = config.contacts.channel_of
    days = [today + n * DAY for n in range(7)]
    wanted = [_wanted(series, day, lambda name: channel_of(name) == ALIMTALK) for day in days]
    day, count = max(
        zip(days, (one.total() for one in wanted), strict=True), key=lambda item: item[1]
    )
    if count <= most:
        return []
    said = _(
        "This plan cannot fit: {count} messages to phones on a {day}, and daily_cap in [alimtalk] "
        "is {most}; {over} would end as failed (quota). Raise it, or plan fewer slots"
    )
    return [said.format(count=count, day=weekday(day).lower(), most=most, over=count - most)]
