"""The table that decides: every code of Kakao's error pages, beside what a copy of them says.

The tables below were written from Kakao's documentation, not from the code that they judge.
"""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from kakaocron.delivery.verdicts import Meaning, Verdict, of_failure
from kakaocron.errors import Cause
from kakaocron.kakao.answers import of_friends, of_memo, of_token
from kakaocron.kakao.causes import in_words
from kakaocron.kakao.codes import (
    BOXES,
    LOGIN_CODES,
    MESSAGE_CODES,
    RECEIVER_CODES,
    REMEDIES,
    Refusal,
    Remedy,
    box_of,
)
from kakaocron.states import Reason
from kakaocron.system.http import Answer, Failure, Phase
from kakaocron.text.causes import said

AMBIGUOUS = {-1, -7, -603, -9798}
REFUSED_FOR_NOW = {-3, -10, -11, -502, -531, -532, -533, -536}
LOG_IN_AGAIN = {-401}
REFUSED_FOR_GOOD = {
    -2, -4, -5, -6, -8, -9, -12, -101, -103, -402, -403, -405, -406, -501, -504, -530, -602, -606,
    -903, -911,
}  # fmt: skip
EXPECTED = (
    dict.fromkeys(AMBIGUOUS, Meaning.AMBIGUOUS)
    | dict.fromkeys(REFUSED_FOR_NOW, Meaning.REFUSED_FOR_NOW)
    | dict.fromkeys(LOG_IN_AGAIN, Meaning.LOG_IN_AGAIN)
    | dict.fromkeys(REFUSED_FOR_GOOD, Meaning.REFUSED_FOR_GOOD)
)
REASONS = (
    dict.fromkeys(AMBIGUOUS, Reason.SERVER_FAULT)
    | dict.fromkeys({-3, -502}, Reason.REFUSED_FOR_NOW)
    | dict.fromkeys({-10, -11, -531, -532, -533, -536}, Reason.QUOTA)
    | dict.fromkeys({-101, -401, -402}, Reason.NOT_LOGGED_IN)
    | dict.fromkeys(REFUSED_FOR_GOOD - {-101, -402}, Reason.REFUSED)
)
PEOPLE = {-501, -502, -504, -530, -531, -532, -533, -536}

# What a person can do, and whether the message then goes through when it is sent again.
BEYOND_US = {-4, -6, -12, -103, -405, -406, -504}
HELP = {
    -2: "preview", -3: "[Consent items]", -5: "permission", -11: "limit", -101: "login",
    -402: "{box}",
}  # fmt: skip
NO_HELP = {-9: "newer kakaocron", -530: "The receiver", -531: "next month"}

DEAD = {"KOE319", "KOE322"}
SETUP = {"KOE004", "KOE005", "KOE006", "KOE009", "KOE010", "KOE101", "KOE205", "KOE310"}
LATER = {"KOE003", "KOE237", "KOE303", "KOE320"}


def json_answer(body: object, status: int = 200) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())


def words(verdict: Verdict) -> str:
    """Return why a verdict is as it is, as a user reads it."""
    assert verdict.cause is not None
    return in_words(verdict.cause)


def worded(verdict: Verdict) -> Verdict:
    """Return a verdict whose cause is the sentence itself."""
    return replace(verdict, cause=said(words(verdict)))


def unproven(detail: str, status: int = 200, code: int | None = None) -> Verdict:
    return Verdict(
        Meaning.AMBIGUOUS, Reason.UNPROVEN_ANSWER, said(detail), code, status, phase=Phase.AFTER
    )


@pytest.mark.parametrize("word", [*Meaning, *Phase], ids=repr)
def test_a_meaning_and_a_phase_are_told_by_their_names(word: Meaning | Phase) -> None:
    assert word.value == word.name.lower().replace("_", " ")


def test_what_an_answer_does_not_say_is_empty() -> None:
    assert astuple(Verdict(Meaning.CONFIRMED))[1:] == (
        None,
        None,
        None,
        None,
        Phase.AFTER,
        None,
        None,
    )
    assert astuple(Refusal("KOE003", "temporary"))[2:] == (False, False, 0)


def test_the_boxes_of_the_consent_page_have_kakaos_own_names() -> None:
    assert BOXES == {
        "talk_message": "카카오톡 메시지 전송",
        "friends": "카카오 서비스 내 친구목록(프로필사진, 닉네임, 즐겨찾기 포함)",
    }


def test_what_a_person_can_do_of_a_refusal_is_said_and_whether_it_helps() -> None:
    assert astuple(Remedy("Do it"))[1:] == (True, None)
    assert set(REMEDIES) == BEYOND_US | HELP.keys() | NO_HELP.keys()
    for code, remedy in REMEDIES.items():
        expected = {**HELP, **NO_HELP}.get(code, "Only Kakao or the account's owner")
        assert expected in remedy.words
        assert (remedy.helps, remedy.at) == (code in HELP, None)


def test_the_table_has_every_code_of_the_page_and_no_other() -> None:
    assert set(MESSAGE_CODES) == set(EXPECTED)


@pytest.mark.parametrize("code", sorted(EXPECTED))
@pytest.mark.parametrize("status", [200, 400, 401, 403, 503])
def test_a_code_decides_whatever_the_status_and_the_wording(code: int, status: int) -> None:
    answer = json_answer({"msg": "reworded", "code": code}, status)

    verdict = of_memo(answer)
    assert verdict.meaning is EXPECTED[code]
    assert verdict.reason is REASONS[code]
    assert (verdict.code, verdict.http_status) == (code, status)
    assert re.fullmatch(rf"\w.+ \({code}\)", words(verdict))
    assert of_friends(answer, ["uuid-aaa"]) == {"uuid-aaa": verdict}


def test_the_codes_about_people_and_no_others_may_hold_for_one_receiver_of_several() -> None:
    assert RECEIVER_CODES == PEOPLE


@pytest.mark.parametrize("code", [-534, -535, -99999, -13])
def test_a_code_that_no_table_names_is_ambiguous(code: int) -> None:
    verdict = of_memo(json_answer({"msg": "?", "code": code}, 400))

    assert worded(verdict) == unproven(f"unknown code {code}", 400, code)


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (b'{"result_code":0}', Meaning.CONFIRMED),
        (b'{"result_code":0,"more":"fields"}', Meaning.CONFIRMED),
        (b'{"result_code":-500}', Meaning.AMBIGUOUS),
        (b'{"result_code":1}', Meaning.AMBIGUOUS),
        (b'{"result_code":"0"}', Meaning.AMBIGUOUS),
        (b'{"result_code":0.0}', Meaning.AMBIGUOUS),
        (b'{"result_code":false}', Meaning.AMBIGUOUS),
        (b'{"result_code":null}', Meaning.AMBIGUOUS),
        (b'{"result_code":0', Meaning.AMBIGUOUS),
        (b'{"result_code":-2,"result_code":0}', Meaning.AMBIGUOUS),
        (b'{"result_code":0,"result_code":0}', Meaning.AMBIGUOUS),
        (b'[{"result_code":0}]', Meaning.AMBIGUOUS),
        (b"{}", Meaning.AMBIGUOUS),
        (b"", Meaning.AMBIGUOUS),
        (b"0", Meaning.AMBIGUOUS),
        (b"null", Meaning.AMBIGUOUS),
        (b"<html>Wi-Fi login</html>", Meaning.AMBIGUOUS),
        (b"\xff\xfe\x00", Meaning.AMBIGUOUS),
        (b"[" * 100_000, Meaning.AMBIGUOUS),
    ],
)
def test_only_result_code_0_confirms_a_memo(body: bytes, meaning: Meaning) -> None:
    assert of_memo(Answer(200, {}, body)).meaning is meaning


def test_no_status_but_200_confirms_whatever_the_body() -> None:
    memo = {status: of_memo(json_answer({"result_code": 0}, status)) for status in range(100, 600)}
    friend = {
        status: of_friends(json_answer({"successful_receiver_uuids": ["a"]}, status), ["a"])["a"]
        for status in range(100, 600)
    }

    for verdicts in (memo, friend):
        confirming = {s: v for s, v in verdicts.items() if v.meaning is Meaning.CONFIRMED}
        assert confirming == {200: Verdict(Meaning.CONFIRMED, http_status=200)}


@pytest.mark.parametrize("code", [-500, 1])
def test_another_result_code_proves_nothing_and_is_told(code: int) -> None:
    assert worded(of_memo(json_answer({"result_code": code}))) == unproven(f"result_code {code}")


def not_json(status: int) -> Verdict:
    return of_memo(Answer(status, {"content-type": "text/html; charset=utf-8"}, b"<html>"))


def test_a_status_without_kakaos_code_proves_nothing() -> None:
    faults = {
        status for status in range(100, 700) if not_json(status).reason is Reason.SERVER_FAULT
    }

    assert faults == set(range(500, 600))
    assert worded(not_json(503)) == Verdict(
        Meaning.AMBIGUOUS, Reason.SERVER_FAULT, said("HTTP 503"), http_status=503
    )
    for status in [100, 200, 204, 302, 401, 404, 418]:
        assert worded(not_json(status)) == unproven(
            f"HTTP {status} with 6 bytes of text/html, not Kakao's answer", status
        )


def test_too_many_requests_are_refused_for_now() -> None:
    assert worded(not_json(429)) == Verdict(
        Meaning.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW, said("HTTP 429"), http_status=429
    )


def test_a_401_is_a_word_on_the_login_only_if_it_is_json() -> None:
    assert worded(of_memo(json_answer({"msg": "?"}, 401))) == Verdict(
        Meaning.LOG_IN_AGAIN, Reason.NOT_LOGGED_IN, said("HTTP 401"), http_status=401
    )
    assert not_json(401).meaning is Meaning.AMBIGUOUS


@pytest.mark.parametrize("code", [0, 7, "-2", None, 1.5])
def test_a_code_that_kakao_never_gives_is_no_code(code: object) -> None:
    verdict = of_memo(json_answer({"code": code}, 400))

    assert (verdict.meaning, verdict.code) == (Meaning.AMBIGUOUS, None)
    assert words(verdict).startswith("HTTP 400 with ")


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "no content type"),
        ({"content-type": "text/plain;a=1;b=2"}, "text/plain"),
        ({"content-type": "x" * 99}, "x" * 60),
    ],
)
def test_what_is_not_kakaos_is_described_in_few_words(headers: dict[str, str], kind: str) -> None:
    assert worded(of_memo(Answer(200, headers, b"?"))) == unproven(
        f"HTTP 200 with 1 bytes of {kind}, not Kakao's answer"
    )


@pytest.mark.parametrize(
    ("sent", "failed", "expected"),
    [
        (["a", "b"], None, {"a": Meaning.CONFIRMED, "b": Meaning.CONFIRMED}),
        (["a"], [(-532, ["b"])], {"a": Meaning.CONFIRMED, "b": Meaning.REFUSED_FOR_NOW}),
        (["a"], [(-530, ["b"])], {"a": Meaning.CONFIRMED, "b": Meaning.REFUSED_FOR_GOOD}),
        (["a"], None, {"a": Meaning.CONFIRMED, "b": Meaning.AMBIGUOUS}),
        (None, None, {"a": Meaning.AMBIGUOUS, "b": Meaning.AMBIGUOUS}),
        (["a"], [(-532, ["a"])], {"a": Meaning.AMBIGUOUS, "b": Meaning.AMBIGUOUS}),
        (["c"], None, {"a": Meaning.AMBIGUOUS, "b": Meaning.AMBIGUOUS}),
        ([], [(-999, ["a"])], {"a": Meaning.AMBIGUOUS, "b": Meaning.AMBIGUOUS}),
    ],
)
def test_each_friend_has_the_verdict_that_names_him(
    sent: list[str] | None,
    failed: list[tuple[int, list[str]]] | None,
    expected: dict[str, Meaning],
) -> None:
    body: dict[str, object] = {"result_code": -500}
    if sent is not None:
        body["successful_receiver_uuids"] = sent
    if failed is not None:
        body["failure_info"] = [
            {"code": code, "msg": "…", "receiver_uuids": uuids} for code, uuids in failed
        ]
    verdicts = of_friends(json_answer(body), ["a", "b"])

    assert {uuid: verdict.meaning for uuid, verdict in verdicts.items()} == expected


def test_a_receivers_verdict_says_what_kakao_said_of_him() -> None:
    answer = json_answer(
        {
            "successful_receiver_uuids": ["a", "both", 5],
            "failure_info": [
                "?",
                {"code": "-2", "receiver_uuids": ["c"]},
                {"code": True, "receiver_uuids": ["c"]},
                {"code": -532, "receiver_uuids": "bc"},
                {"code": -532, "receiver_uuids": ["b", "both", None]},
                {"code": -530, "receiver_uuids": ["d"]},
            ],
        }
    )
    verdicts = of_friends(answer, iter(["a", "b", "both", "c", "d"]))

    assert verdicts["a"] == Verdict(Meaning.CONFIRMED, http_status=200)
    assert verdicts["b"] == Verdict(
        Meaning.REFUSED_FOR_NOW, Reason.QUOTA, Cause("kakao", {"code": -532}), -532, 200
    )
    assert words(verdicts["b"]) == MESSAGE_CODES[-532][2] + " (-532)"
    assert (verdicts["d"].meaning, verdicts["d"].code) == (Meaning.REFUSED_FOR_GOOD, -530)
    for unclear in ("both", "c"):
        assert worded(verdicts[unclear]) == unproven(
            f"Kakao did not say clearly what became of receiver {unclear}"
        )


def test_a_plain_error_that_names_one_receiver_says_nothing_of_the_others() -> None:
    for code in (-2, -10, -530):
        body = json.dumps({"code": code, "receiver_ids": ["a"]}).encode()
        found = of_friends(Answer(400, {}, body), ["a", "b", "c"])
        assert found["a"].code == code
        assert {found["b"].meaning, found["c"].meaning} == {Meaning.AMBIGUOUS}
    body = json.dumps({"code": -401, "receiver_ids": ["a"]}).encode()
    found = of_friends(Answer(401, {}, body), ["a", "b"])
    assert {one.meaning for one in found.values()} == {Meaning.LOG_IN_AGAIN}


def test_a_scope_that_was_not_agreed_to_is_named() -> None:
    body = {"code": -402, "required_scopes": ["talk_message"], "allowed_scopes": ["profile"]}
    found = of_memo(Answer(403, {}, json.dumps(body).encode()))
    assert found.cause is not None
    assert in_words(found.cause) == (
        "the account has not agreed to talk_message; log in again (-402)"
    )


@pytest.mark.parametrize("named", [None, [], "talk_message", ["<b>", 3], ["profile"]])
def test_where_kakao_names_no_scope_it_is_the_one_that_sending_needs(named: object) -> None:
    body = {"code": -402, "required_scopes": named, "allowed_scopes": ["profile"]}
    answer = Answer(403, {}, json.dumps(body).encode())
    for found in (of_memo(answer), of_friends(answer, ["a"])["a"]):
        assert found.cause == Cause("kakao-no-scope", {"scopes": "talk_message", "code": -402})


def test_the_scopes_that_were_agreed_to_already_are_not_named() -> None:
    wanted = {"required_scopes": ["talk_message", "profile", "friends"]}
    body = {"code": -402, **wanted, "allowed_scopes": ["profile"]}

    assert of_memo(json_answer(body, 403)).cause == Cause(
        "kakao-no-scope", {"scopes": "friends, talk_message", "code": -402}
    )
    assert of_memo(json_answer({**body, "code": -5}, 403)).cause == Cause("kakao", {"code": -5})


@pytest.mark.parametrize("lists", [None, "a", {"a": 1}, 5])
def test_lists_of_receivers_that_are_none_name_nobody(lists: object) -> None:
    body = {"successful_receiver_uuids": lists, "failure_info": lists}

    assert of_friends(json_answer(body), ["a"])["a"].meaning is Meaning.AMBIGUOUS


def test_a_code_beside_the_lists_is_an_error_of_the_whole_call() -> None:
    body = {"code": -10, "successful_receiver_uuids": ["a"]}

    assert of_friends(json_answer(body), ["a", "b"]) == dict.fromkeys(
        ["a", "b"], of_memo(json_answer({"code": -10}))
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["code", "result_code", "successful_receiver_uuids", "failure_info", "msg"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from([200, 400, 401, 403, 500]),
)
def test_whatever_json_comes_is_judged_and_confirmed_on_kakaos_word_alone(
    body: object, status: int
) -> None:
    answer = json_answer(body, status)
    memo = of_memo(answer)
    friend = of_friends(answer, ["a"])["a"]

    if memo.meaning is Meaning.CONFIRMED:
        assert isinstance(body, dict)
        assert (status, body["result_code"]) == (200, 0)
    if friend.meaning is Meaning.CONFIRMED:
        assert isinstance(body, dict)
        assert status == 200
        assert "a" in body["successful_receiver_uuids"]


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.READ_TIMEOUT])
def test_a_failure_is_ambiguous_once_anything_may_have_left(reason: Reason) -> None:
    before, after = (of_failure(Failure(phase, reason, said("how"))) for phase in Phase)

    assert before == Verdict(Meaning.NOT_SENT, reason, said("how"), phase=Phase.BEFORE)
    assert after == Verdict(Meaning.AMBIGUOUS, reason, said("how"), phase=Phase.AFTER)


# --- kauth ----------------------------------------------------------------------------------------


def test_the_login_table_has_every_code_of_the_page_and_no_other() -> None:
    assert set(LOGIN_CODES) == DEAD | SETUP | LATER


@pytest.mark.parametrize("code", sorted(LOGIN_CODES))
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_login_code_says_whether_the_login_is_dead_or_the_app_set_up_wrong(
    code: str, status: int
) -> None:
    body = {"error": "invalid_grant", "error_description": "…", "error_code": code}
    refusal = of_token(json_answer(body, status))

    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert len(refusal.detail.split()) > 2
    assert refusal.is_dead is (code in DEAD)
    assert refusal.is_setup is (code in SETUP)
    assert bool(refusal.wait_seconds) is (code == "KOE237")


def test_the_limit_on_tokens_asks_for_at_least_ten_minutes_of_rest() -> None:
    assert LOGIN_CODES["KOE237"].wait_seconds == 600


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error":"invalid_grant","error_code":"KOE999"}', "KOE999"),
        (b'{"error":"server_error"}', "HTTP 400"),
        (b'{"error_code":5}', "5"),
        (b'{"error_code":"' + b"x" * 99 + b'"}', "x" * 20),
        (b'{"error_code":"\\u001b[2J"}', "HTTP 400"),
        (b'{"error_code":"\xea\xb0\x80"}', "HTTP 400"),
        (b'{"error_code":{"a":"b"}}', "HTTP 400"),
        (b"<html>", "HTTP 400"),
        (b"", "HTTP 400"),
        (b"[]", "HTTP 400"),
    ],
)
def test_only_a_word_on_the_grant_kills_a_login(body: bytes, code: str) -> None:
    assert of_token(Answer(400, {}, body)) == Refusal(code, "no answer of kauth's")
    assert of_token(Answer(400, {}, b'{"error":"invalid_grant"}')) is LOGIN_CODES["KOE322"]


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": "AT"},
        {"access_token": "", "expires_in": 5},
        {"access_token": 5, "expires_in": 5},
        {"access_token": "AT", "expires_in": "5"},
        {"access_token": "AT", "expires_in": True},
        {"expires_in": 5},
    ],
)
def test_a_200_without_a_whole_token_is_no_token(body: object) -> None:
    refusal = of_token(json_answer(body))

    assert isinstance(refusal, Refusal)
    assert not refusal.is_dead


def test_a_whole_token_with_another_status_is_no_token() -> None:
    assert isinstance(of_token(json_answer({"access_token": "AT", "expires_in": 1}, 201)), Refusal)


def test_a_whole_token_is_handed_on_as_it_is() -> None:
    body = {"token_type": "bearer", "access_token": "AT", "expires_in": 21599}

    assert of_token(json_answer(body)) == body


@pytest.mark.parametrize(
    ("scopes", "named"),
    [
        ((), "its box"),
        (("talk_calendar",), "its box"),
        (("talk_message", "talk_calendar"), "the box '카카오톡 메시지 전송'"),
        (
            ("friends", "talk_message"),
            "the box '카카오 서비스 내 친구목록(프로필사진, 닉네임, 즐겨찾기 포함)' and "
            "'카카오톡 메시지 전송'",
        ),
    ],
)
def test_the_box_of_a_scope_has_kakaos_own_name(scopes: tuple[str, ...], named: str) -> None:
    assert box_of(scopes) == named
