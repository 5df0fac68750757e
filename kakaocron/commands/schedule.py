"""`kakaocron schedule`: a message at a time of one's choosing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from kakaocron.actions import next_of_kind
from kakaocron.actions import schedule as enter
from kakaocron.commands.completion import messages, receivers
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option, read_stdin, text_argument
from kakaocron.errors import UsageError
from kakaocron.installation import Installation, take_installation
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import delivery_fields
from kakaocron.schedule.phrases import read_time, reading_times
from kakaocron.schedule.spans import read_span
from kakaocron.show.console import print_json, say_booked
from kakaocron.show.next_step import say_next


def schedule(
    text: Annotated[str | None, text_argument()] = None,
    at: Annotated[
        str | None,
        typer.Option(help="When, in KST: 12:35, 'tomorrow 09:00', '내일 9시', ISO 8601."),
    ] = None,
    in_: Annotated[str | None, typer.Option("--in", help="How long from now: 5m, 1h30m.")] = None,
    next_: Annotated[
        Literal["regular", "peak"] | None,
        typer.Option("--next", help="At the next minute of this kind."),
    ] = None,
    message: Annotated[
        str | None,
        typer.Option(help="Send this configured message.", autocompletion=messages),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="me, an account, a group, a room, a friend's uuid or name; may be repeated.",
            autocompletion=receivers,
        ),
    ] = None,
    meta: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE to keep with it; may be given again.")
    ] = None,
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """Send a text, or a configured message, once at a given time; prints its id. How the time was
    understood is said on stderr. What is booked: kakaocron next --booked"""
    if (text is None) == (message is None):
        raise UsageError(
            _("Give either a TEXT or --message NAME"), _("As in: kakaocron schedule 안녕 --in 5m")
        )
    if sum(option is not None for option in (at, in_, next_)) != 1:
        raise UsageError(
            _("Say when by one of --at, --in and --next"), _("As in: --at 'tomorrow 09:00'")
        )
    if text == "-":
        text = read_stdin().rstrip("\n")
    facts = _facts(meta or [])
    installation = take_installation(config)
    when = _when(installation, at, in_, next_)
    delivery = enter(installation, when, text=text, message=message, to=to, meta=facts)
    if as_json:
        print_json(delivery_fields(delivery))
    else:
        print(delivery.id)
        say_booked(delivery, installation.config.contacts.names())
        say_next(config, installation)


def _when(
    installation: Installation, at: str | None, in_: str | None, next_: str | None
) -> datetime:
    if next_ is not None:
        return next_of_kind(installation, next_)
    now = installation.clock.now()
    with reading_times():
        return read_time(at, now) if at is not None else now + read_span(in_ or "")


def _facts(meta: list[str]) -> dict[str, str]:
    facts = {}
    for fact in meta:
        key, equals, value = fact.partition("=")
        if not key or not equals:
            raise UsageError(
                _("'{fact}' is not of the form KEY=VALUE, as in: --meta order=17").format(fact=fact)
            )
        facts[key] = value
    return facts
