"""`kakaocron ledger path|verify|prune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.errors import Exit
from kakaocron.installation import Edges, claimed_places, make_ledger, settled_places
from kakaocron.language.words import _
from kakaocron.ledger.ledger import Remark
from kakaocron.show.console import print_json
from kakaocron.system.places import find_places

ledger_app = typer.Typer(help="The record of everything that was sent.")


@ledger_app.command("path")
def path(config: Annotated[Path | None, config_option()] = None) -> None:
    """Print the ledger's folder."""
    print(find_places(config).ledger)


@ledger_app.command("verify")
def verify(
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> int:
    """Read every line of every day; report what is damaged. Exit 1 if anything is."""
    edges = Edges()
    checked, remarks = make_ledger(settled_places(find_places(config), edges), edges).verify()
    if as_json:
        print_json(
            {
                "days": checked.days,
                "lines": checked.lines,
                "findings": [_fields(one) for one in remarks],
            }
        )
    else:
        for remark in remarks:
            print(f"{remark.path}: {remark.what}")
        print(
            _("{days} days, {lines} lines, {count} findings").format(
                days=checked.days, lines=checked.lines, count=len(remarks)
            )
        )
    return Exit.TROUBLE if any(remark.is_damage for remark in remarks) else Exit.FINE


def _fields(remark: Remark) -> dict[str, object]:
    return {"path": remark.path, "what": remark.what, "is_damage": remark.is_damage}


@ledger_app.command("prune")
def prune(
    days: Annotated[int, typer.Option(min=2, help="Keep this many days before today.")],
    config: Annotated[Path | None, config_option()] = None,
) -> None:
    """Remove the files of older days."""
    edges = Edges()
    ledger = make_ledger(claimed_places(find_places(config), edges), edges)
    with ledger.open() as book:
        removed = ledger.prune(book.now.date(), days)
    print(_("removed {count} days").format(count=len(removed)))
