"""What the Bot API's answer to one bubble means. Pure.

Its sentences end up in the ledger and on a screen: what the server says is cut and cleaned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from kakaocron.bot.codes import BEHIND, CODES, LASTING_EXTRAS, NO_KEY
from kakaocron.delivery.verdicts import Meaning, Verdict, seconds_to_wait
from kakaocron.errors import Cause
from kakaocron.states import Reason
from kakaocron.system.http import Answer
from kakaocron.text.objects import is_int, json_object
from kakaocron.text.plain import clean

_OK = 200
_NUMBERS = range(-1_000_000, 1_000_000)  # no counter or code of Kakao's is longer
_REDIRECTS = range(300, 400)
_UNAUTHORIZED = 401
_TOO_MANY = 429
_SERVER_ERRORS = range(500, 600)
LONGEST_MSG, MOST_MSG = 200, 1000
COUNTERS = ("totalCount", "sendCount", "errorCount")


def of_bubble(answer: Answer, token: str) -> Verdict:
    """Judge the answer to a call with one bubble: only counters that say one of one confirm.

    What the server says of it is kept, but for the bot's token.
    """
    body = json_object(answer.body)
    if answer.status == _OK:
        return _of_counters(answer, body)
    code = _number(body.get("code")) if body else None
    verdict = (
        _of_code(code, body, answer.status, token)
        if body is not None and code is not None
        else _of_status(answer, body)
    )
    if verdict.meaning is Meaning.REFUSED_FOR_NOW:
        return replace(verdict, wait_seconds=seconds_to_wait(answer))
    return verdict


def is_taken(answer: Answer) -> bool:
    """Say whether a call that sends nothing was answered as by the Bot API."""
    body = json_object(answer.body)
    return answer.status == _OK and body is not None and "code" not in body


def _number(value: object) -> int | None:
    """Return a counter or a code; None for anything else."""
    return value if isinstance(value, int) and is_int(value) and value in _NUMBERS else None


def _of_counters(answer: Answer, body: Mapping[str, Any] | None) -> Verdict:
    counts = [found for name in COUNTERS if (found := _number((body or {}).get(name))) is not None]
    if len(counts) < len(COUNTERS):
        return _unproven(answer, "bot-no-counters")
    facts = dict(zip(("total", "sent", "errors"), counts, strict=True))
    if counts == [1, 1, 0]:
        return Verdict(Meaning.CONFIRMED, http_status=_OK)
    if counts[1] == 0 and counts[2] > 0:
        return _ambiguous(Reason.SERVER_FAULT, Cause("bot-not-posted", facts), _OK)
    return _ambiguous(Reason.UNPROVEN_ANSWER, Cause("bot-counters", facts), _OK)


def _of_code(code: int, body: Mapping[str, Any], status: int, token: str) -> Verdict:
    known = CODES.get(code)
    if known is None:
        # Nobody knows whether trying again could double the message.
        return Verdict(
            Meaning.AMBIGUOUS,
            Reason.UNPROVEN_ANSWER,
            Cause("bot-unknown-code", {"code": code}),
            code,
            status,
        )
    extras = body.get("extras")
    if code == BEHIND and isinstance(extras, dict):
        return _of_extras(code, extras, status, token)
    return Verdict(
        known.meaning,
        known.reason,
        _said("bot-down" if known.is_down else "bot", code, body.get("msg"), token),
        code,
        status,
    )


def _of_extras(code: int, extras: Mapping[str, Any], status: int, token: str) -> Verdict:
    """Judge a fault behind the Bot API: only a few of these are known to stay."""
    inner = extras.get("code")
    is_lasting = isinstance(inner, str) and inner in LASTING_EXTRAS
    known = CODES[code]
    meaning, reason = (
        (Meaning.REFUSED_FOR_GOOD, Reason.REFUSED) if is_lasting else (known.meaning, known.reason)
    )
    extra = clean(inner[:20]) if isinstance(inner, str) else "?"
    cause = _said("bot-behind", code, extras.get("message"), token)
    cause = Cause(cause.code, {**cause.facts, "extra": extra})
    return Verdict(meaning, reason, cause, code, status)


def _of_status(answer: Answer, body: Mapping[str, Any] | None) -> Verdict:
    status = answer.status
    http = Cause("http", {"status": status})
    if status in _SERVER_ERRORS:
        return _ambiguous(Reason.SERVER_FAULT, http, status)
    if status == _UNAUTHORIZED and body is not None:
        refused = Cause("bot-down", {"code": NO_KEY})
        return Verdict(Meaning.LOG_IN_AGAIN, Reason.NOT_LOGGED_IN, refused, http_status=status)
    if status == _TOO_MANY:
        return Verdict(Meaning.REFUSED_FOR_NOW, Reason.QUOTA, http, http_status=status)
    if status in _REDIRECTS:
        # Where it leads the key would go too; and whoever redirects has not taken the message.
        cause = Cause("bot-redirect", {"status": status})
        return Verdict(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, cause, http_status=status)
    return _unproven(answer, "bot-no-answer")


def _said(cause: str, code: int, msg: object, token: str) -> Cause:
    words = msg.replace(token, "…") if isinstance(msg, str) else ""
    words = clean(" ".join(words[:MOST_MSG].split()))[:LONGEST_MSG]
    return (
        Cause(f"{cause}-said", {"code": code, "msg": words})
        if words
        else Cause(cause, {"code": code})
    )


def _ambiguous(reason: Reason, cause: Cause, status: int) -> Verdict:
    return Verdict(Meaning.AMBIGUOUS, reason, cause, http_status=status)


def _unproven(answer: Answer, code: str) -> Verdict:
    kind = answer.headers.get("content-type", "kind-unknown").split(";")[0][:60]
    facts: dict[str, str | int] = {"status": answer.status, "bytes": len(answer.body)}
    facts["kind"] = clean(kind)
    return _ambiguous(Reason.UNPROVEN_ANSWER, Cause(code, facts), answer.status)
