"""What people see in the terminal."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from kakaocron.config.contacts import account_of
from kakaocron.delivery.orders import WAITING
from kakaocron.delivery.parcel import Enclosure, Parcel, Part
from kakaocron.errors import ContentError
from kakaocron.kakao.causes import named
from kakaocron.kakao.texts import MAX_UTF16_UNITS, shown_words
from kakaocron.kst import weekday
from kakaocron.language.words import _, marked, ngettext
from kakaocron.ledger.deliveries import Delivery, delivery_fields, is_by_hand
from kakaocron.show.columns import Arrangement, Column, in_columns, to_the_right
from kakaocron.states import BAD, State
from kakaocron.system.stderr import complain
from kakaocron.text.causes import counted, in_words
from kakaocron.text.documents import given_out
from kakaocron.text.plain import clean, one_line
from kakaocron.text.splitting import counts
from kakaocron.watching import causes
from kakaocron.watching.coming import Coming
from kakaocron.watching.overview import ticks_run
from kakaocron.watching.sentences import (
    detail_of,
    lacks_login_only,
    sent_words,
    sentence_of,
)

if TYPE_CHECKING:
    from kakaocron.actions import ByHand
    from kakaocron.doctor.finding import Finding
    from kakaocron.installation import Installation
    from kakaocron.kakao.friends import Friend

COLOURS = {
    State.SCHEDULED: "dim",
    State.SENDING: "cyan",
    State.SENT: "cyan",
    State.CONFIRMED: "green",
    State.RETRYING: "yellow",
    State.FAILED: "red",
    State.UNKNOWN: "magenta",
    State.MISSED: "bright_red",
    State.CANCELLED: "dim",
}

# None of them is of ambiguous width: a Korean terminal may draw such a sign two columns wide.
MARKS = {
    State.CONFIRMED: "✓",
    State.SENT: "▹",
    State.SENDING: "▸",
    State.SCHEDULED: ".",
    State.RETRYING: "↻",
    State.FAILED: "✗",
    State.UNKNOWN: "?",
    State.MISSED: "!",
    State.CANCELLED: "-",
}


def mark_of(state: State) -> str:
    return MARKS.get(state, "·")  # a word that a later version has written


def colour_of(state: State) -> str:
    return COLOURS.get(state, COLOURS[State.UNKNOWN])


BUBBLE_WIDTH = 46
# Title and description together, as one connector copies Kakao's table.
LINES_BELOW_A_PICTURE = 4
PIPE_WIDTH = 200
# Rich would take [friends] for a style and :smile: for a picture, in tables too.
_AS_IT_IS: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}


def console() -> Console:
    """Return a console on stdout: no colour and no cut in a pipe."""
    found = Console(**_AS_IT_IS)
    if not found.is_terminal:
        found = Console(**_AS_IT_IS, width=PIPE_WIDTH, soft_wrap=True)
    return found


def width_of(out: Console) -> int | None:
    """Return how many columns there are, None where nothing is to be cut: in a pipe."""
    return out.width if out.is_terminal else None


# Control characters that JSON leaves as they are, what turns the writing round, half surrogates.
_UNFIT = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def is_utf8() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"


def print_json(document: Any) -> None:
    """Print one document, an object with its version.

    What would harm a terminal, or its encoding lacks, is written as an escape: the same JSON.
    """
    text = json.dumps(given_out(document), ensure_ascii=not is_utf8(), indent=2)
    print(_UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def deliveries_table(
    deliveries: Sequence[Delivery], width: int | None, names: Mapping[str, str] | None = None
) -> Group:
    """Draw a row a delivery, on as many lines as the width takes. `names` gives the friends' names
    by their uuids."""
    id_ = Column(_("id"), [Text(clean(one.id)) for one in deliveries])
    state = Column(_("state"), [_state(one) for one in deliveries])
    kind = Column(_("kind"), [Text(_(one.kind)) for one in deliveries])
    tries = Column(_("tries"), [_tries(one) for one in deliveries], is_number=True)
    late = Column(_("late"), [Text(_late(one)) for one in deliveries], is_number=True)
    why = Column(
        _("why"),
        [Text(one.reason.spoken if one.reason else "") for one in deliveries],
        LEAST_OF_WHY,
    )
    to = [Text(_to(one, names or {})) for one in deliveries]
    text = [Text(one_line(one.text or "")) for one in deliveries]
    content = (Column(_("to"), to, LEAST_OF_TO, MOST_OF_TO), Column(_("text"), text, LEAST_OF_TEXT))
    facts = (state, late, why)
    return in_columns(
        [
            [(id_, state, kind, tries, late, why, *content)],
            [(id_, state, kind, tries, late, why), content],
            [(id_, *facts), content],
            [(id_,), facts, content],
        ],
        width,
    )


# In columns of a terminal. A reason is a word, and so readable where its end is cut.
LEAST_OF_WHY = 10
LEAST_OF_TO, MOST_OF_TO = 6, 20
LEAST_OF_TEXT = 24


def _state(one: Delivery) -> Text:
    return Text(f"{mark_of(one.state)} {one.state.spoken}", colour_of(one.state))


def _tries(one: Delivery) -> Text:
    return Text(str(len(one.attempts)) if one.attempts else "")


def _to(one: Delivery, names: Mapping[str, str]) -> str:
    return ", ".join(clean(names.get(receiver, receiver)) for receiver in one.to)


def _late(one: Delivery) -> str:
    # What is sent at once keeps no slot: its minute is a part of its name.
    is_late = one.delay_seconds is not None and not is_by_hand(one.id)
    return _("{seconds:.1f} s").format(seconds=one.delay_seconds) if is_late else ""


def print_csv(deliveries: Iterable[Delivery]) -> None:
    """Print deliveries for a spreadsheet; text that it would run as a formula is quoted. A byte
    order mark comes first, or Excel in Korea would read the file as CP949; not on a terminal."""
    rows = [delivery_fields(delivery) for delivery in deliveries]
    # All is quoted: of a bare carriage return in a text this module makes a row's end otherwise.
    out = csv.DictWriter(
        sys.stdout,
        CSV_COLUMNS,
        extrasaction="ignore",
        lineterminator="\n",
        quoting=csv.QUOTE_ALL,
    )
    if is_utf8() and not sys.stdout.isatty():
        sys.stdout.write("\ufeff")
    out.writeheader()
    for row in rows:
        plain = {**row, "to": " ".join(row["to"])}
        out.writerow({name: _harmless(plain[name]) for name in CSV_COLUMNS})


CSV_COLUMNS = (
    "id",
    "message",
    "kind",
    "slot",
    "state",
    "reason",
    "attempts",
    "to",
    "sent_at",
    "confirmed_at",
    "delay_seconds",
    "text",
)


def _harmless(value: Any) -> Any:
    """Keep a text from being run by a spreadsheet, or obeyed by a terminal."""
    if not isinstance(value, str):
        return value
    text = "\n".join(clean(line) for line in value.splitlines())
    # Some take a formula after a line break, and in full-width letters.
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@＝＋－＠") else text


def print_deliveries(deliveries: Sequence[Delivery], names: Mapping[str, str]) -> None:
    out = console()
    out.print(deliveries_table(deliveries, width_of(out), names))
    said = ngettext("{count} delivery", "{count} deliveries", len(deliveries))
    out.print(said.format(count=len(deliveries)))


def _state_and_reason(one: Delivery) -> str:
    if one.reason is None:
        return one.state.beside
    return _("{state} ({reason})").format(state=one.state.beside, reason=one.reason.beside)


def _receipt(delivery: Delivery) -> str | None:
    """Say what a channel told afterwards: its code, and when."""
    told = delivery.receipt
    if told is None:
        return None
    facts = [_("code {code}").format(code=told.code)] if told.code else []
    facts += [f"{told.at:%m-%d %H:%M:%S}"] if told.at else []
    return ", ".join(facts) or None


def print_delivery(delivery: Delivery) -> None:
    out = console()
    out.print(Text(delivery.id, "bold"))
    rows = [
        (
            _("state"),
            _state_and_reason(delivery),
        ),
        (_("detail"), detail_of(delivery)),
        (
            _("slot"),
            _("{slot:%Y-%m-%d %H:%M} KST, {kind}").format(
                slot=delivery.slot, kind=_(delivery.kind)
            ),
        ),
        (_("to"), ", ".join(f"{n}: {r.state.spoken}" for n, r in delivery.targets.items())),
        (_("receipt"), _receipt(delivery)),
        (
            _("next attempt"),
            f"{delivery.next_attempt_at:%H:%M:%S}" if delivery.next_attempt_at else None,
        ),
        (_("text"), delivery.text),
    ]
    for name, value in rows:
        if value:
            out.print(Text(f"{to_the_right(name, 13)}  {clean(value)}"))
    for attempt in delivery.attempts:
        sent = sent_words(attempt)
        ended = _("no end known")
        if attempt.ended_at:
            ended = _("ended {at}").format(at=f"{attempt.ended_at:%H:%M:%S.%f}"[:-3])
        words = _("\nattempt {number}: claimed {claimed_at:%H:%M:%S}, {sent}, {ended}").format(
            number=attempt.number, claimed_at=attempt.claimed_at, sent=sent, ended=ended
        )
        out.print(f"{words} ({attempt.host})" if attempt.host else words)
        for name, result in attempt.results.items():
            facts = [f"HTTP {result.http_status}" if result.http_status else None]
            facts += [
                _("code {code}").format(code=result.code) if result.code else None,
                result.reason.beside if result.reason else None,
                detail_of(result),
            ]
            said = ", ".join(str(fact) for fact in facts if fact)
            out.print(Text(f"  {clean(name)}: {result.state.spoken} {clean(said)}"))


@contextmanager
def progress(what: str, total: int, *, hidden: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; the function it gives takes what is done."""
    from rich.progress import Progress  # noqa: PLC0415 - few commands take long

    with Progress(console=Console(stderr=True), transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def print_parcel(name: str, made: Parcel | ContentError, to: str = "") -> None:
    """Show each part as a chat bubble, with its length and the JSON that Kakao would get; `to`
    names the receivers."""
    out = console()
    if isinstance(made, ContentError):
        out.print(
            Text(
                _("{name}: cannot be made: {made}").format(name=clean(name), made=clean(str(made))),
                "red",
            )
        )
        return
    count = _(", {count} parts").format(count=len(made.parts)) if len(made.parts) > 1 else ""
    whom = Text(f" → {clean(to)}" if to else "")
    out.print(Text.assemble((f"{clean(name)}{count}", "bold"), whom))
    if made.enclosure:
        _print_picture(out, made.enclosure, made.parts[0])
    for part in made.parts:
        document = {key: _json_or_text(value) for key, value in part.fields.items()}
        document = document or {"simpleText": {"text": part.text}}
        words = shown_words(document.get("template_object", {})) or part.text or made.text
        lines = "\n".join(clean(line) for line in [*words.split("\n"), *_buttons(document)])
        out.print(Panel(Text(lines), width=min(BUBBLE_WIDTH, out.width)), soft_wrap=False)
        if most := _most_of(part):
            long = counts(words)
            out.print(
                _("{counted}{units} of {most} characters").format(
                    counted=counted(**long), units=long["units"], most=most
                )
            )
        out.print(Text(json.dumps(document, ensure_ascii=False, indent=2)))
    if made.read is not None:
        out.print(Text(_("data: {read}").format(read=clean(in_words(made.read)))))


def _most_of(part: Part) -> int | None:
    """Return how long a text may be that goes where this part goes; None for a dealer's template,
    which is refused where it is too long for that dealer."""
    from kakaocron.alimtalk.template import KIND  # noqa: PLC0415 - a tick shows no parcel

    if part.kind == KIND:
        return None
    if part.fields:
        return MAX_UTF16_UNITS
    from kakaocron.bot.texts import MOST_IN_A_ROOM  # noqa: PLC0415 - most have no room

    return MOST_IN_A_ROOM


def _print_picture(out: Console, enclosure: Enclosure, part: Part) -> None:
    """Show a picture where colours can be shown, and say what it is everywhere, and whether the
    text below it is too long."""
    if enclosure.content is None:
        why = causes.in_words(enclosure.left_out) if enclosure.left_out else ""
        said = _("its picture cannot be made: {why}; the text goes alone")
        out.print(Text(said.format(why=clean(why)), "yellow"))
        return
    kind = enclosure.content_type.removeprefix("image/").upper()
    size = enclosure.content.length
    out.print(_("a picture: {kind}, {bytes:,} bytes").format(kind=kind, bytes=size))
    words = shown_words(json.loads(part.fields.get("template_object", "{}"))) or ""
    if (count := len(words.split("\n"))) > LINES_BELOW_A_PICTURE:
        said = _("KakaoTalk shows about {most} lines below a picture; this text has {count}")
        out.print(Text(said.format(most=LINES_BELOW_A_PICTURE, count=count), "yellow"))
    if out.color_system in {"256", "truecolor"}:
        from kakaocron.show.half_blocks import NoPillowError, half_blocks  # noqa: PLC0415 - an extra

        try:
            content = b"".join(enclosure.content.open())
            shown = half_blocks(content, min(BUBBLE_WIDTH, out.width))
        except NoPillowError:
            out.print(_("To see it here: pip install 'kakaocron[chart]'"))
        except ContentError as error:
            out.print(Text(clean(str(error)), "yellow"))
        else:
            out.print(shown or Text(_("it cannot be decoded here"), "yellow"), end="")


def _buttons(document: Mapping[str, Any]) -> list[str]:
    """Return the line of buttons below a bubble's text, none where Kakao shows its own."""
    template = document.get("template_object", {})
    titles = [one.get("title") for one in template.get("buttons") or ()]
    titles = titles or [template.get("button_title")]
    shown = "  ".join(f"[ {title} ]" for title in titles if title)
    return [shown] if shown else []


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def print_slots(slots: Sequence[Coming]) -> None:
    out = console()
    at, why = _times(_("slot"), slots), _whys(slots)
    message = Column(_("message"), [Text(clean(one.message)) for one in slots])
    kind = Column(_("kind"), [Text(_(one.kind)) for one in slots])
    arrangements: list[Arrangement] = [
        [(at, message, kind, why)],
        [(at, message, kind), (why,)],
        [(at, kind), (message,), (why,)],
    ]
    out.print(in_columns(arrangements, width_of(out)))


def _times(title: str, slots: Sequence[Coming]) -> Column:
    return Column(title, [Text(f"{weekday(one.at)} {one.at:%m-%d %H:%M}") for one in slots])


def _whys(slots: Sequence[Coming]) -> Column:
    return Column(_("why"), [Text(clean(one.why)) for one in slots], LEAST_OF_TEXT)


def print_booked(slots: Sequence[Coming]) -> None:
    """List what was scheduled by hand, by the ids that `cancel` is given."""
    out = console()
    if not slots:
        out.print(_("Nothing is booked."))
        return
    at, why = _times(_("time"), slots), _whys(slots)
    id_ = Column(_("id"), [Text(clean(one.id)) for one in slots])
    arrangements: list[Arrangement] = [
        [(at, id_, why)],
        [(at, id_), (why,)],
        [(at,), (id_,), (why,)],
    ]
    out.print(in_columns(arrangements, width_of(out)))


def print_rare(name: str, at: datetime | None, out: TextIO) -> None:
    """Say of a message that is not due within a year when it is, if ever."""
    when = (
        _("its next slot is on {day} ({weekday}) {time}").format(
            day=f"{at:%Y-%m-%d}", weekday=weekday(at), time=f"{at:%H:%M}"
        )
        if at
        else _("nor in the 40 after it")
    )
    print(
        _("'{name}' has no slot within a year; {when}").format(name=clean(name), when=when),
        file=out,
    )


def print_friends(friends: Sequence[Friend], names: Mapping[str, str]) -> None:
    """List friends; `names` gives their names in [friends] by their uuids."""
    out = console()
    if not friends:
        out.print(
            _(
                "No friends are listed. A friend must have logged in to the same app, agreed to "
                "'friends', and be a member of it: console, [App] > [Members]"
            )
        )
        return
    uuid = Column(_("uuid"), [Text(clean(one.uuid)) for one in friends])
    nickname = Column(_("nickname"), [Text(clean(one.nickname)) for one in friends], LEAST_OF_TO)
    words = (_("refused"), _("allowed"))
    allowed = Column(_("messages"), [Text(words[one.is_allowed]) for one in friends])
    name = Column(_("name in [friends]"), [Text(clean(names.get(one.uuid, ""))) for one in friends])
    arrangements: list[Arrangement] = [
        [(uuid, nickname, allowed, name)],
        [(uuid,), (nickname, allowed, name)],
    ]
    out.print(in_columns(arrangements, width_of(out)))
    out.print(_('\nUse a uuid in to = ["…"], or give it a name: [friends] "NAME" = "uuid"'))


def print_rooms(rooms: Mapping[str, str], messages: Mapping[str, Sequence[str]]) -> None:
    """List rooms by name, with their keys and the messages that go there."""
    out = console()
    if not rooms:
        out.print(_("No room is known. Learn a room's key: kakaocron rooms listen"))
        return
    name = Column(_("room"), [Text(clean(one)) for one in rooms], LEAST_OF_TO)
    words = [", ".join(messages[one]) or _("none") for one in rooms]
    sent = Column(_("messages"), [Text(clean(one)) for one in words], LEAST_OF_TO)
    key = Column(_("key"), [Text(clean(one)) for one in rooms.values()])
    out.print(in_columns([[(name, sent, key)], [(name, sent), (key,)]], width_of(out)))


SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red")}


def print_findings(findings: Sequence[Finding], *, with_mends: bool = True) -> None:
    """Show each finding; how to fix it, and how many there are, unless that is said elsewhere."""
    out = console()
    for finding in findings:
        sign, style = SIGNS[finding.status]
        out.print(Text.assemble((sign, style), f" {finding.name}: {one_line(finding.what)}"))
        if finding.mend and with_mends:
            out.print(Text(f"    → {clean(finding.mend)}"))
    if not with_mends:
        return
    counts = {status: sum(f.status == status for f in findings) for status in SIGNS}
    said = _("{count} checks: {fails} to fix, {warnings} to look at.")
    out.print(said.format(count=len(findings), fails=counts["fail"], warnings=counts["warn"]))


def say_booked(delivery: Delivery, names: Mapping[str, str]) -> None:
    """Say on stderr how a one-off was understood, and how to take it back."""
    when = _("{day} ({weekday}) {time} KST").format(
        day=f"{delivery.slot:%Y-%m-%d}",
        weekday=weekday(delivery.slot),
        time=f"{delivery.slot:%H:%M}",
    )
    complain(
        _("To {to} on {when}. To take it back: kakaocron cancel {id}").format(
            to=_to(delivery, names), when=when, id=delivery.id
        )
    )


def complain_of(done: ByHand, installation: Installation) -> int:
    """Say on stderr what went wrong with a manual send, if anything did; return the exit code.

    What waits for a tick where none runs has gone wrong too.
    """
    for channel, error in done.down.items():
        complain(named(account_of(channel), str(error)))
    is_told = bool(done.down) and lacks_login_only(done.delivery)
    if not is_told and done.delivery.state in BAD:
        complain(sentence_of(done.delivery, installation.config.contacts))
    if waits_in_vain(done.delivery, installation):
        return done.exit_code or 1
    return done.exit_code


NO_TICKS = marked(
    "No tick runs here, so nothing sends it: kakaocron cron install (or now: kakaocron tick)"
)


def waits_in_vain(delivery: Delivery, installation: Installation) -> bool:
    """Say on stderr, and return, whether a delivery waits for a tick though none runs here."""
    waits = delivery.state in WAITING or (
        delivery.state is State.UNKNOWN and delivery.next_attempt_at is not None
    )
    if not waits or ticks_run(installation):
        return False
    complain(_(NO_TICKS))
    return True
