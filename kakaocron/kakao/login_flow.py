"""A login from beginning to end: the page, the code, the tokens, and what they are good for."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from kakaocron.errors import LoginError, UsageError
from kakaocron.kakao.account import LoggedIn, account
from kakaocron.kakao.consent import AGAIN, Consent, explained
from kakaocron.kakao.login import Login
from kakaocron.language.words import _
from kakaocron.system.http import Failure, Http, Request

_CLIENT_ERRORS = range(400, 500)


def log_in(
    login: Login,
    api_url: str,
    scopes: Sequence[str],
    redirect_uri: str,
    visit: Callable[[str, Consent], str],
) -> LoggedIn:
    """Let the user agree, save the tokens, and see what they are good for.

    `visit` shows an address to the user and returns the code that comes back. Until the new tokens
    have come, an older login stays as it is. Raises LoginError, UsageError.
    """
    key = login.credentials.rest_api_key
    if not key:
        raise UsageError(
            _(
                "The login needs the app's REST API key (console: [App] > [Platform key]): set "
                "rest_api_key in [kakao], or KAKAO_REST_API_KEY"
            )
        )
    consent = Consent(redirect_uri, secrets.token_urlsafe(24), secrets.token_urlsafe(48))
    page = consent.page(login.auth_url, key, scopes)
    _look_at(login.http, page, redirect_uri)
    code = visit(page, consent)
    token = login.exchange(code, redirect_uri, consent.verifier)
    return account(login.http, api_url, token, scopes)


def _look_at(http: Http, page: str, redirect_uri: str) -> None:
    """Fetch the consent page once before the user does: a wrong key or address shows at once."""
    answer = http.ask(Request(page))
    if isinstance(answer, Failure):
        raise LoginError(
            _("Kakao's login server cannot be reached ({detail})").format(detail=answer.detail),
            AGAIN,
        )
    if answer.status in _CLIENT_ERRORS:
        error = explained(answer.body.decode("utf-8", "replace"), redirect_uri)
        if error:
            raise error
