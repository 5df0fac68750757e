"""Kakao's servers, those for bots too, and the dealers of 알림톡, as one value machine: requests
and times in, answers and deliveries out.

No socket, file, clock or environment: the same seed and the same calls give the same bytes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from kakaocron.rehearsal.sandbox.account import Accounts, ReadyLogin
from kakaocron.rehearsal.sandbox.arrival import Arrival
from kakaocron.rehearsal.sandbox.bots import BotApi
from kakaocron.rehearsal.sandbox.codes import KauthRefusedError, RefusedError
from kakaocron.rehearsal.sandbox.endpoints import ENDPOINTS, TOKEN_PATH
from kakaocron.rehearsal.sandbox.faults import InjectedFault, substitute
from kakaocron.rehearsal.sandbox.gateway import Gateway
from kakaocron.rehearsal.sandbox.images import IMAGE_PREFIX, SHOWN_PREFIX, Image, Images
from kakaocron.rehearsal.sandbox.kapi import Kapi
from kakaocron.rehearsal.sandbox.kauth import Kauth
from kakaocron.rehearsal.sandbox.nhn import NHN_PREFIX, Nhn
from kakaocron.rehearsal.sandbox.phones import Phones
from kakaocron.rehearsal.sandbox.settings import KST, Quotas, SandboxFriend, Settings
from kakaocron.rehearsal.sandbox.solapi import SOLAPI_PREFIXES, Solapi
from kakaocron.rehearsal.sandbox.wire import Wire, WireAnswer, WireRequest, json_answer

__all__ = [
    "KST",
    "Arrival",
    "Kakao",
    "LoggedRequest",
    "Quotas",
    "ReadyLogin",
    "SandboxFriend",
    "Settings",
    "Wire",
    "WireAnswer",
    "WireRequest",
]

UNKNOWN_REQUEST = "unknown request"
HTTP_BAD = 400


@dataclass(frozen=True)
class LoggedRequest:
    """One request without its secrets.

    `outcome` is the HTTP status with Kakao's code ("200", "403 -402", "400 KOE322"),
    "unknown request", or "not handled" when a fault kept it from Kakao.
    """

    at: datetime
    method: str
    path: str
    outcome: str
    fault: str | None


class Kakao:
    """Kakao's servers for one app and its people, with everything that they accepted."""

    def __init__(self, settings: Settings | None = None, seed: int = 0) -> None:
        self.settings = settings or Settings()
        self._seed = seed
        self.deliveries: list[Arrival] = []
        self.requests: list[LoggedRequest] = []
        self.reset()

    def reset(self) -> None:
        """Forget every token, consent, count, delivery and request."""
        self.deliveries.clear()
        self.requests.clear()
        self._accounts = Accounts(self.settings, self._seed)
        self._account = self._accounts.user
        self._kauth = Kauth(self.settings, self._accounts)
        self._images = Images(self._account)
        self._kapi = Kapi(self.settings, self._accounts, self._images, self.deliveries)
        self.phones = Phones(self.settings.phones, self.deliveries)
        self._nhn = Nhn(self.settings.dealers, self.phones)
        self._solapi = Solapi(self.settings.dealers, self.phones)
        self.bot = BotApi(self.settings.bot, self.deliveries)
        self.gateway = Gateway(self.bot)
        self._routes: dict[tuple[str, str], Callable[[WireRequest, datetime], WireAnswer]] = {
            ("GET", "/oauth/authorize"): self._kauth.authorize,
            ("POST", "/oauth/authorize"): self._kauth.decide,
            ("GET", "/v1/api/talk/friends"): self._kapi.friends,
            ("GET", "/v1/user/access_token_info"): self._kapi.token_info,
            ("GET", "/v2/user/scopes"): self._kapi.scopes,
            ("GET", "/v2/user/me"): self._kapi.me,
            ("POST", "/v2/user/me"): self._kapi.me,
            ("POST", IMAGE_PREFIX + "upload"): self._kapi.upload_image,
            ("POST", IMAGE_PREFIX + "scrap"): self._kapi.scrape_image,
            ("DELETE", IMAGE_PREFIX + "delete"): self._kapi.delete_image,
            ("POST", "/v1/user/logout"): self._kapi.logout,
            ("POST", "/v1/user/unlink"): self._kapi.unlink,
        }

    @property
    def images(self) -> list[Image]:
        """Every picture that was uploaded or scraped, and not deleted; none is a message."""
        return list(self._images.kept)

    def handle(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer a request at `now` (aware), as Kakao does when nothing goes wrong."""
        answer = self._answer(request, now, None)
        self._log(request, now, answer, None)
        return _dated(answer, now)

    def exchange(self, request: WireRequest, now: datetime, fault: InjectedFault | None) -> Wire:
        """Handle a request as far as the fault allows; return what the wire must do.

        Where a request reaches Kakao and is refused there, that refusal is the answer: no fault
        that follows a delivery hides a wrong request.
        """
        self.phones.settle(now)
        delivered_before = len(self.deliveries)
        if fault is None:
            answer = self.handle(request, now)
            return Wire("answer", len(self.deliveries) > delivered_before, answer)
        own = self._answer(request, now, fault) if _reaches_kakao(fault) else None
        self._log(request, now, own, fault)
        is_delivered = len(self.deliveries) > delivered_before
        if fault.kind == "picture-gone" and own is not None and own.status < HTTP_BAD:
            self._images.forget_newest()
        if fault.action in {"close-before", "unread", "reset", "stall"}:
            return Wire(fault.action, is_delivered)
        answer = self._replaced(fault, request, own, now)
        if fault.kind == "date":
            dated = _dated(answer, now + timedelta(seconds=fault.seconds))
            return Wire(fault.action, is_delivered, dated)
        return Wire(fault.action, is_delivered, _dated(answer, now), fault.seconds)

    def arrived(self, uuid: str) -> list[Arrival]:
        """Return what has arrived at a person's phone: from herself, and from others."""
        person = self._accounts.of(uuid).person
        return [one for one in self.deliveries if one.reached(person)]

    def issue_login(
        self, now: datetime, scopes: Sequence[str] | None = None, uuid: str | None = None
    ) -> ReadyLogin:
        """Log somebody in without a browser, the user if nobody is named; `scopes` are those
        agreed to (None: all of the app's)."""
        account = self._accounts.of(uuid)
        account.agreed = set(self.settings.scopes if scopes is None else scopes)
        return account.log_in(now)

    def revoke_access_tokens(self, uuid: str | None = None) -> None:
        """Kill a person's access tokens; refresh tokens live on."""
        self._accounts.of(uuid).revoke_access_tokens()

    def revoke_refresh_tokens(self, uuid: str | None = None) -> None:
        """Kill a person's refresh tokens; access tokens live on."""
        self._accounts.of(uuid).revoke_refresh_tokens()

    def _replaced(
        self,
        fault: InjectedFault,
        request: WireRequest,
        own: WireAnswer | None,
        now: datetime,
    ) -> WireAnswer:
        if own is not None and own.status >= HTTP_BAD:
            return own
        answer = substitute(fault, request, sorted(self._account.agreed), now) or own
        if answer is None:
            raise AssertionError(f"fault '{fault.name}' gives no answer")
        return answer

    def _answer(
        self, request: WireRequest, now: datetime, fault: InjectedFault | None
    ) -> WireAnswer:
        if now.tzinfo is None:
            raise ValueError("The sandbox needs an aware time.")
        try:
            return self._route(request, now, fault)
        except (RefusedError, KauthRefusedError) as refusal:
            return refusal.answer()

    def _route(
        self, request: WireRequest, now: datetime, fault: InjectedFault | None
    ) -> WireAnswer:
        if request.method == "POST" and request.path in ENDPOINTS:
            return self._kapi.send(request, now, fault)
        if (request.method, request.path) == ("POST", TOKEN_PATH):
            is_forced = fault is not None and fault.kind == "rotate"
            return self._kauth.token(request, now, is_rotation_forced=is_forced)
        route = self._routes.get((request.method, request.path))
        if route is not None:
            return route(request, now)
        other = self._others(request, now)
        if other is not None:
            return other
        if request.method == "GET" and request.path.startswith(SHOWN_PREFIX):
            shown = self._images.show(request, now)
            if shown is not None:
                return shown
        return json_answer(
            404,
            {"error": UNKNOWN_REQUEST, "method": request.method, "path": request.path},
        )

    def _others(self, request: WireRequest, now: datetime) -> WireAnswer | None:
        self.phones.settle(now)
        if request.path.startswith(NHN_PREFIX):
            return self._nhn.answer(request, now)
        if request.path.startswith(SOLAPI_PREFIXES):
            return self._solapi.answer(request, now)
        return self.bot.answer(request, now)

    def _log(
        self,
        request: WireRequest,
        now: datetime,
        answer: WireAnswer | None,
        fault: InjectedFault | None,
    ) -> None:
        self.requests.append(
            LoggedRequest(
                now.astimezone(KST),
                request.method,
                request.path,
                _outcome(answer),
                fault.name if fault else None,
            )
        )


def _reaches_kakao(fault: InjectedFault) -> bool:
    # "no-uuid" is Kakao's own answer with a hole in it, delivered or not.
    return fault.is_handled or fault.kind == "no-uuid"


def _outcome(answer: WireAnswer | None) -> str:
    if answer is None:
        return "not handled"
    if answer.status == 404:  # noqa: PLR2004 - the sandbox has this status for nothing else
        return UNKNOWN_REQUEST
    if answer.status < HTTP_BAD or "json" not in answer.headers.get("Content-Type", ""):
        return str(answer.status)
    body: Mapping[str, object] = json.loads(answer.body)
    code = body.get("code") or body.get("error_code") or body.get("errorCode")
    return f"{answer.status} {code}"


def _dated(answer: WireAnswer, at: datetime) -> WireAnswer:
    date = format_datetime(at.astimezone(UTC), usegmt=True)
    return WireAnswer(answer.status, {**answer.headers, "Date": date}, answer.body)
