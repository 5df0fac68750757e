"""`kakaocron tick`: what cron runs every minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option
from kakaocron.delivery.tick import preview
from kakaocron.errors import UsageError
from kakaocron.installation import Installation, find_installation, make_heartbeat
from kakaocron.ledger.beats import Word
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places_anyhow
from kakaocron.system.syscalls import RealDisk
from kakaocron.ticking.runner import _stopped, run_watched
from kakaocron.watching.incidents import incidents_of


def tick(
    config: Annotated[Path | None, config_option()] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")
    ] = False,
) -> int:
    """Send what is due now. Cron runs this every minute; it is silent when all is well."""
    if dry_run:
        return _dry_run(find_installation(config))
    try:
        installation = find_installation(config)
    except UsageError as error:
        places = find_places_anyhow(config)
        heartbeat = make_heartbeat(places, RealDisk())
        heartbeat.beat(SystemClock().now(), Word.FAIL, error.exit_code)
        return _stopped(incidents_of(places, RealDisk()), error).exit_code
    return run_watched(installation)


def _dry_run(installation: Installation) -> int:
    decision = preview(installation.engine, installation.plan, installation.heartbeat)
    for event in decision.settle:
        print(f"would record {event.id} as {event.state} ({event.reason})")
    for due in decision.due:
        print(f"would send {due.id} to {', '.join(due.to)}, attempt {due.attempt}")
    if not decision.settle and not decision.due:
        print("nothing is due")
    return 0
