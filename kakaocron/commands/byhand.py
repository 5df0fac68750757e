"""`kakaocron cancel|retry|resolve`: what a person decides of one delivery."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from kakaocron import actions
from kakaocron.commands.completion import Offers, bad_ids, unknown_ids, waiting_ids
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import composed, config_option, json_option
from kakaocron.delivery.orders import WAITING
from kakaocron.errors import UsageError
from kakaocron.installation import take_installation
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery, delivery_fields
from kakaocron.schedule.phrases import read_time, reading_times
from kakaocron.show.console import complain_of, print_json


def _id(offers: Offers) -> Any:
    return typer.Argument(
        metavar="ID",
        help="As in report@20261123T0930.",
        show_default=False,
        autocompletion=offers,
        callback=composed,
    )


def cancel(
    id_: Annotated[str, _id(waiting_ids)],
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Take back what has not been sent: a one-off, a retry, or one coming slot."""
    _show(actions.cancel(take_installation(config), id_), as_json)


def retry(
    id_: Annotated[str, _id(bad_ids)],
    at: Annotated[
        str | None, typer.Option(help="When, in KST; without it, now.", show_default=False)
    ] = None,
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> int:
    """Send once more what failed, was missed, is unknown or was cancelled."""
    installation = take_installation(config)
    with reading_times():
        when = read_time(at, installation.clock.now()) if at is not None else None
    done = actions.retry(installation, id_, when)
    _show(done.delivery, as_json)
    exit_code = complain_of(done, installation)
    return exit_code if when is None else done.exit_code  # booked it is all the same


def resolve(
    id_: Annotated[str, _id(unknown_ids)],
    delivered: Annotated[bool, typer.Option("--delivered", help="It is in the chat.")] = False,
    not_delivered: Annotated[
        bool, typer.Option("--not-delivered", help="It is not in the chat.")
    ] = False,
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Say of an unknown delivery whether it arrived."""
    if delivered == not_delivered:
        raise UsageError(
            _("Say which: kakaocron resolve {id} --delivered (or --not-delivered)").format(id=id_)
        )
    _show(actions.resolve(take_installation(config), id_, delivered=delivered), as_json)


def _show(delivery: Delivery, as_json: bool) -> None:
    if as_json:
        print_json(delivery_fields(delivery))
        return
    when = delivery.next_attempt_at if delivery.state in WAITING else None
    print(
        f"{delivery.id}: {delivery.state.beside}"
        + (_(", at {when:%m-%d %H:%M:%S}").format(when=when) if when else "")
    )
