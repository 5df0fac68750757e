"""The demo's picture of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from kakaocron.show.console import console

if TYPE_CHECKING:
    from kakaocron.rehearsal.demo import DemoDay
from kakaocron.show.pictures import WIDTH, overview_picture

ON_PURPOSE = (
    "What fails below fails on purpose: requests refused, cut off and unanswered, a tick killed,\n"
    "a host asleep, two crons at once. The demo shows what becomes of the messages then.\n"
)


def print_day(day: DemoDay) -> None:
    out = console()
    out.print(ON_PURPOSE)
    # What settles a held delivery is left out: the demo's ledger is gone by now.
    out.print(overview_picture(day.overview, min(out.width, WIDTH), with_advice=False))
    found = day.verdict
    states = ", ".join(f"{count} {state}" for state, count in sorted(found.by_state.items()))
    table = Table(title="\nCounted at the receiver", title_justify="left", box=None)
    rows = [
        ("slots due", found.due, found.due),
        ("in a final state", found.final, found.due),
        ("delivered", found.delivered, None),
        ("  of these unproven", found.delivered - found.confirmed, None),
        ("duplicates", found.duplicates, 0),
        ("silently lost", found.lost, 0),
        ("falsely confirmed", found.falsely_confirmed, 0),
        ("too early or too late", found.early_or_late, 0),
    ]
    for name, count, wanted in rows:
        style = "" if wanted is None else "green" if count == wanted else "bold red"
        table.add_row(name, Text(str(count), style))
    out.print(table)
    out.print(f"The ledger says: {states}. What is unknown was held, and not sent twice.")
    kept = "The promises held" if found.holds else "A PROMISE WAS BROKEN"
    out.print(f"{kept}: 1,440 ticks with faults in {day.seconds:.1f} s.")
