"""`kakaocron history` and `kakaocron show`: what the ledger holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.completion import ids
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import composed, config_option, days_option, json_option
from kakaocron.errors import UsageError
from kakaocron.installation import find_installation
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import delivery_fields
from kakaocron.ledger.lookup import find_delivery, recent
from kakaocron.show.console import print_csv, print_deliveries, print_delivery, print_json
from kakaocron.states import State
from kakaocron.watching.sentences import delivery_with_log


def history(
    config: Annotated[Path | None, config_option()] = None,
    days: Annotated[int, days_option()] = 7,
    state: Annotated[
        list[State] | None, typer.Option(help="Only this state; may be given again.")
    ] = None,
    as_json: Annotated[bool, json_option()] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, for a spreadsheet, as in: --csv > history.csv")
    ] = False,
) -> None:
    """List the deliveries of the last days."""
    if as_json and as_csv:
        raise UsageError(_("Give either --json or --csv, not both"))
    installation = find_installation(config)
    today = installation.clock.now().date()
    found = recent(installation.ledger, today, days, frozenset(state or ()))
    if as_json:
        print_json([delivery_fields(delivery) for delivery in found])
    elif as_csv:
        print_csv(found)
    else:
        print_deliveries(found, installation.config.contacts.names())


def show(
    id_: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="As in report@20261123T0930.",
            autocompletion=ids,
            callback=composed,
        ),
    ],
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Show one delivery with each of its attempts."""
    delivery = find_delivery(find_installation(config).ledger, id_)
    if as_json:
        print_json(delivery_with_log(delivery))
    else:
        print_delivery(delivery)
