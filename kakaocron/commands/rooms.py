"""`kakaocron rooms` and `kakaocron rooms listen`: the rooms that a bot sends to, and their keys."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Annotated, TextIO
from unicodedata import normalize

from kakaocron.bot.causes import no_token
from kakaocron.bot.gateway import INVITED, LEFT, GatewayEvent, gateway_of, holds
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.config.schema import Config, room_name_fault
from kakaocron.errors import KakaocronError, UsageError
from kakaocron.installation import Installation, bot_token, find_installation
from kakaocron.language.words import _
from kakaocron.show.console import print_json, print_rooms
from kakaocron.show.next_step import say_next
from kakaocron.states import ROOM
from kakaocron.system.http import Failure
from kakaocron.text.plain import clean

CODE_DIGITS = 6

rooms_app = typer.Typer(help="The rooms that messages go to by a bot, and how to learn their keys.")


@rooms_app.callback(invoke_without_command=True)
def rooms(
    context: typer.Context,
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """List the rooms by name, their keys, and the messages that go there."""
    if context.invoked_subcommand is not None:
        return
    installation = find_installation(config)
    messages = messages_of(installation.config)
    if as_json:
        known = installation.config.rooms.items()
        print_json([{"name": n, "key": key, "messages": messages[n]} for n, key in known])
    else:
        print_rooms(installation.config.rooms, messages)
        say_next(config, installation)


def messages_of(config: Config) -> dict[str, list[str]]:
    """Return by room the messages that go there."""
    to = {one.name: config.contacts.receivers(one.to) for one in config.message}
    return {
        name: [message for message, kept in to.items() if f"{ROOM}{name}" in kept]
        for name in config.rooms
    }


@rooms_app.command("listen")
def listen(
    name: Annotated[
        str | None,
        typer.Argument(help="What the room is to be called.", show_default=False),
    ] = None,
    config: Annotated[Path | None, config_option()] = None,
    minutes: Annotated[
        float, typer.Option(min=0.05, max=60, help="For how long to listen at most.")
    ] = 5.0,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Learn the key of a room: somebody types a code there, to the bot. Nothing is written: the
    line for config.toml is printed."""
    name = None if name is None else normalize("NFC", name)
    if name is not None and (fault := room_name_fault(name)):
        raise UsageError(fault)
    installation = find_installation(config)
    token = bot_token(installation.places)
    if token is None:
        raise no_token()
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    out = sys.stderr if as_json else sys.stdout
    print(
        _(
            "1. Invite the bot into the room, if it is not there.\n"
            "2. Type there, within {minutes:g} minutes, to the bot (begin with @ and its name): "
            "{code}\n\nOnly messages that mention the bot reach it. Ctrl+C ends this."
        ).format(minutes=minutes, code=code),
        file=out,
        flush=True,
    )
    key = _key_of(installation, token, code, minutes, out)
    found = next((known for known, one in installation.config.rooms.items() if one == key), None)
    if as_json:
        print_json({"key": key, "name": name, "known_as": found})
        return
    if found is not None and name in {None, found}:
        print(_("This room is '{name}' in [rooms] already.").format(name=found))
        return
    print(_("\nPut this line into config.toml, under [rooms]:\n"))
    print(f"{json.dumps(name or _('the room'), ensure_ascii=False)} = {json.dumps(key)}")
    if name in installation.config.rooms:
        print(_("\nIt takes the place of the line of that name."))


def _key_of(installation: Installation, token: str, code: str, minutes: float, out: TextIO) -> str:
    """Wait for the code; return the key of the room in which it was typed."""
    from kakaocron.bot.listening import listen as events  # noqa: PLC0415 - not for the list
    from kakaocron.system.socket_http import SocketHttp  # noqa: PLC0415
    from kakaocron.system.websocket import WebSocket, open_websocket  # noqa: PLC0415

    http = SocketHttp(installation.config.kakao.timeout, installation.places.variables)
    url = gateway_of(installation.config.bot.url)

    def connect(seconds: float) -> WebSocket | Failure:
        return open_websocket(url, http.connect, seconds)

    heard = 0
    until = installation.clock.monotonic() + 60 * minutes
    for event in events(connect, token, installation.clock, until):
        heard += 1
        if holds(event.text, code) and not event.is_chat:
            return event.key
        print(_told(event, installation.config, code), file=out, flush=True)
    if heard:
        what = _("Nobody has typed {code} in a room within {minutes:g} minutes")
        mend = _("Try again: kakaocron rooms listen")
    else:
        what = _("Nothing has come from any room within {minutes:g} minutes")
        mend = _("See whether the bot is in the room, and mention it there: @ and its name")
    raise KakaocronError(what.format(code=code, minutes=minutes), mend)


def _told(event: GatewayEvent, config: Config, code: str) -> str:
    """Say what has happened that is not yet what is waited for."""
    names = {key: name for name, key in config.rooms.items()}
    room = f"'{names[event.key]}'" if event.key in names else event.key
    if event.kind == INVITED:
        said = _("The bot is in a room now ({room}). Type there, to the bot: {code}")
    elif event.kind == LEFT:
        said = _("The bot was put out of a room ({room}).")
    elif event.is_chat:
        said = _("Somebody wrote in the chat with the bot's channel: that is no room.")
    else:
        said = _("Somebody in a room ({room}) said something else to the bot.")
    return said.format(room=clean(room), code=code)
