"""Sentences about deliveries, for people: how one ended, for whom, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from kakaocron.delivery.orders import look_and_resolve, retry_anyway
from kakaocron.kakao.causes import in_words
from kakaocron.kakao.codes import BOXES, REMEDIES, Remedy
from kakaocron.ledger.deliveries import Attempt, Delivery, attempt_fields, delivery_fields
from kakaocron.ledger.events import Result
from kakaocron.states import ME, Reason, State

Names = Mapping[str, str]  # of friends, by uuid
NOBODY: Names = MappingProxyType({})


def detail_of(one: Delivery | Result) -> str | None:
    """Say why a delivery, or a receiver's part of an attempt, is as it is; None if all is said."""
    words = in_words(one.cause) if one.cause else one.detail
    return ": ".join(part for part in (one.behind, words) if part) or None


def delivery_with_log(delivery: Delivery) -> dict[str, Any]:
    """Return the object that `show --json` prints."""
    log = [attempt_fields(attempt, detail_of) for attempt in delivery.attempts]
    return {**delivery_fields(delivery), "attempt_log": log}


def sentence(delivery: Delivery, names: Names = NOBODY) -> str:
    """Say in one line how a delivery ended badly, and what to do."""
    what = f"'{delivery.message}' of {delivery.slot:%Y-%m-%d %H:%M}"
    said = f"{what} ({why(delivery)}).{in_brackets_of(delivery, names)}"
    if delivery.state is State.UNKNOWN:
        return f"Nobody can know whether {what} arrived{said[len(what) :]} {advice(delivery)}"
    verb = "Missed" if delivery.state is State.MISSED else "Failed:"
    return f"{verb} {said} {advice(delivery)}"


def why(delivery: Delivery) -> str:
    """Name the reason, and say what is known of it."""
    return ": ".join(part for part in (delivery.reason, detail_of(delivery)) if part)


def in_brackets_of(delivery: Delivery, names: Names = NOBODY) -> str:
    """Say who has it and who has not, where that differs; empty where it does not."""
    said = "; ".join(_by_receiver(delivery, names))
    return f" {said[0].upper()}{said[1:]}." if said else ""


_FARED = {
    State.CONFIRMED: "it has reached",
    State.UNKNOWN: "nobody knows of",
    State.RETRYING: "it is tried again for",
}


def _by_receiver(delivery: Delivery, names: Names) -> Iterator[str]:
    fared: dict[str, list[str]] = {}
    for receiver, result in delivery.targets.items():
        words = _FARED.get(result.state, "it has not reached")
        fared.setdefault(words, []).append(names.get(receiver, receiver))
    if len(fared) > 1:
        for words, receivers in sorted(fared.items()):
            yield f"{words} {', '.join(receivers)}"


def advice(delivery: Delivery) -> str:
    """Say what a person can do about a delivery that ended badly; never what cannot help."""
    if delivery.state is State.UNKNOWN:
        settle = f"kakaocron resolve {delivery.id}"
        if delivery.next_attempt_at is not None:
            return (
                f"It is sent again by itself at {delivery.next_attempt_at:%H:%M:%S} "
                f'(on_unknown = "resend"), unless it is in the chat and you say so first: '
                f"{settle} --delivered"
            )
        return look_and_resolve(delivery.id)
    retry = f"kakaocron retry {delivery.id}"
    remedy = _remedy(delivery)
    if remedy is None:
        return retry_anyway(delivery.id)
    if not remedy.helps:
        return f"{remedy.words}; to send it again as it is cannot help"
    return f"{remedy.words}; then: {retry}" + (f" --at '{remedy.at}'" if remedy.at else "")


_AFTER_MIDNIGHT = Remedy("The quota is free again after midnight (KST)", at="tomorrow 00:05")
_LOG_IN = Remedy("Put the login right (see: kakaocron doctor)")
_BAD_PARAMETER = -2
_WRONG_FRIEND = Remedy(
    "Usually it is a uuid of another app, or the sender's own: put it right (kakaocron friends)"
)
_STRANGER = Remedy("Put the receiver right in config.toml; its next slot is right", helps=False)


def _remedy(delivery: Delivery) -> Remedy | None:
    """Return what helps before it is sent again, None where nothing need be done."""
    for receiver, result in _last_results(delivery):
        if result.state is not State.CONFIRMED and (found := _remedy_of(receiver, result)):
            return found
    return _AFTER_MIDNIGHT if delivery.reason is Reason.QUOTA else None


def _remedy_of(receiver: str, result: Result) -> Remedy | None:
    if result.code == _BAD_PARAMETER and receiver != ME:
        return _WRONG_FRIEND
    if isinstance(result.code, int) and result.code in REMEDIES:
        return _with_box(REMEDIES[result.code], result)
    if result.reason is Reason.REFUSED and result.code is None and result.http_status is None:
        return _STRANGER
    reason = result.behind or result.reason
    return _BY_REASON.get(reason) if reason else None


_BY_REASON: Mapping[Reason, Remedy] = {
    Reason.QUOTA: _AFTER_MIDNIGHT,
    Reason.NOT_LOGGED_IN: _LOG_IN,
    Reason.CONTENT_FAILED: Remedy("Put its content right (see: kakaocron preview)"),
}


def _last_results(delivery: Delivery) -> list[tuple[str, Result]]:
    """Return how the last attempt fared, and what receivers have come to since."""
    ended = [attempt for attempt in delivery.attempts if attempt.results]
    results = [found for attempt in ended[-1:] for found in attempt.results.items()]
    return [*results, *delivery.targets.items()]


def _with_box(remedy: Remedy, result: Result) -> Remedy:
    boxes = [f"'{box}'" for scope, box in BOXES.items() if scope in (detail_of(result) or "")]
    words = remedy.words.format(box=f"the box {' and '.join(boxes)}" if boxes else "its box")
    return replace(remedy, words=words)


def sent_words(attempt: Attempt) -> str:
    """Say whether a request of an attempt left: one without an outcome may have sent."""
    if attempt.sent_at:
        return f"sent {attempt.sent_at:%H:%M:%S.%f}"[:-3]
    return "nothing sent" if attempt.ended_at else "may have been sent"
