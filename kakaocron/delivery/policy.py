"""What to do now: which deliveries are due, which have come to their end, what follows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.errors import Cause, Exit
from kakaocron.kst import KST
from kakaocron.ledger.beats import Beat, Word
from kakaocron.ledger.deliveries import (
    CLOCK_SLACK,
    Attempt,
    Delivery,
    Gap,
    is_awaited,
    key_of,
    of_delivery,
)
from kakaocron.ledger.events import Result, SendKey, Settle, of_slot
from kakaocron.schedule.pauses import Pause, Paused, first_open
from kakaocron.schedule.slots import Series, Slot, expiry, slots_between
from kakaocron.states import ONCE, TAKEN, Reason, State


class Policy(Struct, frozen=True):
    """How often, how long and whether at all to try again."""

    retry_delays: tuple[timedelta, ...]
    max_retries: int
    expire_after: timedelta
    resend_unknown: bool = False
    confirmation_delay: timedelta = timedelta(0)  # before what was taken is looked up
    settling: timedelta = timedelta(0)  # before what nobody knows of is (ReceiptChannel)

    def delay_after(self, attempts: int) -> timedelta:
        """Return the pause after the given attempt (from 1); the last delay repeats."""
        return self.retry_delays[min(attempts, len(self.retry_delays)) - 1]


class Due(Struct, frozen=True):
    """A delivery to be sent now: to which receivers, as which attempt, and until when.

    `known` holds the results that its receivers have from earlier attempts; `tries_before` counts
    the attempts that were made before a person reopened it, which begins a new count of retries.
    `keys` are of receivers who may have it, of which nobody knows: with another key it could come
    to them twice.
    """

    slot: Slot
    to: tuple[str, ...]
    all_to: tuple[str, ...]
    attempt: int
    expires_at: datetime
    known: Mapping[str, Result] = field(default_factory=dict)
    tries_before: int = 0
    keys: Mapping[str, SendKey] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.slot.id


class Decision(Struct, frozen=True):
    """What the ledger must say before anything else is done, and what is then to be sent."""

    settle: tuple[Settle, ...]
    due: tuple[Due, ...]


MissedReason = Callable[[Slot, datetime], Reason]


def decide(
    series: Sequence[Series],
    policy: Policy,
    deliveries: Mapping[str, Delivery],
    now: datetime,
    since: datetime | None,
    *,
    ahead: timedelta = timedelta(0),
    gaps: Mapping[date, Gap] = MappingProxyType({}),
    missed_reason: MissedReason = lambda *_: Reason.NO_TICK,
    paused: Paused = lambda *_: False,
) -> Decision:
    """Decide what `now` asks for.

    `since` is the instant up to which every slot is known to have a state, None on the first run.
    `ahead` also makes slots due that will come within it (`early_start`). `gaps` says what a day's
    part of the ledger may have lost: what is due in it and has no final state may have been sent,
    so it is not sent (again). `paused` says whether a message was paused at an instant.
    """
    recorded = deliveries
    deliveries = _not_void(deliveries, now)
    settle: list[Settle] = []
    due: list[Due] = []
    for delivery in deliveries.values():
        if _is_closed(delivery):
            continue
        is_paused = begins_paused(delivery, paused)
        event = _lost(delivery, gaps, now)
        if event is None and is_paused and delivery.slot <= now:
            event = settle_delivery(delivery, now, State.MISSED, Reason.PAUSED)
        event = event or overdue(delivery, policy, now)
        if event:
            settle.append(event)
        elif may_be_sent(delivery, policy, now, ahead) and not is_paused:
            due.append(next_attempt(delivery, policy))
    for one in series:
        for slot, expires_at in _unsettled(one, policy, deliveries, now, since, ahead, gaps):
            if _is_in(gaps, slot.at):
                lost = Reason.LEDGER_DAMAGED
                settle.append(settle_slot(slot, one.to, now, State.UNKNOWN, lost))
            elif paused(slot.message, slot.at):
                if slot.at <= now and slot.id not in recorded:
                    settle.append(settle_slot(slot, one.to, now, State.MISSED, Reason.PAUSED))
            elif now < expires_at:
                due.append(Due(slot, one.to, one.to, 1, expires_at))
            elif slot.id not in recorded:  # else it was missed all the same
                reason = missed_reason(slot, expires_at)
                settle.append(settle_slot(slot, one.to, now, State.MISSED, reason))
    due.sort(key=lambda item: (item.slot.at, item.slot.message))
    return Decision(tuple(settle), tuple(due))


def idle_until(
    series: Sequence[Series],
    policy: Policy,
    deliveries: Mapping[str, Delivery],
    now: datetime,
    limit: datetime,
    ahead: timedelta = timedelta(0),
) -> datetime:
    """Return before which instant, at most `limit`, `decide` cannot find anything to do.

    This holds for a ledger that does not change, and for which `decide` found nothing at `now`.
    """
    deliveries = _not_void(deliveries, now)
    instants = [limit]
    for delivery in deliveries.values():
        if not _is_closed(delivery):
            instants += _turning_points(delivery, policy, ahead)
        if delivery.state is not State.CONFIRMED:
            look_up = look_up_at(delivery, policy, now)
            instants += [] if look_up is None else [max(now, look_up)]
    for one in series:
        slots = slots_between(one.name, one.timetable, now, limit + ahead)
        first = next((slot for slot in slots if slot.id not in deliveries), None)
        if first is not None:
            instants.append(max(now, first.at - ahead))
    # In a day's last moments the limit itself may lie behind: then there is nothing to wait for.
    return min((instant for instant in instants if instant >= now), default=now)


# For how long channels are asked what became of a message, and at which intervals: a quarter of the
# time since its claim, within these bounds. The shortest lets the next tick ask, if a little early.
LONGEST_WAIT_FOR_RECEIPT = timedelta(days=3)
SHORTEST_GAP = timedelta(seconds=45)
LONGEST_GAP = timedelta(hours=6)


def look_up_at(delivery: Delivery, policy: Policy, now: datetime) -> datetime | None:
    """Return from when on channels are to be asked (again) what became of a delivery, None if they
    are not."""
    if delivery.state is State.SENDING or not (names := to_look_up(delivery)):
        return None
    asked_at = delivery.asked_at
    if asked_at is None or asked_at > now + CLOCK_SLACK:  # from the future: the clock was set back
        return min(settled_at(delivery, name, policy) for name in names)
    is_unknown = any(delivery.targets[name].state is State.UNKNOWN for name in names)
    if is_unknown and asked_at < expiry_of(delivery, policy):  # it may still be sent
        return asked_at + SHORTEST_GAP
    age = asked_at - min(_last_attempt(delivery, name).claimed_at for name in names)
    if age >= LONGEST_WAIT_FOR_RECEIPT:
        return None
    return asked_at + min(max(age / 4, SHORTEST_GAP), LONGEST_GAP)


def to_look_up(delivery: Delivery) -> list[str]:
    """Return the receivers of whom a channel may still tell more."""
    return [
        name
        for name, found in delivery.targets.items()
        if is_awaited(found) and key_of(delivery, name) is not None
    ]


def settled_at(delivery: Delivery, name: str, policy: Policy) -> datetime:
    """Return from when on a channel can tell what became of what a receiver was last sent."""
    last = _last_attempt(delivery, name)
    is_taken = delivery.targets[name].state is State.SENT
    wait = policy.confirmation_delay if is_taken else policy.settling
    return (last.ended_at or last.until) + wait


def _last_attempt(delivery: Delivery, name: str) -> Attempt:
    return next(one for one in reversed(delivery.attempts) if name in one.to)


def _turning_points(delivery: Delivery, policy: Policy, ahead: timedelta) -> Iterable[datetime]:
    """Yield the instants at which an open delivery may ask for something: rather one too many."""
    for instant in (delivery.slot, delivery.next_attempt_at):
        if instant is not None:
            yield instant - ahead
            yield instant
    yield expiry_of(delivery, policy)
    if delivery.attempts:
        yield delivery.attempts[-1].until


def is_void(delivery: Delivery, now: datetime) -> bool:
    """Say whether a slot was given up by a clock that ran ahead and has been set back since.

    Nothing of it was ever claimed, so it is as good as new where it can still be sent in time.
    """
    return (
        delivery.state is State.MISSED
        and not delivery.attempts
        and delivery.updated_at is not None
        and delivery.updated_at > now + CLOCK_SLACK
    )


def _not_void(deliveries: Mapping[str, Delivery], now: datetime) -> dict[str, Delivery]:
    missed = State.MISSED  # asked here: few are
    return {
        key: one
        for key, one in deliveries.items()
        if one.state is not missed or not is_void(one, now)
    }


def _is_closed(delivery: Delivery) -> bool:
    """Say whether nothing can come of it: of what is unknown something may, by `on_unknown`."""
    if delivery.state is State.CONFIRMED:  # nearly all
        return True
    return delivery.is_final and delivery.state is not State.UNKNOWN


def _is_in(gaps: Mapping[date, Gap], at: datetime) -> bool:
    gap = gaps.get(at.date())
    return gap is not None and at <= gap.until


def _lost(delivery: Delivery, gaps: Mapping[date, Gap], now: datetime) -> Settle | None:
    """Return the event that holds back a delivery whose latest lines may be lost, or None."""
    gap = gaps.get(delivery.slot.date())
    if gap is None or delivery.slot > gap.until:
        return None
    if delivery.reason is Reason.LEDGER_DAMAGED or delivery.id in gap.known:
        return None
    return settle_delivery(delivery, now, State.UNKNOWN, Reason.LEDGER_DAMAGED)


def _unsettled(
    one: Series,
    policy: Policy,
    deliveries: Mapping[str, Delivery],
    now: datetime,
    since: datetime | None,
    ahead: timedelta,
    gaps: Mapping[date, Gap],
) -> Iterable[tuple[Slot, datetime]]:
    """Yield the slots without a state, oldest first, each with its expiry.

    Of those that have come, only the newest can be before its expiry: the next slot is one.
    """
    window = now - policy.expire_after
    start = window if since is None else min(window, since)
    # On a day whose ledger has new gaps, slots that had a state may have lost it.
    new = {day: gap for day, gap in gaps.items() if since is None or gap.until > since}
    if new:
        start = min(start, datetime.combine(min(new), time(), KST) - timedelta.resolution)
    # What the gap may have held has come, even if the clock was set back to before it.
    end = max([now + ahead, *(gap.until for gap in new.values())])
    for slot in slots_between(one.name, one.timetable, start, end):
        if slot.id in deliveries or (slot.at > now + ahead and not _is_in(new, slot.at)):
            continue
        expires_at = expiry(slot, one.timetable, policy.expire_after)
        was_watched = since is not None and slot.at > since
        was_watched = was_watched or _is_in(new, slot.at)
        if was_watched or now < expires_at:
            yield slot, expires_at


def begins_paused(delivery: Delivery, paused: Paused) -> bool:
    """Say whether a one-off that nobody has begun to send falls into a pause.

    What a person sends or retries by hand is meant to go out all the same.
    """
    return (
        delivery.state is State.SCHEDULED
        and delivery.next_attempt_at is None
        and delivery.kind == ONCE
        and paused(delivery.message, delivery.slot)
    )


def next_to_come(
    series: Sequence[Series],
    pauses: Sequence[Pause],
    deliveries: Mapping[str, Delivery],
    after: datetime,
    kind: str | None = None,
) -> Slot | None:
    """Return the first slot after an instant that is to be sent, of a kind if one is given.

    That is one without a state that is not paused, or one that a person let be sent after all
    (cancelled, then retried): such a one a pause does not stop.
    """
    names = {one.name for one in series}
    found = [
        Slot(one.message, one.slot, one.kind)
        for one in deliveries.values()
        if one.state is State.SCHEDULED
        and one.next_attempt_at == one.slot > after
        and one.message in names
        and kind in {None, one.kind}
    ]
    first = first_open(series, pauses, after, kind, taken=deliveries)
    found += [first] if first else []
    return min(found, key=lambda slot: (slot.at, slot.message), default=None)


def settle_slot(
    slot: Slot,
    to: Sequence[str],
    now: datetime,
    state: State,
    reason: Reason,
    cause: Cause | None = None,
) -> Settle:
    """Return the line that gives a slot its first state, without an attempt."""
    return of_slot(Settle, slot, to, now, state=state, reason=reason, cause=cause)


def next_attempt(delivery: Delivery, policy: Policy) -> Due:
    """Return the next attempt at a delivery, for those of its receivers that still lack it."""
    open_to = tuple(
        name
        for name in delivery.to
        if name not in delivery.targets or _is_open(delivery.targets[name], policy)
    )
    return Due(
        Slot(delivery.message, delivery.slot, delivery.kind),
        open_to,
        delivery.to,
        len(delivery.attempts) + 1,
        expiry_of(delivery, policy),
        delivery.targets,
        delivery.tries_before,
        dict(_keys_in_use(delivery, open_to)),
    )


def _keys_in_use(delivery: Delivery, open_to: Iterable[str]) -> Iterable[tuple[str, SendKey]]:
    for name in open_to:
        found = delivery.targets.get(name)
        if found and found.state is State.UNKNOWN and (key := key_of(delivery, name)):
            yield name, key


def _is_open(result: Result, policy: Policy) -> bool:
    is_waiting = result.state in {State.RETRYING, State.SCHEDULED}
    return is_waiting or _is_resent(result, policy) or is_absent(result)


def is_absent(result: Result) -> bool:
    """Say whether the channel, asked in time, knew nothing of it: with its key it may go again."""
    return result.state is State.UNKNOWN and result.reason is Reason.NOT_FOUND


def _is_resent(one: Result | Delivery, policy: Policy) -> bool:
    """Say whether it is sent again though it may have arrived: never where a line may be lost."""
    is_unknown = one.state is State.UNKNOWN and one.reason is not Reason.LEDGER_DAMAGED
    return is_unknown and policy.resend_unknown


def expiry_of(delivery: Delivery, policy: Policy) -> datetime:
    return delivery.expires_at or delivery.slot + policy.expire_after


def may_be_sent(
    delivery: Delivery, policy: Policy, now: datetime, ahead: timedelta = timedelta(0)
) -> bool:
    """Say whether a delivery that the ledger knows is to be sent at `now`.

    Only first attempts are looked at `ahead` of time: a retry is for the first tick after it.
    """
    if now >= expiry_of(delivery, policy):
        return False
    if delivery.state is State.SCHEDULED:
        return (delivery.next_attempt_at or delivery.slot) <= now + ahead
    next_at = delivery.next_attempt_at
    if next_at is None or next_at > now:
        return False
    return (
        delivery.state is State.RETRYING
        or _is_resent(delivery, policy)
        or any(
            is_absent(found) and (key := key_of(delivery, name)) and is_alive(key, now)
            for name, found in delivery.targets.items()
        )
    )


def is_alive(key: SendKey, now: datetime) -> bool:
    """Say whether a key may be sent once more: as far as the clock tells that was not set back."""
    return key.since - CLOCK_SLACK <= now and (key.until is None or now < key.until)


def overdue(delivery: Delivery, policy: Policy, now: datetime) -> Settle | None:
    """Return the event that ends a delivery which nobody else will end, or None."""
    expires_at = expiry_of(delivery, policy)
    if delivery.state is State.SENDING and delivery.lease_is_over(now):
        resend = policy.resend_unknown and now < expires_at
        return settle_delivery(
            delivery,
            now,
            State.UNKNOWN,
            Reason.PROCESS_DIED,
            next_attempt_at=now if resend else None,
        )
    if now < expires_at:
        return None
    if delivery.state is State.RETRYING:
        ended = settle_delivery(delivery, now, State.FAILED, Reason.EXPIRED, cause=delivery.cause)
        return replace(ended, detail=delivery.detail)
    if delivery.state is State.SCHEDULED:
        return settle_delivery(delivery, now, State.MISSED, Reason.NO_TICK)
    return None


def settle_delivery(
    delivery: Delivery,
    now: datetime,
    state: State,
    reason: Reason,
    *,
    cause: Cause | None = None,
    next_attempt_at: datetime | None = None,
) -> Settle:
    """Return the line that gives a delivery another state, without an attempt."""
    return of_delivery(
        Settle,
        delivery,
        now,
        state=state,
        reason=reason,
        cause=cause,
        next_attempt_at=next_attempt_at,
    )


def conclude(
    due: Due, policy: Policy, results: Mapping[str, Result], now: datetime
) -> tuple[dict[str, Result], datetime | None]:
    """Close those receivers for whom there is no next attempt; return when the next one is.

    The next attempt serves those refused for now, and under `on_unknown = "resend"` also those
    whose outcome is unknown. It comes when the longest wait that a service has asked for is over;
    a receiver for whom that is too late has none.
    """
    tries = due.attempt - due.tries_before
    is_spent = tries > policy.max_retries
    end = Reason.RETRIES_SPENT if is_spent else Reason.EXPIRED
    at = {
        name: max(
            now + policy.delay_after(tries), now + timedelta(seconds=result.wait_seconds or 0)
        )
        for name, result in results.items()
        if _is_open(result, policy)
    }
    instants = [] if is_spent else [one for one in at.values() if one < due.expires_at]
    closed = {
        name: replace(result, state=State.FAILED, reason=end, behind=result.reason)
        if result.state is State.RETRYING and at[name] not in instants
        else result
        for name, result in results.items()
    }
    return closed, max(instants, default=None)


def still_unknown(before: Result, result: Result) -> Result:
    """Return a receiver's result after a repeat with the same key: that it was not taken this time
    does not tell whether it was before."""
    if result.state in TAKEN or result.state is State.UNKNOWN:
        return result
    reason = before.behind if is_absent(before) else before.reason
    return replace(result, state=State.UNKNOWN, reason=reason or result.reason, behind=None)


def before_fallback(next_attempt_at: datetime | None, due: Due, now: datetime) -> datetime | None:
    """Return when to try a content again that has a fallback; None if that must go out now.

    Nothing may be left for a tick that comes too late: the last one has a whole minute to itself.
    """
    last = (due.expires_at - timedelta.resolution).replace(second=0, microsecond=0)
    if next_attempt_at is None or now >= last:
        return None
    return min(next_attempt_at, last)


# What stopped a tick, by its exit code; the first that fits a slot's ticks is told.
_STOPPED_BY = {
    Exit.LEDGER: Reason.LEDGER_UNWRITABLE,
    Exit.LOCK: Reason.LOCK_HELD,
    Exit.USAGE: Reason.CONFIG_BROKEN,
}


def why_missed(beats: Iterable[Beat]) -> Reason:
    """Tell why a slot was missed from the ticks between it and its expiry."""
    during = list(beats)
    codes = {beat.exit_code for beat in during if beat.word is Word.FAIL}
    for code, reason in _STOPPED_BY.items():
        if code in codes:
            return reason
    return Reason.TICK_CRASHED if during else Reason.NO_TICK
