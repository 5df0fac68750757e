"""A person at the command line between the ticks: each command is a process like any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from kakaocron import actions
from kakaocron.delivery.parcel import content_hash
from kakaocron.installation import Installation
from kakaocron.ledger.deliveries import Delivery
from kakaocron.rehearsal.simulation.judge import History
from kakaocron.rehearsal.simulation.orders import Order
from kakaocron.states import State

MINUTE = timedelta(minutes=1)


class Person:
    """Gives an order now and then: what is drawn is remembered for the judge before it is done."""

    def __init__(
        self,
        rng: Random,
        history: History,
        true_time: Callable[[], datetime],
        host_time: Callable[[], datetime],
    ) -> None:
        self._rng = rng
        self._history = history
        self._true_time = true_time
        self._host_time = host_time
        self._texts = 0

    def count_from(self, number: int) -> None:
        """Begin to number texts elsewhere: another person gives orders, too."""
        self._texts = number

    def draw(self) -> Order:
        what = self._rng.choice(tuple(_ORDERS))
        return Order(what, self._true_time(), self._host_time())

    def carry_out(self, installation: Installation, order: Order) -> None:
        """Do what the command does. Raises KakaocronError where it would end with an error."""
        _ORDERS[order.what](self, installation, order)

    def _text(self, kind: str, order: Order, minute: datetime) -> str:
        self._texts += 1
        name = f"hand{self._texts}"
        text = f"{name}|{minute:%Y%m%dT%H%M}"
        order.name, order.message, order.slot = name, f"{kind}-{content_hash(text)}", minute
        return text

    def _messages(self) -> list[str]:
        return sorted(self._history.versions[-1].rules.messages)

    def _minute(self) -> datetime:
        return self._host_time().replace(second=0, microsecond=0)

    def schedule(self, installation: Installation, order: Order) -> None:
        at = self._minute() + self._rng.choice((1, 2, 7, 30, 90)) * MINUTE
        actions.schedule(installation, at, text=self._text("once", order, at))

    def send(self, installation: Installation, order: Order) -> None:
        actions.send_now(installation, text=self._text("send", order, self._minute()))

    def cancel(self, installation: Installation, order: Order) -> None:
        waiting = self._pick(installation, order, State.SCHEDULED, State.RETRYING)
        if waiting is None or self._rng.random() < 0.3:  # noqa: PLR2004
            now, rules = self._host_time(), self._history.versions[-1].rules
            message = self._rng.choice(self._messages())
            slot = next(rules.slots(message, now + MINUTE, now + 120 * MINUTE), None)
            if slot is None:
                order.message = order.slot = None
                return
            order.message, order.slot = message, slot
            waiting = f"{message}@{slot:%Y%m%dT%H%M}"
        actions.cancel(installation, waiting)

    def retry(self, installation: Installation, order: Order) -> None:
        ended = State.FAILED, State.MISSED, State.UNKNOWN, State.CANCELLED
        if (identity := self._pick(installation, order, *ended)) is not None:
            actions.retry(installation, identity)

    def resolve(self, installation: Installation, order: Order) -> None:
        if (identity := self._pick(installation, order, State.UNKNOWN)) is not None:
            actions.resolve(installation, identity, delivered=self._rng.random() < 0.5)  # noqa: PLR2004

    def pause(self, installation: Installation, order: Order) -> None:
        order.message = self._rng.choice((None, *self._messages()))
        minutes = self._rng.choice((3, 20, 60, None))
        order.until = None if minutes is None else self._host_time() + minutes * MINUTE
        actions.pause(installation, order.message, order.until, None)

    def resume(self, installation: Installation, order: Order) -> None:
        actions.resume(installation, None)

    def _pick(self, installation: Installation, order: Order, *states: State) -> str | None:
        """Choose among the deliveries that are in these states, mostly a new one."""
        today = self._host_time().date()
        view = installation.ledger.read([today - timedelta(days=1), today])
        found = [one for one in view.deliveries.values() if one.state in states]
        if not found:
            return None
        found.sort(key=_newest_first)
        chosen = found[min(int(self._rng.expovariate(0.5)), len(found) - 1)]
        order.message, order.slot = chosen.message, chosen.slot
        return chosen.id


def _newest_first(delivery: Delivery) -> tuple[float, str]:
    return -delivery.slot.timestamp(), delivery.id


_ORDERS: dict[str, Callable[[Person, Installation, Order], None]] = {
    "schedule": Person.schedule,
    "send": Person.send,
    "cancel": Person.cancel,
    "retry": Person.retry,
    "resolve": Person.resolve,
    "pause": Person.pause,
    "resume": Person.resume,
}
