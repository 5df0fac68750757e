"""The configuration as plain numbers for the judge, and as the simulator uses it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from kakaocron.config.contacts import ALIMTALK
from kakaocron.config.schema import CONTENTS, DATA, IMAGES, AccountSettings, Config, Message, Secret
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.rehearsal.simulation.home import url_of
from kakaocron.rehearsal.simulation.judge import MessageRules, Rules
from kakaocron.states import ME

# Says in the message itself which slot it is for: what the judge counts by.
PROBE = "{name}|{time:%Y%m%dT%H%M}"
PICTURE = "picture.png"


def probing(config: Config) -> Config:
    """Return the configuration with its schedule and rules, and messages that name their slot.

    Messages with a `cron` rule are left out: the judge's own calendar does not know them. What goes
    to phones goes to oneself.
    """
    probe: dict[str, Any] = {
        **dict.fromkeys((*CONTENTS, *DATA)),
        "template_args": {},
        "variables": {},
        "skip_holidays": False,
        "text": PROBE,
    }
    messages = tuple(
        replace(message, **probe, **_picture(message), to=_but_for_phones(config, message))
        for message in config.message
        if message.slots
    )
    app = Settings()
    secrets = {"rest_api_key": app.rest_api_key, "client_secret": app.client_secret or ""}
    kakao = replace(config.kakao, **{name: Secret(value) for name, value in secrets.items()})
    accounts = {
        name: AccountSettings(api_url=url_of(name), auth_url=url_of(name))
        for name in config.account
    }
    others: dict[str, Any] = {"alimtalk": None, "phones": {}}
    return replace(config, message=messages, kakao=kakao, account=accounts, **others)


def _but_for_phones(config: Config, message: Message) -> tuple[str, ...]:
    contacts = config.contacts
    found = [
        one
        for one in message.to
        if all(contacts.channel_of(to) != ALIMTALK for to in contacts.receivers([one]))
    ]
    return tuple(found) or (ME,)


def with_accounts(config: Config) -> Config:
    """Return the configuration with a second account: each message goes to it too, and what goes
    to friends goes by it."""
    second = "second"
    accounts = {second: AccountSettings(api_url=url_of(second), auth_url=url_of(second))}
    shared = replace(config, account=accounts)

    def sent_by_both(message: Message) -> Message:
        has_friends = any(shared.contacts.sender_of(one) is not None for one in message.to)
        return replace(message, to=(*message.to, second), sender=second if has_friends else None)

    return replace(shared, message=tuple(map(sent_by_both, config.message)))


def with_rooms(config: Config) -> Config:
    """Return the configuration with a room for each message."""
    room = "기사방"
    messages = tuple(replace(one, to=(*one.to, room)) for one in config.message)
    return replace(config, rooms={room: "bgk_simulated"}, message=messages)


def _picture(message: Message) -> dict[str, Any]:
    """Return a picture for each message that has one: the simulator's own, see `home`."""
    has_picture = any(getattr(message, key) is not None for key in IMAGES)
    return {"image": PICTURE if has_picture else None, "image_command": None}


def pictured(config: Config) -> Config:
    """Return the configuration with a picture for each message; the second one's must be there."""
    messages = tuple(
        replace(message, image=PICTURE, image_required=number % 2 == 1)
        for number, message in enumerate(config.message)
    )
    return replace(config, message=messages)


def rules_of(config: Config) -> Rules:
    schedule, delivery = config.schedule, config.delivery
    return Rules(
        frozenset(schedule.regular_minutes),
        frozenset(schedule.peak_minutes),
        frozenset(schedule.peak_hours),
        timedelta(seconds=delivery.expire_after),
        timedelta(seconds=max(delivery.retry_delays)),
        delivery.max_retries,
        delivery.on_unknown == "resend",
        {message.name: _series(config, message) for message in config.message},
    )


def _series(config: Config, message: Message) -> MessageRules:
    days = config.schedule.days if message.days is None else message.days
    quiet = config.schedule.quiet if message.quiet is None else message.quiet
    return MessageRules(
        frozenset(message.slots),
        config.contacts.receivers(message.to, message.sender),
        frozenset(days),
        tuple(_span(text) for text in quiet),
    )


def _span(text: str) -> tuple[int, int]:
    start, end = text.split("-")
    return _minutes(start), _minutes(end)


def _minutes(text: str) -> int:
    hours, minutes = text.strip().split(":")
    return int(hours) * 60 + int(minutes)
