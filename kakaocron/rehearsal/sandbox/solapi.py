"""SOLAPI's message API v4: groups, the one-call send, look-ups (its documentation and its SDKs).

What is not documented is played to the client's disadvantage: a message that is put into a group
twice is two messages."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from kakaocron.rehearsal.sandbox.bodies import filled, is_mobile, json_body
from kakaocron.rehearsal.sandbox.phones import FAILED, SOLAPI_CODES, Handed, Phones
from kakaocron.rehearsal.sandbox.settings import DealerSettings
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest, json_answer

SOLAPI_PREFIXES = ("/messages/v4/", "/cash/v1/")
SKEW = timedelta(minutes=15)
LONGEST_TEXT, LONGEST_NAME, LONGEST_VALUE = 1000, 30, 100
MOST_RECIPIENTS = 10_000

_AUTHORIZATION = re.compile(
    r"HMAC-SHA256 apikey=(?P<key>[^,]+), date=(?P<date>[^,]+), salt=(?P<salt>[^,]+), "
    r"signature=(?P<signature>[0-9a-f]{64})",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_GROUP = re.compile(r"/messages/v4/groups/(?P<id>[^/]+)(/(?P<call>messages|send|schedule))?")
# What the vendor's own clients send.
_FIELDS = frozenset(
    {
        "to", "from", "text", "imageId", "country", "messageId", "groupId", "type",
        "autoTypeDetect", "subject", "replacements", "customFields", "kakaoOptions",
    }
)  # fmt: skip
# Of which a group counts its messages; its own client for Node reads no answer without one of them.
_KINDS = (
    "sms", "lms", "mms", "ata", "cta", "cti", "nsa",
    "rcs_sms", "rcs_lms", "rcs_mms", "rcs_tpl", "rcs_itpl", "rcs_ltpl", "fax", "voice",
)  # fmt: skip
_KAKAO_FIELDS = frozenset({"pfId", "templateId", "variables", "disableSms", "imageId"})
STATUSES: Mapping[str, int] = {
    "ValidationError": 400,
    "InvalidStatus": 400,
    "MessagesNotFound": 400,
    "DeletedGroup": 400,
    "NotEnoughBalance": 402,
    "InvalidAPIKey": 403,
    "SignatureDoesNotMatch": 403,
    "RequestTimeTooSkewed": 403,
    "DuplicatedSignature": 403,
    "ResourceNotFound": 404,
    "GroupInProcessing": 409,
    "AlreadySent": 409,
    "RecipientsTooMany": 413,
    "InternalError": 500,
}


class SolapiRefusedError(Exception):
    """A request that is refused; `code` is one of STATUSES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class _Message:
    id: str
    group_id: str
    to: str
    sender: str
    custom_fields: Mapping[str, str]
    text: str
    template: Mapping[str, Any]
    is_sms_off: bool
    code: str
    created: datetime
    handed: Handed | None = None


@dataclass
class _Group:
    id: str
    created: datetime
    custom_fields: Mapping[str, str]
    is_duplicate_allowed: bool
    status: str = "PENDING"
    sent_at: datetime | None = None
    messages: list[_Message] = field(default_factory=list)

    @property
    def registered(self) -> list[_Message]:
        return [one for one in self.messages if one.code == "2000"]


class Solapi:
    """The API for one account."""

    def __init__(self, dealers: DealerSettings, phones: Phones) -> None:
        self._dealers, self._phones = dealers, phones
        self._groups: dict[str, _Group] = {}
        self._signatures: set[str] = set()
        self._balance = dealers.balance
        self._count = 0

    def answer(self, request: WireRequest, now: datetime) -> WireAnswer | None:
        """Answer a request; None for one that is not known."""
        call = self._call(request)
        if call is None:
            return None
        try:
            self._authorize(request, now)
            return json_answer(200, call(request, now))
        except SolapiRefusedError as refusal:
            return refused(refusal.code)

    def _call(self, request: WireRequest) -> Callable[[WireRequest, datetime], Any] | None:
        found = {
            ("GET", "/cash/v1/balance"): self._show_balance,
            ("POST", "/messages/v4/groups"): self._create,
            ("GET", "/messages/v4/groups"): self._list_groups,
            ("POST", "/messages/v4/send-many/detail"): self._send_many,
            ("GET", "/messages/v4/list"): self._list,
            ("GET", "/messages/v4/list-old"): self._list,
        }.get((request.method, request.path))
        path = _GROUP.fullmatch(request.path)
        if found or path is None:
            return found
        return {
            ("GET", None): self._show,
            ("DELETE", None): self._drop,
            ("PUT", "messages"): self._add,
            ("GET", "messages"): self._messages,
            ("POST", "send"): self._send,
        }.get((request.method, path["call"]))

    def _authorize(self, request: WireRequest, now: datetime) -> None:
        said = _AUTHORIZATION.fullmatch(request.header("Authorization") or "")
        if said is None or said["key"] != self._dealers.api_key:
            raise SolapiRefusedError("InvalidAPIKey")
        signed = f"{said['date']}{said['salt']}".encode()
        own = hmac.new(self._dealers.api_secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(own, said["signature"].lower()):
            raise SolapiRefusedError("SignatureDoesNotMatch")
        if _DATE.fullmatch(said["date"]) is None or not 12 <= len(said["salt"]) <= 64:  # noqa: PLR2004
            raise SolapiRefusedError("SignatureDoesNotMatch")
        if abs(datetime.fromisoformat(said["date"]) - now) > SKEW:
            raise SolapiRefusedError("RequestTimeTooSkewed")
        if own in self._signatures:
            raise SolapiRefusedError("DuplicatedSignature")
        self._signatures.add(own)

    def _show_balance(self, _request: WireRequest, _now: datetime) -> dict[str, Any]:
        return {"balance": self._balance, "point": 0}

    def _create(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        body = json_body(request)
        if body is None or body.keys() - {
            "allowDuplicates", "customFields", "appId", "sdkVersion", "osPlatform",
        }:  # fmt: skip
            raise SolapiRefusedError("ValidationError")
        return self._fields(self._new(body, now), now)

    def _new(self, body: Mapping[str, Any], now: datetime) -> _Group:
        fields = _custom_fields(body)
        self._count += 1
        id_ = f"G4V{now.astimezone(UTC):%Y%m%d%H%M%S}{self._count:015d}"
        group = _Group(id_, now, fields, body.get("allowDuplicates") is True)
        self._groups[id_] = group
        return group

    def _group(self, request: WireRequest) -> _Group:
        path = _GROUP.fullmatch(request.path)
        group = self._groups.get(path["id"]) if path else None
        if group is None:
            raise SolapiRefusedError("ResourceNotFound")
        return group

    def _add(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        group = self._group(request)
        if group.status != "PENDING":
            raise SolapiRefusedError("InvalidStatus")
        body = json_body(request)
        listed = body.get("messages") if body else None
        if not isinstance(listed, list) or not listed:
            raise SolapiRefusedError("ValidationError")
        added = self._put(group, listed, now)
        return {
            "errorCount": sum(one.code != "2000" for one in added),
            "resultList": [_registered(one) for one in added],
        }

    def _put(self, group: _Group, listed: list[Any], now: datetime) -> list[_Message]:
        wanted = [
            {**one, "to": to}
            for one in listed
            if isinstance(one, dict)
            for to in _receivers(one.get("to"))
        ]
        if len(wanted) < len(listed) or len(wanted) > MOST_RECIPIENTS:
            raise SolapiRefusedError("RecipientsTooMany" if wanted else "ValidationError")
        if any(one.keys() - _FIELDS for one in wanted):
            raise SolapiRefusedError("ValidationError")
        added: list[_Message] = []
        for one in wanted:
            # Of what stands in this request only: whether across two is not known.
            is_twice = any(one["to"] == other.to for other in added)
            added.append(self._message(group, one, now, is_twice=is_twice))
        group.messages += added
        return added

    def _message(
        self, group: _Group, one: Mapping[str, Any], now: datetime, *, is_twice: bool
    ) -> _Message:
        options = one.get("kakaoOptions")
        options = options if isinstance(options, dict) else {}
        code, said = self._judged(one, options)
        if code == "2000" and is_twice and not group.is_duplicate_allowed:
            code = "1026"
        self._count += 1
        return _Message(
            f"M4V{now.astimezone(UTC):%Y%m%d%H%M%S}{self._count:015d}",
            group.id,
            str(one.get("to")),
            str(one.get("from")),
            _custom_fields(one),
            said,
            {"templateId": options.get("templateId"), "variables": options.get("variables")},
            options.get("disableSms") is True,
            code,
            now,
        )

    def _judged(self, one: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[str, str]:
        """Return the code with which a message is registered, and what it says.

        Of the codes for Kakao's options only their range is known (1041 to 1053).
        """
        text = self._dealers.templates.get(str(options.get("templateId")))
        variables = options.get("variables") or {}
        is_wrapped = all(name.startswith("#{") and name.endswith("}") for name in variables)
        bare = {name[2:-1]: value for name, value in variables.items()} if is_wrapped else None
        said = None if text is None or bare is None else filled(text, bare)
        faults = (
            ("1010", not is_mobile(one.get("to")) or one.get("type", "ATA") != "ATA"),
            ("1062", one.get("from") not in self._dealers.senders),
            ("1041", bool(options.keys() - _KAKAO_FIELDS)),
            ("1042", options.get("pfId") != self._dealers.pf_id),
            ("1043", text is None),
            ("1044", said is None),
            ("1031", len(said or "") > LONGEST_TEXT),
        )
        code = next((code for code, is_faulty in faults if is_faulty), "2000")
        return code, said or ""

    def _send(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        group = self._group(request)
        self._let_go(group, request, now)
        return self._fields(group, now)

    def _let_go(self, group: _Group, request: WireRequest, now: datetime) -> None:
        status = _status(group, now)
        if status != "PENDING":
            taken = {"SENDING": "GroupInProcessing", "COMPLETE": "AlreadySent"}
            raise SolapiRefusedError(taken.get(status, "DeletedGroup"))
        if not group.registered:
            raise SolapiRefusedError("MessagesNotFound")
        cost = self._dealers.price * len(group.registered)
        if cost > self._balance:
            raise SolapiRefusedError("NotEnoughBalance")
        self._balance -= cost
        group.status, group.sent_at = "SENDING", now
        for one in group.registered:
            has_sms = self._dealers.has_sms and not one.is_sms_off
            one.handed = self._phones.hand(
                Handed(
                    now,
                    one.to,
                    one.text,
                    one.template,
                    "solapi",
                    request.path,
                    self._phones.steps_of(one.to),
                    request.received_at_ns,
                    one.text if has_sms else None,
                )
            )

    def _send_many(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        body = json_body(request)
        listed = body.get("messages") if body else None
        if not body or not isinstance(listed, list) or not listed:
            raise SolapiRefusedError("ValidationError")
        group = self._new(body, now)
        self._put(group, listed, now)
        if group.registered:
            self._let_go(group, request, now)
        answer = {
            "failedMessageList": [_registered(m) for m in group.messages if m.code != "2000"],
            "groupInfo": self._fields(group, now),
        }
        if body.get("showMessageList") is True:
            answer["messageList"] = [_registered(one) for one in group.registered]
        return answer

    def _drop(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        group = self._group(request)
        if group.status != "PENDING":
            raise SolapiRefusedError("InvalidStatus")
        group.status = "DELETED"
        return self._fields(group, now)

    def _show(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        return self._fields(self._group(request), now)

    def _messages(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        return _paged(request, {one.id: _shown(one, now) for one in self._group(request).messages})

    def _list(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        query = dict(parse_qsl(request.query))
        found = {}
        for group in self._groups.values():
            for one in group.messages:
                shown = _shown(one, now)
                wanted = ("messageId", "groupId", "to", "from", "statusCode")
                if all(query.get(name, shown[name]) == shown[name] for name in wanted):
                    found[one.id] = shown
        return _paged(request, found)

    def _list_groups(self, request: WireRequest, now: datetime) -> dict[str, Any]:
        query = dict(parse_qsl(request.query))
        wanted = query.get("value") if query.get("criteria") == "groupId" else None
        found = {
            id_: self._fields(one, now)
            for id_, one in self._groups.items()
            if wanted in {None, id_}
        }
        limit = int(query.get("limit", "20"))
        return {
            "startKey": None,
            "nextKey": None,
            "limit": limit,
            "groupList": dict(list(found.items())[:limit]),
        }

    def _fields(self, group: _Group, now: datetime) -> dict[str, Any]:
        codes = [_shown(one, now)["statusCode"] for one in group.messages]
        sent = [one for one in group.messages if one.handed]
        failed = sum(one.code != "2000" for one in group.messages)
        success = codes.count("4000")
        pending = codes.count("3000") + codes.count("2000")
        cash = {"requested": 0, "replacement": 0, "refund": 0, "sum": 0}
        return {
            "groupId": group.id,
            "status": _status(group, now),
            "allowDuplicates": group.is_duplicate_allowed,
            "customFields": dict(group.custom_fields),
            "count": {
                "total": len(group.messages),
                "sentTotal": len(sent),
                "sentFailed": len(sent) - success - pending,
                "sentSuccess": success,
                "sentPending": pending if sent else 0,
                "sentReplacement": 0,
                "refund": 0,
                "registeredFailed": failed,
                "registeredSuccess": len(group.messages) - failed,
            },
            "countForCharge": {kind: {"82": len(sent) * (kind == "ata")} for kind in _KINDS},
            "balance": cash,
            "point": cash,
            "app": {"profit": dict.fromkeys(_KINDS, 0), "appId": None},
            "log": [],
            "isRefunded": False,
            "accountId": "sandbox",
            "masterAccountId": None,
            "apiVersion": "4",
            "price": {"82": {kind: self._dealers.price * (kind == "ata") for kind in _KINDS}},
            "dateCreated": _date(group.created),
            "dateUpdated": _date(group.sent_at or group.created),
            "dateSent": _date(group.sent_at) if group.sent_at else None,
            "dateCompleted": None,
            "scheduledDate": None,
        }


def refused(code: str) -> WireAnswer:
    """Build the answer that refuses a request."""
    return json_answer(STATUSES[code], {"errorCode": code, "errorMessage": code})


def _custom_fields(body: Mapping[str, Any]) -> Mapping[str, str]:
    fields = body.get("customFields") or {}
    if not isinstance(fields, dict) or not all(
        isinstance(value, str) and len(name) <= LONGEST_NAME and len(value) <= LONGEST_VALUE
        for name, value in fields.items()
    ):
        raise SolapiRefusedError("ValidationError")
    return fields


def _status(group: _Group, now: datetime) -> str:
    if group.status != "SENDING":
        return group.status
    is_over = all(one.handed is None or one.handed.step(now) for one in group.messages)
    return "COMPLETE" if is_over else "SENDING"


def _receivers(to: object) -> list[object]:
    return to if isinstance(to, list) else [to]


def _registered(one: _Message) -> dict[str, Any]:
    return {
        "to": one.to,
        "from": one.sender,
        "type": "ATA",
        "country": "82",
        "messageId": one.id,
        "accountId": "sandbox",
        "statusCode": one.code,
        "statusMessage": _words(one.code),
        "customFields": dict(one.custom_fields),
    }


def _words(code: str) -> str:
    return {"2000": "정상 접수", "3000": "발송 중", "4000": "수신 완료"}.get(code, "실패")


def _shown(one: _Message, now: datetime) -> dict[str, Any]:
    code, received, replacement = one.code, None, False
    if one.handed is not None:
        step = one.handed.step(now)
        code = "3000" if step is None else SOLAPI_CODES[step.word]
        received = one.handed.instant(step) if step else None
        if step and step.word in FAILED and one.handed.sms is not None:
            code, replacement = "4000", True
    return {
        **_registered(one),
        "groupId": one.group_id,
        "statusCode": code,
        "statusMessage": _words(code),
        "replacement": replacement,
        "text": one.text,
        "kakaoOptions": {**one.template, "disableSms": one.is_sms_off},
        "dateCreated": _date(one.created),
        "dateUpdated": _date(received or one.created),
        "dateProcessed": _date(one.handed.at) if one.handed else None,
        "dateReported": _date(received) if received else None,
        "dateReceived": _date(received) if received else None,
    }


def _paged(request: WireRequest, found: Mapping[str, Any]) -> dict[str, Any]:
    limit = int(dict(parse_qsl(request.query)).get("limit", "20"))
    shown = dict(list(found.items())[:limit])
    return {"startKey": None, "nextKey": None, "limit": limit, "messageList": shown}


def _date(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
