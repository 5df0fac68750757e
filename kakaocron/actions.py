"""What a person asks for, by the one path that `tick` uses too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unicodedata import normalize

from msgspec import Struct

from kakaocron.config.contacts import ALIMTALK, is_room
from kakaocron.config.schema import Message
from kakaocron.delivery.engine import send_all
from kakaocron.delivery.orders import (
    cancelled,
    cancelled_ahead,
    entered,
    led_back,
    look_and_resolve,
    once_slot,
    reopened,
    resolved,
)
from kakaocron.delivery.parcel import Parcel, content_hash
from kakaocron.delivery.policy import Due, next_attempt
from kakaocron.errors import Cause, ContentError, Exit, KakaocronError, LedgerError, UsageError
from kakaocron.installation import Installation
from kakaocron.kakao.codes import REMEDIES
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import Event
from kakaocron.ledger.ledger import MOST_TIMES, Book, OvertakenError, View
from kakaocron.ledger.lookup import day_of_id, find_delivery
from kakaocron.ledger.stats import slots_on
from kakaocron.schedule.pauses import Pause, resumed
from kakaocron.schedule.slots import Slot, next_slot, parse_delivery_id, slot_at
from kakaocron.states import BAD, ME, State
from kakaocron.system.log import log
from kakaocron.text.causes import in_words

P = ParamSpec("P")
R = TypeVar("R")


class DuplicateError(KakaocronError):
    """The same text for the same minute is in the ledger already."""

    def __init__(self, delivery: Delivery, if_sent: str) -> None:
        super().__init__(
            _("'{id}' holds this text for this minute already ({state})").format(
                id=delivery.id, state=delivery.state.beside
            ),
            _way_out(delivery) or if_sent,
        )


def _way_out(twin: Delivery) -> str | None:
    """Say what to do with a delivery that is there already, None if it was sent."""
    match twin.state:
        case State.FAILED if not _retry_helps(twin):
            return _("To send it again as it is cannot help: kakaocron explain {id}").format(
                id=twin.id
            )
        case State.FAILED | State.MISSED | State.CANCELLED:
            return _("To send it after all: kakaocron retry {id}").format(id=twin.id)
        case State.UNKNOWN:
            return look_and_resolve(twin.id)
        case State.SCHEDULED | State.RETRYING:
            return _("To take it back: kakaocron cancel {id}").format(id=twin.id)
        case State.SENDING:
            return _("See: kakaocron show {id}").format(id=twin.id)
    return None


def _retry_helps(delivery: Delivery) -> bool:
    codes = [one.code for one in delivery.targets.values() if one.state is not State.CONFIRMED]
    return all(REMEDIES[code].helps for code in codes if isinstance(code, int) and code in REMEDIES)


class ByHand(Struct, frozen=True):
    """What became of a manual send; `down` as in a tick's report."""

    delivery: Delivery
    down: Mapping[str, KakaocronError]

    @property
    def exit_code(self) -> Exit:
        for error in self.down.values():
            return error.exit_code
        return Exit.TROUBLE if self.delivery.state in BAD else Exit.FINE


def again_if_overtaken(order: Callable[P, R]) -> Callable[P, R]:
    """Make an order again by what is there now if another host was first to change that."""

    @wraps(order)
    def ordered(*arguments: P.args, **options: P.kwargs) -> R:
        for _time in range(MOST_TIMES - 1):
            with suppress(OvertakenError):
                return order(*arguments, **options)
        return order(*arguments, **options)

    return ordered


def _written(book: Book, events: Sequence[Event]) -> None:
    """Write what was decided by this book. Raises OvertakenError, LedgerError."""
    written = book.record(events)
    for event in events:
        if event.id not in written:
            raise OvertakenError(event.id)


def send_now(
    installation: Installation,
    *,
    text: str | None = None,
    message: str | None = None,
    to: Sequence[str] | None = None,
    image: Path | None = None,
    force: bool = False,
    link: str | None = None,
    button: str | None = None,
) -> ByHand:
    """Send a text, with the picture in a file if one is given, or a configured message, in the
    minute that it is; taps on a text lead to `link`, and the button that leads there too has the
    title `button`.

    Raises DuplicateError if this text has this minute's id already, unless forced; UsageError for
    content that Kakao would not take; LedgerError and LockTimeoutError as a tick does.
    """
    minute = installation.clock.now().replace(second=0, microsecond=0)
    known = find_message(installation, message) if message is not None else None
    contents, view = installation.contents, _sound_view(installation, minute.date())
    totals = slots_on(view.deliveries.values(), minute.date())
    receivers = _receivers(installation, to, known)
    contacts = installation.config.contacts
    is_alimtalk = known is not None and known.alimtalk is not None
    for receiver in receivers:
        if (contacts.channel_of(receiver) == ALIMTALK) is not is_alimtalk:
            name = contacts.names().get(receiver, receiver)
            raise UsageError(in_words(Cause("other-content", {"receiver": name})))
    if known is None and all(map(is_room, receivers)):  # nothing that was asked for is left out
        if image is not None:
            raise UsageError(_("no picture goes to a room"))
        if link is not None or button is not None:
            raise UsageError(
                _("a room shows no link and no button; write the address into the text")
            )
    try:
        parcel = (
            contents.of_message(known, Slot(known.name, minute, "send"), totals, to=receivers)
            if known
            else contents.by_hand(text or "", image, contents.taps(link, button), receivers)
        )
    except ContentError as error:
        raise UsageError(_("Cannot send this: {error}").format(error=error)) from None
    slot = Slot(f"send-{content_hash(parcel.text)}", minute, "send")
    due = _enter(installation, slot, parcel, receivers, force=force)
    return _send(installation, due, lambda _: parcel)


def _send(installation: Installation, due: Due, make: Callable[[Due], Parcel]) -> ByHand:
    sent = send_all(installation.engine, [due], make)
    delivery = sent.ended.get(due.id) or find_delivery(installation.ledger, due.id)
    return ByHand(delivery, sent.down)


def _sound_view(installation: Installation, day: date) -> View:
    """Read a day, and those whose quotas count. Raises LedgerError if nothing of them may be sent,
    as a part of them is damaged."""
    today = installation.clock.now().date()
    view = installation.ledger.read(sorted({day, today, today - timedelta(days=1)}))
    for damaged in sorted(view.damaged):
        raise LedgerError(
            _("The ledger of {damaged} is damaged, so nothing was sent").format(damaged=damaged),
            _("The next tick sets the damage aside; or now: kakaocron tick"),
        )
    return view


def find_message(installation: Installation, name: str) -> Message:
    """Return a configured message. Raises UsageError if there is none of that name."""
    for one in installation.config.message:
        if one.name == normalize("NFC", name):
            return one
    known = ", ".join(one.name for one in installation.config.message) or "none"
    raise UsageError(
        _("There is no message '{name}' in the configuration; there are: {known}").format(
            name=name, known=known
        )
    )


def _receivers(
    installation: Installation, to: Sequence[str] | None, message: Message | None
) -> tuple[str, ...]:
    for name in to or ():
        if stranger := installation.config.contacts.stranger(name):
            raise UsageError(stranger)
    named = to or (message.to if message else (ME,))
    sender = message.sender if message else None
    return installation.config.contacts.receivers(named, sender)


@again_if_overtaken
def _enter(
    installation: Installation,
    slot: Slot,
    parcel: Parcel,
    receivers: tuple[str, ...],
    *,
    force: bool,
) -> Due:
    """Write a manual send into the ledger, unless its id is there already."""
    with installation.ledger.open() as book:
        known = book.read([slot.at.date()]).deliveries.get(slot.id)
        if known is not None and not force:
            log.info("⚠️ 중복 메시지 감지: %s", slot.id)
            raise DuplicateError(known, _("To send it once more: add --force"))
        expires_at = book.now + installation.engine.policy.expire_after
        event = entered(
            slot, book.now, receivers, expires_at, _kept(parcel), reopens=known is not None
        )
        _record(installation, book, [event])
    before = len(known.attempts) if known else 0
    return Due(slot, receivers, receivers, before + 1, expires_at, tries_before=before)


def _record(installation: Installation, book: Book, events: Sequence[Event]) -> None:
    """Write what is to be sent, and lead the ticks to it should they not look at its day."""
    last = installation.heartbeat.last_complete()
    _written(book, [*led_back((one.id for one in events), book.now, last), *events])


def _kept(parcel: Parcel) -> dict[str, Any]:
    return {"text": parcel.text, "content_hash": parcel.hash, "content": parcel.fields()}


@again_if_overtaken
def schedule(
    installation: Installation,
    at: datetime,
    *,
    text: str | None = None,
    message: str | None = None,
    to: Sequence[str] | None = None,
    meta: Mapping[str, str] | None = None,
) -> Delivery:
    """Enter a one-off for the first whole minute at or after `at`.

    A text is kept as it is; a configured message is made when its time comes. Raises
    DuplicateError, UsageError for content that Kakao would not take, LedgerError.
    """
    known = find_message(installation, message) if message is not None else None
    receivers = _receivers(installation, to, known)
    content: dict[str, Any]
    if known is not None:
        hash_ = content_hash(f"message {known.name}")
        content = {"content_hash": hash_, "content": {"message": known.name}}
    else:
        parcel = _text_parcel(installation, text or "", receivers)
        content, hash_ = _kept(parcel), content_hash(parcel.text)
    slot = once_slot(hash_, at)
    with installation.ledger.open() as book:
        if slot.at < book.now.replace(second=0, microsecond=0):
            raise UsageError(
                _("{at:%Y-%m-%d %H:%M} has passed; give a time that is to come").format(at=slot.at)
            )
        found = book.read([slot.at.date()]).deliveries.get(slot.id)
        if found is not None:
            log.info("⚠️ 중복 메시지 감지: %s", slot.id)
            raise DuplicateError(found, _("See: kakaocron show {id}").format(id=slot.id))
        expires_at = slot.at + installation.engine.policy.expire_after
        event = entered(slot, book.now, receivers, expires_at, content, meta=meta)
        _record(installation, book, [event])
        delivery = book.read([slot.at.date()]).deliveries[slot.id]
    log.info("📅 메시지 스케줄링: %s - %s", slot.id, f"{slot.at:%Y-%m-%d %H:%M:%S}")
    return delivery


def _text_parcel(installation: Installation, text: str, to: Sequence[str]) -> Parcel:
    try:
        return installation.contents.of_text(text, to=to)
    except ContentError as error:
        raise UsageError(_("Cannot schedule this: {error}").format(error=error)) from None


def next_of_kind(installation: Installation, kind: str) -> datetime:
    """Return the next regular or peak minute of the schedule. Raises UsageError without one."""
    config = installation.config
    timetable = config.timetable(config.minutes([kind]))
    slot = next_slot(kind, timetable, installation.clock.now())
    if slot is None:
        raise UsageError(
            _("The schedule has no {kind} minute within a year; see [schedule]").format(
                kind=_(kind)
            )
        )
    return slot.at


@again_if_overtaken
def cancel(installation: Installation, id_: str) -> Delivery:
    """Cancel what waits to be sent, or one configured slot that is still to come."""
    with installation.ledger.open() as book:
        known = book.read([day_of_id(id_)]).deliveries.get(id_)
        if known is None:
            slot, to = _coming_slot(installation, id_, book.now)
            event = cancelled_ahead(slot, to, book.now)
        else:
            event = cancelled(known, book.now)
        _written(book, [event])
        return find_delivery(book, id_)


def retry(installation: Installation, id_: str, at: datetime | None = None) -> ByHand:
    """Send once more what failed, was missed, is held or was cancelled: now, or by a tick at `at`.

    Only those receivers get it who have no confirmation.
    """
    if at is not None:
        return ByHand(reopen(installation, id_, at), {})
    _sound_view(installation, day_of_id(id_))
    delivery = reopen(installation, id_)
    due = next_attempt(delivery, installation.engine.policy)
    day = delivery.slot.date()
    known = installation.ledger.read([day]).deliveries
    totals = slots_on(known.values(), day)
    make = installation.contents.of
    return _send(installation, due, lambda one: make(one, known.get(one.id), totals))


@again_if_overtaken
def reopen(installation: Installation, id_: str, at: datetime | None = None) -> Delivery:
    """Let a delivery be sent again, by the first tick at or after `at` (None: the next one)."""
    with installation.ledger.open() as book:
        known = find_delivery(book, id_)
        life = installation.engine.policy.expire_after
        if at is not None and (at.date() - known.slot.date()).days > installation.plan.keep_days:
            raise UsageError(
                _(
                    "'{id}' will have left the ledger by then: [ledger] keep_days is {keep_days}"
                ).format(id=id_, keep_days=installation.plan.keep_days)
            )
        _record(installation, book, reopened(known, book.now, at or book.now, life))
        delivery = find_delivery(book, id_)
    when = delivery.next_attempt_at or delivery.slot
    log.info("📅 메시지 스케줄링: %s - %s", id_, f"{when:%Y-%m-%d %H:%M:%S}")
    return delivery


@again_if_overtaken
def resolve(installation: Installation, id_: str, *, delivered: bool) -> Delivery:
    """End an unknown delivery on a person's word."""
    with installation.ledger.open() as book:
        known = find_delivery(book, id_)
        _written(book, [resolved(known, book.now, delivered=delivered)])
        return find_delivery(book, id_)


def _coming_slot(
    installation: Installation, id_: str, now: datetime
) -> tuple[Slot, tuple[str, ...]]:
    name, at = parse_delivery_id(id_)
    for one in installation.plan.series:
        if one.name == name and at > now:
            slot = slot_at(name, one.timetable, at)
            if slot is not None:
                return slot, one.to
    raise UsageError(
        _("The ledger has no delivery '{id}', and it is no coming slot").format(id=id_),
        _("List them: kakaocron next"),
    )


@again_if_overtaken
def pause(
    installation: Installation, name: str | None, until: datetime | None, note: str | None
) -> tuple[Pause, ...]:
    """Pause a message, or all, from now on; return the pauses that hold beside this one for some of
    the same. Raises UsageError for a message that there is not."""
    if name is not None:
        name = find_message(installation, name).name
    with installation.ledger.open() as book:
        kept = installation.pauses.read()
        installation.pauses.write([*kept, Pause(book.now, name, until, note)])
        open_ones = (one for one in kept if one.is_open(book.now))
        return tuple(one for one in open_ones if None in {name, one.message} or one.message == name)


@again_if_overtaken
def resume(installation: Installation, name: str | None) -> int:
    """End the pauses of a message, or all of them; return how many were open.

    Slots that came due meanwhile stay missed. Raises UsageError for a message that there is not,
    and while all messages are paused: one of them cannot be resumed alone.
    """
    name = normalize("NFC", name) if name is not None else None
    with installation.ledger.open() as book:
        kept = installation.pauses.read()
        if name is not None and not any(p.message == name for p in kept):
            find_message(installation, name)
        after = resumed(kept, name, book.now)
        ended = sum(one.is_open(book.now) and name in {None, one.message} for one in kept)
        if name is not None and any(p.message is None and p.is_open(book.now) for p in kept):
            raise UsageError(_("All messages are paused; to let them all go on: kakaocron resume"))
        if after != kept:
            installation.pauses.write(after)
    return ended
