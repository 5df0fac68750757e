"""The day, a minute and weeks, drawn for a terminal: readable at 80 columns and without colour."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from kakaocron.delivery.orders import resolve_command
from kakaocron.kakao.channel import named
from kakaocron.ledger.deliveries import Attempt
from kakaocron.ledger.stats import DayReport, Report
from kakaocron.show.console import COLOURS, colour_of, console, deliveries_table, mark_of
from kakaocron.states import State, first_to_look_at
from kakaocron.text.plain import clean, in_percent
from kakaocron.watching.explain import Explanation, MessageExplanation
from kakaocron.watching.overview import LoginState, Overview
from kakaocron.watching.sentences import detail_of, sent_words

WIDTH = 80
REDRAW_SECONDS = 2.0
MOST_HELD = 5
MOST_BAD_DAYS = 30


def print_overview(overview: Overview, names: Mapping[str, str] | None = None) -> None:
    out = console()
    out.print(overview_picture(overview, _width(out), names=names))


def _width(out: Console) -> int:
    """Return the columns to fill: those of a wide terminal, and no more than usual in a pipe."""
    return out.width if out.is_terminal else min(out.width, WIDTH)


def watch(look: Callable[[], Overview], names: Mapping[str, str] | None = None) -> None:
    """Redraw the overview in place until interrupted; where that cannot be, print it once."""
    from rich.live import Live  # noqa: PLC0415 - most looks are one

    out = console()
    if not out.is_terminal or out.is_dumb_terminal:
        print_overview(look(), names)
        return
    with Live(console=out, screen=True, auto_refresh=False) as live:
        while True:
            live.update(_fitting(out, look(), names), refresh=True)
            time.sleep(REDRAW_SECONDS)


def _fitting(out: Console, overview: Overview, names: Mapping[str, str] | None) -> RenderableType:
    """Draw as many of the newest deliveries as leave room for all the rest."""

    def picture(rows: int) -> RenderableType:
        return overview_picture(overview, _width(out), rows, names=names)

    def height(rows: int) -> int:
        return len(out.render_lines(picture(rows), out.options.update(height=None)))

    return picture(bisect_right(range(1, len(overview.day) + 1), out.height, key=height))


def overview_picture(
    overview: Overview,
    width: int,
    rows: int | None = None,
    *,
    with_advice: bool = True,
    names: Mapping[str, str] | None = None,
) -> RenderableType:
    """Draw today; with `rows`, only so many of the newest deliveries."""
    day = overview.day
    hidden = 0 if rows is None else max(0, len(day) - rows)
    shown = day[hidden:]
    parts: list[RenderableType] = [
        Text(f"Today, {overview.now:%Y-%m-%d}  (now {overview.now:%H:%M:%S} KST)", "bold"),
        *strip(overview, min(width, WIDTH)),
        Text(),
    ]
    if hidden:
        parts.append(Text(f"{hidden} not shown here: kakaocron history --days 1", "dim"))
    if shown:
        parts.append(deliveries_table(shown, width, names))
    elif not hidden:
        parts.append(Text("No slot has come due today."))
    parts += [Text(), *_totals(overview), *_ahead(overview)]
    parts += [
        Text(named(account, _token_words(login, overview.now)))
        for account, login in overview.logins.items()
    ]
    parts.append(_tick_words(overview))
    return Group(*parts, *(_held(overview) if with_advice else []))


def _held(overview: Overview) -> Iterator[Text]:
    """Name the command that settles each delivery of which nobody knows whether it arrived."""
    held = overview.held
    if held:
        words = "Nobody can know whether these arrived. Look at the chat, then settle each:"
        yield Text(f"\n{words}", COLOURS[State.UNKNOWN])
    for one in held[:MOST_HELD]:
        yield Text(resolve_command(one.id))
    if len(held) > MOST_HELD:
        more = f"… and {len(held) - MOST_HELD} more"
        yield Text(f"{more}: kakaocron history --days 2 --state unknown")


def strip(overview: Overview, width: int) -> list[Text]:
    """Draw the day as a line with a mark a slot (an hour, where they are too many), above it the
    hours, below it what the marks mean."""
    marks, unit = _marks(overview), ""
    if len(marks) > width:
        marks, unit = _by_hour(marks), "  (a mark an hour: the worst of it)"
    line, hours = Text(no_wrap=True), [" "] * width
    seen: dict[State, None] = {}
    for column, (at, state) in enumerate(marks):
        line.append(mark_of(state), colour_of(state))
        seen.setdefault(state)
        label = f"{at:%H}"
        is_new_hour = column == 0 or marks[column - 1][0].hour != at.hour
        room = hours[max(0, column - 1) : column + 3]
        if is_new_hour and column + 2 <= width and set(room) == {" "}:
            hours[column : column + 2] = label
    legend = "  ".join(f"{mark_of(state)} {state}" for state in seen) + unit
    return [Text("".join(hours).rstrip(), "dim"), line, Text(legend, "dim")] if marks else []


def _marks(overview: Overview) -> list[tuple[datetime, State]]:
    states: dict[datetime, State] = {}
    known = [(one.slot, one.state) for one in overview.day]
    for at, state in [*known, *((slot.at, State.SCHEDULED) for slot in overview.upcoming)]:
        states[at] = first_to_look_at(states.get(at, state), state)
    return sorted(states.items())


def _by_hour(marks: Iterable[tuple[datetime, State]]) -> list[tuple[datetime, State]]:
    hours: dict[datetime, State] = {}
    for at, state in marks:
        hour = at.replace(minute=0)
        hours[hour] = first_to_look_at(hours.get(hour, state), state)
    return list(hours.items())


def _totals(overview: Overview) -> Iterator[Text]:
    stats, slots = overview.stats, overview.slots
    by_hand, paused = overview.by_hand, overview.paused
    count = stats.total_scheduled - sum(by_hand.values()) - paused
    others = "".join(f"{number} {state}, " for state, number in sorted(overview.others.items()))
    yield Text(
        f"{count} slot{'' if count == 1 else 's'} today: {slots.confirmed} confirmed, "
        f"{slots.failed} failed, {slots.unknown} unknown, "
        f"{slots.missed} missed, {others}{overview.scheduled_count} to come"
    )
    beside = [f"{paused} paused"] if paused else []
    beside += [f"{number} {state} by hand" for state, number in sorted(by_hand.items())]
    if beside:
        yield Text(f"besides: {', '.join(beside)}")
    yield Text(
        f"success {_percent(stats.success_rate)}, on schedule {_percent(stats.schedule_accuracy)}, "
        f"lateness p50 {_seconds(stats.delay_p50_seconds)}, "
        f"p99 {_seconds(stats.delay_p99_seconds)}"
    )
    if overview.unseen:
        count, first = len(overview.unseen), clean(overview.unseen[0].id)
        yield Text(f"{count} that no tick has handled: kakaocron explain {first}", "yellow")


def _ahead(overview: Overview) -> Iterator[Text]:
    for pause in overview.pauses:
        what = "all messages" if pause.message is None else clean(pause.message)
        resume = f"kakaocron resume {clean(pause.message or '')}".strip()
        until = f"until {pause.until:%Y-%m-%d %H:%M}" if pause.until else f"until: {resume}"
        yield Text(f"paused: {what} {until}", "yellow")
    following = {(one.at, one.message, one.kind) for one in overview.following}
    slots = (overview.next_regular, overview.next_peak)
    following |= {(slot.at, slot.message, slot.kind) for slot in slots if slot is not None}
    for at, message, kind in sorted(following):
        left = _span(at - overview.now)
        yield Text(f"next: {at:%m-%d %H:%M} {clean(message)} ({kind}) in {left}")


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _percent(share: float | None) -> str:
    return "–" if share is None else in_percent(share)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.3f} s"


def _token_words(login: LoginState, now: datetime) -> str:
    tokens = login.tokens
    if login.problem:
        return f"login: {login.problem}"
    if tokens.access_expires_at is None:
        given = "KAKAO_ACCESS_TOKEN, which nobody renews"
        return f"login: {given if tokens.access_token else 'no access token saved yet'}"
    if tokens.access_expires_at <= now:
        words = "login: access token expired, the next tick renews it"
    else:
        words = f"login: access token for {_span(tokens.access_expires_at - now)}"
    if tokens.refresh_expires_at:
        words += f", login for {_span(tokens.refresh_expires_at - now)}"
    return words


def _tick_words(overview: Overview) -> Text:
    if overview.last_tick is None:
        return Text("last tick: none seen. Is cron set up? See: kakaocron doctor", "bold red")
    ago = _span(overview.now - overview.last_tick)
    words = f"last tick: {overview.last_tick:%m-%d %H:%M:%S} ({ago} ago)"
    if overview.is_running:
        return Text(words)
    return Text(f"{words} - cron does not seem to run kakaocron", "bold red")


def print_explanation(explanation: Explanation) -> None:
    out = console()
    out.print(Text(f"{explanation.at:%Y-%m-%d %H:%M} KST", "bold"))
    for found in explanation.messages:
        out.print(_message(found))
    out.print(_row("ticks", _tick_list(explanation)))


def _tick_list(explanation: Explanation) -> str:
    if explanation.at > explanation.now:
        return "not yet"
    if explanation.gap_words:
        return explanation.gap_words
    ticks = ", ".join(
        f"{beat.at:%H:%M:%S} {beat.word}" + (f" (exit {beat.exit_code})" if beat.exit_code else "")
        for beat in explanation.ticks
    )
    return ticks or "none began in this minute"


def _row(name: str, value: str, style: str = "") -> Text:
    return Text(f"{name:>9}  {clean(value)}", style)


def _message(found: MessageExplanation) -> Group:
    rows = [_row("expected", f"{'yes' if found.is_expected else 'no'}, {found.id or found.why}")]
    if found.message and not found.is_expected:
        rows.append(_row("message", found.message))
    if found.state:
        mark = f"{mark_of(found.state)} {found.state}"
        rows.append(_row("state", mark, colour_of(found.state)))
    if found.reason:
        rows.append(_row("reason", found.reason))
    if found.is_expected or found.id:
        rows.append(_row("why", found.why))
    if found.delivery:
        if detail := detail_of(found.delivery):
            rows.append(_row("detail", detail))
        rows += [_row("attempt", _attempt(one)) for one in found.delivery.attempts]
    rows.append(_row("next", found.what_next))
    return Group(*rows)


def _attempt(attempt: Attempt) -> str:
    sent = sent_words(attempt)
    parts = [f"{attempt.number}: claimed {attempt.claimed_at:%H:%M:%S}", sent]
    for name, result in attempt.results.items():
        facts = [result.reason, f"HTTP {result.http_status}" if result.http_status else None]
        facts += [f"code {result.code}" if result.code else None]
        said = ", ".join(str(fact) for fact in facts if fact)
        parts.append(f"{name} {result.state}" + (f" ({said})" if said else ""))
    if not attempt.results:
        parts.append("no end known")
    return ", ".join(parts)


def print_report(report: Report) -> None:
    out = console()
    if not report.days:
        out.print("The ledger holds nothing of these days.")
        return
    first, last = report.days[0].day, report.days[-1].day
    count = len(report.days)
    days = f"{count} day{'s' if count > 1 else ''} with slots"
    out.print(Text(f"{first} to {last}, {days}", "bold"))
    fields = report.fields()
    for name in ("due", "sent", "confirmed", "late", "failed", "unknown", "missed"):
        share = f"{fields[name] / fields['due']:8.2%}" if fields["due"] else ""
        out.print(Text(f"{name:>10} {fields[name]:7} {share}"))
    out.print(
        Text(
            f"  lateness p50 {_seconds(fields['delay_p50_seconds'])}, "
            f"p99 {_seconds(fields['delay_p99_seconds'])}"
        )
    )
    bad = report.bad_days
    out.print(_bad_days(bad[:MOST_BAD_DAYS]) if bad else Text("No bad day."))
    if len(bad) > MOST_BAD_DAYS:
        out.print(f"… and {len(bad) - MOST_BAD_DAYS} more, none worse; --json has them all")


def _bad_days(days: Sequence[DayReport]) -> Table:
    table = Table(title="\nThe bad days", title_justify="left", box=None, padding=(0, 1))
    table.add_column("day", no_wrap=True)
    names = ("due", "late", "failed", "unknown", "missed")
    for name in names:
        table.add_column(name, justify="right")
    for day in days:
        table.add_row(day.day.isoformat(), *(str(getattr(day, name) or "") for name in names))
    return table
