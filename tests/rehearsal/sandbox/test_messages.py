import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from kakaocron.rehearsal.sandbox.arrival import Arrival
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from kakaocron.rehearsal.sandbox.wire import WireRequest
from tests.rehearsal.sandbox.support import (
    FRIENDS,
    MEMO,
    NOW,
    content,
    friend_fields,
    memo,
    memo_fields,
    post,
    text_template,
    to_friends,
    verdict,
)


def test_memo_is_delivered_and_confirmed(kakao: Kakao, token: str) -> None:
    answer = kakao.handle(memo(token, "안녕"), NOW)

    assert (answer.status, content(answer)) == (200, {"result_code": 0})
    assert answer.headers["Date"] == "Mon, 23 Nov 2026 00:30:00 GMT"
    sender = str(kakao.settings.user_id)
    assert kakao.deliveries == [
        Arrival(NOW, "me", "안녕", text_template("안녕"), sender, MEMO),
    ]


def test_every_accepted_memo_is_delivered_again(kakao: Kakao, token: str) -> None:
    for _ in range(3):
        kakao.handle(memo(token), NOW)

    assert len(kakao.deliveries) == 3


def test_delivery_time_is_kst_whatever_zone_the_caller_uses(kakao: Kakao, token: str) -> None:
    kakao.handle(memo(token), NOW.astimezone(UTC))

    assert kakao.deliveries[0].at.isoformat() == "2026-11-23T09:30:00+09:00"


def test_a_naive_time_is_refused(kakao: Kakao, token: str) -> None:
    with pytest.raises(ValueError, match="aware"):
        kakao.handle(memo(token), datetime(2026, 11, 23, 9, 30))  # noqa: DTZ001 - the point


def test_scrap_memo_is_delivered_by_its_address(kakao: Kakao, token: str) -> None:
    fields = {"request_url": "https://example.org/a"}
    kakao.handle(post("/v2/api/talk/memo/scrap/send", fields, token), NOW)

    assert [(one.text, one.template) for one in kakao.deliveries] == [
        ("https://example.org/a", fields)
    ]


def test_custom_memo_is_delivered_by_its_arguments(kakao: Kakao, token: str) -> None:
    fields = {"template_id": "1001", "template_args": '{"name":"지우"}'}
    kakao.handle(post("/v2/api/talk/memo/send", fields, token), NOW)

    parsed = {"template_id": "1001", "template_args": {"name": "지우"}}
    assert [one.template for one in kakao.deliveries] == [parsed]
    assert json.loads(kakao.deliveries[0].text) == parsed


@pytest.mark.parametrize("kind", ["scrap/send", "send"])
def test_scrap_and_custom_messages_reach_friends(kakao: Kakao, token: str, kind: str) -> None:
    fields = {"receiver_uuids": '["uuid-aaa"]', "template_id": "1001"}
    if kind == "scrap/send":
        fields["request_url"] = "https://example.org"
    answer = kakao.handle(post(f"/v1/api/talk/friends/message/{kind}", fields, token), NOW)

    assert content(answer) == {"successful_receiver_uuids": ["uuid-aaa"]}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (post(MEMO, memo_fields()), (401, -401)),
        (post(MEMO, memo_fields(), "unknown-token"), (401, -401)),
        (post(MEMO, memo_fields(), Settings().rest_api_key), (401, -401)),
        (post(MEMO, memo_fields(), "x" * 513), (400, -2)),
        (post(MEMO, memo_fields(), "two words"), (400, -2)),
        (post(MEMO, memo_fields(), ""), (400, -2)),
    ],
)
def test_wrong_tokens_are_refused(
    kakao: Kakao, token: str, request_: WireRequest, expected: tuple[int, int]
) -> None:
    assert verdict(kakao.handle(request_, NOW)) == expected
    assert kakao.deliveries == []


def test_admin_key_is_refused(kakao: Kakao) -> None:
    request = replace(memo("x"), headers={"Authorization": "KakaoAK admin"})

    assert verdict(kakao.handle(request, NOW)) == (401, -401)


def test_too_long_token_is_told_in_kakaos_words(kakao: Kakao) -> None:
    answer = kakao.handle(memo("x" * 513), NOW)

    assert content(answer)["msg"] == "too long for access token."


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", (400, -2)),
        ("application/json;charset=utf-8", (400, -2)),
        ("text/plain", (400, -8)),
        ("", (400, -8)),
        ("application/x-www-form-urlencoded;charset=euc-kr", (400, -8)),
    ],
)
def test_only_a_form_in_utf8_is_read(
    kakao: Kakao, token: str, content_type: str, expected: tuple[int, int]
) -> None:
    request = post(MEMO, memo_fields(), token, content_type=content_type)

    assert verdict(kakao.handle(request, NOW)) == expected
    assert kakao.deliveries == []


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", None])
def test_a_form_without_charset_is_read(kakao: Kakao, token: str, content_type: str | None) -> None:
    kind = content_type or 'Application/X-WWW-Form-Urlencoded; Charset="UTF-8"'
    request = post(MEMO, memo_fields(), token, content_type=kind)

    assert kakao.handle(request, NOW).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"template_object",
        b"template_object=",
        b"template_object=%FF%FE",
        b"\xff\xfe",
        b"template_object={",
        b"template_object=[]",
        b"template_object=" + b"[" * 100_000,
        b"&".join([b"a=1"] * 100),
        urlencode({**memo_fields(), "extra": "1"}).encode(),
        urlencode([*memo_fields().items()] * 2).encode(),
        urlencode({"template_object": json.dumps(text_template("\ud83d"))}).encode(),
        urlencode({"template_object": '{"object_type":"text","text":NaN}'}).encode(),
    ],
)
def test_garbage_bodies_are_refused(kakao: Kakao, token: str, body: bytes) -> None:
    assert verdict(kakao.handle(post(MEMO, {}, token, body=body), NOW)) == (400, -2)
    assert kakao.deliveries == []


def test_fields_in_the_query_are_refused(kakao: Kakao, token: str) -> None:
    request = replace(memo(token), query=urlencode(memo_fields()))

    assert verdict(kakao.handle(request, NOW)) == (400, -2)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("memo/scrap/send", {}),
        ("memo/scrap/send", {"request_url": "example.org"}),
        ("memo/scrap/send", {"request_url": "https://a.b", "template_args": "{}"}),
        ("memo/send", {}),
        ("memo/send", {"template_id": "abc"}),
        ("memo/send", {"template_id": "1", "template_args": '{"n":1}'}),
        ("memo/send", {"template_id": "1", "template_args": '["n"]'}),
        ("memo/send", {"template_id": "1", "template_object": "{}"}),
    ],
)
def test_wrong_scrap_and_custom_fields_are_refused(
    kakao: Kakao, token: str, path: str, fields: dict[str, str]
) -> None:
    request = post(f"/v2/api/talk/{path}", fields, token)

    assert verdict(kakao.handle(request, NOW)) == (400, -2)
    assert kakao.deliveries == []


def test_missing_consent_names_the_scopes(kakao: Kakao) -> None:
    login = kakao.issue_login(NOW, scopes=("friends",))
    answer = kakao.handle(memo(login.access_token), NOW)

    assert answer.status == 403
    assert content(answer) == {
        "msg": "insufficient scopes.",
        "code": -402,
        "api_type": "TALK_MEMO_DEFAULT_SEND",
        "required_scopes": ["talk_message"],
        "allowed_scopes": ["friends"],
    }


def test_friend_messages_need_both_scopes(kakao: Kakao) -> None:
    login = kakao.issue_login(NOW, scopes=("talk_message",))
    answer = kakao.handle(to_friends(login.access_token, "uuid-aaa"), NOW)

    assert content(answer)["required_scopes"] == ["talk_message", "friends"]


def test_scope_that_is_off_in_the_console_is_refused() -> None:
    kakao = Kakao(Settings(scopes=("friends",)))
    login = kakao.issue_login(NOW)

    assert verdict(kakao.handle(memo(login.access_token), NOW)) == (403, -3)


def test_friends_that_all_get_the_message(kakao: Kakao, token: str) -> None:
    answer = kakao.handle(to_friends(token, "uuid-aaa", "uuid-bbb"), NOW)

    assert content(answer) == {"successful_receiver_uuids": ["uuid-aaa", "uuid-bbb"]}
    assert [one.receiver for one in kakao.deliveries] == ["uuid-aaa", "uuid-bbb"]


def test_partial_success_names_who_failed_and_why(kakao: Kakao, token: str) -> None:
    answer = kakao.handle(to_friends(token, "uuid-ccc", "uuid-aaa", "uuid-stranger"), NOW)

    assert answer.status == 200
    assert content(answer) == {
        "successful_receiver_uuids": ["uuid-aaa"],
        "failure_info": [
            {"code": -530, "msg": "receiver blocked messages.", "receiver_uuids": ["uuid-ccc"]},
            {"code": -502, "msg": "not friend.", "receiver_uuids": ["uuid-stranger"]},
        ],
    }
    assert [one.receiver for one in kakao.deliveries] == ["uuid-aaa"]


def test_several_receivers_that_all_fail_leave_no_success_list(kakao: Kakao, token: str) -> None:
    answer = kakao.handle(to_friends(token, "uuid-ccc", "uuid-stranger"), NOW)

    assert answer.status == 200
    assert content(answer).keys() == {"failure_info"}


@pytest.mark.parametrize(("uuid", "code"), [("uuid-ccc", -530), ("uuid-stranger", -502)])
def test_single_receiver_that_fails_is_a_plain_error(
    kakao: Kakao, token: str, uuid: str, code: int
) -> None:
    answer = kakao.handle(to_friends(token, uuid), NOW)

    assert verdict(answer) == (400, code)
    assert content(answer)["receiver_ids"] == [uuid]
    assert kakao.deliveries == []


@pytest.mark.parametrize(
    "uuids",
    [
        "",
        "uuid-aaa",
        '"uuid-aaa"',
        "[]",
        "[1]",
        '["uuid-me"]',
        '["uuid-aaa","uuid-aaa"]',
        '["uuid-aaa","uuid-of-another-app"]',
        json.dumps([f"uuid-{number}" for number in range(6)]),
    ],
)
def test_wrong_receivers_refuse_the_whole_request(kakao: Kakao, token: str, uuids: str) -> None:
    fields = {**friend_fields([]), "receiver_uuids": uuids}

    assert verdict(kakao.handle(post(FRIENDS, fields, token), NOW)) == (400, -2)
    assert kakao.deliveries == []


def test_empty_receivers_are_told_in_kakaos_words(kakao: Kakao, token: str) -> None:
    answer = kakao.handle(to_friends(token), NOW)

    assert content(answer)["msg"] == "The Parameter [receiver_uuids] cannot be empty."


@pytest.mark.parametrize(("count", "status"), [(4, 200), (5, 200), (6, 400)])
def test_five_receivers_are_the_most(count: int, status: int) -> None:
    friends = tuple(SandboxFriend(f"uuid-{number}", str(number)) for number in range(6))
    kakao = Kakao(Settings(friends=friends))
    token = kakao.issue_login(NOW).access_token
    uuids = [friend.uuid for friend in friends[:count]]

    assert kakao.handle(to_friends(token, *uuids), NOW).status == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", MEMO),
        ("POST", "/v2/api/talk/memo/default"),
        ("POST", "/v1/api/talk/memo/default/send"),
        ("PUT", "/oauth/token"),
        ("GET", "/"),
    ],
)
def test_unknown_requests_fail_loudly(kakao: Kakao, token: str, method: str, path: str) -> None:
    answer = kakao.handle(replace(memo(token), method=method, path=path), NOW)

    assert (answer.status, content(answer)["error"]) == (404, "unknown request")
    assert kakao.requests[-1].outcome == "unknown request"
    assert kakao.deliveries == []


def test_the_log_holds_no_secret(kakao: Kakao, token: str) -> None:
    kakao.handle(memo(token), NOW)
    kakao.handle(memo("wrong-token"), NOW)

    assert [one.outcome for one in kakao.requests] == ["200", "401 -401"]
    assert token not in repr(kakao.requests)
    assert "wrong-token" not in repr(kakao.requests)


def test_same_seed_and_calls_give_the_same_bytes() -> None:
    def play(seed: int) -> list[bytes]:
        kakao = Kakao(seed=seed)
        token = kakao.issue_login(NOW).access_token
        answers = [kakao.handle(memo(token), NOW), kakao.handle(to_friends(token, "x"), NOW)]
        return [token.encode(), *(answer.body for answer in answers)]

    assert play(1) == play(1)
    assert play(1) != play(2)
