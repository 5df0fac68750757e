"""Kakao's daily quotas for messages to friends: what is used up, and what a plan asks for. Pure.

Messages to oneself are unlimited. Kakao does not publish when a day begins: midnight in Korea is
assumed, and that refused messages do not count. What other programs send is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from msgspec import Struct, field

from kakaocron.errors import Cause
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery, taken
from kakaocron.states import ME

# Before Kakao's permission only members of the app get messages, and (reported) this many a day.
BEFORE_PERMISSION = 30


def _is_friend(receiver: str) -> bool:
    return receiver != ME


class Limits(Struct, frozen=True):
    """Messages to friends a day, from Kakao's quota page."""

    per_pair: int = 20
    per_receiver: int = 100
    per_sender: int = 100
    per_app: int = 30_000


KAKAOS = Limits()


class Usage(Struct):
    """What one sender, who `serves` these friends, has sent to them on a KST `day`."""

    day: date
    serves: Callable[[str], bool] = _is_friend
    counts: Counter[str] = field(default_factory=Counter)
    limits: Limits = KAKAOS
    _counted: dict[str, Mapping[str, int]] = field(default_factory=dict)  # by delivery

    def note(self, deliveries: Iterable[Delivery]) -> None:
        """Count what went out of deliveries; what may have gone counts as gone."""
        for delivery in deliveries:
            gone: dict[str, int] = {}
            for attempt in delivery.attempts:
                if (attempt.sent_at or attempt.claimed_at).astimezone(KST).date() == self.day:
                    for receiver, count in taken(attempt).items():
                        if self.serves(receiver):
                            gone[receiver] = gone.get(receiver, 0) + count
            before = self._counted.get(delivery.id)
            if before:
                self.counts.subtract(before)
            if gone or before:
                self._counted[delivery.id] = gone
                for receiver, count in gone.items():
                    self.counts[receiver] += count

    def left(self) -> Usage:
        return Usage(self.day, self.serves, self.counts.copy(), self.limits)

    def spend(self, wanted: Mapping[str, int]) -> dict[str, Cause]:
        """Count messages that are about to go, so many to each receiver.

        Returns those to whom they may not go, each with the quota that would be passed.
        """
        refused = {}
        for receiver, messages in wanted.items():
            if not self.serves(receiver):
                continue
            if why := self._over(receiver, messages):
                refused[receiver] = why
            else:
                self.counts[receiver] += messages
        return refused

    def _over(self, receiver: str, messages: int) -> Cause | None:
        limits, mine, all_ = self.limits, self.counts[receiver], self.counts.total()
        for count, most, what in (
            (mine, limits.per_pair, "pair"),
            (mine, limits.per_receiver, "receiver"),
            (all_, limits.per_sender, "sender"),
            (all_, limits.per_app, "app"),
        ):
            if count + messages > most:
                return Cause(f"quota-{what}", {"most": most, "sent": count})
        return None


def used(
    deliveries: Iterable[Delivery], day: date, serves: Callable[[str], bool] = _is_friend
) -> Usage:
    """Count what one sender, who `serves` these friends, sent to them on a KST day."""
    usage = Usage(day, serves)
    usage.note(deliveries)
    return usage
