"""`kakaocron report`: weeks at a glance."""

from __future__ import annotations

from typing import Annotated

import typer

from kakaocron.commands.options import ConfigOption, JsonOption
from kakaocron.overview import report as read_report
from kakaocron.pictures import print_report
from kakaocron.render import print_json
from kakaocron.wiring import find_installation


def report(
    config: ConfigOption = None,
    days: Annotated[int, typer.Option(min=1, max=36500, help="How many days, with today.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Count the slots of the last days: due, sent, late, missed, unknown; and the bad days."""
    found = read_report(find_installation(config), days)
    if as_json:
        print_json(found.fields())
    else:
        print_report(found)
