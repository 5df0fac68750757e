"""`kakaocron tick`: what cron runs every minute."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from kakaocron.clock import SystemClock
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option
from kakaocron.core.heartbeat import Word
from kakaocron.core.ledger import State
from kakaocron.disk import RealDisk
from kakaocron.errors import KakaocronError, UsageError
from kakaocron.incidents import Incidents
from kakaocron.logs import bug
from kakaocron.paths import find_places_anyhow
from kakaocron.pings import Pings
from kakaocron.rest import leave_plan
from kakaocron.tick import BUG, INTERRUPTED, Ended, Report, preview
from kakaocron.tick import tick as run_tick
from kakaocron.upkeep import look_after_login
from kakaocron.wiring import Installation, find_installation, make_heartbeat, make_incidents
from kakaocron.wording import complain, sentence

MOST_LINES = 5
DEAD = 3  # the login


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
        return _stopped(make_incidents(places, RealDisk()), error).exit_code
    return run_watched(installation)


def run_watched(installation: Installation) -> int:
    """Run one tick, and tell the user and those who watch from outside how it went."""
    incidents = make_incidents(installation.places, installation.edges.disk)
    rules, started = installation.config.monitor, installation.clock.monotonic()
    pings = Pings(rules.ping_url, installation.edges.make_http) if rules.ping_url else None
    if pings is not None:
        pings.begin()
    ended, keeps_awake = Ended(BUG), False
    try:
        ended = _run(installation, incidents)
    except KeyboardInterrupt:
        ended = Ended(INTERRUPTED)
        raise
    except Exception as error:
        ended = _stopped(incidents, bug(error))
    finally:
        if rules.tells_somebody:
            # Imported now, as the sending is over: it takes its time.
            from kakaocron.monitor import Monitor  # noqa: PLC0415

            # Of a tick that waited for its slot, only what came after the slot is its own time.
            since = started + ended.waited.total_seconds()
            monitor = Monitor(installation, since, pings)
            heard = monitor.end(ended)
            _tell(incidents.news(heard.failures, heard.tried))
            keeps_awake = monitor.keeps_awake
    if ended.report is not None and ended.may_rest and not keeps_awake:
        leave_plan(installation, ended.report)
    return ended.exit_code


def _run(installation: Installation, incidents: Incidents) -> Ended:
    try:
        report = run_tick(installation.desk, installation.plan, installation.heartbeat)
        login = look_after_login(installation, report)
    except KakaocronError as error:
        return _stopped(incidents, error)
    ongoing = {**dict(report.problems), **login}
    if report.login_error:
        ongoing[f"login:{report.login_error}"] = report.login_error
    over = ["exit-2", "exit-70", "exit-74", "exit-75", "clock-wrong", "login-ends", "prune"]
    if any(d.state is State.CONFIRMED for d in report.ended.values()):
        over.append("login")
    _tell([*incidents.news(ongoing, over), *_sentences(report)])
    has_died = any(key.startswith("login:") for key in login)
    return Ended(DEAD if has_died else report.exit_code, report, may_rest=not has_died)


def _stopped(incidents: Incidents, error: KakaocronError) -> Ended:
    """Tell what has stopped the tick, once for as long as it lasts."""
    _tell(incidents.news({f"exit-{error.exit_code}:{error}": str(error)}))
    return Ended(error.exit_code, error=error)


def _sentences(report: Report) -> list[str]:
    if report.login_error:
        return []
    bad = report.troubles
    lines = [sentence(delivery) for delivery in bad[:MOST_LINES]]
    if len(bad) > MOST_LINES:
        lines.append(f"… and {len(bad) - MOST_LINES} more. See: kakaocron history")
    return lines


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        complain(line)


def _dry_run(installation: Installation) -> int:
    decision = preview(installation.desk, installation.plan, installation.heartbeat)
    for event in decision.settle:
        print(f"would record {event.id} as {event.state} ({event.reason})")
    for due in decision.due:
        print(f"would send {due.id} to {', '.join(due.to)}, attempt {due.attempt}")
    if not decision.settle and not decision.due:
        print("nothing is due")
    return 0
