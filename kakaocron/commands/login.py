"""`kakaocron login` and `logout`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, read_text
from kakaocron.config.schema import wanted_scopes
from kakaocron.errors import Exit, LoginError
from kakaocron.installation import take_installation
from kakaocron.kakao.account import LoggedIn
from kakaocron.kakao.codes import box_of
from kakaocron.kakao.consent import HOST, PATH, Consent
from kakaocron.kakao.login_flow import log_in
from kakaocron.language.words import _, marked
from kakaocron.show.next_step import print_next
from kakaocron.system.log import log
from kakaocron.text.plain import clean

WAIT_SECONDS = 300.0
MAX_PASTED = 5000


def login(
    config: Annotated[Path | None, config_option()] = None,
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
    scopes = wanted_scopes(installation.config)
    redirect_uri = f"http://{HOST}:{port}{PATH}"
    api_url = installation.config.kakao.api_url
    visit = _paste if no_browser else lambda page, consent: _browse(page, consent, port)
    account = log_in(installation.login, api_url, scopes, redirect_uri, visit)
    log.info("login: account %s", account.id)
    if installation.login.credentials.access_token:
        print(_("KAKAO_ACCESS_TOKEN is set and is used in place of this login. Unset it."))
    _tell(account)
    print_next(config)
    return Exit.FINE


def _browse(page: str, consent: Consent, port: int) -> str:
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
    return consent.code_pasted(
        read_text(lambda: sys.stdin.readline(MAX_PASTED), marked("What was pasted"))
    )


def _tell(account: LoggedIn) -> None:
    name = f" ({clean(account.nickname)})" if account.nickname else ""
    print(_("Logged in as Kakao account {id}{name}.").format(id=account.id, name=name))
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


def logout(config: Annotated[Path | None, config_option()] = None) -> None:
    """End the login at Kakao, and remove its tokens from this machine."""
    installation = take_installation(config)
    was_here, is_told = installation.login.end(installation.config.kakao.api_url)
    if was_here:
        print(_("Logged out; '{path}' is gone.").format(path=installation.login.path))
    else:
        print(_("No login is saved here; there was nothing to end."))
    if was_here and not is_told:
        print(_("Kakao could not be told: the old access token lives on for some hours."))
    if installation.login.credentials.refresh_token:
        print(_("KAKAO_REFRESH_TOKEN is still set: the next tick logs in with it. Unset it."))
