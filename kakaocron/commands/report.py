"""`kakaocron report`: weeks at a glance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.installation import find_installation
from kakaocron.show.console import print_json
from kakaocron.show.pictures import print_report
from kakaocron.watching.overview import report as read_report


def report(
    config: Annotated[Path | None, config_option()] = None,
    days: Annotated[int, typer.Option(min=1, max=36500, help="How many days, with today.")] = 30,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Count the slots of the last days: due, sent, late, missed, unknown; and the bad days."""
    found = read_report(find_installation(config), days)
    if as_json:
        print_json(found.fields())
    else:
        print_report(found)
