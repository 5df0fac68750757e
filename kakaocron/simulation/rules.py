"""The configuration as plain numbers for the judge, and as the simulator uses it."""

from __future__ import annotations

from datetime import timedelta

from kakaocron.config import CONTENTS, DATA, Config
from kakaocron.simulation.judge import Rules

# Says in the message itself which slot it is for: what the judge counts by.
PROBE = "{name}|{time:%Y%m%dT%H%M}"


def probing(config: Config) -> Config:
    """Return the configuration with its schedule and rules, and messages that name their slot."""
    without = dict.fromkeys((*CONTENTS, *DATA))
    messages = tuple(
        message.model_copy(update={**without, "text": PROBE}) for message in config.message
    )
    return config.model_copy(update={"message": messages})


def rules_of(config: Config) -> Rules:
    schedule, delivery = config.schedule, config.delivery
    return Rules(
        frozenset(schedule.regular_minutes),
        frozenset(schedule.peak_minutes),
        frozenset(schedule.peak_hours),
        frozenset(schedule.days),
        tuple(_span(text) for text in schedule.quiet),
        timedelta(seconds=delivery.expire_after),
        timedelta(seconds=max(delivery.retry_delays)),
        delivery.max_retries,
        delivery.on_unknown == "resend",
        {
            message.name: (frozenset(message.slots), config.receivers(message.to))
            for message in config.message
        },
    )


def _span(text: str) -> tuple[int, int]:
    start, end = text.split("-")
    return _minutes(start), _minutes(end)


def _minutes(text: str) -> int:
    hours, minutes = text.strip().split(":")
    return int(hours) * 60 + int(minutes)
