"""Options that are read without a parser mean what they mean to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from kakaocron import cli
from kakaocron.commands.options import plainly_given

NAMES = ("config", "days", "as_json")
C = {"config": Path("/c")}


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("", {}),
        ("--config /c", C),
        ("--config=/c", C),
        ("--json --config=/c=d", {"as_json": True, "config": Path("/c=d")}),
        ("--days 1", {"days": 1}),
        ("--days=365 --json", {"days": 365, "as_json": True}),
        # What the parser judges: what is out of range, given twice, lacks its value, or is unknown.
        ("--days 0", None),
        ("--days 366", None),
        ("--days -1", None),
        ("--days 1.5", None),
        ("--days \u0661", None),
        ("--days 1 --days 2", None),
        ("--config", None),
        ("--config=", None),
        ("--config --json", None),
        ("--json=1", None),
        ("--help", None),
        ("--conf /c", None),
        ("/c", None),
        ("-- /c", None),
    ],
)
def test_what_is_given_plainly_is_read_and_all_else_left_to_the_parser(
    words: str, given: dict[str, Any] | None
) -> None:
    assert plainly_given(words.split(), NAMES) == given


def test_an_option_that_the_command_has_not_is_left_to_the_parser() -> None:
    assert plainly_given(["--days", "7"], ("config", "as_json")) is None


@pytest.mark.parametrize("command", ["report", "history", "status", "health", "tick", "simulate"])
def test_the_parser_reads_the_same(command: str) -> None:
    names = cli._command(command).__code__.co_varnames
    app: Any = typer.main.get_command(cli.make_app([command]))
    parser = app.commands[command]
    read = 0
    for words in ("", "--config /c", "--config=/c --json", "--json", "--days 7", "--days=365"):
        given = plainly_given(words.split(), names)
        if given is not None:
            read += 1
            parsed = parser.make_context(command, words.split()).params
            assert {name: type(value)(parsed[name]) for name, value in given.items()} == given
            assert {name for name, value in parsed.items() if value} - {"days"} <= given.keys()
    assert read >= 2
