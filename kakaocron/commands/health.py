"""`kakaocron health`: for Docker, systemd, Nagios."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.options import config_option, json_option
from kakaocron.errors import Exit, KakaocronError
from kakaocron.installation import find_installation
from kakaocron.language.words import _
from kakaocron.show.console import print_json
from kakaocron.text.plain import one_line
from kakaocron.watching.overview import health_of, health_of_failure, look


def health(
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> int:
    """Say whether all is well; exit 1 if a person has to look."""
    try:
        installation = find_installation(config)
        found = health_of(look(installation), installation.config.monitor)
    except KakaocronError as error:
        found = health_of_failure(error)
    if as_json:
        print_json(found.fields())
    else:
        print("\n".join(map(one_line, found.problems)) or _("healthy"))
    return Exit.TROUBLE if found.problems else Exit.FINE
