"""What a person asks for, by the one path that `tick` uses too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kakaocron.core.calendar import Slot
from kakaocron.core.content import (
    ContentError,
    Parcel,
    content_hash,
    fill,
    slot_fields,
    text_parcel,
)
from kakaocron.core.ledger import Delivery, Event, Kind, State
from kakaocron.core.policy import Due
from kakaocron.delivery import send_all
from kakaocron.errors import KakaocronError, UsageError
from kakaocron.wiring import Installation


class DuplicateError(KakaocronError):
    """The same text for the same minute is in the ledger already."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What became of a manual send."""

    delivery: Delivery
    login_error: str | None


def send_now(
    installation: Installation,
    *,
    text: str | None = None,
    message: str | None = None,
    to: Sequence[str] | None = None,
    force: bool = False,
) -> ByHand:
    """Send a text, or a configured message, in the minute that it is.

    Raises DuplicateError if this text has this minute's id already, unless forced; UsageError for
    content that Kakao would not take; LedgerError and LockTimeoutError as a tick does.
    """
    now = installation.clock.now()
    minute = now.replace(second=0, microsecond=0)
    parcel, receivers = _content(installation, text, message, to, minute)
    slot = Slot(f"send-{content_hash(parcel.text)}", minute, "send")
    due = _enter(installation, slot, parcel, receivers, force=force)
    sent = send_all(installation.desk, [due], lambda _: parcel)
    delivery = sent.ended.get(slot.id) or _now_in_ledger(installation, slot.id, minute)
    return ByHand(delivery, sent.login_error)


def _content(
    installation: Installation,
    text: str | None,
    message: str | None,
    to: Sequence[str] | None,
    minute: datetime,
) -> tuple[Parcel, tuple[str, ...]]:
    config = installation.config
    receivers = config.receivers(to or ("me",))
    try:
        if message is None:
            return text_parcel(text or "", config.kakao.link), receivers
        for one in config.message:
            if one.name == message:
                fields = slot_fields(one.name, minute, "send", 1)
                parcel = text_parcel(fill(one.text, fields), config.kakao.link)
                return parcel, receivers if to else config.receivers(one.to)
    except ContentError as error:
        raise UsageError(f"Cannot send this: {error}") from None
    known = ", ".join(one.name for one in config.message) or "none"
    raise UsageError(f"There is no message '{message}' in the configuration; there are: {known}")


def _enter(
    installation: Installation,
    slot: Slot,
    parcel: Parcel,
    receivers: tuple[str, ...],
    *,
    force: bool,
) -> Due:
    """Write a one-off into the ledger, unless its id is there already."""
    policy = installation.desk.policy
    with installation.ledger.open() as book:
        known = book.read([slot.at.date()]).deliveries.get(slot.id)
        if known is not None and not force:
            raise DuplicateError(
                f"'{known.id}' holds this text for this minute already ({known.state}). "
                "To send it once more: add --force"
            )
        expires_at = book.now + policy.expire_after
        kind = Kind.SCHEDULE if known is None else Kind.REOPEN
        book.record([_entry(kind, book.now, slot, parcel, receivers, expires_at)])
    attempt = len(known.attempts) + 1 if known else 1
    return Due(slot, receivers, receivers, attempt, expires_at)


def _entry(
    kind: Kind,
    now: datetime,
    slot: Slot,
    parcel: Parcel,
    receivers: tuple[str, ...],
    expires_at: datetime,
) -> Event:
    parts = [{"kind": part.kind, "fields": dict(part.fields)} for part in parcel.parts]
    data: dict[str, Any] = {
        "message": slot.message,
        "kind": slot.kind,
        "slot": slot.at,
        "to": list(receivers),
        "expires_at": expires_at,
        "text": parcel.text,
        "content_hash": parcel.hash,
        "content": {"text": parcel.text, "parts": parts},
    }
    if kind is Kind.REOPEN:
        data |= {"forced": True, "next_attempt_at": now}
    return Event(kind, now, slot.id, State.SCHEDULED, data=data)


def _now_in_ledger(installation: Installation, id_: str, slot: datetime) -> Delivery:
    delivery = installation.ledger.read([slot.date()]).deliveries.get(id_)
    if delivery is None:
        raise KakaocronError(f"'{id_}' is not in the ledger any more; nothing was sent")
    return delivery
