"""Which minutes are slots: whole days are walked, minute by minute."""

from __future__ import annotations

import re
from calendar import day_abbr
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from kakaocron.kst import KST, MINUTE, in_kst
from kakaocron.schedule.slots import (
    DAY_NAMES,
    Minutes,
    Slot,
    Span,
    Timetable,
    count_of_day,
    delivery_id,
    expiry,
    next_slot,
    not_within_a_year,
    parse_delivery_id,
    slot_at,
    slots_between,
)

MONDAY = datetime(2026, 11, 23, tzinfo=KST)
PEAK_HOURS = frozenset({7, 8, 9, 11, 12, 13, 17, 18, 19, 20})
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def minutes(*kinds: str) -> Minutes:
    """The contract's default minutes."""
    return Minutes(frozenset({0, 30}), frozenset({0, 15, 30, 45}), PEAK_HOURS, frozenset(kinds))


def at(clock: str, day: int = 23) -> datetime:
    return datetime.combine(date(2026, 11, day), time.fromisoformat(clock), KST)


def day_of(timetable: Timetable, day: datetime = MONDAY) -> list[Slot]:
    return list(slots_between("report", timetable, day - SECOND, day + DAY - SECOND))


BOTH = Timetable(minutes("regular", "peak"))


@pytest.mark.parametrize(
    ("kinds", "count"),
    [
        (("regular", "peak"), 68),
        (("regular",), 48),
        (("peak",), 40),
        ((), 0),
    ],
)
def test_a_day_has_as_many_slots_as_the_default_minutes_say(
    kinds: tuple[str, ...], count: int
) -> None:
    assert len(day_of(Timetable(minutes(*kinds)))) == count


@pytest.mark.parametrize(("day", "count"), [(22, 0), (23, 48), (24, 0)])
def test_the_slots_of_a_day_are_counted_from_midnight_to_midnight(day: int, count: int) -> None:
    mondays = Timetable(minutes("regular"), days=frozenset({MONDAY.weekday()}))

    assert count_of_day(mondays, date(2026, 11, day)) == count


@pytest.mark.parametrize("kinds", [("regular", "peak"), ("regular",), ("peak",)])
def test_each_of_the_1440_minutes_is_what_the_rules_say(kinds: tuple[str, ...]) -> None:
    found = {slot.at: slot.kind for slot in day_of(Timetable(minutes(*kinds)))}
    expected = {}
    for number in range(1440):
        hour, minute = divmod(number, 60)
        is_peak = minute in {0, 15, 30, 45} and hour in PEAK_HOURS
        is_regular = minute in {0, 30}
        if (is_peak and "peak" in kinds) or (is_regular and "regular" in kinds):
            expected[MONDAY + number * MINUTE] = "peak" if is_peak else "regular"

    assert found == expected


def test_walking_a_day_minute_by_minute_finds_the_same_slots_as_walking_it_at_once() -> None:
    start = MONDAY - SECOND
    steps = [start + n * MINUTE for n in range(1441)]
    one_by_one = [
        slot
        for after, until in pairwise(steps)
        for slot in slots_between("report", BOTH, after, until)
    ]

    assert one_by_one == day_of(BOTH)


def test_a_minute_that_is_both_kinds_is_one_slot_of_kind_peak() -> None:
    slots = list(slots_between("report", BOTH, at("08:59"), at("09:00")))

    assert slots == [Slot("report", at("09:00"), "peak")]


@pytest.mark.parametrize(
    ("after", "until", "count"),
    [
        ("09:29:59", "09:29:59.999999", 0),
        ("09:29:59", "09:30:00", 1),
        ("09:29:59", "09:30:01", 1),
        ("09:30:00", "09:30:59", 0),
    ],
)
def test_the_lower_end_is_left_out_and_the_upper_end_counts(
    after: str, until: str, count: int
) -> None:
    assert len(list(slots_between("report", BOTH, at(after), at(until)))) == count


@pytest.mark.parametrize(
    ("moment", "kind"),
    [
        ("09:29:59.999999", None),
        ("09:30:00", "peak"),
        ("09:30:00.000001", None),
        ("10:30:00", "regular"),
        ("10:31:00", None),
    ],
)
def test_a_message_has_a_slot_at_its_instant_only(moment: str, kind: str | None) -> None:
    found = slot_at("report", BOTH, at(moment))

    assert found == (Slot("report", at(moment), kind) if kind else None)


@pytest.mark.parametrize("hours", [-12, -5, 0, 5.5, 9, 14])
def test_the_zone_in_which_the_question_is_asked_plays_no_part(hours: float) -> None:
    zone = timezone(timedelta(hours=hours))
    start, end = (MONDAY - SECOND).astimezone(zone), (MONDAY + DAY - SECOND).astimezone(zone)

    assert [slot.id for slot in slots_between("report", BOTH, start, end)] == [
        slot.id for slot in day_of(BOTH)
    ]


@pytest.mark.parametrize("weekday", range(7))
def test_a_message_comes_on_its_days_only(weekday: int) -> None:
    timetable = Timetable(minutes("regular"), days=frozenset({weekday}))
    counts = [len(day_of(timetable, MONDAY + n * DAY)) for n in range(7)]

    assert counts == [48 if day == weekday else 0 for day in range(7)]


def test_the_day_is_that_of_korea_at_both_midnights() -> None:
    sunday_only = Timetable(minutes("regular"), days=frozenset({6}))
    before = next_slot("report", sunday_only, at("23:59:59", 28))
    *_, last = slots_between("report", sunday_only, at("12:00", 29), at("00:00", 30))

    assert before == Slot("report", at("00:00", 29), "regular")
    assert last == Slot("report", at("23:30", 29), "regular")


@pytest.mark.parametrize(
    ("clock", "is_quiet"),
    [
        ("22:59:59", False),
        ("23:00:00", True),
        ("23:59:59", True),
        ("00:00:00", True),
        ("06:29:59", True),
        ("06:30:00", False),
        ("12:00:00", False),
    ],
)
def test_quiet_hours_may_cross_midnight(clock: str, is_quiet: bool) -> None:
    night = Span(time(23), time(6, 30))

    assert (at(clock) in night) is is_quiet


@pytest.mark.parametrize(
    ("clock", "is_quiet"),
    [("11:59:59", False), ("12:00", True), ("12:59:59", True), ("13:00", False)],
)
def test_a_span_within_a_day_holds_its_start_and_not_its_end(clock: str, is_quiet: bool) -> None:
    assert (at(clock) in Span(time(12), time(13))) is is_quiet


def test_a_span_that_ends_where_it_begins_holds_nothing() -> None:
    assert not any(at(f"{hour:02}:00") in Span(time(12), time(12)) for hour in range(24))


def test_a_quiet_night_takes_exactly_its_slots_away() -> None:
    night = Span(time(23), time(6, 30))
    timetable = Timetable(minutes("regular", "peak"), quiet=(night,))
    kept = {slot.at for slot in day_of(timetable)}
    taken = {slot.at for slot in day_of(BOTH)} - kept

    assert taken == {slot.at for slot in day_of(BOTH) if slot.at in night}
    assert min(kept) == at("06:30")
    assert max(kept) == at("22:30")


def test_a_rest_says_whether_it_is_for_the_day_the_hour_or_the_holiday() -> None:
    holidays = {date(2026, 11, 26)}
    timetable = Timetable(
        minutes("regular"), frozenset(range(5)), (Span(time(23), time(6)),), holidays.__contains__
    )

    assert timetable.left_out(at("12:00", 25)) is None
    assert timetable.left_out(at("12:00", 26)) == "holiday"
    assert timetable.left_out(at("12:00", 27)) is None
    assert timetable.left_out(at("23:00", 27)) == "quiet"
    assert timetable.left_out(at("12:00", 28)) == "day"


@pytest.mark.parametrize(
    ("year", "is_taken"), [(1899, False), (1900, True), (8999, True), (9000, False)]
)
def test_only_years_that_can_be_reckoned_with_are_taken(year: int, is_taken: bool) -> None:
    moment = datetime(year, 6, 1, 0, 30, tzinfo=UTC)
    if is_taken:
        assert in_kst(moment) == moment
        assert in_kst(moment).tzinfo is KST
        assert parse_delivery_id(f"report@{year}0601T0930")[1] == moment
        return
    with pytest.raises(ValueError, match=f"^{year} is no year for a message$"):
        in_kst(moment)
    with pytest.raises(ValueError, match="is not a delivery id"):
        parse_delivery_id(f"report@{year}0601T0930")


def test_an_instant_without_a_zone_is_none() -> None:
    with pytest.raises(ValueError, match=r"^'2026-11-23T09:30:00' has no zone$"):
        in_kst(datetime(2026, 11, 23, 9, 30))  # noqa: DTZ001


@dataclass(frozen=True)
class Once:
    """A time that comes a single time."""

    instant: datetime

    def between(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        if after < self.instant <= until:
            yield self.instant, "once"

    def fields(self) -> dict[str, Any]:
        return {"instant": self.instant.isoformat()}


@pytest.mark.parametrize(("days", "is_found"), [(366, True), (366 + 1 / 1440, False)])
def test_the_next_slot_is_looked_for_a_leap_year_ahead(days: float, is_found: bool) -> None:
    timetable = Timetable(Once(MONDAY + days * DAY))

    assert (next_slot("report", timetable, MONDAY) is not None) is is_found


def test_minutes_know_which_kinds_come_at_all() -> None:
    every_kind = ["regular", "peak"]
    known = {
        kinds: [kind for kind in every_kind if minutes(*kinds).has(kind)]
        for kinds in [("regular", "peak"), ("regular",), ("peak",), ()]
    }
    all_peak = Minutes(frozenset({0}), frozenset({0}), frozenset(range(24)), frozenset(every_kind))
    last_hour = Minutes(frozenset({0}), frozenset({0}), frozenset({23}), frozenset({"peak"}))

    # A regular message comes at minutes that are both, too, and those are of kind peak.
    assert known == {
        ("regular", "peak"): ["regular", "peak"],
        ("regular",): ["regular", "peak"],
        ("peak",): ["peak"],
        (): [],
    }
    assert not all_peak.has("regular")
    assert last_hour.has("peak")
    assert Minutes(frozenset({5}), frozenset(), frozenset(), frozenset({"regular"})).has("regular")


def test_the_days_of_the_week_have_the_names_of_the_configuration() -> None:
    assert list(DAY_NAMES) == [name.lower() for name in day_abbr]
    assert DAY_NAMES[MONDAY.weekday()] == "mon"


def test_there_is_no_next_slot_in_a_time_without_slots() -> None:
    assert next_slot("report", Timetable(minutes()), at("09:30")) is None


@pytest.mark.parametrize(
    ("after", "following"),
    [("09:29:59", "09:30"), ("09:30:00", "09:45"), ("09:30:01", "09:45"), ("20:45", "21:00")],
)
def test_the_next_slot_is_later_than_now(after: str, following: str) -> None:
    slot = next_slot("report", BOTH, at(after))

    assert slot is not None
    assert slot.at == at(following)


@pytest.mark.parametrize("cut", ["08:59:59.999999", "09:00", "09:00:00.000001"])
def test_where_times_change_each_slot_comes_once_however_the_walk_is_cut(cut: str) -> None:
    kinds = frozenset({"regular"})
    old, new = (
        Timetable(Minutes(frozenset({0, minute}), frozenset(), frozenset(), kinds))
        for minute in (30, 45)
    )
    changed = replace(new, since=at("09:00"), before=old)
    walks = [changed.between(at("08:00"), at(cut)), changed.between(at(cut), at("10:00"))]

    assert [f"{slot:%H:%M}" for walk in walks for slot, _ in walk] == [
        "08:30", "09:00", "09:45", "10:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "limit"),
    [
        (600, "09:40:00"),
        (899, "09:44:59"),
        (900, "09:45:00"),
        (901, "09:45:00"),
        (9000, "09:45:00"),
    ],
)
def test_a_slot_expires_after_its_time_and_never_past_the_next_slot(
    seconds: int, limit: str
) -> None:
    slot = Slot("report", at("09:30"), "peak")

    assert expiry(slot, BOTH, timedelta(seconds=seconds)) == at(limit)


def test_a_slot_before_a_quiet_night_expires_by_its_time_alone() -> None:
    timetable = Timetable(minutes("regular"), quiet=(Span(time(23), time(6, 30)),))
    slot = Slot("report", at("22:30"), "regular")

    assert expiry(slot, timetable, timedelta(hours=2)) == at("00:30", 24)


def test_a_one_off_has_no_next_slot_to_expire_at() -> None:
    slot = Slot("once-0011", at("09:30"), "once")

    assert expiry(slot, None, timedelta(hours=2)) == at("11:30")


@pytest.mark.parametrize(
    ("days", "more", "is_rare", "is_named"),
    [
        (366, timedelta(0), False, False),
        (366, timedelta.resolution, True, True),
        (40 * 366, -timedelta.resolution, True, True),
        (40 * 366, timedelta(0), True, True),
        (40 * 366, timedelta.resolution, True, False),
    ],
)
def test_a_slot_past_the_year_is_named_up_to_forty_years_ahead(
    days: int, more: timedelta, is_rare: bool, is_named: bool
) -> None:
    due = MONDAY + timedelta(days=days) + more

    rare = not_within_a_year("m", Timetable(Once(due)), MONDAY)

    assert rare == (("m", due if is_named else None) if is_rare else None)


@pytest.mark.usefixtures("uncounted")
def test_a_message_that_is_never_due_has_no_slot_to_name() -> None:
    assert not_within_a_year("m", Timetable(minutes()), MONDAY) == ("m", None)


def test_a_delivery_is_named_by_its_minute_in_korea_and_the_name_is_read_back() -> None:
    moment = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    id_ = delivery_id("장부.1", moment)

    assert id_ == "장부.1@20261123T0930"
    assert parse_delivery_id(id_) == ("장부.1", at("09:30"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "report",
        "report@",
        "@20261123T0930",
        "report@20261123",
        "report@20261123T930",
        "report@20261323T0930",
        "report@20261131T0930",
        "report@20261123T2400",
        "report@20261123T0960",
        "re port@20261123T0930",
        "../x@20261123T0930",
        "report@20261123T0930\n",
        "report@２０２６1123T0930",
    ],
)
def test_what_is_no_delivery_id_is_refused(text: str) -> None:
    said = f"'{text}' is not a delivery id such as report@20261123T0930"
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        parse_delivery_id(text)
