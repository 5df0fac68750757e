"""What a full tick leaves behind for those after it, so that they may find nothing to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime

from kakaocron.delivery.tick import Quiet, Report, look_ahead
from kakaocron.errors import KakaocronError
from kakaocron.installation import Edges, Installation
from kakaocron.system.disk import make_folders, replace_file
from kakaocron.system.marks import PLAN_NAME, all_marks
from kakaocron.system.places import Places
from kakaocron.ticking.idle import HEADER, Doubt, environment, is_idle


def may_rest(places: Places, edges: Edges) -> bool:
    """Say whether a tick may leave at once; if so, its heartbeat is left."""
    now = edges.clock.now().timestamp()
    try:
        return is_idle(edges.disk, _path(places), str(places.config), places.variables, now)
    except (OSError, ValueError, Doubt):
        return False


def leave_plan(installation: Installation, report: Report) -> None:
    """Note until when nothing will be due. Where that fails, or is in doubt, ticks stay full."""
    if not report.is_complete or report.problems:
        return
    with suppress(OSError, KakaocronError, Doubt, UnicodeError):
        content = _plan(installation)
        if content is not None:
            make_folders(installation.edges.disk, str(installation.places.log))
            path = _path(installation.places)
            replace_file(installation.edges.disk, path, content, durable=False)


def _path(places: Places) -> str:
    return f"{places.log}/{PLAN_NAME}"


def _plan(installation: Installation) -> bytes | None:
    places, disk = installation.places, installation.edges.disk
    if not (places.variables.get("KAKAOCRON_DATA_DIR") or "/").startswith(("/", "~")):
        return None  # which folder it names depends on the one from which a tick runs
    first = look_ahead(installation.engine, installation.plan, installation.heartbeat)
    if first is None:
        return None
    # Taken before the look that counts: what changes from here on makes the plan worthless, not
    # wrong.
    marks = all_marks(disk, str(places.config), str(places.data), _names(first.days))
    quiet = look_ahead(installation.engine, installation.plan, installation.heartbeat)
    inputs = list(installation.inputs)
    if quiet is None or quiet.days != first.days or marks[: len(inputs)] != inputs:
        return None
    until = min([quiet.until, *_renewals(installation, quiet)])
    if until <= quiet.since:
        return None
    span = _up(quiet.since.timestamp()), int(until.timestamp() * 1000)
    numbers = f"{span[0]} {span[1]} {quiet.ledger_end}"
    known = environment(places.variables)
    folders = [str(places.data), installation.heartbeat.folder]
    rests_on = [str(places.config), known, *folders, " ".join(_names(quiet.days)), *marks]
    lines = [HEADER, numbers, *rests_on, numbers, ""]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _names(days: Sequence[date]) -> list[str]:
    return [day.isoformat() for day in days]


def _renewals(installation: Installation, quiet: Quiet) -> Iterator[datetime]:
    """Yield when a login next asks for something."""
    for login in installation.logins.values():
        if not login.credentials.access_token:
            yield login.read().rests_until(quiet.since) or quiet.until


def _up(seconds: float) -> int:
    return int(seconds * 1000) + 1
