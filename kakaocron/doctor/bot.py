"""The bot that sends to rooms: its token, whether Kakao takes it from here, and its rooms."""

from __future__ import annotations

from collections.abc import Iterator

from kakaocron.doctor.finding import Bench, Finding, fail, installed, ok, warn
from kakaocron.errors import UsageError
from kakaocron.installation import Installation, bot_token
from kakaocron.language.words import _, ngettext
from kakaocron.states import ROOM
from kakaocron.system.http import Failure, Request


def bot(bench: Bench) -> Iterator[Finding]:
    """Look at it, if any room is configured. No call of these sends anything."""
    installation = installed(bench)
    if not installation.config.rooms:
        return
    from kakaocron.bot.gateway import KAKAO  # noqa: PLC0415 - most have no room

    url = installation.config.bot.url
    if url != KAKAO:
        what = _("url in [bot] is {url}: a rehearsal, not Kakao").format(url=url)
        yield warn("bot-server", what, _("For real messages take it out of [bot]"))
    yield from _token(installation, url)
    yield _rooms(installation)


def _token(installation: Installation, url: str) -> Iterator[Finding]:
    from kakaocron.bot.causes import no_token  # noqa: PLC0415 - as above

    try:
        token = bot_token(installation.places)
    except UsageError as error:
        yield fail("bot-token", error.what, error.mend)
        return
    if token is None:
        none = no_token()
        yield fail("bot-token", none.what, none.mend)
        return
    yield ok("bot-token", _("there"))
    yield _accepted(installation, url, token)


def _accepted(installation: Installation, url: str, token: str) -> Finding:
    from kakaocron.bot.answers import is_taken, of_bubble  # noqa: PLC0415 - as above
    from kakaocron.bot.causes import help_for, in_words  # noqa: PLC0415
    from kakaocron.bot.channel import GUIDE_PATH, headers  # noqa: PLC0415

    answer = installation.login.http.ask(Request(f"{url}{GUIDE_PATH}", headers=headers(token)))
    if isinstance(answer, Failure):
        what = _("not checked: {url}: {detail}").format(url=url, detail=answer.detail)
        return warn("bot-accepted", what, _("Look at the network, DNS and any proxy"))
    if is_taken(answer):
        return ok("bot-accepted", _("Kakao takes the token, from this address too"))
    cause = of_bubble(answer, token).cause
    assert cause is not None  # noqa: S101 - it is no confirmation
    found = help_for(cause)
    mend = in_words(found.cause) if found else _("Try again later")
    return fail("bot-accepted", in_words(cause), mend)


def _rooms(installation: Installation) -> Finding:
    config = installation.config
    used = {kept for message in config.message for kept in config.contacts.receivers(message.to)}
    count = len(config.rooms)
    said = ngettext("{count} room is known", "{count} rooms are known", count).format(count=count)
    if idle := [name for name in config.rooms if f"{ROOM}{name}" not in used]:
        said += _("; no message goes to {rooms}").format(rooms=", ".join(idle))
    return ok("rooms", said)
