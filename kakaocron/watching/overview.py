"""What the ledger says of a day and of the days before: read once, for text and JSON alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from kakaocron.config.schema import MonitorRules
from kakaocron.delivery.policy import Decision, begins_paused, next_to_come
from kakaocron.delivery.snapshot import Snapshot, decide_by
from kakaocron.errors import Barrier, Cause, KakaocronError, UsageError
from kakaocron.installation import DEFAULT_ACCOUNT, FullSnapshot, Installation
from kakaocron.kakao.causes import named
from kakaocron.kakao.login import Login
from kakaocron.kakao.tokens import Tokens
from kakaocron.kst import DAY, isoformat, isoformat_if_any
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery, delivery_fields, is_by_hand
from kakaocron.ledger.lookup import in_order
from kakaocron.ledger.stats import (
    Receipts,
    Report,
    Slots,
    Stats,
    is_planned,
    receipts_of,
    report_of_day,
    slots_of,
    stats_of,
)
from kakaocron.schedule.pauses import Pause, is_paused
from kakaocron.schedule.slots import Series, Slot, parse_delivery_id, slots_between
from kakaocron.states import ME, State
from kakaocron.watching.causes import in_words
from kakaocron.watching.coming import Coming, coming
from kakaocron.watching.explain import Evidence, Explanation, explain
from kakaocron.watching.health import (
    NOT_LOGGED_IN,
    SEEN_TO_WITHIN,
    LastTick,
    Problem,
    are_running,
    bounds_of,
    delay_problem,
    last_tick,
    login_problem,
    newest_of_each,
    overdue_problem,
    quota_problem,
    rate_problem,
    tick_problem,
)

NEXT_SLOTS = 3


class LoginState(Struct, frozen=True):
    """The tokens that an account uses, and what is wrong with them."""

    tokens: Tokens
    problem: str | None


class HostState(Struct, frozen=True):
    """One of the hosts that share a ledger: when it last ticked, how far its clock is ahead of the
    database's, and how many of today's deliveries it sent."""

    name: str
    last_tick: datetime
    clock_offset_seconds: float
    sent_today: int

    def fields(self) -> dict[str, Any]:
        return {**asdict(self), "last_tick": isoformat(self.last_tick)}


class Overview(Struct, frozen=True):
    """Today, as `kakaocron status` shows it."""

    now: datetime
    last: LastTick | None
    deliveries: tuple[Delivery, ...]
    upcoming: tuple[Slot, ...]
    stats: Stats
    slots: Slots
    next_regular: Slot | None
    next_peak: Slot | None
    following: tuple[Coming, ...]
    logins: Mapping[str, LoginState]  # by account
    unseen: tuple[Delivery, ...]  # what a tick would record now of slots that none has seen to
    held: tuple[Delivery, ...]  # of yesterday too: nobody knows whether they arrived
    pauses: tuple[Pause, ...]
    paused_ahead: int = 0  # slots still to come today that are paused as things stand
    barriers: tuple[Barrier, ...] = ()  # what would keep a slot from being recorded, and sent
    receipts: Receipts | None = None  # of channels that tell later what became of a message
    hosts: tuple[HostState, ...] | None = None  # None: the ledger is not shared

    @property
    def tokens(self) -> Tokens:
        """Those of the account that is meant where none is named."""
        return self.logins[DEFAULT_ACCOUNT].tokens

    @property
    def last_tick(self) -> datetime | None:
        return self.last.at if self.last else None

    @property
    def is_running(self) -> bool:
        return are_running(self.last, self.now)

    @property
    def unseen_today(self) -> tuple[Delivery, ...]:
        return tuple(one for one in self.unseen if one.slot.date() == self.now.date())

    @property
    def day(self) -> tuple[Delivery, ...]:
        """Today's deliveries, with what no tick has seen to yet."""
        return in_order([*self.deliveries, *self.unseen_today])

    @property
    def by_hand(self) -> Mapping[State, int]:
        """How many of today's were sent at once by a person: they are no slots."""
        return Counter(one.state for one in self.deliveries if is_by_hand(one.id))

    @property
    def others(self) -> Mapping[State, int]:
        """How many of today's slots are neither to come nor at an end that `slots` counts, by
        state: sent on a person's word, cancelled, under way."""
        counted = {State.CONFIRMED, State.FAILED, State.UNKNOWN, State.MISSED, State.SCHEDULED}
        planned = (one.standing for one in self.deliveries if is_planned(one))
        return Counter(state for state in planned if state not in counted)

    @property
    def paused(self) -> int:
        """How many of today's slots were not sent as they were paused, or will not be."""
        were_meant = sum(one.was_meant for one in self.deliveries)
        return were_meant + self.paused_ahead + sum(self._waits_paused)

    @property
    def scheduled_count(self) -> int:
        """How many will be sent today: not what falls into a pause."""
        return len(self.upcoming) + self._waits_paused.count(False)

    @property
    def _waits_paused(self) -> list[bool]:
        """Of each one-off and retry that waits, whether it falls into a pause."""
        paused = partial(is_paused, self.pauses)
        waiting = (one for one in self.deliveries if one.state is State.SCHEDULED)
        return [begins_paused(one, paused) for one in waiting]

    def fields(self) -> dict[str, Any]:
        """Return the object that `status --json` prints."""
        return {
            "now": isoformat(self.now),
            "last_tick": isoformat_if_any(self.last_tick),
            "is_running": self.is_running,
            "scheduled_count": self.scheduled_count,
            "stats": asdict(self.stats),
            "next_regular_time": isoformat(self.next_regular.at) if self.next_regular else None,
            "next_peak_time": isoformat(self.next_peak.at) if self.next_peak else None,
            "token": _ends_of(self.tokens),
            "tokens": {name or ME: _ends_of(one.tokens) for name, one in self.logins.items()},
            **({"receipts": self.receipts.fields()} if self.receipts else {}),
            "today": [delivery_fields(delivery) for delivery in self.deliveries],
            **({} if self.hosts is None else {"hosts": [one.fields() for one in self.hosts]}),
        }


def _ends_of(tokens: Tokens) -> dict[str, str | None]:
    return {
        "expires_at": isoformat_if_any(tokens.access_expires_at),
        "refresh_expires_at": isoformat_if_any(tokens.refresh_expires_at),
    }


def look(installation: Installation) -> Overview:
    """Look at what `status` shows, once. Raises LedgerError."""
    # First: nothing is read after the snapshot, so that it shows one instant.
    barriers = installation.ledger.barriers(installation.clock.now().date())
    seen, following = _look_ahead(installation)
    found = overview_of(
        installation.with_logins(seen),
        decide_by(seen, installation.plan, installation.engine.policy),
        installation.logins,
        installation.plan.series,
        following,
    )
    return replace(found, barriers=tuple(barriers), hosts=_hosts(installation, found.deliveries))


def _hosts(
    installation: Installation, deliveries: Sequence[Delivery]
) -> tuple[HostState, ...] | None:
    if installation.shared is None:
        return None
    sent = Counter(one.host for one in deliveries if one.sent_at)
    return tuple(
        HostState(one.name, one.last_tick, one.clock_offset_seconds, sent[one.name])
        for one in installation.shared.heartbeat.hosts()
    )


def _look_ahead(installation: Installation) -> tuple[Snapshot, list[Coming]]:
    """Look at as many of the days to come as it takes to tell what is next: there may be years of
    what is scheduled by hand."""
    series, config = installation.plan.series, installation.config
    for seen, unread in installation.snapshots_ahead():
        following = coming(seen, series, config, NEXT_SLOTS)
        last = following[NEXT_SLOTS - 1] if len(following) == NEXT_SLOTS else None
        told = (last, *(_next(seen, series, kind) for kind in ("regular", "peak")))
        if unread is None or all(one and one.at < unread for one in told):
            break
    return seen, following


def _next(seen: Snapshot, series: Sequence[Series], kind: str) -> Slot | None:
    pauses = [pause for pause in seen.pauses if pause.is_open(seen.now)]
    return next_to_come(series, pauses, seen.view.deliveries, seen.now, kind)


def overview_of(
    seen: FullSnapshot,
    decision: Decision,
    logins: Mapping[str, Login],
    series: Sequence[Series],
    following: Sequence[Coming],
) -> Overview:
    """Sum up a snapshot; `decision` is what a tick would make of it."""
    now, deliveries = seen.now, seen.on(seen.now.date())
    recent = (*seen.on(now.date() - DAY), *deliveries)
    unseen = _unseen(seen, decision)
    unseen_today = sum(one.slot.date() == now.date() for one in unseen)
    known = {delivery.id for delivery in deliveries}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    ahead = tuple(
        slot
        for one in series
        for slot in slots_between(one.name, one.timetable, now, midnight - timedelta.resolution)
        if slot.id not in known
    )
    pauses = tuple(pause for pause in seen.pauses if pause.is_open(now))
    unpaused = tuple(slot for slot in ahead if not is_paused(pauses, slot.message, slot.at))
    return Overview(
        now=now,
        last=last_tick(seen.newest_beats),
        deliveries=deliveries,
        upcoming=tuple(sorted(unpaused, key=lambda slot: (slot.at, slot.message))),
        stats=stats_of(deliveries, unseen_today + len(ahead), seen.began_at),
        slots=slots_of(deliveries),
        next_regular=_next(seen, series, "regular"),
        next_peak=_next(seen, series, "peak"),
        following=tuple(following),
        logins={name: _state_of(logins[name], found, now) for name, found in seen.logins.items()},
        unseen=unseen,
        held=tuple(one for one in recent if one.is_held),
        pauses=pauses,
        paused_ahead=len(ahead) - len(unpaused),
        receipts=receipts_of(deliveries),
    )


def _unseen(seen: Snapshot, decision: Decision) -> tuple[Delivery, ...]:
    """Return what a tick would make now of the slots that came due and have no state."""
    unseen = [
        Delivery(e.id, e.message, e.kind, e.slot, e.state, reason=e.reason)
        for e in decision.settle
        if e.state
    ]
    unseen += [
        Delivery(one.id, one.slot.message, one.slot.kind, one.slot.at, State.SCHEDULED)
        for one in decision.due
        if one.slot.at <= seen.now  # early_start looks ahead
    ]
    return in_order(one for one in unseen if one.id not in seen.view.deliveries)


class Health(Struct, frozen=True):
    """Whether a person has to look, and why."""

    scheduled_count: int
    success_rate: float | None
    problems: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """Return the object that `health --json` prints."""
        return {
            "status": "unhealthy" if self.problems else "healthy",
            "scheduled_count": self.scheduled_count,
            "success_rate": self.success_rate,
            "problems": list(self.problems),
        }


def health_of(overview: Overview, rules: MonitorRules) -> Health:
    now, bounds = overview.now, bounds_of(rules)
    figures = (rate_problem(overview.stats, bounds), delay_problem(overview.stats, bounds))
    problems = [
        *(Problem(one.what, one.mend) for one in overview.barriers),
        tick_problem(overview.last, now),
        overdue_problem(_overdue(overview)),
        *(named(name, one.problem) for name, one in overview.logins.items() if one.problem),
        quota_problem(newest_of_each(one for one in overview.deliveries if one.slot <= now)),
        *(in_words(figure) for figure in figures if figure),
    ]
    found = tuple(str(problem) for problem in problems if problem)
    return Health(overview.scheduled_count, overview.stats.success_rate, found)


def health_of_failure(error: KakaocronError) -> Health:
    """Return what is known when nothing can be looked at: why."""
    return Health(0, None, (str(error),))


def _overdue(overview: Overview) -> list[Delivery]:
    until = overview.now - SEEN_TO_WITHIN
    return [one for one in overview.unseen if one.slot <= until and not one.was_meant]


def ticks_run(installation: Installation) -> bool:
    """Say whether ticks run here: what is to be tried again is theirs."""
    seen = installation.snapshot()
    return are_running(last_tick(seen.newest_beats), seen.now)


def problem_of(login: Login, found: Tokens | KakaocronError, now: datetime) -> Cause | None:
    """Say what is wrong with a login as it was found, None if nothing is."""
    if isinstance(found, KakaocronError):
        return found.cause
    if found.is_dead:
        return login.dead(found).cause
    if found.refresh_token or found.access_token:
        return login_problem(found, now)
    return NOT_LOGGED_IN if login.is_needed else None


def _state_of(login: Login, found: Tokens | KakaocronError, now: datetime) -> LoginState:
    problem = problem_of(login, found, now)
    tokens = Tokens() if isinstance(found, KakaocronError) else found
    return LoginState(tokens, in_words(problem) if problem else None)


def explain_minute(
    installation: Installation, at: datetime, booted_at: datetime | None = None
) -> Explanation:
    """Gather what is known around a minute, and explain it. Raises LedgerError, and UsageError
    for a day that is kept no longer."""
    today = installation.clock.now().date()
    keep_days, kept = installation.plan.keep_days, installation.ledger.days()
    if (today - at.date()).days > keep_days and at.date() not in kept:
        raise UsageError(
            _(
                "Of {at:%Y-%m-%d} nothing is known any more: [ledger] keep_days is {keep_days}"
            ).format(at=at, keep_days=keep_days)
        )
    days = sorted({(at - DAY).date(), at.date(), (at + DAY).date(), today})
    beats_of = _days_around(days, installation.heartbeat.days())
    seen = installation.snapshot(days, beats_of)
    known = (seen.last_complete, seen.view.settled)
    evidence = Evidence(
        seen.view.deliveries,
        [beat for day in beats_of for beat in seen.beats.on(day) if beat.at <= seen.now],
        max((found for found in known if found), default=None),
        booted_at,
        seen.pauses,
    )
    return explain(at, seen.now, seen.series, installation.engine.policy, evidence)


def explain_what(
    installation: Installation, what: str, booted_at: datetime | None = None
) -> Explanation:
    """Explain a minute, or one delivery named by its id. Raises UsageError for a time that cannot
    be read and for an id of nothing, LedgerError."""

    from kakaocron.schedule.phrases import read_minute  # noqa: PLC0415 - its patterns cost a look

    explained = explain_minute(installation, read_minute(what, installation.clock.now()), booted_at)
    try:
        name = parse_delivery_id(what)[0]
    except ValueError:
        return explained
    # At a minute that is left out a message has no slot, and so no id.
    own = [f for f in explained.messages if f.id == what or (f.id is None and f.message == name)]
    if not own:
        raise UsageError(
            _("The ledger has no delivery '{what}', and it is no slot").format(what=what),
            _("List them: kakaocron history (or: kakaocron next)"),
        )
    return replace(explained, messages=tuple(own))


def _days_around(days: Sequence[date], others: Sequence[date]) -> list[date]:
    """Return some days, and the nearest ones with beats before and after them."""
    before = max((day for day in others if day < days[0]), default=days[0])
    after = min((day for day in others if day > days[-1]), default=days[-1])
    return sorted({before, *days, after})


def report(installation: Installation, days: int) -> Report:
    """Count the last `days` days, today included. Raises LedgerError."""
    today = installation.clock.now().date()
    ledger = installation.ledger
    wanted = [day for day in ledger.days() if today - days * DAY < day <= today]
    known = ledger.read(wanted).deliveries.values() if installation.engine.receipts else ()
    return Report(
        tuple(report_of_day(day, ledger.endings(day)) for day in wanted), receipts_of(known)
    )
