"""The dealers of 알림톡: what they take, refuse, and say of a message afterwards."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from kakaocron.errors import UsageError
from kakaocron.rehearsal.sandbox.faults import FaultPlan, InjectedFault
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.nhn import MESSAGES
from kakaocron.rehearsal.sandbox.settings import DealerSettings, Settings
from kakaocron.rehearsal.sandbox.wire import WireRequest
from tests.rehearsal.sandbox.support import NOW, content

DEALERS = DealerSettings()
JSON = "application/json;charset=UTF-8"
SEND = f"/alimtalk/v2.3/appkeys/{DEALERS.app_key}/messages"
GROUPS = "/messages/v4/groups"
NUMBER, NOBODY, SILENT, UNCERTAIN = "01012345678", "01000000001", "01000000003", "01000000005"
VARIABLES = {"이름": "민수", "시간": "09:30"}


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


# --- NHN


def recipient(number: str = NUMBER, **more: Any) -> dict[str, Any]:
    fields = {"templateParameter": VARIABLES, "resendParameter": {"isResend": False}}
    return {"recipientNo": number, **fields, **more}


def nhn_send(
    *recipients: dict[str, Any],
    key: str | None = None,
    secret: str = DEALERS.secret_key,
    **more: Any,
) -> WireRequest:
    body = {
        "senderKey": DEALERS.sender_key,
        "templateCode": "KC_REPORT_01",
        "recipientList": list(recipients or [recipient()]),
        **more,
    }
    headers = {"Content-Type": JSON, "X-Secret-Key": secret}
    if key is not None:
        headers["X-NC-API-IDEMPOTENCY-KEY"] = key
    return WireRequest("POST", SEND, "", headers, json.dumps(body).encode())


def nhn_get(path: str = SEND, **query: str) -> WireRequest:
    return WireRequest("GET", path, urlencode(query), {"X-Secret-Key": DEALERS.secret_key})


def code(kakao: Kakao, request: WireRequest, at: datetime = NOW) -> int:
    answer = kakao.handle(request, at)
    header = content(answer)["header"]
    assert answer.status == 200
    assert header["isSuccessful"] is (header["resultCode"] == 0)
    return int(header["resultCode"])


def rows(kakao: Kakao, at: datetime, **query: str) -> list[dict[str, Any]]:
    dates = {"startRequestDate": "2026-11-23 09:28", "endRequestDate": "2026-11-23 10:30"}
    found = content(kakao.handle(nhn_get(**dates, **query), at))
    return list(found["messageSearchResultResponse"]["messages"])


def test_nhn_takes_a_message_shows_it_later_and_delivers_it_once(kakao: Kakao) -> None:
    taken = content(kakao.handle(nhn_send(recipient(recipientGroupingKey="k1"), key="k1"), NOW))
    (result,) = taken["message"]["sendResults"]

    assert (taken["header"]["resultCode"], result["resultCode"]) == (0, 0)
    assert kakao.deliveries == []
    assert rows(kakao, after(1), recipientGroupingKey="k1") == []  # not in the list yet
    (row,) = rows(kakao, after(3), recipientGroupingKey="k1")
    assert (row["messageStatus"], row["resultCode"]) == ("COMPLETED", "1000")
    assert row["receiveDate"] == "2026-11-23 09:30:02.0"
    (one,) = kakao.deliveries
    assert (one.receiver, one.text) == (NUMBER, "민수님, 09:30 보고입니다.")
    assert one.at == after(2)


def test_nhn_finds_by_request_id_and_tells_nothing_of_the_end_before_it(kakao: Kakao) -> None:
    taken = content(kakao.handle(nhn_send(recipient(SILENT)), NOW))["message"]["requestId"]
    found = content(kakao.handle(nhn_get(f"{SEND}/{taken}/1"), after(9)))["message"]

    assert found["messageStatus"] == "READY"
    assert "resultCode" not in found
    assert code(kakao, nhn_get(f"{SEND}/nobody/1")) == -1016
    assert rows(kakao, after(9), recipientGroupingKey="another") == []
    assert kakao.deliveries == []


def test_the_end_of_a_message_can_change(kakao: Kakao) -> None:
    kakao.handle(nhn_send(recipient(UNCERTAIN)), NOW)
    found = [rows(kakao, after(seconds))[0]["resultCode"] for seconds in (59, 60)]

    assert found == ["3005", "1000"]
    assert [one.at for one in kakao.deliveries] == [after(60)]


@pytest.mark.parametrize(("seconds", "expected"), [(599, -1005), (600, 0), (601, 0)])
def test_a_key_protects_for_ten_minutes(kakao: Kakao, seconds: float, expected: int) -> None:
    kakao.handle(nhn_send(key="k1"), NOW)

    assert code(kakao, nhn_send(key="k1"), after(seconds)) == expected
    kakao.phones.settle(after(999))
    assert len(kakao.deliveries) == (1 if expected else 2)


def test_a_refused_call_uses_up_its_key_too(kakao: Kakao) -> None:
    assert code(kakao, nhn_send(key="k1", templateCode="NONE")) == -3003
    assert code(kakao, nhn_send(key="k1"), after(60)) == -1005


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (nhn_send(secret="wrong"), -1001),
        (nhn_send(senderKey="f" * 40), -1006),
        (nhn_send(templateCode="NONE"), -3003),
        (nhn_send(unknown=1), -2000),
        (nhn_send(recipientList=[]), -2000),
        (nhn_send(recipient(recipientGroupingKey="k" * 101)), -2000),
        (nhn_send(recipient("0212345678")), -1031),
        (nhn_send(recipient(templateParameter={"이름": "민수"})), -1031),
        (nhn_send(recipient(templateParameter={"#{이름}": "민수", "#{시간}": "1"})), -1031),
        (nhn_send(recipient(templateParameter=VARIABLES | {"시간": "가" * 1290})), -1031),
        (nhn_get(), -4103),
        (nhn_get(startRequestDate="2026-11-01 00:00", endRequestDate="2026-12-02 00:00"), -4003),
        (nhn_get(startRequestDate="2026-08-01 00:00", endRequestDate="2026-08-02 00:00"), -4017),
        (nhn_get(recipientGroupingKey="k1"), -4103),
    ],
)  # fmt: skip
def test_nhn_refuses_inside_http_200(kakao: Kakao, request_: WireRequest, expected: int) -> None:
    assert code(kakao, request_) == expected
    kakao.phones.settle(after(999))
    assert kakao.deliveries == []


def test_a_wrong_app_key_is_another_code(kakao: Kakao) -> None:
    path = SEND.replace(DEALERS.app_key, "another")

    assert code(kakao, nhn_get(path)) == -1000


def test_of_several_recipients_each_has_a_code_of_its_own(kakao: Kakao) -> None:
    answer = content(kakao.handle(nhn_send(recipient(), recipient("021")), NOW))

    assert answer["header"]["resultCode"] == 0
    assert [one["resultCode"] for one in answer["message"]["sendResults"]] == [0, -4019]


def test_the_daily_quota_of_a_sender_profile_ends(kakao: Kakao) -> None:
    kakao = Kakao(Settings(dealers=DealerSettings(daily_quota=1)))

    assert [code(kakao, nhn_send()) for _ in range(2)] == [0, -1017]
    assert code(kakao, nhn_send(), NOW + timedelta(days=1)) == 0


@pytest.mark.parametrize("resend", [{}, {"isResend": True}])
def test_who_does_not_switch_the_sms_off_pays_for_one(
    kakao: Kakao, resend: dict[str, bool]
) -> None:
    kakao.handle(nhn_send(recipient(NOBODY, resendParameter=resend)), NOW)
    kakao.handle(nhn_send(recipient(NOBODY)), NOW)
    kakao.phones.settle(after(3))

    assert [one.path for one in kakao.deliveries] == [f"{SEND}#sms"]


# --- SOLAPI


def solapi(
    method: str,
    path: str,
    body: object = None,
    *,
    at: datetime = NOW,
    salt: str = "",
    secret: str = DEALERS.api_secret,
    key: str = DEALERS.api_key,
    query: str = "",
) -> WireRequest:
    date = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    salt = salt or hashlib.sha256(f"{method}{path}{body}{query}{at}".encode()).hexdigest()[:32]
    signature = hmac.new(secret.encode(), f"{date}{salt}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Authorization": f"HMAC-SHA256 apiKey={key}, date={date}, salt={salt}, "
        f"signature={signature}",
        "Content-Type": "application/json",
    }
    sent = b"" if body is None else json.dumps(body).encode()
    return WireRequest(method, path, query, headers, sent)


def ata(number: str = NUMBER, **more: Any) -> dict[str, Any]:
    options = {
        "pfId": DEALERS.pf_id,
        "templateId": "KC_REPORT_01",
        "disableSms": True,
        "variables": {f"#{{{name}}}": value for name, value in VARIABLES.items()},
    }
    return {
        "to": number,
        "from": DEALERS.senders[0],
        "type": "ATA",
        "kakaoOptions": options,
        **more,
    }


def error(kakao: Kakao, request: WireRequest, at: datetime = NOW) -> tuple[int, str | None]:
    answer = kakao.handle(request, at)
    return answer.status, content(answer).get("errorCode")


def group_with(kakao: Kakao, *messages: Mapping[str, Any]) -> str:
    group = str(content(kakao.handle(solapi("POST", GROUPS, {}), NOW))["groupId"])
    path = f"{GROUPS}/{group}"
    for number, one in enumerate(messages):
        put = solapi("PUT", f"{path}/messages", {"messages": [one]}, salt=f"put-put-put-{number}")
        assert kakao.handle(put, NOW).status == 200
    return path


def test_a_group_is_sent_once(kakao: Kakao) -> None:
    path = group_with(kakao, ata())

    assert content(kakao.handle(solapi("GET", path), NOW))["status"] == "PENDING"
    assert content(kakao.handle(solapi("POST", f"{path}/send"), NOW))["status"] == "SENDING"
    again = [solapi("POST", f"{path}/send", at=after(seconds)) for seconds in (1, 5)]
    assert error(kakao, again[0], after(1)) == (409, "GroupInProcessing")
    assert error(kakao, again[1], after(5)) == (409, "AlreadySent")
    listed = content(kakao.handle(solapi("GET", f"{path}/messages", at=after(5)), after(5)))
    (one,) = listed["messageList"].values()
    assert (one["statusCode"], one["dateReceived"]) == ("4000", "2026-11-23T00:30:02.000Z")
    assert [one.text for one in kakao.deliveries] == ["민수님, 09:30 보고입니다."]


def test_a_group_without_a_message_sends_nothing(kakao: Kakao) -> None:
    path = group_with(kakao)

    assert error(kakao, solapi("POST", f"{path}/send")) == (400, "MessagesNotFound")
    assert kakao.handle(solapi("DELETE", path), NOW).status == 200
    again = solapi("POST", f"{path}/send", at=after(1))
    assert error(kakao, again, after(1)) == (400, "DeletedGroup")


def test_a_message_that_is_put_twice_is_two(kakao: Kakao) -> None:
    path = group_with(kakao, ata(), ata())
    kakao.handle(solapi("POST", f"{path}/send"), NOW)
    kakao.phones.settle(after(3))

    assert len(kakao.deliveries) == 2


def test_of_a_group_some_may_fail_and_the_others_go(kakao: Kakao) -> None:
    path = group_with(kakao)
    wrong = ata(kakaoOptions={**ata()["kakaoOptions"], "templateId": "NONE"})
    both = {"messages": [ata(), ata("0212345678"), wrong, ata(), ata(**{"from": "0299999999"})]}
    put = content(kakao.handle(solapi("PUT", f"{path}/messages", both), NOW))

    assert put["errorCount"] == 4
    codes = [one["statusCode"] for one in put["resultList"]]
    assert codes == ["2000", "1010", "1043", "1026", "1062"]
    count = content(kakao.handle(solapi("POST", f"{path}/send"), NOW))["count"]
    assert (count["total"], count["registeredSuccess"], count["registeredFailed"]) == (5, 1, 4)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"key": "another"}, "InvalidAPIKey"),
        ({"secret": "another"}, "SignatureDoesNotMatch"),
        ({"salt": "short"}, "SignatureDoesNotMatch"),
        ({"at": after(-901)}, "RequestTimeTooSkewed"),
        ({"at": after(901)}, "RequestTimeTooSkewed"),
    ],
)
def test_solapi_refuses_a_wrong_signature(kakao: Kakao, more: dict[str, Any], name: str) -> None:
    assert error(kakao, solapi("GET", GROUPS, **more)) == (403, name)


@pytest.mark.parametrize("seconds", [-900, -300, 300, 900])
def test_a_clock_may_be_a_quarter_of_an_hour_off(kakao: Kakao, seconds: float) -> None:
    assert error(kakao, solapi("GET", GROUPS, at=after(seconds))) == (200, None)


def test_a_signature_is_good_for_one_request(kakao: Kakao) -> None:
    request = solapi("GET", GROUPS)

    assert error(kakao, request) == (200, None)
    assert error(kakao, request) == (403, "DuplicatedSignature")


def test_without_money_nothing_goes_and_the_group_waits() -> None:
    kakao = Kakao(Settings(dealers=DealerSettings(balance=20)))
    path = group_with(kakao, ata())
    another = solapi("POST", GROUPS, {"allowDuplicates": False})
    other = str(content(kakao.handle(another, NOW))["groupId"])
    kakao.handle(solapi("PUT", f"{GROUPS}/{other}/messages", {"messages": [ata()]}), NOW)

    assert error(kakao, solapi("POST", f"{path}/send")) == (200, None)
    assert error(kakao, solapi("POST", f"{GROUPS}/{other}/send")) == (402, "NotEnoughBalance")
    found = content(kakao.handle(solapi("GET", f"{GROUPS}/{other}"), NOW))
    assert found["status"] == "PENDING"


def test_an_sms_goes_out_in_its_place_unless_that_is_switched_off(kakao: Kakao) -> None:
    options = {key: value for key, value in ata()["kakaoOptions"].items() if key != "disableSms"}
    path = group_with(kakao, ata(NOBODY, kakaoOptions=options))
    kakao.handle(solapi("POST", f"{path}/send"), NOW)
    listed = content(kakao.handle(solapi("GET", f"{path}/messages", at=after(3)), after(3)))
    (one,) = listed["messageList"].values()

    assert (one["statusCode"], one["replacement"]) == ("4000", True)
    assert [one.path.endswith("#sms") for one in kakao.deliveries] == [True]


# --- faults


def test_a_fault_hits_the_call_that_sends_and_no_other() -> None:
    plan = FaultPlan("cut-after")

    assert plan.next(solapi("POST", GROUPS, {})) is None
    assert plan.next(solapi("PUT", f"{GROUPS}/G1/messages", {})) is None
    assert plan.next(nhn_get()) is None
    assert plan.next(nhn_send()) is not None
    assert plan.next(solapi("POST", f"{GROUPS}/G1/send")) is not None


def test_a_path_may_name_a_method_and_leave_a_part_open() -> None:
    plan = FaultPlan(f"503@PUT{GROUPS}/*/messages")

    assert plan.next(solapi("PUT", f"{GROUPS}/G1/messages", {})) is not None
    assert plan.next(solapi("GET", f"{GROUPS}/G1/messages")) is None
    assert plan.next(solapi("PUT", f"{GROUPS}/G1/G2/messages", {})) is None


@pytest.mark.parametrize("number", sorted(MESSAGES.keys() - {0}))
def test_each_code_of_nhns_can_be_had(kakao: Kakao, number: int) -> None:
    wire = kakao.exchange(nhn_send(), NOW, InjectedFault.parse(f"nhn{number}"))

    assert wire.answer is not None
    assert content(wire.answer)["header"]["resultCode"] == number
    kakao.phones.settle(after(9))
    assert kakao.deliveries == []


def test_a_code_that_hides_a_delivery_is_one_that_may(kakao: Kakao) -> None:
    wire = kakao.exchange(nhn_send(), NOW, InjectedFault.parse("nhn-9999+"))
    kakao.phones.settle(after(9))

    assert wire.answer is not None
    assert content(wire.answer)["header"]["resultCode"] == -9999
    assert len(kakao.deliveries) == 1
    with pytest.raises(UsageError):
        InjectedFault.parse("nhn-3003+")


def test_solapis_refusals_can_be_had(kakao: Kakao) -> None:
    path = group_with(kakao, ata())
    fault = InjectedFault.parse("solapi-NotEnoughBalance")
    wire = kakao.exchange(solapi("POST", f"{path}/send"), NOW, fault)

    assert wire.answer is not None
    assert wire.answer.status == 402
