"""What to do now: boundaries of expiry, retries, leases, damage, by values alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from kakaocron.delivery.policy import (
    Decision,
    Due,
    Policy,
    before_fallback,
    conclude,
    decide,
    idle_until,
    is_absent,
    is_alive,
    is_void,
    look_up_at,
    may_be_sent,
    next_attempt,
    next_to_come,
    overdue,
    settle_slot,
    settled_at,
    still_unknown,
    why_missed,
)
from kakaocron.delivery.verdicts import Meaning, Verdict, result_of
from kakaocron.errors import Cause
from kakaocron.kst import KST
from kakaocron.ledger.beats import NOTHING, Beat, Word
from kakaocron.ledger.deliveries import Attempt, Delivery, Gap
from kakaocron.ledger.events import Result, SendKey, Settle
from kakaocron.schedule.pauses import Pause
from kakaocron.schedule.slots import Minutes, Series, Slot, Timetable
from kakaocron.states import Reason, State
from kakaocron.system.http import Phase
from kakaocron.text.causes import said
from tests.ledger.lines import line

SLOT = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
ID = "report@20261123T0930"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DELAYS = tuple(timedelta(seconds=number) for number in (30, 60, 120, 300))
POLICY = Policy(DELAYS, 4, timedelta(seconds=600))
RESEND = Policy(DELAYS, 4, timedelta(seconds=600), resend_unknown=True)
INSTANT = timedelta.resolution


def at_minutes(*minutes: int, name: str = "report", to: tuple[str, ...] = ("me",)) -> Series:
    times = Minutes(frozenset(minutes), frozenset(), frozenset(), frozenset({"regular"}))
    return Series(name, Timetable(times), to)


SERIES = at_minutes(0, 30)


def slot(at: datetime = SLOT, message: str = "report") -> Slot:
    return Slot(message, at, "regular")


def asked(
    now: datetime,
    since: datetime | None,
    *known: Delivery,
    series: Series = SERIES,
    gaps: Mapping[date, Gap] | None = None,
) -> Decision:
    return decide([series], POLICY, {one.id: one for one in known}, now, since, gaps=gaps or {})


def delivery(
    state: State, reason: Reason | None = None, attempts: int = 1, **more: object
) -> Delivery:
    tries = tuple(Attempt(n + 1, "a", SLOT, SLOT + 30 * SECOND, ("me",)) for n in range(attempts))
    known: dict[str, object] = {
        "expires_at": SLOT + 10 * MINUTE,
        "attempts": tries,
        "targets": {"me": Result(state, reason)},
    }
    known |= {"kind": "regular", "to": ("me",), "reason": reason}
    return Delivery(
        ID,
        "report",
        slot=SLOT,
        state=state,
        **{**known, **more},  # type: ignore[arg-type]
    )


def one_off(**more: object) -> Delivery:
    """What `schedule` leaves: nobody has begun to send it."""
    return delivery(State.SCHEDULED, None, 0, **{"kind": "once", "targets": {}, **more})


def settling(
    now: datetime,
    state: State,
    reason: Reason,
    *,
    at: datetime = SLOT,
    to: tuple[str, ...] = ("me",),
    kind: str = "regular",
    detail: str | None = None,
    **more: object,
) -> Settle:
    """The whole line that gives a slot a state without an attempt."""
    own: dict[str, Any] = {"message": "report", "kind": kind, "slot": at, "to": to, **more}
    return line(Settle, now, slot(at).id, state, reason, detail, **own)


@pytest.mark.parametrize(
    ("after", "is_due"),
    [(-SECOND, False), (0 * SECOND, True), (599 * SECOND, True), (600 * SECOND, False)],
)
def test_a_slot_is_due_from_its_instant_to_its_expiry(after: timedelta, is_due: bool) -> None:
    decision = asked(SLOT + after, SLOT - MINUTE)

    assert [due.id for due in decision.due] == ([ID] if is_due else [])


def test_a_slot_past_its_expiry_is_missed_with_a_word() -> None:
    (event,) = asked(SLOT + 600 * SECOND, SLOT - MINUTE).settle

    assert (event.id, event.state, event.reason) == (ID, State.MISSED, Reason.NO_TICK)


@pytest.mark.parametrize(("since", "missed"), [(SLOT - SECOND, 1), (SLOT, 0), (SLOT + SECOND, 0)])
def test_only_slots_since_the_last_complete_tick_can_be_missed(
    since: datetime, missed: int
) -> None:
    assert len(asked(SLOT + 15 * MINUTE, since).settle) == missed


def test_after_a_long_sleep_the_newest_slot_is_sent_and_the_older_ones_are_missed() -> None:
    decision = asked(SLOT + SECOND, SLOT - 180 * MINUTE)

    assert [due.id for due in decision.due] == [ID]
    assert [event.id[-4:] for event in decision.settle] == ["0700", "0730", "0800", "0830", "0900"]


def test_the_first_run_of_all_sends_what_is_due_and_misses_nothing() -> None:
    decision = asked(SLOT + SECOND, None)

    assert ([due.id for due in decision.due], decision.settle) == ([ID], ())


@pytest.mark.parametrize("state", State)
def test_a_slot_that_has_a_state_is_not_begun_again(state: State) -> None:
    decision = asked(SLOT + SECOND, SLOT - MINUTE, delivery(state))

    assert not any(due.attempt == 1 for due in decision.due)


@pytest.mark.parametrize(
    ("now", "may"),
    [
        (SLOT + 29 * SECOND, False),
        (SLOT + 30 * SECOND, True),
        (SLOT + 31 * SECOND, True),
        (SLOT + 599 * SECOND, True),
        (SLOT + 600 * SECOND, False),
    ],
)
def test_a_retry_is_for_the_first_tick_at_or_after_its_time_until_the_expiry(
    now: datetime, may: bool
) -> None:
    waiting = delivery(State.RETRYING, next_attempt_at=SLOT + 30 * SECOND)

    assert may_be_sent(waiting, POLICY, now) is may


@pytest.mark.parametrize(("policy", "may"), [(POLICY, False), (RESEND, True)])
def test_an_unknown_end_is_held_unless_the_user_chose_to_resend(policy: Policy, may: bool) -> None:
    unknown = delivery(State.UNKNOWN, Reason.READ_TIMEOUT, next_attempt_at=SLOT + MINUTE)

    assert may_be_sent(unknown, policy, SLOT + 2 * MINUTE) is may


def test_what_a_damaged_ledger_made_unknown_is_never_resent() -> None:
    unknown = delivery(State.UNKNOWN, Reason.LEDGER_DAMAGED, next_attempt_at=SLOT)

    assert not may_be_sent(unknown, RESEND, SLOT + MINUTE)


@pytest.mark.parametrize(
    ("now", "is_over"),
    [(SLOT + 29 * SECOND, False), (SLOT + 30 * SECOND, False), (SLOT + 31 * SECOND, True)],
)
def test_a_claim_past_its_lease_becomes_unknown(now: datetime, is_over: bool) -> None:
    event = overdue(delivery(State.SENDING), POLICY, now)

    assert (event is not None) is is_over
    if event:
        assert (event.state, event.reason) == (State.UNKNOWN, Reason.PROCESS_DIED)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.RETRYING, (State.FAILED, Reason.EXPIRED)),
        (State.SCHEDULED, (State.MISSED, Reason.NO_TICK)),
        (State.CONFIRMED, None),
        (State.FAILED, None),
        (State.UNKNOWN, None),
        (State.MISSED, None),
        (State.CANCELLED, None),
    ],
)
def test_at_its_expiry_what_is_open_ends_and_what_has_ended_stays(
    state: State, expected: tuple[State, Reason] | None
) -> None:
    before = overdue(delivery(state), POLICY, SLOT + 599 * SECOND)
    at = overdue(delivery(state), POLICY, SLOT + 600 * SECOND)

    assert before is None
    assert (at and (at.state, at.reason)) == expected


def test_a_delivery_that_expires_keeps_why_its_last_attempt_failed() -> None:
    why = Cause("unreachable", {"host": "a.example"})

    ended = overdue(delivery(State.RETRYING, cause=why), POLICY, SLOT + 600 * SECOND)

    assert ended is not None
    assert ended.cause == why


def test_a_slot_that_is_settled_without_an_attempt_keeps_why() -> None:
    why = Cause("unreachable", {"host": "a.example"})

    ended = settle_slot(slot(), ["me"], SLOT, State.MISSED, Reason.EXPIRED, why)

    assert (ended.state, ended.reason, ended.cause) == (State.MISSED, Reason.EXPIRED, why)


def test_slots_that_a_damaged_ledger_may_have_held_are_unknown_and_not_sent() -> None:
    decision = decide(
        [SERIES],
        POLICY,
        {},
        SLOT + SECOND,
        SLOT - 45 * MINUTE,
        gaps={SLOT.date(): Gap(SLOT + SECOND)},
    )

    assert decision.due == ()
    assert {(e.state, e.reason) for e in decision.settle} == {
        (State.UNKNOWN, Reason.LEDGER_DAMAGED)
    }


def test_what_a_gap_may_have_held_is_unknown_at_once_though_the_clock_was_set_back() -> None:
    decision = decide(
        [SERIES],
        POLICY,
        {},
        SLOT,
        SLOT - 45 * MINUTE,
        gaps={SLOT.date(): Gap(SLOT + timedelta(hours=1))},
    )

    assert decision.due == ()
    assert {event.slot for event in decision.settle} >= {SLOT, SLOT + 60 * MINUTE}
    assert {event.state for event in decision.settle} == {State.UNKNOWN}


REFUSED = Result(State.RETRYING, Reason.QUOTA, "full")


@pytest.mark.parametrize(("attempt", "delay"), [(1, 30), (2, 60), (3, 120), (4, 300)])
def test_each_attempt_waits_its_own_delay(attempt: int, delay: int) -> None:
    due = Due(Slot("report", SLOT, "regular"), ("me",), ("me",), attempt, SLOT + timedelta(hours=1))

    assert conclude(due, POLICY, {"me": REFUSED}, SLOT)[1] == SLOT + timedelta(seconds=delay)


@pytest.mark.parametrize(
    ("attempt", "left", "reason"),
    [
        (4, 301, Reason.QUOTA),
        (4, 300, Reason.EXPIRED),
        (4, 299, Reason.EXPIRED),
        (5, 9999, Reason.RETRIES_SPENT),
    ],
)
def test_the_last_attempt_says_why_there_is_no_other(
    attempt: int, left: int, reason: Reason
) -> None:
    due = Due(Slot("report", SLOT, "regular"), ("me",), ("me",), attempt, SLOT + left * SECOND)
    results, next_at = conclude(due, POLICY, {"me": REFUSED}, SLOT)

    assert results["me"].reason is reason
    assert (next_at is None) is (reason is not Reason.QUOTA)


# --- what is due ----------------------------------------------------------------------------------


def test_a_first_attempt_is_for_all_receivers_until_the_next_slot_comes() -> None:
    both = at_minutes(30, 35, to=("me", "mum"))
    (due,) = asked(SLOT + SECOND, SLOT - MINUTE, series=both).due

    assert due == Due(slot(), ("me", "mum"), ("me", "mum"), 1, SLOT + 5 * MINUTE, {}, 0)


def test_what_is_due_is_sent_in_the_order_of_slots_and_then_of_names() -> None:
    series = [at_minutes(30, name="b"), at_minutes(30, name="a"), at_minutes(25, name="c")]
    found = decide(series, POLICY, {ID: one_off()}, SLOT + SECOND, SLOT - 10 * MINUTE).due

    assert [(due.slot.at.minute, due.slot.message) for due in found] == [
        (25, "c"), (30, "a"), (30, "b"), (30, "report"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "due"),
    [(SLOT - 61 * SECOND, False), (SLOT - 60 * SECOND, True), (SLOT - SECOND, True)],
)
def test_a_slot_within_the_time_looked_ahead_is_due(now: datetime, due: bool) -> None:
    for known in [{}, {ID: one_off()}]:
        decision = decide([SERIES], POLICY, known, now, now, ahead=60 * SECOND)

        assert [one.id for one in decision.due] == ([ID] if due else [])
        assert decision.settle == ()


def test_a_retry_is_not_begun_ahead_of_its_time() -> None:
    waiting = delivery(State.RETRYING, next_attempt_at=SLOT + 30 * SECOND)

    assert not may_be_sent(waiting, POLICY, SLOT + 29 * SECOND, 60 * SECOND)


def test_a_slot_that_has_a_state_does_not_hide_the_later_ones() -> None:
    decision = asked(
        SLOT + 7 * MINUTE, SLOT - MINUTE, delivery(State.CONFIRMED), series=at_minutes(30, 35)
    )

    assert [due.slot.at for due in decision.due] == [SLOT + 5 * MINUTE]


def test_the_first_run_of_all_at_a_slot_misses_nothing_that_was_before_it() -> None:
    decision = asked(SLOT, None, series=at_minutes(25, 30))

    assert ([due.slot.at for due in decision.due], decision.settle) == ([SLOT], ())


def test_what_is_at_its_end_hides_nothing_that_is_still_to_be_sent() -> None:
    ended = replace(delivery(State.CONFIRMED), id="other@20261123T0930")
    waiting = delivery(State.RETRYING, next_attempt_at=SLOT)

    assert [due.id for due in asked(SLOT + SECOND, SLOT, ended, waiting).due] == [ID]


@pytest.mark.parametrize(("since", "missed"), [(SLOT - INSTANT, 1), (SLOT, 0)])
def test_a_slot_at_the_last_complete_tick_has_been_seen_to(since: datetime, missed: int) -> None:
    decision = asked(SLOT + 6 * MINUTE, since, series=at_minutes(30, 35))

    assert len(decision.settle) == missed
    assert [due.slot.at for due in decision.due] == [SLOT + 5 * MINUTE]


def test_the_next_attempt_is_for_those_who_still_lack_the_message() -> None:
    names = ("me", "mum", "dad", "gran", "son")
    known = {
        "me": Result(State.CONFIRMED),
        "mum": Result(State.RETRYING, Reason.QUOTA),
        "dad": Result(State.FAILED, Reason.REFUSED),
        "gran": Result(State.SCHEDULED),
    }
    waiting = delivery(
        State.RETRYING,
        attempts=3,
        kind="peak",
        to=names,
        targets=known,
        next_attempt_at=SLOT + MINUTE,
        tries_before=2,
    )

    assert asked(SLOT + 2 * MINUTE, SLOT, waiting).due == (
        Due(
            Slot("report", SLOT, "peak"),
            ("mum", "gran", "son"),
            names,
            4,
            SLOT + 10 * MINUTE,
            known,
            tries_before=2,
        ),
    )


@pytest.mark.parametrize(
    ("policy", "reason", "open_to"),
    [
        (POLICY, Reason.READ_TIMEOUT, ()),
        (RESEND, Reason.READ_TIMEOUT, ("me",)),
        (POLICY, Reason.LEDGER_DAMAGED, ()),
        (RESEND, Reason.LEDGER_DAMAGED, ()),
    ],
)
def test_an_unknown_receiver_is_open_only_to_who_resends_what_the_ledger_did_not_lose(
    policy: Policy, reason: Reason, open_to: tuple[str, ...]
) -> None:
    unknown = delivery(State.UNKNOWN, reason, next_attempt_at=SLOT)

    assert next_attempt(unknown, policy).to == open_to
    decision = decide([], policy, {ID: unknown}, SLOT + MINUTE, SLOT)
    assert [due.to for due in decision.due] == [names for names in [open_to] if names]


def test_a_delivery_without_an_expiry_of_its_own_has_that_of_the_policy() -> None:
    scheduled = one_off(expires_at=None)

    assert may_be_sent(scheduled, POLICY, SLOT + 599 * SECOND)
    assert not may_be_sent(scheduled, POLICY, SLOT + 600 * SECOND)
    assert overdue(scheduled, POLICY, SLOT + 599 * SECOND) is None
    assert overdue(scheduled, POLICY, SLOT + 600 * SECOND) is not None
    assert len(asked(SLOT + 600 * SECOND, SLOT, scheduled).settle) == 1
    assert next_attempt(scheduled, POLICY).expires_at == SLOT + 600 * SECOND


# --- what ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "now", "next_at"),
    [
        (POLICY, SLOT + 599 * SECOND, None),
        (RESEND, SLOT + 599 * SECOND, SLOT + 599 * SECOND),
        (RESEND, SLOT + 600 * SECOND, None),
    ],
)
def test_a_dead_claim_is_tried_again_at_once_only_where_the_user_chose_so(
    policy: Policy, now: datetime, next_at: datetime | None
) -> None:
    event = overdue(delivery(State.SENDING), policy, now)

    assert event == settling(now, State.UNKNOWN, Reason.PROCESS_DIED, next_attempt_at=next_at)


def test_what_ends_at_its_expiry_keeps_what_was_last_said_of_it() -> None:
    now = SLOT + 600 * SECOND
    waiting = delivery(State.RETRYING, Reason.QUOTA, detail="full")
    decision = asked(now, SLOT, waiting)

    assert decision.settle == (
        settling(now, State.FAILED, Reason.EXPIRED, detail="full", next_attempt_at=None),
    )
    assert overdue(one_off(), POLICY, now) == settling(
        now, State.MISSED, Reason.NO_TICK, kind="once", next_attempt_at=None
    )


def test_why_a_slot_was_missed_is_asked_for_its_own_time() -> None:
    asked_for = []

    def because(slot: Slot, expires_at: datetime) -> Reason:
        asked_for.append((slot, expires_at))
        return Reason.LOCK_HELD

    now = SLOT + 6 * MINUTE
    series = [at_minutes(30, 35, to=("me", "mum"))]
    decision = decide(series, POLICY, {}, now, SLOT - MINUTE, missed_reason=because)

    assert asked_for == [(slot(), SLOT + 5 * MINUTE)]
    assert decision.settle == (settling(now, State.MISSED, Reason.LOCK_HELD, to=("me", "mum")),)


@pytest.mark.parametrize(
    ("ahead_by", "void"), [(0 * SECOND, False), (5 * SECOND, False), (5 * SECOND + INSTANT, True)]
)
def test_what_a_clock_ahead_gave_up_is_as_good_as_new(ahead_by: timedelta, void: bool) -> None:
    now = SLOT + SECOND
    given_up = delivery(State.MISSED, Reason.NO_TICK, 0, updated_at=now + ahead_by)
    decision = asked(now, SLOT - MINUTE, given_up)

    assert is_void(given_up, now) is void
    assert [due.attempt for due in decision.due] == ([1] if void else [])


def test_only_a_missed_slot_that_nobody_claimed_can_be_void() -> None:
    later = SLOT + timedelta(days=1)

    assert not is_void(delivery(State.MISSED, updated_at=later), SLOT)
    assert not is_void(delivery(State.FAILED, attempts=0, updated_at=later), SLOT)
    assert not is_void(delivery(State.MISSED, attempts=0), SLOT)


@pytest.mark.parametrize(
    ("beats", "reason"),
    [
        ([], Reason.NO_TICK),
        ([(Word.IDLE, 0)], Reason.TICK_CRASHED),
        ([(Word.START, 0)], Reason.TICK_CRASHED),
        ([(Word.FAIL, 1)], Reason.TICK_CRASHED),
        ([(Word.FAIL, 70)], Reason.TICK_CRASHED),
        ([(Word.FAIL, 2)], Reason.CONFIG_BROKEN),
        ([(Word.DONE, 2)], Reason.TICK_CRASHED),
        ([(Word.FAIL, 75)], Reason.LOCK_HELD),
        ([(Word.FAIL, 2), (Word.FAIL, 75)], Reason.LOCK_HELD),
        ([(Word.FAIL, 75), (Word.FAIL, 74), (Word.FAIL, 2)], Reason.LEDGER_UNWRITABLE),
        ([(Word.FAIL, 70), (Word.FAIL, 2)], Reason.CONFIG_BROKEN),
    ],
)
def test_a_missed_slot_is_explained_by_what_stopped_its_ticks(
    beats: list[tuple[Word, int]], reason: Reason
) -> None:
    assert why_missed(Beat(SLOT, word, code, NOTHING) for word, code in beats) is reason


# --- pauses ---------------------------------------------------------------------------------------


def is_report(message: str, at: datetime) -> bool:
    return (message, at) == ("report", SLOT)


@pytest.mark.parametrize("known", [{}, {ID: one_off()}], ids=["slot", "one-off"])
def test_what_falls_into_a_pause_is_missed_at_its_instant_and_not_before(
    known: dict[str, Delivery],
) -> None:
    before, at = (
        decide([SERIES], POLICY, known, now, now - MINUTE, ahead=MINUTE, paused=is_report)
        for now in (SLOT - INSTANT, SLOT)
    )

    assert (before.settle, before.due) == ((), ())
    assert at.due == ()
    (event,) = at.settle
    assert (event.id, event.at, event.state, event.reason) == (
        ID, SLOT, State.MISSED, Reason.PAUSED,
    )  # fmt: skip
    assert (event.to, event.slot) == (("me",), SLOT)


def test_another_message_does_not_rest() -> None:
    decision = decide(
        [at_minutes(30, name="other")], POLICY, {}, SLOT, SLOT - MINUTE, paused=is_report
    )

    assert [due.slot.message for due in decision.due] == ["other"]
    assert decision.settle == ()


@pytest.mark.parametrize(
    "meant",
    [
        one_off(next_attempt_at=SLOT),
        one_off(kind="by-hand"),
        delivery(State.RETRYING, kind="once", next_attempt_at=SLOT),
    ],
    ids=["reopened", "by hand", "begun"],
)
def test_what_a_person_sends_or_has_begun_goes_out_in_a_pause_all_the_same(meant: Delivery) -> None:
    decision = decide([], POLICY, {ID: meant}, SLOT + SECOND, SLOT, paused=is_report)

    assert [due.id for due in decision.due] == [ID]
    assert decision.settle == ()


def test_a_one_off_that_expired_in_a_pause_was_missed_for_the_pause() -> None:
    decision = decide([], POLICY, {ID: one_off()}, SLOT + 11 * MINUTE, SLOT, paused=is_report)

    assert [event.reason for event in decision.settle] == [Reason.PAUSED]


# --- a damaged ledger -----------------------------------------------------------------------------

DAY = SLOT.date()


# 09:30 alone, so that nothing else of the day is lost.
ONE_A_DAY = Series(
    "report",
    Timetable(Minutes(frozenset(), frozenset({30}), frozenset({9}), frozenset({"peak"}))),
    ("me",),
)


def gap(until: datetime, *known: str) -> dict[date, Gap]:
    return {DAY: Gap(until, frozenset(known))}


@pytest.mark.parametrize(
    ("until", "held"), [(SLOT - INSTANT, False), (SLOT, True), (SLOT + INSTANT, True)]
)
def test_a_damage_holds_what_was_due_up_to_its_instant(until: datetime, held: bool) -> None:
    lost = settling(SLOT, State.UNKNOWN, Reason.LEDGER_DAMAGED, kind="peak")
    slots = asked(SLOT, SLOT - MINUTE, series=ONE_A_DAY, gaps=gap(until))
    known = asked(SLOT, SLOT - MINUTE, one_off(), series=ONE_A_DAY, gaps=gap(until))

    assert slots.settle == ((lost,) if held else ())
    assert [(event.id, event.reason) for event in known.settle] == [
        (event.id, event.reason) for event in slots.settle
    ]
    for decision in (slots, known):
        assert [due.id for due in decision.due] == ([] if held else [ID])


def test_a_slot_that_a_clock_ahead_had_come_to_is_held_before_it_comes_again() -> None:
    decision = decide(
        [ONE_A_DAY], POLICY, {}, SLOT - SECOND, SLOT - MINUTE, ahead=MINUTE, gaps=gap(SLOT)
    )

    lost = settling(SLOT - SECOND, State.UNKNOWN, Reason.LEDGER_DAMAGED, kind="peak")
    assert decision == Decision((lost,), ())


@pytest.mark.parametrize(
    ("state", "reason", "is_held"),
    [
        (State.SENDING, None, True),
        (State.RETRYING, Reason.QUOTA, True),
        (State.SCHEDULED, None, True),
        (State.UNKNOWN, Reason.READ_TIMEOUT, True),
        (State.UNKNOWN, Reason.LEDGER_DAMAGED, False),
        (State.CONFIRMED, None, False),
        (State.FAILED, Reason.REFUSED, False),
        (State.MISSED, Reason.NO_TICK, False),
        (State.CANCELLED, Reason.BY_HAND, False),
    ],
)
def test_what_is_open_on_a_damaged_day_is_unknown_from_then_on(
    state: State, reason: Reason | None, is_held: bool
) -> None:
    found = asked(SLOT + SECOND, SLOT, delivery(state, reason), gaps=gap(SLOT)).settle

    held = settling(SLOT + SECOND, State.UNKNOWN, Reason.LEDGER_DAMAGED, next_attempt_at=None)
    assert found == ((held,) if is_held else ())


@pytest.mark.parametrize(
    ("known", "is_held"), [((), True), (("other@20261123T0930",), True), ((ID,), False)]
)
def test_what_has_a_line_below_the_note_of_the_damage_is_whole(
    known: tuple[str, ...], is_held: bool
) -> None:
    written = delivery(State.RETRYING, Reason.QUOTA)

    assert bool(asked(SLOT + SECOND, SLOT, written, gaps=gap(SLOT, *known)).settle) is is_held


@pytest.mark.parametrize(
    ("since", "count"), [(SLOT - INSTANT, 20), (SLOT, 0), (SLOT + INSTANT, 0), (None, 20)]
)
def test_a_new_damage_takes_the_whole_day_from_midnight_and_one_seen_to_takes_nothing_more(
    since: datetime | None, count: int
) -> None:
    found = asked(SLOT + 20 * MINUTE, since, gaps=gap(SLOT)).settle

    assert [event.reason for event in found] == [Reason.LEDGER_DAMAGED] * count
    assert [event.id[-5:] for event in found[:1]] == ["T0000"] * bool(count)


# --- nothing to do until --------------------------------------------------------------------------

LIMIT = SLOT + timedelta(hours=1)


def quiet(
    *known: Delivery,
    series: Series | None = None,
    now: datetime = SLOT + SECOND,
    limit: datetime = LIMIT,
    ahead: timedelta = timedelta(0),
) -> datetime:
    ledger = {one.id: one for one in known}
    return idle_until([series] if series else [], POLICY, ledger, now, limit, ahead)


def test_without_anything_to_come_it_is_idle_until_the_limit() -> None:
    assert quiet() == LIMIT
    assert quiet(series=at_minutes()) == LIMIT


def test_a_limit_that_is_behind_leaves_no_rest() -> None:
    assert quiet(now=LIMIT + SECOND) == LIMIT + SECOND


def test_there_is_no_quiet_where_the_limit_is_past() -> None:
    assert quiet(now=LIMIT + INSTANT) == LIMIT + INSTANT
    assert quiet(now=LIMIT) == LIMIT


@pytest.mark.parametrize(
    ("ahead", "until"),
    [(0, SLOT + 30 * MINUTE), (60, SLOT + 29 * MINUTE), (3600, SLOT + SECOND)],
)
def test_it_is_idle_until_the_next_slot_or_as_long_before_it_as_is_looked_ahead(
    ahead: int, until: datetime
) -> None:
    assert quiet(delivery(State.CONFIRMED), series=SERIES, ahead=ahead * SECOND) == until


def test_a_slot_just_at_the_limit_is_begun_before_it() -> None:
    limit = SLOT + 30 * MINUTE

    assert quiet(series=SERIES, limit=limit, ahead=MINUTE) == limit - MINUTE


def test_a_slot_beyond_the_limit_is_begun_before_it_when_it_is_looked_ahead_so_far() -> None:
    limit = SLOT + 29 * MINUTE + 30 * SECOND

    assert quiet(series=SERIES, limit=limit, ahead=MINUTE) == SLOT + 29 * MINUTE
    assert quiet(series=SERIES, limit=limit) == limit


def test_a_slot_that_has_a_state_wakes_nobody_unless_a_clock_ahead_gave_it_up() -> None:
    before = SLOT - MINUTE
    given_up = delivery(State.MISSED, attempts=0, updated_at=before + 5 * SECOND)
    void = delivery(State.MISSED, attempts=0, updated_at=before + 6 * SECOND)

    assert quiet(delivery(State.CANCELLED), series=SERIES, now=before) == SLOT + 30 * MINUTE
    assert quiet(given_up, series=SERIES, now=before) == SLOT + 30 * MINUTE
    assert quiet(void, series=SERIES, now=before) == SLOT


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (SLOT - 3 * MINUTE, SLOT - 2 * MINUTE),
        (SLOT - MINUTE, SLOT),
        (SLOT + SECOND, SLOT + 30 * SECOND),
        (SLOT + 31 * SECOND, SLOT + 3 * MINUTE),
        (SLOT + 4 * MINUTE, SLOT + 5 * MINUTE),
        (SLOT + 5 * MINUTE, SLOT + 5 * MINUTE),
        (SLOT + 6 * MINUTE, SLOT + 10 * MINUTE),
        (SLOT + 11 * MINUTE, LIMIT),
    ],
)
def test_an_open_delivery_wakes_at_its_slot_its_retry_its_lease_and_its_expiry(
    now: datetime, until: datetime
) -> None:
    older, newer = (Attempt(n, "a", SLOT, SLOT + n * 15 * SECOND, ("me",)) for n in (1, 2))
    waiting = replace(
        delivery(State.RETRYING, next_attempt_at=SLOT + 5 * MINUTE), attempts=(older, newer)
    )

    assert quiet(waiting, now=now, ahead=2 * MINUTE) == until


@pytest.mark.parametrize("state", State)
def test_a_delivery_at_its_end_wakes_nobody_but_an_unknown_one_may_be_resent(state: State) -> None:
    wakes = state not in {State.CONFIRMED, State.FAILED, State.MISSED, State.CANCELLED}
    held = delivery(state, attempts=0, expires_at=None)

    assert quiet(held) == (SLOT + 600 * SECOND if wakes else LIMIT)


def test_the_first_of_several_things_to_come_ends_the_quiet() -> None:
    retry = delivery(State.RETRYING, next_attempt_at=SLOT + 9 * MINUTE)
    other = replace(retry, id="other@20261123T0930", next_attempt_at=SLOT + 8 * MINUTE)

    for known in [(retry, other), (other, retry)]:
        assert quiet(*known, now=SLOT + MINUTE, series=SERIES) == SLOT + 8 * MINUTE


# --- after an attempt -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Meaning.CONFIRMED, State.CONFIRMED),
        (Meaning.NOT_SENT, State.RETRYING),
        (Meaning.REFUSED_FOR_NOW, State.RETRYING),
        (Meaning.REFUSED_FOR_GOOD, State.FAILED),
        (Meaning.LOG_IN_AGAIN, State.FAILED),
        (Meaning.AMBIGUOUS, State.UNKNOWN),
    ],
)
def test_a_verdict_becomes_a_receivers_result_with_all_that_it_says(
    outcome: Meaning, state: State
) -> None:
    verdict = Verdict(outcome, Reason.QUOTA, said("full"), -532, 400, Phase.BEFORE)

    assert result_of(verdict, 3) == Result(
        state, Reason.QUOTA, None, -532, 400, "before", 3, said("full")
    )
    assert result_of(verdict).parts == 0


def attempt(number: int = 1, left: int = 3600, tries_before: int = 0) -> Due:
    return Due(slot(), ("me",), ("me",), number, SLOT + left * SECOND, tries_before=tries_before)


@pytest.mark.parametrize(("policy", "next_at"), [(POLICY, None), (RESEND, SLOT + 30 * SECOND)])
def test_an_unknown_outcome_has_a_next_attempt_only_where_the_user_chose_so(
    policy: Policy, next_at: datetime | None
) -> None:
    results = {"me": Result(State.UNKNOWN, Reason.READ_TIMEOUT)}

    assert conclude(attempt(), policy, results, SLOT) == (results, next_at)


def test_what_is_at_its_end_is_left_as_it_is() -> None:
    results = {"me": Result(State.CONFIRMED), "mum": Result(State.FAILED, Reason.REFUSED)}

    assert conclude(attempt(), POLICY, results, SLOT) == (results, None)


def test_the_retries_are_counted_from_when_a_person_reopened_it() -> None:
    results, next_at = conclude(attempt(8, tries_before=5), POLICY, {"me": REFUSED}, SLOT)

    assert (results, next_at) == ({"me": REFUSED}, SLOT + 120 * SECOND)
    assert conclude(attempt(10, tries_before=5), POLICY, {"me": REFUSED}, SLOT)[1] is None


def test_without_another_attempt_those_refused_for_now_have_failed_and_say_why() -> None:
    results = {
        "me": REFUSED,
        "mum": Result(State.RETRYING, Reason.UNREACHABLE, code=-1, parts=2),
        "dad": Result(State.UNKNOWN, Reason.READ_TIMEOUT, "silence"),
        "son": Result(State.CONFIRMED),
    }
    closed, next_at = conclude(attempt(5), RESEND, results, SLOT)

    assert next_at is None
    assert closed == results | {
        "me": Result(State.FAILED, Reason.RETRIES_SPENT, "full", behind=Reason.QUOTA),
        "mum": Result(
            State.FAILED, Reason.RETRIES_SPENT, code=-1, parts=2, behind=Reason.UNREACHABLE
        ),
    }


@pytest.mark.parametrize(
    ("asked", "next_at"),
    [(29, 30), (30, 30), (31, 31), (3599, 3599), (3600, None), (3601, None), (1e8, None)],
)
def test_the_next_attempt_comes_after_the_wait_that_was_asked_for_or_not_at_all(
    asked: float, next_at: int | None
) -> None:
    results, at = conclude(attempt(), POLICY, {"me": replace(REFUSED, wait_seconds=asked)}, SLOT)

    assert at == (None if next_at is None else SLOT + next_at * SECOND)
    ended = (State.FAILED, Reason.EXPIRED, Reason.QUOTA)
    found = results["me"]
    assert (found.state, found.reason, found.behind) == (
        ended if next_at is None else (State.RETRYING, Reason.QUOTA, None)
    )


def test_without_a_wait_that_was_asked_for_the_delay_alone_counts() -> None:
    at_once = replace(POLICY, retry_delays=(timedelta(0),))

    assert conclude(attempt(), at_once, {"me": REFUSED}, SLOT)[1] == SLOT


def test_who_has_to_wait_for_too_long_takes_no_attempt_from_the_others() -> None:
    results = {
        "room": replace(REFUSED, wait_seconds=9999.0),
        "hall": replace(REFUSED, wait_seconds=90.0),
        "me": REFUSED,
        "mum": Result(State.UNKNOWN, Reason.READ_TIMEOUT),
    }
    closed, next_at = conclude(attempt(), POLICY, results, SLOT)

    assert next_at == SLOT + 90 * SECOND
    assert {name: one.state for name, one in closed.items()} == {
        "room": State.FAILED,
        "hall": State.RETRYING,
        "me": State.RETRYING,
        "mum": State.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("expires", "now", "next_at", "expected"),
    [
        # to be tried again before the last whole minute, at it, after it
        ("09:45:00", "09:40:00", "09:43:59", "09:43:59"),
        ("09:45:00", "09:40:00", "09:44:00", "09:44:00"),
        ("09:45:00", "09:40:00", "09:44:30", "09:44:00"),
        # the minute of the expiry itself counts as soon as it has begun
        ("09:45:00.000001", "09:40:00", "09:50:00", "09:45:00"),
        ("09:44:59", "09:40:00", "09:44:30", "09:44:00"),
        # nothing is left for a tick that comes too late
        ("09:45:00", "09:43:59.999999", "09:44:30", "09:44:00"),
        ("09:45:00", "09:44:00", "09:44:30", None),
        ("09:45:00", "09:44:01", "09:44:30", None),
        ("09:45:00", "09:40:00", None, None),
    ],
)
def test_a_fallback_goes_out_in_the_last_whole_minute_at_the_latest(
    expires: str, now: str, next_at: str | None, expected: str | None
) -> None:
    def at(clock: str) -> datetime:
        return datetime.combine(DAY, time.fromisoformat(clock), KST)

    due = Due(slot(), ("me",), ("me",), 1, at(expires))
    found = before_fallback(at(next_at) if next_at else None, due, at(now))

    assert found == (at(expected) if expected else None)


# --- what a channel tells afterwards --------------------------------------------------------------

KEY = SendKey("k", SLOT, SLOT + 8 * MINUTE)
ASKING = replace(POLICY, confirmation_delay=10 * SECOND, settling=5 * SECOND)
HOUR, DAYS = timedelta(hours=1), timedelta(days=1)


def keyed(
    state: State,
    reason: Reason | None = None,
    *,
    ended_at: datetime | None = SLOT + SECOND,
    key: SendKey | None = KEY,
    **more: Any,
) -> Delivery:
    """What was claimed at its slot, until 30 seconds later, with a key of a channel."""
    keys = {"me": key} if key else None
    one = Attempt(1, "a", SLOT, SLOT + 30 * SECOND, ("me",), ended_at=ended_at, keys=keys)
    return replace(delivery(state, reason, **more), attempts=(one,))


def beside(
    one: Delivery, found: Result, number: int, ended_at: datetime, key: str | None = "other"
) -> Delivery:
    """The same, and an attempt after it at another receiver."""
    claimed_at = ended_at - SECOND
    keys = {"mum": SendKey(key, claimed_at)} if key else None
    later = Attempt(number, "b", claimed_at, ended_at, ("mum",), ended_at=ended_at, keys=keys)
    return replace(
        one,
        to=("me", "mum"),
        targets={**one.targets, "mum": found},
        attempts=(*one.attempts, later),
    )


TAKEN_SO_FAR = Result(State.SENT)
NOBODY_KNOWS = Result(State.UNKNOWN, Reason.READ_TIMEOUT)
ABSENT = Result(State.UNKNOWN, Reason.NOT_FOUND, behind=Reason.READ_TIMEOUT)


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (keyed(State.SENT), 11),
        (keyed(State.UNKNOWN, Reason.READ_TIMEOUT), 6),
        # Of whom no end is known: from when its process can have sent nothing more.
        (keyed(State.UNKNOWN, Reason.PROCESS_DIED, ended_at=None), 35),
        (keyed(State.SENT, ended_at=None), 40),
    ],
)
def test_it_is_asked_what_became_of_it_when_the_channel_can_tell(
    sent: Delivery, seconds: int
) -> None:
    assert settled_at(sent, "me", ASKING) == SLOT + seconds * SECOND
    assert look_up_at(sent, ASKING, SLOT + MINUTE) == SLOT + seconds * SECOND


def test_what_a_policy_does_not_say_is_not_done() -> None:
    bare = Policy(DELAYS, 4, timedelta(seconds=600))

    assert bare.resend_unknown is False
    assert (bare.confirmation_delay, bare.settling) == (timedelta(0), timedelta(0))


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN])
def test_a_channel_without_a_settling_time_can_be_asked_at_once(state: State) -> None:
    assert settled_at(keyed(state), "me", POLICY) == SLOT + SECOND


@pytest.mark.parametrize(
    "other",
    [
        keyed(State.SENT, key=None),
        keyed(State.UNKNOWN, Reason.READ_TIMEOUT, key=None),
        keyed(State.SENT, Reason.BY_HAND),
        keyed(State.UNKNOWN, Reason.BY_HAND),
        *map(keyed, sorted(set(State) - {State.SENT, State.UNKNOWN})),
        # What is being sent just now is asked about when that has ended.
        keyed(State.SENDING, targets={"me": TAKEN_SO_FAR}),
    ],
    ids=lambda one: f"{one.state}-{one.reason}",
)
def test_nothing_else_is_asked_about(other: Delivery) -> None:
    assert look_up_at(other, ASKING, SLOT + MINUTE) is None


@pytest.mark.parametrize(
    ("found", "ended_after", "key", "seconds"),
    [
        (NOBODY_KNOWS, 4, "other", 9),
        (NOBODY_KNOWS, 5, "other", 10),
        (NOBODY_KNOWS, 7, "other", 11),
        (TAKEN_SO_FAR, 0, "other", 10),
        (NOBODY_KNOWS, 4, None, 11),
        (Result(State.CONFIRMED), 0, "other", 11),
    ],
)
def test_of_several_receivers_the_first_of_whom_a_channel_can_tell_is_waited_for(
    found: Result, ended_after: int, key: str | None, seconds: int
) -> None:
    both = beside(keyed(State.SENT), found, 2, SLOT + ended_after * SECOND, key)

    assert look_up_at(both, ASKING, SLOT) == SLOT + seconds * SECOND


@pytest.mark.parametrize(
    ("age", "gap"),
    [
        (0 * SECOND, 45 * SECOND),
        (3 * MINUTE - 4 * SECOND, 45 * SECOND),
        (3 * MINUTE, 45 * SECOND),
        (3 * MINUTE + 4 * SECOND, 46 * SECOND),
        (24 * HOUR - 4 * SECOND, 6 * HOUR - SECOND),
        (24 * HOUR, 6 * HOUR),
        (24 * HOUR + 4 * SECOND, 6 * HOUR),
        (3 * DAYS - INSTANT, 6 * HOUR),
        (3 * DAYS, None),
        (3 * DAYS + INSTANT, None),
    ],
)
def test_it_is_asked_about_again_after_a_quarter_of_its_age_for_three_days(
    age: timedelta, gap: timedelta | None
) -> None:
    taken = keyed(State.SENT, asked_at=SLOT + age)

    assert look_up_at(taken, ASKING, SLOT + 9 * DAYS) == (gap and SLOT + age + gap)


def test_of_several_receivers_the_first_claim_counts() -> None:
    asked_at = SLOT + 40 * MINUTE
    both = beside(keyed(State.SENT, asked_at=asked_at), TAKEN_SO_FAR, 2, SLOT + 30 * MINUTE)

    assert look_up_at(both, ASKING, asked_at) == asked_at + 10 * MINUTE


@pytest.mark.parametrize(
    ("age", "of_unknown", "of_taken"),
    [
        (10 * MINUTE - 4 * SECOND, 45, 149),
        (10 * MINUTE, 150, 150),
        (10 * MINUTE + 4 * SECOND, 151, 151),
    ],
)
def test_what_may_still_be_sent_is_asked_about_at_each_tick(
    age: timedelta, of_unknown: int, of_taken: int
) -> None:
    now = asked_at = SLOT + age
    unknown = keyed(State.UNKNOWN, Reason.READ_TIMEOUT, asked_at=asked_at, expires_at=None)
    taken = keyed(State.SENT, asked_at=asked_at)
    both = beside(unknown, TAKEN_SO_FAR, 2, SLOT + SECOND)

    assert look_up_at(unknown, ASKING, now) == now + of_unknown * SECOND
    assert look_up_at(both, ASKING, now) == now + of_unknown * SECOND
    assert look_up_at(taken, ASKING, now) == now + of_taken * SECOND


@pytest.mark.parametrize(
    ("ahead_by", "at"),
    [
        (5 * SECOND - INSTANT, SLOT + MINUTE + 45 * SECOND),
        (5 * SECOND, SLOT + MINUTE + 45 * SECOND),
        (5 * SECOND + INSTANT, SLOT + 11 * SECOND),
    ],
)
def test_when_it_was_asked_by_a_clock_that_was_set_back_since_says_nothing(
    ahead_by: timedelta, at: datetime
) -> None:
    asked_at = SLOT + MINUTE
    taken = keyed(State.SENT, asked_at=asked_at)

    assert look_up_at(taken, ASKING, asked_at - ahead_by) == at


@pytest.mark.parametrize(
    ("asked_at", "now", "until"),
    [
        (None, 1, 11),
        (None, 11, 11),
        (None, 12, 12),
        (SLOT + MINUTE, 61, 105),
        (SLOT + MINUTE, 105, 105),
        (SLOT + MINUTE, 106, 106),
    ],
)
@pytest.mark.parametrize("state", [State.SENT, State.FAILED])  # as a whole: another has failed
def test_the_quiet_ends_when_something_is_to_be_asked_about(
    state: State, asked_at: datetime | None, now: int, until: int
) -> None:
    known = {ID: keyed(state, asked_at=asked_at, targets={"me": TAKEN_SO_FAR})}

    found = idle_until([], ASKING, known, SLOT + now * SECOND, LIMIT)
    assert found == SLOT + until * SECOND


def test_what_cannot_be_asked_about_does_not_end_the_quiet() -> None:
    assert quiet(keyed(State.SENT, key=None), now=SLOT + MINUTE) == SLOT + 10 * MINUTE


@pytest.mark.parametrize(
    ("seconds", "has_begun", "is_over"),
    [
        (-5.001, False, False),
        (-5, True, False),
        (-4.999, True, False),
        (479.999, True, False),
        (480, True, True),
        (480.001, True, True),
    ],
)
def test_a_key_lives_from_its_claim_to_its_end(
    seconds: float, has_begun: bool, is_over: bool
) -> None:
    """Before the claim the clock was set back, but for what clocks differ by."""
    now = SLOT + seconds * SECOND

    assert is_alive(KEY, now) is (has_begun and not is_over)
    assert is_alive(SendKey("k", SLOT), now) is has_begun


@pytest.mark.parametrize("state", State)
def test_only_what_is_unknown_can_be_absent(state: State) -> None:
    assert is_absent(Result(state, Reason.NOT_FOUND)) is (state is State.UNKNOWN)
    assert not is_absent(Result(state, Reason.READ_TIMEOUT))


@pytest.mark.parametrize(
    ("reason", "key", "now", "may"),
    [
        (Reason.NOT_FOUND, KEY, 8 * MINUTE - INSTANT, True),
        (Reason.NOT_FOUND, KEY, 8 * MINUTE, False),
        (Reason.NOT_FOUND, KEY, 8 * MINUTE + INSTANT, False),
        (Reason.NOT_FOUND, SendKey("k", SLOT), 10 * MINUTE - INSTANT, True),
        (Reason.NOT_FOUND, SendKey("k", SLOT), 10 * MINUTE, False),
        (Reason.NOT_FOUND, None, MINUTE, False),
        (Reason.READ_TIMEOUT, KEY, MINUTE, False),
        (Reason.LEDGER_DAMAGED, KEY, MINUTE, False),
    ],
)
def test_what_the_channel_does_not_know_goes_again_while_its_key_lives(
    reason: Reason, key: SendKey | None, now: timedelta, may: bool
) -> None:
    absent = keyed(State.UNKNOWN, reason, key=key, next_attempt_at=SLOT)

    assert may_be_sent(absent, POLICY, SLOT + now) is may


@pytest.mark.parametrize(("ago", "may"), [(-INSTANT, False), (0 * SECOND, True), (INSTANT, True)])
def test_it_goes_again_from_when_the_channel_said_so(ago: timedelta, may: bool) -> None:
    now = SLOT + MINUTE
    absent = keyed(State.UNKNOWN, Reason.NOT_FOUND, next_attempt_at=now - ago)

    assert may_be_sent(absent, POLICY, now, MINUTE) is may


def test_it_goes_again_to_whom_it_can_and_with_the_key_that_it_had() -> None:
    first = Attempt(
        1, "a", SLOT, SLOT, ("me", "mum", "dad", "son"),
        keys={name: replace(KEY, key=f"1/{name}") for name in ("me", "mum", "dad")},
    )  # fmt: skip
    second = Attempt(2, "b", SLOT, SLOT, ("mum",), keys={"mum": replace(KEY, key="2/mum")})
    found = {
        "me": ABSENT,
        "mum": ABSENT,
        "dad": Result(State.RETRYING, Reason.QUOTA),  # not taken: with a new key
        "son": NOBODY_KNOWS,
    }
    names = (*found, "gran")
    one = replace(delivery(State.UNKNOWN, to=names, targets=found), attempts=(first, second))
    kept = {"me": replace(KEY, key="1/me"), "mum": replace(KEY, key="2/mum")}

    for policy, to in ((POLICY, ("me", "mum", "dad", "gran")), (RESEND, names)):
        due = next_attempt(one, policy)
        assert (due.to, due.keys) == (to, kept)


@pytest.mark.parametrize(
    "result",
    [TAKEN_SO_FAR, Result(State.CONFIRMED), Result(State.UNKNOWN, Reason.CONNECTION_RESET)],
)
def test_what_a_repeat_came_to_counts_where_it_may_have_arrived(result: Result) -> None:
    assert still_unknown(NOBODY_KNOWS, result) == result


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (NOBODY_KNOWS, Reason.READ_TIMEOUT),
        (replace(NOBODY_KNOWS, behind=Reason.QUOTA), Reason.READ_TIMEOUT),
        (ABSENT, Reason.READ_TIMEOUT),
        (Result(State.UNKNOWN, Reason.NOT_FOUND), Reason.REFUSED),
        (Result(State.UNKNOWN), Reason.REFUSED),
    ],
)
@pytest.mark.parametrize("state", [State.RETRYING, State.FAILED])
def test_that_a_repeat_was_not_taken_leaves_why_nobody_knew(
    before: Result, reason: Reason, state: State
) -> None:
    why = Cause("said", {"words": "no"})
    refused = Result(state, Reason.REFUSED, code=3, cause=why, behind=Reason.QUOTA)

    assert still_unknown(before, refused) == Result(State.UNKNOWN, reason, code=3, cause=why)


# --- what comes next ------------------------------------------------------------------------------

HOURLY = at_minutes(30)
IN_PAUSE = Pause(SLOT - MINUTE, until=SLOT + MINUTE)
# Cancelled, then retried: a pause does not stop it.
LET_GO = delivery(State.SCHEDULED, Reason.BY_HAND, 0, next_attempt_at=SLOT)


def to_come(
    *known: Delivery,
    series: tuple[Series, ...] = (HOURLY,),
    after: datetime = SLOT - MINUTE,
    kind: str | None = None,
) -> str | None:
    found = next_to_come(series, [IN_PAUSE], {one.id: one for one in known}, after, kind)
    return found.id if found else None


def test_what_comes_next_is_the_first_slot_that_is_not_paused_and_has_no_state() -> None:
    after_pause = slot(SLOT + 60 * MINUTE)
    ended = replace(delivery(State.CANCELLED), id=after_pause.id, slot=after_pause.at)

    assert next_to_come([HOURLY], [], {}, SLOT - MINUTE) == slot()
    assert next_to_come([HOURLY], [IN_PAUSE], {}, SLOT - MINUTE) == after_pause
    assert to_come(ended) == slot(SLOT + 120 * MINUTE).id
    assert to_come(series=()) is None


@pytest.mark.parametrize(
    ("after", "comes"), [(SLOT - INSTANT, True), (SLOT, False), (SLOT + INSTANT, False)]
)
def test_what_a_person_let_go_comes_in_a_pause_if_it_is_still_to_come(
    after: datetime, comes: bool
) -> None:
    assert to_come(LET_GO, after=after) == (ID if comes else slot(SLOT + 60 * MINUTE).id)


@pytest.mark.parametrize("kind", [None, "regular"])
def test_what_a_person_let_go_is_of_its_kind(kind: str | None) -> None:
    assert next_to_come([HOURLY], [IN_PAUSE], {ID: LET_GO}, SLOT - MINUTE, kind) == slot()
    assert to_come(LET_GO, kind="peak") is None


@pytest.mark.parametrize(
    "other",
    [
        replace(LET_GO, state=State.RETRYING),
        replace(LET_GO, state=State.CANCELLED),
        replace(LET_GO, next_attempt_at=None),
        replace(LET_GO, next_attempt_at=SLOT - INSTANT),
        replace(LET_GO, next_attempt_at=SLOT + INSTANT),
        replace(LET_GO, message="gone"),
    ],
)
def test_nothing_else_that_has_a_state_comes(other: Delivery) -> None:
    assert to_come(other) == slot(SLOT + 60 * MINUTE).id


@pytest.mark.parametrize(
    ("name", "minute", "first"),
    [("zeta", 30, "report"), ("alpha", 30, "alpha"), ("alpha", 31, "report"), ("zeta", 29, "zeta")],
)
def test_of_two_that_come_the_sooner_is_first_and_then_the_one_named_first(
    name: str, minute: int, first: str
) -> None:
    at = SLOT.replace(minute=minute)
    let_go = replace(LET_GO, id=slot(at, name).id, message=name, slot=at, next_attempt_at=at)
    series = (HOURLY, at_minutes(45, name=name))

    found = next_to_come(series, [], {let_go.id: let_go}, SLOT - 5 * MINUTE)
    assert found == slot(SLOT if first == "report" else at, first)
