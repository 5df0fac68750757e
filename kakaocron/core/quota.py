"""Kakao's daily quotas for messages to friends: what is used up, and what a plan asks for. Pure.

Messages to oneself are unlimited. Kakao does not publish when a day begins: midnight in Korea is
assumed, and that refused messages do not count. What other programs send is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from msgspec import Struct, field

from kakaocron.core.calendar import DAY_NAMES, KST, slots_between
from kakaocron.core.ledger import Attempt, Delivery, State
from kakaocron.core.policy import Series

ME = "me"
DAY = timedelta(days=1)
# Before Kakao's permission only members of the app get messages, and (reported) this many a day.
BEFORE_PERMISSION = 30
_NOT_TAKEN = frozenset({State.RETRYING, State.FAILED})


class Limits(Struct, frozen=True):
    """Messages to friends a day, from Kakao's quota page."""

    per_pair: int = 20
    per_receiver: int = 100
    per_sender: int = 100
    per_app: int = 30_000


KAKAOS = Limits()


class Usage(Struct):
    """What one sender, the only one that a ledger knows, has sent to friends in a day."""

    counts: Counter[str] = field(default_factory=Counter)
    limits: Limits = KAKAOS

    def spend(self, wanted: Mapping[str, int]) -> dict[str, str]:
        """Count messages that are about to go, so many to each receiver.

        Returns those to whom they may not go, each with the quota that would be passed.
        """
        refused = {}
        for receiver, messages in wanted.items():
            if receiver == ME:
                continue
            if why := self._over(receiver, messages):
                refused[receiver] = why
            else:
                self.counts[receiver] += messages
        return refused

    def _over(self, receiver: str, messages: int) -> str | None:
        limits, mine, all_ = self.limits, self.counts[receiver], self.counts.total()
        for count, most, what in (
            (mine, limits.per_pair, "from one sender to one friend"),
            (mine, limits.per_receiver, "to one receiver"),
            (all_, limits.per_sender, "from one sender"),
            (all_, limits.per_app, "of one app"),
        ):
            if count + messages > most:
                return f"Kakao takes {most} messages a day {what}, and {count} went out today"
        return None


def used(deliveries: Iterable[Delivery], day: date) -> Usage:
    """Count what went out to friends on a KST day; what may have gone counts as gone."""
    usage = Usage()
    for delivery in deliveries:
        for attempt in delivery.attempts:
            if (attempt.sent_at or attempt.claimed_at).astimezone(KST).date() == day:
                usage.counts.update(_taken(attempt))
    return usage


def _taken(attempt: Attempt) -> Mapping[str, int]:
    taken = {}
    for receiver in attempt.to:
        result = attempt.results.get(receiver)
        if receiver == ME:
            continue
        if result is None or result.state not in _NOT_TAKEN:
            taken[receiver] = max(1, result.parts if result else 0)
        elif result.parts:
            taken[receiver] = result.parts
    return taken


def plan_faults(
    series: Sequence[Series], today: date, names: Mapping[str, str], limits: Limits = KAKAOS
) -> list[str]:
    """Say which quotas a plan cannot keep on its busiest day of the next seven.

    `names` gives the friends' names by their uuids.
    """
    by_day = [(today + n * DAY, _wanted(series, today + n * DAY)) for n in range(7)]
    faults = []
    for uuid in sorted({uuid for _, wanted in by_day for uuid in wanted}):
        day, wanted = max(by_day, key=lambda item: item[1][uuid])
        if wanted[uuid] > limits.per_pair:
            who = f"'{names.get(uuid, uuid)}'"
            faults.append(_fault(f"to {who}", wanted[uuid], day, limits.per_pair, "to one friend"))
    day, wanted = max(by_day, key=lambda item: item[1].total())
    if wanted.total() > limits.per_sender:
        total = wanted.total()
        faults.append(_fault("to friends", total, day, limits.per_sender, "from one sender"))
    return faults


def _fault(whom: str, count: int, day: date, most: int, what: str) -> str:
    return (
        f"This plan cannot fit: {count} messages {whom} on a {DAY_NAMES[day.weekday()]}, and Kakao "
        f"takes {most} a day {what}; {count - most} would end as failed (quota). Plan fewer slots "
        "([schedule]), or send them to 'me'"
    )


def _wanted(series: Sequence[Series], day: date) -> Counter[str]:
    start = datetime.combine(day, time(), KST) - timedelta.resolution
    wanted: Counter[str] = Counter()
    for one in series:
        friends = [receiver for receiver in one.to if receiver != ME]
        if friends:
            slots = sum(1 for _ in slots_between(one.name, one.timetable, start, start + DAY))
            wanted.update(dict.fromkeys(friends, slots))
    return wanted
