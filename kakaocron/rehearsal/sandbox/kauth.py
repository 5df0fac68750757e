"""kauth: the consent page, authorization codes and tokens (Kakao's documentation, Kakao Login)."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from kakaocron.rehearsal.sandbox.account import Account
from kakaocron.rehearsal.sandbox.codes import KauthRefusedError
from kakaocron.rehearsal.sandbox.forms import is_form, read_fields, read_pairs
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.rehearsal.sandbox.wire import (
    WireAnswer,
    WireRequest,
    html_answer,
    json_answer,
    redirect,
)

# Parameters that travel through the consent page's form.
_CARRIED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
_PROMPTS_THAT_ASK = frozenset({"login", "select_account", "create"})


@dataclass(frozen=True)
class _Code:
    redirect_uri: str
    challenge: str | None
    expires_at: datetime


class _BadAuthorizeError(Exception):
    """The browser stays on an error page: there is no address that could be trusted."""


class Kauth:
    """The login side of one app; `account` holds what the user agreed to."""

    def __init__(self, settings: Settings, account: Account) -> None:
        self._settings = settings
        self._account = account
        self._codes: dict[str, _Code] = {}

    def authorize(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer GET /oauth/authorize: the consent page, or at once a redirect."""
        try:
            params = read_fields(request.query)
            asked = self._check(params)
        except (ValueError, _BadAuthorizeError) as error:
            return _error_page(str(error))
        prompts = set(params.get("prompt", "").split(","))
        missing = [scope for scope in asked if scope not in self._account.agreed]
        if not missing and not prompts & _PROMPTS_THAT_ASK:
            return self._agree(params, now)
        if "none" in prompts:
            return _back(params, error="consent_required", error_description="consent required")
        return html_answer(200, _consent_page(params, missing))

    def decide(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer the consent page's form."""
        try:
            pairs = read_pairs(request.body.decode())
            params = dict(pairs)
            asked = self._check(params)
        except (ValueError, _BadAuthorizeError) as error:
            return _error_page(str(error))
        if params.get("decision") != "agree":
            return _back(params, error="access_denied", error_description="User denied access")
        ticked = {value for name, value in pairs if name == "agreed_scope"}
        self._account.agreed |= ticked & set(asked)
        return self._agree(params, now)

    def token(self, request: WireRequest, now: datetime, *, is_rotation_forced: bool) -> WireAnswer:
        """Answer POST /oauth/token; raise KauthRefusedError."""
        form = _read_token_form(request)
        grant = form.get("grant_type")
        if grant not in {"authorization_code", "refresh_token"}:
            raise KauthRefusedError("KOE310")
        self._check_client(form)
        if grant == "authorization_code":
            self._use_code(form, now)
            return json_answer(200, self._account.issue(now))
        if not form.get("refresh_token"):
            raise KauthRefusedError("KOE319")
        tokens = self._account.renew(
            form["refresh_token"], now, is_rotation_forced=is_rotation_forced
        )
        return json_answer(200, tokens)

    def _check(self, params: Mapping[str, str]) -> list[str]:
        """Return the scopes that are asked for."""
        if params.get("client_id") != self._settings.rest_api_key:
            raise _BadAuthorizeError("KOE101: Not exist client_id")
        if params.get("redirect_uri") not in self._settings.redirect_uris:
            raise _BadAuthorizeError("KOE006: the redirect URI is not registered")
        if params.get("response_type") != "code":
            raise _BadAuthorizeError("invalid_request: response_type must be code")
        if "code_challenge" in params and params.get("code_challenge_method") != "S256":
            raise _BadAuthorizeError("invalid_request: code_challenge_method must be S256")
        # Commas here, spaces in the token answer: both are Kakao's.
        asked = params["scope"].split(",") if params.get("scope") else list(self._settings.scopes)
        if not set(asked) <= set(self._settings.scopes):
            raise _BadAuthorizeError("KOE205: the consent item is not configured")
        return asked

    def _agree(self, params: Mapping[str, str], now: datetime) -> WireAnswer:
        code = self._account.make_secret("CODE")
        self._codes[code] = _Code(
            params["redirect_uri"],
            params.get("code_challenge"),
            now + self._settings.code_lifetime,
        )
        return _back(params, code=code)

    def _check_client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self._settings.rest_api_key:
            raise KauthRefusedError("KOE101")
        wanted = self._settings.client_secret
        if wanted is not None and form.get("client_secret") != wanted:
            raise KauthRefusedError("KOE010")

    def _use_code(self, form: Mapping[str, str], now: datetime) -> None:
        """Use the code up, also when the rest of the request is wrong."""
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at <= now:
            raise KauthRefusedError("KOE320")
        if form.get("redirect_uri") != code.redirect_uri:
            raise KauthRefusedError("KOE303")
        verifier = form.get("code_verifier", "")
        if code.challenge is not None and _challenge(verifier) != code.challenge:
            raise KauthRefusedError("KOE320")


def _read_token_form(request: WireRequest) -> dict[str, str]:
    if not is_form(request) or request.query:
        raise KauthRefusedError("KOE310")
    try:
        return read_fields(request.body.decode())
    except ValueError:
        raise KauthRefusedError("KOE310") from None


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _back(params: Mapping[str, str], **answer: str) -> WireAnswer:
    if "state" in params:
        answer["state"] = params["state"]
    joint = "&" if "?" in params["redirect_uri"] else "?"
    return redirect(params["redirect_uri"] + joint + urlencode(answer))


def _error_page(error: str) -> WireAnswer:
    return html_answer(400, f"<!doctype html><title>Kakao</title><h1>{escape(error)}</h1>")


def _consent_page(params: Mapping[str, str], missing: list[str]) -> str:
    """Write the page; as at Kakao no optional consent is ticked beforehand."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(params[name])}">'
        for name in _CARRIED
        if name in params
    )
    boxes = "".join(
        f'<p><label><input type="checkbox" id="{escape(scope)}" name="agreed_scope"'
        f' value="{escape(scope)}"> {escape(scope)}</label></p>'
        for scope in missing
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Kakao sandbox</title>'
        "</head><body><h1>Kakao sandbox: consent</h1>"
        f'<form method="post" action="/oauth/authorize">{hidden}{boxes}'
        '<button id="agree" name="decision" value="agree">Agree and continue</button> '
        '<button id="refuse" name="decision" value="refuse">Cancel</button>'
        "</form></body></html>"
    )
