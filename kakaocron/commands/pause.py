"""`kakaocron pause|resume`: messages that are not to be sent for a while."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from kakaocron import actions
from kakaocron.commands.completion import messages
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import checked_text, config_option
from kakaocron.errors import UsageError
from kakaocron.installation import take_installation
from kakaocron.language.words import _, ngettext
from kakaocron.schedule.phrases import read_time, reading_times
from kakaocron.system.stderr import complain

Name = Annotated[
    str | None,
    typer.Argument(
        help="A message's name; without it, all.", show_default=False, autocompletion=messages
    ),
]


def pause(
    name: Name = None,
    until: Annotated[
        str | None, typer.Option(help="When to go on by itself, in KST.", show_default=False)
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why, for whoever looks later.")] = None,
    config: Annotated[Path | None, config_option()] = None,
) -> None:
    """Pause one message, or all: their slots are missed, and not made up for afterwards."""
    installation = take_installation(config)
    now = installation.clock.now()
    with reading_times():
        end = read_time(until, now) if until is not None else None
    if end is not None and end <= now:
        raise UsageError(
            _("'{time}' is now, so nothing would be paused").format(time=until),
            _("As in: --until 'tomorrow 09:00'"),
        )
    why = checked_text(note, "--note") if note is not None else None
    beside = actions.pause(installation, name, end, why)
    print(_said(name, end))
    for one in beside:
        complain(
            _("A pause from before holds too: {said}").format(said=_said(one.message, one.until))
        )


def _said(name: str | None, end: datetime | None) -> str:
    if end is None:
        if name is None:
            return _("All messages are paused until: kakaocron resume")
        return _("'{name}' is paused until: kakaocron resume {name}").format(name=name)
    if name is None:
        return _("All messages are paused until {end:%Y-%m-%d %H:%M}").format(end=end)
    return _("'{name}' is paused until {end:%Y-%m-%d %H:%M}").format(name=name, end=end)


def resume(name: Name = None, config: Annotated[Path | None, config_option()] = None) -> None:
    """Let a paused message, or all, be sent again from now on."""
    ended = actions.resume(take_installation(config), name)
    said = ngettext("{count} pause ended", "{count} pauses ended", ended).format(count=ended)
    print(said if ended else _("Nothing was paused"))
