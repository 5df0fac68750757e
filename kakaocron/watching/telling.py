"""Pings and alarms: what watches kakaocron from outside hears of it here, after the sending.

Whatever is on the other side may be slow, broken or hostile: each way out has a thread of its own,
all have one deadline, and who has not answered by then is left behind.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.config.contacts import account_of, channel_name
from kakaocron.config.schema import leads_to_kakaotalk
from kakaocron.delivery.tick import Ended
from kakaocron.errors import Cause, LedgerError, LockTimeoutError, UsageError
from kakaocron.installation import Feed, Installation, make_memory
from kakaocron.kakao.login import NoTokenNowError
from kakaocron.kst import isoformat
from kakaocron.language.words import _, marked, ngettext
from kakaocron.ledger.ledger import OvertakenError
from kakaocron.ledger.stats import stats_of
from kakaocron.messages.making import at_home
from kakaocron.system.disk import locked
from kakaocron.system.log import log
from kakaocron.system.places import Places, names_secret
from kakaocron.system.programs import not_runnable
from kakaocron.watching import alarms
from kakaocron.watching.alarms import Alarm, AlarmState, Observation, of_deliveries
from kakaocron.watching.apprise_process import NOT_TOLD
from kakaocron.watching.causes import in_words, of_account
from kakaocron.watching.health import bounds_of, delay_problem, rate_problem
from kakaocron.watching.incidents import Kind, Remembered
from kakaocron.watching.overview import problem_of
from kakaocron.watching.pings import NotToldError, Pings

# A tick has a minute, and what comes after its sending must not carry it over 50 seconds.
LONGEST_SECONDS = 8.0
TICK_SECONDS = 48.0
LEAST_SECONDS = 0.5
TEST = "test"
NO_OTHER_WAY = marked(
    "KakaoTalk cannot report that it is broken, so nobody counts as told. Set another way in "
    "[monitor] too: ping_url, alert_urls or alert_command"
)

Way = Callable[[float], None]  # takes the seconds it has; raises NotToldError


class Heard(Struct, frozen=True):
    """How the ways out fared: a sentence for each that failed, and which were tried."""

    failures: Mapping[str, str] = field(default_factory=dict)
    tried: tuple[str, ...] = ()


class Monitor(Struct):
    """What is told after a tick whose time counts from `started`, on the clock that nobody sets.

    Nothing here raises, and nothing takes the ledger's lock.
    """

    installation: Installation
    started: float
    pings: Pings | None = None
    is_alone: bool = False  # of hosts that share a ledger this one tells its own alone

    def end(self, ended: Ended) -> Heard:
        """Tell the watchers how the tick ended, and people what is wrong."""
        try:
            return self._end(ended)
        except Exception:
            log.exception("bug in the monitor")
            return Heard()

    @property
    def keeps_awake(self) -> bool:
        """Say whether the coming ticks must be full ones, so that somebody hears of them."""
        if self.pings is not None:
            return True
        is_heard = self.installation.config.monitor.tells_elsewhere
        states = [self._state()]
        if self.installation.shared:
            states.append(replace(self, is_alone=True)._state())
        return is_heard and any(state.untold for state in states)

    def _end(self, ended: Ended) -> Heard:
        ways: dict[str, Way] = {}
        if self.pings is not None:
            ways["ping_url"] = partial(self.pings.end, ended.is_fine)
        if not self.installation.config.monitor.tells_people:
            return self._try(ways)
        if self.installation.shared and not self.is_alone:
            # What stops this host, as a database that it cannot reach, it tells by itself.
            alone = replace(self, is_alone=True)
            if ended.report is None:
                return alone._end(ended)
            if alone._state() != AlarmState():
                alone._end(ended)
        try:
            with self._alone():
                return self._end_with_alarms(ended, ways)
        except (LockTimeoutError, OvertakenError):  # another tick is telling people just now
            return self._try(ways)
        except LedgerError as error:  # the database has gone away since
            log.warning("%s", error)
            return self._try(ways)
        except OSError:  # a full disk: better told twice than not at all
            return self._end_with_alarms(ended, ways)

    def _end_with_alarms(self, ended: Ended, ways: Mapping[str, Way]) -> Heard:
        now = self.installation.clock.now()
        state = self._look(ended, now)
        telling = alarms.may_tell(state, now)
        people: dict[str, Way] = {}
        if telling:
            fresh = state.untold[state.mentioned :]
            people = _ways_to_people(self.installation, state.untold)
            people |= _ways_by_kakaotalk(self.installation, fresh) if fresh else {}
        # Written before and after: a process killed in between has lost no alarm.
        self._remember(state)
        heard = self._try({**ways, **people})
        if people and heard.tried:
            took = [name for name in people if name not in heard.failures]
            if any(self.counts(name) for name in took):
                state = alarms.told(state)
            else:
                state = alarms.not_told(state, now, mentioned=bool(took))
            self._remember(state)
        if state.untold and not self.installation.config.monitor.tells_elsewhere:
            alone = next(iter(_ways_by_kakaotalk(self.installation, ())))
            failures = {**heard.failures, alone: f"'{alone}': {_(NO_OTHER_WAY)}"}
            return Heard(failures, heard.tried)
        return heard

    def counts(self, name: str) -> bool:
        """Say whether who has taken an alarm by this way has told a person by another way than
        KakaoTalk."""
        return name not in _ways_by_kakaotalk(self.installation, ())

    def test(self) -> dict[str, str | None]:
        """Send an alarm that is a test by every way out; return by name why one did not take it.

        Raises UsageError where there is no way out.
        """
        alarm = Alarm(alarms.Turn.BEGUN, TEST, self.installation.clock.now(), Cause(TEST))
        ways: dict[str, Way] = {}
        if self.pings is not None:
            ways["ping_url"] = self.pings.fail
        ways |= _ways_to_people(self.installation, [alarm])
        ways |= _ways_by_kakaotalk(self.installation, [alarm])
        if not ways:
            raise UsageError(
                _("There is no way out for alarms"),
                _("Set ping_url, alert_urls or alert_command in [monitor]"),
            )
        failures = self._failures(ways)
        return {name: failures.get(name) for name in ways}

    def _look(self, ended: Ended, now: datetime) -> AlarmState:
        state = self._state()
        if self.is_alone and ended.report is not None:
            found = Observation({})  # what had stopped this host is over
        else:
            found = _observed(self.installation, ended, state, now)
        return alarms.review(state, found, now)

    def _alone(self) -> AbstractContextManager[None]:
        """Be the only one that tells. Raises LockTimeoutError, LedgerError, OSError."""
        here = self.installation
        if here.shared and not self.is_alone:
            return here.shared.alone("alarms", TICK_SECONDS)
        return locked(here.edges.disk, here.clock, f"{here.places.data}/alarms.lock", 0.0)

    @property
    def _kept(self) -> Remembered:
        if self.installation.shared and not self.is_alone:
            return self.installation.shared.memory("alarms")
        return make_memory(self.installation.places, self.installation.edges.disk, "alarms.json")

    def _state(self) -> AlarmState:
        fields = self._kept.read()
        try:
            return alarms.from_fields(fields) if fields else AlarmState()
        except ValueError as error:
            log.warning("the state of alarms starts empty again: %s", error)
            return AlarmState()

    def _remember(self, state: AlarmState) -> None:
        fields = alarms.to_fields(state)
        kept = self._kept
        if fields != kept.read():
            kept.write(fields)

    def _try(self, ways: Mapping[str, Way]) -> Heard:
        """Go all the ways side by side; who has not answered by the deadline has failed."""
        left = self.started + TICK_SECONDS - self.installation.clock.monotonic()
        seconds = min(LONGEST_SECONDS, left)
        if seconds < LEAST_SECONDS or not ways:
            return Heard()
        failures = self._failures(ways, seconds)
        for name, why in failures.items():
            log.warning("monitor %s: %s", name, why)
        return Heard(
            {
                name: _("The monitor '{name}' cannot be told: {why}").format(name=name, why=why)
                for name, why in failures.items()
            },
            tuple(ways),
        )

    def _failures(
        self, ways: Mapping[str, Way], seconds: float = LONGEST_SECONDS
    ) -> dict[str, str]:
        """Go all the ways side by side; return why those failed that did, by name."""
        clock, workers = self.installation.clock, self.installation.edges.workers
        deadline = clock.monotonic() + seconds
        failures: dict[str, str] = {}
        for name, way in ways.items():
            workers.start(name, partial(_go, way, seconds, name, failures))
        waiting = set(ways)
        while waiting and clock.monotonic() < deadline:
            waiting -= set(workers.wait(deadline - clock.monotonic()))
        return {
            **failures,
            **dict.fromkeys(waiting, _("no answer within {seconds:.0f} s").format(seconds=seconds)),
        }


def _go(way: Way, seconds: float, name: str, failures: dict[str, str]) -> None:
    try:
        way(seconds)
    except NotToldError as error:
        failures[name] = str(error)
    except Exception as error:
        failures[name] = type(error).__name__


def _observed(
    installation: Installation, ended: Ended, state: AlarmState, now: datetime
) -> Observation:
    if ended.report is None:
        return Observation(_stopped_by(ended), is_partial=True)
    days = alarms.days_of(state, now.date())
    try:
        seen = installation.with_logins(installation.snapshot(days))
    except LedgerError as error:
        return Observation({alarms.LEDGER: error.cause}, is_partial=True)
    today = seen.on(now.date())
    # Of slots to come nothing is known, though a clock that was ahead may have settled them.
    recent = [one for day in days for one in seen.on(day) if one.slot <= now]
    configured = frozenset(one.name for one in installation.plan.series)
    ends = alarms.ends_of(seen.view, days)
    is_new = alarms.is_news(state, seen.view, ends, now)

    def account_by(receiver: str) -> str:
        return account_of(installation.engine.channel_of(receiver))

    found = of_deliveries(
        recent, configured, is_new, installation.config.contacts.names(), account_by
    )
    lasting, happened = dict(found.lasting), dict(found.happened)
    for key, cause in ended.report.problems:
        kind = key.partition(":")[0]
        if kind in {Kind.LEDGER_DAMAGED, Kind.PRUNE}:
            happened[key] = cause
        else:
            lasting[kind] = cause
    open_ = set(found.open)
    for account, login in installation.logins.items():
        down, as_found = ended.report.down.get(channel_name(account)), seen.logins[account]
        problem = down.cause if down else problem_of(login, as_found, now)
        if not down and isinstance(as_found, NoTokenNowError):  # unreadable for the moment
            open_.add(alarms.login_key(account))
        elif problem and not login.credentials.access_token:
            lasting[alarms.login_key(account)] = of_account(account, problem)
    bounds, stats = bounds_of(installation.config.monitor), stats_of(today, began_at=seen.began_at)
    for key, problem, figure in (
        (alarms.RATE, rate_problem(stats, bounds), stats.success_rate),
        (alarms.DELAY, delay_problem(stats, bounds), stats.delay_p99_seconds),
    ):
        if problem:
            lasting[key] = problem
        elif figure is None:  # of a day on which nothing has been sent yet nothing can be said
            open_.add(key)
    return Observation(lasting, happened, found.held, frozenset(open_), lines=ends)


def _stopped_by(ended: Ended) -> dict[str, Cause]:
    if isinstance(ended.error, LedgerError):
        return {alarms.LEDGER: ended.error.cause}
    if isinstance(ended.error, LockTimeoutError):
        return {alarms.LOCK: ended.error.cause}
    cause = ended.error.cause if ended.error else Cause("tick-interrupted")
    return {f"exit-{ended.exit_code}": cause}


def _ways_to_people(installation: Installation, told: Sequence[Alarm]) -> dict[str, Way]:
    """Return the ways in which alarms leave and that count; a name tells which, without its
    secrets."""
    rules, variables = installation.config.monitor, installation.places.variables
    feed = installation.edges.feed
    ways = _ways_through_apprise(installation, told, by_kakaotalk=False)
    if rules.alert_command:
        folder = installation.places.folder
        ways["alert_command"] = partial(
            _through_command, feed, at_home(rules.alert_command), folder, variables, told
        )
    return ways


def _ways_by_kakaotalk(installation: Installation, told: Sequence[Alarm]) -> dict[str, Way]:
    """Return the ways of Apprise's that go by KakaoTalk: it cannot report that it is broken."""
    return _ways_through_apprise(installation, told, by_kakaotalk=True)


def _ways_through_apprise(
    installation: Installation, told: Sequence[Alarm], *, by_kakaotalk: bool
) -> dict[str, Way]:
    feed, places = installation.edges.feed, installation.places
    ways: dict[str, Way] = {}
    for number, url in enumerate(installation.config.monitor.alert_urls, 1):
        if leads_to_kakaotalk(url) is by_kakaotalk:
            secret = url.reveal()
            name = f"alert_urls {number} ({secret.partition('://')[0]})"
            ways[name] = partial(_through_apprise, feed, secret, places, told)
    return ways


def apprise_type(told: Sequence[Alarm]) -> str:
    """Return what Apprise calls such alarms: as the worst of them."""
    turns = {alarm.turn for alarm in told}
    if alarms.Turn.BEGUN in turns:
        return "failure"
    return "warning" if alarms.Turn.LASTING in turns else "success"


def title(told: Sequence[Alarm]) -> str:
    if [alarm.key for alarm in told] == [TEST]:
        return _("kakaocron: a test")
    begun = sum(alarm.turn is not alarms.Turn.OVER for alarm in told)
    if not begun:
        return _("kakaocron: over")
    return ngettext("kakaocron: {count} problem", "kakaocron: {count} problems", begun).format(
        count=begun
    )


def body(told: Sequence[Alarm]) -> str:
    return "\n".join(f"- {in_words(alarm.cause)}" for alarm in told)


def _through_apprise(
    feed: Feed, url: str, places: Places, told: Sequence[Alarm], seconds: float
) -> None:
    # Without the folder that it is called in, where anybody's apprise.py may lie.
    command = (sys.executable, "-P", "-m", "kakaocron.watching.apprise_process")
    document = {"url": url, "title": title(told), "body": body(told)}
    document |= {"type": apprise_type(told), "storage": places.apprise}
    code = _run(feed, command, places.variables, document, seconds)
    if code != 0:
        known = _(NOT_TOLD.get(code, ""))
        raise NotToldError(known or _("Apprise ended with exit {code}").format(code=code))


def _through_command(
    feed: Feed,
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    told: Sequence[Alarm],
    seconds: float,
) -> None:
    document = {
        "title": title(told),
        "body": body(told),
        "alarms": [
            {
                "turn": alarm.turn,
                "key": alarm.key,
                "since": isoformat(alarm.since),
                "sentence": in_words(alarm.cause),
            }
            for alarm in told
        ],
    }
    code = _run(feed, command, variables, document, seconds, folder)
    if code != 0:
        raise NotToldError(
            _("'{command}' ended with exit {code}").format(command=command[0], code=code)
        )


def _run(
    feed: Feed,
    command: Sequence[str],
    variables: Mapping[str, str],
    document: Mapping[str, object],
    seconds: float,
    folder: Path | None = None,
) -> int:
    """Give a document to a command, in an environment without secrets; return its exit code."""
    environment = {name: one for name, one in variables.items() if not names_secret(name)}
    content = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    try:
        return feed(command, content, environment, max(0.1, seconds - 0.5), folder)
    except TimeoutError:
        raise NotToldError(_("it did not end in time, and was killed")) from None
    except OSError as error:
        path = str((folder or Path()) / command[0]) if "/" in command[0] else command[0]
        cause = not_runnable(path)
        why = in_words(cause) if cause else error.strerror
        raise NotToldError(
            _("'{command}' cannot be run ({why})").format(command=command[0], why=why)
        ) from None
