"""Options that several commands share."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from kakaocron.core.phrases import PhraseError
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


@contextmanager
def reading_times() -> Iterator[None]:
    """Turn a time that cannot be read into the error that the user sees."""
    try:
        yield
    except PhraseError as error:
        said = str(error)
        raise UsageError(said[:1].upper() + said[1:]) from None
