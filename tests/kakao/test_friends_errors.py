"""A plain error for a call with several receivers proves nothing about those it does not name."""

from __future__ import annotations

import json

import pytest

from kakaocron.delivery.verdicts import Meaning, Verdict
from kakaocron.errors import Cause
from kakaocron.kakao.answers import of_friends
from kakaocron.kakao.codes import RECEIVER_CODES
from kakaocron.states import Reason
from kakaocron.system.http import Answer


def _answer(code: int, **more: object) -> Answer:
    return Answer(400, {}, json.dumps({"msg": "…", "code": code, **more}).encode())


@pytest.mark.parametrize("code", sorted(RECEIVER_CODES))
def test_a_receivers_error_for_a_lone_receiver_is_his(code: int) -> None:
    verdicts = of_friends(_answer(code), ["a"])

    assert verdicts["a"].code == code
    assert verdicts["a"].meaning is not Meaning.AMBIGUOUS


@pytest.mark.parametrize("code", sorted(RECEIVER_CODES))
def test_a_receivers_error_for_several_is_ambiguous_for_those_not_named(code: int) -> None:
    verdicts = of_friends(_answer(code, receiver_ids=["a"]), ["a", "b"])

    assert verdicts["a"] == of_friends(_answer(code), ["a"])["a"]
    assert verdicts["b"] == Verdict(
        Meaning.AMBIGUOUS,
        Reason.UNPROVEN_ANSWER,
        Cause("kakao-one-of-several", {"code": code}),
        http_status=400,
    )


@pytest.mark.parametrize("code", [-401, -2, -10, -402])
def test_an_error_of_the_call_holds_for_all_receivers(code: int) -> None:
    verdicts = of_friends(_answer(code), ["a", "b"])

    assert {verdict.code for verdict in verdicts.values()} == {code}
    assert Meaning.AMBIGUOUS not in {verdict.meaning for verdict in verdicts.values()}


@pytest.mark.parametrize(
    ("status", "of_the_named"),
    [
        (400, (Meaning.AMBIGUOUS, Reason.UNPROVEN_ANSWER)),
        (429, (Meaning.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW)),
        (503, (Meaning.AMBIGUOUS, Reason.SERVER_FAULT)),
    ],
)
def test_an_error_without_a_code_that_names_one_receiver_proves_nothing_of_the_others(
    status: int, of_the_named: tuple[Meaning, Reason]
) -> None:
    verdicts = of_friends(Answer(status, {}, b'{"receiver_ids":["a"]}'), ["a", "b"])
    cause = verdicts["a"].cause

    assert cause is not None
    assert cause.facts["status"] == status
    assert verdicts["a"] == Verdict(*of_the_named, cause, http_status=status)
    assert verdicts["b"] == Verdict(
        Meaning.AMBIGUOUS, Reason.UNPROVEN_ANSWER, cause, http_status=status
    )
