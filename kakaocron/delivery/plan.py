"""What is to be sent, and how its content is made. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.policy import Due
from kakaocron.ledger.deliveries import Delivery
from kakaocron.schedule.pauses import Pause
from kakaocron.schedule.slots import Series

Make = Callable[[Due, Mapping[str, Delivery]], Parcel]


class Plan(Struct, frozen=True):
    """The messages, and how to make their content.

    `make` is given a due delivery and all that the ledger knows, by id. It may take long and raise
    ContentError, and is called outside the lock. `pauses` reads those that count at an instant; it
    may raise LedgerError, and a tick calls it with the lock held.
    """

    series: Sequence[Series]
    make: Make
    keep_days: int = 90
    ahead: timedelta = timedelta(0)
    pauses: Callable[[datetime], tuple[Pause, ...]] = lambda _: ()
