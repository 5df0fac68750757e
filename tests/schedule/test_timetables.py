"""Since when a message's times hold: a new one starts with its next slot."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from kakaocron.kst import KST
from kakaocron.schedule.cron_rule import CronTimes
from kakaocron.schedule.holidays import is_holiday
from kakaocron.schedule.slots import Minutes, Series, Span, Timetable
from kakaocron.schedule.timetables import dated, from_json, to_json
from kakaocron.text.documents import NewerDocumentError

MS = timedelta(milliseconds=1)


def at(clock: str) -> datetime:
    return datetime.combine(date(2026, 11, 23), time.fromisoformat(clock), KST)


def hourly(*minutes: int) -> Timetable:
    times = Minutes(frozenset(minutes), frozenset(), frozenset(), frozenset({"regular"}))
    return Timetable(times)


def slots(timetable: Timetable, after: str, until: str) -> list[str]:
    return [f"{slot:%H:%M}" for slot, _ in timetable.between(at(after), at(until))]


def seen(
    timetable: Timetable,
    noted: Timetable | None,
    now: str,
    settled_until: str | None,
    written_at: str | None,
    name: str = "report",
) -> Timetable:
    known: Mapping[str, Timetable] = {name: noted} if noted else {}
    (found,) = dated(
        [Series("report", timetable, ("me",))],
        known,
        at(now),
        at(settled_until) if settled_until else None,
        at(written_at) if written_at else None,
    )
    return found.timetable


@pytest.mark.parametrize(
    ("written_at", "found"),
    [
        ("05:10:59.999", ["05:11"]),
        ("05:11", ["05:11"]),
        ("05:11:00.001", []),
    ],
)
def test_a_new_message_starts_with_the_first_slot_after_it_was_written(
    written_at: str, found: list[str]
) -> None:
    new = seen(hourly(11), None, "05:18:01", "05:10:01", written_at)
    assert slots(new, "04:00", "05:18") == found
    assert slots(new, "05:18", "06:30") == ["06:11"]


@pytest.mark.parametrize(
    ("settled_until", "found"), [("05:11:59", ["05:11"]), ("05:12", ["05:11"]), ("05:12:01", [])]
)
def test_what_a_tick_did_not_know_was_not_there_but_in_its_last_minute(
    settled_until: str, found: list[str]
) -> None:
    new = seen(hourly(11), None, "05:18:01", settled_until, "05:00")
    assert slots(new, "04:00", "05:18") == found


@pytest.mark.parametrize("written_at", [None, "05:18:01.001", "23:00"])
def test_a_file_from_the_future_says_no_more_than_this_minute(written_at: str | None) -> None:
    new = seen(hourly(11, 17, 18), None, "05:18:01", "05:10:01", written_at)
    assert slots(new, "04:00", "05:18") == ["05:18"]


@pytest.mark.parametrize("now", ["05:18", "05:18:00.001", "05:18:01", "05:18:59.999"])
def test_what_no_file_dates_starts_with_this_minute(now: str) -> None:
    new = seen(hourly(17, 18), None, now, "05:10:01", None)
    assert slots(new, "04:00", "05:18") == ["05:18"]


def test_what_is_written_at_this_very_instant_is_not_from_the_future() -> None:
    new = seen(hourly(18), None, "05:18:01", "05:10:01", "05:18:01")
    assert slots(new, "04:00", "06:30") == ["06:18"]


@pytest.mark.parametrize(
    ("written_at", "found"),
    [
        (None, ["05:11", "05:18"]),
        ("05:10", ["05:11", "05:18"]),
        ("05:11:01", ["05:18"]),
        ("05:18:00.5", ["05:18"]),
    ],
)
def test_the_first_tick_of_all_has_its_own_minute_and_what_came_after_the_file(
    written_at: str | None, found: list[str]
) -> None:
    new = seen(hourly(11, 18), None, "05:18:01", None, written_at, name="another")
    assert slots(new, "05:00", "05:18") == found


def test_where_nothing_was_ever_noted_what_is_there_has_always_been() -> None:
    series = [Series("report", hourly(11), ("me",))]
    assert dated(series, None, at("05:18"), at("05:10"), at("05:15")) == tuple(series)


def test_changed_times_hold_from_the_change_on_and_the_old_ones_until_then() -> None:
    changed = seen(hourly(15, 30), hourly(0, 30), "09:50:01", "09:10:01", "09:40")
    assert slots(changed, "08:10", "10:40") == ["08:30", "09:00", "09:30", "10:15", "10:30"]


def test_a_second_change_keeps_what_held_between() -> None:
    first = seen(hourly(15), hourly(0), "09:20:01", "09:10:01", "09:12")
    second = seen(hourly(45), first, "10:20:01", "09:20:01", "10:12")
    assert slots(second, "07:59", "11:50") == ["08:00", "09:00", "09:15", "10:45", "11:45"]


def test_unchanged_times_are_as_they_were_noted() -> None:
    noted = seen(hourly(0), None, "09:20:01", "09:10:01", "09:12")
    again = seen(hourly(0), noted, "11:00:01", "10:59:01", "10:58")
    assert again == noted


@pytest.mark.parametrize(
    ("written_at", "found"),
    [("09:04:59.999", ["09:05"]), ("09:05", ["09:05"]), ("09:05:00.001", []), ("09:05:00.6", [])],
)
def test_a_second_tick_of_the_minute_of_a_change_finds_what_the_first_one_found(
    written_at: str, found: list[str]
) -> None:
    first = seen(hourly(5), hourly(0), "09:05:01.2", "09:04:01", written_at)
    second = seen(hourly(5), first, "09:05:01.3", "09:05:01.2", written_at)
    assert slots(first, "09:04", "09:06") == slots(second, "09:04", "09:06") == found


def test_a_clock_set_back_before_a_change_does_not_silence_a_message() -> None:
    noted = seen(hourly(0, 30), None, "23:00:01", "22:59:01", "22:59:30")
    again = seen(hourly(0, 30), noted, "09:29:01", "09:28:01", "09:00")
    assert slots(again, "09:29", "10:30") == ["09:30", "10:00", "10:30"]


@pytest.mark.parametrize("now", ["09:30", "09:30:00.001", "09:30:01", "09:30:59.999"])
def test_a_clock_set_back_into_a_slots_minute_has_that_slot(now: str) -> None:
    noted = seen(hourly(0, 30), None, "23:00:01", "22:59:01", "22:59:30")
    again = seen(hourly(0, 30), noted, now, "09:28:01", "09:00")
    assert slots(again, "08:30", "10:00") == ["09:30", "10:00"]


@pytest.mark.parametrize(
    ("now", "found"), [("09:30:00.999", ["09:30"]), ("09:30:01", []), ("09:30:01.001", [])]
)
def test_a_clock_was_set_back_only_if_it_is_before_what_was_noted(
    now: str, found: list[str]
) -> None:
    again = seen(hourly(30), replace(hourly(30), since=at("09:30:01")), now, "09:28:01", "09:00")
    assert slots(again, "09:29", "09:31") == found


@pytest.mark.parametrize(
    ("ended", "is_kept"), [("2026-11-21T23:59", False), ("2026-11-22", True), ("2026-11-23", True)]
)
def test_of_what_held_one_after_another_what_ended_before_yesterday_is_left_out(
    ended: str, is_kept: bool
) -> None:
    middle = replace(
        hourly(15), since=datetime.fromisoformat(ended).replace(tzinfo=KST), before=hourly(30)
    )
    noted = replace(hourly(0), since=at("09:00"), before=middle)
    before = seen(hourly(0), noted, "10:00:01", "09:59:01", "08:59").before
    assert before is not None
    assert before.since == middle.since
    assert before.before == (hourly(30) if is_kept else None)


@pytest.mark.parametrize(("days_later", "is_kept"), [(1, True), (2, False), (3, False)])
def test_what_ended_before_yesterday_is_left_out(days_later: int, is_kept: bool) -> None:
    noted = seen(hourly(0), hourly(30), "23:59:01", "23:58:01", "23:58:30")
    now = at("00:10") + timedelta(days=days_later)
    series = [Series("report", hourly(0), ("me",))]
    (again,) = dated(series, {"report": noted}, now, now - MS, at("23:00"))
    assert (again.timetable.before is not None) == is_kept


@pytest.mark.parametrize("clock", ["09:11:59", "09:12:00", "09:12:01"])
def test_what_held_at_an_instant_is_told(clock: str) -> None:
    old, new = hourly(0), hourly(15)
    changed = replace(new, since=at("09:12"), before=replace(old, since=at("08:00")))
    assert changed.held_at(at("07:59")) is None
    held = changed.held_at(at(clock))
    assert held is not None
    assert held.times == (old if clock < "09:12" else new).times


EVERY_KIND: Sequence[Timetable] = (
    hourly(0, 30),
    Timetable(
        Minutes(
            frozenset({0}), frozenset({0, 59}), frozenset({0, 23}), frozenset({"regular", "peak"})
        )
    ),
    Timetable(CronTimes("0 9 * * mon-fri"), frozenset({0, 6})),
    Timetable(hourly(5).times, quiet=(Span(time(22), time(7, 30)),), is_holiday=is_holiday),
    replace(hourly(1), since=at("09:00:00.123"), before=replace(hourly(2), since=at("08:00"))),
    replace(hourly(1), since=at("09:00"), before=hourly(2)),
)


@pytest.mark.parametrize("timetable", EVERY_KIND)
def test_what_is_noted_is_read_back(timetable: Timetable) -> None:
    content = to_json([Series("보고", timetable, ("me",))])
    read = from_json(content)["보고"]
    assert to_json([Series("보고", read, ())]) == content
    (again,) = dated(
        [Series("보고", timetable, ())], {"보고": read}, at("10:00"), at("09:59"), None
    )
    assert to_json([again]) == content
    assert slots(read, "07:00", "11:00") == slots(timetable, "07:00", "11:00")


def test_a_message_is_noted_under_its_name_as_it_is() -> None:
    assert "보고".encode() in to_json([Series("보고", hourly(0), ())])


def test_days_off_of_a_list_that_is_gone_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    christmas = datetime(2026, 12, 25, 9, tzinfo=KST)
    content = to_json([Series("m", replace(hourly(0), is_holiday=is_holiday), ())])
    read = from_json(content)["m"]
    assert read.left_out(christmas) == "holiday"

    def gone(_: object) -> bool:
        raise ImportError

    monkeypatch.setattr(sys.modules["kakaocron.schedule.holidays"], "is_holiday", gone)
    assert read.left_out(christmas) is None


GOOD = json.loads(to_json([Series("m", hourly(0), ())]))["timetables"]["m"][0]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{}],
        ["x"],
        [{**GOOD, "since": "yesterday"}],
        [{**GOOD, "since": "2026-11-23T09:00:00"}],
        [{**GOOD, "since": 5}],
        [{**GOOD, "quiet": [["22:00"]]}],
        [{**GOOD, "quiet": ["25:00"]}],
        [{**GOOD, "days": 5}],
        [{**GOOD, "cron": "0 9 * *"}],
        [{**GOOD, "cron": 5}],
        [{**GOOD, "regular_minutes": None}],
        [{**GOOD, "regular_minutes": ["x"]}],
        [{**GOOD, "regular_minutes": [60]}],
        [{**GOOD, "regular_minutes": [-1]}],
        [{**GOOD, "peak_minutes": [60]}],
        [{**GOOD, "peak_hours": [24]}],
        [{**GOOD, "days": [7]}],
        [{**GOOD, "days": ["mon"]}],
        7,
    ],
)
def test_anything_else_is_refused(rows: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(json.dumps({"v": 1, "timetables": {"m": rows}}).encode())


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "it is not of the form that kakaocron writes"),
        ([{**GOOD, "peak_hours": [24]}], "it holds numbers that are not below 24"),
        ([{}], "it lacks 'regular_minutes'"),
    ],
)
def test_it_is_said_what_is_wrong(rows: object, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        from_json(json.dumps({"v": 1, "timetables": {"m": rows}}).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"v":1,"timetables":[]}', b"\xff"])
def test_another_document_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(content)


def test_a_later_version_is_refused_by_name() -> None:
    with pytest.raises(NewerDocumentError):
        from_json(b'{"v":2,"timetables":{}}')
