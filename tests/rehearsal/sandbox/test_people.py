"""The sandbox's people: each with a login, friends, quotas and a KakaoTalk of his or her own."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import Quotas, Settings
from tests.rehearsal.sandbox.support import NOW, content, get, memo, to_friends, verdict
from tests.rehearsal.sandbox.test_login import Form, authorize, exchange, renew, returned

ME, JIWOO, HAJUN, SEOYEON = "uuid-me", "uuid-aaa", "uuid-bbb", "uuid-ccc"
NUMBERS = {ME: 3000000001, JIWOO: 3000000002, HAJUN: 3000000003, SEOYEON: 3000000004}


def token_of(kakao: Kakao, who: str) -> str:
    return kakao.issue_login(NOW, uuid=who).access_token


def test_a_message_to_oneself_arrives_with_its_sender_alone(kakao: Kakao) -> None:
    for who in (ME, JIWOO):
        kakao.handle(memo(token_of(kakao, who), who), NOW)

    assert {who: [one.text for one in kakao.arrived(who)] for who in NUMBERS} == {
        ME: [ME], JIWOO: [JIWOO], HAJUN: [], SEOYEON: [],
    }  # fmt: skip


def test_a_friend_has_the_user_and_the_others_for_friends(kakao: Kakao) -> None:
    token = token_of(kakao, JIWOO)
    found = content(kakao.handle(get("/v1/api/talk/friends", token), NOW))["elements"]
    assert {one["uuid"] for one in found} == {ME, HAJUN, SEOYEON}
    assert content(kakao.handle(to_friends(token, ME, HAJUN), NOW)) == {
        "successful_receiver_uuids": [ME, HAJUN]
    }
    (arrived,) = kakao.arrived(ME)
    assert (arrived.receiver, arrived.sender) == (ME, str(NUMBERS[JIWOO]))
    assert verdict(kakao.handle(to_friends(token, JIWOO), NOW)) == (400, -2)


@pytest.mark.parametrize("who", NUMBERS)
def test_kakao_knows_whose_token_it_is(kakao: Kakao, who: str) -> None:
    token = token_of(kakao, who)

    for path in ("/v1/user/access_token_info", "/v2/user/me", "/v2/user/scopes"):
        assert content(kakao.handle(get(path, token), NOW))["id"] == NUMBERS[who]


def test_quotas_are_counted_by_sender() -> None:
    kakao = Kakao(Settings(quotas=Quotas(per_pair=1)))
    mine, hers = token_of(kakao, ME), token_of(kakao, JIWOO)

    for token in (mine, hers):
        assert kakao.handle(to_friends(token, HAJUN), NOW).status == 200
    assert verdict(kakao.handle(to_friends(hers, HAJUN), NOW)) == (400, -536)


def test_what_one_agrees_to_is_not_agreed_to_by_another(kakao: Kakao) -> None:
    hers = kakao.issue_login(NOW, scopes=["friends"], uuid=JIWOO).access_token

    assert kakao.handle(memo(token_of(kakao, ME)), NOW).status == 200
    assert verdict(kakao.handle(memo(hers), NOW)) == (403, -402)


def test_tokens_are_revoked_by_person(kakao: Kakao) -> None:
    mine, hers = kakao.issue_login(NOW), kakao.issue_login(NOW, uuid=JIWOO)
    kakao.revoke_access_tokens(JIWOO)
    kakao.revoke_refresh_tokens(JIWOO)

    assert verdict(kakao.handle(memo(hers.access_token), NOW)) == (401, -401)
    assert verdict(renew(kakao, hers.refresh_token)) == (400, "KOE322")
    assert kakao.handle(memo(mine.access_token), NOW).status == 200
    assert renew(kakao, mine.refresh_token).status == 200


def test_who_looks_at_the_consent_page_is_who_logs_in(kakao: Kakao) -> None:
    page = authorize(kakao, prompt="select_account").body.decode()
    assert [name in page for name in ("지우", "하준", "서연")] == [True] * 3
    assert "login_hint=uuid-aaa" in page
    form = Form(authorize(kakao, prompt="select_account", login_hint=JIWOO).body)
    code = returned(kakao.handle(form.submit("agree", *form.boxes), NOW))["code"]
    token = content(exchange(kakao, code))["access_token"]

    kakao.handle(memo(token), NOW)
    assert len(kakao.arrived(JIWOO)) == 1


def test_an_unknown_hint_is_passed_over(kakao: Kakao) -> None:
    form = Form(authorize(kakao, login_hint="somebody@example.org").body)
    code = returned(kakao.handle(form.submit("agree", *form.boxes), NOW))["code"]
    token = content(exchange(kakao, code))["access_token"]

    assert content(kakao.handle(get("/v2/user/me", token), NOW))["id"] == NUMBERS[ME]


@pytest.fixture
def server(kakao: Kakao) -> Iterator[SandboxServer]:
    with SandboxServer(kakao, lambda: NOW) as server:
        yield server


def call(server: SandboxServer, method: str, name: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{server.url}/_sandbox/{name}", json=body, timeout=5)


def test_the_judge_logs_anybody_in_and_sees_what_arrived_where(server: SandboxServer) -> None:
    login = call(server, "POST", "login", {"uuid": JIWOO}).json()
    server.kakao.handle(memo(login["access_token"], "안녕"), NOW)
    people = call(server, "GET", "people").json()

    assert [(one["uuid"], one["user_id"]) for one in people] == list(NUMBERS.items())
    assert [[m["text"] for m in one["arrived"]] for one in people] == [[], ["안녕"], [], []]
    call(server, "POST", "revoke", {"uuid": JIWOO, "tokens": "access"})
    assert server.kakao.handle(memo(login["access_token"]), NOW).status == 401


@pytest.mark.parametrize("name", ["login", "revoke"])
def test_the_judge_is_told_of_a_stranger(server: SandboxServer, name: str) -> None:
    answer = call(server, "POST", name, {"uuid": "uuid-stranger"})

    assert answer.status_code == 400
    assert "nobody's who can log in" in answer.json()["error"]
