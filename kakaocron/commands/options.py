"""Options that several commands share."""

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


@contextmanager
def reading_times() -> Iterator[None]:
    """Turn a time that cannot be read into the error that the user sees."""
    try:
        yield
    except PhraseError as error:
        said = str(error)
        raise UsageError(said[:1].upper() + said[1:]) from None
