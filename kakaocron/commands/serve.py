"""`kakaocron serve`: the web page, and what other programs ask for."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option
from kakaocron.errors import UsageError
from kakaocron.language.words import _


def serve(
    config: Annotated[Path | None, config_option()] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8787,
    host: Annotated[
        str, typer.Option(help="The address to listen on; there is no password.")
    ] = "127.0.0.1",
) -> None:
    """Show the day on a web page, with /health, /metrics and /api/status. Read-only."""
    try:
        from kakaocron.web.server import run  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            _("The page needs the extra `web` ({name} is missing)").format(name=error.name),
            _("Run: pip install 'kakaocron[web]'"),
        ) from None
    run(config, host, port, lambda url: _say(host, url))


def _say(host: str, url: str) -> None:
    print(_("kakaocron is at {url} (stop it with Ctrl-C)").format(url=url), file=sys.stderr)
    if is_local_only(host):
        print(_("Only programs and people on this machine can open it."), file=sys.stderr)
    else:
        print(
            _(
                "Everybody who can reach this address reads your messages: there is no password "
                "and no encryption. Put a proxy with both before it, or use --host 127.0.0.1"
            ),
            file=sys.stderr,
        )


def is_local_only(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
