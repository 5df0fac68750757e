"""`daily_cap`: how many messages may go to phones on a KST day. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from msgspec import Struct, field

from kakaocron.errors import Cause
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery, taken


class Cap(Struct):
    """What went to phones on a KST `day`, and `most`, None for no cap.

    What may have gone counts as gone: it may be billed.
    """

    day: date
    most: int | None
    serves: Callable[[str], bool]
    _sent: dict[str, int] = field(default_factory=dict)  # by delivery
    _spent: int = 0

    def note(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            count = sum(
                messages
                for attempt in delivery.attempts
                if (attempt.sent_at or attempt.claimed_at).astimezone(KST).date() == self.day
                for receiver, messages in taken(attempt).items()
                if self.serves(receiver)
            )
            if count or delivery.id in self._sent:
                self._sent[delivery.id] = count

    @property
    def sent(self) -> int:
        return sum(self._sent.values()) + self._spent

    def left(self) -> Cap:
        return Cap(self.day, self.most, self.serves, dict(self._sent), self._spent)

    def spend(self, wanted: Mapping[str, int]) -> dict[str, Cause]:
        refused = {}
        for receiver, messages in wanted.items():
            if self.most is not None and self.sent + messages > self.most:
                refused[receiver] = Cause("alimtalk-cap", {"most": self.most, "sent": self.sent})
            else:
                self._spent += messages
        return refused
