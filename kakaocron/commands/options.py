"""Options that several commands share. Functions, so that a bare command builds none of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from unicodedata import normalize

from kakaocron.commands.lazy import typer
from kakaocron.errors import UsageError
from kakaocron.language.words import _

MAX_STDIN = 100_000


def config_option() -> Any:
    return typer.Option("--config", help="Use this config.toml.", show_default=False)


def account_option() -> Any:
    from kakaocron.commands.completion import accounts  # noqa: PLC0415 - no tick has it

    return typer.Option(
        "--account",
        help="The account of this name in config.toml.",
        show_default=False,
        autocompletion=accounts,
    )


def json_option() -> Any:
    return typer.Option("--json", help="Print one JSON document.")


def composed(text: str | None) -> str | None:
    """Return an id as it is written: Hangul typed on a Mac may be single jamo."""
    return text and normalize("NFC", text)


def text_argument() -> Any:
    return typer.Argument(
        help="The text, or - to read it from stdin. With a line break: $'first\\nsecond'. "
        "If it looks like an option: -- '-text'",
        show_default=False,
    )


def read_stdin() -> str:
    """Return the text on stdin. Raises UsageError."""
    return read_text(lambda: sys.stdin.read(MAX_STDIN), "stdin")


def read_text(read: Callable[[], str], what: str) -> str:
    """Return what a person enters. Raises UsageError."""
    try:
        return checked_text(read(), what)
    except UnicodeDecodeError:
        raise _no_text(what) from None


def checked_text(text: str, what: str) -> str:
    """Return a text, or raise UsageError: Python lets bytes that are none pass as half
    surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _no_text(what) from None
    return text


def _no_text(what: str) -> UsageError:
    return UsageError(_("{what} is not UTF-8 text; nothing was done").format(what=_(what)))
