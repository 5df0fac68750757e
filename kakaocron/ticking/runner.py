"""One tick from waking to leaving, and who is told how it went."""

from __future__ import annotations

from collections.abc import Iterable

from kakaocron.delivery.tick import BUG, INTERRUPTED, Ended, Report
from kakaocron.delivery.tick import tick as run_tick
from kakaocron.errors import KakaocronError
from kakaocron.installation import Installation
from kakaocron.states import State
from kakaocron.system.log import bug
from kakaocron.system.stderr import complain
from kakaocron.ticking.idle_plan import leave_plan
from kakaocron.ticking.upkeep import look_after_login
from kakaocron.watching.incidents import Incidents, incidents_of
from kakaocron.watching.pings import Pings
from kakaocron.watching.sentences import sentence

MOST_LINES = 5
DEAD = 3  # the login


def run_watched(installation: Installation) -> int:
    """Run one tick, and tell the user and those who watch from outside how it went."""
    incidents = incidents_of(installation.places, installation.edges.disk)
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
            from kakaocron.watching.telling import Monitor  # noqa: PLC0415

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
        report = run_tick(installation.engine, installation.plan, installation.heartbeat)
        login = look_after_login(installation, report)
    except KakaocronError as error:
        return _stopped(incidents, error)
    ongoing = {**dict(report.problems), **login}
    ongoing |= {f"login:{down}": str(down) for down in report.down.values()}
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
    if report.down:
        return []
    bad = report.troubles
    lines = [sentence(delivery) for delivery in bad[:MOST_LINES]]
    if len(bad) > MOST_LINES:
        lines.append(f"… and {len(bad) - MOST_LINES} more. See: kakaocron history")
    return lines


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        complain(line)
