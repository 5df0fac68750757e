"""What people see in the terminal. The one importer of Rich."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from kakaocron.core.calendar import Slot
from kakaocron.core.ledger import Delivery, State
from kakaocron.demo import Day
from kakaocron.overview import Overview

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


def console() -> Console:
    """Return a console on stdout: no colour and no cut in a pipe."""
    found = Console(highlight=False)
    if not found.is_terminal:
        found = Console(highlight=False, width=200, soft_wrap=True)
    return found


def print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))


def clean(text: str) -> str:
    """Make text from outside harmless to a terminal: no control characters, no markup."""
    return "".join(c if c.isprintable() else "·" for c in text)


def sentence(delivery: Delivery) -> str:
    """Say in one line how a delivery ended badly, and what to do."""
    what = f"'{delivery.message}' of {delivery.slot:%Y-%m-%d %H:%M}"
    why = f"{delivery.reason}" + (f": {clean(delivery.detail)}" if delivery.detail else "")
    if delivery.state is State.UNKNOWN:
        return (
            f"Nobody can know whether {what} arrived ({why}). Look at the chat, then: "
            f"kakaocron resolve {delivery.id} --delivered (or --not-delivered)"
        )
    verb = "Missed" if delivery.state is State.MISSED else "Failed:"
    return f"{verb} {what} ({why}). To send it anyway: kakaocron retry {delivery.id}"


def deliveries_table(deliveries: Iterable[Delivery], title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1), expand=False)
    table.add_column("slot", no_wrap=True)
    table.add_column("message", overflow="ellipsis", max_width=18, no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("tries", justify="right")
    table.add_column("late", justify="right", no_wrap=True)
    table.add_column("why", overflow="ellipsis", max_width=24, no_wrap=True)
    for one in deliveries:
        table.add_row(
            f"{one.slot:%m-%d %H:%M}",
            escape(clean(one.message)),
            one.kind,
            Text(one.state, COLOURS[one.state]),
            str(len(one.attempts)) if one.attempts else "",
            "" if one.delay_seconds is None else f"{one.delay_seconds:.1f} s",
            one.reason or "",
        )
    return table


def print_overview(overview: Overview) -> None:
    out = console()
    out.print(deliveries_table(overview.deliveries, f"Today, {overview.now:%Y-%m-%d}"))
    if not overview.deliveries:
        out.print("No slot has come due today.")
    stats = overview.stats
    rate = "–" if stats.success_rate is None else f"{stats.success_rate:.1%}"
    out.print(
        f"\n{stats.total_scheduled} slots today · {stats.total_confirmed} confirmed · "
        f"{stats.total_failed} failed · {stats.total_unknown} unknown · "
        f"{stats.total_missed} missed · {overview.scheduled_count} to come · success {rate}"
    )
    if stats.delay_p50_seconds is not None:
        out.print(
            f"lateness p50 {stats.delay_p50_seconds:.3f} s · p99 {stats.delay_p99_seconds:.3f} s"
        )
    for slot in (overview.next_regular, overview.next_peak):
        if slot is not None:
            out.print(f"next {slot.kind} slot: {slot.at:%m-%d %H:%M} ({_left(overview.now, slot)})")
    out.print(_token_line(overview))
    out.print(_tick_line(overview))
    for one in overview.deliveries:
        if one.state is State.UNKNOWN:
            out.print(Text(sentence(one), COLOURS[State.UNKNOWN]))


def _left(now: datetime, slot: Slot) -> str:
    minutes = max(0, int((slot.at - now).total_seconds() // 60))
    return f"in {minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"in {minutes} min"  # noqa: PLR2004


def _token_line(overview: Overview) -> str:
    tokens = overview.tokens
    if tokens.access_expires_at is None:
        return "token: none saved"
    until = f"token: good until {tokens.access_expires_at:%m-%d %H:%M}"
    if tokens.refresh_expires_at:
        days = (tokens.refresh_expires_at - overview.now).days
        until += f", login for {days} more days"
    return until


def _tick_line(overview: Overview) -> str:
    if overview.last_tick is None:
        return "last tick: none seen. Is cron set up? See: crontab.example"
    ago = int((overview.now - overview.last_tick).total_seconds())
    word = "" if overview.is_running else " - cron does not seem to run kakaocron"
    return f"last tick: {overview.last_tick:%m-%d %H:%M:%S} ({ago} s ago){word}"


def print_deliveries(deliveries: Sequence[Delivery]) -> None:
    out = console()
    out.print(deliveries_table(deliveries))
    out.print(f"{len(deliveries)} deliveries")


def print_delivery(delivery: Delivery) -> None:
    out = console()
    out.print(Text(delivery.id, "bold"))
    rows = [
        ("state", delivery.state + (f" ({delivery.reason})" if delivery.reason else "")),
        ("detail", delivery.detail),
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
        sent = f"sent {attempt.sent_at:%H:%M:%S.%f}"[:-3] if attempt.sent_at else "nothing sent"
        ended = f"ended {attempt.ended_at:%H:%M:%S.%f}"[:-3] if attempt.ended_at else "no end known"
        out.print(
            f"\nattempt {attempt.number}: claimed {attempt.claimed_at:%H:%M:%S}, {sent}, {ended}"
        )
        for name, result in attempt.results.items():
            facts = [f"HTTP {result.http_status}" if result.http_status else None]
            facts += [f"code {result.code}" if result.code else None, result.reason, result.detail]
            said = ", ".join(str(fact) for fact in facts if fact)
            out.print(Text(f"  {clean(name)}: {result.state} {clean(said)}"))


def _clock(moment: datetime | None) -> str | None:
    return f"{moment:%H:%M:%S.%f}"[:-3] if moment else None


@contextmanager
def progress(what: str, total: int, *, hidden: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; the function it gives takes what is done."""
    with Progress(console=Console(stderr=True), transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def print_day(day: Day) -> None:
    out = console()
    print_overview(day.overview)
    found = day.verdict
    states = ", ".join(f"{count} {state}" for state, count in sorted(found.by_state.items()))
    table = Table(title="\nCounted at the receiver", title_justify="left", box=None)
    rows = [
        ("slots due", found.due, found.due),
        ("in a final state", found.final, found.due),
        ("delivered", found.delivered, None),
        ("duplicates", found.duplicates, 0),
        ("silently lost", found.lost, 0),
        ("falsely confirmed", found.falsely_confirmed, 0),
        ("too early or too late", found.early_or_late, 0),
    ]
    for name, count, wanted in rows:
        style = "" if wanted is None else "green" if count == wanted else "bold red"
        table.add_row(name, Text(str(count), style))
    out.print(table)
    out.print(f"The ledger says: {states}.")
    kept = "The promises held" if found.holds else "A PROMISE WAS BROKEN"
    out.print(f"{kept}: 1,440 ticks with faults in {day.seconds:.1f} s.")


def print_slots(slots: Sequence[tuple[Slot, str]]) -> None:
    table = Table(box=None, padding=(0, 1))
    for name in ("slot", "message", "kind", "why"):
        table.add_column(name, no_wrap=True)
    for slot, why in slots:
        table.add_row(f"{slot.at:%a %m-%d %H:%M}", escape(slot.message), slot.kind, why)
    console().print(table)
