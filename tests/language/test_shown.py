"""What the commands show fits a terminal of 80 columns and of 40, in both languages.

It is kept in shown/, the help of every command with it, to be looked at, and to see in a change
what a user will see. After a change: SHOWN=1 pytest -n0 tests/language/test_shown.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.cells import cell_len
from rich.console import Console

from kakaocron.cli import COMMANDS, make_app
from kakaocron.show import console, pictures
from tests.test_cli import Shell, after_a_morning, shell

__all__ = ["after_a_morning", "shell"]

KEPT = Path(__file__).parent / "shown"
PRINTED = [
    "status", "history", "show report@20261123T0900", "explain 09:00", "explain 09:15",
    "explain 10:00", "report", "next -n 3", "health", "friends", "preview",
]  # fmt: skip
# What a person copies is longer than 40 columns, and what is not Korean or English is not cut.
WHOLE = re.compile(r"kakaocron|report@|https?://|[\"{}]")


def outputs(shell: Shell, words: list[str]) -> Iterator[tuple[str, str]]:
    for one in words:
        _, out, err = shell.run(*one.split())
        yield one, out + err


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_is_wider_than_the_terminal(
    after_a_morning: Shell, language: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminal() -> Console:
        options = {"highlight": False, "markup": False, "emoji": False}
        return Console(width=columns, force_terminal=True, color_system=None, **options)  # type: ignore[arg-type]

    for module in (console, pictures):
        monkeypatch.setattr(module, "console", terminal)
    monkeypatch.setenv("KAKAOCRON_LANGUAGE", language)
    monkeypatch.setenv("COLUMNS", str(columns))

    shown = list(outputs(after_a_morning, PRINTED))
    wide = [
        line
        for _, text in shown
        for line in text.splitlines()
        if cell_len(line) > columns and not WHOLE.search(line)
    ]
    kept = KEPT / f"{language}-{columns}.txt"
    if "SHOWN" in os.environ:
        helps = outputs(after_a_morning, ["--help", *(f"{name} --help" for name in COMMANDS)])
        kept.write_text(_as_kept(shown) + _as_kept(helps), "utf-8")
    assert wide == []
    # How the help looks is Typer's matter too: each release has frames of its own.
    assert kept.read_text("utf-8").startswith(_as_kept(shown))


def _as_kept(shown: Iterable[tuple[str, str]]) -> str:
    lines = (line for one, text in shown for line in (f"$ kakaocron {one}", *text.splitlines(), ""))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def test_no_help_loses_a_word_in_brackets() -> None:
    """Rich takes `[word]` for markup, and shows nothing of it."""

    def helps(command: Any) -> Iterator[str]:
        yield from (one.help for one in (command, *command.params) if getattr(one, "help", None))
        for beneath in getattr(command, "commands", {}).values():
            yield from helps(beneath)

    found = list(helps(typer.main.get_command(make_app([]))))
    assert len(found) > 50
    assert [said for said in found if re.search(r"\[/?[a-z]", said)] == []
