"""What messages to phones cost, by the price in [alimtalk]. Pure.

What may have gone counts: whether a dealer takes money for what fails is its own matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from kakaocron.config.contacts import ALIMTALK
from kakaocron.config.schema import Config
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery
from kakaocron.schedule.slots import Series, count_of_day
from kakaocron.states import MAY_HAVE_ARRIVED


class Cost(Struct, frozen=True):
    """Messages to phones on a day, at `price` won each."""

    day: date
    messages: int
    price: float

    @property
    def won(self) -> float:
        return self.messages * self.price

    def fields(self) -> dict[str, Any]:
        return {"day": self.day.isoformat(), "messages": self.messages, "cost_won": self.won}

    def __str__(self) -> str:
        said = _("알림톡 on {day}: {messages} messages, {won:,.10g} won")
        return said.format(day=self.day, messages=self.messages, won=self.won)


def price_of(config: Config) -> float | None:
    """Return the price of a message in won, None where there is none to reckon with."""
    return config.alimtalk.price if config.alimtalk else None


def planned(config: Config, series: Sequence[Series], day: date) -> Cost | None:
    """Return what the configured slots of a day will cost."""
    price = price_of(config)
    if price is None:
        return None
    is_phone = _is_phone(config)
    messages = sum(
        count_of_day(one.timetable, day) * len(to)
        for one in series
        if (to := [name for name in one.to if is_phone(name)])
    )
    return Cost(day, messages, price)


def spent(config: Config, deliveries: Iterable[Delivery], day: date) -> Cost | None:
    """Return what the deliveries of a day have cost."""
    price = price_of(config)
    if price is None:
        return None
    is_phone = _is_phone(config)
    messages = sum(
        result.state in MAY_HAVE_ARRIVED
        for one in deliveries
        for name, result in one.targets.items()
        if is_phone(name)
    )
    return Cost(day, messages, price)


def costs_of(
    config: Config, days: Iterable[date], read: Callable[[date], Iterable[Delivery]]
) -> list[Cost]:
    """Return what days have cost, if there is a price: those on which anything went to phones."""
    if price_of(config) is None:
        return []
    costs = [spent(config, read(day), day) for day in days]
    return [one for one in costs if one and one.messages]


def _is_phone(config: Config) -> Callable[[str], bool]:
    contacts = config.contacts
    return lambda receiver: contacts.channel_of(receiver) == ALIMTALK
