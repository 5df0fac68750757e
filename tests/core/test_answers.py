"""The table that decides: every code of Kakao's error pages, beside what a copy of them says.

The tables below were written from Kakao's documentation, not from the code that they judge.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.core.answers import (
    LOGIN_CODES,
    MESSAGE_CODES,
    Answer,
    Failure,
    Outcome,
    Phase,
    Refusal,
    of_failure,
    of_friends,
    of_memo,
    of_token,
)
from kakaocron.core.ledger import Reason

AMBIGUOUS = {-1, -7, -603, -9798}
REFUSED_FOR_NOW = {-3, -10, -11, -502, -531, -532, -533, -536}
LOG_IN_AGAIN = {-401}
REFUSED_FOR_GOOD = {
    -2, -4, -5, -6, -8, -9, -12, -101, -103, -402, -403, -405, -406, -501, -504, -530, -602, -606,
    -903, -911,
}  # fmt: skip
EXPECTED = (
    dict.fromkeys(AMBIGUOUS, Outcome.AMBIGUOUS)
    | dict.fromkeys(REFUSED_FOR_NOW, Outcome.REFUSED_FOR_NOW)
    | dict.fromkeys(LOG_IN_AGAIN, Outcome.LOG_IN_AGAIN)
    | dict.fromkeys(REFUSED_FOR_GOOD, Outcome.REFUSED_FOR_GOOD)
)

DEAD = {"KOE319", "KOE322"}
SETUP = {"KOE004", "KOE005", "KOE006", "KOE009", "KOE010", "KOE101", "KOE205", "KOE310"}
LATER = {"KOE003", "KOE237", "KOE303", "KOE320"}


def json_answer(body: object, status: int = 200) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())


def test_the_table_has_every_code_of_the_page_and_no_other() -> None:
    assert set(MESSAGE_CODES) == set(EXPECTED)


@pytest.mark.parametrize("code", sorted(EXPECTED))
@pytest.mark.parametrize("status", [200, 400, 401, 403, 503])
def test_a_code_decides_whatever_the_status_and_the_wording(code: int, status: int) -> None:
    answer = json_answer({"msg": "reworded", "code": code}, status)

    assert of_memo(answer).outcome is EXPECTED[code]
    assert of_memo(answer).code == code
    assert of_friends(answer, ["uuid-aaa"])["uuid-aaa"].outcome is EXPECTED[code]


@pytest.mark.parametrize("code", [-534, -535, -99999, -13])
def test_a_code_that_no_table_names_is_ambiguous(code: int) -> None:
    verdict = of_memo(json_answer({"msg": "?", "code": code}, 400))

    assert (verdict.outcome, verdict.reason) == (Outcome.AMBIGUOUS, Reason.UNPROVEN_ANSWER)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"result_code":0}', Outcome.CONFIRMED),
        (b'{"result_code":0,"more":"fields"}', Outcome.CONFIRMED),
        (b'{"result_code":-500}', Outcome.AMBIGUOUS),
        (b'{"result_code":1}', Outcome.AMBIGUOUS),
        (b'{"result_code":"0"}', Outcome.AMBIGUOUS),
        (b'{"result_code":0.0}', Outcome.AMBIGUOUS),
        (b'{"result_code":false}', Outcome.AMBIGUOUS),
        (b'{"result_code":null}', Outcome.AMBIGUOUS),
        (b'{"result_code":0', Outcome.AMBIGUOUS),
        (b'[{"result_code":0}]', Outcome.AMBIGUOUS),
        (b"{}", Outcome.AMBIGUOUS),
        (b"", Outcome.AMBIGUOUS),
        (b"0", Outcome.AMBIGUOUS),
        (b"null", Outcome.AMBIGUOUS),
        (b"<html>Wi-Fi login</html>", Outcome.AMBIGUOUS),
        (b"\xff\xfe\x00", Outcome.AMBIGUOUS),
        (b"[" * 100_000, Outcome.AMBIGUOUS),
    ],
)
def test_only_result_code_0_confirms_a_memo(body: bytes, outcome: Outcome) -> None:
    assert of_memo(Answer(200, {}, body)).outcome is outcome


@pytest.mark.parametrize("status", sorted(set(range(100, 600)) - {200}))
def test_no_status_but_200_confirms_whatever_the_body(status: int) -> None:
    memo = of_memo(json_answer({"result_code": 0}, status))
    friend = of_friends(json_answer({"successful_receiver_uuids": ["a"]}, status), ["a"])["a"]

    assert Outcome.CONFIRMED not in {memo.outcome, friend.outcome}


@pytest.mark.parametrize("status", [*range(500, 600), 300, 302, 100, 204, 404, 418])
def test_a_status_without_kakaos_code_proves_nothing(status: int) -> None:
    assert of_memo(Answer(status, {}, b"<html>")).outcome is Outcome.AMBIGUOUS


@pytest.mark.parametrize(
    ("sent", "failed", "expected"),
    [
        (["a", "b"], None, {"a": Outcome.CONFIRMED, "b": Outcome.CONFIRMED}),
        (["a"], [(-532, ["b"])], {"a": Outcome.CONFIRMED, "b": Outcome.REFUSED_FOR_NOW}),
        (["a"], [(-530, ["b"])], {"a": Outcome.CONFIRMED, "b": Outcome.REFUSED_FOR_GOOD}),
        (["a"], None, {"a": Outcome.CONFIRMED, "b": Outcome.AMBIGUOUS}),
        (None, None, {"a": Outcome.AMBIGUOUS, "b": Outcome.AMBIGUOUS}),
        (["a"], [(-532, ["a"])], {"a": Outcome.AMBIGUOUS, "b": Outcome.AMBIGUOUS}),
        (["c"], None, {"a": Outcome.AMBIGUOUS, "b": Outcome.AMBIGUOUS}),
        ([], [(-999, ["a"])], {"a": Outcome.AMBIGUOUS, "b": Outcome.AMBIGUOUS}),
    ],
)
def test_each_friend_has_the_verdict_that_names_him(
    sent: list[str] | None,
    failed: list[tuple[int, list[str]]] | None,
    expected: dict[str, Outcome],
) -> None:
    body: dict[str, object] = {"result_code": -500}
    if sent is not None:
        body["successful_receiver_uuids"] = sent
    if failed is not None:
        body["failure_info"] = [
            {"code": code, "msg": "…", "receiver_uuids": uuids} for code, uuids in failed
        ]
    verdicts = of_friends(json_answer(body), ["a", "b"])

    assert {uuid: verdict.outcome for uuid, verdict in verdicts.items()} == expected


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

    if memo.outcome is Outcome.CONFIRMED:
        assert isinstance(body, dict)
        assert (status, body["result_code"]) == (200, 0)
    if friend.outcome is Outcome.CONFIRMED:
        assert isinstance(body, dict)
        assert status == 200
        assert "a" in body["successful_receiver_uuids"]


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.READ_TIMEOUT])
def test_a_failure_is_ambiguous_once_anything_may_have_left(reason: Reason) -> None:
    before, after = (of_failure(Failure(phase, reason, "…")) for phase in Phase)

    assert (before.outcome, before.phase) == (Outcome.NOT_SENT, Phase.BEFORE)
    assert (after.outcome, after.phase) == (Outcome.AMBIGUOUS, Phase.AFTER)
    assert before.reason is after.reason is reason


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
    assert refusal.is_dead is (code in DEAD)
    assert refusal.is_setup is (code in SETUP)


def test_the_limit_on_tokens_asks_for_at_least_ten_minutes_of_rest() -> None:
    assert LOGIN_CODES["KOE237"].wait_seconds >= 600


@pytest.mark.parametrize(
    ("body", "is_dead"),
    [
        (b'{"error":"invalid_grant"}', True),
        (b'{"error":"invalid_grant","error_code":"KOE999"}', False),
        (b'{"error":"server_error"}', False),
        (b'{"error_code":5}', False),
        (b"<html>", False),
        (b"", False),
        (b"[]", False),
    ],
)
def test_only_a_word_on_the_grant_kills_a_login(body: bytes, is_dead: bool) -> None:
    refusal = of_token(Answer(400, {}, body))

    assert isinstance(refusal, Refusal)
    assert refusal.is_dead is is_dead


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


def test_a_whole_token_is_handed_on_as_it_is() -> None:
    body = {"token_type": "bearer", "access_token": "AT", "expires_in": 21599}

    assert of_token(json_answer(body)) == body
