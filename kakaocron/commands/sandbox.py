"""`kakaocron sandbox`: a local stand-in for Kakao's servers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.errors import UsageError
from kakaocron.language.words import _
from kakaocron.rehearsal.sandbox.faults import FaultPlan
from kakaocron.rehearsal.sandbox.kakao import Kakao, LoggedRequest
from kakaocron.rehearsal.sandbox.server import run
from kakaocron.rehearsal.sandbox.settings import DealerSettings, SandboxBot, Settings
from kakaocron.system.clock import SystemClock

_APP = Settings()
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s#]*)?")
_SCOPE = re.compile(r"[a-z0-9_.]+")


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8780,
    faults: Annotated[
        str, typer.Option(help="As in -603:0.1,cut-after:0.05 (docs/sandbox.md lists them).")
    ] = "",
    seed: Annotated[int, typer.Option(help="Draws the same faults again.")] = 0,
    rest_api_key: Annotated[
        str, typer.Option(help="The app's REST API key.", show_default=False)
    ] = _APP.rest_api_key,
    client_secret: Annotated[
        str,
        typer.Option(help="The key's client secret; empty: switched off.", show_default=False),
    ] = _APP.client_secret or "",
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="A registered redirect URI in place of the usual; may be given again."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A consent item of the app in place of the usual; may be given again."),
    ] = None,
) -> None:
    """Answer as Kakao's servers do, on 127.0.0.1, until interrupted. No account is needed."""
    clock = SystemClock()
    app = _app(rest_api_key, client_secret, redirect_uri, scope)
    kakao = Kakao(app, seed=seed)
    plan = FaultPlan(faults, seed=seed)

    def on_ready(url: str) -> None:
        login = kakao.issue_login(clock.now())
        print(_("Kakao's stand-in listens at {url}.").format(url=url) + "\n")
        print(_("Set these keys in the table [kakao] of config.toml:") + "\n")
        print(f'rest_api_key = "{app.rest_api_key}"')
        if app.client_secret is not None:
            print(f'client_secret = "{app.client_secret}"')
        print(f'api_url = "{url}"\nauth_url = "{url}"\n')
        print(_("Then log in: kakaocron login (over ssh: --no-browser)."))
        print(_("Or do without, with a login made for you:") + "\n")
        print(f"export KAKAO_REFRESH_TOKEN={login.refresh_token}\n")
        people = ", ".join(f"{one.nickname} ({one.uuid})" for one in app.people)
        print(_("Who can log in, one on the consent page: {people}").format(people=people))
        print(_("Redirect URIs: {uris}").format(uris=" ".join(app.redirect_uris)))
        print(_("Consent items: {items}").format(items=" ".join(app.scopes)) + "\n")
        _show_dealers(app.dealers, url)
        _show_bot(app.bot, url)
        print(_("It keeps everything in memory: log in again after each start."))
        address = f"{url}/_sandbox/deliveries"
        print(_("What was delivered: curl {address}").format(address=address))
        address = f"{url}/_sandbox/people"
        print(_("What arrived, by person: curl {address}").format(address=address), flush=True)

    try:
        run(
            "127.0.0.1",
            port,
            kakao=kakao,
            now=clock.now,
            faults=plan,
            on_ready=on_ready,
            on_request=_show,
        )
    except OSError as error:
        raise UsageError(
            _("Cannot listen on port {port}: {why}").format(port=port, why=error.strerror),
            _("Try --port 0"),
        ) from None


def _show_dealers(dealers: DealerSettings, url: str) -> None:
    codes = " ".join(dealers.templates)
    print(_("For 알림톡, in the table [alimtalk], with one of two dealers:"))
    print(_("Template codes: {codes}").format(codes=codes))
    print(f'\ndealer = "nhn"\napp_key = "{dealers.app_key}"')
    print(f'sender_key = "{dealers.sender_key}"\nurl = "{url}"')
    print(f"export ALIMTALK_SECRET_KEY={dealers.secret_key}\n")
    print(f'dealer = "solapi"\napi_key = "{dealers.api_key}"\npf_id = "{dealers.pf_id}"')
    print(f'sender_number = "{dealers.senders[0]}"\nurl = "{url}"')
    print(f"export ALIMTALK_API_SECRET={dealers.api_secret}\n")


def _show_bot(bot: SandboxBot, url: str) -> None:
    print(_("For rooms by a bot:"))
    print(f'\n[bot]\nurl = "{url}"\n\n[rooms]')
    for room in bot.rooms:
        print(f'"{room.name}" = "{room.key}"')
    print(f"\nexport KAKAO_BOT_TOKEN={bot.token}\n")


def _app(
    rest_api_key: str,
    client_secret: str,
    redirect_uris: Sequence[str] | None,
    scopes: Sequence[str] | None,
) -> Settings:
    """Return the app in the console. Raises UsageError."""
    for secret in (rest_api_key, client_secret):
        if re.search(r'[^!-~]|["\\]', secret):
            raise UsageError(
                _("A key holds letters, digits and signs, without quotes and backslashes")
            )
    if not rest_api_key:
        raise UsageError(_("--rest-api-key is empty"), _("Leave it out for the usual one"))
    for uri in redirect_uris or ():
        if _WEB_ADDRESS.fullmatch(uri) is None:
            raise UsageError(
                _("--redirect-uri '{uri}' is no web address").format(uri=uri),
                _("Give one such as {example}").format(example=_APP.redirect_uris[0]),
            )
    for one in scopes or ():
        if _SCOPE.fullmatch(one) is None:
            raise UsageError(
                _("--scope '{item}' is no consent item").format(item=one),
                _("Give one such as {example}").format(example=_APP.scopes[0]),
            )
    return Settings(
        rest_api_key=rest_api_key,
        client_secret=client_secret or None,
        redirect_uris=tuple(redirect_uris or _APP.redirect_uris),
        scopes=tuple(dict.fromkeys(scopes or _APP.scopes)),
    )


def _show(request: LoggedRequest) -> None:
    fault = f"  [{request.fault}]" if request.fault else ""
    print(
        f"{request.at:%H:%M:%S} {request.method} {request.path}: {request.outcome}{fault}",
        flush=True,
    )
