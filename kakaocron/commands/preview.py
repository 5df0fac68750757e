"""`kakaocron preview`: what would be sent, without sending it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from kakaocron.actions import find_message
from kakaocron.commands.completion import messages
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.config.schema import Message
from kakaocron.delivery.parcel import Parcel
from kakaocron.doctor.config import contents_by_cron, other_programs
from kakaocron.doctor.cron import crons_variables
from kakaocron.doctor.finding import Bench
from kakaocron.errors import ContentError, Exit, UsageError
from kakaocron.host.crontab import SystemCrontab, job_of
from kakaocron.host.probe import Machine
from kakaocron.installation import Installation, find_installation
from kakaocron.language.words import _
from kakaocron.ledger.lookup import deliveries_of
from kakaocron.ledger.stats import slots_of
from kakaocron.schedule.phrases import read_time, reading_times
from kakaocron.schedule.slots import Slot, slot_at
from kakaocron.show.console import print_json, print_parcel
from kakaocron.show.next_step import say_next
from kakaocron.states import BY, ME
from kakaocron.system.stderr import complain
from kakaocron.watching.causes import in_words


def preview(
    message: Annotated[
        str | None,
        typer.Option(
            help="This message only; without it, each.",
            show_default=False,
            autocompletion=messages,
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="As at this time, in KST; without it, now.")
    ] = None,
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> int:
    """Show what would be sent, made as cron would: the text as a bubble, its length, its JSON."""
    installation = find_installation(config)
    now = installation.clock.now()
    with reading_times():
        when = read_time(at, now) if at is not None else now
    minute = when.replace(second=0, microsecond=0)
    if at is not None and not as_json:
        complain(_("As at {time:%Y-%m-%d %H:%M} KST").format(time=minute))
    chosen = [find_message(installation, message)] if message else installation.config.message
    if not chosen:
        raise UsageError(_("The configuration has no [[message]]"), _("See: kakaocron config path"))
    exit_code = Exit.FINE
    shown: list[dict[str, Any]] = []
    totals = slots_of(deliveries_of(installation.ledger, minute.date()))
    bench = Bench(
        installation.places,
        Machine(),
        SystemCrontab(),
        job_of(installation.places),
        now,
        installation,
    )
    variables = crons_variables(bench)
    contents = contents_by_cron(bench, variables)
    for line in other_programs(bench, chosen, variables):
        complain(_("{line}; this is made as cron makes it").format(line=line))
    for one in chosen:
        made: Parcel | ContentError
        try:
            made = _as_sent(contents.of_message(one, _slot(installation, one, minute), totals))
        except ContentError as error:
            made, exit_code = error, Exit.TROUBLE
        if as_json:
            shown.append(_fields(one.name, made))
        else:
            print_parcel(one.name, made, _whom(installation, one))
    if as_json:
        print_json(shown)
    elif exit_code == Exit.FINE:
        say_next(config, installation)
    return exit_code


def _whom(installation: Installation, message: Message) -> str:
    """Name the receivers of a message, and who sends if that is another account; empty where it is
    only oneself."""
    contacts = installation.config.contacts
    names, words = contacts.names(), []
    for receiver in contacts.receivers(message.to, message.sender):
        sender = contacts.sender_of(receiver)
        name = names.get(receiver, receiver.partition(BY)[0])
        words.append(f"{name} ({sender})" if sender else name)
    return "" if words == [ME] else ", ".join(words)


def _as_sent(parcel: Parcel) -> Parcel:
    """Return a parcel with its picture in place, whose address only the upload gives."""
    is_shown = "template_object" in parcel.parts[0].fields  # no room shows it
    if parcel.enclosure is None or parcel.enclosure.content is None or not is_shown:
        return parcel
    from kakaocron.kakao.pictures import Uploaded, with_picture  # noqa: PLC0415 - few have one

    return with_picture(parcel, Uploaded("https://…"))


def _slot(installation: Installation, message: Message, minute: datetime) -> Slot:
    """Return the message's slot at a minute; where it has none, one of the first kind it has."""
    timetable = next(o.timetable for o in installation.plan.series if o.name == message.name)
    found = slot_at(message.name, timetable, minute)
    return found or Slot(message.name, minute, message.slots[0] if message.slots else "cron")


def _fields(name: str, made: Parcel | ContentError) -> dict[str, Any]:
    if isinstance(made, ContentError):
        return {"message": name, "error": str(made)}
    fields = {"message": name, **made.fields(), "content_hash": made.hash}
    if enclosure := made.enclosure:
        fields["image"] = (
            {"content_type": enclosure.content_type, "bytes": enclosure.content.length}
            if enclosure.content
            else {"left_out": in_words(enclosure.left_out) if enclosure.left_out else None}
        )
    if made.read:
        fields["read"] = in_words(made.read)
    return fields
