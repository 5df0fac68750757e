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
from kakaocron.kakao.causes import named
from kakaocron.language.words import _, ngettext
from kakaocron.ledger.beats import Word
from kakaocron.ledger.deliveries import Attempt
from kakaocron.ledger.stats import DayReport, Receipts, Report
from kakaocron.show.columns import to_the_right
from kakaocron.show.console import COLOURS, colour_of, console, deliveries_table, mark_of
from kakaocron.states import State, first_to_look_at
from kakaocron.text.causes import Templates, in_words
from kakaocron.text.plain import clean, in_percent
from kakaocron.watching.explain import Explanation, MessageExplanation
from kakaocron.watching.overview import HostState, LoginState, Overview
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
        Text(_("Today, {now:%Y-%m-%d}  (now {now:%H:%M:%S} KST)").format(now=overview.now), "bold"),
        *strip(overview, min(width, WIDTH)),
        Text(),
    ]
    if hidden:
        parts.append(
            Text(
                _("{hidden} not shown here: kakaocron history --days 1").format(hidden=hidden),
                "dim",
            )
        )
    if shown:
        parts.append(deliveries_table(shown, width, names))
    elif not hidden:
        parts.append(Text(_("No slot has come due today.")))
    parts += [Text(), *_totals(overview), *_ahead(overview)]
    parts += [
        Text(named(account, _token_words(login, overview.now)))
        for account, login in overview.logins.items()
    ]
    parts.append(_tick_words(overview))
    parts += [Text(_host_words(one, overview.now)) for one in overview.hosts or ()]
    return Group(*parts, *(_held(overview) if with_advice else []))


def _held(overview: Overview) -> Iterator[Text]:
    """Name the command that settles each delivery of which nobody knows whether it arrived."""
    held = overview.held
    if held:
        words = _("Nobody can know whether these arrived. Look at the chat, then settle each:")
        yield Text(f"\n{words}", COLOURS[State.UNKNOWN])
    for one in held[:MOST_HELD]:
        yield Text(resolve_command(one.id))
    if len(held) > MOST_HELD:
        more = _("… and {count} more").format(count=len(held) - MOST_HELD)
        yield Text(f"{more}: kakaocron history --days 2 --state unknown")


def strip(overview: Overview, width: int) -> list[Text]:
    """Draw the day as a line with a mark a slot (an hour, where they are too many), above it the
    hours, below it what the marks mean."""
    marks, unit = _marks(overview), ""
    if len(marks) > width:
        marks, unit = _by_hour(marks), _("  (a mark an hour: the worst of it)")
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
    legend = "  ".join(f"{mark_of(state)} {state.spoken}" for state in seen) + unit
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
    others = "".join(
        _("{count} {state}, ").format(count=number, state=state.spoken)
        for state, number in sorted(overview.others.items())
    )
    said = ngettext(
        "{count} slot today: {confirmed} confirmed, {failed} failed, {unknown} unknown, "
        "{missed} missed, {others}{to_come} to come",
        "{count} slots today: {confirmed} confirmed, {failed} failed, {unknown} unknown, "
        "{missed} missed, {others}{to_come} to come",
        count,
    )
    yield Text(
        said.format(
            count=count,
            confirmed=slots.confirmed,
            failed=slots.failed,
            unknown=slots.unknown,
            missed=slots.missed,
            others=others,
            to_come=overview.scheduled_count,
        )
    )
    beside = [_("{count} paused").format(count=paused)] if paused else []
    beside += [
        _("{count} {state} by hand").format(count=number, state=state.spoken)
        for state, number in sorted(by_hand.items())
    ]
    if beside:
        yield Text(_("besides: {facts}").format(facts=", ".join(beside)))
    said = _("success {success}, on schedule {accuracy}, lateness p50 {half}, p99 {most}")
    yield Text(
        said.format(
            success=_percent(stats.success_rate),
            accuracy=_percent(stats.schedule_accuracy),
            half=_seconds(stats.delay_p50_seconds),
            most=_seconds(stats.delay_p99_seconds),
        )
    )
    if overview.receipts:
        yield Text(_receipts(overview.receipts))
    if overview.unseen:
        count, first = len(overview.unseen), clean(overview.unseen[0].id)
        yield Text(
            _("{count} that no tick has handled: kakaocron explain {first}").format(
                count=count, first=first
            ),
            "yellow",
        )


def _receipts(receipts: Receipts) -> str:
    fields = receipts.fields()
    said = _(
        "receipts: {accepted} accepted, {delivered} delivered, {undelivered} undelivered, "
        "{waiting} waiting, time to receipt p50 {half}, p99 {most}"
    )
    return said.format(
        **fields,
        half=_seconds(fields["receipt_p50_seconds"]),
        most=_seconds(fields["receipt_p99_seconds"]),
    )


def _ahead(overview: Overview) -> Iterator[Text]:
    for pause in overview.pauses:
        what = _("all messages") if pause.message is None else clean(pause.message)
        resume = f"kakaocron resume {clean(pause.message or '')}".strip()
        until = (
            _("until {until:%Y-%m-%d %H:%M}").format(until=pause.until)
            if pause.until
            else _("until: {resume}").format(resume=resume)
        )
        yield Text(_("paused: {what} {until}").format(what=what, until=until), "yellow")
    following = {(one.at, one.message, one.kind) for one in overview.following}
    slots = (overview.next_regular, overview.next_peak)
    following |= {(slot.at, slot.message, slot.kind) for slot in slots if slot is not None}
    for at, message, kind in sorted(following):
        left = _span(at - overview.now)
        yield Text(
            _("next: {at:%m-%d %H:%M} {message} ({kind}) in {left}").format(
                at=at, message=clean(message), kind=_(kind), left=left
            )
        )


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return _("{days} d {hours} h").format(days=days, hours=hours)
    if hours and not minutes % 60:
        return _("{hours} h").format(hours=hours)
    if hours:
        return _("{hours} h {minutes:02d} min").format(hours=hours, minutes=minutes % 60)
    if minutes:
        return _("{minutes} min").format(minutes=minutes)
    return _("{seconds} s").format(seconds=seconds)


def _percent(share: float | None) -> str:
    return "–" if share is None else in_percent(share)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else _("{seconds:.3f} s").format(seconds=seconds)


def _token_words(login: LoginState, now: datetime) -> str:
    tokens = login.tokens
    if login.problem:
        return _("login: {problem}").format(problem=login.problem)
    if tokens.access_expires_at is None:
        given = _("no access token saved yet")
        if tokens.access_token:
            given = _("KAKAO_ACCESS_TOKEN, which nobody renews")
        return _("login: {given}").format(given=given)
    if tokens.access_expires_at <= now:
        words = _("login: access token expired, the next tick renews it")
    else:
        words = _("login: access token for {span}").format(
            span=_span(tokens.access_expires_at - now)
        )
    if tokens.refresh_expires_at:
        words += _(", login for {span}").format(span=_span(tokens.refresh_expires_at - now))
    return words


def _host_words(host: HostState, now: datetime) -> str:
    return _("host {name}: last tick {ago} ago, clock {offset:+.1f} s, {count} sent today").format(
        name=host.name,
        ago=_span(now - host.last_tick),
        offset=host.clock_offset_seconds,
        count=host.sent_today,
    )


def _tick_words(overview: Overview) -> Text:
    if overview.last_tick is None:
        return Text(_("last tick: none seen. Is cron set up? See: kakaocron doctor"), "bold red")
    ago = _span(overview.now - overview.last_tick)
    words = _("last tick: {last_tick:%m-%d %H:%M:%S} ({ago} ago)").format(
        last_tick=overview.last_tick, ago=ago
    )
    if overview.is_running:
        return Text(words)
    return Text(_("{words} - cron does not seem to run kakaocron").format(words=words), "bold red")


def print_explanation(explanation: Explanation) -> None:
    out = console()
    out.print(Text(_("{at:%Y-%m-%d %H:%M} KST").format(at=explanation.at), "bold"))
    for found in explanation.messages:
        out.print(_message(found))
    out.print(_row(_("ticks"), _tick_list(explanation)))


# What a heartbeat says of its tick.
_BEATS: Templates = {
    Word.START: "start",
    Word.IDLE: "idle",
    Word.DONE: "done",
    Word.FAIL: "fail",
    Word.RESET: "reset",
}


def _tick_list(explanation: Explanation) -> str:
    if explanation.at > explanation.now:
        return _("not yet")
    if explanation.gap_words:
        return explanation.gap_words
    ticks = ", ".join(
        f"{beat.at:%H:%M:%S} {_(_BEATS[beat.word])}"
        + (f" {beat.host}" if beat.host else "")
        + (_(" (exit {exit_code})").format(exit_code=beat.exit_code) if beat.exit_code else "")
        for beat in explanation.ticks
    )
    return ticks or _("none began in this minute")


def _row(name: str, value: str, style: str = "") -> Text:
    return Text(f"{to_the_right(name, 9)}  {clean(value)}", style)


def _message(found: MessageExplanation) -> Group:
    is_expected = _("yes") if found.is_expected else _("no")
    rows = [_row(_("expected"), f"{is_expected}, {found.id or found.why}")]
    if found.message and not found.is_expected:
        rows.append(_row(_("message"), found.message))
    if found.state:
        mark = f"{mark_of(found.state)} {found.state.beside}"
        rows.append(_row(_("state"), mark, colour_of(found.state)))
    if found.reason:
        rows.append(_row(_("reason"), found.reason.beside))
    if found.is_expected or found.id:
        rows.append(_row(_("why"), found.why))
    if found.delivery:
        if detail := detail_of(found.delivery):
            rows.append(_row(_("detail"), detail))
        rows += [_row(_("attempt"), _attempt(one)) for one in found.delivery.attempts]
        if found.delivery.read:
            rows.append(_row(_("data"), in_words(found.delivery.read)))
    rows.append(_row(_("next"), found.what_next))
    return Group(*rows)


def _attempt(attempt: Attempt) -> str:
    sent = sent_words(attempt)
    parts = [
        _("{number}: claimed {claimed_at:%H:%M:%S}").format(
            number=attempt.number, claimed_at=attempt.claimed_at
        ),
        sent,
    ]
    for name, result in attempt.results.items():
        facts = [
            result.reason.beside if result.reason else None,
            f"HTTP {result.http_status}" if result.http_status else None,
        ]
        facts += [_("code {code}").format(code=result.code) if result.code else None]
        said = ", ".join(str(fact) for fact in facts if fact)
        parts.append(f"{name} {result.state.spoken}" + (f" ({said})" if said else ""))
    if not attempt.results:
        parts.append(_("no end known"))
    return ", ".join(parts)


# What is counted of some days, by the keys of `report --json`.
_COUNTED: Templates = {
    "due": "due",
    "sent": "sent",
    "confirmed": "confirmed",
    "late": "late",
    "failed": "failed",
    "unknown": "unknown",
    "missed": "missed",
}


def print_report(report: Report) -> None:
    out = console()
    if not report.days:
        out.print(_("The ledger holds nothing of these days."))
        return
    first, last = report.days[0].day, report.days[-1].day
    count = len(report.days)
    said = ngettext("{count} day with slots", "{count} days with slots", count)
    days = said.format(count=count)
    out.print(
        Text(_("{first} to {last}, {days}").format(first=first, last=last, days=days), "bold")
    )
    fields = report.fields()
    for name, words in _COUNTED.items():
        share = f"{fields[name] / fields['due']:8.2%}" if fields["due"] else ""
        out.print(Text(f"{to_the_right(_(words), 10)} {fields[name]:7} {share}"))
    said = _("  lateness p50 {half}, p99 {most}")
    out.print(
        Text(
            said.format(
                half=_seconds(fields["delay_p50_seconds"]),
                most=_seconds(fields["delay_p99_seconds"]),
            )
        )
    )
    if report.receipts:
        out.print(Text(f"  {_receipts(report.receipts)}"))
    bad = report.bad_days
    out.print(_bad_days(bad[:MOST_BAD_DAYS]) if bad else Text(_("No bad day.")))
    if len(bad) > MOST_BAD_DAYS:
        out.print(
            _("… and {count} more, none worse; --json has them all").format(
                count=len(bad) - MOST_BAD_DAYS
            )
        )


def _bad_days(days: Sequence[DayReport]) -> Table:
    table = Table(title=_("\nThe bad days"), title_justify="left", box=None, padding=(0, 1))
    table.add_column(_("day"), no_wrap=True)
    names = ("due", "late", "failed", "unknown", "missed")
    for name in names:
        table.add_column(_(_COUNTED[name]), justify="right", overflow="fold")
    for day in days:
        table.add_row(day.day.isoformat(), *(str(getattr(day, name) or "") for name in names))
    return table
