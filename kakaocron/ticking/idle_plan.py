"""What a full tick leaves behind for those after it, so that they may find nothing to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from kakaocron.delivery.plan import Plan
from kakaocron.delivery.policy import Policy, idle_until
from kakaocron.delivery.snapshot import Snapshot, decide_by
from kakaocron.delivery.tick import CLOCK_BEHIND, LARGEST_CLOCK_ERROR, TickReport
from kakaocron.errors import KakaocronError
from kakaocron.files import PLAN_NAME, all_marks
from kakaocron.idle import HEADER, environment, wait_before
from kakaocron.installation import Edges, Installation
from kakaocron.kakao.tokens import Tokens
from kakaocron.kst import DAY
from kakaocron.ledger.beats import End
from kakaocron.ledger.ledger import Ledger
from kakaocron.system.disk import make_folders, replace_file
from kakaocron.system.places import DEFAULT_TICKS, Places

# How long before a slot a tick that was early for it begins to get ready, contents apart.
GETTING_READY = timedelta(seconds=5)
# What another host has booked, and died, is looked for so often.
LONGEST_SHARED = timedelta(minutes=3)
A_TICK = timedelta(minutes=1)


class IdleSpan(Struct, frozen=True):
    """No tick from `since` until before `until` will find anything to do, and none before `due`
    anything but what is sent ahead of time."""

    since: datetime
    until: datetime
    due: datetime
    ledger_end: End


def may_leave_at_once(places: Places, edges: Edges) -> bool:
    """Say whether a tick finds nothing to do; if so, its heartbeat is left. Where all that it
    finds is to be ready for a slot, this waits until it is time for that."""
    now = edges.clock.now().timestamp()
    found = str(places.config), places.variables, now, partial(_is_unchanged, places, edges)
    try:
        wait = wait_before(edges.disk, _path(places), *found)
    except (OSError, ValueError):
        return False
    if wait:
        edges.clock.sleep(wait)
    return wait is None


def _is_unchanged(
    places: Places, edges: Edges, known: Sequence[str], instants: Sequence[float]
) -> bool:
    from kakaocron.ledger.postgres.connection import Database, SharedClock  # noqa: PLC0415 - an extra
    from kakaocron.ledger.postgres.question import find_url, is_unchanged  # noqa: PLC0415 - likewise

    database = None
    try:
        url = find_url(places.variables, str(places.config), str(places.folder))
        database = (edges.make_asker or Database)(url, known[0], SharedClock(edges.clock))
        ask = partial(database.ask, seconds=0.0)
        now = edges.clock.now().timestamp()
        return is_unchanged(lambda what, with_: ask(what, *with_), now, known, instants)
    except Exception:
        return False  # the full tick meets it again, and tells it
    finally:
        if database is not None:
            database.close()


def leave_plan(installation: Installation, report: TickReport) -> None:
    """Note until when nothing will be due. Where that fails, or is in doubt, ticks stay full."""
    # A clock behind the ledger has its plan too: else each tick would be full until it catches up.
    if not report.is_complete or any(key != CLOCK_BEHIND for key, _ in report.problems):
        return
    with suppress(OSError, KakaocronError, ValueError):
        content = _plan(installation, report)
        if content is not None:
            make_folders(installation.edges.disk, str(installation.places.log))
            path = _path(installation.places)
            replace_file(installation.edges.disk, path, content, durable=False)


def _path(places: Places) -> str:
    return f"{places.log}/{PLAN_NAME}"


def _plan(installation: Installation, report: TickReport) -> bytes | None:
    places, disk = installation.places, installation.edges.disk
    if places.ticks != DEFAULT_TICKS:
        return None  # the plan's place is that of the ledger to which the log folder belongs
    shared = installation.shared
    # Of a shared ledger no file here tells whether it has changed.
    days = [] if shared else [day.isoformat() for day in report.days]
    # Taken before the snapshot that counts, of the days that the tick itself has read: what changes
    # from here on makes the plan worthless, not wrong.
    marks = all_marks(disk, str(places.config), str(places.data), days)
    mark = shared.mark(report.days) if shared else ""
    seen = installation.with_logins(installation.snapshot())
    inputs = list(installation.inputs)
    is_decided_by = set(seen.view.days) <= set(report.days)
    if mark is None or not is_decided_by or marks[: len(inputs)] != inputs:
        return None
    span = idle_span(seen, installation.ledger, installation.plan, installation.engine.policy)
    if span is None:
        return None
    limits = list(_renewals(seen.logins.values(), span))
    until = min([span.until, *limits])
    ready_from = min([span.due, *limits]) - GETTING_READY - _making(installation)
    if max(until, ready_from) <= span.since:
        return None
    pause = _pause(installation.engine.policy) if shared else until - span.since
    asks_from = span.since + pause
    instants = " ".join(str(int(at.timestamp() * 1000)) for at in (until, ready_from, asks_from))
    numbers = f"{_up(span.since.timestamp())} {instants} {span.ledger_end}"
    known = environment(places.variables)
    folders = [str(places.data), installation.heartbeat.folder]
    asks = f"{pause // timedelta(milliseconds=1)} {mark}" if shared else ""
    holds_for = [str(places.config), known, *folders, " ".join(days), asks, *marks]
    lines = [HEADER, numbers, *holds_for, numbers, ""]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def idle_span(seen: Snapshot, ledger: Ledger, plan: Plan, policy: Policy) -> IdleSpan | None:
    """Return how long nothing will be due; None if something is, or if it cannot be told.

    It holds for as long as nothing is changed.
    """
    decision = decide_by(seen, plan, policy)
    if seen.last_complete is None or decision.settle:
        return None
    if any(one.slot.at <= seen.now for one in decision.due):
        return None
    if ledger.damage(seen.view.days):
        return None
    midnight = seen.now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    limit, ahead, last = midnight - plan.ahead, plan.ahead, seen.view.last_event_at
    if last is not None and (caught_up := last - LARGEST_CLOCK_ERROR) > seen.now:
        limit = min(limit, caught_up)  # from there on the tick says that the clock is right
    known = plan.series, policy, seen.view.deliveries, seen.now, limit
    due = idle_until(*known)
    until = seen.now if decision.due else idle_until(*known, ahead) if ahead else due
    return IdleSpan(seen.now, until, due, seen.ledger_end)


def _making(installation: Installation) -> timedelta:
    """Return how long a content may take that a command makes."""
    messages = installation.config.message
    slow = (one.timeout for one in messages if one.command or one.data_command)
    return timedelta(seconds=max(slow, default=0.0))


def _pause(policy: Policy) -> timedelta:
    """Return for how long another host's orders are not looked for: a one-off of a host that died
    is to be found before its expiry by a tick that comes after it is due."""
    return max(timedelta(0), min(LONGEST_SHARED - A_TICK / 2, policy.expire_after - 2 * A_TICK))


def _renewals(found: Iterable[Tokens | KakaocronError], span: IdleSpan) -> Iterator[datetime]:
    """Yield when a login next asks for something, if it ever does. Raises what kept one from being
    read."""
    for one in found:
        if isinstance(one, KakaocronError):
            raise one
        at = one.idle_until(span.since)
        if at is not None:
            yield at


def _up(seconds: float) -> int:
    return int(seconds * 1000) + 1
