"""What may be claimed, the lines that say so, and the gate that each request passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from kakaocron.delivery.channel import Allowance, Withheld
from kakaocron.delivery.parcel import FallbackError, Parcel, content_hash
from kakaocron.delivery.policy import (
    Due,
    Policy,
    before_fallback,
    conclude,
    is_alive,
    is_void,
    may_be_sent,
    next_attempt,
    settle_slot,
    still_unknown,
)
from kakaocron.delivery.underway import Engine, Run, Underway
from kakaocron.delivery.verdicts import Meaning, Verdict, result_of, unsent
from kakaocron.errors import Cause, ContentError
from kakaocron.ledger.deliveries import CLOCK_SLACK, Delivery, worst
from kakaocron.ledger.events import Claim, Event, Outcome, Result, SendKey, Settle, of_slot
from kakaocron.ledger.ledger import View
from kakaocron.states import Reason, State
from kakaocron.system.http import Phase
from kakaocron.system.log import log

# How long before its lease ends a claim may let its last request leave.
LEASE_MARGIN = timedelta(seconds=1)

Allowances = Mapping[str, Allowance]


def allowance_days(engine: Engine, wanted: Iterable[Underway], today: date) -> set[date]:
    """Return the days of the ledger by which the channels of these deliveries count."""
    to: dict[str, set[str]] = {}
    for one in wanted:
        for name, receivers in one.to.items():
            to.setdefault(name, set()).update(receivers)
    days = (engine.channels[name].allowance_days(who, today) for name, who in to.items())
    return set().union(*days)


def allowances(
    engine: Engine, run: Run, wanted: Iterable[Underway], view: View, day: date
) -> Allowances:
    """Return what each channel of these deliveries still takes on a KST day, by its name."""
    names = {name for one in wanted for name in one.to}
    for name in names - {known for known, of in run.counted if of == day}:
        channel = engine.channels[name]
        run.counted[name, day] = channel.allowance(view.deliveries.values(), day)
    return {name: run.counted[name, day].left() for name in names}


def reserve(engine: Engine, run: Run, one: Underway) -> dict[str, str | Verdict]:
    """Return a new key for each receiver whose channel gives any, or why there is none; but none
    for those to whom a key can go once more, so that it comes to them at most once."""
    now, policy, due = engine.clock.now(), engine.policy, one.due
    # Where a person would rather have it twice than not at all, a key that is over is no hindrance.
    kept = {
        name for name, key in due.keys.items() if is_alive(key, now) or not policy.resend_unknown
    }
    found: dict[str, str | Verdict] = {}
    for channel in engine.receipts.keys() & one.to.keys():
        wanted = [name for name in one.to[channel] if name not in kept]
        if channel in run.refusals:  # it refuses the others as well: it is not even asked
            found |= dict.fromkeys(wanted, run.refusals[channel])
        elif wanted:
            found |= engine.receipts[channel].reserve(due.id, due.attempt, wanted)
    return found


def begin(
    engine: Engine,
    run: Run,
    one: Underway,
    delivery: Delivery | None,
    now: datetime,
    allowed: Allowances,
) -> list[Event]:
    """Return the lines that a delivery begins with: none if another process has it or had it.

    It may be sent if the last of them is a claim.
    """
    due = one.due
    if not is_ours(delivery, due, engine.policy, now):
        log.debug("%s is another process's", due.id)
        return []
    if now >= due.expires_at:
        return [] if delivery else [_too_late(due, now)]
    if isinstance(one.parcel, Parcel):
        claim = claim_event(engine, run, one, one.parcel, now, delivery)
        return _within_quotas(engine, run, one, claim, allowed)
    return _without_content(engine, run, one, delivery, now, allowed)


def is_ours(delivery: Delivery | None, due: Due, policy: Policy, now: datetime) -> bool:
    """Say whether the ledger still stands where it stood when `due` was decided."""
    if delivery is None or is_void(delivery, now):
        return due.attempt == 1
    return (
        may_be_sent(delivery, policy, now)
        and len(delivery.attempts) + 1 == due.attempt
        # A late confirmation may have come in since: who has it must not get it again.
        and set(due.to) <= set(next_attempt(delivery, policy).to)
    )


def _without_content(
    engine: Engine,
    run: Run,
    one: Underway,
    delivery: Delivery | None,
    now: datetime,
    allowed: Allowances,
) -> list[Event]:
    """Record that the content failed, or claim what may go in its place as time runs out."""
    due, why = one.due, _why_not(one.parcel)
    verdict = unsent(Meaning.NOT_SENT, Reason.CONTENT_FAILED, why)
    outcome = outcome_event(engine, one, dict.fromkeys(due.to, result_of(verdict)), None, now)
    if isinstance(one.parcel, FallbackError):
        next_at = before_fallback(outcome.next_attempt_at, due, now)
        if next_at is None:
            claim = claim_event(engine, run, one, one.parcel.fallback, now, delivery)
            claim = replace(claim, reason=Reason.CONTENT_FAILED, cause=why)
            return _within_quotas(engine, run, one, claim, allowed)
        outcome = replace(outcome, next_attempt_at=next_at)
    return [claim_event(engine, run, one, None, now, delivery), outcome]


def _why_not(made: Parcel | ContentError | None) -> Cause | None:
    return made.cause if isinstance(made, ContentError) else None


def _within_quotas(
    engine: Engine, run: Run, one: Underway, claim: Claim, allowed: Allowances
) -> list[Event]:
    """Hold back what would pass a quota: it would be refused, or be counted against the sender.

    Nor does anything go out without the key by which it could be looked up.
    """
    known = one.due.known
    done = {name: known[name].parts if name in known else 0 for name in one.due.to}
    if engine.receipts:
        one.refused |= _without_key(engine, run, one)
    refused: dict[str, Cause] = {}
    for channel, to in one.to.items():
        wanted = {n: max(1, one.parts - done[n]) for n in to if n not in one.refused}
        refused |= allowed[channel].spend(wanted)
    one.blocked = one.refused | {
        name: Result(State.FAILED, Reason.QUOTA, phase=Phase.BEFORE, parts=done[name], cause=why)
        for name, why in refused.items()
    }
    if len(one.blocked) == len(one.due.to):
        return [claim, outcome_event(engine, one, one.blocked, None, claim.at)]
    return [claim]


def _without_key(engine: Engine, run: Run, one: Underway) -> dict[str, Result]:
    """Return how it ends for those who have no key, though their channel gives them; remember why
    a channel gives none to anybody."""
    none = unsent(Meaning.NOT_SENT, Reason.UNREACHABLE, Cause("no-look-up-key"))
    found: dict[str, Result] = {}
    for channel in engine.receipts.keys() & one.to.keys():
        for name in one.to[channel]:
            why = one.reserved.get(name, none)
            if name in one.keys or not isinstance(why, Verdict):
                continue
            found[name] = result_of(why)
            if down := engine.receipts[channel].down_by(why):
                run.sent.down.setdefault(channel, down)
                run.refusals.setdefault(channel, why)
    return found


def _too_late(due: Due, now: datetime) -> Settle:
    why = Cause("making-too-late")
    return settle_slot(due.slot, due.all_to, now, State.MISSED, Reason.EXPIRED, why)


def claim_event(
    engine: Engine,
    run: Run,
    one: Underway,
    parcel: Parcel | None,
    now: datetime,
    delivery: Delivery | None,
) -> Claim:
    due = one.due
    return of_slot(
        Claim,
        due.slot,
        due.to,
        now,
        state=State.SENDING,
        settled=run.settled,
        expires_at=due.expires_at,
        attempt=due.attempt,
        by=engine.owner,
        until=now + engine.lease,
        text=parcel.text if parcel else None,
        content_hash=parcel.hash if parcel else content_hash(""),
        content=_to_keep(parcel, one, delivery) if parcel else None,
        read=parcel.read if parcel else None,
        keys=(_keys(engine, one, now) or None) if parcel and engine.receipts else None,
    )


def _keys(engine: Engine, one: Underway, now: datetime) -> dict[str, SendKey]:
    """Return the keys of an attempt: new ones live from its claim on, others as they have."""
    keys = dict(one.due.keys)
    for channel in engine.receipts.keys() & one.to.keys():
        life = engine.receipts[channel].key_life
        for name in one.to[channel]:
            if isinstance(new := one.reserved.get(name), str):
                keys[name] = SendKey(new, now, now + life if life else None)
    return keys


def _to_keep(parcel: Parcel, one: Underway, delivery: Delivery | None) -> dict[str, object] | None:
    """Return the content for the ledger if a later attempt may have to go on with the same."""
    if len(parcel.parts) == 1 and len(one.due.all_to) == 1 and not one.keys:
        return None
    kept = parcel.fields()
    known = delivery.content if delivery else None
    return None if known and known.get("parts") == kept["parts"] else kept


def outcome_event(
    engine: Engine,
    one: Underway,
    results: Mapping[str, Result],
    sent_at: datetime | None,
    now: datetime,
) -> Outcome:
    due = one.due
    if one.repeats:
        results = {
            name: still_unknown(due.known[name], result) if name in one.repeats else result
            for name, result in results.items()
        }
    closed, next_at = conclude(due, engine.policy, results, now)
    decisive = worst({**due.known, **closed}.values())
    return Outcome(
        at=now,
        id=due.id,
        state=decisive.state,
        reason=decisive.reason,
        detail=decisive.detail,
        cause=decisive.cause,
        behind=decisive.behind,
        attempt=due.attempt,
        by=engine.owner,
        targets=closed,
        sent_at=sent_at,
        next_attempt_at=next_at,
    )


def gate(engine: Engine, one: Underway) -> Callable[[], datetime]:
    """Make the last check before a request leaves: the promises P1, P3, P4 and P6, each time.

    A process that was stopped and woken up, or whose clock was set, finds out here.
    """
    due, claim, receipt = one.due, one.claim, one.receipt

    def may_leave() -> datetime:
        if claim is None or receipt is None:
            raise Withheld(Reason.LEDGER_DAMAGED, Cause("no-claim"))
        if lost := engine.ledger.lost(receipt):
            raise Withheld(*lost)
        if engine.interrupts.is_asked:
            raise Withheld(Reason.TICK_CRASHED, Cause("told-to-end"))
        # The clock comes last: a process may be stopped for hours while it reads.
        now = engine.clock.now()
        if now < due.slot.at:
            raise Withheld(Reason.CLOCK_WRONG, Cause("set-back"))
        latest = engine.sharing.latest() if engine.sharing else now
        if latest >= due.expires_at:
            raise Withheld(Reason.EXPIRED, Cause("slot-over"))
        if now < claim.at - CLOCK_SLACK or latest > claim.until - LEASE_MARGIN:
            raise Withheld(Reason.EXPIRED, Cause("claim-over"))
        return now

    return may_leave


def no_claim() -> datetime:
    """The gate of what is boarded: nothing leaves."""
    raise Withheld(Reason.LEDGER_DAMAGED, Cause("no-claim"))
