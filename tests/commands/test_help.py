"""What `--help` and `-h` show: every command in its group, in sentences and paragraphs."""

from __future__ import annotations

import re

import pytest

from kakaocron.cli import COMMANDS, GROUPS
from tests.test_cli import Shell, shell

__all__ = ["shell"]

PANEL = re.compile(r"^╭─ ([\w ]+?) ─+╮\n(.*?)^╰", re.MULTILINE | re.DOTALL)


def test_each_command_stands_in_its_group_of_the_help(shell: Shell) -> None:
    told = shell.run("--help")[1]
    listed = {name: re.findall(r"^│ ([a-z]+)  ", rows, re.M) for name, rows in PANEL.findall(told)}
    del listed["Options"]

    assert list(listed) == ["Getting started", "Sending", "Looking", "Fixing", "Other"]
    # Typer puts commands that have commands of their own last.
    assert {name: sorted(rows) for name, rows in listed.items()} == {
        name: sorted(commands) for name, commands in GROUPS.items()
    }


@pytest.mark.parametrize("command", ["", *COMMANDS, "cron install", "config check", "ledger prune"])
def test_h_is_help(shell: Shell, command: str) -> None:
    exit_code, told, err = shell.run(*command.split(), "-h")

    assert (exit_code, err) == (0, "")
    assert told == shell.run(*command.split(), "--help")[1]
    assert max(map(len, told.splitlines())) <= 80


def test_what_a_command_does_is_one_paragraph(shell: Shell) -> None:
    """The line ends of the code are none of the help's: each line but the last is full."""
    told = shell.run("doctor", "--help")[1].partition("[OPTIONS]")[2]
    lines = told.partition("╭")[0].split("\n")[2:-2]

    assert lines[0].strip() == (
        "Check everything that can be wrong, and say how to fix it. Exit 1 if anything"
    )
    assert [line.strip() for line in lines[1:] if line.strip()] == [
        "fails, 2 if the data folder is another configuration's."
    ]
