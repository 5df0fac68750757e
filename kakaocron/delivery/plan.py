"""What is to be sent, and how its content is made. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.policy import Due
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.stats import Slots
from kakaocron.schedule.pauses import Pause
from kakaocron.schedule.slots import Series
from kakaocron.schedule.timetables import Timetables

Make = Callable[[Due, Delivery | None, Slots], Parcel]


class Plan(Struct, frozen=True):
    """The messages, and how to make their content.

    `make` is given a due delivery, what the ledger knows of it, and the totals of its day. It may
    take long and raise ContentError, and is called outside the lock. `pauses` reads those that
    count at an instant; `timetables` reads what the last tick knew of the messages' times, and
    `note_timetables` notes what this one knows; these may raise LedgerError, and a tick calls them
    with the lock held.
    The messages are as they are since `written_at`.
    """

    series: Sequence[Series]
    make: Make
    keep_days: int = 90
    ahead: timedelta = timedelta(0)
    pauses: Callable[[datetime], tuple[Pause, ...]] = lambda _: ()
    timetables: Callable[[], Timetables | None] = lambda: None
    note_timetables: Callable[[Sequence[Series]], None] = lambda _: None
    written_at: datetime | None = None
