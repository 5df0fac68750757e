"""`kakaocron tick`: what cron runs every minute."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option
from kakaocron.delivery.snapshot import decide_by
from kakaocron.errors import Exit, KakaocronError
from kakaocron.installation import (
    Edges,
    Installation,
    find_installation,
    log_to_places,
    settled_places,
    take_installation,
)
from kakaocron.language.words import _
from kakaocron.system.places import Places, find_places_anyhow
from kakaocron.system.stderr import complain
from kakaocron.ticking.runner import run_full


def tick(
    config: Annotated[Path | None, config_option()] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")
    ] = False,
) -> int:
    """Send what is due now. Cron runs this every minute; it is silent when all is well."""
    if dry_run:
        return _dry_run(find_installation(config))
    places, edges = find_places_anyhow(config), Edges()
    is_by_hand = sys.stderr.isatty()
    load = partial(_loaded, config, places, edges, is_by_hand=is_by_hand)
    return run_full(places, edges, load, complain, is_by_hand=is_by_hand).exit_code


def _loaded(config: Path | None, places: Places, edges: Edges, *, is_by_hand: bool) -> Installation:
    try:
        installation = take_installation(config, edges)
        if is_by_hand:
            _say_if_it_waits(installation)
        return installation
    except KakaocronError:
        # What stops the tick is to stand in the log, unless its folder is another's.
        with suppress(KakaocronError):
            log_to_places(settled_places(places, edges))
        raise


def _say_if_it_waits(installation: Installation) -> None:
    if not installation.config.schedule.early_start:
        return
    with suppress(KakaocronError):  # the tick itself says it better
        seen = installation.snapshot()
        due = decide_by(seen, installation.plan, installation.engine.policy).due
        ahead = [one.slot for one in due if one.slot.at > seen.now]
        if ahead:
            last = max(ahead, key=lambda slot: slot.at)
            complain(
                _("Waits until {at:%H:%M:%S} for {id} (early_start)").format(at=last.at, id=last.id)
            )


def _dry_run(installation: Installation) -> int:
    seen = installation.snapshot()
    decision = decide_by(seen, installation.plan, installation.engine.policy)
    for event in decision.settle:
        print(
            _("would record {id} as {state} ({reason})").format(
                id=event.id,
                state=event.state.beside if event.state else "",
                reason=event.reason.beside if event.reason else "",
            )
        )
    for due in decision.due:
        print(
            _("would send {id} to {to}, attempt {attempt}").format(
                id=due.id, to=", ".join(due.to), attempt=due.attempt
            )
        )
    if not decision.settle and not decision.due:
        print(_("nothing is due"))
    return Exit.FINE
