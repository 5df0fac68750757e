"""`kakaocron next`: what will be due."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from kakaocron.coming import coming
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.config import Config
from kakaocron.core.quota import plan_faults
from kakaocron.render import print_json, print_slots
from kakaocron.wiring import find_installation
from kakaocron.wording import complain


def next_slots(
    config: Annotated[Path | None, config_option()] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=10_000)] = 10,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """List the next slots, and why each is one."""
    installation = find_installation(config)
    found = coming(installation, count)
    if as_json:
        print_json([one.fields() for one in found])
    else:
        print_slots(found)
    for fault in quota_faults(installation.config, installation.clock.now().date()):
        complain(fault)


def quota_faults(config: Config, today: date) -> list[str]:
    """Say on the first day which of Kakao's quotas the plan cannot keep."""
    names = {uuid: name for name, uuid in config.friends.items()}
    return plan_faults(config.series(), today, names)
