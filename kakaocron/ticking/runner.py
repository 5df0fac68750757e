"""One tick from waking to leaving: what cron runs, and all that rehearse it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from msgspec.structs import replace

from kakaocron.config.contacts import Contacts, account_of
from kakaocron.delivery.tick import Ended, ReplacedError, TickReport
from kakaocron.delivery.tick import tick as run_tick
from kakaocron.errors import Exit, KakaocronError
from kakaocron.installation import Edges, Installation, make_heartbeat, make_http
from kakaocron.language.words import _
from kakaocron.ledger.beats import Word
from kakaocron.states import State
from kakaocron.system.belonging import settled
from kakaocron.system.http import MakeHttp
from kakaocron.system.log import bug
from kakaocron.system.places import Places
from kakaocron.ticking.idle_plan import leave_plan, may_leave_at_once
from kakaocron.ticking.upkeep import look_after_login
from kakaocron.watching.causes import in_words
from kakaocron.watching.incidents import (
    EndSign,
    Incidents,
    Kind,
    incidents_of,
    of_error,
    of_login,
    of_problem,
    refusals_of,
)
from kakaocron.watching.pings import Pings
from kakaocron.watching.sentences import lacks_login_only, sentence_of

MOST_LINES = 5
MOST_READINGS = 3  # of a configuration that is replaced under them

Load = Callable[[], Installation]
Complain = Callable[[str], None]
MakePings = Callable[[str, MakeHttp], Pings]


def run(
    places: Places, edges: Edges, load: Load, complain: Complain, make_pings: MakePings = Pings
) -> Ended:
    """Run one tick: leave at once if nothing can be due, as the last full tick has found.

    `load` makes the installation of the configuration as it is now, and raises UsageError if that
    cannot be used, LedgerError if its data folder cannot. `complain` takes each line that the user
    is to read. Cron's command asks whether it may leave before all else is imported, and calls
    `run_full` if not.
    """
    if may_leave_at_once(places, edges):
        return Ended(Exit.FINE)
    return run_full(places, edges, load, complain, make_pings)


def run_full(
    places: Places,
    edges: Edges,
    load: Load,
    complain: Complain,
    make_pings: MakePings = Pings,
    *,
    is_by_hand: bool = False,
) -> Ended:
    """Run one full tick, and say how it went to the user and those who watch from outside. By hand
    it says also what was told before. One under which the configuration is replaced begins again;
    if that does not end, the next tick does all."""
    for _reading in range(MOST_READINGS):
        with suppress(ReplacedError):
            return _run_once(places, edges, load, complain, make_pings, is_by_hand=is_by_hand)
    return Ended(Exit.FINE)


def _run_once(
    places: Places,
    edges: Edges,
    load: Load,
    complain: Complain,
    make_pings: MakePings,
    *,
    is_by_hand: bool,
) -> Ended:
    """Run a tick by the configuration as it is now. Raises ReplacedError."""
    is_own = True
    try:
        places = settled(places, edges.disk)
    except KakaocronError:
        is_own = False  # nothing may be written into these folders
    own = incidents_of(places, edges.disk, tells_again=is_by_hand)
    refusals = refusals_of(places, edges.disk, tells_again=is_by_hand)
    try:
        installation = load()
    except KakaocronError as error:
        if not is_own:
            return _stopped(refusals, error, complain)
        make_heartbeat(places, edges.disk).beat(edges.clock.now(), Word.FAIL, error.exit_code)
        return _stopped(own, error, complain)
    refusals.end()
    if installation.shared:
        own = replace(own, shared=installation.shared.memory("incidents"))
    try:
        return _watched(installation, own, complain, make_pings)
    finally:
        installation.close()


def _watched(
    installation: Installation, incidents: Incidents, complain: Complain, make_pings: MakePings
) -> Ended:
    """Run a tick and report how it ended, an interrupt too; leave a plan for the ticks after it.
    Raises ReplacedError."""
    started, url = installation.clock.monotonic(), installation.config.monitor.ping_url
    make = partial(make_http, installation.places, installation.edges)
    pings = make_pings(url.reveal(), make) if url else None
    if pings is not None:
        pings.begin()
    try:
        ended = _ended(installation, incidents, complain)
    except KeyboardInterrupt:
        _report(installation, Ended(Exit.INTERRUPTED), started, pings, incidents, complain)
        raise
    keeps_awake = _report(installation, ended, started, pings, incidents, complain)
    if ended.report is not None and ended.may_be_idle and not keeps_awake:
        leave_plan(installation, ended.report)
    return ended


def _ended(installation: Installation, incidents: Incidents, complain: Complain) -> Ended:
    """Run a tick to its end, whatever that is. Raises ReplacedError."""
    try:
        return _ticked(installation, incidents, complain)
    except ReplacedError:
        raise
    except KakaocronError as error:
        return _stopped(incidents, error, complain)
    except Exception as error:
        return _stopped(incidents, bug(error), complain)


def _ticked(installation: Installation, incidents: Incidents, complain: Complain) -> Ended:
    report = run_tick(installation.engine, installation.plan, installation.heartbeat)
    found = [(key, in_words(cause)) for key, cause in report.problems]
    found += look_after_login(installation, report).items()
    ongoing = [of_problem(key, said) for key, said in found]
    has_died = any(one.kind is Kind.LOGIN for one in ongoing)
    ongoing += (of_login(error, account_of(name)) for name, error in report.down.items())
    confirmed = {
        account_of(installation.engine.channel_of(receiver))
        for one in report.ended.values()
        if one.state is State.CONFIRMED
        for receiver in one.to
    }
    endings = {EndSign.TICK, *([EndSign.CONFIRMED] if confirmed else [])}
    told = incidents.news(ongoing, endings, report.asked, confirmed)
    _say(complain, [*told, *_sentences(report, installation.config.contacts)])
    return Ended(Exit.LOGIN if has_died else report.exit_code, report, may_be_idle=not has_died)


def _stopped(incidents: Incidents, error: KakaocronError, complain: Complain) -> Ended:
    """Say what has stopped the tick, once for as long as it lasts."""
    _say(complain, incidents.news([of_error(error)]))
    return Ended(error.exit_code, error=error)


def _report(
    installation: Installation,
    ended: Ended,
    started: float,
    pings: Pings | None,
    incidents: Incidents,
    complain: Complain,
) -> bool:
    """Tell those who watch from outside; say whether the coming ticks must be full ones."""
    if not installation.config.monitor.tells_somebody:
        return False
    # Imported now, as the sending is over: it takes its time.
    from kakaocron.watching.telling import Monitor  # noqa: PLC0415

    # Of a tick that waited for its slot, only what came after the slot is its own time.
    monitor = Monitor(installation, started + ended.waited.total_seconds(), pings)
    heard = monitor.end(ended)
    failed = [of_problem(f"{Kind.WATCHER}:{name}", why) for name, why in heard.failures.items()]
    _say(complain, incidents.news(failed, reached=heard.tried))
    return monitor.keeps_awake


def _sentences(report: TickReport, contacts: Contacts) -> list[str]:
    # What a dead login has brought about is said with the login.
    bad = [one for one in report.troubles if not (report.down and lacks_login_only(one))]
    lines = [sentence_of(delivery, contacts) for delivery in bad[:MOST_LINES]]
    if len(bad) > MOST_LINES:
        lines.append(
            _("… and {count} more. See: kakaocron history").format(count=len(bad) - MOST_LINES)
        )
    return lines


def _say(complain: Complain, lines: Iterable[str]) -> None:
    for line in lines:
        complain(line)
