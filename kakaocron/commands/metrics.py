"""`kakaocron metrics`: for Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option
from kakaocron.errors import KakaocronError
from kakaocron.installation import find_installation
from kakaocron.watching.overview import health_of, look
from kakaocron.watching.prometheus import metrics_of, metrics_of_failure, publish


def metrics(
    config: Annotated[Path | None, config_option()] = None,
    textfile: Annotated[
        Path | None,
        typer.Option(help="Write it to this file (*.prom), for node_exporter.", show_default=False),
    ] = None,
) -> None:
    """Print today in Prometheus' text format."""
    try:
        installation = find_installation(config)
        overview = look(installation)
        text = metrics_of(overview, health_of(overview, installation.config.monitor))
    except KakaocronError:
        if textfile is not None:  # what lies there says that all is well
            publish(textfile, metrics_of_failure())
        raise
    if textfile is None:
        print(text, end="")
    else:
        publish(textfile, text)
