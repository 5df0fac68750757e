"""Sentences about deliveries, for people: how one ended, for whom, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from kakaocron.config.contacts import Contacts, account_of, is_kakaotalk
from kakaocron.errors import Cause
from kakaocron.kakao.causes import for_account
from kakaocron.kakao.codes import BOXES, REMEDIES, SENDING
from kakaocron.language.words import _, marked
from kakaocron.ledger.deliveries import (
    Attempt,
    Delivery,
    attempt_fields,
    delivery_fields,
    is_by_hand,
)
from kakaocron.ledger.events import Result
from kakaocron.states import ME, Reason, State
from kakaocron.text.causes import as_facts
from kakaocron.text.causes import said as said_by_others
from kakaocron.watching import causes

Names = Mapping[str, str]  # of friends, by uuid
NOBODY: Names = MappingProxyType({})


def detail_of(one: Delivery | Result) -> str | None:
    """Say why a delivery, or a receiver's part of an attempt, is as it is; None if all is said."""
    words = causes.in_words(one.cause) if one.cause else _(one.detail or "")
    behind = one.behind.beside if one.behind else None
    return ": ".join(part for part in (behind, words) if part) or None


def delivery_with_log(delivery: Delivery) -> dict[str, Any]:
    """Return the object that `show --json` prints."""
    log = [attempt_fields(attempt, detail_of) for attempt in delivery.attempts]
    return {**delivery_fields(delivery), "attempt_log": log}


_SENTENCES = {
    State.UNKNOWN: marked("Nobody can know whether {what} arrived {more}"),
    State.MISSED: marked("Missed {what} {more}"),
    State.FAILED: marked("Failed: {what} {more}"),
}


def sentence(delivery: Delivery, names: Names = NOBODY) -> str:
    """Say in one line how a delivery ended badly, and what to do."""
    what = _("'{message}' of {slot:%Y-%m-%d %H:%M}").format(
        message=delivery.message, slot=delivery.slot
    )
    if is_by_hand(delivery.id):  # no configured name: what one can type again is the id
        what = f"'{delivery.id}'"
    said = _SENTENCES.get(delivery.state, _SENTENCES[State.FAILED])
    more = f"({why(delivery)}).{in_brackets_of(delivery, names)} {advice(delivery)}"
    return _(said).format(what=what, more=more)


def sentence_of(delivery: Delivery, contacts: Contacts) -> str:
    """Say how one ended badly, with the receivers' names; where all of them lack it by the login of
    one account, with that account's own commands."""
    bad = [name for name, one in delivery.targets.items() if one.state is not State.CONFIRMED]
    channels = {contacts.channel_of(name) for name in bad}
    said = sentence(delivery, contacts.names())
    if len(channels) != 1 or not is_kakaotalk(*channels):
        return said
    return for_account(account_of(*channels), said)


def lacks_login_only(delivery: Delivery) -> bool:
    """Say whether nothing but dead logins, or a bot by which nothing goes, has kept a delivery from
    its receivers."""
    bad = [one for one in delivery.targets.values() if one.state is not State.CONFIRMED]
    return all(
        (one.behind or one.reason) is Reason.NOT_LOGGED_IN or causes.is_bot_down(one.cause)
        for one in bad
    )


def why(delivery: Delivery) -> str:
    """Name the reason, and say what is known of it."""
    return causes.why(_why(delivery))


def in_brackets_of(delivery: Delivery, names: Names = NOBODY) -> str:
    """Say who has it and who has not, where that differs; empty where it does not."""
    return causes.who(_who(delivery, names))


def trouble_of(group: Sequence[Delivery], names: Names = NOBODY) -> Cause:
    """Return what is to be said of deliveries that ended badly, or have not arrived yet."""
    newest = max(group, key=lambda one: one.slot)
    facts = {"id": newest.id, "state": str(newest.state), **_why(newest)}
    if len(group) > 1:
        first = min(group, key=lambda one: one.slot)
        return Cause("deliveries", {"count": len(group), "first": first.id, **facts})
    facts |= _who(newest, names)
    if newest.state is State.RETRYING:
        count = len(newest.attempts)
        code = "delivery-tried-once" if count == 1 else "delivery-tried"
        return Cause(code, {"attempts": count, **facts})
    code = "delivery-unknown" if newest.state is State.UNKNOWN else "delivery-ended"
    return Cause(code, {**facts, **as_facts("advice", _advice(newest))})


def _why(delivery: Delivery) -> dict[str, str | int | float]:
    facts: dict[str, str | int | float] = {}
    if delivery.reason:
        facts["reason"] = str(delivery.reason)
    if delivery.behind:
        facts["behind"] = str(delivery.behind)
    if cause := delivery.cause or (said_by_others(delivery.detail) if delivery.detail else None):
        facts |= as_facts("cause", cause)
    return facts


_FARED = {State.CONFIRMED: "reached", State.UNKNOWN: "not_known", State.RETRYING: "tried_again"}


def _who(delivery: Delivery, names: Names) -> dict[str, str]:
    fared: dict[str, list[str]] = {}
    for receiver, result in delivery.targets.items():
        how = _FARED.get(result.state, "not_reached")
        fared.setdefault(how, []).append(names.get(receiver, receiver))
    return {how: ", ".join(them) for how, them in fared.items()} if len(fared) > 1 else {}


def advice(delivery: Delivery) -> str:
    """Say what a person can do about a delivery that ended badly; never what cannot help."""
    return causes.in_words(_advice(delivery))


def _advice(delivery: Delivery) -> Cause:
    if delivery.state is State.UNKNOWN:
        return _advice_on_unknown(delivery)
    facts = {"id": delivery.id}
    remedy = _remedy(delivery)
    if remedy is None:
        return Cause("advice-retry", facts)
    what = as_facts("remedy", remedy.cause)
    if not remedy.helps:
        return Cause("advice-no-retry", {**facts, **what})
    if remedy.at:
        return Cause("advice-remedy-at", {**facts, "at": remedy.at, **what})
    return Cause("advice-remedy", {**facts, **what})


def _advice_on_unknown(delivery: Delivery) -> Cause:
    if delivery.is_being_settled:
        return Cause("advice-wait")
    if delivery.next_attempt_at is None:
        return Cause("advice-look", {"id": delivery.id})
    at = f"{delivery.next_attempt_at:%H:%M:%S}"
    return Cause("advice-resent", {"id": delivery.id, "at": at})


class _Remedy(Struct, frozen=True):
    """What helps; whether sending it again helps then, and when at the earliest."""

    cause: Cause
    helps: bool = True
    at: str | None = None


_AFTER_MIDNIGHT = _Remedy(Cause("remedy-midnight"), at="tomorrow 00:05")
_LOG_IN = _Remedy(Cause("remedy-login"))
_BAD_PARAMETER, _NO_SCOPE = -2, -402
_DEALERS_KEYS = _Remedy(Cause("remedy-dealer"))
_WRONG_FRIEND = _Remedy(Cause("remedy-friend"))
_STRANGER = _Remedy(Cause("remedy-receiver"), helps=False)


def _remedy(delivery: Delivery) -> _Remedy | None:
    """Return what helps before it is sent again, None where nothing need be done."""
    # First how the last attempt fared, then what receivers have come to since.
    for receiver, result in (*last_results(delivery).items(), *delivery.targets.items()):
        if result.state is not State.CONFIRMED and (found := _remedy_of(receiver, result)):
            return found
    return _AFTER_MIDNIGHT if delivery.reason is Reason.QUOTA else None


def _remedy_of(receiver: str, result: Result) -> _Remedy | None:
    if result.cause and causes.is_bots(result.cause):
        return _bots(result.cause)
    if causes.is_dealer_down(result.cause):
        return _DEALERS_KEYS
    if result.code == _BAD_PARAMETER and receiver != ME:
        return _WRONG_FRIEND
    if isinstance(result.code, int) and result.code in REMEDIES:
        return _kakaos(result.code, result)
    if result.reason is Reason.REFUSED and result.code is None and result.http_status is None:
        return _STRANGER
    reason = result.behind or result.reason
    return _BY_REASON.get(reason) if reason else None


def _bots(cause: Cause) -> _Remedy | None:
    from kakaocron.bot.causes import help_for  # noqa: PLC0415 - most have no bot

    found = help_for(cause)
    return _Remedy(found.cause, found.helps) if found else None


_BY_REASON: Mapping[Reason, _Remedy] = {
    Reason.QUOTA: _AFTER_MIDNIGHT,
    Reason.NOT_LOGGED_IN: _LOG_IN,
    Reason.CONTENT_FAILED: _Remedy(Cause("remedy-content")),
}


def _kakaos(code: int, result: Result) -> _Remedy:
    facts: dict[str, str | int] = {"code": code}
    if code == _NO_SCOPE:
        # Earlier versions kept the words that name them.
        known = result.cause.facts.get("scopes") if result.cause else result.detail
        named = [scope for scope in BOXES if scope in str(known)]
        facts["scopes"] = " ".join(named) or SENDING
    cause = Cause("remedy-kakao", facts)
    return _Remedy(cause, REMEDIES[code].helps, REMEDIES[code].at)


def last_results(delivery: Delivery) -> Mapping[str, Result]:
    """Return how the last attempt that has an outcome fared, by receiver."""
    ended = (attempt.results for attempt in reversed(delivery.attempts) if attempt.results)
    return next(ended, {})


def sent_words(attempt: Attempt) -> str:
    """Say whether a request of an attempt left: one without an outcome may have sent."""
    if attempt.sent_at:
        return _("sent {at}").format(at=f"{attempt.sent_at:%H:%M:%S.%f}"[:-3])
    return _("nothing sent") if attempt.ended_at else _("may have been sent")
