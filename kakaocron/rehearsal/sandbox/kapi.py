"""kapi: messages, friends and the user (Kakao's documentation, Message and Kakao Login pages)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from kakaocron.rehearsal.sandbox.account import Account, Accounts, Token
from kakaocron.rehearsal.sandbox.arrival import Arrival
from kakaocron.rehearsal.sandbox.codes import RefusedError
from kakaocron.rehearsal.sandbox.endpoints import ENDPOINTS, Endpoint
from kakaocron.rehearsal.sandbox.faults import InjectedFault, refused
from kakaocron.rehearsal.sandbox.forms import (
    read_content,
    read_fields,
    read_message_form,
    read_receivers,
)
from kakaocron.rehearsal.sandbox.images import Images
from kakaocron.rehearsal.sandbox.pages import display_name
from kakaocron.rehearsal.sandbox.profile import profile
from kakaocron.rehearsal.sandbox.quotas import QuotaBook
from kakaocron.rehearsal.sandbox.settings import KST, Member, SandboxFriend, Settings
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest, json_answer

MAX_PAGE = 100
_FRIENDS_QUERY: Mapping[str, frozenset[str] | None] = {
    "offset": None,
    "limit": None,
    "order": frozenset({"asc", "desc"}),
    "friend_order": frozenset({"nickname", "favorite"}),
    "secure_resource": frozenset({"true", "false"}),
}


class Kapi:
    """The API side of one app; appends to `deliveries` exactly when a message is accepted."""

    def __init__(
        self, settings: Settings, accounts: Accounts, images: Images, deliveries: list[Arrival]
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._images = images
        self._deliveries = deliveries
        self._quotas = QuotaBook(settings)

    def send(self, request: WireRequest, now: datetime, fault: InjectedFault | None) -> WireAnswer:
        """Answer a message request; raise RefusedError."""
        endpoint = ENDPOINTS[request.path]
        account, _ = self._authorize(request, now)
        self._check_scopes(request, account, endpoint.required_scopes)
        form = read_message_form(request)
        if endpoint.is_for_friends:
            return self._send_to_friends(request, now, account.person, endpoint, form, fault)
        content = self._content(endpoint, form)
        self._deliver(request, now, account.person, "me", content)
        return json_answer(200, {"result_code": 0})

    def friends(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer one page of the friends list."""
        account, _ = self._authorize(request, now)
        self._check_scopes(request, account, ("friends",))
        query = _read_friends_query(request)
        friends = self._settings.friends_of(account.person.uuid)
        found = _ordered(friends, query)
        elements = [_element(friends, one) for one in found]
        offset, limit = int(query.get("offset", "0")), int(query.get("limit", str(MAX_PAGE)))
        after = offset + limit if offset + limit < len(found) else None
        before = max(0, offset - limit) if offset > 0 else None
        return json_answer(
            200,
            {
                "elements": elements[offset : offset + limit],
                "total_count": len(found),
                "favorite_count": sum(friend.favorite for friend in found),
                "before_url": _page_url(request, query, before, limit),
                "after_url": _page_url(request, query, after, limit),
            },
        )

    def token_info(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer /v1/user/access_token_info."""
        account, token = self._authorize(request, now)
        left = int((token.expires_at - now).total_seconds())
        user, app = account.person.user_id, self._settings.app_id
        return json_answer(200, {"id": user, "expires_in": left, "app_id": app})

    def scopes(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer /v2/user/scopes: every consent item of the app, agreed to or not."""
        account, _ = self._authorize(request, now)
        scopes = [
            {
                "id": scope,
                "display_name": display_name(scope),
                "type": "SERVICE",
                "using": True,
                "agreed": scope in account.agreed,
                **({"revocable": True} if scope in account.agreed else {}),
            }
            for scope in self._settings.scopes
        ]
        return json_answer(200, {"id": account.person.user_id, "scopes": scopes})

    def me(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer /v2/user/me; the token may stand in the query instead of the header."""
        access = _read_query(request).get("access_token")
        if access is not None and request.header("Authorization") is None:
            account, _ = self._accounts.check_access(access, now)
        else:
            account, _ = self._authorize(request, now)
        linked_at = account.linked_at or now
        answer = {
            "id": account.person.user_id,
            "connected_at": f"{linked_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        return json_answer(
            200, answer | profile(self._settings, account.person.nickname, account.agreed)
        )

    def upload_image(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer an upload of a picture; the message page does not list the call."""
        self._authorize_app(request, now)
        return self._images.upload(request, now)

    def scrape_image(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer the scraping of a picture."""
        self._authorize_app(request, now)
        return self._images.scrape(request, now)

    def delete_image(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer the deletion of a picture."""
        self._authorize_app(request, now)
        return self._images.delete(request, now)

    def logout(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer /v1/user/logout."""
        account, token = self._authorize(request, now)
        account.log_out(token.login)
        return json_answer(200, {"id": account.person.user_id})

    def unlink(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer /v1/user/unlink."""
        account, _ = self._authorize(request, now)
        account.unlink()
        return json_answer(200, {"id": account.person.user_id})

    def _content(self, endpoint: Endpoint, form: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        text, template = read_content(endpoint, form)
        is_calendar = template.get("object_type") == "calendar"
        if is_calendar and template["id"] not in self._settings.calendar_ids:
            raise RefusedError(
                -2, "The Parameter [template_object.id] is no public event of the app's channel."
            )
        return text, template

    def _authorize(self, request: WireRequest, now: datetime) -> tuple[Account, Token]:
        header = request.header("Authorization")
        if header is None:
            raise RefusedError(-401, "authentication key header not exist")
        kind, _, access = header.partition(" ")
        if kind.lower() != "bearer":  # an admin key comes as KakaoAK
            raise RefusedError(-401, "invalid app key.")
        return self._accounts.check_access(access, now)

    def _authorize_app(self, request: WireRequest, now: datetime) -> None:
        """Take a user's token, or a key of the app, as the mobile SDKs send it for pictures."""
        if request.header("Authorization") != f"KakaoAK {self._settings.rest_api_key}":
            self._authorize(request, now)

    def _check_scopes(
        self, request: WireRequest, account: Account, required: Sequence[str]
    ) -> None:
        switched_off = [scope for scope in required if scope not in self._settings.scopes]
        if switched_off:
            raise RefusedError(
                -3, f"App disabled [{','.join(switched_off)}] scopes on developers.kakao.com."
            )
        if not set(required) <= account.agreed:
            raise refused(-402, request.path, sorted(account.agreed))

    def _send_to_friends(
        self,
        request: WireRequest,
        now: datetime,
        sender: Member,
        endpoint: Endpoint,
        form: Mapping[str, str],
        fault: InjectedFault | None,
    ) -> WireAnswer:
        uuids = read_receivers(form, sender.uuid)
        content = self._content(endpoint, form)
        friends = {one.uuid: one for one in self._settings.friends_of(sender.uuid)}
        for uuid in uuids:
            if uuid not in friends and uuid not in self._settings.strangers:
                raise RefusedError(-2, f"The uuid [{uuid}] does not belong to this app.")
        if self._quotas.is_app_spent(_day(now), len(uuids)):
            raise RefusedError(-10)
        unnamed = uuids[-1] if fault is not None and fault.kind == "no-uuid" else None
        sent: list[str] = []
        failed: dict[int, list[str]] = {}
        for uuid in uuids:
            code = self._refusal(sender, friends.get(uuid), now)
            if code is not None:
                failed.setdefault(code, []).append(uuid)
                continue
            if uuid != unnamed or (fault is not None and fault.is_handled):
                self._quotas.count(_day(now), str(sender.user_id), uuid)
                self._deliver(request, now, sender, uuid, content)
            if uuid != unnamed:
                sent.append(uuid)
        return _friends_answer(uuids, sent, failed)

    def _refusal(self, sender: Member, friend: SandboxFriend | None, now: datetime) -> int | None:
        if friend is None:
            return -502
        if not friend.allowed_msg:
            return -530
        return self._quotas.refusal(_day(now), str(sender.user_id), friend.uuid)

    def _deliver(
        self,
        request: WireRequest,
        now: datetime,
        sender: Member,
        receiver: str,
        content: tuple[str, dict[str, Any]],
    ) -> None:
        self._deliveries.append(
            Arrival(
                now.astimezone(KST),
                receiver,
                *content,
                str(sender.user_id),
                request.path,
                request.received_at_ns,
                self._images.shown(content[1], now),
            )
        )


def _element(friends: Sequence[SandboxFriend], friend: SandboxFriend) -> dict[str, Any]:
    return {
        "id": 1001 + friends.index(friend),
        "uuid": friend.uuid,
        "profile_nickname": friend.nickname,
        "profile_thumbnail_image": "",
        "favorite": friend.favorite,
        "allowed_msg": friend.allowed_msg,
    }


def _friends_answer(
    uuids: Sequence[str], sent: Sequence[str], failed: Mapping[int, Sequence[str]]
) -> WireAnswer:
    """Build the answer; a single receiver that fails is a plain error, not a partial success."""
    if len(uuids) == 1 and failed:
        raise RefusedError(next(iter(failed)), receiver_ids=list(uuids))
    answer: dict[str, Any] = {}
    if sent:
        answer["successful_receiver_uuids"] = list(sent)
    if failed:
        answer["failure_info"] = [
            {"code": code, "msg": RefusedError(code).msg, "receiver_uuids": list(who)}
            for code, who in failed.items()
        ]
    return json_answer(200, answer)


def _read_query(request: WireRequest) -> dict[str, str]:
    try:
        return read_fields(request.query)
    except ValueError:
        raise RefusedError(-2) from None


def _read_friends_query(request: WireRequest) -> dict[str, str]:
    query = _read_query(request)
    for name, value in query.items():
        allowed = _FRIENDS_QUERY.get(name, frozenset[str]())
        if allowed is None:
            _check_number(name, value)
        elif value not in allowed:
            raise RefusedError(-2, f"The Parameter [{name}] is unknown or has a wrong value.")
    return query


def _check_number(name: str, value: str) -> None:
    least, most = (1, MAX_PAGE) if name == "limit" else (0, 100_000)
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise RefusedError(-2, f"The Parameter [{name}] is not from {least} to {most}.")


def _ordered(friends: Sequence[SandboxFriend], query: Mapping[str, str]) -> list[SandboxFriend]:
    is_descending = query.get("order") == "desc"
    found = sorted(friends, key=lambda friend: friend.nickname, reverse=is_descending)
    if query.get("friend_order") == "favorite":
        found.sort(key=lambda friend: not friend.favorite)
    return found


def _page_url(
    request: WireRequest, query: Mapping[str, str], offset: int | None, limit: int
) -> str | None:
    if offset is None:
        return None
    page = urlencode({**query, "offset": offset, "limit": limit})
    host = request.header("Host") or "kapi.kakao.com"
    return f"{request.scheme}://{host}{request.path}?{page}"


def _day(now: datetime) -> str:
    return now.astimezone(KST).date().isoformat()
