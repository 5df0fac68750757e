"""NHN Cloud's KakaoTalk Bizmessage, Alimtalk API v2.3 (its API guide, error codes, release notes).

Failures come inside HTTP 200. What is not documented is played to the client's disadvantage: a
refused call uses up its idempotency key too, and a repeat does not prolong the ten minutes."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from kakaocron.rehearsal.sandbox.bodies import filled, is_mobile, json_body
from kakaocron.rehearsal.sandbox.phones import FAILED, NHN_CODES, Handed, Phones
from kakaocron.rehearsal.sandbox.settings import KST, DealerSettings
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest, json_answer

NHN_PREFIX = "/alimtalk/v2.3/appkeys/"
KEY_HEADER = "X-NC-API-IDEMPOTENCY-KEY"
MOST_RECIPIENTS, LONGEST_TEXT, LONGEST_KEY = 1000, 1300, 100
LONGEST_RANGE, LONGEST_PAST = timedelta(days=30), timedelta(days=90)
MOST_ROWS = 1000

MESSAGES: Mapping[int, str] = {
    0: "SUCCESS",
    -1000: "Invalid appKey.",
    -1001: "Invalid secretKey.",
    -1005: "The same 'X-NC-API-IDEMPOTENCY-KEY' was used within the last 10 minute.",
    -1006: "Sender profile does not exist.",
    -1016: "Message does not exist.",
    -1017: "Daily quota exceeded.",
    -1031: "All recipients failed.",
    -2000: "Invalid request.",
    -2019: "The text is too long.",
    -3003: "Template does not exist.",
    -3049: "Template parameters do not match.",
    -4003: "The search range is more than a month.",
    -4017: "The search range is older than 90 days.",
    -4019: "Invalid recipient number.",
    -4103: "A required search condition is missing.",
    -7000: "Failed to connect to KakaoTalk.",
    -9999: "System error.",
}
_PATH = re.compile(r"(?P<app>[^/]+)/messages(/(?P<request>[^/]+)/(?P<seq>\d+))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


class NhnRefusedError(Exception):
    """A request that is refused with one code for all of it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class _Row:
    request_id: str
    seq: int
    handed: Handed
    template_code: str
    sender_grouping_key: str | None
    recipient_grouping_key: str | None


class Nhn:
    """The API for one app key."""

    def __init__(self, dealers: DealerSettings, phones: Phones) -> None:
        self._dealers, self._phones = dealers, phones
        self._rows: list[_Row] = []
        self._keys: dict[str, datetime] = {}
        self._sent: Counter[str] = Counter()  # by day

    def answer(self, request: WireRequest, now: datetime) -> WireAnswer | None:
        """Answer a request; None for one that is not known."""
        path = _PATH.fullmatch(request.path.removeprefix(NHN_PREFIX))
        if path is None:
            return None
        try:
            if path["app"] != self._dealers.app_key:
                raise NhnRefusedError(-1000)
            if request.header("X-Secret-Key") != self._dealers.secret_key:
                raise NhnRefusedError(-1001)
            if request.method == "POST" and not path["request"]:
                return self._send(request, now)
            if request.method == "GET" and path["request"]:
                return self._single(path["request"], int(path["seq"]), now)
            if request.method == "GET":
                return self._list(request, now)
        except NhnRefusedError as refusal:
            return refused(refusal.code)
        return None

    def _send(self, request: WireRequest, now: datetime) -> WireAnswer:
        key = request.header(KEY_HEADER)
        if key is not None:
            used = self._keys.get(key)
            if used is not None and now < used + self._dealers.key_lifetime:
                raise NhnRefusedError(-1005)
            self._keys[key] = now
        body = json_body(request)
        if body is None or body.keys() - _FIELDS:
            raise NhnRefusedError(-2000)
        text = self._dealers.templates.get(body.get("templateCode", ""))
        recipients = body.get("recipientList")
        if not isinstance(recipients, list) or not 1 <= len(recipients) <= MOST_RECIPIENTS:
            raise NhnRefusedError(-2000)
        if not all(map(_is_recipient, recipients)) or not _is_key(body.get("senderGroupingKey")):
            raise NhnRefusedError(-2000)
        if body.get("senderKey") != self._dealers.sender_key:
            raise NhnRefusedError(-1006)
        if text is None:
            raise NhnRefusedError(-3003)
        codes = [_recipient_code(one, text) for one in recipients]
        day = now.astimezone(KST).date().isoformat()
        taken = codes.count(0)
        if self._sent[day] + taken > self._dealers.daily_quota:
            raise NhnRefusedError(-1017)
        self._sent[day] += taken
        request_id = f"{now.astimezone(KST):%Y%m%d%H%M%S}{len(self._rows):06d}" if taken else None
        for seq, (one, code) in enumerate(zip(recipients, codes, strict=True), 1):
            if code == 0 and request_id:
                handed = self._hand(one, text, body["templateCode"], request, now)
                keys = body.get("senderGroupingKey"), one.get("recipientGroupingKey")
                self._rows.append(_Row(request_id, seq, handed, body["templateCode"], *keys))
        results = [
            {
                "recipientSeq": seq,
                "recipientNo": one["recipientNo"],
                "resultCode": code,
                "resultMessage": MESSAGES[code],
                "recipientGroupingKey": one.get("recipientGroupingKey"),
            }
            for seq, (one, code) in enumerate(zip(recipients, codes, strict=True), 1)
        ]
        message = {
            "requestId": request_id,
            "senderGroupingKey": body.get("senderGroupingKey"),
            "sendResults": results,
        }
        return _answer(0 if taken else -1031, message=message)

    def _hand(
        self, one: Mapping[str, Any], text: str, code: str, request: WireRequest, now: datetime
    ) -> Handed:
        variables = one.get("templateParameter") or {}
        said = filled(text, variables) or ""
        is_resent = (one.get("resendParameter") or {}).get("isResend", True)
        return self._phones.hand(
            Handed(
                now,
                one["recipientNo"],
                said,
                {"templateCode": code, "variables": dict(variables)},
                "nhn",
                request.path,
                self._phones.steps_of(one["recipientNo"]),
                request.received_at_ns,
                said if self._dealers.has_sms and is_resent else None,
            )
        )

    def _single(self, request_id: str, seq: int, now: datetime) -> WireAnswer:
        for row in self._rows:
            if (row.request_id, row.seq) == (request_id, seq):
                return _answer(0, message={**_fields(row, now), "content": row.handed.text})
        raise NhnRefusedError(-1016)

    def _list(self, request: WireRequest, now: datetime) -> WireAnswer:
        query = dict(parse_qsl(request.query))
        if query.keys() - _QUERY:
            raise NhnRefusedError(-2000)
        since, until = _range(query, now)
        visible = now - self._dealers.search_delay
        found = [
            row
            for row in self._rows
            if row.handed.at <= visible
            and since <= row.handed.at.replace(second=0, microsecond=0) <= until
            and query.get("requestId", row.request_id) == row.request_id
            and query.get("recipientNo", row.handed.number) == row.handed.number
            and _matches(query, "recipientGroupingKey", row.recipient_grouping_key)
            and _matches(query, "senderGroupingKey", row.sender_grouping_key)
        ]
        page, size = int(query.get("pageNum", "1")), int(query.get("pageSize", "15"))
        if page < 1 or not 1 <= size <= MOST_ROWS:
            raise NhnRefusedError(-2000)
        shown = [_fields(row, now) for row in found[(page - 1) * size : page * size]]
        result = {"totalCount": len(found), "messages": shown}
        return _answer(0, messageSearchResultResponse=result)


_FIELDS = frozenset(
    {"senderKey", "templateCode", "requestDate", "senderGroupingKey", "recipientList", "statsId"}
)
_RECIPIENT = frozenset(
    {"recipientNo", "templateParameter", "resendParameter", "recipientGroupingKey", "buttons"}
)
_QUERY = frozenset(
    {
        "requestId", "startRequestDate", "endRequestDate", "startCreateDate", "endCreateDate",
        "recipientNo", "senderKey", "templateCode", "senderGroupingKey", "recipientGroupingKey",
        "pageNum", "pageSize",
    }
)  # fmt: skip


def refused(code: int) -> WireAnswer:
    """Build the answer that refuses a request: HTTP 200 all the same."""
    return _answer(code, message=None)


def _answer(code: int, **more: object) -> WireAnswer:
    header = {
        "resultCode": code,
        "resultMessage": MESSAGES.get(code, "Failed."),
        "isSuccessful": code == 0,
    }
    return json_answer(200, {"header": header, **more})


def _is_recipient(one: object) -> bool:
    return (
        isinstance(one, dict)
        and not one.keys() - _RECIPIENT
        and isinstance(one.get("recipientNo"), str)
        and isinstance(one.get("templateParameter") or {}, dict)
        and isinstance(one.get("resendParameter") or {}, dict)
        and _is_key(one.get("recipientGroupingKey"))
    )


def _is_key(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= LONGEST_KEY)


def _recipient_code(one: Mapping[str, Any], text: str) -> int:
    if not is_mobile(one["recipientNo"]):
        return -4019
    said = filled(text, one.get("templateParameter") or {})
    if said is None:
        return -3049
    return -2019 if len(said) > LONGEST_TEXT else 0


def _range(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    for name in ("Request", "Create"):
        ends = [query.get(f"{end}{name}Date") for end in ("start", "end")]
        if all(ends):
            since, until = (_instant(one or "") for one in ends)
            if until - since > LONGEST_RANGE:
                raise NhnRefusedError(-4003)
            if since < now - LONGEST_PAST:
                raise NhnRefusedError(-4017)
            return since, until
    if "requestId" not in query:
        raise NhnRefusedError(-4103)
    return now - LONGEST_PAST, now


def _instant(text: str) -> datetime:
    if _DATE.fullmatch(text) is None:
        raise NhnRefusedError(-2000)
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=KST)
    except ValueError:
        raise NhnRefusedError(-2000) from None


def _matches(query: Mapping[str, str], name: str, value: str | None) -> bool:
    return name not in query or query[name] == value


def _fields(row: _Row, now: datetime) -> dict[str, Any]:
    handed = row.handed
    step = handed.step(now)
    taken = _date(handed.at)
    settled = {} if step is None else {
        "receiveDate": _date(handed.instant(step)),
        "resultCode": NHN_CODES[step.word],
        "resultCodeName": step.word,
    }  # fmt: skip
    # With 3005 the status alone says nothing.
    status = "READY" if step is None else "FAILED" if step.word in FAILED else "COMPLETED"
    return {
        "requestId": row.request_id,
        "recipientSeq": row.seq,
        "recipientNo": handed.number,
        "templateCode": row.template_code,
        "requestDate": taken,
        "createDate": taken,
        "messageStatus": status,
        "resendStatus": "RSC01" if handed.sms is None else "RSC02",
        "senderGroupingKey": row.sender_grouping_key,
        "recipientGroupingKey": row.recipient_grouping_key,
        **settled,
    }


def _date(at: datetime) -> str:
    return f"{at.astimezone(KST):%Y-%m-%d %H:%M:%S}.0"
