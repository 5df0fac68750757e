"""Sentences about deliveries, for people."""

from __future__ import annotations

from typing import Any

from kakaocron.kakao.causes import in_words
from kakaocron.ledger.deliveries import Delivery, attempt_fields, delivery_fields
from kakaocron.ledger.events import Result
from kakaocron.states import State


def detail_of(one: Delivery | Result) -> str | None:
    """Say why a delivery, or a receiver's part of an attempt, is as it is; None if all is said."""
    words = in_words(one.cause) if one.cause else one.detail
    return ": ".join(part for part in (one.behind, words) if part) or None


def delivery_with_log(delivery: Delivery) -> dict[str, Any]:
    """Return the object that `show --json` prints."""
    log = [attempt_fields(attempt, detail_of) for attempt in delivery.attempts]
    return {**delivery_fields(delivery), "attempt_log": log}


def why(delivery: Delivery) -> str:
    """Name the reason, and say what is known of it."""
    return ": ".join(part for part in (delivery.reason, detail_of(delivery)) if part)


def sentence(delivery: Delivery) -> str:
    """Say in one line how a delivery ended badly, and what to do."""
    what = f"'{delivery.message}' of {delivery.slot:%Y-%m-%d %H:%M}"
    if delivery.state is State.UNKNOWN:
        return (
            f"Nobody can know whether {what} arrived ({why(delivery)}). Look at the chat, then: "
            f"kakaocron resolve {delivery.id} --delivered (or --not-delivered)"
        )
    verb = "Missed" if delivery.state is State.MISSED else "Failed:"
    return f"{verb} {what} ({why(delivery)}). To send it anyway: kakaocron retry {delivery.id}"
