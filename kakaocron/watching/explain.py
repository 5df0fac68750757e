"""What happened, or will, at one minute, and why: one reason from the closed list. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from kakaocron.delivery.policy import (
    Policy,
    begins_paused,
    expiry_of,
    look_up_at,
    next_to_come,
    why_missed,
)
from kakaocron.kst import MINUTE, isoformat
from kakaocron.language.words import _
from kakaocron.ledger.beats import Beat, Word
from kakaocron.ledger.deliveries import Delivery, attempt_fields, is_by_hand
from kakaocron.schedule.pauses import Pause, is_paused
from kakaocron.schedule.slots import Series, Slot, Timetable, expiry
from kakaocron.states import Reason, State
from kakaocron.text.causes import Templates, in_words
from kakaocron.watching.sentences import advice, detail_of

INSTANT = timedelta.resolution

MEANINGS: Templates = {
    Reason.NO_SLOT: "no message has a slot at this minute",
    Reason.DAY_OFF: "the message has no slots on this day (days, skip_holidays)",
    Reason.NO_TICK: "no tick ran while it could be sent: the host or cron was down",
    Reason.EXPIRED: "its time ran out before it could be delivered",
    Reason.PAUSED: "it was paused",
    Reason.QUIET: "the minute lies in quiet hours ([schedule] quiet)",
    Reason.QUOTA: "a quota is used up",
    Reason.NOT_LOGGED_IN: "Kakao does not accept the login",
    Reason.REFUSED: "Kakao refuses it, and will again",
    Reason.REFUSED_FOR_NOW: "Kakao refuses it for now",
    Reason.RETRIES_SPENT: "every attempt failed, and no more are allowed",
    Reason.UNREACHABLE: "Kakao could not be reached, so nothing was sent",
    Reason.READ_TIMEOUT: "the request left and no answer came in time",
    Reason.CONNECTION_RESET: "no whole answer came back after the request had left",
    Reason.SERVER_FAULT: "Kakao had a fault of its own after taking the request",
    Reason.UNPROVEN_ANSWER: "the answer does not prove that Kakao took the message",
    Reason.PROCESS_DIED: "the process that was sending it died before it noted the answer: "
    "it may have been sent",
    Reason.LEDGER_DAMAGED: "the part of the ledger that would tell is damaged",
    Reason.LEDGER_UNWRITABLE: "the ledger could not be written, so nothing was sent",
    Reason.LOCK_HELD: "another process held the ledger's lock for too long",
    Reason.TICK_CRASHED: "the ticks that ran then did not come to their end",
    Reason.CONFIG_BROKEN: "the configuration could not be used at the time",
    Reason.CONTENT_FAILED: "the message's content could not be made",
    Reason.PICTURE_LEFT_OUT: "it went out without its picture",
    Reason.CLOCK_WRONG: "the clock was wrong",
    Reason.BY_HAND: "somebody settled it by hand",
    Reason.UNDELIVERED: "it was accepted, and then reported as not delivered",
    Reason.NO_RECEIPT: "it was accepted, and nobody has said so far whether it arrived",
    Reason.NOT_FOUND: "asked afterwards, the service knows nothing of it",
}


class MessageExplanation(Struct, frozen=True):
    """One message at the minute. `reason` is None for plain success and for what lies ahead."""

    message: str
    id: str | None
    kind: str | None
    is_expected: bool
    state: State | None
    reason: Reason | None
    why: str
    what_next: str
    delivery: Delivery | None = None

    def fields(self) -> dict[str, Any]:
        log = self.delivery.attempts if self.delivery else ()
        read = self.delivery.read if self.delivery else None
        return {
            "message": self.message,
            "id": self.id,
            "kind": self.kind,
            "expected": self.is_expected,
            "state": self.state,
            "reason": self.reason,
            "why": self.why,
            "detail": detail_of(self.delivery) if self.delivery else None,
            "attempt_log": [attempt_fields(attempt, detail_of) for attempt in log],
            "read": in_words(read) if read else None,
            "next": self.what_next,
        }


class Explanation(Struct, frozen=True):
    """The answer for a minute: the ticks seen in it, and what each message concerned came to.

    `gap_words` tell of the stretch without any tick around the minute, if no tick ran in it.
    """

    at: datetime
    now: datetime
    ticks: tuple[Beat, ...]
    gap_words: str | None
    messages: tuple[MessageExplanation, ...]

    @property
    def reason(self) -> Reason | None:
        return next((f.reason for f in self.messages if f.reason), None)

    @property
    def is_expected(self) -> bool:
        return any(found.is_expected for found in self.messages)

    def fields(self) -> dict[str, Any]:
        """Return the object that `explain --json` prints."""
        return {
            "at": isoformat(self.at),
            "now": isoformat(self.now),
            "expected": self.is_expected,
            "reason": self.reason,
            "ticks": [
                {
                    "at": isoformat(b.at),
                    "word": b.word,
                    "exit_code": b.exit_code,
                    **({"host": b.host} if b.host else {}),
                }
                for b in self.ticks
            ],
            "gap": self.gap_words,
            "messages": [found.fields() for found in self.messages],
        }


class Evidence(Struct, frozen=True):
    """What is known around the minute: the day's deliveries, the ticks, up to when every slot has
    a state (None before the first tick), the last start of the host, and the pauses."""

    deliveries: Mapping[str, Delivery]
    beats: Sequence[Beat]
    settled_until: datetime | None = None
    booted_at: datetime | None = None
    pauses: Sequence[Pause] = ()

    def paused(self, message: str, at: datetime) -> bool:
        return is_paused(self.pauses, message, at)


def explain(
    at: datetime, now: datetime, series: Sequence[Series], policy: Policy, evidence: Evidence
) -> Explanation:
    """Say what became of the minute that begins at `at`, or what will."""
    messages = [f for one in series if (f := _of_series(one, at, now, policy, evidence))]
    known = {found.id for found in messages}
    messages += [
        _of_delivery(one, now, policy, evidence)
        for one in evidence.deliveries.values()
        if at <= one.slot < at + MINUTE and one.id not in known
    ]
    if not messages:
        messages = [_nothing(at, now, series, evidence)]
    ticks = tuple(b for b in evidence.beats if at <= b.at < at + MINUTE and b.is_of_a_tick)
    # With early_start the tick of a slot began in the minute before.
    sent = [f.delivery for f in messages if f.delivery and not is_by_hand(f.delivery.id)]
    claims = (attempt.claimed_at for one in sent for attempt in one.attempts)
    was_seen = bool(ticks) or any(at <= claimed_at < at + MINUTE for claimed_at in claims)
    gap_words = None if was_seen or at > now else _gap_words(evidence, at, now)
    return Explanation(at, now, ticks, gap_words, tuple(messages))


def _of_series(
    one: Series, at: datetime, now: datetime, policy: Policy, evidence: Evidence
) -> MessageExplanation | None:
    """Explain one configured message; None if the minute does not concern it."""
    held = one.timetable.held_at(at)
    kind = _kind_at(held, at) if held else None
    slot = Slot(one.name, at, kind or "")
    delivery = evidence.deliveries.get(slot.id)
    if delivery is not None:
        return _of_delivery(delivery, now, policy, evidence, one)
    if held is None or kind is None:
        kind = _kind_at(one.timetable, at)
        if kind is None:
            return None
        return _not_expected(one, kind, Reason.NO_SLOT, at, now, evidence, _since_words(one, at))
    left_out = held.left_out(at)
    if left_out is not None:
        reason = Reason.QUIET if left_out == "quiet" else Reason.DAY_OFF
        return _not_expected(one, kind, reason, at, now, evidence)
    if evidence.paused(one.name, at):
        return _not_expected(one, kind, Reason.PAUSED, at, now, evidence)
    return _without_record(slot, one, now, policy, evidence)


def _not_expected(
    one: Series,
    kind: str,
    reason: Reason,
    at: datetime,
    now: datetime,
    evidence: Evidence,
    why: str | None = None,
) -> MessageExplanation:
    following = _next_words(one, max(at, now), evidence)
    why = why or _(MEANINGS[reason])
    return MessageExplanation(one.name, None, kind, False, None, reason, why, following)


def _kind_at(timetable: Timetable, at: datetime) -> str | None:
    """Return the kind of the slot that a minute would be, whatever leaves it out."""
    _, kind = next(timetable.times.between(at - INSTANT, at), (at, None))
    return kind


def _since_words(one: Series, at: datetime) -> str:
    """Say which change has brought a message the minute that it did not have then."""
    changed = one.timetable
    while (before := changed.before) and before.since and at < before.since:
        changed = before
    said = (
        _("the times of '{name}' were changed at {since:%Y-%m-%d %H:%M:%S}, after this minute")
        if before
        else _("'{name}' was added at {since:%Y-%m-%d %H:%M:%S}, after this minute")
    )
    return said.format(name=one.name, since=changed.since)


def _without_record(
    slot: Slot, one: Series, now: datetime, policy: Policy, evidence: Evidence
) -> MessageExplanation:
    expires_at = expiry(slot, one.timetable, policy.expire_after)
    if slot.at > now:
        why = _("{kind} slot of '{name}'").format(kind=_(slot.kind), name=one.name)
        what_next = _first_attempt(slot.at, expires_at, now)
        return MessageExplanation(
            one.name, slot.id, slot.kind, True, State.SCHEDULED, None, why, what_next
        )
    is_new = evidence.settled_until is None and now >= expires_at
    if is_new or (evidence.settled_until is not None and evidence.settled_until >= slot.at):
        is_seen = any(b.at < expires_at for b in evidence.beats if b.is_of_a_tick)
        is_early = is_new or not is_seen
        when = _("before kakaocron's first tick") if is_early else _("as kakaocron was set up then")
        why, following = f"{_(MEANINGS[Reason.NO_SLOT])} {when}", _next_words(one, now, evidence)
        return MessageExplanation(
            one.name, slot.id, slot.kind, False, None, Reason.NO_SLOT, why, following
        )
    during = [b for b in evidence.beats if slot.at <= b.at < min(expires_at, now)]
    what_next = _first_attempt(slot.at, expires_at, now)
    if during and _is_at_work(during[-1], now):
        why, state = (
            _("{kind} slot of '{name}'").format(kind=_(slot.kind), name=one.name),
            State.SCHEDULED,
        )
        what_next = _("the tick that is at work now")
        return MessageExplanation(one.name, slot.id, slot.kind, True, state, None, why, what_next)
    reason = why_missed(during)
    if now < expires_at:
        why = _("no tick has handled it so far ({why})").format(why=_(MEANINGS[reason]))
        state = State.SCHEDULED
    else:
        why, state = _(MEANINGS[reason]), State.MISSED
    return MessageExplanation(one.name, slot.id, slot.kind, True, state, reason, why, what_next)


def _is_at_work(last: Beat, now: datetime) -> bool:
    return last.word is Word.START and now - last.at < MINUTE


def _of_delivery(
    delivery: Delivery,
    now: datetime,
    policy: Policy,
    evidence: Evidence,
    one: Series | None = None,
) -> MessageExplanation:
    is_paused_ahead = begins_paused(delivery, evidence.paused)
    is_meant = is_paused_ahead or delivery.was_meant
    reason = Reason.PAUSED if is_paused_ahead else delivery.reason
    words = _("{kind} slot of '{name}'") if one else _("{kind} of '{name}'")
    if is_paused_ahead:
        what_next = _("a tick records it as missed")
    else:
        what_next = _what_next(delivery, now, policy) or _next_words(one, now, evidence)
    return MessageExplanation(
        delivery.message,
        delivery.id,
        delivery.kind,
        not is_meant,
        delivery.state,
        reason,
        _(MEANINGS.get(reason, str(reason)))
        if reason
        else words.format(kind=_(delivery.kind), name=delivery.message),
        what_next,
        delivery,
    )


def _what_next(delivery: Delivery, now: datetime, policy: Policy) -> str | None:
    """Say what this delivery still waits for, None if nothing."""
    at, expires_at = delivery.next_attempt_at, expiry_of(delivery, policy)
    match delivery.state:
        case State.UNKNOWN if at is None:
            said = _as_a_clause(advice(delivery))
        case State.FAILED | State.MISSED:
            said = _as_a_clause(advice(delivery))
        case State.SENT if ask := look_up_at(delivery, policy, now):
            said = _("the first tick at or after {at:%H:%M:%S} asks whether it arrived").format(
                at=ask
            )
        case State.SENDING if delivery.lease_is_over(now):
            said = _("the next tick counts it as unknown")
        case State.SENDING:
            until = delivery.attempts[-1].until
            said = _("its tick is at work; after {until:%H:%M:%S} it counts as unknown").format(
                until=until
            )
        case State.SCHEDULED if at is None:
            said = _first_attempt(delivery.slot, expires_at, now)
        case _ if at is not None and now >= expires_at:
            said = _("the next tick records that its time ran out")
        case _ if at is not None:
            said = _("the first tick at or after {at:%H:%M:%S} tries again").format(at=at)
        case state if not state.is_known:
            said = _("a later kakaocron wrote this, and this one leaves it alone: upgrade it")
        case _:
            return None
    return said


def _as_a_clause(said: str) -> str:
    return said[0].lower() + said[1:]


def _first_attempt(slot: datetime, expires_at: datetime, now: datetime) -> str:
    if now < slot:
        return _("a tick at {slot:%H:%M} sends it").format(slot=slot)
    if now < expires_at:
        return _("the next tick sends it, if it runs before {expires_at:%H:%M:%S}").format(
            expires_at=expires_at
        )
    return _("the next tick records it as missed")


def _next_words(one: Series | None, after: datetime, evidence: Evidence) -> str:
    """Name the next slot that is to be sent."""
    if one is None:
        return _("nothing")
    following = next_to_come([one], evidence.pauses, evidence.deliveries, after)
    if following is not None:
        return _("the next slot of '{message}' is {at:%Y-%m-%d %H:%M}").format(
            message=following.message, at=following.at
        )
    found = [pause for pause in evidence.pauses if pause.covers(one.name, after)]
    if found:
        # While all are paused, one cannot be resumed alone.
        which = "" if any(pause.message is None for pause in found) else f" {one.name}"
        return _("nothing until it is resumed: kakaocron resume{which}").format(which=which)
    return _("nothing")


def _nothing(
    at: datetime, now: datetime, series: Sequence[Series], evidence: Evidence
) -> MessageExplanation:
    first = next_to_come(series, evidence.pauses, evidence.deliveries, max(at, now))
    if not series:
        what_next = _("nothing: the configuration has no [[message]]")
    elif first is None:
        what_next = _("nothing within a year, or until what is paused is resumed")
    else:
        what_next = _("the next slot is {at:%Y-%m-%d %H:%M}, of '{message}'").format(
            at=first.at, message=first.message
        )
    reason = Reason.NO_SLOT
    return MessageExplanation("", None, None, False, None, reason, _(MEANINGS[reason]), what_next)


def _gap_words(evidence: Evidence, at: datetime, now: datetime) -> str:
    seen = [beat.at for beat in evidence.beats if beat.is_of_a_tick]
    before = max((moment for moment in seen if moment < at), default=None)
    after = min((moment for moment in seen if moment >= at + MINUTE), default=None)
    words = _("no tick in this minute: none {span}").format(span=_gap_span(before, after))
    booted_at = evidence.booted_at
    # Of a start before the minute nobody knows what it has to do with it.
    if booted_at and max(at, before or at) < booted_at <= (after or now):
        words += _("; this host was down until {booted_at:%m-%d %H:%M:%S}").format(
            booted_at=booted_at
        )
    return words


def _gap_span(before: datetime | None, after: datetime | None) -> str:
    if before and after:
        return _("between {before:%m-%d %H:%M:%S} and {after:%m-%d %H:%M:%S}").format(
            before=before, after=after
        )
    if before:
        return _("since {before:%m-%d %H:%M:%S}").format(before=before)
    return (
        _("before {after:%m-%d %H:%M:%S}").format(after=after)
        if after
        else _("has been seen at all")
    )
