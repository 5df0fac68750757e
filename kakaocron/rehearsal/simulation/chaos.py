"""How often what goes wrong. Each history turns every dial by itself."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from functools import cached_property


@dataclass(frozen=True)
class Dials:
    """Probabilities: the first ones and the last per tick and per request, the others per minute.

    `kill` ends a process at once, `signal` asks it to end.
    """

    kill: float = 0.0
    pause: float = 0.0
    disk: float = 0.0
    network: float = 0.0
    disk_trouble: float = 0.0
    outage_begins: float = 0.0
    power_cut: float = 0.0
    clock_step: float = 0.0
    cron_restart: float = 0.0
    second_cron: float = 0.0
    token_death: float = 0.0
    held_lock: float = 0.0
    lock_replaced: float = 0.0
    copy_taken: float = 0.0
    restore: float = 0.0
    damage: float = 0.0
    config_edit: float = 0.0
    by_hand: float = 0.0
    signal: float = 0.0

    @cached_property
    def per_minute(self) -> tuple[tuple[str, float], ...]:
        """What may happen in a minute, and with which probability."""
        rates = ((field.name, getattr(self, field.name)) for field in fields(self)[4:-1])
        return tuple((name, rate) for name, rate in rates if rate)


CALM = Dials()
USUAL = Dials(
    kill=0.02,
    pause=0.01,
    disk=0.02,
    network=0.15,
    disk_trouble=0.002,
    outage_begins=0.002,
    power_cut=0.003,
    clock_step=0.003,
    cron_restart=0.004,
    second_cron=0.003,
    token_death=0.003,
    held_lock=0.002,
    lock_replaced=0.002,
    copy_taken=0.01,
    restore=0.001,
    damage=0.001,
    config_edit=0.002,
)
BY_HAND = 0.05
LOGINS_DIE = 0.01


def dials_for(rng: random.Random, by_hand: float = 0.0, token_death: float = 0.0) -> Dials:
    """Draw a history's character: some faults often, some never; tokens die at least as often as
    is said here."""
    drawn = {
        field.name: getattr(USUAL, field.name) * rng.choice((0, 0, 1, 1, 5))
        for field in fields(Dials)
        if field.name not in {"by_hand", "signal"}
    }
    drawn["token_death"] = max(drawn["token_death"], token_death)
    return Dials(**drawn, by_hand=by_hand, signal=drawn["kill"])
