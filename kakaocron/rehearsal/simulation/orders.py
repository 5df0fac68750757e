"""What a person ordered by hand, as the judge has to know it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


@dataclass(eq=False)
class Order:
    """One command: on which delivery, when, and whether it ended well.

    One that was killed or ended with an error may have had an effect, or none. `name` is that of a
    text of its own, by which receivers know it; `departed` and `departed_before` how much had left
    when it ended, and when it began.
    """

    what: str
    started: datetime
    host_started: datetime
    name: str | None = None
    message: str | None = None
    slot: datetime | None = None
    until: datetime | None = None
    ended: datetime | None = None
    host_ended: datetime | None = None
    is_done: bool = False
    departed_before: int = 0
    departed: int = 0


def texts(orders: Iterable[Order]) -> dict[str, Order]:
    """Return the orders that brought a text of their own, by its name."""
    return {order.name: order for order in orders if order.name is not None}


def may_be_paused(
    orders: Iterable[Order],
    message: str,
    slot: datetime,
    ran_ahead: Sequence[tuple[datetime, datetime]],
) -> bool:
    """Say whether a person may have let a message rest at a slot: by the host's clock, in truth, or
    by what a clock that ran ahead showed meanwhile. `ran_ahead` says what it showed last, and when
    in truth: slots up to then had come, and rested."""
    orders = list(orders)
    for order in orders:
        if order.what != "pause" or order.message not in {None, message}:
            continue
        ends = [
            one
            for one in orders
            if one.what == "resume"
            and one.is_done
            and one.ended
            and order.ended  # one that was begun before that may have been the earlier to write
            and one.started >= order.ended
        ]
        # The first in truth: a later one may have an earlier time, by a clock that was set back.
        first = min(ends, key=lambda one: one.ended or one.started, default=None)
        over, host_over = (first.ended, first.host_ended) if first else (None, None)
        shown = [
            host
            for true, host in ran_ahead
            if order.started <= true and (over is None or true <= over)
        ]
        spans = [(order.started, over), *((order.host_started, end) for end in (host_over, *shown))]
        for start, end in spans:
            last = min((moment for moment in (end, order.until) if moment), default=slot)
            if start - MINUTE <= slot <= last + MINUTE:
                return True
    return False


def is_surely_paused(
    orders: Iterable[Order], message: str, slot: datetime, left: int, apart: timedelta
) -> bool:
    """Say whether a message certainly rested at a slot, and until after so much had left, by clocks
    that may be so far apart."""
    orders = list(orders)
    return any(
        order.what == "pause"
        and order.is_done
        and order.message in {None, message}
        and order.host_ended is not None
        and order.host_ended + apart < slot
        and (order.until is None or slot + apart < order.until)
        and not any(
            one.what == "resume" and _after(one, order) and one.departed_before <= left
            for one in orders
        )
        and order.departed <= left
        for order in orders
    )


def _after(order: Order, other: Order) -> bool:
    return order.ended is None or order.ended >= other.started
