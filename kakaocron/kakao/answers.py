"""What Kakao's answers mean, receiver by receiver. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from kakaocron.delivery.verdicts import Meaning, Verdict
from kakaocron.errors import Cause
from kakaocron.kakao.codes import LOGIN_CODES, MESSAGE_CODES, RECEIVER_CODES, SENDING, Refusal
from kakaocron.states import Reason
from kakaocron.system.http import Answer
from kakaocron.text.objects import is_int, json_object
from kakaocron.text.plain import is_secret

_OK = 200
_UNAUTHORIZED = 401
_TOO_MANY = 429
_SERVER_ERRORS = range(500, 600)
_NO_SCOPE = -402
_SCOPE = re.compile(r"[a-z_.]{1,60}")


def of_memo(answer: Answer) -> Verdict:
    """Judge the answer to a message to oneself: only `result_code` 0 with status 200 confirms."""
    body = json_object(answer.body)
    if answer.status == _OK and body is not None and is_int(body.get("result_code")):
        if body["result_code"] == 0:
            return Verdict(Meaning.CONFIRMED, http_status=_OK)
        return _unproven(answer, "kakao-result-code", code=body["result_code"])
    return of_error(answer, body)


def of_friends(answer: Answer, receivers: Iterable[str]) -> dict[str, Verdict]:
    """Judge the answer to a message to friends, receiver by receiver.

    A uuid is sent only if Kakao lists it as successful, failed only if Kakao names it as failed;
    one in neither list is ambiguous, and so is one in both.
    """
    receivers = list(receivers)
    body = json_object(answer.body)
    if answer.status != _OK or body is None or "code" in body:
        verdict = of_error(answer, body)
        named = _strings(body.get("receiver_ids")) if body else frozenset()
        return {
            uuid: _of_group_error(answer, uuid, verdict, receivers, named) for uuid in receivers
        }
    sent = _strings(body.get("successful_receiver_uuids"))
    failed = _failures(body.get("failure_info"))
    return {uuid: _of_receiver(answer, uuid, sent, failed) for uuid in receivers}


def _of_group_error(
    answer: Answer, uuid: str, verdict: Verdict, receivers: list[str], named: frozenset[str]
) -> Verdict:
    """Judge a plain error for one of several receivers.

    Kakao may answer so for one failing receiver; what became of the others it does not say. Only a
    refused login is never one receiver's: then the message was taken for nobody.
    """
    is_for_one = verdict.code in RECEIVER_CODES or not named.isdisjoint(receivers)
    is_for_all = not is_for_one or verdict.meaning is Meaning.LOG_IN_AGAIN
    if is_for_all or len(receivers) == 1 or uuid in named:
        return verdict
    if verdict.code:
        return _unproven(answer, "kakao-one-of-several", code=verdict.code)
    return replace(verdict, meaning=Meaning.AMBIGUOUS, reason=Reason.UNPROVEN_ANSWER)


def _of_receiver(
    answer: Answer, uuid: str, sent: frozenset[str], failed: Mapping[str, int]
) -> Verdict:
    if uuid in sent and uuid not in failed:
        return Verdict(Meaning.CONFIRMED, http_status=answer.status)
    if uuid in failed and uuid not in sent:
        return _of_code(failed[uuid], answer.status)
    return _unproven(answer, "kakao-receiver", receiver=uuid)


def of_error(answer: Answer, body: Mapping[str, Any] | None) -> Verdict:
    """Judge an answer that does not say what a good one says."""
    code = body.get("code") if body else None
    if isinstance(code, int) and code < 0:
        verdict = _of_code(code, answer.status)
        if code == _NO_SCOPE:
            scopes = scopes_missing(body or {}) or (SENDING,)
            facts: dict[str, str | int] = {"scopes": ", ".join(scopes), "code": code}
            return replace(verdict, cause=Cause("kakao-no-scope", facts))
        return verdict
    status = answer.status
    http = Cause("http", {"status": status})
    if status in _SERVER_ERRORS:
        return Verdict(Meaning.AMBIGUOUS, Reason.SERVER_FAULT, http, http_status=status)
    if status == _UNAUTHORIZED and body is not None:
        return Verdict(Meaning.LOG_IN_AGAIN, Reason.NOT_LOGGED_IN, http, http_status=status)
    if status == _TOO_MANY:
        return Verdict(Meaning.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW, http, http_status=status)
    kind = answer.headers.get("content-type", "kind-unknown").split(";")[0][:60]
    length = len(answer.body)
    return _unproven(answer, "kakao-no-answer", status=status, bytes=length, kind=kind)


def scopes_missing(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the scopes that an error says are needed and were not agreed to."""
    allowed = _strings(body.get("allowed_scopes"))
    wanted = sorted(_strings(body.get("required_scopes")) - allowed)
    return tuple(scope for scope in wanted if _SCOPE.fullmatch(scope))


def _of_code(code: int, status: int) -> Verdict:
    if code in MESSAGE_CODES:
        meaning, reason, _ = MESSAGE_CODES[code]
        return Verdict(meaning, reason, Cause("kakao", {"code": code}), code, status)
    # A code that no table names: nobody knows whether trying again could double the message.
    cause = Cause("kakao-unknown-code", {"code": code})
    return Verdict(Meaning.AMBIGUOUS, Reason.UNPROVEN_ANSWER, cause, code, status)


def _unproven(answer: Answer, code: str, /, **facts: str | int) -> Verdict:
    cause = Cause(code, facts)
    return Verdict(Meaning.AMBIGUOUS, Reason.UNPROVEN_ANSWER, cause, http_status=answer.status)


def _strings(value: object) -> frozenset[str]:
    items = value if isinstance(value, list) else []
    return frozenset(item for item in items if isinstance(item, str))


def _failures(value: object) -> dict[str, int]:
    found = {}
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict) and is_int(item.get("code")):
            for uuid in _strings(item.get("receiver_uuids")):
                found[uuid] = item["code"]
    return found


def of_token(answer: Answer) -> dict[str, Any] | Refusal:
    """Judge kauth's answer: the token fields, or why there are none.

    Only KOE322, or `invalid_grant` without a code of its own, means that a refresh token is dead;
    after anything else it is kept.
    """
    body = json_object(answer.body)
    if answer.status == _OK and body is not None and _is_token(body):
        return body
    code = body.get("error_code") if body else None
    if isinstance(code, str) and code in LOGIN_CODES:
        return LOGIN_CODES[code]
    if body and code is None and body.get("error") == "invalid_grant":
        return LOGIN_CODES["KOE322"]
    named = str(code)[:20] if code else ""
    is_code = named.isascii() and named.isalnum()
    return Refusal(named if is_code else f"HTTP {answer.status}", "no answer of kauth's")


def _is_token(body: Mapping[str, Any]) -> bool:
    token = body.get("access_token")
    return bool(token) and is_secret(token) and is_int(body.get("expires_in"))
