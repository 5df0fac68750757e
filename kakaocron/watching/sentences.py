"""Sentences about deliveries, for people."""

from __future__ import annotations

from kakaocron.ledger.deliveries import Delivery
from kakaocron.states import State


def sentence(delivery: Delivery) -> str:
    """Say in one line how a delivery ended badly, and what to do."""
    what = f"'{delivery.message}' of {delivery.slot:%Y-%m-%d %H:%M}"
    why = f"{delivery.reason}" + (f": {delivery.detail}" if delivery.detail else "")
    if delivery.state is State.UNKNOWN:
        return (
            f"Nobody can know whether {what} arrived ({why}). Look at the chat, then: "
            f"kakaocron resolve {delivery.id} --delivered (or --not-delivered)"
        )
    verb = "Missed" if delivery.state is State.MISSED else "Failed:"
    return f"{verb} {what} ({why}). To send it anyway: kakaocron retry {delivery.id}"
