"""What the dealers' answers mean: every code that their documentation names, and all the rest."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from kakaocron.alimtalk import causes, nhn, solapi
from kakaocron.alimtalk.causes import NHN_MEANINGS, SOLAPI_MEANINGS, in_words
from kakaocron.delivery.verdicts import Fate, Found, Meaning, Verdict
from kakaocron.kst import KST
from kakaocron.states import Reason
from kakaocron.system.http import Answer

ACCEPTED, AMBIGUOUS, NOW, GOOD, NOT_SENT = (
    Meaning.ACCEPTED,
    Meaning.AMBIGUOUS,
    Meaning.REFUSED_FOR_NOW,
    Meaning.REFUSED_FOR_GOOD,
    Meaning.NOT_SENT,
)


def answer(body: object, status: int = 200) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {"content-type": "application/json"}, content)


# --- NHN Cloud: sending


def nhn_answer(code: object = 0, own: object = 0, status: int = 200, **message: Any) -> Answer:
    header = {"resultCode": code, "resultMessage": "…", "isSuccessful": code == 0}
    result = {"recipientSeq": 1, "recipientNo": "01012345678", "resultCode": own}
    said = {"requestId": "R1" if code == 0 else None, "sendResults": [result], **message}
    return answer({"header": header, "message": said}, status)


def nhn_header(code: object, status: int = 200) -> Answer:
    header = {"resultCode": code, "isSuccessful": code == 0}
    return answer({"header": header, "message": None}, status)


def test_a_message_is_accepted_under_the_dealers_own_name() -> None:
    assert nhn.of_send(nhn_answer()) == Verdict(ACCEPTED, http_status=200, ref="R1/1")


@pytest.mark.parametrize(
    "doubtful",
    [
        nhn_answer(requestId=None),
        nhn_answer(requestId=""),
        nhn_answer(sendResults=[]),
        nhn_answer(sendResults=None),
        nhn_answer(sendResults=["x"]),
        nhn_answer(own=None),
        nhn_answer(own="0"),
        nhn_answer(own=True),
        nhn_answer(status=500),
        nhn_answer(status=302),
        nhn_answer(requestId="R\n1"),
        nhn_answer(requestId="R" * 101),
        nhn_answer(own=10**400),
        nhn_header(10**400),
        nhn_header(0),
        nhn_header(True),
        nhn_header("0"),
        nhn_header(None),
        answer({"header": {"resultCode": 0, "isSuccessful": False}, "message": {}}),
        answer({}),
        answer([]),
        answer(b"<!doctype html>"),
        answer(b""),
        answer(b'{"header":{"resultCode":0},"header":{"resultCode":-3003}}'),
        answer({"resultCode": -3003}, 400),
        answer(b"upstream error", 502),
    ],
)
def test_what_proves_nothing_may_be_a_delivery(doubtful: Answer) -> None:
    assert nhn.of_send(doubtful).meaning is AMBIGUOUS


NHN_CODES = [
    (-1005, AMBIGUOUS, Reason.UNPROVEN_ANSWER),
    (-7000, AMBIGUOUS, Reason.SERVER_FAULT),
    (-9999, AMBIGUOUS, Reason.SERVER_FAULT),
    (-1017, NOW, Reason.QUOTA),
    *(
        (code, GOOD, Reason.REFUSED)
        for code in (
            4, -1000, -1001, -1006, -1014, -1027, -1028, -1030, -2000, -2005, -2017, -2019, -2025,
            -2027, -2028, -2502, -3003, -3004, -3005, -3010, -3011, -3033, -3042, -3043, -3048,
            -3049, -4019, -5000, -8008, -9993, -9998,
        )
    ),
    (-12345, AMBIGUOUS, Reason.UNPROVEN_ANSWER),
    (7, AMBIGUOUS, Reason.UNPROVEN_ANSWER),
]  # fmt: skip


@pytest.mark.parametrize(("code", "meaning", "reason"), NHN_CODES)
def test_each_code_of_nhns_has_its_meaning(code: int, meaning: Meaning, reason: Reason) -> None:
    alone, of_one = nhn.of_send(nhn_header(code)), nhn.of_send(nhn_answer(-1031, code))

    for verdict in (alone, of_one):
        assert (verdict.meaning, verdict.reason, verdict.code) == (meaning, reason, code)
        assert verdict.cause is not None
        assert f"({code})" in in_words(verdict.cause)


def test_all_recipients_failed_without_a_word_on_ours_is_no_proof() -> None:
    assert nhn.of_send(nhn_answer(-1031, 0)).meaning is AMBIGUOUS
    assert nhn.of_send(nhn_header(-1031)).meaning is AMBIGUOUS


def test_too_many_requests_may_come_again_when_the_dealer_says() -> None:
    said = Answer(429, {"retry-after": "90"}, b"slow down")

    assert (nhn.of_send(said).meaning, nhn.of_send(said).wait_seconds) == (NOW, 90)
    assert nhn.of_send(answer(b"slow down", 429)).wait_seconds is None


# --- NHN Cloud: looking up

KEY = "kc-1"
AT = datetime(2026, 11, 23, 9, 30, 3, tzinfo=KST)


def row(status: object, code: object = None, **more: Any) -> dict[str, Any]:
    fields = {"messageStatus": status, "recipientGroupingKey": KEY, "resultCode": code}
    return {**fields, "receiveDate": "2026-11-23 09:30:03.0", **more}


def listed(*rows: object, code: int = 0) -> Answer:
    header = {"resultCode": code, "isSuccessful": code == 0}
    found = {"totalCount": len(rows), "messages": list(rows)}
    return answer({"header": header, "messageSearchResultResponse": found})


@pytest.mark.parametrize(
    ("said", "fate", "code"),
    [
        (row("COMPLETED", "1000"), Fate.DELIVERED, "1000"),
        (row("COMPLETED", 1000), Fate.DELIVERED, "1000"),
        (row("FAILED", "1000"), Fate.ACCEPTED, "1000"),
        (row("COMPLETED", None), Fate.ACCEPTED, None),
        (row("COMPLETED", "3005"), Fate.ACCEPTED, "3005"),
        (row("COMPLETED", "3018"), Fate.ACCEPTED, "3018"),
        (row("FAILED", "3018"), Fate.FAILED, "3018"),
        (row("FAILED", 3019), Fate.FAILED, "3019"),
        (row("FAILED", "3020"), Fate.FAILED, "3020"),
        (row("FAILED", "2001"), Fate.FAILED, "2001"),
        (row("FAILED", "4143"), Fate.FAILED, "4143"),
        (row("FAILED", ""), Fate.ACCEPTED, None),
        (row("FAILED", None), Fate.ACCEPTED, None),
        *((row("FAILED", code), Fate.ACCEPTED, code) for code in sorted(nhn._UNCERTAIN)),
        (row("READY"), Fate.ACCEPTED, None),
        (row("SOMETHING NEW", "3018"), Fate.ACCEPTED, "3018"),
        (row(None), Fate.ACCEPTED, None),
        (row("FAILED", "30\n18"), Fate.ACCEPTED, None),
        (row("FAILED", "3" * 41), Fate.ACCEPTED, None),
        (row("FAILED", 10**400), Fate.ACCEPTED, None),
        (row("FAILED", True), Fate.ACCEPTED, None),
        (row("CANCEL"), Fate.FAILED, "CANCEL"),
    ],
)
def test_delivered_is_completed_with_1000_and_nothing_else(
    said: dict[str, Any], fate: Fate, code: str | None
) -> None:
    found = nhn.of_list(listed(said), KEY)
    header = {"resultCode": 0, "isSuccessful": True}

    assert (found.fate, found.code) == (fate, code)
    assert nhn.of_single(answer({"header": header, "message": said})) == found


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("2026-11-23 09:30:03.0", AT),
        ("2026-11-23 09:30:03", AT),
        ("2026-11-23 09:30", AT.replace(second=0)),
        ("2026-11-23T09:30:03.123", AT),
        ("", None),
        (None, None),
        ("soon", None),
        (5, None),
    ],
)
def test_a_date_may_have_seconds_and_a_fraction(date: object, at: datetime | None) -> None:
    found = nhn.of_list(listed(row("COMPLETED", "1000", receiveDate=date)), KEY)

    assert found == Found(Fate.DELIVERED, at, "1000")


@pytest.mark.parametrize(
    ("said", "fate"),
    [
        (listed(), Fate.NOT_FOUND),
        (listed(code=-1016), Fate.NOT_FOUND),
        (listed(code=-4016), Fate.NOT_FOUND),
        (listed(code=-4003), Fate.NOT_TOLD),
        (listed(code=-1001), Fate.NOT_TOLD),
        (listed(row("COMPLETED", "1000", recipientGroupingKey="another")), Fate.NOT_TOLD),
        (listed("x"), Fate.NOT_TOLD),
        (answer({"header": {"resultCode": 0, "isSuccessful": True}}), Fate.NOT_TOLD),
        (answer(b"<html>"), Fate.NOT_TOLD),
        (answer(b"", 502), Fate.NOT_TOLD),
    ],
)
def test_not_found_is_an_empty_list_of_nhns_own(said: Answer, fate: Fate) -> None:
    assert nhn.of_list(said, KEY).fate is fate


def test_two_messages_by_one_key_are_told_of() -> None:
    found = nhn.of_list(listed(row("READY"), row("COMPLETED", "1000")), KEY)

    assert found.fate is Fate.DELIVERED
    assert found.cause is not None
    assert in_words(found.cause) == "NHN Cloud knows 2 messages by one key"


def test_a_single_message_that_is_not_there_is_not_found() -> None:
    assert nhn.of_single(nhn_header(-1016)).fate is Fate.NOT_FOUND
    assert nhn.of_single(nhn_header(0)).fate is Fate.NOT_TOLD
    assert nhn.of_single(answer(b"", 500)).fate is Fate.NOT_TOLD


# --- SOLAPI


def test_the_signature_is_that_of_the_documentations_example() -> None:
    """The vector that the fact sheet of the API has: HMAC-SHA256 of date and salt, in hex."""
    header = solapi.authorization(
        "TESTKEY",
        "TESTSECRET0123456789",
        "2026-10-01T00:00:00Z",
        "0123456789abcdef0123456789abcdef",
    )

    assert header == (
        "HMAC-SHA256 apiKey=TESTKEY, date=2026-10-01T00:00:00Z, "
        "salt=0123456789abcdef0123456789abcdef, "
        "signature=f56b4e57800d267002f11b4f755114e39459702aa218fc5ced602edac0e045c5"
    )


def added(code: object = "2000", errors: object = 0, count: int = 1) -> Answer:
    return answer(
        {"errorCount": errors, "resultList": [{"statusCode": code, "messageId": "M1"}] * count}
    )


def test_a_message_in_a_group_has_a_name() -> None:
    assert solapi.of_added(added()) == "M1"


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (added("1062", 1), GOOD),
        (added("1041", 1), GOOD),
        (added("1026", 1), GOOD),
        (added("1010", 1), GOOD),
        (added("1030", 1), NOW),
        (added("1024", 1), NOW),
        (added("2000", 1), AMBIGUOUS),
        (added("2000", None), AMBIGUOUS),
        (added(None), AMBIGUOUS),
        (added(count=2), AMBIGUOUS),
        (added(count=0), AMBIGUOUS),
        (answer(b""), AMBIGUOUS),
        (answer(b"", 502), AMBIGUOUS),
        (answer({"errorCode": "InvalidStatus"}, 400), AMBIGUOUS),
    ],
)
def test_what_a_group_does_not_take_is_judged(said: Answer, meaning: Meaning) -> None:
    verdict = solapi.of_added(said)

    assert isinstance(verdict, Verdict)
    assert verdict.meaning is meaning


def error(code: str, status: int) -> Answer:
    return answer({"errorCode": code, "errorMessage": "…"}, status)


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (answer({"groupId": "G", "status": "SENDING"}), ACCEPTED),
        (answer({"groupId": "G", "status": "COMPLETE"}), ACCEPTED),
        (error("GroupInProcessing", 409), ACCEPTED),
        (error("AlreadySent", 409), ACCEPTED),
        (error("ScheduledGroup", 409), ACCEPTED),
        (error("NotEnoughBalance", 402), NOW),
        (error("RequestTimeTooSkewed", 403), NOW),
        (error("DuplicatedSignature", 403), NOW),
        (error("ResourceNotFound", 404), NOW),
        (error("MessagesNotFound", 400), NOW),
        (error("DeletedGroup", 400), NOW),
        (error("FailedGroup", 400), NOW),
        (error("InvalidAPIKey", 403), GOOD),
        (error("SignatureDoesNotMatch", 403), GOOD),
        (error("ValidationError", 400), GOOD),
        (error("InactiveApp", 400), GOOD),
        (error("InvalidStatus", 400), AMBIGUOUS),
        (error("SomethingNew", 409), AMBIGUOUS),
        (error("InternalError", 500), AMBIGUOUS),
        (error("AlreadySent", 200), ACCEPTED),
        (answer({"status": "PENDING"}), AMBIGUOUS),
        (answer({}), AMBIGUOUS),
        (answer(b"<html>"), AMBIGUOUS),
        (answer(b"upstream error", 503), AMBIGUOUS),
        (answer(b"slow down", 429), NOW),
    ],
)
def test_the_call_that_sends_is_judged(said: Answer, meaning: Meaning) -> None:
    verdict = solapi.of_sent(said, "M1")

    assert verdict.meaning is meaning
    assert verdict.ref == ("M1" if meaning is ACCEPTED else None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer({"status": "PENDING", "count": {"total": 0}}), 0),
        (answer({"status": "PENDING", "count": {"total": 1}}), 1),
        (answer({"status": "PENDING", "count": {"total": 2}}), 2),
        (answer({"status": "SENDING", "count": {"total": 1}}), ACCEPTED),
        (answer({"status": "COMPLETE", "count": {"total": 1}}), ACCEPTED),
        (answer({"status": "DELETED", "count": {"total": 1}}), NOT_SENT),
        (answer({"status": "PENDING"}), NOT_SENT),
        (answer({}, 500), NOT_SENT),
        (error("ResourceNotFound", 404), NOW),
    ],
)
def test_a_group_says_what_it_holds(said: Answer, expected: int | Meaning) -> None:
    found = solapi.of_group(said)

    assert (found.meaning if isinstance(found, Verdict) else found) == expected


@pytest.mark.parametrize(
    ("said", "fate"),
    [
        (answer({"status": "PENDING"}), Fate.NOT_FOUND),
        (error("ResourceNotFound", 404), Fate.NOT_FOUND),
        (answer({"status": "DELETED"}), Fate.FAILED),
        (answer({"status": "FAILED"}), Fate.FAILED),
        (answer({"status": "SENDING"}), None),
        (answer({"status": "COMPLETE"}), None),
        (answer({"status": "SOMETHING NEW"}), Fate.NOT_TOLD),
        (answer({}), Fate.NOT_TOLD),
        (answer(b"", 502), Fate.NOT_TOLD),
        (error("InvalidAPIKey", 403), Fate.NOT_TOLD),
    ],
)
def test_an_unsent_group_has_sent_nothing(said: Answer, fate: Fate | None) -> None:
    found = solapi.found_group(said)

    assert (found.fate if found else None) is fate


def message(code: object, **more: Any) -> dict[str, Any]:
    return {"statusCode": code, "dateReceived": "2026-11-23T00:30:03.000Z", **more}


@pytest.mark.parametrize(
    ("said", "fate"),
    [
        (message("4000"), Fate.DELIVERED),
        (message("4000", replacement=True), Fate.FAILED),
        (message("4000", replacement=1), Fate.FAILED),
        (message("4000", replacement=False), Fate.DELIVERED),
        (message("4000", replacement=0), Fate.DELIVERED),
        (message("2000"), Fate.ACCEPTED),
        (message("3000"), Fate.ACCEPTED),
        (message(""), Fate.ACCEPTED),
        (message(None), Fate.ACCEPTED),
        (message("NEW"), Fate.ACCEPTED),
        (message("3" * 9), Fate.ACCEPTED),
        *((message(code), Fate.ACCEPTED) for code in sorted(solapi._UNCERTAIN)),
        (message("3104"), Fate.FAILED),
        (message("3107"), Fate.FAILED),
        (message("2230"), Fate.FAILED),
        (message("1026"), Fate.FAILED),
    ],
)
def test_delivered_is_4000_and_nothing_else(said: dict[str, Any], fate: Fate) -> None:
    for messages in ({"M1": said}, [said]):
        found = solapi.of_messages(answer({"messageList": messages}))
        assert found.fate is fate
        assert found.at == (None if fate is Fate.ACCEPTED else AT)


@pytest.mark.parametrize(
    ("messages", "fate"),
    [({}, Fate.NOT_TOLD), ([], Fate.NOT_TOLD), (None, Fate.NOT_TOLD), ({"M1": "x"}, Fate.NOT_TOLD),
     ({"M1": message("4000"), "M2": message("4000")}, Fate.ACCEPTED)],
)  # fmt: skip
def test_a_group_of_ours_holds_one_message(messages: object, fate: Fate) -> None:
    assert solapi.of_messages(answer({"messageList": messages})).fate is fate


def test_a_date_without_a_zone_is_none() -> None:
    said = message("4000", dateReceived="2026-11-23T00:30:03", dateReported=None)

    assert solapi.of_message(said) == Found(Fate.DELIVERED, None, "4000")


def test_every_code_that_decides_is_explained() -> None:
    codes = {str(code) for code in causes.OF_NHNS_ACCOUNT} | nhn._UNCERTAIN

    assert codes <= NHN_MEANINGS.keys()
    names = causes.OF_SOLAPIS_ACCOUNT | solapi._UNCERTAIN | solapi._SENT_BEFORE
    assert names - {"ScheduledGroup"} <= SOLAPI_MEANINGS.keys()
