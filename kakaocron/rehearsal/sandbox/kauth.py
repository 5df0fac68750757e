"""kauth: the consent page, authorization codes and tokens (Kakao's documentation, Kakao Login)."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from kakaocron.rehearsal.sandbox.account import Account, Accounts
from kakaocron.rehearsal.sandbox.codes import KauthRefusedError
from kakaocron.rehearsal.sandbox.forms import is_form, read_fields, read_pairs
from kakaocron.rehearsal.sandbox.pages import consent_page, error_page
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.rehearsal.sandbox.wire import (
    WireAnswer,
    WireRequest,
    html_answer,
    json_answer,
    redirect,
)

_PROMPTS_THAT_ASK = frozenset({"login", "select_account", "create"})


@dataclass(frozen=True)
class _Code:
    account: Account
    redirect_uri: str
    challenge: str | None
    expires_at: datetime


class _BadAuthorizeError(Exception):
    """The browser stays on an error page: there is no address that could be trusted."""

    def __init__(self, error: str, reason: str) -> None:
        self.error, self.reason = error, reason
        super().__init__(error)


class Kauth:
    """The login side of one app. Its `login_hint` says who looks at the page: the user, unless it
    is the uuid of somebody else."""

    def __init__(self, settings: Settings, accounts: Accounts) -> None:
        self._settings = settings
        self._accounts = accounts
        self._codes: dict[str, _Code] = {}

    def authorize(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer GET /oauth/authorize: the consent page, or at once a redirect."""
        try:
            params = read_fields(request.query)
            asked = self._check(params)
        except ValueError:
            return html_answer(400, error_page("invalid_request", "주소를 읽을 수 없습니다."))
        except _BadAuthorizeError as bad:
            return html_answer(400, error_page(bad.error, bad.reason))
        prompts = set(params.get("prompt", "").split(","))
        account = self._accounts.of(params.get("login_hint"))
        boxes = _boxes(account, asked)
        if account.has_seen_page and not boxes and not prompts & _PROMPTS_THAT_ASK:
            return self._agree(account, params, now)
        if "none" in prompts:
            return _back(params, error="consent_required", error_description="consent required")
        others = [one for one in self._settings.people if one != account.person]
        chooser = others if prompts & _PROMPTS_THAT_ASK else []
        return html_answer(200, consent_page(params, boxes, account.person, chooser))

    def decide(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer the consent page's form."""
        try:
            pairs = read_pairs(request.body.decode())
            params = dict(pairs)
            asked = self._check(params)
        except ValueError:
            return html_answer(400, error_page("invalid_request", "양식을 읽을 수 없습니다."))
        except _BadAuthorizeError as bad:
            return html_answer(400, error_page(bad.error, bad.reason))
        if params.get("decision") != "agree":
            return _back(params, error="access_denied", error_description="User denied access")
        ticked = {value for name, value in pairs if name == "agreed_scope"}
        account = self._accounts.of(params.get("login_hint"))
        account.agreed.difference_update(_boxes(account, asked))
        account.agreed |= ticked & set(asked)
        account.has_seen_page = True
        return self._agree(account, params, now)

    def token(self, request: WireRequest, now: datetime, *, is_rotation_forced: bool) -> WireAnswer:
        """Answer POST /oauth/token; raise KauthRefusedError."""
        form = _read_token_form(request)
        grant = form.get("grant_type")
        if grant not in {"authorization_code", "refresh_token"}:
            raise KauthRefusedError("KOE310")
        self._check_client(form)
        if grant == "authorization_code":
            account = self._use_code(form, now)
            return json_answer(200, account.issue(now))
        if not form.get("refresh_token"):
            raise KauthRefusedError("KOE319")
        tokens = self._accounts.renew(
            form["refresh_token"], now, is_rotation_forced=is_rotation_forced
        )
        return json_answer(200, tokens)

    def _check(self, params: Mapping[str, str]) -> list[str]:
        """Return the scopes that are asked for."""
        if params.get("client_id") != self._settings.rest_api_key:
            raise _BadAuthorizeError("KOE101", "앱 키가 없거나 잘못된 종류의 앱 키입니다.")
        if params.get("redirect_uri") not in self._settings.redirect_uris:
            raise _BadAuthorizeError(
                "KOE006", "등록하지 않은 리다이렉트 URI를 사용해 인가 코드를 요청했습니다."
            )
        if params.get("response_type") != "code":
            raise _BadAuthorizeError("invalid_request", "response_type은 code여야 합니다.")
        if "code_challenge" in params and params.get("code_challenge_method") != "S256":
            raise _BadAuthorizeError(
                "invalid_request", "code_challenge_method는 S256이어야 합니다."
            )
        # Commas are Kakao's; spaces, which OAuth has, are taken as well.
        asked = dict.fromkeys(re.findall(r"[^ ,]+", params.get("scope", "")))
        unknown = [scope for scope in asked if scope not in self._settings.scopes]
        if unknown:
            raise _BadAuthorizeError(
                "KOE205", f"설정하지 않은 카카오 로그인 동의항목입니다: {', '.join(unknown)}"
            )
        return list(asked or self._settings.scopes)

    def _agree(self, account: Account, params: Mapping[str, str], now: datetime) -> WireAnswer:
        code = account.make_secret("CODE")
        self._codes[code] = _Code(
            account,
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

    def _use_code(self, form: Mapping[str, str], now: datetime) -> Account:
        """Use the code up, also when the rest of the request is wrong; return whose it is."""
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at <= now:
            raise KauthRefusedError("KOE320")
        if form.get("redirect_uri") != code.redirect_uri:
            raise KauthRefusedError("KOE303")
        verifier = form.get("code_verifier", "")
        if code.challenge is not None and _challenge(verifier) != code.challenge:
            raise KauthRefusedError("KOE320")
        return code.account


def _boxes(account: Account, asked: list[str]) -> list[str]:
    """Return the items to put to somebody: at the first visit to the page all that is asked.

    What a login without a browser agreed to is no visit.
    """
    known = account.agreed if account.has_seen_page else set[str]()
    return [scope for scope in asked if scope not in known]


def _read_token_form(request: WireRequest) -> dict[str, str]:
    """Read the fields, which may stand in the query, in the body or in both."""
    if request.body and not is_form(request):
        raise KauthRefusedError("KOE310")
    try:
        return read_fields("&".join(filter(None, (request.query, request.body.decode()))))
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
