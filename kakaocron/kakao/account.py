"""Who is logged in, and what he or she has agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kakaocron.errors import KakaocronError, LoginError
from kakaocron.kakao.answers import scopes_missing
from kakaocron.kakao.codes import FRIENDS, box_of
from kakaocron.language.words import _
from kakaocron.system.http import Failure, Http, Request
from kakaocron.text.objects import json_object

_OK, _UNAUTHORIZED = 200, 401
# Kakao's codes: the scope is not agreed to; the token, or the account's tie to the app, is gone;
# the consent item is switched off.
_NO_SCOPE, _NO_LOGIN, _SWITCHED_OFF = -402, frozenset({-401, -101}), -3


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is logged in, and which of the wanted scopes he or she has not agreed to."""

    id: int | None
    nickname: str | None
    missing: tuple[str, ...] = ()


def account(http: Http, api_url: str, token: str, scopes: Sequence[str]) -> LoggedIn:
    """Ask Kakao who is logged in and what was agreed to. Raises LoginError.

    Kakao unlinks accounts of which nobody ever asks the former.
    """
    user = ask(http, f"{api_url}/v2/user/me", token)
    agreed = scopes_of(http, api_url, token)
    missing = tuple(scope for scope in scopes if not agreed.get(scope))
    return LoggedIn(id_in(user), _nickname(user), missing)


def owner(http: Http, api_url: str, token: str) -> int | None:
    """Return whose token it is. Raises KakaocronError."""
    return id_in(ask(http, f"{api_url}/v1/user/access_token_info", token))


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


def ask(http: Http, url: str, token: str, scope: str = "") -> dict[str, Any]:
    """GET a JSON object from Kakao's API, which may need a scope. Raises KakaocronError with
    Kakao's code, LoginError if logging in again is what helps."""
    answer = http.ask(Request(url, token=token))
    if isinstance(answer, Failure):
        raise KakaocronError(
            _("Kakao cannot be reached ({detail})").format(detail=answer.detail),
            _("Try again later"),
        )
    found = json_object(answer.body) or {}
    if answer.status == _OK and "code" not in found:
        return found
    given = found.get("code")
    code = given if isinstance(given, int) else f"HTTP {answer.status}"
    path = url.partition("?")[0].rpartition("//")[2].partition("/")[2]
    said = _("Kakao refuses '/{path}' ({code})").format(path=path, code=code)
    if code == _NO_SCOPE:
        scopes = scopes_missing(found) or ((scope,) if scope else ())
        what = ", ".join(scopes) or "it"
        mend = (
            _(
                "The account has not agreed to {what}: write [friends] into config.toml, if it is "
                "not there, so that login asks for it; then kakaocron login, and tick {box}"
            )
            if FRIENDS in scopes
            else _("The account has not agreed to {what}: kakaocron login, and tick {box}")
        )
        raise LoginError(said, mend.format(what=what, box=box_of(scopes)))
    if answer.status == _UNAUTHORIZED or code in _NO_LOGIN:
        raise LoginError(said, _("Log in again: kakaocron login"))
    if code == _SWITCHED_OFF:
        raise KakaocronError(said, _("Switch it on: console, [Kakao Login] > [Consent items]"))
    raise KakaocronError(said, _("Try again later; if it stays so, see: kakaocron doctor"))
