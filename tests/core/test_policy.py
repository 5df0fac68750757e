"""What to do now: boundaries of expiry, retries, leases, damage, by values alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from kakaocron.core.calendar import KST, Minutes, Slot, Timetable
from kakaocron.core.ledger import Attempt, Delivery, Gap, Reason, Result, State
from kakaocron.core.policy import (
    Decision,
    Due,
    Policy,
    Series,
    conclude,
    decide,
    may_be_sent,
    overdue,
)

SLOT = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
ID = "report@20261123T0930"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DELAYS = tuple(timedelta(seconds=number) for number in (30, 60, 120, 300))
POLICY = Policy(DELAYS, 4, timedelta(seconds=600))
RESEND = Policy(DELAYS, 4, timedelta(seconds=600), resend_unknown=True)
SERIES = Series(
    "report",
    Timetable(Minutes(frozenset({0, 30}), frozenset(), frozenset(), frozenset({"regular"}))),
    ("me",),
)


def asked(now: datetime, since: datetime | None, *known: Delivery) -> Decision:
    return decide([SERIES], POLICY, {one.id: one for one in known}, now, since)


def delivery(
    state: State, reason: Reason | None = None, attempts: int = 1, **more: object
) -> Delivery:
    tries = tuple(Attempt(n + 1, "a", SLOT, SLOT + 30 * SECOND, ("me",)) for n in range(attempts))
    return Delivery(
        ID,
        "report",
        "regular",
        SLOT,
        state,
        ("me",),
        reason,
        expires_at=SLOT + 10 * MINUTE,
        attempts=tries,
        targets={"me": Result(state, reason)},
        **more,  # type: ignore[arg-type]
    )


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


def test_slots_that_a_damaged_ledger_may_have_held_are_unknown_and_not_sent() -> None:
    decision = decide(
        [SERIES],
        POLICY,
        {},
        SLOT + SECOND,
        SLOT - 45 * MINUTE,
        gaps={SLOT.date(): Gap(SLOT + SECOND, SLOT + SECOND)},
    )

    assert decision.due == ()
    assert {(e.state, e.reason) for e in decision.settle} == {
        (State.UNKNOWN, Reason.LEDGER_DAMAGED)
    }


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
