"""What a channel says of a message afterwards, and the ledger line that keeps it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from kakaocron.delivery.policy import (
    LONGEST_WAIT_FOR_RECEIPT,
    Policy,
    expiry_of,
    is_absent,
    is_alive,
    look_up_at,
    settled_at,
    to_look_up,
)
from kakaocron.delivery.verdicts import Asked, Fate, Found
from kakaocron.errors import Cause
from kakaocron.ledger.deliveries import Delivery, key_of, worst
from kakaocron.ledger.events import DeliveryReceipt, Result
from kakaocron.states import Reason, State


def to_ask(deliveries: Iterable[Delivery], policy: Policy, now: datetime) -> list[Delivery]:
    """Return the deliveries that are to be looked up at `now`: those first that may still be sent
    again, then as long as they have waited."""
    due = [
        (at, one)
        for one in deliveries
        if one.state is not State.CONFIRMED and (at := look_up_at(one, policy, now)) and at <= now
    ]

    def urgency(item: tuple[datetime, Delivery]) -> tuple[bool, datetime, str]:
        at, one = item
        may_go = one.state is State.UNKNOWN and now < expiry_of(one, policy)
        return not may_go, at, one.id

    return [one for _, one in sorted(due, key=urgency)]


def questions(delivery: Delivery) -> list[Asked]:
    """Return what the channels are to be asked of a delivery."""
    return [
        Asked(name, key.key, key.since, delivery.targets[name].ref)
        for name in to_look_up(delivery)
        if (key := key_of(delivery, name))
    ]


def receipt(
    delivery: Delivery, found: Mapping[str, Found], policy: Policy, now: datetime
) -> DeliveryReceipt:
    """Return the line that says what channels told of a delivery, by receiver.

    What they do not know, and was never taken, may go once more with its key: at once, if its key
    and its slot allow that.
    """
    told = {
        name: result
        for name in to_look_up(delivery)
        if (result := _told(delivery, name, found.get(name, NOTHING_TOLD), policy, now))
    }
    decisive = worst({**delivery.targets, **told}.values())
    next_attempt_at = None
    if decisive.state is State.UNKNOWN:
        goes_again = any(_may_go_again(delivery, name, told[name], policy, now) for name in told)
        kept = delivery.next_attempt_at if policy.resend_unknown else None
        next_attempt_at = now if goes_again else kept
    return DeliveryReceipt(
        at=now,
        id=delivery.id,
        state=decisive.state,
        reason=decisive.reason,
        cause=decisive.cause,
        behind=decisive.behind,
        attempt=delivery.attempts[-1].number,
        targets={
            name: result
            for name, result in told.items()
            if not _says_the_same(result, delivery.targets[name])
        },
        next_attempt_at=next_attempt_at,
    )


NOTHING_TOLD = Found(Fate.NOT_TOLD)


def _told(
    delivery: Delivery, name: str, found: Found, policy: Policy, now: datetime
) -> Result | None:
    """Return a receiver's result after a look-up; None where it changes nothing."""
    known = delivery.targets[name]
    match found.fate:
        case Fate.DELIVERED:
            return Result(State.CONFIRMED, code=found.code, at=found.at or now)
        case Fate.FAILED:
            why, at = Reason.UNDELIVERED, found.at or now
            return Result(State.FAILED, why, code=found.code, cause=found.cause, at=at)
        case Fate.ACCEPTED:
            return _taken(found.code, found.cause or _never_told(delivery, name, now))
        case Fate.NOT_FOUND if _counts(delivery, name, policy, now):
            reason = known.behind if is_absent(known) else known.reason
            return Result(State.UNKNOWN, Reason.NOT_FOUND, behind=reason)
    if known.state is State.SENT and (never := _never_told(delivery, name, now)):
        return _taken(known.code, known.cause or never)
    return None


def _taken(code: int | str | None, why: Cause | None) -> Result:
    """Return the result of what was taken; `why` says why no last word can be waited for."""
    return Result(State.SENT, Reason.NO_RECEIPT if why else None, code=code, cause=why)


def _says_the_same(result: Result, known: Result) -> bool:
    told, before = ((r.state, r.reason, r.code, r.cause, r.at) for r in (result, known))
    return told == before


def _counts(delivery: Delivery, name: str, policy: Policy, now: datetime) -> bool:
    """Say whether it means anything that a channel does not find a message: not of one that it has
    taken, nor before the time that it needs, nor where a line of ours may be lost."""
    known = delivery.targets[name]
    return (
        known.state is State.UNKNOWN
        and known.reason is not Reason.LEDGER_DAMAGED
        and now >= settled_at(delivery, name, policy)
    )


def _may_go_again(
    delivery: Delivery, name: str, result: Result, policy: Policy, now: datetime
) -> bool:
    key = key_of(delivery, name)
    is_in_time = now < expiry_of(delivery, policy)
    return is_absent(result) and is_in_time and key is not None and is_alive(key, now)


def _never_told(delivery: Delivery, name: str, now: datetime) -> Cause | None:
    """Return what is said of a message when its last look-up has brought no last word."""
    key = key_of(delivery, name)
    if key is None or now - key.since < LONGEST_WAIT_FOR_RECEIPT:
        return None
    return Cause("no-receipt", {"days": LONGEST_WAIT_FOR_RECEIPT.days})
