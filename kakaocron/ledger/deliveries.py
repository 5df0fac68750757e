"""What the ledger's events fold into: deliveries and their attempts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.errors import Cause
from kakaocron.kst import isoformat, isoformat_if_any
from kakaocron.ledger.events import (
    Claim,
    DeliveryReceipt,
    Event,
    OfSlot,
    Outcome,
    Reopen,
    Result,
    Schedule,
    SendKey,
    Settle,
    Unknown,
    of_slot,
    result_fields,
)
from kakaocron.schedule.slots import Slot, parse_delivery_id
from kakaocron.states import (
    FINAL,
    MAY_HAVE_ARRIVED,
    ROOM,
    TAKEN,
    WORST_FIRST,
    Reason,
    State,
    place_of,
)

Entry = Schedule | Settle | Reopen
# What a result or a delivery says of why it is so, in words.
DetailOf = Callable[[Result], str | None]

# A claim whose writer's clock ran ahead of ours by more than this cannot be judged by its lease.
CLOCK_SLACK = timedelta(seconds=5)

_SENT_BY_HAND = "send-"
# The cause of what is reopened though it had not gone wrong; and what earlier versions said of it.
REOPENED_IN_PEACE = Cause("in-peace")
_SAID_IN_PEACE = "it was paused or cancelled"


def is_by_hand(id_: str) -> bool:
    """Say whether a person sent it at once (`kakaocron send`), as its id or message tells.

    It had no slot to keep: it counts for no share and no lateness, and raises no alarm.
    """
    return id_.startswith(_SENT_BY_HAND)


class Gap(Struct, frozen=True, gc=False):
    """What a day's part of the ledger may have lost: anything due up to `until`, but for those ids
    that have a line below the note of it. By order, not by time: its clock may have been ahead."""

    until: datetime
    known: frozenset[str] = frozenset()


class Attempt(Struct, frozen=True, gc=False):
    """One try at sending: claimed by one process, and how it ended, if it is known to have."""

    number: int
    by: str
    claimed_at: datetime
    until: datetime
    to: tuple[str, ...]
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    results: Mapping[str, Result] = field(default_factory=dict)
    keys: Mapping[str, SendKey] | None = None
    host: str | None = None


class Delivery(Struct, frozen=True, gc=False):
    """What the ledger knows of one message at one slot.

    `host` is, where several share a ledger, the one that last tried to send it, or that gave it its
    state if none has.
    """

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
    cause: Cause | None = None
    behind: Reason | None = None
    asked_at: datetime | None = None  # when channels were last asked what became of it
    host: str | None = None
    read: Cause | None = None  # what its data were read from

    @property
    def sent_at(self) -> datetime | None:
        """When the first request left that was not certainly refused."""
        return next((a.sent_at for a in self.attempts if a.sent_at and _may_have_gone(a)), None)

    @property
    def confirmed_at(self) -> datetime | None:
        """When all had it: by the channel's word where it gave one, else when that was noted."""
        if self.state is not State.CONFIRMED:
            return None
        told = [result.at for result in self.targets.values() if result.at]
        return max(told) if told else self.updated_at

    @property
    def receipt(self) -> Result | None:
        """The result that decides it, if a channel that was asked afterwards has told it."""
        told = [r for r in self.targets.values() if r.at or r.reason is Reason.NO_RECEIPT]
        return worst(told) if told else None

    @property
    def delay_seconds(self) -> float | None:
        sent_at = self.sent_at
        return (sent_at - self.slot).total_seconds() if sent_at else None

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes of it by itself: at an end, or sent on a person's word."""
        return self.state in FINAL or (self.state is State.SENT and self.reason is Reason.BY_HAND)

    @property
    def is_held(self) -> bool:
        """Whether it waits for a person's word: nobody knows whether it arrived."""
        is_unknown = self.state is State.UNKNOWN and self.next_attempt_at is None
        return is_unknown and not self.is_being_settled

    @property
    def is_being_settled(self) -> bool:
        """Whether nobody knows so far whether it arrived, but a channel that can tell is still to
        be asked, or it goes once more with the key that it had."""
        if self.state is not State.UNKNOWN:
            return False
        awaited = [
            one for name, one in self.targets.items() if is_awaited(one) and key_of(self, name)
        ]
        if self.next_attempt_at is not None:
            return any(one.reason is Reason.NOT_FOUND for one in awaited)
        return bool(awaited) and self.asked_at is None

    @property
    def is_on_its_way(self) -> bool:
        """Whether it is being sent, or will be, after it had come to an end or failed once."""
        waits = self.state in {State.SCHEDULED, State.SENDING, State.RETRYING}
        return waits and (self.is_reopened or len(self.attempts) > 1)

    @property
    def standing(self) -> State:
        """Its state; of what a person reopened: the end that it had, until there is another."""
        if not (self.is_reopened and self.is_on_its_way):
            return self.state
        if self.cause == REOPENED_IN_PEACE or self.detail == _SAID_IN_PEACE:
            return self.state
        before = self.attempts[: self.tries_before]
        if not before:
            return State.MISSED
        state = worst(before[-1].results.values()).state if before[-1].results else State.UNKNOWN
        return state if state in FINAL else State.FAILED

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
    for result in attempt.results.values():  # no generator: it is asked of each, again and again
        if result.state in MAY_HAVE_ARRIVED or not result.state.is_known:
            return True
    return False


def of_delivery(line: type[OfSlot], delivery: Delivery, at: datetime, **more: Any) -> OfSlot:
    """Return a line about a delivery, written at an instant."""
    slot = Slot(delivery.message, delivery.slot, delivery.kind)
    return of_slot(line, slot, delivery.to, at, **more)


def worst(results: Iterable[Result]) -> Result:
    """Return the result that decides a delivery's state."""
    first, *others = results
    if not others:
        return first
    # Of those that are equally well off, one that has something to say: it lacks its picture.
    return min(
        [first, *others],
        key=lambda result: (place_of(result.state, WORST_FIRST), result.reason is None),
    )


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
    folded = apply(deliveries.get(event.id), event)
    if folded is not None:
        deliveries[event.id] = folded


def plain(claim: Claim, outcome: Event) -> Delivery | None:
    """Return what a first claim and its outcome fold into if all went well, in one step: nearly all
    that a ledger holds is such pairs. None for any other."""
    if (
        not isinstance(outcome, Outcome)
        or (outcome.attempt, outcome.by) != (claim.attempt, claim.by)
        or claim.state is not State.SENDING
        or outcome.state is not State.CONFIRMED
        or claim.keys
        or tuple(outcome.targets) != claim.to
        or not claim.to
    ):
        return None
    for result in outcome.targets.values():  # no generator: it is asked of each line
        if result.state is not State.CONFIRMED:
            return None
    decisive = worst(outcome.targets.values())
    attempt = Attempt(
        claim.attempt,
        claim.by,
        claim.at,
        claim.until,
        claim.to,
        outcome.sent_at,
        outcome.at,
        outcome.targets,
        host=claim.host,
    )
    return Delivery(
        claim.id,
        claim.message,
        claim.kind,
        claim.slot,
        State.CONFIRMED,
        claim.to,
        decisive.reason,
        decisive.detail,
        claim.expires_at,
        (attempt,),
        outcome.targets,
        outcome.next_attempt_at,
        claim.text,
        claim.content_hash,
        claim.content or None,
        updated_at=outcome.at,
        cause=decisive.cause,
        behind=decisive.behind,
        host=claim.host,
        read=claim.read,
    )


def apply(delivery: Delivery | None, event: Event) -> Delivery | None:
    """Return the delivery after one more event; None for one that makes no delivery.

    A word that this version does not know, of a state or of a kind of line, becomes the delivery's
    state: it is none of those in which anything is sent.
    """
    match event:
        case Unknown():
            return _held(delivery or _of_id(event), State(event.word), event)
        case Outcome():
            folded = _ended(delivery, event) if delivery else None
        case DeliveryReceipt():
            folded = _receipted(delivery, event) if delivery else None
        case Claim():
            folded = _claimed(delivery or _new(event), event)
        case Schedule() | Settle() | Reopen():
            folded = _entered(delivery or _new(event), event)
        case _:
            return delivery
    if event.state is not None and not event.state.is_known:
        return _held(folded, event.state, event)
    return folded


def _new(event: Entry | Claim) -> Delivery:
    return Delivery(event.id, event.message, event.kind, event.slot, State.SCHEDULED)


def _of_id(event: Unknown) -> Delivery | None:
    """Return what an id alone tells of a delivery, None if it is no delivery's."""
    try:
        message, slot = parse_delivery_id(event.id)
    except ValueError:
        return None
    return Delivery(event.id, message, "", slot, State.SCHEDULED)


def _held(delivery: Delivery | None, state: State, event: Event) -> Delivery | None:
    """Return a delivery of which a line says what this version cannot know."""
    if delivery is None or delivery.state is State.CONFIRMED:
        return delivery
    return replace(
        delivery,
        **_standing(_said(state, event)),
        next_attempt_at=None,
        updated_at=event.at,
    )


def _entered(delivery: Delivery, event: Entry) -> Delivery:
    """Return a delivery after a line that gives it a state without an attempt."""
    if delivery.state is State.CONFIRMED and not event.forced:
        return delivery
    targets = _targets_after(delivery, event)
    decisive = _said(event.state or delivery.state, event)
    if isinstance(event, Settle) and targets:
        decisive = worst(targets.values())
    return replace(
        delivery,
        **_content_of(delivery, event, event.content),
        **_standing(decisive),
        to=event.to or delivery.to,
        next_attempt_at=event.next_attempt_at,
        targets=targets,
        meta=delivery.meta if event.meta is None else event.meta,
        host=delivery.host if delivery.attempts else event.host,
        is_reopened=delivery.is_reopened or isinstance(event, Reopen),
        tries_before=len(delivery.attempts) if isinstance(event, Reopen) else delivery.tries_before,
    )


def _standing(decisive: Result) -> dict[str, Any]:
    """Return the fields in which a delivery stands as the result that decides it."""
    return {
        "state": decisive.state,
        "reason": decisive.reason,
        "detail": decisive.detail,
        "cause": decisive.cause,
        "behind": decisive.behind,
    }


def _said(state: State, of: Event | Delivery) -> Result:
    return Result(state, of.reason, of.detail, cause=of.cause, behind=of.behind)


def _content_of(
    delivery: Delivery, event: Entry | Claim, content: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the fields of a delivery after what a line says of its content and expiry, if it says
    anything."""
    return {
        "expires_at": event.expires_at or delivery.expires_at,
        "text": delivery.text if event.text is None else event.text,
        "content_hash": delivery.content_hash if event.content_hash is None else event.content_hash,
        "content": delivery.content if content is None else content,
        "updated_at": event.at,
    }


def _targets_after(delivery: Delivery, event: Entry) -> Mapping[str, Result]:
    """Return each receiver's result: those who are done keep theirs, the others share the line's.

    Done is for whom the channel has taken it, and for a line that settles also who has failed.
    """
    if event.forced:
        return {}
    if isinstance(event, Reopen):
        return {
            name: found if found.state in TAKEN else Result(State.SCHEDULED, parts=found.parts)
            for name, found in delivery.targets.items()
        }
    if not isinstance(event, Settle) or event.state is None:
        return delivery.targets
    settled = _said(event.state, event)
    return {
        name: found
        if (found := delivery.targets.get(name)) and _is_done(delivery, name, found, event)
        else replace(settled, parts=_parts_of(delivery, name))
        for name in event.to or delivery.to
    }


def _is_done(delivery: Delivery, name: str, found: Result, event: Settle) -> bool:
    if found.state is State.UNKNOWN and event.reason is Reason.EXPIRED:
        # That another receiver's time ran out says nothing of one who may still be looked up.
        return key_of(delivery, name) is not None
    return found.state in TAKEN or found.state is State.FAILED


def _parts_of(delivery: Delivery, name: str) -> int:
    found = delivery.targets.get(name)
    return found.parts if found else 0


def _claimed(delivery: Delivery, event: Claim) -> Delivery:
    """Return a delivery that a process has begun to send to the receivers of its claim."""
    attempt = Attempt(
        event.attempt, event.by, event.at, event.until, event.to, host=event.host, keys=event.keys
    )
    sending = {name: Result(State.SENDING, parts=_parts_of(delivery, name)) for name in event.to}
    content = {**(delivery.content or {}), **(event.content or {})}
    return replace(
        delivery,
        **_content_of(delivery, event, content or None),
        **_standing(Result(State.SENDING)),
        to=delivery.to or event.to,
        attempts=(*delivery.attempts, attempt),
        targets={**delivery.targets, **sending},
        next_attempt_at=None,
        read=event.read or delivery.read,
        asked_at=None,
        host=event.host,
    )


def _ended(delivery: Delivery, event: Outcome) -> Delivery:
    """Return a delivery after the outcome of an attempt, which may come late."""
    attempts = _attempts_after(delivery, event)
    ends_it = _ends_newest(delivery, event)
    news = _news(delivery, event, ends_it=ends_it)
    if not news:
        return replace(delivery, attempts=attempts)
    targets = {**delivery.targets, **news}
    return replace(
        delivery,
        attempts=attempts,
        targets=targets,
        **_standing(_decisive(delivery, targets)),
        next_attempt_at=event.next_attempt_at if ends_it else delivery.next_attempt_at,
        updated_at=event.at,
    )


# Of a receiver: the service has not taken this message, or not the part after those it confirmed.
_NOT_TAKEN = frozenset({State.RETRYING, State.FAILED})


def taken(attempt: Attempt) -> dict[str, int]:
    """Return how many messages of an attempt the service has taken, or may have, by receiver."""
    found = {}
    for receiver in attempt.to:
        result = attempt.results.get(receiver)
        if result is None:
            found[receiver] = 1
        elif result.parts or result.state not in _NOT_TAKEN:
            found[receiver] = result.parts or 1
    return found


def _decisive(delivery: Delivery, targets: Mapping[str, Result]) -> Result:
    """Return the result as which a delivery stands after news of its receivers."""
    decisive = worst(targets.values())
    is_held = not delivery.state.is_known or delivery.state is State.SCHEDULED
    if is_held and decisive.state not in TAKEN:
        # Reopened meanwhile: whom the channel has not taken it for is still to be served.
        return _said(delivery.state, delivery)
    return decisive


def _receipted(delivery: Delivery, event: DeliveryReceipt) -> Delivery:
    """Return a delivery after what channels said when they were asked.

    Delivered is final, whenever it is said. Anything else counts only for the newest attempt, and
    where neither another line nor a person has settled it.
    """
    is_newest = bool(delivery.attempts) and delivery.attempts[-1].number == event.attempt
    news = {
        name: replace(result, ref=result.ref or old.ref, parts=result.parts or old.parts)
        for name, result in event.targets.items()
        if (old := delivery.targets.get(name)) and old.state is not State.CONFIRMED
        if result.state is State.CONFIRMED or (is_newest and is_awaited(old))
    }
    is_ours = is_newest and delivery.state in {State.SENT, State.UNKNOWN}
    asked_at = event.at if is_newest else delivery.asked_at
    next_attempt_at = event.next_attempt_at if is_ours else delivery.next_attempt_at
    if not news:
        return replace(delivery, asked_at=asked_at, next_attempt_at=next_attempt_at)
    targets = {**delivery.targets, **news}
    return replace(
        delivery,
        targets=targets,
        **_standing(_decisive(delivery, targets)),
        next_attempt_at=next_attempt_at,
        updated_at=event.at,
        asked_at=asked_at,
    )


def is_awaited(result: Result) -> bool:
    """Say whether a channel that can be asked may still tell more of a receiver."""
    is_open = result.state is State.SENT or result.state is State.UNKNOWN
    return is_open and result.reason is not Reason.BY_HAND


def key_of(delivery: Delivery, receiver: str) -> SendKey | None:
    """Return the newest key of what was sent to a receiver, None if it had none."""
    for attempt in reversed(delivery.attempts):
        if attempt.keys and receiver in attempt.keys:
            return attempt.keys[receiver]
    return None


def _attempts_after(delivery: Delivery, event: Outcome) -> tuple[Attempt, ...]:
    """Return the attempts, with the outcome at the one that it belongs to."""
    return tuple(
        replace(a, sent_at=event.sent_at, ended_at=event.at, results=event.targets)
        if (a.number, a.by) == (event.attempt, event.by)
        else a
        for a in delivery.attempts
    )


def _ends_newest(delivery: Delivery, event: Outcome) -> bool:
    """Say whether it ends the newest attempt, and nobody has decided anything since its claim.

    Else another attempt may be under way, or a person has settled it.
    """
    last = delivery.attempts[-1] if delivery.attempts else None
    is_newest = last is not None and (last.number, last.by) == (event.attempt, event.by)
    is_open = delivery.state is State.SENDING or delivery.reason is Reason.PROCESS_DIED
    return is_newest and is_open


def _news(delivery: Delivery, event: Outcome, *, ends_it: bool) -> dict[str, Result]:
    """Return the results that count: of an outcome that comes late only the good ones, and
    none that takes back what the channel took."""
    return {
        name: result
        for name, result in event.targets.items()
        if result.state is State.CONFIRMED
        or (result.state is State.SENT and _state_of(delivery, name) is not State.CONFIRMED)
        or (ends_it and _state_of(delivery, name) not in TAKEN)
    }


def _state_of(delivery: Delivery, name: str) -> State | None:
    found = delivery.targets.get(name)
    return found.state if found else None


def channel_by_form(receiver: str) -> str:
    """Name, for programs, the channel to a receiver, by the form in which it is kept."""
    if receiver.startswith(ROOM):
        return "bot"
    if receiver.startswith(("+", "0", "1")):
        from kakaocron.text.phones import is_number  # noqa: PLC0415 - few send to phones

        return "alimtalk" if is_number(receiver) else "kakaotalk"
    return "kakaotalk"


def delivery_fields(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as the JSON object that `history --json` prints."""
    told = delivery.receipt
    receipt = {"receipt": {"code": told.code, "at": isoformat_if_any(told.at)}} if told else {}
    return {
        "id": delivery.id,
        "message": delivery.message,
        "kind": delivery.kind,
        "slot": isoformat(delivery.slot),
        "state": delivery.state,
        "attempts": len(delivery.attempts),
        "to": list(delivery.to),
        "channel": ",".join(dict.fromkeys(map(channel_by_form, delivery.to))),
        "targets": {name: result.state for name, result in delivery.targets.items()},
        "sent_at": isoformat_if_any(delivery.sent_at),
        "confirmed_at": isoformat_if_any(delivery.confirmed_at),
        "delay_seconds": delivery.delay_seconds,
        "next_attempt_at": isoformat_if_any(delivery.next_attempt_at),
        "reason": delivery.reason,
        "text": delivery.text,
        "content_hash": delivery.content_hash,
        **receipt,
        **_host(delivery),
    }


def _host(of: Delivery | Attempt) -> dict[str, str]:
    """Return the host as a JSON field, where one is known: a ledger of one's own names none."""
    return {"host": of.host} if of.host else {}


def shown_result(result: Result, detail_of: DetailOf) -> dict[str, Any]:
    """Return a result as JSON fields, without those that say nothing; its cause in words."""
    plain = replace(result, detail=detail_of(result), cause=None, behind=None)
    return result_fields(plain)


def attempt_fields(attempt: Attempt, detail_of: DetailOf) -> dict[str, Any]:
    """Return an attempt as an element of the `attempt_log` of `show --json`."""
    ended = attempt.ended_at
    return {
        "attempt": attempt.number,
        "claimed_at": isoformat(attempt.claimed_at),
        "sent_at": isoformat_if_any(attempt.sent_at),
        "ended_at": isoformat_if_any(ended),
        "duration_seconds": (ended - (attempt.sent_at or attempt.claimed_at)).total_seconds()
        if ended
        else None,
        "to": list(attempt.to),
        "results": {
            name: shown_result(result, detail_of) for name, result in attempt.results.items()
        },
        **_host(attempt),
    }
