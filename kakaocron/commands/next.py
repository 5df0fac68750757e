"""`kakaocron next`: what will be due."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.installation import find_installation
from kakaocron.kst import DAY
from kakaocron.messages.faults import quota_faults
from kakaocron.schedule.slots import not_within_a_year
from kakaocron.show.console import print_booked, print_json, print_rare, print_slots
from kakaocron.show.next_step import say_next
from kakaocron.system.stderr import complain
from kakaocron.watching.coming import coming
from kakaocron.watching.costs import planned

USUAL, MOST = 10, 100_000


def next_slots(
    config: Annotated[Path | None, config_option()] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "-n", "--count", min=1, max=10_000, help="How many; 10, or all with --booked."
        ),
    ] = None,
    booked: Annotated[
        bool, typer.Option("--booked", help="Only what was scheduled by hand, with its text.")
    ] = False,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """List the next slots, and why each is one."""
    installation = find_installation(config)
    series = () if booked else installation.plan.series
    most = count or (MOST if booked else USUAL)
    found = coming(installation.snapshot_ahead(), series, installation.config, most)
    if as_json:
        print_json([one.fields() for one in found])
    else:
        (print_booked if booked else print_slots)(found)
    if booked:
        return
    now = installation.clock.now()
    for one in series:
        if rare := not_within_a_year(one.name, one.timetable, now):
            print_rare(*rare, sys.stderr if as_json else sys.stdout)
    if not as_json and (cost := planned(installation.config, series, now.date() + DAY)):
        print(cost)
    for fault in quota_faults(installation.config, now.date()):
        complain(fault)
    if not as_json:
        say_next(config, installation)
