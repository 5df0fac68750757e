"""What the ledger's events fold into: deliveries and their attempts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.kst import isoformat
from kakaocron.ledger.events import Event, Kind, Result, result_fields
from kakaocron.states import WORST_FIRST, Reason, State

# A claim whose writer's clock ran ahead of ours by more than this cannot be judged by its lease.
CLOCK_SLACK = timedelta(seconds=5)

_SENT_BY_HAND = "send-"


def is_by_hand(id_: str) -> bool:
    """Say whether a person sent it at once (`kakaocron send`), as its id or message tells.

    It had no slot to keep: it counts for no share and no lateness, and raises no alarm.
    """
    return id_.startswith(_SENT_BY_HAND)


class Gap(Struct, frozen=True):
    """What a day's part of the ledger may have lost: anything due up to `until`, but for those ids
    that have a line below the note of it. By order, not by time: its clock may have been ahead."""

    until: datetime
    known: frozenset[str] = frozenset()


class Attempt(Struct, frozen=True):
    """One try at sending: claimed by one process, and how it ended, if it is known to have."""

    number: int
    by: str
    claimed_at: datetime
    until: datetime
    to: tuple[str, ...]
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    results: Mapping[str, Result] = field(default_factory=dict)


class Delivery(Struct, frozen=True):
    """What the ledger knows of one message at one slot."""

    id: str
    message: str
    kind: str
    slot: datetime
    state: State
    to: tuple[str, ...] = ()
    reason: Reason | None = None
    detail: str | None = None
    expires_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    targets: Mapping[str, Result] = field(default_factory=dict)
    next_attempt_at: datetime | None = None
    text: str | None = None
    content_hash: str | None = None
    content: Mapping[str, Any] | None = None
    meta: Mapping[str, str] | None = None
    updated_at: datetime | None = None
    is_reopened: bool = False  # by hand: it has no slot to keep any more
    tries_before: int = 0  # attempts made before it was last reopened

    @property
    def sent_at(self) -> datetime | None:
        """When the first request left that was not certainly refused."""
        return next((a.sent_at for a in self.attempts if a.sent_at and _may_have_gone(a)), None)

    @property
    def confirmed_at(self) -> datetime | None:
        return self.updated_at if self.state is State.CONFIRMED else None

    @property
    def delay_seconds(self) -> float | None:
        sent_at = self.sent_at
        return (sent_at - self.slot).total_seconds() if sent_at else None

    @property
    def is_held(self) -> bool:
        """Whether it waits for a person's word: nobody knows whether it arrived."""
        return self.state is State.UNKNOWN and self.next_attempt_at is None

    @property
    def was_meant(self) -> bool:
        """Whether it was not sent because a person had it rest."""
        return self.state is State.MISSED and self.reason is Reason.PAUSED

    def lease_is_over(self, now: datetime) -> bool:
        """Say whether the process that claimed it must have ended, as its promise to stop tells.

        A claim from the future means that the clock was set back since: no lease can be trusted.
        """
        last = self.attempts[-1]
        return now > last.until or now < last.claimed_at - CLOCK_SLACK


def _may_have_gone(attempt: Attempt) -> bool:
    return any(
        r.state in {State.CONFIRMED, State.SENT, State.UNKNOWN} for r in attempt.results.values()
    )


def worst(results: Iterable[Result]) -> Result:
    """Return the result that decides a delivery's state."""
    return min(results, key=lambda result: WORST_FIRST.index(result.state))


def fold(events: Iterable[Event]) -> dict[str, Delivery]:
    """Fold events, in the order of the ledger, into deliveries by id.

    Confirmed is final per receiver: whatever other lines say, Kakao's own word stands.
    """
    deliveries: dict[str, Delivery] = {}
    for event in events:
        fold_into(deliveries, event)
    return deliveries


def fold_into(deliveries: dict[str, Delivery], event: Event) -> None:
    """Fold one more event into what those before it came to."""
    if event.kind in {Kind.DAMAGE, Kind.POINTER}:
        return
    folded = apply(deliveries.get(event.id), event)
    if folded is not None:
        deliveries[event.id] = folded


def apply(delivery: Delivery | None, event: Event) -> Delivery | None:
    """Return the delivery after one more event; None for an outcome that belongs to no claim."""
    if event.kind is Kind.OUTCOME:
        return None if delivery is None else _ended(delivery, event)
    data = event.data
    if delivery is None:
        delivery = Delivery(event.id, data["message"], data["kind"], data["slot"], State.SCHEDULED)
    if event.kind is Kind.CLAIM:
        return _claimed(delivery, event)
    if delivery.state is State.CONFIRMED and not data.get("forced"):
        return delivery
    targets = _settled_targets(delivery, event)
    said = Result(event.state or delivery.state, event.reason, event.detail)
    decisive = worst(targets.values()) if event.kind is Kind.SETTLE and targets else said
    return replace(
        delivery,
        state=decisive.state,
        reason=decisive.reason,
        detail=decisive.detail,
        to=data["to"] or delivery.to,
        expires_at=data["expires_at"] or delivery.expires_at,
        next_attempt_at=data.get("next_attempt_at"),
        targets=targets,
        text=data.get("text", delivery.text),
        content_hash=data.get("content_hash", delivery.content_hash),
        content=data.get("content", delivery.content),
        meta=data.get("meta", delivery.meta),
        updated_at=event.at,
        is_reopened=delivery.is_reopened or event.kind is Kind.REOPEN,
        tries_before=len(delivery.attempts) if event.kind is Kind.REOPEN else delivery.tries_before,
    )


def _settled_targets(delivery: Delivery, event: Event) -> Mapping[str, Result]:
    """A settled delivery's open receivers share its state; confirmed ones keep theirs."""
    if event.data.get("forced"):
        return {}
    if event.kind is Kind.REOPEN:
        return {
            name: found
            if found.state is State.CONFIRMED
            else Result(State.SCHEDULED, parts=found.parts)
            for name, found in delivery.targets.items()
        }
    if event.kind is not Kind.SETTLE or event.state is None:
        return delivery.targets
    settled = Result(event.state, event.reason, event.detail)
    names = event.data["to"] or delivery.to
    return {
        name: found
        if (found := delivery.targets.get(name)) and found.state in {State.CONFIRMED, State.FAILED}
        else replace(settled, parts=found.parts if found else 0)
        for name in names
    }


def _claimed(delivery: Delivery, event: Event) -> Delivery:
    data = event.data
    attempt = Attempt(data["attempt"], data["by"], event.at, data["until"], data["to"])
    sending = {
        name: Result(
            State.SENDING, parts=found.parts if (found := delivery.targets.get(name)) else 0
        )
        for name in data["to"]
    }
    return replace(
        delivery,
        state=State.SENDING,
        reason=None,
        detail=None,
        to=delivery.to or data["to"],
        expires_at=data["expires_at"] or delivery.expires_at,
        attempts=(*delivery.attempts, attempt),
        targets={**delivery.targets, **sending},
        next_attempt_at=None,
        text=data.get("text", delivery.text),
        content_hash=data.get("content_hash", delivery.content_hash),
        content={**(delivery.content or {}), **data.get("content", {})} or None,
        updated_at=event.at,
    )


def _ended(delivery: Delivery, event: Event) -> Delivery:
    data = event.data
    attempts = tuple(
        replace(a, sent_at=data["sent_at"], ended_at=event.at, results=data["targets"])
        if (a.number, a.by) == (data["attempt"], data["by"])
        else a
        for a in delivery.attempts
    )
    is_newest = (
        bool(attempts)
        and attempts[-1].by == data["by"]
        and (attempts[-1].number == data["attempt"])
    )
    # An outcome that comes after its claim was given up may only bring good news, unless nobody
    # has decided anything since: another attempt may be under way, or a person has settled it.
    is_awaited = is_newest and (
        delivery.state is State.SENDING or delivery.reason is Reason.PROCESS_DIED
    )
    news = {
        name: result
        for name, result in data["targets"].items()
        if result.state is State.CONFIRMED
        or (is_awaited and _state_of(delivery, name) is not State.CONFIRMED)
    }
    if not news:
        return replace(delivery, attempts=attempts)
    targets = {**delivery.targets, **news}
    decisive = worst(targets.values())
    if delivery.state is State.SCHEDULED and decisive.state is not State.CONFIRMED:
        # Reopened meanwhile: who has no confirmation by now is still to be served.
        decisive = Result(delivery.state, delivery.reason, delivery.detail)
    return replace(
        delivery,
        attempts=attempts,
        targets=targets,
        state=decisive.state,
        reason=decisive.reason,
        detail=decisive.detail,
        next_attempt_at=data["next_attempt_at"] if is_awaited else delivery.next_attempt_at,
        updated_at=event.at,
    )


def _state_of(delivery: Delivery, name: str) -> State | None:
    found = delivery.targets.get(name)
    return found.state if found else None


def delivery_fields(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as the JSON object that `history --json` prints."""
    return {
        "id": delivery.id,
        "message": delivery.message,
        "kind": delivery.kind,
        "slot": isoformat(delivery.slot),
        "state": delivery.state,
        "attempts": len(delivery.attempts),
        "to": list(delivery.to),
        "targets": {name: result.state for name, result in delivery.targets.items()},
        "sent_at": _maybe_iso(delivery.sent_at),
        "confirmed_at": _maybe_iso(delivery.confirmed_at),
        "delay_seconds": delivery.delay_seconds,
        "next_attempt_at": _maybe_iso(delivery.next_attempt_at),
        "reason": delivery.reason,
        "text": delivery.text,
        "content_hash": delivery.content_hash,
    }


def attempt_fields(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as an element of the `attempt_log` of `show --json`."""
    ended = attempt.ended_at
    return {
        "attempt": attempt.number,
        "claimed_at": isoformat(attempt.claimed_at),
        "sent_at": _maybe_iso(attempt.sent_at),
        "ended_at": _maybe_iso(ended),
        "duration_seconds": (ended - (attempt.sent_at or attempt.claimed_at)).total_seconds()
        if ended
        else None,
        "to": list(attempt.to),
        "results": {name: result_fields(result) for name, result in attempt.results.items()},
    }


def _maybe_iso(moment: datetime | None) -> str | None:
    return isoformat(moment) if moment else None
