"""The closed lists: what a delivery can come to, and why. Part of the interface."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from kakaocron.language.words import _, marked

ME = "me"  # the receiver that is the sender
ROOM = "room:"  # what stands before a room's name where it is kept as a receiver
BY = "@"  # between a friend's uuid and the account that sends to it, if not the first
ONCE = "once"  # the kind of a delivery that a person entered

# What a delivery's minute is, as people read it.
KINDS = (marked("regular"), marked("peak"), marked("cron"), marked("once"), marked("send"))


# What a later version may have added to a list.
WORD = re.compile(r"[a-z][a-z0-9-]{0,39}")


class _Word(StrEnum):
    """A word of a closed list, or one that a later kakaocron has written into the ledger.

    The latter is none of the members, whatever it is compared with, and reads as it was written.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str) or not WORD.fullmatch(value):
            return None
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        return word

    @property
    def spoken(self) -> str:
        """The word in the language that is spoken."""
        return _(self.value)

    @property
    def beside(self) -> str:
        """The same, and with it the word that programs know, where that is another one."""
        return self.value if self.spoken == self.value else f"{self.spoken}({self.value})"

    @property
    def is_known(self) -> bool:
        """Whether it is of the list, and this kakaocron can tell what it means."""
        return self._name_ in type(self)._member_map_  # a word of later is its own name


class State(_Word):
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


# The ends. `sent` is one too where a person said so (Delivery.is_final): of what a channel has only
# sent so far, it may still say more.
FINAL = frozenset({State.CONFIRMED, State.FAILED, State.UNKNOWN, State.MISSED, State.CANCELLED})

# Of a receiver: what was sent may have arrived.
MAY_HAVE_ARRIVED = frozenset({State.CONFIRMED, State.SENT, State.UNKNOWN})

# Of a receiver: the channel has said that it took what was sent.
TAKEN = frozenset({State.CONFIRMED, State.SENT})

# The ends that a person has to be told of.
BAD = frozenset({State.FAILED, State.UNKNOWN, State.MISSED})


class Reason(_Word):
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
    PICTURE_LEFT_OUT = "picture-left-out"
    CLOCK_WRONG = "clock-wrong"
    BY_HAND = "by-hand"
    UNDELIVERED = "undelivered"
    NO_RECEIPT = "no-receipt"
    NOT_FOUND = "not-found"


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


def place_of(state: State, order: Sequence[State]) -> int:
    """Return where a state stands in one of these orders; a word that is not known comes first."""
    return order.index(state) if state in order else -1


def first_to_look_at(*states: State) -> State:
    return min(states, key=lambda state: place_of(state, LOOK_FIRST))
