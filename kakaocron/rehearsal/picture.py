"""The demo's picture of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from kakaocron.language.words import _, marked
from kakaocron.show.console import console

if TYPE_CHECKING:
    from kakaocron.rehearsal.demo import DemoDay
from kakaocron.show.pictures import WIDTH, overview_picture

ON_PURPOSE = marked(
    "What fails below fails on purpose: requests refused, cut off and unanswered, a tick killed,\n"
    "a host asleep, two crons at once. The demo shows what becomes of the messages then.\n"
)


def print_day(day: DemoDay) -> None:
    out = console()
    out.print(_(ON_PURPOSE))
    # What settles a held delivery is left out: the demo's ledger is gone by now.
    out.print(overview_picture(day.overview, min(out.width, WIDTH), with_advice=False))
    found = day.verdict
    states = ", ".join(
        _("{count} {state}").format(count=count, state=_(state))
        for state, count in sorted(found.by_state.items())
    )
    table = Table(title=_("\nCounted at the receiver"), title_justify="left", box=None)
    rows = [
        (_("slots due"), found.due, found.due),
        (_("in a final state"), found.final, found.due),
        (_("delivered"), found.delivered, None),
        (_("  of these unproven"), found.delivered - found.confirmed, None),
        (_("duplicates"), found.duplicates, 0),
        (_("silently lost"), found.lost, 0),
        (_("falsely confirmed"), found.falsely_confirmed, 0),
        (_("too early or too late"), found.early_or_late, 0),
    ]
    for name, count, wanted in rows:
        style = "" if wanted is None else "green" if count == wanted else "bold red"
        table.add_row(name, Text(str(count), style))
    out.print(table)
    said = _("The ledger says: {states}. What is unknown was held, and not sent twice.")
    out.print(said.format(states=states))
    kept = _("The promises held") if found.holds else _("A PROMISE WAS BROKEN")
    said = _("{kept}: 1,440 ticks with faults in {seconds:.1f} s.")
    out.print(said.format(kept=kept, seconds=day.seconds))
