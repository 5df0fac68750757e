"""`kakaocron status`: today at a glance."""

from __future__ import annotations

from kakaocron.commands.options import ConfigOption, JsonOption
from kakaocron.overview import look
from kakaocron.render import print_json, print_overview
from kakaocron.wiring import find_installation


def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show today's slots, totals, what comes next, the token and the last tick."""
    overview = look(find_installation(config))
    if as_json:
        print_json(overview.fields())
    else:
        print_overview(overview)
