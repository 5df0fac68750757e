"""What is wrong now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from kakaocron.config.schema import MonitorRules
from kakaocron.errors import SEE_DOCTOR, Cause, Exit
from kakaocron.kakao.tokens import Tokens
from kakaocron.language.words import _, marked
from kakaocron.ledger.beats import Beat, Word
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.stats import Stats
from kakaocron.states import Reason, State
from kakaocron.text.plain import in_percent
from kakaocron.watching.sentences import detail_of, last_results

# A tick a minute: one may be late, two may not.
RUNNING_WITHIN = timedelta(minutes=3)
# A slot that no tick has seen to by then is told, before three silent minutes are.
SEEN_TO_WITHIN = timedelta(minutes=1)
# Kakao renews a refresh token in the last month of its life: near its end something is wrong.
LOGIN_WARNING = timedelta(days=7)


class Problem(Struct, frozen=True):
    """What is wrong, and what to do; `str()` of it is the sentence."""

    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{_(self.what)}. {_(self.mend)}" if self.mend else _(self.what)


EXIT_WORDS: Mapping[int, Problem] = {
    Exit.USAGE: Problem(
        marked("the configuration is broken"), marked("See: kakaocron config check")
    ),
    Exit.LOGIN: Problem(marked("Kakao does not accept the login"), marked("Run: kakaocron login")),
    Exit.BUG: Problem(marked("kakaocron has a bug; the log has the whole story: kakaocron.log")),
    Exit.LEDGER: Problem(marked("the ledger cannot be written or read"), SEE_DOCTOR),
    Exit.LOCK: Problem(marked("another process holds the ledger's lock"), SEE_DOCTOR),
    Exit.INTERRUPTED: Problem(marked("it was ended by a signal, as at a shutdown")),
}
INSTALL = marked("Run: kakaocron cron install")
NOT_LOGGED_IN = Cause("no-login")


class Bounds(Struct, frozen=True):
    """What the user allows ([monitor])."""

    min_success_rate: float
    max_delay: timedelta


def bounds_of(monitor: MonitorRules) -> Bounds:
    return Bounds(monitor.min_success_rate, timedelta(minutes=monitor.max_delay_minutes))


class LastTick(Struct, frozen=True):
    """How the ticks stand: `at` the last one was seen, and how it ended. While it is at work: how
    the one before it did, if that was lately."""

    at: datetime
    word: Word
    exit_code: int
    said_at: datetime


def last_tick(beats: Iterable[Beat]) -> LastTick | None:
    """Return how the ticks stand, None if none has been seen."""
    ordered = sorted((b for b in beats if b.is_of_a_tick), key=lambda beat: beat.at)
    if not ordered:
        return None
    newest = ordered[-1]
    # One that is still at work must not hide that the one before it failed.
    ended = next((beat for beat in reversed(ordered) if beat.word is not Word.START), newest)
    told = ended if newest.at - ended.at <= RUNNING_WITHIN else newest
    return LastTick(newest.at, told.word, told.exit_code, told.at)


def are_running(last: LastTick | None, now: datetime) -> bool:
    """Say whether ticks come, as the last one tells."""
    return last is not None and now - last.at <= RUNNING_WITHIN


def tick_problem(last: LastTick | None, now: datetime) -> Problem | None:
    """Say what is wrong with the ticks, None if they run."""
    if last is None:
        return Problem(_("No tick has been seen: cron does not run kakaocron"), INSTALL)
    if not are_running(last, now):
        minutes = int((now - last.at).total_seconds() // 60)
        return Problem(
            _(
                "No tick for {minutes} minutes (the last at {at:%Y-%m-%d %H:%M:%S}): cron does "
                "not run kakaocron"
            ).format(minutes=minutes, at=last.at),
            INSTALL,
        )
    if last.word is Word.FAIL and last.exit_code:
        why = EXIT_WORDS.get(
            last.exit_code, Problem(_("exit {exit_code}").format(exit_code=last.exit_code))
        )
        return Problem(
            _("The last tick ({said_at:%H:%M:%S}) failed: {what}").format(
                said_at=last.said_at, what=_(why.what)
            ),
            why.mend,
        )
    return None


def overdue_problem(overdue: Iterable[Delivery]) -> str | None:
    names = [one.id for one in overdue]
    if not names:
        return None
    more = _(" and {count} more").format(count=len(names) - 1) if len(names) > 1 else ""
    said = _("No tick has handled {id}{more}. To see why: kakaocron explain {id}")
    return said.format(id=names[0], more=more)


def login_problem(tokens: Tokens, now: datetime) -> Cause | None:
    """Say whether a login that Kakao accepts is near its end, or past it; None if neither."""
    end = tokens.refresh_expires_at
    if end is None:
        return None
    at = f"{end:%Y-%m-%d %H:%M}"
    if now >= end:
        return Cause("login-expired", {"at": at})
    if end - now > LOGIN_WARNING:
        return None
    hours = int((end - now).total_seconds() // 3600)
    if hours >= 48:  # noqa: PLR2004
        return Cause("login-ends-in-days", {"days": hours // 24, "at": at})
    return Cause("login-ends-in-hours", {"hours": hours, "at": at})


def quota_problem(deliveries: Iterable[Delivery]) -> str | None:
    """Say which quota is used up, as the newest delivery that ran into one knows."""
    spent = [one for one in deliveries if is_about(one, Reason.QUOTA)]
    if not spent:
        return None
    newest = max(spent, key=lambda one: one.slot)
    return _("A quota is used up ({detail}): {id} is not delivered").format(
        detail=detail_of(newest), id=newest.id
    )


def is_about(delivery: Delivery, reason: Reason) -> bool:
    """Say whether a reason lies at the bottom of a delivery that is not delivered."""
    return _has_failed(delivery) and reason in reasons_of(delivery)


def _has_failed(delivery: Delivery) -> bool:
    return delivery.state is State.RETRYING or delivery.standing is State.FAILED


def reasons_of(delivery: Delivery) -> list[Reason]:
    """Return a delivery's reason and those that lie behind it: why its last attempt failed."""
    found = [delivery.reason] if delivery.reason else []
    found += [delivery.behind] if delivery.behind else []
    if _has_failed(delivery):
        for result in last_results(delivery).values():
            found += [reason for reason in (result.reason, result.behind) if reason]
    return found


def rate_problem(stats: Stats, bounds: Bounds) -> Cause | None:
    rate = stats.success_rate
    if rate is None or rate >= bounds.min_success_rate:
        return None
    return Cause("rate", {"rate": in_percent(rate), "bound": bounds.min_success_rate})


def delay_problem(stats: Stats, bounds: Bounds) -> Cause | None:
    delay, most = stats.delay_p99_seconds, bounds.max_delay.total_seconds()
    if delay is None or delay <= most:
        return None
    return Cause("delay", {"minutes": delay / 60, "bound": most / 60})


def newest_of_each(deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
    """Yield the newest delivery of each message."""
    newest: dict[str, Delivery] = {}
    for one in deliveries:
        known = newest.get(one.message)
        if known is None or known.slot < one.slot:
            newest[one.message] = one
    yield from newest.values()
