"""`kakaocron next`: what will be due."""

from __future__ import annotations

import heapq
import sys
from datetime import date
from itertools import islice
from operator import attrgetter
from typing import Annotated

import typer

from kakaocron.commands.options import ConfigOption, JsonOption
from kakaocron.config import Config
from kakaocron.core.calendar import HORIZON, Slot, slots_between
from kakaocron.core.ledger import State, isoformat
from kakaocron.core.policy import ONCE
from kakaocron.core.quota import plan_faults
from kakaocron.render import print_json, print_slots
from kakaocron.wiring import Installation, find_installation


def next_slots(
    config: ConfigOption = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=10_000)] = 10,
    as_json: JsonOption = False,
) -> None:
    """List the next slots, and why each is one."""
    installation = find_installation(config)
    found = [(slot, why(installation, slot)) for slot in coming(installation, count)]
    if as_json:
        print_json([_fields(slot, reason) for slot, reason in found])
    else:
        print_slots(found)
    for fault in quota_faults(installation.config, installation.clock.now().date()):
        print(fault, file=sys.stderr)


def quota_faults(config: Config, today: date) -> list[str]:
    """Say on the first day which of Kakao's quotas the plan cannot keep."""
    names = {uuid: name for name, uuid in config.friends.items()}
    return plan_faults(config.series(), today, names)


def coming(installation: Installation, count: int) -> list[Slot]:
    """Return the next slots of the messages and the one-offs together, in order.

    What is cancelled or rests is left out.
    """
    now = installation.clock.now()
    days = [day for day in installation.ledger.days() if day >= now.date()]
    known = installation.ledger.read(days).deliveries
    paused = installation.pauses.rule()
    once = (
        Slot(d.message, d.next_attempt_at or d.slot, d.kind)
        for d in known.values()
        if d.state is State.SCHEDULED and (d.next_attempt_at or d.slot) > now
    )
    rules = [
        slots_between(one.name, one.timetable, now, now + HORIZON)
        for one in installation.plan.series
    ]
    by_time = attrgetter("at", "message")
    merged = heapq.merge(sorted(once, key=by_time), *rules, key=by_time)
    return list(
        islice(
            (
                slot
                for slot in merged
                if (slot.kind == ONCE or slot.id not in known) and not paused(slot.message, slot.at)
            ),
            count,
        )
    )


def why(installation: Installation, slot: Slot) -> str:
    """Say which rule makes a slot."""
    rules = installation.config.schedule
    if slot.kind == ONCE:
        return "scheduled by hand"
    for message in installation.config.message:
        if message.name == slot.message and message.cron is not None:
            return f'cron = "{message.cron}"'
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
