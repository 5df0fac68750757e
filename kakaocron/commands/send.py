"""`kakaocron send`: a message now, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.actions import send_now
from kakaocron.commands.completion import messages, receivers
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option, read_stdin, text_argument
from kakaocron.errors import Exit, UsageError
from kakaocron.installation import take_installation
from kakaocron.language.words import _
from kakaocron.show.console import complain_of, print_json
from kakaocron.show.next_step import say_next
from kakaocron.states import BAD, Reason, State
from kakaocron.watching.sentences import delivery_with_log, detail_of, in_brackets_of


def send(
    text: Annotated[str | None, text_argument()] = None,
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
    image: Annotated[
        Path | None,
        typer.Option(
            help="A picture to go with TEXT: PNG or JPEG, up to 5 MB.", show_default=False
        ),
    ] = None,
    link: Annotated[
        str | None,
        typer.Option(help="The address that a tap on the text leads to.", show_default=False),
    ] = None,
    button: Annotated[
        str | None,
        typer.Option(help="The title of the button that leads there too.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Send even if this text went out in this minute.")
    ] = False,
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> int:
    """Send a text, or a configured message, now."""
    if (text is None) == (message is None):
        raise UsageError(_("Give either a TEXT or --message NAME"), _("As in: kakaocron send 안녕"))
    if message is not None and image is not None:
        raise UsageError(_("--image goes with a TEXT; a message names its own picture"))
    if message is not None and (link is not None or button is not None):
        what = _("--link and --button go with a TEXT; a message has its own in config.toml")
        raise UsageError(what, _("As in: kakaocron send 안녕"))
    if text == "-":
        text = read_stdin().rstrip("\n")
    installation = take_installation(config)
    sent = send_now(
        installation,
        text=text,
        message=message,
        to=to,
        image=image,
        force=force,
        link=link,
        button=button,
    )
    delivery = sent.delivery
    if as_json:
        print_json(delivery_with_log(delivery))
    elif delivery.state is State.RETRYING:
        when = f"{delivery.next_attempt_at:%H:%M:%S}" if delivery.next_attempt_at else _("later")
        who = in_brackets_of(delivery, installation.config.contacts.names())
        print(
            _("{id}: {detail}; a tick at or after {when} tries again.{who}").format(
                id=delivery.id, detail=detail_of(delivery), when=when, who=who
            )
        )
    elif delivery.state not in BAD:
        without = _(", without its picture: {why}").format(why=detail_of(delivery))
        is_without = delivery.reason is Reason.PICTURE_LEFT_OUT
        print(f"{delivery.id}: {delivery.state.beside}{without if is_without else ''}")
    exit_code = complain_of(sent, installation)
    if exit_code == Exit.FINE and not as_json:
        say_next(config, installation)
    return exit_code
