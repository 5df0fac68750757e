"""`kakaocron next`: what will be due."""

from __future__ import annotations

from typing import Annotated

import typer

from kakaocron.commands.options import ConfigOption, JsonOption
from kakaocron.core.calendar import Slot, upcoming
from kakaocron.core.ledger import isoformat
from kakaocron.render import print_json, print_slots
from kakaocron.wiring import Installation, find_installation


def next_slots(
    config: ConfigOption = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=10_000)] = 10,
    as_json: JsonOption = False,
) -> None:
    """List the next slots, and why each is one."""
    installation = find_installation(config)
    series = [(one.name, one.timetable) for one in installation.plan.series]
    found = [(s, why(installation, s)) for s in upcoming(series, installation.clock.now(), count)]
    if as_json:
        print_json([_fields(slot, reason) for slot, reason in found])
    else:
        print_slots(found)


def why(installation: Installation, slot: Slot) -> str:
    """Say which rule makes a slot."""
    rules = installation.config.schedule
    minute = f":{slot.at.minute:02d}"
    if slot.kind == "peak":
        return f"{minute} is in peak_minutes, {slot.at.hour} in peak_hours"
    if slot.at.minute in rules.regular_minutes:
        return f"{minute} is in regular_minutes"
    return slot.kind


def _fields(slot: Slot, reason: str) -> dict[str, str]:
    return {
        "id": slot.id,
        "message": slot.message,
        "kind": slot.kind,
        "slot": isoformat(slot.at),
        "why": reason,
    }
