"""A summary says what became of the slots of its days, and what nobody can know of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.stats import Slots
from kakaocron.messages.summary import DayRecord, PeriodKind, period_of, summary
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import Slot
from kakaocron.states import Reason, State
from kakaocron.text.plain import utf16_units
from tests.fakes import (
    MESSAGE,
    FakeClock,
    UnsyncedDisk,
    day_file,
    install,
    kakao_section,
    run_tick,
    texts,
)
from tests.test_cli import Shell, shell

__all__ = ["shell"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KST)


@pytest.mark.parametrize(
    ("kind", "slot", "first", "last", "until"),
    [
        ("day", "2026-11-24 11:59", "2026-11-23", "2026-11-23", "2026-11-24 00:00"),
        ("day", "2026-11-24 12:00", "2026-11-24", "2026-11-24", "2026-11-24 12:00"),
        ("day", "2026-11-24 12:01", "2026-11-24", "2026-11-24", "2026-11-24 12:01"),
        ("day", "2026-11-24 00:00", "2026-11-23", "2026-11-23", "2026-11-24 00:00"),
        ("week", "2026-11-23 11:59", "2026-11-16", "2026-11-22", "2026-11-23 00:00"),
        ("week", "2026-11-23 12:00", "2026-11-23", "2026-11-29", "2026-11-23 12:00"),
        ("week", "2026-11-24 09:00", "2026-11-23", "2026-11-29", "2026-11-24 09:00"),
        ("week", "2026-11-29 21:00", "2026-11-23", "2026-11-29", "2026-11-29 21:00"),
        ("month", "2026-12-01 11:59", "2026-11-01", "2026-11-30", "2026-12-01 00:00"),
        ("month", "2026-12-01 12:00", "2026-12-01", "2026-12-31", "2026-12-01 12:00"),
        ("month", "2028-02-29 21:00", "2028-02-01", "2028-02-29", "2028-02-29 21:00"),
        ("month", "2027-01-01 09:00", "2026-12-01", "2026-12-31", "2027-01-01 00:00"),
    ],
)
def test_a_summary_is_of_what_it_was_twelve_hours_before(
    kind: PeriodKind, slot: str, first: str, last: str, until: str
) -> None:
    period = period_of(kind, at(slot))

    assert (str(period.first), str(period.last), period.until) == (first, last, at(until))
    assert period.days[0] == period.first
    assert period.days[-1] == (at(until) - timedelta.resolution).date()
    assert len(period.days) == (period.days[-1] - period.first).days + 1


def summing_up(kind: str, cron: str = "40 13 * * *") -> str:
    return f'{MESSAGE}\n[[message]]\nname = "sum"\ncron = "{cron}"\nreport = "{kind}"\n'


def an_afternoon(run: Callable[[], object], sandbox: SandboxServer, clock: FakeClock) -> None:
    """Let 12:30 be confirmed, 12:45 missed, 13:00 unknown, 13:15 late, 13:30 refused."""
    for clock_time, fault in (
        ("12:30:01", ""), ("13:00:01", "cut-after"), ("13:16:30", ""), ("13:30:01", "-2")
    ):  # fmt: skip
        clock.set(clock_time)
        sandbox.faults.enqueue(*([fault] if fault else []))
        run()
    clock.set("13:40")


ENGLISH = """\
📊 kakaocron 2026-11-23 (Mon) – 13:40
confirmed: 2 of 5
unknown 1 · failed 1 · missed 1 · late 1
12:45 report: missed (no-tick)
13:00 report: unknown (connection-reset)
13:30 report: failed (refused)"""
KOREAN = """\
📊 kakaocron 2026-11-23 (월) – 13:40
5건 중 2건 전송 확인
결과 불명 1 · 실패 1 · 놓침 1 · 늦음 1
12:45 report: 놓침 (점검 없음)
13:00 report: 결과 불명 (연결 끊김)
13:30 report: 실패 (거절됨)"""


@pytest.mark.parametrize(("language", "said"), [("en", ENGLISH), ("ko", KOREAN)])
def test_a_day_says_what_was_sent_and_what_went_wrong_in_the_configurations_language(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.delenv("KAKAOCRON_LANGUAGE")
    config = f'language = "{language}"\n{kakao_section(shell.sandbox)}{summing_up("day")}'
    (tmp_path / "config.toml").write_text(config, "utf-8")
    an_afternoon(lambda: shell.run("tick"), shell.sandbox, shell.clock)
    previewed = shell.json("preview", "--message", "sum")
    assert shell.run("tick") == (0, "", "")
    assert texts(shell.sandbox)[-1] == previewed[0]["text"] == said


def test_no_summary_counts_itself_though_it_is_tried_again(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = summing_up("day", "*/30 * * * *").replace(MESSAGE, "")
    for clock_time, fault in (("12:00", "-10"), ("12:00:30", ""), ("12:30", "")):
        clock.set(clock_time)
        sandbox.faults.enqueue(*([fault] if fault else []))
        run_tick(install(tmp_path, sandbox, clock, config))
    said = [text.splitlines()[1] for text in texts(sandbox)]
    assert said == ["no slot came due", "confirmed: 1 of 1"]


def delivery(slot: str, state: State = State.CONFIRMED, name: str = "report") -> Delivery:
    when = at(slot)
    reason = {State.MISSED: Reason.NO_TICK, State.FAILED: Reason.QUOTA}.get(state)
    return Delivery(f"{name}@{when:%Y%m%dT%H%M}", name, "regular", when, state, reason=reason)


def told(
    kind: PeriodKind, slot: str, *deliveries: Delivery, since: str = "2026-01-01"
) -> list[str]:
    period = period_of(kind, at(slot))
    records = [
        DayRecord(day, [one for one in deliveries if one.slot.date() == day]) for day in period.days
    ]
    return summary(period, records, date.fromisoformat(since), 200).splitlines()


def test_a_week_groups_what_went_wrong_the_most_first() -> None:
    bad = [delivery(f"2026-11-{day} 09:30", State.MISSED) for day in (18, 17, 19)]
    found = told(
        "week",
        "2026-11-23 09:00",
        delivery("2026-11-16 09:30"),
        delivery("2026-11-16 10:30", State.FAILED, "orders"),
        *bad,
        delivery("2026-11-20 09:30", State.CANCELLED),
        delivery("2026-11-22 23:30"),
    )
    assert found == [
        "📊 kakaocron 2026-11-16 – 11-22",
        "confirmed: 2 of 6",
        "failed 1 · missed 3",
        "11-17 09:30 report: missed (no-tick) ×3",
        "11-16 10:30 orders: failed (quota)",
    ]


@pytest.mark.parametrize(("slot", "counted"), [("20:59", 1), ("21:00", 0), ("21:01", 0)])
def test_only_what_came_due_before_it_counts(slot: str, counted: int) -> None:
    found = told("day", "2026-11-23 21:00", delivery(f"2026-11-23 {slot}"))
    assert found[1] == ("confirmed: 1 of 1" if counted else "no slot came due")


@pytest.mark.parametrize(
    ("kind", "slot", "title"),
    [
        ("day", "2026-11-24 09:00", "2026-11-23 (Mon)"),
        ("day", "2026-11-24 21:00", "2026-11-24 (Tue) – 21:00"),
        ("week", "2026-11-23 09:00", "2026-11-16 – 11-22"),
        ("week", "2026-11-27 18:00", "2026-11-23 – 11-27 18:00"),
        ("week", "2027-01-04 09:00", "2026-12-28 – 01-03"),
        ("month", "2026-12-01 09:00", "2026-11"),
        ("month", "2026-11-30 18:00", "2026-11-01 – 11-30 18:00"),
    ],
)
def test_its_first_line_says_of_which_days_it_is(kind: PeriodKind, slot: str, title: str) -> None:
    assert told(kind, slot)[0] == f"📊 kakaocron {title}"


@pytest.mark.parametrize(
    ("since", "doubt"),
    [
        ("2026-10-31", []),
        ("2026-11-01", []),
        ("2026-11-02", ["on record since 11-02 only"]),
    ],
)
def test_what_lies_before_the_record_is_said_to_be_unknown(since: str, doubt: list[str]) -> None:
    found = told("month", "2026-12-01 09:00", delivery("2026-11-05 09:30"), since=since)
    assert found == ["📊 kakaocron 2026-11", "confirmed: 1 of 1", *doubt]


def test_however_much_went_wrong_it_is_one_message() -> None:
    names = [f"{'긴이름' * 9}{n}" for n in range(60)]
    bad = [delivery("2026-11-20 09:30", State.FAILED, name) for name in names]
    days = [DayRecord(date(2026, 11, day), bad, is_damaged=True) for day in range(1, 31)]
    said = summary(period_of("month", at("2026-12-01 09:00")), days, date(2026, 11, 4), 200)
    assert utf16_units(said) <= 200
    assert said.splitlines()[1:4] == [
        "confirmed: 0 of 1800",
        "failed 1800",
        "ledger damaged, there may be more: 11-01, 11-02, 11-03, 11-04 …",
    ]
    assert said.endswith("\n…")


class CountingDisk(UnsyncedDisk):
    """A disk that remembers which days of the ledger were opened."""

    def __init__(self) -> None:
        self.days: set[str] = set()

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        if path.endswith(".jsonl"):
            self.days.add(Path(path).stem)
        return super().open(path, flags, mode)


def test_a_week_reads_its_own_days_and_says_which_are_damaged(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    for day in (14, 15, 16, 18):
        clock.set("12:30", day)
        run_tick(install(tmp_path, sandbox, clock))
    disk = CountingDisk()
    clock.set("09:40", 23)
    config = summing_up("week", "40 9 * * mon")
    installation = install(tmp_path, sandbox, clock, config, disk=disk)
    spoilt = day_file(installation, date(2026, 11, 18))
    spoilt.write_bytes(spoilt.read_bytes().replace(b"confirmed", b"confirmfd"))
    day_file(installation, date(2026, 11, 16)).unlink()
    disk.days.clear()
    made = installation.contents.of_message(
        installation.config.message[1], Slot("sum", clock.now(), "cron"), Slots()
    )
    assert disk.days == {f"2026-11-{day}" for day in range(16, 23)}
    assert "ledger damaged, there may be more: 11-16, 11-18" in made.text.splitlines()
