"""NHN Cloud's KakaoTalk Bizmessage, Alimtalk API v2.3: requests, and what the answers mean.

Sources: its API guide, error codes and release notes (as of 2026-06-23). The idempotency header
refuses a repeat within ten minutes (-1005) and promises nothing after them; which calls use a key
up, and when a message shows in the list, is not documented.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from msgspec import Struct

from kakaocron.alimtalk.causes import OF_NHNS_ACCOUNT
from kakaocron.alimtalk.dealer import (
    GOOD,
    NUMBERS,
    REF,
    WORD,
    Probe,
    nothing_sent,
    of_no_answer,
    untold,
)
from kakaocron.alimtalk.template import Letter
from kakaocron.delivery.channel import Flight
from kakaocron.delivery.verdicts import Asked, Fate, Found, Meaning, Verdict, of_failure
from kakaocron.errors import Cause
from kakaocron.kst import KST
from kakaocron.states import Reason
from kakaocron.system.http import Answer, Failure, Http, Request
from kakaocron.text.objects import is_int, json_object

DEFAULT_URL = "https://kakaotalk-bizmessage.api.nhncloudservice.com"
NAME = "NHN Cloud"
KEY_HEADER = "X-NC-API-IDEMPOTENCY-KEY"
_MINUTES_AROUND = timedelta(minutes=2)

_KEY_KNOWN, _ALL_FAILED, _QUOTA = -1005, -1031, -1017
_MAY_BE_TAKEN = frozenset({-7000, -9999})
# The account's own faults: nothing goes until a person acts.
_FOR_GOOD = OF_NHNS_ACCOUNT | {
    4, -1028, -2000, -2001, -2002, -2003, -2004, -2005, -2019, -2025, -2026, -2027, -2028, -2502,
    -3003, -3004, -3005, -3010, -3011, -3033, -3042, -3043, -3048, -3049, -4019, -5000,
    -8006, -8008, -9993, -9994, -9996, -9997, -9998,
}  # fmt: skip
_NO_SUCH_MESSAGE = frozenset({-1016, -4016})
# Kakao's results with which it may have arrived, or may still.
_UNCERTAIN = frozenset({"3005", "3012", "4000", "4001", "4131", "4161", "9998", "9999"})
_DELIVERED = "1000"


class NhnDealer(Struct, frozen=True):
    """The API for one app key. `owner` tells this process's keys from any other's."""

    http: Http
    url: str
    app_key: str
    secret_key: str
    sender_key: str
    owner: str
    now: Callable[[], datetime]

    name: ClassVar[str] = NAME
    # How soon a message shows in the list is not known; a repeat would be refused meanwhile.
    settling: ClassVar[timedelta] = timedelta(seconds=30)
    # Two minutes less than NHN promises: a request may be under way, and clocks differ.
    key_life: ClassVar[timedelta] = timedelta(minutes=8)

    def reserve(self, id_: str, attempt: int, to: Sequence[str]) -> Mapping[str, str | Verdict]:
        return {number: self._key(id_, attempt, number) for number in to}

    def _key(self, id_: str, attempt: int, number: str) -> str:
        # Another installation with the same app key may have a slot of the same name.
        said = "|".join((self.owner, id_, str(attempt), number))
        return f"kc-{sha256(said.encode()).hexdigest()[:40]}"

    def send(self, letter: Letter, number: str, flight: Flight) -> Verdict:
        key = flight.keys[number]
        body = {
            "senderKey": self.sender_key,
            "templateCode": letter.code,
            "recipientList": [
                {
                    "recipientNo": number,
                    "templateParameter": dict(letter.variables),
                    # Unless it is switched off, an SMS goes out, and is billed, for what fails.
                    "resendParameter": {"isResend": False},
                    "recipientGroupingKey": key,
                }
            ],
        }
        content = json.dumps(body, ensure_ascii=False).encode()
        answer = self._ask("/messages", content, key, flight)
        if isinstance(answer, Failure):
            return of_failure(answer)
        flight.server_date = answer.headers.get("date")
        return of_send(answer)

    def look_up(self, asked: Asked) -> Found:
        if asked.ref:
            answer = self._ask(f"/messages/{quote(asked.ref)}")
            return untold(answer) if isinstance(answer, Failure) else of_single(answer)
        since, until = asked.since - _MINUTES_AROUND, self.now() + _MINUTES_AROUND
        query = {
            "startCreateDate": _minute(since),
            "endCreateDate": _minute(until),
            "recipientGroupingKey": asked.key,
        }
        answer = self._ask(f"/messages?{urlencode(query)}")
        return untold(answer) if isinstance(answer, Failure) else of_list(answer, asked.key)

    def probe(self) -> Probe:
        now = self.now()
        query = {"startCreateDate": _minute(now), "endCreateDate": _minute(now), "pageSize": 1}
        answer = self._ask(f"/messages?{urlencode(query)}")
        if isinstance(answer, Failure):
            return Probe(nothing_sent(of_failure(answer)))
        code, date = _code_of(answer), answer.headers.get("date")
        if code == 0 and answer.status in GOOD:
            return Probe(Verdict(Meaning.CONFIRMED, http_status=answer.status), date)
        said = of_code(code, answer) if code else of_no_answer(answer, NAME)
        return Probe(nothing_sent(said), date)

    def _ask(
        self,
        path: str,
        body: bytes | None = None,
        key: str | None = None,
        flight: Flight | None = None,
    ) -> Answer | Failure:
        headers = {"X-Secret-Key": self.secret_key}
        if body is not None:
            headers["Content-Type"] = "application/json;charset=UTF-8"
        if key is not None:
            headers[KEY_HEADER] = key
        url = f"{self.url}/alimtalk/v2.3/appkeys/{quote(self.app_key, '')}{path}"
        request = Request(url, body=body, headers=headers)
        return self.http.ask(request, flight.leave if flight else None)


def of_send(answer: Answer) -> Verdict:
    """Judge the answer to a message for one number: failures come inside HTTP 200."""
    code, body = _code_of(answer), json_object(answer.body) or {}
    if code is None:
        return of_no_answer(answer, NAME)
    if code not in {0, _ALL_FAILED}:
        return of_code(code, answer)
    message = body.get("message")
    message = message if isinstance(message, dict) else {}
    results = message.get("sendResults")
    first = results[0] if isinstance(results, list) and results else None
    first = first if isinstance(first, dict) else {}
    own = first.get("resultCode")
    if is_int(own) and own != 0 and own in NUMBERS:
        return of_code(own, answer)
    request_id, seq = message.get("requestId"), first.get("recipientSeq")
    is_taken = code == 0 and own == 0 and answer.status in GOOD and _is_successful(body)
    if is_taken and isinstance(request_id, str) and REF.fullmatch(request_id):
        ref = f"{request_id}/{seq if is_int(seq) and seq in NUMBERS else 1}"
        return Verdict(Meaning.ACCEPTED, http_status=answer.status, ref=ref)
    return of_no_answer(answer, NAME)


def of_code(code: int, answer: Answer) -> Verdict:
    """Judge a code other than 0; one that no table names may hide a delivery."""
    cause = Cause("nhn", {"code": str(code)})
    meaning, reason = Meaning.AMBIGUOUS, Reason.UNPROVEN_ANSWER
    if code == _KEY_KNOWN:
        cause = Cause("nhn-key-known", {"code": str(code)})
    elif code == _QUOTA:
        meaning, reason = Meaning.REFUSED_FOR_NOW, Reason.QUOTA
    elif code in _MAY_BE_TAKEN:
        reason = Reason.SERVER_FAULT
    elif code in _FOR_GOOD:
        meaning, reason = Meaning.REFUSED_FOR_GOOD, Reason.REFUSED
    return Verdict(meaning, reason, cause, code, answer.status)


def of_single(answer: Answer) -> Found:
    """Judge the answer to a look-up by NHN's own name for a message."""
    code, body = _code_of(answer), json_object(answer.body) or {}
    if code in _NO_SUCH_MESSAGE:
        return Found(Fate.NOT_FOUND)
    row = body.get("message")
    return of_row(row) if code == 0 and isinstance(row, dict) else Found(Fate.NOT_TOLD)


def of_list(answer: Answer, key: str) -> Found:
    """Judge the answer to a search by one key: there is one message with it, or none."""
    code, body = _code_of(answer), json_object(answer.body) or {}
    if code in _NO_SUCH_MESSAGE:
        return Found(Fate.NOT_FOUND)
    result = body.get("messageSearchResultResponse")
    rows = result.get("messages") if isinstance(result, dict) else None
    if code != 0 or not isinstance(rows, list):
        return Found(Fate.NOT_TOLD)
    found = [
        of_row(row)
        for row in rows
        if isinstance(row, dict) and row.get("recipientGroupingKey") == key
    ]
    if not found:
        # Rows of other keys: the filter was not heeded, and proves nothing.
        return Found(Fate.NOT_TOLD if rows else Fate.NOT_FOUND)
    delivered = next((one for one in found if one.fate is Fate.DELIVERED), found[0])
    if len(found) == 1:
        return delivered
    cause = Cause("alimtalk-twice", {"dealer": NAME, "count": len(found)})
    return Found(delivered.fate, delivered.at, delivered.code, cause)


def of_row(row: Mapping[str, Any]) -> Found:
    """Judge how one message stands: delivered is COMPLETED with 1000, and nothing else."""
    status, said = row.get("messageStatus"), row.get("resultCode")
    code = str(said) if is_int(said) and said in NUMBERS else said
    code = code if isinstance(code, str) and WORD.fullmatch(code) else None
    at = _instant(row.get("receiveDate"))
    cause = Cause("nhn-result", {"code": code}) if code else None
    if status == "COMPLETED" and code == _DELIVERED:
        return Found(Fate.DELIVERED, at, code)
    if status == "CANCEL":
        return Found(Fate.FAILED, at, code or "CANCEL", cause)
    if status == "FAILED" and code and code not in _UNCERTAIN and code != _DELIVERED:
        return Found(Fate.FAILED, at, code, cause)
    is_uncertain = code in _UNCERTAIN
    return Found(Fate.ACCEPTED, code=code, cause=cause if is_uncertain else None)


def _code_of(answer: Answer) -> int | None:
    body = json_object(answer.body)
    header = body.get("header") if body else None
    code = header.get("resultCode") if isinstance(header, dict) else None
    return code if is_int(code) and code in NUMBERS else None


def _is_successful(body: Mapping[str, Any]) -> bool:
    header = body.get("header")
    return isinstance(header, dict) and header.get("isSuccessful") is True


def _minute(at: datetime) -> str:
    return f"{at.astimezone(KST):%Y-%m-%d %H:%M}"


def _instant(text: object) -> datetime | None:
    """Read a date: the zone is not documented, Korea's is assumed; a fraction may follow or not."""
    try:
        return datetime.fromisoformat(str(text).partition(".")[0]).replace(tzinfo=KST)
    except ValueError:
        return None
