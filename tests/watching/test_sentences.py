"""What a person reads of a delivery that ended badly: for whom, and what helps."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Attempt, Delivery
from kakaocron.ledger.events import Result
from kakaocron.states import Reason, State
from kakaocron.watching.sentences import advice, sentence

SLOT = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
RETRY = "kakaocron retry report@20261123T0930"


def failed(result: Result, receiver: str = "me") -> Delivery:
    tries = (Attempt(1, "x", SLOT, SLOT, (receiver,), SLOT, SLOT, {receiver: result}),)
    return Delivery(
        "report@20261123T0930", "report", "peak", SLOT, State.FAILED, (receiver,),
        reason=result.reason, detail=result.detail, attempts=tries, targets={receiver: result},
    )  # fmt: skip


def refused(code: int | None, reason: Reason = Reason.REFUSED, detail: str = "x") -> Result:
    return Result(State.FAILED, reason, detail, code, 403 if code else None)


@pytest.mark.parametrize(
    ("result", "said", "helps"),
    [
        (
            refused(-402, Reason.NOT_LOGGED_IN, "not agreed to talk_message"),
            "카카오톡 메시지",
            True,
        ),
        (refused(-402, Reason.NOT_LOGGED_IN), "tick the box '카카오톡 메시지 전송'", True),
        (refused(-530), "KakaoTalk's settings", False),
        (refused(-12), "Only Kakao", False),
        (refused(None, Reason.REFUSED, "'x' is neither in [friends]"), "config.toml", False),
        (refused(-532, Reason.QUOTA), "after midnight", True),
        (refused(-531, Reason.QUOTA), "next month", False),
        (refused(None, Reason.QUOTA), "--at 'tomorrow 00:05'", True),
        (refused(None, Reason.CONTENT_FAILED), "preview", True),
        (refused(None, Reason.UNREACHABLE), "To send it anyway", True),
        (refused(-501), "To send it anyway", True),
    ],
)
def test_to_send_it_again_is_advised_only_where_it_helps(
    result: Result, said: str, helps: bool
) -> None:
    found = advice(failed(result))
    assert said in found
    assert (RETRY in found) is helps


def test_a_wrong_parameter_to_a_friend_names_the_two_usual_causes() -> None:
    found = advice(failed(refused(-2), "uuid-aaa"))
    assert "a uuid of another app, or the sender's own" in found
    assert "uuid" not in advice(failed(refused(-2)))


def test_who_has_it_and_who_has_not_is_named() -> None:
    targets = {
        "uuid-a": Result(State.CONFIRMED),
        "uuid-b": refused(-530),
        "uuid-c": Result(State.CONFIRMED),
        "me": Result(State.UNKNOWN, Reason.READ_TIMEOUT),
    }
    one = Delivery(
        "report@20261123T0930", "report", "peak", SLOT, State.FAILED, tuple(targets),
        reason=Reason.REFUSED, detail="the receiver refuses messages (-530)", targets=targets,
    )  # fmt: skip
    said = sentence(one, {"uuid-a": "mum"})
    assert "It has not reached uuid-b; it has reached mum, uuid-c; nobody knows of me." in said
    alone = failed(refused(-530))
    assert "reached" not in sentence(alone)


def test_what_is_sent_again_by_itself_is_said_to_be() -> None:
    again = SLOT + timedelta(seconds=31)
    one = Delivery(
        "report@20261123T0930", "report", "peak", SLOT, State.UNKNOWN, ("me",),
        reason=Reason.READ_TIMEOUT, next_attempt_at=again,
    )  # fmt: skip
    assert "It is sent again by itself at 09:30:31" in sentence(one)
    assert "resolve report@20261123T0930 --delivered" in sentence(one)


def test_what_was_sent_by_hand_is_named_by_the_id_that_commands_take() -> None:
    id_ = "send-0123456789abcdef@20261123T0930"
    one = Delivery(id_, "send-0123456789abcdef", "once", SLOT, State.FAILED, reason=Reason.REFUSED)
    assert sentence(one).startswith(f"Failed: '{id_}' (")
