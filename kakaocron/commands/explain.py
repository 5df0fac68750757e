"""`kakaocron explain TIME`: what happened, or will, at a minute, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.completion import ids
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import composed, config_option, json_option
from kakaocron.host.probe import booted_at
from kakaocron.installation import find_installation
from kakaocron.show.console import print_json
from kakaocron.show.pictures import print_explanation
from kakaocron.watching.overview import explain_what


def explain(
    time: Annotated[
        str,
        typer.Argument(
            metavar="TIME",
            help="10:30, '어제 10:30', '2026-11-23 10:30', or a delivery's id.",
            autocompletion=ids,
            callback=composed,
        ),
    ],
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Say what happened, or will, at a minute or to one delivery, and why."""
    installation = find_installation(config)
    explanation = explain_what(installation, time, booted_at(installation.clock.now()))
    if as_json:
        print_json(explanation.fields())
    else:
        print_explanation(explanation)
