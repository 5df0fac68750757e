"""Options that several commands share. Functions, so that a bare command builds none of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

from kakaocron.commands.lazy import typer
from kakaocron.errors import UsageError
from kakaocron.language.words import _

MAX_STDIN = 100_000
MOST_DAYS = 36500  # that a ledger may be told to keep
MOST_DAYS_PLAYED = 365


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


def days_option() -> Any:
    return typer.Option(min=1, max=MOST_DAYS, help="How many days, with today.")


def days_played_option() -> Any:
    return typer.Option(min=1, max=MOST_DAYS_PLAYED, help="How long it is.")


_PLAIN = {"--config": "config", "--days": "days", "--json": "as_json"}
_DAYS = range(1, MOST_DAYS_PLAYED + 1)  # what each command takes that has them


def plainly_given(words: Sequence[str], names: Collection[str]) -> dict[str, Any] | None:
    """Return the arguments, of those names, that words stand for: the options above, given as they
    mostly are. None for anything else: a parser has to look, which costs several times a tick."""
    found: dict[str, Any] = {}
    following = iter(words)
    for word in following:
        option, is_joined, text = word.partition("=")
        name = _PLAIN.get(option)
        if name is None or name not in names or name in found:
            return None
        if name == "as_json":
            value: Any = not is_joined
        else:
            text = text if is_joined else next(following, "")
            value = None if text.startswith("-") else _value(name, text)
        if not value:
            return None
        found[name] = value
    return found


def _value(name: str, text: str) -> Path | int | None:
    if name == "config":
        return Path(text) if text else None
    return int(text) if text.isascii() and text.isdigit() and int(text) in _DAYS else None


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
