"""A summary as a message: which days it is of, and what it says of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal

from msgspec import Struct

from kakaocron.kst import DAY, KST, weekday
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.stats import PUNCTUAL_SECONDS, is_planned
from kakaocron.states import BAD, LOOK_FIRST, State, place_of
from kakaocron.text.plain import utf16_units
from kakaocron.text.splitting import truncated

PeriodKind = Literal["day", "week", "month"]

# A summary in the morning is of what has just ended, one in the evening of what is ending.
_LOOKS_BACK = timedelta(hours=12)
_MOST_DAYS = 4  # that are named one by one


class Period(Struct, frozen=True):
    """The day, the week from Monday or the month in which it was twelve hours before a slot;
    `until` that slot, or the period's end if that came first."""

    kind: PeriodKind
    first: date
    last: date
    until: datetime

    @property
    def days(self) -> list[date]:
        """The days of which anything lies before `until`."""
        end = (self.until - timedelta.resolution).date()
        return [self.first + n * DAY for n in range((end - self.first).days + 1)]

    @property
    def is_over(self) -> bool:
        return self.until == _midnight(self.last + DAY)


class DayRecord(Struct, frozen=True):
    """What is on record of a day; `is_damaged` if that may not be all."""

    day: date
    deliveries: Sequence[Delivery] = ()
    is_damaged: bool = False


def period_of(kind: PeriodKind, slot: datetime) -> Period:
    day = (slot - _LOOKS_BACK).date()
    if kind == "day":
        first = last = day
    elif kind == "week":
        first = day - day.weekday() * DAY
        last = first + 6 * DAY
    else:
        first = day.replace(day=1)
        last = (first + 31 * DAY).replace(day=1) - DAY
    return Period(kind, first, last, min(slot, _midnight(last + DAY)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), KST)


def summary(
    period: Period, records: Sequence[DayRecord], on_record_from: date | None, most: int
) -> str:
    """Say in at most `most` UTF-16 units what became of a period's slots.

    `on_record_from` is the oldest day of which anything is on record, if there is one.
    """
    planned = [
        one
        for record in records
        for one in record.deliveries
        if is_planned(one) and one.slot < period.until and one.standing is not State.CANCELLED
    ]
    lines = [_title(period), *_counts(planned), *_doubts(period, records, on_record_from)]
    troubles = _troubles(period, planned)
    for index, line in enumerate(troubles, 1):
        more = ["…"] if index < len(troubles) else []
        if utf16_units("\n".join([*lines, line, *more])) > most:
            lines.append("…")
            break
        lines.append(line)
    return truncated("\n".join(lines), most)


def _title(period: Period) -> str:
    """Say which days it is of; of a period that goes on, up to when."""
    first, until = period.first, period.until
    said, clock = f"{first:%Y-%m-%d}", f"{until:%m-%d %H:%M}"
    if period.kind == "day":
        said, clock = f"{said} ({weekday(first)})", f"{until:%H:%M}"
    if not period.is_over:
        said = f"{said} – {clock}"
    elif period.kind == "week":
        said = f"{said} – {period.last:%m-%d}"
    elif period.kind == "month":
        said = f"{first:%Y-%m}"
    return f"📊 kakaocron {said}"


def _counts(planned: Sequence[Delivery]) -> Iterator[str]:
    if not planned:
        yield _("no slot came due")
        return
    counts = Counter(one.standing for one in planned)
    confirmed = counts.pop(State.CONFIRMED, 0)
    yield _("confirmed: {confirmed} of {due}").format(confirmed=confirmed, due=len(planned))
    others = sorted(counts, key=lambda state: place_of(state, LOOK_FIRST))
    said = [f"{state.spoken} {counts[state]}" for state in others]
    if late := sum(_is_late(one) for one in planned):
        said.append(_("late {count}").format(count=late))
    if said:
        yield " · ".join(said)


def _is_late(one: Delivery) -> bool:
    return not one.is_reopened and (one.delay_seconds or 0) > PUNCTUAL_SECONDS


def _doubts(
    period: Period, records: Sequence[DayRecord], on_record_from: date | None
) -> Iterator[str]:
    """Yield what is not known of a period."""
    if damaged := [f"{one.day:%m-%d}" for one in records if one.is_damaged]:
        days = ", ".join(damaged[:_MOST_DAYS]) + (" …" if len(damaged) > _MOST_DAYS else "")
        yield _("ledger damaged, there may be more: {days}").format(days=days)
    if on_record_from is None:
        yield _("nothing is on record")
    elif on_record_from > period.first:
        yield _("on record since {day:%m-%d} only").format(day=on_record_from)


def _troubles(period: Period, planned: Sequence[Delivery]) -> list[str]:
    """Return what went wrong: each message's troubles of one kind in a line, the most first."""
    form = "%H:%M" if period.kind == "day" else "%m-%d %H:%M"
    slots: dict[tuple[str, State, str], list[datetime]] = {}
    for one in planned:
        if one.standing in BAD:
            why = f" ({one.reason.spoken})" if one.reason else ""
            slots.setdefault((one.message, one.standing, why), []).append(one.slot)
    return [
        f"{min(found):{form}} {message}: {state.spoken}{why}"
        + (f" ×{len(found)}" if len(found) > 1 else "")
        for (message, state, why), found in sorted(slots.items(), key=lambda item: -len(item[1]))
    ]
