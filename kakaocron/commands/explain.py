"""`kakaocron explain TIME`: what happened, or will, at a minute, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.clock import booted_at
from kakaocron.commands.completion import ids
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.overview import explain_minute
from kakaocron.pictures import print_explanation
from kakaocron.render import print_json
from kakaocron.times import read_minute
from kakaocron.wiring import find_installation


def explain(
    time: Annotated[
        str,
        typer.Argument(
            metavar="TIME",
            help="10:30, '어제 10:30', '2026-11-23 10:30', or a delivery's id.",
            autocompletion=ids,
        ),
    ],
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Say what happened, or will, at a minute, and why."""
    installation = find_installation(config)
    now = installation.clock.now()
    explanation = explain_minute(installation, read_minute(time, now), booted_at(now))
    if as_json:
        print_json(explanation.fields())
    else:
        print_explanation(explanation)
