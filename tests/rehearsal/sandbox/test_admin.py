from collections.abc import Iterator
from typing import Any

import pytest
import requests

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.rehearsal.sandbox.support import MEMO, NOW, memo_fields, text_template


@pytest.fixture
def server(kakao: Kakao) -> Iterator[SandboxServer]:
    with SandboxServer(kakao, lambda: NOW) as server:
        yield server


def call(server: SandboxServer, method: str, name: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{server.url}/_sandbox/{name}", json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def send(server: SandboxServer, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(server.url + MEMO, data=memo_fields(), headers=headers, timeout=5)


def test_login_gives_tokens_that_can_send(server: SandboxServer) -> None:
    login = call(server, "POST", "login")

    assert login["access_expires_at"] == "2026-11-23T15:29:59+09:00"
    assert login["refresh_expires_at"] == "2027-01-22T09:29:59+09:00"
    assert send(server, login["access_token"]).status_code == 200


def test_login_can_leave_consents_out(server: SandboxServer) -> None:
    login = call(server, "POST", "login", {"scopes": ["friends"]})

    assert send(server, login["access_token"]).json()["code"] == -402


def test_deliveries_and_requests_are_told(server: SandboxServer, token: str) -> None:
    send(server, token)
    send(server, "wrong")

    (delivery,) = call(server, "GET", "deliveries")
    assert isinstance(delivery.pop("received_at_ns"), int)
    assert delivery == {
        "at": "2026-11-23T09:30:00+09:00",
        "receiver": "me",
        "text": "09:00 약 먹기",
        "template": text_template(),
        "sender": "3000000001",
        "path": MEMO,
        "picture": None,
    }
    assert [one["outcome"] for one in call(server, "GET", "requests")] == ["200", "401 -401"]


def test_faults_are_set_and_cleared(server: SandboxServer, token: str) -> None:
    assert call(server, "POST", "faults", {"script": ["-1", "-7"]}) == {"pending": ["-1", "-7"]}
    assert send(server, token).json()["code"] == -1
    call(server, "POST", "faults", {"spec": "-10"})
    assert [send(server, token).json()["code"] for _ in range(2)] == [-10, -10]
    assert call(server, "POST", "faults") == {"pending": []}
    assert send(server, token).status_code == 200


def test_faults_never_hit_the_judge(server: SandboxServer) -> None:
    call(server, "POST", "faults", {"spec": "refuse@/"})

    assert call(server, "GET", "health") == {"status": "ok"}


@pytest.mark.parametrize(("tokens", "status"), [("access", 401), ("refresh", 200), ("all", 401)])
def test_tokens_are_revoked(server: SandboxServer, token: str, tokens: str, status: int) -> None:
    call(server, "POST", "revoke", {"tokens": tokens})

    assert send(server, token).status_code == status


def test_reset_starts_anew(server: SandboxServer, token: str) -> None:
    send(server, token)
    call(server, "POST", "faults", {"spec": "html"})
    call(server, "POST", "reset")

    assert call(server, "GET", "deliveries") == []
    assert send(server, token).json()["code"] == -401


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("POST", "faults", '{"spec": "explode"}', 400),
        ("POST", "faults", '{"spec": 5}', 400),
        ("POST", "faults", '{"script": "stall"}', 400),
        ("POST", "faults", '{"scripts": []}', 400),
        ("POST", "faults", "[]", 400),
        ("POST", "faults", "{", 400),
        ("POST", "revoke", '{"tokens": "some"}', 400),
        ("POST", "login", '{"scopes": "friends"}', 400),
        ("POST", "login", '{"scope": []}', 400),
        ("GET", "faults", "", 404),
        ("GET", "nothing", "", 404),
    ],
)
def test_wrong_admin_requests_are_refused(
    server: SandboxServer, method: str, name: str, body: str, status: int
) -> None:
    answer = requests.request(
        method, f"{server.url}/_sandbox/{name}", data=body.encode(), timeout=5
    )

    assert answer.status_code == status
    assert "error" in answer.json()
