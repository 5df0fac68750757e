"""The closed lists: what a delivery can come to, and why. Part of the interface."""

from __future__ import annotations

from enum import StrEnum

ME = "me"  # the receiver that is the sender
ONCE = "once"  # the kind of a delivery that a person entered


class State(StrEnum):
    """The closed list of a delivery's states."""

    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    RETRYING = "retrying"
    FAILED = "failed"
    UNKNOWN = "unknown"
    MISSED = "missed"
    CANCELLED = "cancelled"


FINAL = frozenset({State.CONFIRMED, State.FAILED, State.UNKNOWN, State.MISSED, State.CANCELLED})

# The ends that a person has to be told of.
BAD = frozenset({State.FAILED, State.UNKNOWN, State.MISSED})


class Reason(StrEnum):
    """The closed list of reasons: part of the interface, never reworded, only added to."""

    NO_SLOT = "no-slot"
    DAY_OFF = "day-off"
    NO_TICK = "no-tick"
    EXPIRED = "expired"
    PAUSED = "paused"
    QUIET = "quiet"
    QUOTA = "quota"
    NOT_LOGGED_IN = "not-logged-in"
    REFUSED = "refused"
    REFUSED_FOR_NOW = "refused-for-now"
    RETRIES_SPENT = "retries-spent"
    UNREACHABLE = "unreachable"
    READ_TIMEOUT = "read-timeout"
    CONNECTION_RESET = "connection-reset"
    SERVER_FAULT = "server-fault"
    UNPROVEN_ANSWER = "unproven-answer"
    PROCESS_DIED = "process-died"
    LEDGER_DAMAGED = "ledger-damaged"
    LEDGER_UNWRITABLE = "ledger-unwritable"
    LOCK_HELD = "lock-held"
    TICK_CRASHED = "tick-crashed"
    CONFIG_BROKEN = "config-broken"
    CONTENT_FAILED = "content-failed"
    CLOCK_WRONG = "clock-wrong"
    BY_HAND = "by-hand"


# A delivery is as its worst receiver is; one that will be tried again is not at its end yet.
WORST_FIRST = (
    State.SENDING,
    State.SCHEDULED,
    State.RETRYING,
    State.UNKNOWN,
    State.FAILED,
    State.MISSED,
    State.CANCELLED,
    State.SENT,
    State.CONFIRMED,
)

# Where one mark stands for several slots, it is that of the one to look at first.
LOOK_FIRST = (
    State.UNKNOWN,
    State.FAILED,
    State.MISSED,
    State.RETRYING,
    State.SENDING,
    State.SENT,
    State.SCHEDULED,
    State.CONFIRMED,
    State.CANCELLED,
)
