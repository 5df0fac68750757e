"""`kakaocron alarm --test`: whether who is to be told can be."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.errors import UsageError
from kakaocron.installation import find_installation, make_http
from kakaocron.language.words import _
from kakaocron.show.console import print_json
from kakaocron.watching.pings import Pings
from kakaocron.watching.telling import NO_OTHER_WAY, Monitor


def alarm(
    test: Annotated[
        bool, typer.Option("--test", help="Send one by every way out of config.toml.")
    ] = False,
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> int:
    """Try the alarms: one by every way out, and which of them took it. A ping_url gets a /fail,
    which the next tick takes back."""
    if not test:
        raise UsageError(_("Say that it is a test: kakaocron alarm --test"))
    installation = find_installation(config)
    url = installation.config.monitor.ping_url
    make = partial(make_http, installation.places, installation.edges)
    pings = Pings(url.reveal(), make) if url else None
    monitor = Monitor(installation, installation.clock.monotonic(), pings)
    found = monitor.test()
    if as_json:
        ways = [
            {"way": name, "took_it": why is None, "counts": monitor.counts(name), "why": why}
            for name, why in found.items()
        ]
        print_json({"ways": ways})
    else:
        for name, why in found.items():
            refused = _("{name} did not take it: {why}").format(name=name, why=why)
            print(refused if why else _("{name} took it").format(name=name))
    is_heard = any(monitor.counts(name) for name in found)
    if not is_heard and not as_json:
        print(_(NO_OTHER_WAY))
    return 0 if is_heard and all(why is None for why in found.values()) else 1
