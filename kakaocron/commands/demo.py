"""`kakaocron demo`: a whole day, tick by tick, with faults."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import json_option
from kakaocron.errors import Exit
from kakaocron.language.words import _
from kakaocron.rehearsal.demo import run_day
from kakaocron.rehearsal.picture import print_day
from kakaocron.show.console import print_json, progress
from kakaocron.show.next_step import say_next


def demo(
    as_json: Annotated[bool, json_option()] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the ledger and the log in this new folder.")
    ] = None,
) -> int:
    """Run a whole KST day against the sandbox, with faults made on purpose, and count what
    arrived."""
    with (
        tempfile.TemporaryDirectory(prefix="kakaocron-demo-") as folder,
        progress(_("a day, minute by minute"), 1440, hidden=as_json) as advance,
    ):
        day = run_day(keep or Path(folder), advance)
    if as_json:
        print_json(day.fields())
    else:
        print_day(day)
        say_next(None)
    return Exit.FINE if day.verdict.holds else Exit.TROUBLE
