"""What Kakao's answers and the network's failures mean: the one table that decides. Pure.

The codes and their HTTP statuses are those of Kakao's own error-code page. Whether a message may
have been delivered in spite of an error is documented nowhere: where it is possible, it counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from kakaocron.core.ledger import Reason
from kakaocron.core.tokens import is_secret


class Outcome(StrEnum):
    """What a request came to, as far as it can be known."""

    CONFIRMED = "confirmed"
    NOT_SENT = "not sent"
    REFUSED_FOR_NOW = "refused for now"
    REFUSED_FOR_GOOD = "refused for good"
    LOG_IN_AGAIN = "log in again"
    AMBIGUOUS = "ambiguous"


class Phase(StrEnum):
    """How far a request had come when it failed."""

    BEFORE = "before"  # not one byte of it can have left
    AFTER = "after"  # it may have reached Kakao


class Verdict(Struct, frozen=True):
    """The meaning of one answer or failure, for one receiver or for all of a request."""

    outcome: Outcome
    reason: Reason | None = None
    detail: str | None = None
    code: int | None = None
    http_status: int | None = None
    phase: Phase = Phase.AFTER


class Answer(Struct, frozen=True):
    """An HTTP answer: status, headers with lower-case names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Failure(Struct, frozen=True):
    """A request that brought no whole answer, and the phase in which that showed."""

    phase: Phase
    reason: Reason
    detail: str


_NOW, _GOOD, _LOGIN, _AMBIGUOUS = (
    Outcome.REFUSED_FOR_NOW,
    Outcome.REFUSED_FOR_GOOD,
    Outcome.LOG_IN_AGAIN,
    Outcome.AMBIGUOUS,
)

# code: (outcome, reason, what it means to the user)
MESSAGE_CODES: Mapping[int, tuple[Outcome, Reason, str]] = {
    -1: (_AMBIGUOUS, Reason.SERVER_FAULT, "internal fault at Kakao"),
    -2: (_GOOD, Reason.REFUSED, "Kakao does not accept a parameter of the message"),
    -3: (_NOW, Reason.REFUSED_FOR_NOW, "the feature is not enabled for the app; see the console"),
    -4: (_GOOD, Reason.REFUSED, "the Kakao account is restricted"),
    -5: (_GOOD, Reason.REFUSED, "the app has no permission for this"),
    -6: (_GOOD, Reason.REFUSED, "this action is not allowed"),
    -7: (_AMBIGUOUS, Reason.SERVER_FAULT, "maintenance or an internal problem at Kakao"),
    -8: (_GOOD, Reason.REFUSED, "Kakao does not accept a header of the request"),
    -9: (_GOOD, Reason.REFUSED, "Kakao has ended this API"),
    -10: (_NOW, Reason.QUOTA, "the app's call quota is used up"),
    -11: (_NOW, Reason.QUOTA, "the app's money limit is reached"),
    -12: (_GOOD, Reason.REFUSED, "the app or its developer is sanctioned"),
    -101: (_GOOD, Reason.NOT_LOGGED_IN, "the account is not connected to the app; log in again"),
    -103: (_GOOD, Reason.REFUSED, "the account is dormant or does not exist"),
    -401: (_LOGIN, Reason.NOT_LOGGED_IN, "Kakao does not accept the access token"),
    -402: (_GOOD, Reason.NOT_LOGGED_IN, "the account has not agreed to a scope; log in again"),
    -403: (_GOOD, Reason.REFUSED, "the call is forbidden"),
    -405: (_GOOD, Reason.REFUSED, "the account's age must be verified"),
    -406: (_GOOD, Reason.REFUSED, "the account is under age"),
    -501: (_GOOD, Reason.REFUSED, "the account does not use KakaoTalk"),
    -502: (_NOW, Reason.REFUSED_FOR_NOW, "the receiver is not a friend of the sender"),
    -504: (_GOOD, Reason.REFUSED, "the receiver's device is not supported"),
    -530: (_GOOD, Reason.REFUSED, "the receiver refuses messages"),
    -531: (_NOW, Reason.QUOTA, "the sender's monthly quota is used up"),
    -532: (_NOW, Reason.QUOTA, "the sender's daily quota is used up"),
    -533: (_NOW, Reason.QUOTA, "the receiver's daily quota is used up"),
    -536: (_NOW, Reason.QUOTA, "the daily quota from this sender to this receiver is used up"),
    -602: (_GOOD, Reason.REFUSED, "an image is too large"),
    -603: (_AMBIGUOUS, Reason.SERVER_FAULT, "time-out inside Kakao"),
    -606: (_GOOD, Reason.REFUSED, "too many images, or of a wrong format"),
    -903: (_GOOD, Reason.REFUSED, "unknown developer key"),
    -911: (_GOOD, Reason.REFUSED, "the image format is not supported"),
    -9798: (_AMBIGUOUS, Reason.SERVER_FAULT, "Kakao is under maintenance"),
}

# Codes about people, not about the call: one receiver's, or a quota that may run out midway.
RECEIVER_CODES = frozenset({-501, -502, -504, -530, -531, -532, -533, -536})

_OK = 200
_UNAUTHORIZED = 401
_TOO_MANY = 429
_SERVER_ERRORS = range(500, 600)


def of_failure(failure: Failure) -> Verdict:
    """Judge a request that failed: before it could leave it is not sent, after it ambiguous."""
    is_before = failure.phase is Phase.BEFORE
    return Verdict(
        Outcome.NOT_SENT if is_before else Outcome.AMBIGUOUS,
        failure.reason,
        failure.detail,
        phase=failure.phase,
    )


def of_memo(answer: Answer) -> Verdict:
    """Judge the answer to a message to oneself: only `result_code` 0 with status 200 confirms."""
    body = _json_object(answer.body)
    if answer.status == _OK and body is not None and _is_int(body.get("result_code")):
        if body["result_code"] == 0:
            return Verdict(Outcome.CONFIRMED, http_status=_OK)
        return _unproven(answer, f"result_code {body['result_code']}")
    return _of_error(answer, body)


def of_friends(answer: Answer, receivers: Iterable[str]) -> dict[str, Verdict]:
    """Judge the answer to a message to friends, receiver by receiver.

    A uuid is sent only if Kakao lists it as successful, failed only if Kakao names it as failed;
    one in neither list is ambiguous, and so is one in both.
    """
    receivers = list(receivers)
    body = _json_object(answer.body)
    if answer.status != _OK or body is None or "code" in body:
        verdict = _of_error(answer, body)
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

    Kakao may answer so for one failing receiver; what became of the others it does not say.
    """
    if verdict.code not in RECEIVER_CODES or len(receivers) == 1 or uuid in named:
        return verdict
    return _unproven(answer, f"{verdict.detail}; Kakao did not say for which receivers")


def _of_receiver(
    answer: Answer, uuid: str, sent: frozenset[str], failed: Mapping[str, int]
) -> Verdict:
    if uuid in sent and uuid not in failed:
        return Verdict(Outcome.CONFIRMED, http_status=answer.status)
    if uuid in failed and uuid not in sent:
        return _of_code(failed[uuid], answer.status)
    return _unproven(answer, f"Kakao did not say clearly what became of receiver {uuid}")


def _of_error(answer: Answer, body: Mapping[str, Any] | None) -> Verdict:
    code = body.get("code") if body else None
    if isinstance(code, int) and code < 0:
        return _of_code(code, answer.status)
    status = answer.status
    if status in _SERVER_ERRORS:
        return Verdict(Outcome.AMBIGUOUS, Reason.SERVER_FAULT, f"HTTP {status}", http_status=status)
    if status == _UNAUTHORIZED and body is not None:
        return Verdict(Outcome.LOG_IN_AGAIN, Reason.NOT_LOGGED_IN, "HTTP 401", http_status=status)
    if status == _TOO_MANY:
        return Verdict(
            Outcome.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW, "HTTP 429", http_status=status
        )
    return _unproven(answer, _describe(answer))


def _of_code(code: int, status: int) -> Verdict:
    if code in MESSAGE_CODES:
        outcome, reason, meaning = MESSAGE_CODES[code]
        return Verdict(outcome, reason, f"{meaning} ({code})", code, status)
    # A code that no table names: nobody knows whether trying again could double the message.
    return Verdict(Outcome.AMBIGUOUS, Reason.UNPROVEN_ANSWER, f"unknown code {code}", code, status)


def _unproven(answer: Answer, detail: str) -> Verdict:
    return Verdict(Outcome.AMBIGUOUS, Reason.UNPROVEN_ANSWER, detail, http_status=answer.status)


def _describe(answer: Answer) -> str:
    kind = answer.headers.get("content-type", "no content type").split(";")[0][:60]
    return f"HTTP {answer.status} with {len(answer.body)} bytes of {kind}, not Kakao's answer"


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _strings(value: object) -> frozenset[str]:
    items = value if isinstance(value, list) else []
    return frozenset(item for item in items if isinstance(item, str))


def _failures(value: object) -> dict[str, int]:
    found = {}
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict) and _is_int(item.get("code")):
            for uuid in _strings(item.get("receiver_uuids")):
                found[uuid] = item["code"]
    return found


class Refusal(Struct, frozen=True):
    """Why kauth gave no token. `is_dead`: only a new login in the browser can help."""

    code: str
    detail: str
    is_dead: bool = False
    is_setup: bool = False
    wait_seconds: int = 0


# KOE237 asks for a pause of 10 to 60 minutes; the shorter first, as one limit is per 10 minutes.
_KOE237_WAIT_SECONDS = 600

LOGIN_CODES: Mapping[str, Refusal] = {
    refusal.code: refusal
    for refusal in (
        Refusal("KOE003", "temporary fault at Kakao"),
        Refusal("KOE004", "Kakao Login is off: console, [Kakao Login] > usage", is_setup=True),
        Refusal(
            "KOE005",
            "a test app admits its members only: console, [App] > [Members]",
            is_setup=True,
        ),
        Refusal(
            "KOE006",
            "the redirect URI is not registered: console, [App] > [Platform key] > [REST API key]",
            is_setup=True,
        ),
        Refusal("KOE009", "the platform is not registered: console, [App]", is_setup=True),
        Refusal(
            "KOE010",
            "the client secret is missing or wrong: console, [App] > [Platform key] > "
            "[REST API key] > client secret; set client_secret in [kakao]",
            is_setup=True,
        ),
        Refusal(
            "KOE101",
            "wrong key, or of a wrong type: rest_api_key must be the REST API key of the console, "
            "[App] > [Platform key]",
            is_setup=True,
        ),
        Refusal(
            "KOE205",
            "a consent item is not set up: console, [Kakao Login] > [Consent items]",
            is_setup=True,
        ),
        Refusal(
            "KOE237",
            "Kakao's limit on issuing tokens is reached",
            wait_seconds=_KOE237_WAIT_SECONDS,
        ),
        Refusal("KOE303", "the redirect URI changed between the two steps of the login"),
        Refusal("KOE310", "wrong grant type", is_setup=True),
        Refusal("KOE319", "no refresh token was sent", is_dead=True),
        Refusal("KOE320", "the authorization code is used, expired or unknown"),
        Refusal("KOE322", "the refresh token has expired or is unknown", is_dead=True),
    )
}


def of_token(answer: Answer) -> dict[str, Any] | Refusal:
    """Judge kauth's answer: the token fields, or why there are none.

    Only KOE322, or `invalid_grant` without a code of its own, means that a refresh token is dead;
    after anything else it is kept.
    """
    body = _json_object(answer.body)
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
    return bool(token) and is_secret(token) and _is_int(body.get("expires_in"))
