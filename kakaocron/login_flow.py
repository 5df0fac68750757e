"""A login from beginning to end: the page, the code, the tokens, and what they are good for."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kakaocron.config import Config
from kakaocron.core.answers import Answer, Failure
from kakaocron.core.consent import AGAIN, Consent, explained
from kakaocron.errors import KakaocronError, LoginError, UsageError
from kakaocron.http import Http, Request
from kakaocron.kakao import ME
from kakaocron.login import Login

_OK, _UNAUTHORIZED = 200, 401
# Kakao's codes: the scope is not agreed to; the token, or the account's tie to the app, is gone;
# the consent item is switched off.
_NO_SCOPE, _NO_LOGIN, _SWITCHED_OFF = -402, frozenset({-401, -101}), -3
_CLIENT_ERRORS = range(400, 500)


@dataclass(frozen=True, slots=True)
class Account:
    """Who is logged in, and which of the wanted scopes he or she has not agreed to."""

    id: int | None
    nickname: str | None
    missing: tuple[str, ...] = ()


def wanted_scopes(config: Config) -> tuple[str, ...]:
    """Return the scopes that the configured messages need."""
    has_friends = config.friends or any(set(m.to) - {ME} for m in config.message)
    return ("talk_message", "friends") if has_friends else ("talk_message",)


def log_in(
    login: Login,
    api_url: str,
    scopes: Sequence[str],
    redirect_uri: str,
    visit: Callable[[str, Consent], str],
) -> Account:
    """Let the user agree, save the tokens, and see what they are good for.

    `visit` shows an address to the user and returns the code that comes back. Until the new tokens
    have come, an older login stays as it is. Raises LoginError, UsageError.
    """
    key = login.credentials.rest_api_key
    if not key:
        raise UsageError(
            "The login needs the app's REST API key (console: [App] > [Platform key]): set "
            "rest_api_key in [kakao], or KAKAO_REST_API_KEY"
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
        raise LoginError(f"Kakao's login server cannot be reached ({answer.detail}). {AGAIN}")
    if answer.status in _CLIENT_ERRORS:
        error = explained(answer.body.decode("utf-8", "replace"), redirect_uri)
        if error:
            raise error


def account(http: Http, api_url: str, token: str, scopes: Sequence[str]) -> Account:
    """Ask Kakao who is logged in and what was agreed to. Raises LoginError.

    Kakao unlinks accounts of which nobody ever asks the former.
    """
    user = ask(http, f"{api_url}/v2/user/me", token)
    agreed = scopes_of(http, api_url, token)
    missing = tuple(scope for scope in scopes if not agreed.get(scope))
    return Account(id_in(user), _nickname(user), missing)


def scopes_of(http: Http, api_url: str, token: str) -> dict[str, bool]:
    """Return the scopes of the app, and whether the account has agreed to each."""
    answer = ask(http, f"{api_url}/v2/user/scopes", token)
    return {str(one.get("id")): one.get("agreed") is True for one in objects(answer.get("scopes"))}


def id_in(user: dict[str, Any]) -> int | None:
    found = user.get("id")
    return found if isinstance(found, int) else None


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; nothing of what is none."""
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _nickname(user: dict[str, Any]) -> str | None:
    for path in (("kakao_account", "profile"), ("properties",)):
        found: Any = user
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict) and isinstance(found.get("nickname"), str):
            return str(found["nickname"])
    return None


def ask(http: Http, url: str, token: str) -> dict[str, Any]:
    """GET a JSON object from Kakao's API. Raises KakaocronError with Kakao's code, LoginError if
    logging in again is what helps."""
    answer = http.ask(Request(url, token=token))
    if isinstance(answer, Failure):
        raise KakaocronError(f"Kakao cannot be reached ({answer.detail}). Try again later")
    found = _object(answer)
    if answer.status == _OK and "code" not in found:
        return found
    given = found.get("code")
    code = given if isinstance(given, int) else f"HTTP {answer.status}"
    path = url.partition("?")[0].rpartition("//")[2].partition("/")[2]
    said = f"Kakao refuses '/{path}' ({code})."
    if code == _NO_SCOPE:
        raise LoginError(
            f"{said} The account has not agreed to it: kakaocron login, and tick the box"
        )
    if answer.status == _UNAUTHORIZED or code in _NO_LOGIN:
        raise LoginError(f"{said} Log in again: kakaocron login")
    if code == _SWITCHED_OFF:
        raise KakaocronError(f"{said} Switch it on: console, [Kakao Login] > [Consent items]")
    raise KakaocronError(f"{said} Try again later; if it stays so, see: kakaocron doctor")


def _object(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
