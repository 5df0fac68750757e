"""Makes what a message says, from its configuration, files and commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.config.contacts import is_room
from kakaocron.config.schema import Config, Message
from kakaocron.delivery.orders import BY_HAND
from kakaocron.delivery.parcel import Enclosure, FallbackError, Parcel, Part, parcel_of
from kakaocron.delivery.policy import Due
from kakaocron.errors import ContentError, LedgerError
from kakaocron.kakao.texts import (
    MAX_UTF16_UNITS,
    Taps,
    as_json,
    buttons_to,
    template_part,
    text_parcel,
    titled,
)
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.choice import chosen_language
from kakaocron.language.words import speaking
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.ledger import Ledger
from kakaocron.ledger.stats import Slots
from kakaocron.messages.fields import (
    Data,
    checked_fields,
    decoded,
    fields_of_json,
    is_table,
    read_json,
)
from kakaocron.schedule.slots import Slot
from kakaocron.states import MAY_HAVE_ARRIVED, ME
from kakaocron.system.http import Http, MakeHttp
from kakaocron.system.programs import Programs, read_content
from kakaocron.text.causes import content_error, in_words
from kakaocron.text.placeholders import (
    Rate,
    fill,
    fill_all,
    slot_fields,
)
from kakaocron.text.plain import is_web_address, tidy, tidy_all
from kakaocron.text.splitting import split, truncated

if TYPE_CHECKING:
    from kakaocron.messages.summary import DayRecord, PeriodKind


def _no_http(_seconds: float) -> Http:
    raise LookupError("these contents are to be checked, not made")


def _no_ledger() -> Ledger:
    raise LookupError("these contents are to be checked, not made")


class Contents(Struct, frozen=True):
    """The contents of one configuration; relative paths start at `folder`.

    `open_ledger` gives one that nobody else reads from: contents are made side by side. `make_http`
    makes what fetches data.
    """

    config: Config
    folder: Path
    programs: Programs
    open_ledger: Callable[[], Ledger] = _no_ledger
    make_http: MakeHttp = _no_http
    _messages: dict[str, Message] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._messages.update((one.name, one) for one in self.config.message)

    def of(self, due: Due, known: Delivery | None, totals: Slots) -> Parcel:
        """Make a delivery's content, or repeat what was sent of it, as the ledger has it. Raises
        ContentError.

        `totals` are those of the slot's day; what it was itself is none of those that it names.
        """
        kept = known.content if known else None
        if kept and "parts" in kept and (_is_literal(due, kept) or _has_begun(known)):
            return self._pictured(parcel_of(kept), kept.get("image"))
        name = str(kept["message"]) if kept and "message" in kept else due.slot.message
        message = self._messages.get(name)
        if message is None:
            raise content_error("no-message", message=name)
        others = totals.without(known) if known else totals
        slot = replace(due.slot, message=name)
        return self.of_message(message, slot, others, due.attempt, due.all_to)

    def of_message(
        self,
        message: Message,
        slot: Slot,
        totals: Slots,
        attempt: int = 1,
        to: Sequence[str] | None = None,
    ) -> Parcel:
        """Make a configured message for a slot. Raises ContentError, FallbackError if
        something may be sent in its place.

        The totals that it may name are those of the others of the slot's day. `to` are its
        receivers, as the ledger keeps them, if not its own.
        """
        to = self._receivers(message) if to is None else to
        today = _today(totals)
        fields = {**slot_fields(message.name, slot.at, slot.kind, attempt), **today}
        try:
            made = self._pictured(self._made(message, fields, slot.at, to), _image_of(message))
        except ContentError as error:
            fallback = self._fallback(message, fields, to)
            if fallback is None:
                raise
            raise FallbackError(error, fallback) from None
        if message.image_required and made.enclosure:
            fallback = self._fallback(message, fields, to)
            return replace(made, enclosure=replace(made.enclosure, fallback=fallback))
        return made

    def _receivers(self, message: Message) -> Sequence[str]:
        return self.config.contacts.receivers(message.to, message.sender)

    def by_hand(
        self, text: str, image: Path | None, taps: Taps, to: Sequence[str] = (ME,)
    ) -> Parcel:
        """Make a parcel of a text and the picture in a file, if one is given. Raises
        ContentError."""
        parcel = self.of_text(text, taps=taps, to=to)
        if image is None:
            return parcel
        enclosure = self._enclosed({"file": str(image.absolute())}, None)
        if enclosure.left_out:
            raise ContentError(in_words(enclosure.left_out), enclosure.left_out)
        return replace(parcel, enclosure=enclosure)

    def _pictured(self, parcel: Parcel, source: Mapping[str, str] | None) -> Parcel:
        """Return a parcel with its picture, made anew for each attempt. Raises ContentError if one
        that must be there cannot be had."""
        if not source:
            return parcel
        message = self._messages.get(source.get("message", ""))
        enclosure = self._enclosed(source, message)
        if enclosure.left_out and enclosure.is_required:
            raise ContentError(in_words(enclosure.left_out), enclosure.left_out)
        return replace(parcel, enclosure=enclosure)

    def _enclosed(self, source: Mapping[str, str], message: Message | None) -> Enclosure:
        from kakaocron.messages import images  # noqa: PLC0415 - few messages have a picture

        is_required = message is not None and message.image_required
        try:
            if "file" in source:
                kind, content = images.of_file(Path(source["file"]))
            elif message and message.image_command:
                argv, seconds = at_home(message.image_command), message.timeout
                kind, content = images.of_command(self.programs, argv, self.folder, seconds)
            elif message and message.image:
                kind, content = images.of_file(self.path(message.image))
            else:
                raise content_error("no-message", message=source.get("message", ""))
        except ContentError as error:
            return Enclosure(source, is_required, left_out=error.cause)
        return Enclosure(source, is_required, kind, content)

    def of_text(
        self,
        text: str,
        overflow: str = "error",
        taps: Taps | None = None,
        to: Sequence[str] = (ME,),
    ) -> Parcel:
        """Make a parcel of a text: as it is, but for what no message may hold, and as long as each
        of its receivers takes. Taps lead to the configuration's link unless `taps` say where.
        Raises ContentError."""
        text, most = tidy(text), longest_text(to)
        texts = [text]
        if overflow == "split":
            texts = split(text, most)
        elif overflow == "truncate":
            text = texts[0] = truncated(text, most)
        if not any(map(is_room, to)):
            return self._to_chats(text, texts, taps)
        from kakaocron.bot.texts import room_parcel, with_rooms  # noqa: PLC0415 - most have no room

        if all(map(is_room, to)):
            return room_parcel(text, texts)
        return with_rooms(self._to_chats(text, texts, taps), texts)

    def _to_chats(self, text: str, texts: Sequence[str], taps: Taps | None) -> Parcel:
        taps = taps or self.taps()
        return text_parcel(text, taps.link, texts, taps.buttons)

    def taps(
        self,
        link: str | None = None,
        button: str | None = None,
        buttons: Sequence[tuple[str, str]] = (),
    ) -> Taps:
        """Say where taps on a text lead: to `link`, which a button of that title does too, or by
        buttons of a title and an address each. Raises ContentError."""
        for url in (link, *(url for _title, url in buttons)):
            if url is not None and not is_web_address(url):
                raise content_error("bad-link")
        if not all(title.strip() for title in (button or "x", *(title for title, _ in buttons))):
            raise content_error("empty-button")
        made = buttons_to(buttons) if buttons else titled(button) if button is not None else {}
        return Taps(link or self.config.kakao.link, made)

    def _taps(self, message: Message, fields: Mapping[str, Any]) -> Taps:
        def filled(text: str) -> str:
            return tidy(fill(text, fields))

        return self.taps(
            message.link and filled(message.link),
            message.button and filled(message.button),
            [(filled(one.title), filled(one.link)) for one in message.buttons],
        )

    def _fallback(
        self, message: Message, fields: Mapping[str, Any], to: Sequence[str]
    ) -> Parcel | None:
        if message.fallback_text is None:
            return None
        try:
            text = fill(message.fallback_text, fields)
            return self.of_text(text, "truncate", self._taps_anyhow(message, fields), to)
        except ContentError:
            return None

    def _taps_anyhow(self, message: Message, fields: Mapping[str, Any]) -> Taps:
        try:
            return self._taps(message, fields)
        except ContentError:  # it names what could not be had
            return self.taps()

    def _made(
        self, message: Message, built_in: Mapping[str, Any], at: datetime, to: Sequence[str]
    ) -> Parcel:
        if message.report is not None:
            text = self._summary(message.report, at, longest_text(to))
            return self.of_text(text, taps=self._taps(message, built_in), to=to)
        if message.command is not None:
            output = self.programs.run(at_home(message.command), self.folder, message.timeout)
            text = tidy(decoded(output, message.command[0]))
            return self.of_text(text.rstrip(), message.overflow, self._taps(message, built_in), to)
        data = self.data(message)
        try:
            parcel = self._of_fields(message, {**built_in, **data.fields}, to)
        except ContentError as error:
            raise data.explained(error) from None
        return replace(parcel, read=data.read) if data.read else parcel

    def _of_fields(self, message: Message, fields: Mapping[str, Any], to: Sequence[str]) -> Parcel:
        if (of_template := self._of_template(message, fields)) is not None:
            return of_template
        if message.scrap_url is not None:
            url = tidy(fill(message.scrap_url, fields))
            if not is_web_address(url):
                raise content_error("bad-scrap-url")
            as_json({"url": url})
            return Parcel(url, (Part("scrap", {"request_url": url}),))
        taps = self._taps(message, fields)
        return self.of_text(fill(self._text(message), fields), message.overflow, taps, to)

    def _summary(self, kind: PeriodKind, at: datetime, most: int) -> str:
        """Sum up what is on record, in the language of the configuration, whoever asks."""
        from kakaocron.messages.summary import period_of, summary  # noqa: PLC0415 - most have none

        period = period_of(kind, at)
        records = [self._record_of(day) for day in period.days]
        since = next(iter(self.open_ledger().days()), None)
        spoken = chosen_language(self.programs.variables, self.config.language)
        with speaking(catalogue_of(spoken)):
            return summary(period, records, since, most)

    def _record_of(self, day: date) -> DayRecord:
        from kakaocron.messages.summary import DayRecord  # noqa: PLC0415

        ledger = self.open_ledger()  # which keeps what it has read: a day is enough
        try:
            view, damage = ledger.read([day]), ledger.damage([day])
        except LedgerError:
            return DayRecord(day, is_damaged=True)
        is_damaged = bool(view.gaps or view.damaged or damage)
        return DayRecord(day, tuple(view.deliveries.values()), is_damaged)

    def _of_template(self, message: Message, fields: Mapping[str, Any]) -> Parcel | None:
        """Fill a message's template, None if it has none."""
        if message.template is not None:
            return _template_parcel(tidy_all(fill_all(message.template, fields)))
        if message.template_id is not None:
            args = _filled(message.template_args, fields)
            return _custom_parcel(str(message.template_id), args)
        if message.alimtalk is not None:
            return self._of_alimtalk(message.alimtalk, _filled(message.variables, fields))
        return None

    def _of_alimtalk(self, code: str, variables: Mapping[str, str]) -> Parcel:
        from kakaocron.alimtalk.template import parcel_of_template  # noqa: PLC0415 - few have it

        settings = self.config.alimtalk
        if settings is None:
            raise content_error("no-alimtalk")
        return parcel_of_template(settings.dealer, code, variables, settings.templates.get(code))

    def _text(self, message: Message) -> str:
        if message.file is None:
            return message.text or ""
        path = self.path(message.file)
        return tidy(decoded(read_content(path), str(path))).rstrip()

    def path(self, name: str) -> Path:
        # Path.expanduser raises where there is no such user.
        return self.folder / os.path.expanduser(name)  # noqa: PTH111

    def data(self, message: Message) -> Data:
        """Read what a message's placeholders are filled from. Raises ContentError."""
        if message.data_command is not None:
            output = self.programs.run(at_home(message.data_command), self.folder, message.timeout)
            return Data(fields_of_json(output, message.data_command[0]))
        if message.data_url is not None:
            from kakaocron.messages import tables  # noqa: PLC0415 - most read none

            return tables.of_url(message.data_url.reveal(), message.timeout, self.make_http)
        if message.data_file is None:
            return Data(checked_fields(message.data or {}, "data"))
        name, path = message.data_file, self.path(message.data_file)
        if is_table(name):
            from kakaocron.messages import tables  # noqa: PLC0415

            return tables.of_file(name, path, self.programs, message.timeout)
        fields = fields_of_json(read_content(path), str(path))
        return Data(fields, read_json(name, fields))


def longest_text(to: Sequence[str]) -> int:
    """Return how many UTF-16 units a text to these receivers may have in one part: what the
    narrowest of them takes."""
    if not all(map(is_room, to)):
        return MAX_UTF16_UNITS
    from kakaocron.bot.texts import MOST_IN_A_ROOM  # noqa: PLC0415 - most have no room

    return MOST_IN_A_ROOM


def at_home(command: Sequence[str]) -> list[str]:
    """Return a command whose program may lie in a home, as in `~/bin/report.sh`."""
    return [os.path.expanduser(command[0]), *command[1:]]  # noqa: PTH111


def _image_of(message: Message) -> dict[str, str] | None:
    """Return what the ledger keeps of a message's picture: no path and no command, in which there
    may be a secret."""
    return {"message": message.name} if message.image or message.image_command else None


def _is_literal(due: Due, kept: Mapping[str, Any]) -> bool:
    """Say whether a person gave the content itself, not the name of a message."""
    return due.slot.kind in BY_HAND and "message" not in kept


def _has_begun(known: Delivery | None) -> bool:
    """Say whether one receiver has some of it, or may: then it must reach the others unchanged."""
    results = known.targets.values() if known else ()
    return any(result.state in MAY_HAVE_ARRIVED or result.parts for result in results)


def _today(slots: Slots) -> dict[str, Any]:
    """Return a day's totals as placeholders; before anything has ended, all has gone well."""
    rate = slots.success_rate
    return {
        "success_rate": Rate(1.0 if rate is None else rate),
        "completed_count": slots.confirmed,
        "failed_count": slots.failed,
    }


def _filled(values: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, str]:
    filled = tidy_all(fill_all(values, fields))
    return {name: str(value) for name, value in filled.items()}


def _template_parcel(template: Mapping[str, Any]) -> Parcel:
    from kakaocron.kakao.templates import checked, shown_text  # noqa: PLC0415 - slow to build

    found = checked(template)
    return Parcel(shown_text(found), (template_part(found),))


def _custom_parcel(template_id: str, args: Mapping[str, str]) -> Parcel:
    fields = {"template_id": template_id}
    if args:
        fields["template_args"] = as_json(args)
    shown = ", ".join(f"{name}: {value}" for name, value in args.items())
    return Parcel(f"template {template_id} {shown}".rstrip(), (Part("custom", fields),))
