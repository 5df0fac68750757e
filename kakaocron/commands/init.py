"""`kakaocron init`: a commented config.toml."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, read_text
from kakaocron.config.schema import Secret, check_key, web_address
from kakaocron.config.starter import DEFAULT_LINK, DEFAULT_TEXT, Answers, quiet_outside
from kakaocron.errors import UsageError
from kakaocron.language.words import _, marked
from kakaocron.messages.starting import write_config
from kakaocron.show.next_step import print_next
from kakaocron.system.env_file import read_env_file
from kakaocron.system.places import Places, find_places, secret
from kakaocron.system.syscalls import RealDisk

Taken = TypeVar("Taken")


def init(
    config: Annotated[Path | None, config_option()] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; take the defaults.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the file that is there.")
    ] = False,
    link: Annotated[str, typer.Option(help="Where a tap on the message leads.")] = DEFAULT_LINK,
    text: Annotated[str, typer.Option(help="The message.", show_default=False)] = DEFAULT_TEXT,
    to: Annotated[
        list[str] | None, typer.Option(help="me, or a friend's uuid; may be given again.")
    ] = None,
) -> None:
    """Write a commented config.toml. The app's key and secret are asked for, or taken from
    KAKAO_REST_API_KEY and KAKAO_CLIENT_SECRET: as options every user could see them."""
    places = find_places(config)
    if os.path.lexists(places.config) and not force:
        raise UsageError(
            _("'{config}' is there already; nothing was changed").format(config=places.config),
            _("To overwrite it: kakaocron init --force"),
        )
    given = Answers(
        _own_secret(places, "KAKAO_REST_API_KEY"),
        _own_secret(places, "KAKAO_CLIENT_SECRET"),
        link,
        text,
        tuple(to or ("me",)),
    )
    is_asking = not yes and sys.stdin.isatty()
    answers = _asked(given) if is_asking else given
    count = write_config(places, answers, RealDisk())
    print(_("Wrote {config}").format(config=places.config))
    hours = _("day and night")
    if answers.quiet:
        start, end = answers.quiet.split("-")
        hours = _("none from {start} to {end}").format(start=start, end=end)
    print(
        _(
            "It plans {count} messages a day, {hours}. To change that: [schedule] in this file"
        ).format(count=count, hours=hours)
    )
    print_next(config)


def _own_secret(places: Places, name: str) -> str | None:
    """Return what this shell's environment has: cron's will not have it, but reads `.env`."""
    beside = read_env_file(str(places.env_file), places.variables)
    return None if name in beside or f"{name}_FILE" in beside else secret(places.variables, name)


def _asked(given: Answers) -> Answers:
    print(_("From Kakao's console (developers.kakao.com), [App] > [Platform key]:"))
    try:
        return Answers(
            given.rest_api_key or _key("rest_api_key", _("REST API key (not shown)")),
            given.client_secret
            or _key("client_secret", _("Client secret, empty if it is off (not shown)")),
            _until_right(
                lambda: _answer(_("Link of the message"), _("The link"), default=given.link),
                partial(web_address, "link"),
            ),
            given.text,
            given.to,
            _quiet(),
        )
    except typer.Abort:
        raise KeyboardInterrupt from None


def _quiet() -> str | None:
    question = _("Messages from when to when, as in 07:00-22:00; empty: day and night")
    return _until_right(
        lambda: _answer(question, default="", show_default=False),
        quiet_outside,
    )


def _key(name: str, question: str) -> str | None:
    def checked(answer: str) -> str | None:
        check_key((name,), Secret(answer) if answer else None)
        return answer or None

    return _until_right(
        lambda: _answer(question, default="", hide_input=True, show_default=False).strip(),
        checked,
    )


def _until_right(ask: Callable[[], str], take: Callable[[str], Taken]) -> Taken:
    """Ask again at once, rather than refuse everything after the last question."""
    while True:
        try:
            return take(ask())
        except ValueError as error:
            print(error)


def _answer(question: str, what: str = marked("The answer"), **options: Any) -> str:
    return read_text(lambda: str(typer.prompt(question, **options)), what)
