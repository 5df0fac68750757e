from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from kakaocron.rehearsal.sandbox.account import ReadyLogin
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from tests.rehearsal.sandbox.support import (
    NOW,
    TOKEN,
    content,
    get,
    memo,
    post,
    refresh_fields,
    verdict,
)


def test_friends_are_listed_with_what_sending_needs(kakao: Kakao, token: str) -> None:
    page = content(kakao.handle(get("/v1/api/talk/friends", token), NOW))

    assert (page["total_count"], page["favorite_count"]) == (3, 1)
    assert (page["before_url"], page["after_url"]) == (None, None)
    assert {
        "id": 1001,
        "uuid": "uuid-aaa",
        "profile_nickname": "지우",
        "profile_thumbnail_image": "",
        "favorite": False,
        "allowed_msg": True,
    } in page["elements"]


def test_pages_are_followed_until_there_is_no_next() -> None:
    friends = tuple(SandboxFriend(f"uuid-{number:03}", f"{number:03}") for number in range(250))
    kakao = Kakao(Settings(friends=friends))
    token = kakao.issue_login(NOW).access_token
    request, seen = get("/v1/api/talk/friends", token, "limit=100"), []
    for _ in range(3):
        page = content(kakao.handle(request, NOW))
        seen += [friend["uuid"] for friend in page["elements"]]
        url = urlsplit(page["after_url"] or "")
        request = get(url.path, token, url.query)

    assert page["after_url"] is None
    assert "offset=100" in page["before_url"]
    assert seen == [friend.uuid for friend in friends]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("order=asc", "서연"),
        ("order=desc", "하준"),
        ("friend_order=favorite", "하준"),
        ("offset=1&limit=1&secure_resource=true", "지우"),
    ],
)
def test_friends_come_in_the_order_asked_for(
    kakao: Kakao, token: str, query: str, first: str
) -> None:
    page = content(kakao.handle(get("/v1/api/talk/friends", token, query), NOW))

    assert page["elements"][0]["profile_nickname"] == first


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "offset=-1", "order=up", "page=2", "limit"]
)
def test_wrong_list_queries_are_refused(kakao: Kakao, token: str, query: str) -> None:
    assert verdict(kakao.handle(get("/v1/api/talk/friends", token, query), NOW)) == (400, -2)


def test_friends_need_consent(kakao: Kakao) -> None:
    token = kakao.issue_login(NOW, scopes=("talk_message",)).access_token
    answer = kakao.handle(get("/v1/api/talk/friends", token), NOW)

    assert verdict(answer) == (403, -402)
    assert content(answer)["required_scopes"] == ["friends"]


def test_token_info_counts_down(kakao: Kakao, token: str) -> None:
    answer = kakao.handle(get("/v1/user/access_token_info", token), NOW + timedelta(seconds=99.5))

    assert content(answer) == {"id": 3000000001, "expires_in": 21499, "app_id": 1234}


def test_scopes_tell_what_was_agreed_to(kakao: Kakao) -> None:
    token = kakao.issue_login(NOW, scopes=("talk_message",)).access_token
    answer = content(kakao.handle(get("/v2/user/scopes", token), NOW))

    assert {one["id"]: one["agreed"] for one in answer["scopes"]} == {
        "talk_message": True,
        "friends": False,
    }


def test_me_tells_the_id(kakao: Kakao, token: str) -> None:
    assert content(kakao.handle(get("/v2/user/me", token), NOW)) == {
        "id": 3000000001,
        "connected_at": "2026-11-23T00:30:00Z",
    }
    assert kakao.handle(post("/v2/user/me", {}, token), NOW).status == 200


PROFILE = ("profile_nickname", "profile_image", "account_email")


@pytest.mark.parametrize("agreed", [(), PROFILE[:1], PROFILE[1:2], PROFILE[2:], PROFILE])
def test_me_shows_of_the_profile_what_was_agreed_to(agreed: tuple[str, ...]) -> None:
    kakao = Kakao(Settings(scopes=PROFILE))
    token = kakao.issue_login(NOW, agreed).access_token
    account = content(kakao.handle(get("/v2/user/me", token), NOW))["kakao_account"]

    assert account["profile_nickname_needs_agreement"] == ("profile_nickname" not in agreed)
    assert ("nickname" in account.get("profile", {})) == ("profile_nickname" in agreed)
    assert ("profile_image_url" in account.get("profile", {})) == ("profile_image" in agreed)
    assert ("email" in account) == ("account_email" in agreed)


@pytest.mark.parametrize("path", ["/v1/user/access_token_info", "/v2/user/scopes", "/v2/user/me"])
def test_user_calls_need_a_token(kakao: Kakao, path: str) -> None:
    assert verdict(kakao.handle(get(path), NOW)) == (401, -401)


def test_logout_kills_this_login_and_no_other(kakao: Kakao, login: ReadyLogin) -> None:
    other = kakao.issue_login(NOW)
    kakao.handle(post("/v1/user/logout", {}, login.access_token), NOW)

    assert verdict(kakao.handle(memo(login.access_token), NOW)) == (401, -401)
    refresh = post(TOKEN, refresh_fields(kakao, login.refresh_token))
    assert verdict(kakao.handle(refresh, NOW)) == (400, "KOE322")
    assert kakao.handle(memo(other.access_token), NOW).status == 200


def test_unlink_kills_every_login(kakao: Kakao, login: ReadyLogin) -> None:
    other = kakao.issue_login(NOW)
    kakao.handle(post("/v1/user/unlink", {}, login.access_token), NOW)

    assert verdict(kakao.handle(memo(other.access_token), NOW)) == (401, -401)
    refresh = post(TOKEN, refresh_fields(kakao, other.refresh_token))
    assert verdict(kakao.handle(refresh, NOW)) == (400, "KOE322")
