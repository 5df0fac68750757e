"""Options that several commands share. Functions, so that a bare command builds none of them."""

from __future__ import annotations

import sys
from typing import Any

from kakaocron.commands.lazy import typer
from kakaocron.errors import UsageError

MAX_STDIN = 100_000


def config_option() -> Any:
    return typer.Option("--config", help="Use this config.toml.", show_default=False)


def json_option() -> Any:
    return typer.Option("--json", help="Print one JSON document.")


def read_stdin() -> str:
    """Return the text on stdin; Python lets bytes that are none pass as half surrogates."""
    try:
        text = sys.stdin.read(MAX_STDIN)
        text.encode()
    except UnicodeError:
        raise UsageError("stdin is not UTF-8 text") from None
    return text
