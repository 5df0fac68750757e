"""`kakaocron login` and `logout`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import account_option, config_option, read_text
from kakaocron.config.schema import wanted_scopes
from kakaocron.errors import Exit, KakaocronError, LoginError
from kakaocron.installation import Installation, take_installation
from kakaocron.kakao.account import LoggedIn, owner
from kakaocron.kakao.causes import about, for_account, named
from kakaocron.kakao.codes import box_of
from kakaocron.kakao.consent import HOST, PATH, Consent
from kakaocron.kakao.login_flow import log_in
from kakaocron.language.words import _, marked
from kakaocron.show.next_step import print_next
from kakaocron.states import ME
from kakaocron.system.log import log
from kakaocron.text.plain import clean

Visit = Callable[[str, Consent], str]

WAIT_SECONDS = 300.0
MAX_PASTED = 5000


def login(
    config: Annotated[Path | None, config_option()] = None,
    account: Annotated[str | None, account_option()] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address; paste what comes back.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Of the registered redirect URI.")
    ] = 8765,
) -> int:
    """Log in to Kakao in the browser. The redirect URI http://127.0.0.1:8765/callback must be
    registered: console, [App] > [Platform key] > [REST API key]."""
    installation = take_installation(config)
    name, login = installation.login_by(account)
    redirect_uri = f"http://{HOST}:{port}{PATH}"
    visit: Visit = _paste if no_browser else partial(_browse, port)
    if name:
        visit = partial(_hand_over, name)
    api_url = installation.config.kakao_of(name).api_url
    scopes = wanted_scopes(installation.config, name)
    with about(name):
        found = log_in(login, api_url, scopes, redirect_uri, visit)
    log.info("login: account %s", found.id)
    if other := _same_person(installation, name, found):
        login.forget()
        raise LoginError(
            _(
                "This is Kakao account {id}, and '{other}' is logged in as it too: a message to "
                "both would arrive twice. Nothing is kept"
            ).format(id=found.id, other=other),
            _("Open the address where the other person is logged in to Kakao"),
        )
    if login.credentials.access_token:
        said = _("KAKAO_ACCESS_TOKEN is set and is used in place of this login. Unset it.")
        print(for_account(name, said))
    with about(name):
        _tell(name, found)
    print_next(config)
    return Exit.FINE


def _same_person(installation: Installation, name: str, found: LoggedIn) -> str | None:
    """Return another account that is logged in as the same person by the same app, if one is; one
    that cannot be asked is taken for somebody else."""
    key = installation.logins[name].credentials.rest_api_key
    for other, login in installation.logins.items():
        if other == name or login.credentials.rest_api_key != key:
            continue
        api_url = installation.config.kakao_of(other).api_url
        with suppress(KakaocronError):
            if (
                found.id is not None
                and owner(login.http, api_url, login.access_token()) == found.id
            ):
                return other or ME
    return None


def _browse(port: int, page: str, consent: Consent) -> str:
    # Neither is for any other command.
    import webbrowser  # noqa: PLC0415

    from kakaocron.kakao.callback import Callback  # noqa: PLC0415

    with Callback(port) as callback:
        print(_("Open this address if no browser does:\n\n{page}\n").format(page=page), flush=True)
        webbrowser.open(page)
        return consent.code_in(callback.wait(WAIT_SECONDS))


def _paste(page: str, consent: Consent) -> str:
    print(_("Open this address in a browser, on any machine:\n\n{page}\n").format(page=page))
    print(
        _(
            "After you agree, the browser goes to {redirect_uri}?… and may say that it "
            "cannot be reached. Paste that address, or the code in it:"
        ).format(redirect_uri=consent.redirect_uri),
        flush=True,
    )
    return _pasted(consent)


def _pasted(consent: Consent) -> str:
    return consent.code_pasted(
        read_text(lambda: sys.stdin.readline(MAX_PASTED), marked("What was pasted"))
    )


def _hand_over(name: str, page: str, consent: Consent) -> str:
    """Let somebody else agree, wherever he or she is logged in to Kakao."""
    said = _("Send this address to '{name}', to be opened on a phone or anywhere:\n\n{page}\n")
    print(said.format(name=name, page=page))
    print(
        _(
            "After consent the browser goes to {redirect_uri}?… and says that it cannot be "
            "reached: that is right. Have that address sent back at once, for the code in it "
            "does not hold for long, and paste it here:"
        ).format(redirect_uri=consent.redirect_uri),
        flush=True,
    )
    return _pasted(consent)


def _tell(name: str, account: LoggedIn) -> None:
    who = f" ({clean(account.nickname)})" if account.nickname else ""
    said = _("Logged in as Kakao account {id}{name}.").format(id=account.id, name=who)
    print(named(name, said))
    if account.missing:
        raise LoginError(
            _("The account has not agreed to {missing}: without it Kakao refuses to send").format(
                missing=", ".join(account.missing)
            ),
            _(
                "Tick {box} on the consent page: kakaocron login. If there is no such box: "
                "console, [Kakao Login] > [Consent items]"
            ).format(box=box_of(account.missing)),
        )


def logout(
    config: Annotated[Path | None, config_option()] = None,
    account: Annotated[str | None, account_option()] = None,
) -> None:
    """End the login at Kakao, and remove its tokens from this machine."""
    installation = take_installation(config)
    name, login = installation.login_by(account)
    was_here, is_told = login.end(installation.config.kakao_of(name).api_url)
    if was_here:
        print(_("Logged out; '{path}' is gone.").format(path=login.path))
    else:
        print(_("No login is saved here; there was nothing to end."))
    if was_here and not is_told:
        print(_("Kakao could not be told: the old access token lives on for some hours."))
    if login.credentials.refresh_token:
        said = _("KAKAO_REFRESH_TOKEN is still set: the next tick logs in with it. Unset it.")
        print(for_account(name, said))
