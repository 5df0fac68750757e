"""What a person sees of a rehearsal: the demo's day, and a simulation of his or her own plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from kakaocron.config.schema import Config
from kakaocron.kst import DAY
from kakaocron.language.words import _, marked, ngettext
from kakaocron.rehearsal.simulation.world import HistoryResult, SoFar
from kakaocron.schedule.slots import count_of_day
from kakaocron.show.console import console
from kakaocron.show.pictures import WIDTH, overview_picture
from kakaocron.text.plain import clean

if TYPE_CHECKING:
    from kakaocron.rehearsal.demo import DemoDay

MINUTES_A_DAY = 24 * 60
A_MONDAY = date(2026, 11, 23)
ON_PURPOSE = marked(
    "What fails below fails on purpose: requests refused, cut off and unanswered, a tick killed,\n"
    "a host asleep, two crons at once. The demo shows what becomes of the messages then.\n"
)


def print_day(day: DemoDay) -> None:
    out = console()
    out.print(_(ON_PURPOSE))
    # What settles a held delivery is left out: the demo's ledger is gone by now.
    out.print(overview_picture(day.overview, min(out.width, WIDTH), with_advice=False))
    found = day.verdict
    states = ", ".join(
        _("{count} {state}").format(count=count, state=_(state))
        for state, count in sorted(found.by_state.items())
    )
    table = Table(title=_("\nCounted at the receiver"), title_justify="left", box=None)
    rows = [
        (_("slots due"), found.due, found.due),
        (_("in a final state"), found.final, found.due),
        (_("delivered"), found.delivered, None),
        (_("  of these unproven"), found.delivered - found.confirmed, None),
        (_("duplicates"), found.duplicates, 0),
        (_("silently lost"), found.lost, 0),
        (_("falsely confirmed"), found.falsely_confirmed, 0),
        (_("too early or too late"), found.early_or_late, 0),
    ]
    for name, count, wanted in rows:
        style = "" if wanted is None else "green" if count == wanted else "bold red"
        table.add_row(name, Text(str(count), style))
    out.print(table)
    said = _("The ledger says: {states}. What is unknown was held, and not sent twice.")
    out.print(said.format(states=states))
    kept = _("The promises held") if found.holds else _("A PROMISE WAS BROKEN")
    said = _("{kept}: 1,440 ticks with faults in {seconds:.1f} s.")
    out.print(said.format(kept=kept, seconds=day.seconds))


def print_plan(config: Config, days: int) -> None:
    """Say at once what is about to be tried."""
    week = [A_MONDAY + n * DAY for n in range(7)]
    tried = {message.name for message in config.message if message.slots}
    counts = {
        one.name: sum(count_of_day(one.timetable, day) for day in week) / 7
        for one in config.series()
        if one.name in tried
    }
    each = ", ".join(f"{clean(name)} {count:.3g}" for name, count in counts.items())
    print(_("This plan sends so many a day: {each}.").format(each=each))
    said = ngettext(
        "{days} day of it is played on a bad machine: power, disk, network, clock and cron fail.",
        "{days} days of it are played on a bad machine: power, disk, network, clock and cron fail.",
        days,
    )
    print(said.format(days=days))
    print(_("Nothing is sent to anybody."), flush=True)


@contextmanager
def drawn_progress(days: int) -> Iterator[Callable[[SoFar], None]]:
    """Draw how far it has come, if the errors go to a terminal; the results may go elsewhere."""
    out = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[found]}"),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as drawn:
        task = drawn.add_task("", total=days * MINUTES_A_DAY, found="")

        def show(so_far: SoFar) -> None:
            day = min(days, so_far.minutes // MINUTES_A_DAY + 1)
            found = _("{mishaps} mishaps, {messages} messages arrived").format(
                mishaps=so_far.mishaps, messages=so_far.messages
            )
            said = _("day {day} of {days}").format(day=day, days=days)
            drawn.update(task, completed=so_far.minutes, description=said, found=found)

        yield show


def print_verdict(outcome: HistoryResult) -> None:
    """Say what became of the plan's slots, and whether the promises hold for it."""
    said = _("\n{mishaps:,} mishaps, {ticks:,} ticks. What became of each message:")
    print(said.format(mishaps=outcome.mishaps, ticks=outcome.ticks))
    for message in sorted({name for name, *_rest in outcome.ends}):
        print(f"  {clean(message)}: {_ends_of(outcome, message)}")
    for breach in outcome.breaches:
        print(_("BROKEN: {breach}").format(breach=breach))
    if outcome.stopped_at_the_write:
        late = _(
            "sent out of time by a process stopped between its last look at the clock and the "
            "write, which no program can avoid"
        )
        print(f"{outcome.stopped_at_the_write} {late}")
    command = f"kakaocron simulate --seed {{}} --days {outcome.minutes // MINUTES_A_DAY}"
    if outcome.breaches:
        said = _("This plan broke a promise. To see it again: {command}")
        print(said.format(command=command.format(outcome.seed)))
        return
    print(
        _(
            "No message of this plan went twice, and none was lost that could have been sent;\n"
            "none left early or past its expiry, and each slot has an end and its reason."
        )
    )
    said = _("The promises hold for it. On another bad machine: {command}")
    print(said.format(command=command.format(outcome.seed + 1)))


def _ends_of(outcome: HistoryResult, message: str) -> str:
    """Say how many slots of a message ended how, and why they were not confirmed."""
    states: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for (name, state, reason), count in outcome.ends.items():
        if name == message:
            states[state] += count
            if reason:
                reasons.setdefault(state, Counter())[reason] += count
    parts = []
    for state, count in states.most_common():
        known = reasons.get(state, Counter()).most_common()
        why = ", ".join(f"{_(reason)} {number}" for reason, number in known)
        parts.append(f"{_(state)} {count}" + (f" ({why})" if why else ""))
    return ", ".join(parts)
