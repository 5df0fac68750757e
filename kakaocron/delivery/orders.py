"""What a person may order of a delivery, and the ledger lines that say so. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from kakaocron.delivery.policy import settle_delivery, settle_slot
from kakaocron.errors import Cause, UsageError
from kakaocron.kst import KST, MINUTE, isoformat
from kakaocron.language.words import _, marked
from kakaocron.ledger.deliveries import REOPENED_IN_PEACE, Delivery, of_delivery
from kakaocron.ledger.events import Event, Pointer, Reopen, Schedule, of_slot
from kakaocron.schedule.slots import Slot, slot_day
from kakaocron.states import ONCE, Reason, State

# What has not begun, or is between two attempts.
WAITING = frozenset({State.SCHEDULED, State.RETRYING})
BY_HAND = frozenset({ONCE, "send"})  # the kinds of what a person enters
RETRYABLE = frozenset({State.FAILED, State.MISSED, State.UNKNOWN, State.CANCELLED})


LOOK_AND_RESOLVE = marked(
    "Look at the chat, then: kakaocron resolve {id} --delivered (or --not-delivered)"
)
RETRY_ANYWAY = marked("To send it anyway: kakaocron retry {id}")


def resolve_command(id_: str) -> str:
    return _("kakaocron resolve {id} --delivered (or --not-delivered)").format(id=id_)


def look_and_resolve(id_: str) -> str:
    """Say what a person can do where nobody knows whether the message arrived."""
    return _(LOOK_AND_RESOLVE).format(id=id_)


def once_slot(hash_: str, at: datetime) -> Slot:
    """Return a one-off's slot: the first whole minute at or after `at`, as cron has no others."""
    minute = at.replace(second=0, microsecond=0)
    return Slot(f"{ONCE}-{hash_}", minute if minute == at else minute + MINUTE, ONCE)


def entered(
    slot: Slot,
    now: datetime,
    to: Sequence[str],
    expires_at: datetime,
    content: Mapping[str, Any],
    *,
    meta: Mapping[str, str] | None = None,
    reopens: bool = False,
) -> Event:
    """Return the line that enters a delivery made by hand, or sends one for a second time.

    `content` holds the `text`, its `content_hash` and the `content` to be sent, as far as they
    are known.
    """
    said = {
        "state": State.SCHEDULED,
        "expires_at": expires_at,
        "meta": dict(meta) if meta else None,
    }
    if reopens:
        return of_slot(Reopen, slot, to, now, **said, **content, forced=True, next_attempt_at=now)
    return of_slot(Schedule, slot, to, now, **said, **content)


def led_back(ids: Iterable[str], now: datetime, last_complete: datetime | None) -> list[Event]:
    """Return the lines that lead later ticks to what is to be sent while the clock is set back to a
    day before `last_complete`, up to which every slot had a state.

    Once the clock is right again, nothing else lets them look there, and it would wait for ever.
    """
    if last_complete is None or last_complete.date() <= now.date():
        return []
    days = {slot_day(id_): id_ for id_ in ids}
    due = datetime.combine(last_complete.date(), time(), KST)
    return [
        Pointer(at=now, id=id_, due=due) for day, id_ in sorted(days.items()) if day < due.date()
    ]


def cancelled(delivery: Delivery, now: datetime) -> Event:
    """Return the line that cancels a delivery. Raises UsageError if that cannot be."""
    if delivery.state is State.UNKNOWN:
        again = delivery.next_attempt_at
        resent = (
            _("; it is sent again by itself at {again:%H:%M:%S} until you do").format(again=again)
            if again
            else ""
        )
        raise UsageError(
            _("'{id}' is unknown: it may have arrived").format(id=delivery.id),
            f"{look_and_resolve(delivery.id)}{resent}",
        )
    if delivery.state is State.SENDING:
        raise UsageError(
            _("'{id}' is being sent; it is too late to cancel it").format(id=delivery.id)
        )
    if delivery.state not in WAITING:
        raise UsageError(
            _("'{id}' is {state}; there is nothing to cancel").format(
                id=delivery.id, state=delivery.state.beside
            )
        )
    return settle_delivery(delivery, now, State.CANCELLED, Reason.BY_HAND)


def cancelled_ahead(slot: Slot, to: tuple[str, ...], now: datetime) -> Event:
    """Return the line that cancels a slot which has not come yet."""
    return settle_slot(slot, to, now, State.CANCELLED, Reason.BY_HAND)


def reopened(delivery: Delivery, now: datetime, at: datetime, life: timedelta) -> list[Event]:
    """Return the lines that let a delivery be sent again from `at` on, for the time of `life`.

    Raises UsageError if it must not be.
    """
    if delivery.state in WAITING:
        when = delivery.next_attempt_at or delivery.slot
        raise UsageError(
            _("'{id}' is {state} and is sent by itself at {when:%m-%d %H:%M:%S}").format(
                id=delivery.id, state=delivery.state.beside, when=when
            )
        )
    if delivery.state not in RETRYABLE:
        raise UsageError(
            _(
                "'{id}' is {state}; only a failed, missed, unknown or cancelled delivery can be "
                "retried"
            ).format(id=delivery.id, state=delivery.state.beside)
        )
    due = max(at, now, delivery.slot)
    is_in_peace = delivery.was_meant or delivery.state is State.CANCELLED
    reopen = of_delivery(
        Reopen,
        delivery,
        now,
        state=State.SCHEDULED,
        reason=Reason.BY_HAND,
        cause=REOPENED_IN_PEACE if is_in_peace else None,
        expires_at=due + life,
        next_attempt_at=due,
    )
    if delivery.slot.date() == due.date():
        return [reopen]
    # First, so that no reopened delivery is ever without it; alone it does nothing.
    return [Pointer(at=now, id=delivery.id, due=due), reopen]


def resolved(delivery: Delivery, now: datetime, *, delivered: bool) -> Event:
    """Return the line that ends an unknown delivery on a person's word. Raises UsageError.

    Delivered makes it `sent`: `confirmed` is Kakao's own word only.
    """
    if delivery.state is not State.UNKNOWN:
        raise UsageError(
            _("'{id}' is {state}; only an unknown delivery can be resolved").format(
                id=delivery.id, state=delivery.state.beside
            )
        )
    state = State.SENT if delivered else State.FAILED
    return settle_delivery(
        delivery, now, state, Reason.BY_HAND, cause=Cause("resolved", {"at": isoformat(now)})
    )
