"""Requests as a client of Kakao writes them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import KST
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
MEMO = "/v2/api/talk/memo/default/send"
FRIENDS = "/v1/api/talk/friends/message/default/send"
TOKEN = "/oauth/token"
LINK = {"web_url": "https://example.org", "mobile_web_url": "https://example.org"}
FORM = "application/x-www-form-urlencoded;charset=utf-8"


def text_template(text: str = "09:00 약 먹기") -> dict[str, Any]:
    return {"object_type": "text", "text": text, "link": LINK}


def memo_fields(template: object | None = None) -> dict[str, str]:
    return {"template_object": json.dumps(template or text_template(), ensure_ascii=False)}


def friend_fields(uuids: Sequence[str], text: str = "안녕") -> dict[str, str]:
    return {
        "receiver_uuids": json.dumps(list(uuids)),
        "template_object": json.dumps(text_template(text)),
    }


def post(
    path: str,
    fields: Mapping[str, str],
    token: str | None = None,
    *,
    content_type: str = FORM,
    body: bytes | None = None,
) -> WireRequest:
    headers = {"content-type": content_type}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return WireRequest(
        "POST", path, "", headers, urlencode(fields).encode() if body is None else body
    )


def get(path: str, token: str | None = None, query: str = "") -> WireRequest:
    headers = {"Host": "kapi.test"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return WireRequest("GET", path, query, headers)


def memo(token: str, text: str = "09:00 약 먹기") -> WireRequest:
    return post(MEMO, memo_fields(text_template(text)), token)


def to_friends(token: str, *uuids: str) -> WireRequest:
    return post(FRIENDS, friend_fields(uuids), token)


def refresh_fields(kakao: Kakao, refresh_token: str) -> dict[str, str]:
    return {
        "grant_type": "refresh_token",
        "client_id": kakao.settings.rest_api_key,
        "client_secret": kakao.settings.client_secret or "",
        "refresh_token": refresh_token,
    }


def content(answer: WireAnswer) -> Any:
    return json.loads(answer.body)


def verdict(answer: WireAnswer) -> tuple[int, object]:
    """HTTP status and Kakao's code, of either server."""
    body = content(answer)
    return answer.status, body.get("code", body.get("error_code"))
