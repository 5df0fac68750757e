"""`kakaocron report`: weeks at a glance."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from kakaocron.commands.options import config_option, days_option, json_option
from kakaocron.installation import find_installation
from kakaocron.ledger.lookup import deliveries_of
from kakaocron.show.console import print_json
from kakaocron.show.pictures import print_report
from kakaocron.watching.costs import costs_of
from kakaocron.watching.overview import report as read_report


def report(
    config: Annotated[Path | None, config_option()] = None,
    days: Annotated[int, days_option()] = 30,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Count the slots of the last days: due, sent, late, missed, unknown; and the bad days."""
    installation = find_installation(config)
    found = read_report(installation, days)
    days_found = [one.day for one in found.days]
    read = partial(deliveries_of, installation.ledger)
    costs = costs_of(installation.config, days_found, read)
    if as_json:
        told = {"alimtalk": [one.fields() for one in costs]} if costs else {}
        print_json({**found.fields(), **told})
        return
    print_report(found)
    for cost in costs:
        print(cost)
