"""`kakaocron status`: today at a glance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.errors import UsageError
from kakaocron.installation import find_installation
from kakaocron.language.words import _
from kakaocron.show.console import print_json
from kakaocron.show.next_step import say_next
from kakaocron.show.pictures import print_overview, watch
from kakaocron.watching.overview import look


def status(
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
    keep_watching: Annotated[
        bool, typer.Option("--watch", help="Redraw every 2 seconds until interrupted.")
    ] = False,
) -> None:
    """Show today's slots, totals, what comes next, the token and the last tick."""
    if as_json and keep_watching:
        raise UsageError(_("Give either --json or --watch, not both"))
    installation = find_installation(config)
    if as_json:
        print_json(look(installation).fields())
    elif keep_watching:
        watch(lambda: look(installation), installation.config.contacts.names())
    else:
        print_overview(look(installation), installation.config.contacts.names())
        say_next(config, installation)
