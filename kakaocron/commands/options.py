"""Options that several commands share."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kakaocron.errors import UsageError

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Use this config.toml.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
MAX_STDIN = 100_000


def read_stdin() -> str:
    """Return the text on stdin; Python lets bytes that are none pass as half surrogates."""
    try:
        text = sys.stdin.read(MAX_STDIN)
        text.encode()
    except UnicodeError:
        raise UsageError("stdin is not UTF-8 text") from None
    return text
