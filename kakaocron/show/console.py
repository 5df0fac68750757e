"""What people see in the terminal. With pictures.py, the one importer of Rich."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kakaocron.actions import ByHand
from kakaocron.delivery.orders import WAITING
from kakaocron.delivery.parcel import Parcel
from kakaocron.errors import ContentError
from kakaocron.kakao.texts import MAX_UTF16_UNITS
from kakaocron.ledger.deliveries import Delivery, delivery_fields, is_by_hand
from kakaocron.states import BAD, State
from kakaocron.system.stderr import complain
from kakaocron.text.documents import given_out
from kakaocron.text.plain import clean, one_line, utf16_units
from kakaocron.text.splitting import counted
from kakaocron.watching.coming import Coming
from kakaocron.watching.overview import ticks_run
from kakaocron.watching.sentences import detail_of, sent_words, sentence

if TYPE_CHECKING:
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
WIDE = 100
PIPE_WIDTH = 200
# Rich would take [friends] for a style and :smile: for a picture, in tables too.
_AS_IT_IS: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}


def console() -> Console:
    """Return a console on stdout: no colour and no cut in a pipe."""
    found = Console(**_AS_IT_IS)
    if not found.is_terminal:
        found = Console(**_AS_IT_IS, width=PIPE_WIDTH, soft_wrap=True)
    return found


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
    deliveries: Iterable[Delivery], width: int, names: Mapping[str, str] | None = None
) -> Table:
    """Draw a row a delivery. Its id is never cut: other commands are given it. `names` gives the
    friends' names by their uuids."""
    is_wide = width >= WIDE
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("id", overflow="fold")
    table.add_column("state", no_wrap=True)
    if is_wide:
        table.add_column("kind", no_wrap=True)
        table.add_column("tries", justify="right")
    table.add_column("late", justify="right", no_wrap=True)
    table.add_column("why", overflow="ellipsis", max_width=24, no_wrap=True)
    if is_wide:
        table.add_column("to", overflow="ellipsis", max_width=20, no_wrap=True)
        table.add_column("text", overflow="ellipsis", max_width=60, no_wrap=True)
    for one in deliveries:
        more = (one.kind, str(len(one.attempts)) if one.attempts else "") if is_wide else ()
        table.add_row(
            Text(clean(one.id)),
            Text(f"{mark_of(one.state)} {one.state}", colour_of(one.state)),
            *more,
            _late(one),
            one.reason or "",
            *((_to(one, names or {}), one_line(one.text or "")) if is_wide else ()),
        )
    return table


def _to(one: Delivery, names: Mapping[str, str]) -> str:
    return ", ".join(clean(names.get(receiver, receiver)) for receiver in one.to)


def _late(one: Delivery) -> str:
    # What is sent at once keeps no slot: its minute is a part of its name.
    is_late = one.delay_seconds is not None and not is_by_hand(one.id)
    return f"{one.delay_seconds:.1f} s" if is_late else ""


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
    out.print(deliveries_table(deliveries, out.width, names))
    out.print(f"{len(deliveries)} deliver{'y' if len(deliveries) == 1 else 'ies'}")


def print_delivery(delivery: Delivery) -> None:
    out = console()
    out.print(Text(delivery.id, "bold"))
    rows = [
        ("state", delivery.state + (f" ({delivery.reason})" if delivery.reason else "")),
        ("detail", detail_of(delivery)),
        ("slot", f"{delivery.slot:%Y-%m-%d %H:%M} KST, {delivery.kind}"),
        ("to", ", ".join(f"{n}: {r.state}" for n, r in delivery.targets.items())),
        (
            "next attempt",
            f"{delivery.next_attempt_at:%H:%M:%S}" if delivery.next_attempt_at else None,
        ),
        ("text", delivery.text),
    ]
    for name, value in rows:
        if value:
            out.print(Text(f"{name:>13}  {clean(value)}"))
    for attempt in delivery.attempts:
        sent = sent_words(attempt)
        ended = f"ended {attempt.ended_at:%H:%M:%S.%f}"[:-3] if attempt.ended_at else "no end known"
        out.print(
            f"\nattempt {attempt.number}: claimed {attempt.claimed_at:%H:%M:%S}, {sent}, {ended}"
        )
        for name, result in attempt.results.items():
            facts = [f"HTTP {result.http_status}" if result.http_status else None]
            facts += [
                f"code {result.code}" if result.code else None,
                result.reason,
                detail_of(result),
            ]
            said = ", ".join(str(fact) for fact in facts if fact)
            out.print(Text(f"  {clean(name)}: {result.state} {clean(said)}"))


@contextmanager
def progress(what: str, total: int, *, hidden: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; the function it gives takes what is done."""
    from rich.progress import Progress  # noqa: PLC0415 - few commands take long

    with Progress(console=Console(stderr=True), transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def print_parcel(name: str, made: Parcel | ContentError) -> None:
    """Show each part as a chat bubble, with its length and the JSON that Kakao would get."""
    out = console()
    if isinstance(made, ContentError):
        out.print(Text(f"{clean(name)}: cannot be made: {clean(str(made))}", "red"))
        return
    count = f", {len(made.parts)} parts" if len(made.parts) > 1 else ""
    out.print(Text(f"{clean(name)}{count}", "bold"))
    for part in made.parts:
        document = {key: _json_or_text(value) for key, value in part.fields.items()}
        words = document.get("template_object", {}).get("text") or made.text
        lines = "\n".join(clean(line) for line in words.split("\n"))
        out.print(Panel(Text(lines), width=min(BUBBLE_WIDTH, out.width)), soft_wrap=False)
        units = utf16_units(words)
        out.print(f"{counted(words)}{units} of {MAX_UTF16_UNITS} characters")
        out.print(Text(json.dumps(document, ensure_ascii=False, indent=2)))


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def print_slots(slots: Sequence[Coming]) -> None:
    table = Table(box=None, padding=(0, 1))
    for name in ("slot", "message", "kind", "why"):
        table.add_column(name, no_wrap=True)
    for one in slots:
        table.add_row(f"{one.at:%a %m-%d %H:%M}", clean(one.message), one.kind, clean(one.why))
    console().print(table)


def print_booked(slots: Sequence[Coming]) -> None:
    """List what was scheduled by hand, by the ids that `cancel` is given."""
    out = console()
    if not slots:
        out.print("Nothing is booked.")
        return
    table = Table(box=None, padding=(0, 1))
    table.add_column("time", no_wrap=True)
    table.add_column("id", overflow="fold")
    table.add_column("why", overflow="ellipsis", no_wrap=True)
    for one in slots:
        table.add_row(f"{one.at:%a %m-%d %H:%M}", clean(one.id), clean(one.why))
    out.print(table)


def print_rare(name: str, at: datetime | None, out: TextIO) -> None:
    """Say of a message that is not due within a year when it is, if ever."""
    when = f"its next slot is on {at:%Y-%m-%d (%a) %H:%M}" if at else "nor in the 40 after it"
    print(f"'{clean(name)}' has no slot within a year; {when}", file=out)


def print_friends(friends: Sequence[Friend], names: Mapping[str, str]) -> None:
    """List friends; `names` gives their names in [friends] by their uuids."""
    out = console()
    if not friends:
        out.print(
            "No friends are listed. A friend must have logged in to the same app, agreed to "
            "'friends', and be a member of it: console, [App] > [Members]"
        )
        return
    table = Table(box=None, padding=(0, 1))
    for title in ("uuid", "nickname", "messages", "name in [friends]"):
        table.add_column(title, no_wrap=True)
    for friend in friends:
        allowed = "allowed" if friend.is_allowed else "refused"
        name = clean(names.get(friend.uuid, ""))
        table.add_row(clean(friend.uuid), clean(friend.nickname), allowed, name)
    out.print(table)
    out.print('\nUse a uuid in to = ["…"], or give it a name: [friends] NAME = "uuid"')


SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red")}


def print_findings(findings: Sequence[Finding]) -> None:
    out = console()
    for finding in findings:
        sign, style = SIGNS[finding.status]
        out.print(Text.assemble((sign, style), f" {finding.name}: {one_line(finding.what)}"))
        if finding.mend:
            out.print(Text(f"    → {clean(finding.mend)}"))
    counts = {status: sum(f.status == status for f in findings) for status in SIGNS}
    out.print(f"{len(findings)} checks: {counts['fail']} to fix, {counts['warn']} to look at.")


def say_booked(delivery: Delivery, names: Mapping[str, str]) -> None:
    """Say on stderr how a one-off was understood, and how to take it back."""
    when = f"{delivery.slot:%Y-%m-%d (%a) %H:%M} KST"
    complain(
        f"To {_to(delivery, names)} on {when}. To take it back: kakaocron cancel {delivery.id}"
    )


def complain_of(done: ByHand, installation: Installation) -> int:
    """Say on stderr what went wrong with a manual send, if anything did; return the exit code.

    What waits for a tick where none runs has gone wrong too.
    """
    for error in done.down.values():
        complain(str(error))
    if not done.down and done.delivery.state in BAD:
        complain(sentence(done.delivery, installation.config.names()))
    if waits_in_vain(done.delivery, installation):
        return done.exit_code or 1
    return done.exit_code


NO_TICKS = "No tick runs here, so nothing sends it: kakaocron cron install (or now: kakaocron tick)"


def waits_in_vain(delivery: Delivery, installation: Installation) -> bool:
    """Say on stderr, and return, whether a delivery waits for a tick though none runs here."""
    waits = delivery.state in WAITING or (
        delivery.state is State.UNKNOWN and delivery.next_attempt_at is not None
    )
    if not waits or ticks_run(installation):
        return False
    complain(NO_TICKS)
    return True
