"""Finding deliveries in the ledger: by id, by day, the last days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from kakaocron.errors import UsageError
from kakaocron.kst import DAY
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.ledger import Ledger, Reader
from kakaocron.schedule.slots import slot_day


def deliveries_of(ledger: Ledger, day: date) -> tuple[Delivery, ...]:
    return in_order(ledger.read([day]).deliveries.values())


def in_order(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    return tuple(sorted(deliveries, key=lambda d: (d.slot, d.message)))


def recent(
    ledger: Ledger, today: date, days: int, states: frozenset[str] = frozenset()
) -> tuple[Delivery, ...]:
    """Return the deliveries of the last `days` days, today included, oldest first."""
    wanted = [day for day in ledger.days() if today - days * DAY < day <= today]
    found = ledger.read(wanted).deliveries.values()
    return in_order(d for d in found if not states or d.state in states)


def day_of_id(id_: str) -> date:
    """Return the day of a delivery's slot. Raises UsageError for what is no id."""
    try:
        return slot_day(id_)
    except ValueError as error:
        raise UsageError(str(error), _("List them: kakaocron history")) from None


def find_delivery(ledger: Reader, id_: str) -> Delivery:
    """Return one delivery by its id. Raises UsageError with what to try."""
    delivery = ledger.read([day_of_id(id_)]).deliveries.get(id_)
    if delivery is None:
        raise UsageError(
            _("The ledger has no delivery '{id}'").format(id=id_), _("List them: kakaocron history")
        )
    return delivery
