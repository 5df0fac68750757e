"""What Kakao takes although its documentation does not say so, asked for over real sockets."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from kakaocron.rehearsal.sandbox.account import ReadyLogin
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import Settings
from tests.rehearsal.sandbox.support import (
    FORM,
    LINK,
    MEMO,
    NOW,
    TOKEN,
    memo_fields,
    refresh_fields,
    text_template,
)

CONTENT = {"title": "제목", "link": LINK}
FEED = {"object_type": "feed", "content": CONTENT}
CALENDAR = {"object_type": "calendar", "id": "42", "id_type": "event", "content": CONTENT}


@pytest.fixture
def server(kakao: Kakao) -> Iterator[SandboxServer]:
    with SandboxServer(kakao, lambda: NOW) as server:
        yield server


def ask(
    server: SandboxServer, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, Any]:
    """Return the HTTP status, and Kakao's code or None."""
    answer = requests.request(
        method,
        server.url + path,
        data=body.encode(),
        headers={"Content-Type": FORM, **headers},
        timeout=5,
        allow_redirects=False,
    )
    is_json = "json" in answer.headers.get("Content-Type", "")
    said = answer.json() if is_json else {}
    return answer.status_code, said.get("code", said.get("error_code"))


def send(server: SandboxServer, token: str, template: object) -> tuple[int, Any]:
    body = urlencode(memo_fields(template))
    return ask(server, "POST", MEMO, body, Authorization=f"Bearer {token}")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_word_bearer_comes_in_any_case(server: SandboxServer, token: str, scheme: str) -> None:
    body = urlencode(memo_fields())
    assert ask(server, "POST", MEMO, body, Authorization=f"{scheme} {token}") == (200, None)
    assert len(server.deliveries) == 1


@pytest.mark.parametrize("scheme", ["KakaoAK", "Basic", "Bearer:", "Token"])
def test_another_word_is_no_bearer(server: SandboxServer, token: str, scheme: str) -> None:
    body = urlencode(memo_fields())
    assert ask(server, "POST", MEMO, body, Authorization=f"{scheme} {token}") == (401, -401)


@pytest.mark.parametrize(
    "template",
    [
        {**text_template(), "button_title": None, "buttons": None},
        {**text_template(), "link": {"web_url": None, "mobile_web_url": "https://example.org"}},
        {**FEED, "item_content": None, "social": None},
        {**FEED, "content": {**CONTENT, "image_url": None, "image_width": None}},
        {**FEED, "social": {"like_count": None}},
    ],
)
def test_null_for_an_optional_field_counts_as_absent(
    server: SandboxServer, token: str, template: object
) -> None:
    assert send(server, token, template) == (200, None)


@pytest.mark.parametrize(
    "template",
    [
        text_template() | {"text": None},
        text_template() | {"link": None},
        text_template() | {"link": {"web_url": None, "mobile_web_url": None}},
        text_template() | {"unknown": None},
        {**FEED, "content": None},
        {**FEED, "content": {**CONTENT, "link": None}},
    ],
)
def test_null_for_a_required_or_unknown_field_is_refused(
    server: SandboxServer, token: str, template: object
) -> None:
    assert send(server, token, template) == (400, -2)


def test_the_fields_of_a_refresh_may_stand_in_the_query(
    server: SandboxServer, kakao: Kakao, login: ReadyLogin
) -> None:
    fields = refresh_fields(kakao, login.refresh_token)
    secret = {"client_secret": fields.pop("client_secret")}

    assert ask(server, "POST", f"{TOKEN}?{urlencode(fields | secret)}") == (200, None)
    assert ask(server, "POST", f"{TOKEN}?{urlencode(fields)}", urlencode(secret)) == (200, None)
    assert ask(server, "POST", f"{TOKEN}?{urlencode(fields)}") == (401, "KOE010")


def test_a_code_may_be_exchanged_by_the_query(server: SandboxServer) -> None:
    app = Settings()
    login = {"client_id": app.rest_api_key, "redirect_uri": app.redirect_uris[0]}
    form = login | {"response_type": "code", "decision": "agree"}
    page = requests.post(
        f"{server.url}/oauth/authorize", data=form, timeout=5, allow_redirects=False
    )
    code = page.headers["Location"].partition("code=")[2]
    query = login | {
        "grant_type": "authorization_code",
        "client_secret": app.client_secret or "",
        "code": code,
    }

    assert ask(server, "POST", f"{TOKEN}?{urlencode(query)}") == (200, None)


def test_the_user_may_be_asked_for_with_the_token_in_the_query(
    server: SandboxServer, token: str
) -> None:
    path = "/v2/user/me"
    assert ask(server, "GET", f"{path}?access_token={token}") == (200, None)
    assert ask(server, "GET", f"{path}?access_token={token}x") == (401, -401)
    assert ask(server, "GET", f"{path}?access_token=") == (400, -2)
    assert ask(server, "GET", path) == (401, -401)
    assert ask(server, "GET", f"/v2/user/scopes?access_token={token}") == (401, -401)


@pytest.mark.parametrize(("end", "expected"), [("", 200), ("&", 200), ("&&", 400)])
def test_a_form_may_end_in_an_ampersand(
    server: SandboxServer, kakao: Kakao, login: ReadyLogin, end: str, expected: int
) -> None:
    bearer = f"Bearer {login.access_token}"
    memo = urlencode(memo_fields()) + end
    refresh = urlencode(refresh_fields(kakao, login.refresh_token)) + end

    assert ask(server, "POST", MEMO, memo, Authorization=bearer)[0] == expected
    assert ask(server, "POST", TOKEN, refresh)[0] == expected


def test_a_template_need_not_be_percent_encoded(server: SandboxServer, token: str) -> None:
    body = "template_object=" + json.dumps(text_template(), ensure_ascii=False, indent=2)
    assert ask(server, "POST", MEMO, body, Authorization=f"Bearer {token}") == (200, None)


@pytest.mark.parametrize("joint", [",", " ", ", ", ",,", "%20"])
def test_scopes_are_parted_by_commas_and_by_spaces(server: SandboxServer, joint: str) -> None:
    app = Settings()
    answer = requests.get(
        f"{server.url}/oauth/authorize?client_id={app.rest_api_key}&response_type=code"
        f"&redirect_uri={app.redirect_uris[0]}&scope=talk_message{joint}friends",
        timeout=5,
    )

    assert answer.status_code == 200
    assert all(f'value="{scope}"' in answer.text for scope in ("talk_message", "friends"))


@pytest.mark.parametrize(
    ("calendar_ids", "expected"),
    [((), (400, -2)), (("41",), (400, -2)), (("42",), (200, None)), (("42", "43"), (200, None))],
)
def test_a_calendar_message_needs_an_event_of_the_apps_channel(
    calendar_ids: tuple[str, ...], expected: tuple[int, Any]
) -> None:
    kakao = Kakao(Settings(calendar_ids=calendar_ids))
    with SandboxServer(kakao, lambda: NOW) as server:
        assert send(server, kakao.issue_login(NOW).access_token, CALENDAR) == expected
        assert len(server.deliveries) == (expected[0] == 200)
