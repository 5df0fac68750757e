"""SOLAPI's message API v4 by groups: requests, and what the answers mean.

Sources: its API reference (2019 to 2022, the look-ups 2026-03) and its SDKs. A group is made empty,
filled with one message, and sent once: a second `send` is refused with 409, so its id is the key.
Nothing is sent by making or filling one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.alimtalk.causes import OF_SOLAPIS_ACCOUNT
from kakaocron.alimtalk.dealer import GOOD, REF, WORD, Probe, nothing_sent, of_no_answer, untold
from kakaocron.alimtalk.template import Letter
from kakaocron.delivery.channel import Flight
from kakaocron.delivery.verdicts import Asked, Fate, Found, Meaning, Verdict, of_failure, unsent
from kakaocron.errors import Cause
from kakaocron.kst import KST
from kakaocron.states import Reason
from kakaocron.system.http import Answer, Failure, Http, Request
from kakaocron.text.objects import is_int, json_object

DEFAULT_URL = "https://api.solapi.com"
NAME = "SOLAPI"

_CODE = re.compile(r"[0-9]{1,8}")
_REGISTERED, _DELIVERED = "2000", "4000"
_UNCERTAIN = frozenset({"3012", "3014", "3024", "3040"})
_MAY_CHANGE = frozenset({"1024", "2024"})  # a fault of the server's
_NO_MONEY = frozenset({"1030", "2230"})
_SENT_BEFORE = frozenset({"GroupInProcessing", "AlreadySent", "ScheduledGroup"})
_FOR_GOOD = OF_SOLAPIS_ACCOUNT | {"ValidationError", "RecipientsTooMany"}
# Nothing is sent by a call that is refused so.
_NOT_NOW = frozenset(
    {
        "RequestTimeTooSkewed", "DuplicatedSignature", "NotEnoughBalance", "DeletedGroup",
        "FailedGroup", "ResourceNotFound", "MessagesNotFound",
    }
)  # fmt: skip
_OPEN, _UNDER_WAY = "PENDING", frozenset({"SENDING", "COMPLETE", "SCHEDULED"})
_OVER = frozenset({"DELETED", "FAILED"})


class SolapiDealer(Struct, frozen=True):
    """The API for one account; `sender_number` is one that is registered there."""

    http: Http
    url: str
    api_key: str
    api_secret: str
    pf_id: str
    sender_number: str
    now: Callable[[], datetime]

    name: ClassVar[str] = NAME
    # A group that says it was not sent may have a `send` under way.
    settling: ClassVar[timedelta] = timedelta(seconds=15)
    key_life: ClassVar[timedelta | None] = None

    def reserve(self, id_: str, attempt: int, to: Sequence[str]) -> Mapping[str, str | Verdict]:
        return {number: self._group(f"{id_} {attempt}") for number in to}

    def _group(self, name: str) -> str | Verdict:
        fields = {"allowDuplicates": False, "customFields": {"kakaocron": name[:100]}}
        answer = self._ask("POST", "/groups", fields)
        if isinstance(answer, Failure):
            return nothing_sent(of_failure(answer))
        group = (_body_of(answer) or {}).get("groupId")
        if answer.status in GOOD and isinstance(group, str) and REF.fullmatch(group):
            return group
        return nothing_sent(of_refusal(answer))

    def send(self, letter: Letter, number: str, flight: Flight) -> Verdict:
        group = f"/groups/{quote(flight.keys[number], '')}"
        added = self._fill(group, letter, number, is_repeat=number in flight.repeats)
        if isinstance(added, Verdict):
            return added
        answer = self._ask("POST", f"{group}/send", {}, flight)
        if isinstance(answer, Failure):
            return of_failure(answer)
        flight.server_date = answer.headers.get("date")
        return of_sent(answer, added)

    def _fill(
        self, group: str, letter: Letter, number: str, *, is_repeat: bool
    ) -> Verdict | str | None:
        """See to it that a group holds its one message; return SOLAPI's name for that, if known.

        A message that is put in twice would go out twice, so after an answer that was lost, or
        where somebody was at it before, the group itself says what it holds.
        """
        message_id: str | None = None
        if not is_repeat:
            added = self._add(group, letter, number)
            if not isinstance(added, Verdict) or added.meaning is not Meaning.AMBIGUOUS:
                return added
        held = self._held(group)
        if held == 0:
            added = self._add(group, letter, number)
            if isinstance(added, Verdict):
                return nothing_sent(added)
            message_id, held = added, 1
        if isinstance(held, Verdict):
            return held
        if held == 1:
            return message_id
        facts = {"group": group.removeprefix("/groups/"), "status": f"{held} messages"}
        return _unusable(facts)

    def _add(self, group: str, letter: Letter, number: str) -> str | Verdict:
        message = {
            "to": number,
            "from": self.sender_number,
            "type": "ATA",
            "kakaoOptions": {
                "pfId": self.pf_id,
                "templateId": letter.code,
                # Unless it is switched off, an SMS goes out, and is billed, for what fails.
                "disableSms": True,
                "variables": {f"#{{{name}}}": value for name, value in letter.variables.items()},
            },
        }
        answer = self._ask("PUT", f"{group}/messages", {"messages": [message]})
        return of_failure(answer) if isinstance(answer, Failure) else of_added(answer)

    def _held(self, group: str) -> int | Verdict:
        """Return how many messages a group holds that can still be sent; else what became of it."""
        answer = self._ask("GET", group)
        if isinstance(answer, Failure):
            return nothing_sent(of_failure(answer))
        return of_group(answer)

    def look_up(self, asked: Asked) -> Found:
        group = f"/groups/{quote(asked.key, '')}"
        if not asked.ref:
            answer = self._ask("GET", group)
            if isinstance(answer, Failure):
                return untold(answer)
            found = found_group(answer)
            if found is not None:
                return found
        answer = self._ask("GET", f"{group}/messages")
        return untold(answer) if isinstance(answer, Failure) else of_messages(answer)

    def probe(self) -> Probe:
        answer = self._ask("GET", "/groups?limit=1")
        if isinstance(answer, Failure):
            return Probe(nothing_sent(of_failure(answer)))
        date = answer.headers.get("date")
        if answer.status in GOOD and "groupList" in (_body_of(answer) or {}):
            return Probe(Verdict(Meaning.CONFIRMED, http_status=answer.status), date)
        return Probe(nothing_sent(of_refusal(answer)), date)

    def _ask(
        self, method: str, path: str, body: object = None, flight: Flight | None = None
    ) -> Answer | Failure:
        headers = {"Authorization": self._signed()}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json;charset=utf-8"
            content = json.dumps(body, ensure_ascii=False).encode()
        url = f"{self.url}/messages/v4{path}"
        request = Request(url, body=content, headers=headers, is_put=method == "PUT")
        return self.http.ask(request, flight.leave if flight else None)

    def _signed(self) -> str:
        date = f"{self.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return authorization(self.api_key, self.api_secret, date, secrets.token_hex(16))


def authorization(api_key: str, api_secret: str, date: str, salt: str) -> str:
    """Return the header of one request: HMAC-SHA256 over date and salt, in hex."""
    said = f"{date}{salt}".encode()
    signature = hmac.new(api_secret.encode(), said, hashlib.sha256).hexdigest()
    return f"HMAC-SHA256 apiKey={api_key}, date={date}, salt={salt}, signature={signature}"


def of_added(answer: Answer) -> str | Verdict:
    """Judge the answer to one message put into a group: its id there, or why it is not in it."""
    body = _body_of(answer)
    results = body.get("resultList") if body else None
    first = results[0] if isinstance(results, list) and len(results) == 1 else None
    if answer.status not in GOOD or not isinstance(first, dict):
        return of_refusal(answer)
    code, message_id = str(first.get("statusCode", "")), first.get("messageId")
    if code == _REGISTERED and body and body.get("errorCount") == 0:
        return message_id if isinstance(message_id, str) and REF.fullmatch(message_id) else ""
    if not _CODE.fullmatch(code) or code == _REGISTERED:
        return of_no_answer(answer, NAME)
    return _of_code(code, answer)


def of_sent(answer: Answer, message_id: str | None) -> Verdict:
    """Judge the answer to the one call that sends."""
    body = _body_of(answer) or {}
    ref = message_id or None
    if answer.status in GOOD and body.get("status") in _UNDER_WAY:
        return Verdict(Meaning.ACCEPTED, http_status=answer.status, ref=ref)
    if body.get("errorCode") in _SENT_BEFORE:
        return Verdict(Meaning.ACCEPTED, http_status=answer.status, ref=ref)
    return of_refusal(answer)


def of_refusal(answer: Answer) -> Verdict:
    """Judge an answer that is no success; an error that no table names may hide a delivery."""
    body = _body_of(answer) or {}
    code = body.get("errorCode")
    if not isinstance(code, str) or not WORD.fullmatch(code) or answer.status in GOOD:
        return of_no_answer(answer, NAME)
    status = answer.status
    cause = Cause("solapi", {"code": code})
    if code in _FOR_GOOD:
        return Verdict(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, cause, code, status)
    if code == "RequestTimeTooSkewed":
        return Verdict(Meaning.REFUSED_FOR_NOW, Reason.CLOCK_WRONG, cause, code, status)
    if code in _NOT_NOW:
        return Verdict(Meaning.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW, cause, code, status)
    return replace(of_no_answer(answer, NAME), cause=cause, code=code)


def of_group(answer: Answer) -> int | Verdict:
    """Return how many messages an unsent group holds; else a verdict that sends nothing."""
    body = _body_of(answer) or {}
    status, count = body.get("status"), body.get("count")
    total = count.get("total") if isinstance(count, dict) else None
    if answer.status not in GOOD or not isinstance(status, str):
        return nothing_sent(of_refusal(answer))
    if status == _OPEN and is_int(total):
        return total
    if status in _UNDER_WAY:
        return Verdict(Meaning.ACCEPTED, http_status=answer.status)
    return _unusable(_facts_of(body, status))


def _unusable(facts: Mapping[str, str]) -> Verdict:
    cause = Cause("alimtalk-group", facts)
    return unsent(Meaning.NOT_SENT, Reason.REFUSED_FOR_NOW, cause)


def found_group(answer: Answer) -> Found | None:
    """Say what a group itself tells of its message; None if its messages have to be asked for."""
    body = _body_of(answer) or {}
    if body.get("errorCode") == "ResourceNotFound":
        return Found(Fate.NOT_FOUND)
    status = body.get("status")
    if answer.status not in GOOD or not isinstance(status, str):
        return Found(Fate.NOT_TOLD)
    if status == _OPEN:
        return Found(Fate.NOT_FOUND)
    if status in _UNDER_WAY:
        return None
    if status in _OVER:
        cause = Cause("alimtalk-group", _facts_of(body, status))
        return Found(Fate.FAILED, code=status, cause=cause)
    return Found(Fate.NOT_TOLD)


def _facts_of(group: Mapping[str, Any], status: str) -> dict[str, str]:
    id_ = str(group.get("groupId"))
    return {
        "group": id_ if WORD.fullmatch(id_) else "?",
        "status": status if WORD.fullmatch(status) else "?",
    }


def of_messages(answer: Answer) -> Found:
    """Judge the one message of a group that was sent."""
    listed = (_body_of(answer) or {}).get("messageList")
    rows = list(listed.values()) if isinstance(listed, dict) else listed
    if answer.status not in GOOD or not isinstance(rows, list) or len(rows) != 1:
        if isinstance(rows, list) and len(rows) > 1:
            cause = Cause("alimtalk-twice", {"dealer": NAME, "count": len(rows)})
            return Found(Fate.ACCEPTED, cause=cause)
        return Found(Fate.NOT_TOLD)
    return of_message(rows[0]) if isinstance(rows[0], dict) else Found(Fate.NOT_TOLD)


def of_message(row: Mapping[str, Any]) -> Found:
    """Judge how one message stands by its status code."""
    code = str(row.get("statusCode") or "")
    cause = Cause("solapi", {"code": code})
    at = _instant(row.get("dateReceived")) or _instant(row.get("dateReported"))
    if code == _DELIVERED:
        if row.get("replacement") == 1:  # or true
            return Found(Fate.FAILED, at, code, Cause("alimtalk-sms-instead"))
        return Found(Fate.DELIVERED, at, code)
    if code in {_REGISTERED, "3000"} or not _CODE.fullmatch(code):
        return Found(Fate.ACCEPTED)
    if code in _UNCERTAIN:
        return Found(Fate.ACCEPTED, code=code, cause=cause)
    return Found(Fate.FAILED, at, code, cause)


def _of_code(code: str, answer: Answer) -> Verdict:
    """Judge the code with which a message was not put into a group."""
    cause = Cause("solapi", {"code": code})
    if code in _MAY_CHANGE | _NO_MONEY:
        meaning, reason = Meaning.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW
    else:
        meaning, reason = Meaning.REFUSED_FOR_GOOD, Reason.REFUSED
    return Verdict(meaning, reason, cause, code, answer.status)


def _body_of(answer: Answer) -> dict[str, Any] | None:
    return json_object(answer.body)


def _instant(text: object) -> datetime | None:
    """Read an ISO date; without a zone it is anybody's guess."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at.astimezone(KST) if at.tzinfo else None
