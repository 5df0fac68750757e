"""`kakaocron ledger path|verify|prune|init|copy`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron import carrying
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.errors import Exit, UsageError
from kakaocron.installation import (
    Edges,
    claimed_places,
    find_installation,
    ledger_of,
    settled_places,
    take_installation,
)
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
    checked, remarks = ledger_of(settled_places(find_places(config), edges), edges).verify()
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
    ledger = ledger_of(claimed_places(find_places(config), edges), edges)
    with ledger.open() as book:
        removed = ledger.prune(book.now.date(), days)
    print(_("removed {count} days").format(count=len(removed)))


@ledger_app.command("init")
def init(config: Annotated[Path | None, config_option()] = None) -> None:
    """Make or upgrade the tables of a ledger that several hosts share (url in config.toml)."""
    database = carrying.database_at(find_installation(config))
    from kakaocron.ledger.postgres.making import make_tables  # noqa: PLC0415 - an extra
    from kakaocron.ledger.postgres.tables import VERSION  # noqa: PLC0415 - likewise

    before = make_tables(database)
    if before == VERSION:
        print(_("The tables in '{where}' are up to date").format(where=database.where))
    else:
        print(_("The tables in '{where}' are made").format(where=database.where))


@ledger_app.command("copy")
def copy(
    to: Annotated[
        str,
        typer.Option(
            help="postgresql://HOST/DATABASE, or a folder.",
            metavar="URL|FOLDER",
            show_default=False,
        ),
    ],
    config: Annotated[Path | None, config_option()] = None,
) -> None:
    """Carry history over: from files into a shared ledger, or from there into files.

    Where it goes to the configured place, the ledger is there from then on.
    """
    if carrying.is_url(to):
        done = carrying.into_database(take_installation(config), to)
    elif "://" in to:
        raise UsageError(_("'--to' takes postgresql://HOST/DATABASE, or a folder"))
    else:
        folder = str(Path(to).expanduser().absolute())
        done = carrying.into_folder(take_installation(config), folder)
    print(
        _("carried over: {days} days, {lines} new lines").format(days=done.days, lines=done.lines)
    )
    if done.is_moved:
        print(_("The ledger is there from now on"))
