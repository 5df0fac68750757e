"""What will be due: the messages' slots, one-offs and retries, in one order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, KeysView
from datetime import datetime
from itertools import islice
from operator import attrgetter

from msgspec import Struct

from kakaocron.config.schema import Config
from kakaocron.delivery.policy import begins_paused
from kakaocron.delivery.snapshot import Snapshot
from kakaocron.kst import isoformat
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery
from kakaocron.schedule.pauses import Paused, open_slots
from kakaocron.schedule.slots import Series, Slot
from kakaocron.states import State

WIDTH_OF_TEXT = 40


class Coming(Struct, frozen=True):
    """A delivery that will be due at an instant, and why."""

    at: datetime
    message: str
    id: str
    kind: str
    why: str

    def fields(self) -> dict[str, str]:
        return {
            "id": self.id,
            "message": self.message,
            "kind": self.kind,
            "slot": isoformat(self.at),
            "why": self.why,
        }


def coming(seen: Snapshot, series: Iterable[Series], config: Config, count: int) -> list[Coming]:
    """Return the next `count`, by a snapshot of the days to come too; what is cancelled or paused
    is left out."""
    known = seen.view.deliveries
    by_hand = [found for one in known.values() if (found := _by_hand(one, seen.is_paused))]
    rules = [
        _of_rule(open_slots(one, seen.pauses, seen.now), config, known.keys()) for one in series
    ]
    by_time = attrgetter("at", "message")
    merged = heapq.merge(sorted(by_hand, key=by_time), *rules, key=by_time)
    return list(islice((found for found in merged if found.at > seen.now), count))


def _by_hand(delivery: Delivery, paused: Paused) -> Coming | None:
    if delivery.state is not State.SCHEDULED or begins_paused(delivery, paused):
        return None
    again_at = delivery.next_attempt_at
    why = _("to be sent again, by hand") if again_at else _("scheduled by hand")
    what = _what(delivery)
    if what and not again_at:
        why += f": {what}"
    at = again_at or delivery.slot
    return Coming(at, delivery.message, delivery.id, delivery.kind, why)


def _what(delivery: Delivery) -> str | None:
    """Return the beginning of a text, or the message that is made when its time comes."""
    if delivery.text:
        text = " ".join(delivery.text.split())
        return text if len(text) <= WIDTH_OF_TEXT else f"{text[: WIDTH_OF_TEXT - 1]}…"
    message = (delivery.content or {}).get("message")
    return _("message '{message}'").format(message=message) if message else None


def _of_rule(slots: Iterable[Slot], config: Config, known: KeysView[str]) -> Iterator[Coming]:
    for slot in slots:
        if slot.id not in known:
            yield Coming(slot.at, slot.message, slot.id, slot.kind, why(config, slot))


def why(config: Config, slot: Slot) -> str:
    """Say which rule makes a slot of its message's."""
    message = next(one for one in config.message if one.name == slot.message)
    if message.cron is not None:
        return f'cron = "{message.cron}"'
    minute = f":{slot.at.minute:02d}"
    if slot.kind == "peak" and "peak" in message.slots:
        return _("{minute} is in peak_minutes, {hour} in peak_hours").format(
            minute=minute, hour=slot.at.hour
        )
    return _("{minute} is in regular_minutes").format(minute=minute)
