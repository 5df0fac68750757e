"""`kakaocron simulate`: the promise, tried on the user's own configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, days_played_option
from kakaocron.config.reading import load_config
from kakaocron.errors import Exit, UsageError
from kakaocron.language.words import _
from kakaocron.system.places import find_places


def simulate(
    seed: Annotated[int, typer.Option(help="Which history; the same seed, the same bytes.")] = 0,
    days: Annotated[int, days_played_option()] = 1,
    config: Annotated[Path | None, config_option()] = None,
) -> int:
    """Play a history full of faults on this configuration; nothing is sent to anybody."""
    from kakaocron.rehearsal import picture  # noqa: PLC0415 - no tick needs it
    from kakaocron.rehearsal.simulation.campaign import play  # noqa: PLC0415

    places = find_places(config)
    loaded = load_config(places.config, places.profile)
    if not any(message.slots for message in loaded.message):
        raise UsageError(
            _("'{config}' has no [[message]] with slots to simulate").format(config=places.config)
        )
    picture.print_plan(loaded, days)
    with picture.drawn_progress(days) as on_progress:
        outcome = play(seed, days * 24 * 60, loaded, on_progress)
    picture.print_verdict(outcome)
    return Exit.TROUBLE if outcome.breaches else Exit.FINE
