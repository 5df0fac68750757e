"""Rules beyond regular and peak: cron expressions, days, quiet hours, holidays, profiles, logs."""

from __future__ import annotations

import json
import logging
import stat
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest

from kakaocron import actions
from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.delivery.engine import send_all
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.policy import Due
from kakaocron.errors import UsageError
from kakaocron.installation import Installation
from kakaocron.kst import KST
from kakaocron.ledger.events import Claim, of_slot
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.holidays import is_holiday
from kakaocron.schedule.slots import DAY_NAMES, Slot, slots_between
from kakaocron.states import State
from kakaocron.system.log import log, log_to_file
from kakaocron.watching.coming import Coming, coming
from tests.fakes import MESSAGE, FakeClock, install, run_tick, texts
from tests.test_actions import at

HEAD = '[[message]]\nname = "m"\ntext = "{time:%m-%d %H:%M} {slot}"\n'


def slots(config: str, first: datetime, days: int) -> list[str]:
    (series,) = parse_config(HEAD + config, "config.toml").series()
    until = first + timedelta(days=days)
    return [f"{s.at:%m-%d %H:%M}" for s in slots_between("m", series.timetable, first, until)]


MONDAY = datetime(2026, 11, 23, tzinfo=KST)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ('cron = "0 9 * * mon-fri"', [f"11-{d} 09:00" for d in (23, 24, 25, 26, 27)]),
        ('cron = "*/20 9 23 * *"', ["11-23 09:00", "11-23 09:20", "11-23 09:40"]),
        ('cron = "0 9 * * *"\ndays = ["sat", "sun"]', ["11-28 09:00", "11-29 09:00"]),
        ('cron = "0 9 * * *"\ndays = ["토", "일요일"]', ["11-28 09:00", "11-29 09:00"]),
        ('cron = "0 9 * * *"\ndays = ["주말", "sat"]', ["11-28 09:00", "11-29 09:00"]),
        ('cron = "0 9 * * *"\ndays = ["평일"]', [f"11-{d} 09:00" for d in range(23, 28)]),
        ('cron = "0 9 * * *"\ndays = ["매일"]', [f"11-{d} 09:00" for d in range(23, 30)]),
        ('cron = "0 */8 23 11 *"\nquiet = ["23:00-06:30"]', ["11-23 08:00", "11-23 16:00"]),
        (
            'slots = ["regular"]\ndays = ["sun"]\nquiet = ["00:00-23:00"]',
            ["11-29 23:00", "11-29 23:30"],
        ),
        ('cron = "0 9 29 2 *"', []),
    ],
)
def test_a_message_is_due_by_its_own_rule(config: str, expected: list[str]) -> None:
    assert slots(config, MONDAY, 7) == expected


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(("number", "name"), list(enumerate(DAY_NAMES)))
def test_each_day_has_its_korean_names(number: int, name: str, form: Literal["NFC", "NFD"]) -> None:
    one = "월화수목금토일"[number]
    written = [normalize(form, word) for word in (one, f"{one}요일", f"{one}욜")]
    for word in written:
        config = parse_config(f'[schedule]\ndays = ["{word}"]', "config.toml")
        assert config.schedule.days == (name,)
    assert parse_config(f"[schedule]\ndays = {written}", "config.toml").schedule.days == (name,)


@pytest.mark.parametrize(
    "expression",
    ["", "9", "0 9 * *", "0 0 9 * * *", "60 9 * * *", "0 9 * * someday", "0 9 30 2 *", "@daily"],
)
def test_what_is_no_cron_rule_is_refused_with_the_line(expression: str) -> None:
    with pytest.raises(UsageError, match=r"config\.toml:\d+: message\[1\]"):
        parse_config(HEAD + f'cron = "{expression}"', "config.toml")


def test_a_cron_message_is_sent_in_kst_as_kind_cron(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    run_tick(install(tmp_path, sandbox, clock, HEAD + 'cron = "30 9 * * *"'))
    assert texts(sandbox) == ["11-23 09:30 cron"]


@pytest.mark.parametrize(
    ("day", "rests"),
    [
        ("2026-02-16", True),  # the day before Seollal, by the moon
        ("2026-02-17", True),  # Seollal
        ("2026-02-18", True),
        ("2026-03-01", True),
        ("2026-03-02", True),  # in its place, as the 1st is a Sunday
        ("2026-05-25", True),  # in place of Buddha's birthday
        ("2026-09-25", True),  # Chuseok
        ("2026-11-23", False),
        ("2026-12-25", True),
    ],
)
def test_korean_holidays_are_known_by_the_moon_and_by_substitution(day: str, rests: bool) -> None:
    assert is_holiday(date.fromisoformat(day)) is rests


def test_holidays_are_skipped_where_a_message_says_so() -> None:
    seollal = datetime(2026, 2, 13, tzinfo=KST)
    config = 'cron = "0 9 * * mon-fri"\n'
    assert len(slots(config, seollal, 7)) == 5
    assert slots(config + "skip_holidays = true", seollal, 7) == ["02-13 09:00", "02-19 09:00"]


def test_without_the_library_of_holidays_the_fault_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kakaocron.schedule import holidays  # noqa: PLC0415

    holidays._korean.cache_clear()
    monkeypatch.setitem(sys.modules, "holidays.countries.south_korea", None)
    with pytest.raises(UsageError, match=r"skip_holidays: needs .* 'kakaocron\[holidays\]'"):
        parse_config(HEAD + 'cron = "0 9 * * *"\nskip_holidays = true', "config.toml")


PROFILES = """
[delivery]
retry_delays = [30]
[profile.development.delivery]
retry_delays = [10, 20, 30]
[profile.testing.kakao]
api_url = "http://127.0.0.1:9/"
"""


@pytest.mark.parametrize(
    ("profile", "delays", "api"),
    [
        (None, (30,), "https://kapi.kakao.com"),
        ("production", (30,), "https://kapi.kakao.com"),
        ("development", (10, 20, 30), "https://kapi.kakao.com"),
        ("testing", (30,), "http://127.0.0.1:9"),
    ],
)
def test_environment_picks_the_profile(
    profile: str | None, delays: tuple[int, ...], api: str
) -> None:
    config = parse_config(PROFILES, "config.toml", profile)
    assert config.delivery.retry_delays == delays
    assert config.kakao.api_url == api


def test_an_unknown_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text(PROFILES)
    monkeypatch.setenv("KAKAOCRON_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("ENVIRONMENT", "prod")
    assert run(["status"]) == 2
    assert "did you mean 'production'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("warn", "WARNING"),
        ("WARN", "WARNING"),
        (" Warning ", "WARNING"),
        ("fatal", "CRITICAL"),
        ("debug", "DEBUG"),
        ("LOUD", "INFO"),
        ("", "INFO"),
        ("30", "INFO"),
    ],
)
def test_no_word_for_the_log_level_stops_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, level: str
) -> None:
    (tmp_path / "config.toml").write_text(PROFILES)
    monkeypatch.setenv("KAKAOCRON_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("LOG_LEVEL", word)
    assert run(["status"]) == 0
    assert logging.getLevelName(log.level) == level


def test_the_log_has_the_lines_that_users_know(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    log_to_file(tmp_path / "kakaocron.log")
    installation = install(tmp_path, sandbox, clock, MESSAGE)
    once = actions.schedule(installation, at("12:30"), text="점심")
    with pytest.raises(actions.DuplicateError):
        actions.schedule(installation, at("12:30"), text="점심")
    sandbox.faults.enqueue("-10", "-2")
    run_tick(installation)
    clock.set("09:31")
    run_tick(installation)
    clock.set("09:45")
    run_tick(installation)

    lines = [
        line.partition(" - ")[2].partition(" - ")[2]
        for line in (tmp_path / "kakaocron.log").read_text("utf-8").splitlines()
    ]
    assert f"📅 메시지 스케줄링: {once.id} - 2026-11-23 12:30:00" in lines
    assert f"⚠️ 중복 메시지 감지: {once.id}" in lines
    first, second = "report@20261123T0930", "report@20261123T0945"
    assert f"📤 메시지 전송 시작: {first}" in lines
    assert any(line.startswith(f"🔄 메시지 재시도: {first}") for line in lines)
    assert any(line.startswith(f"❌ 메시지 최종 실패: {first}") for line in lines)
    assert f"✅ 메시지 전송 성공: {second}" in lines
    assert f"✅ 전송 확인 완료: {second}" in lines


def test_what_is_unknown_and_what_another_tick_has_are_not_logged_as_what_they_are_not(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    log_to_file(tmp_path / "kakaocron.log")
    installation = install(tmp_path, sandbox, clock, MESSAGE)
    sandbox.faults.enqueue("cut-after")
    run_tick(installation)
    slot = Slot("rates", clock.now().replace(second=0), "peak")
    due = Due(slot, ("me",), ("me",), 1, slot.at + timedelta(minutes=10))
    made = Parcel("x", ())
    with installation.ledger.open() as book:  # of a process that has died since
        book.record(
            [
                of_slot(
                    Claim, slot, ("me",), book.now, state=State.SENDING, attempt=1, by="x",
                    until=book.now + timedelta(seconds=1),
                )
            ]
        )  # fmt: skip
    send_all(installation.engine, [due], lambda _: made)
    clock.set("09:31")
    run_tick(installation)

    log = (tmp_path / "kakaocron.log").read_text("utf-8")
    assert "❓ 전송 결과 불명: report@20261123T0930" in log
    assert "❓ 전송 결과 불명: rates@20261123T0930" in log
    assert "최종 실패" not in log
    assert "중복 메시지" not in log


@pytest.mark.parametrize(("level", "count"), [("INFO", 3), ("error", 0)])
def test_log_level_decides_what_is_written(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, level: str, count: int
) -> None:
    log_to_file(tmp_path / "kakaocron.log", level)
    run_tick(install(tmp_path, sandbox, clock, MESSAGE))
    written = (tmp_path / "kakaocron.log").read_text("utf-8")
    assert written.count("report@20261123T0930") == count


def test_the_log_rotates_and_stays_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kakaocron.system.log.MAX_BYTES", 500)
    log_to_file(tmp_path / "log" / "kakaocron.log")
    for number in range(30):
        logging.getLogger("kakaocron").info("📤 메시지 전송 시작: %s", number)
    files = sorted((tmp_path / "log").iterdir())
    assert [path.suffix for path in files] == [".log", ".1", ".2", ".3"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def following(installation: Installation, count: int) -> list[Coming]:
    series, config = installation.plan.series, installation.config
    return coming(installation.snapshot_ahead(), series, config, count)


def test_next_shows_one_offs_among_the_slots_and_leaves_out_what_rests(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, MESSAGE)
    once = actions.schedule(installation, at("09:50", 24), text="내일")
    actions.cancel(installation, "report@20261123T0945")
    actions.pause(installation, "report", at("09:30", 24), None)
    found = [f"{slot.message}@{slot.at:%d %H:%M}" for slot in following(installation, 4)]
    assert found == [
        "report@24 09:30",
        "report@24 09:45",
        f"{once.message}@24 09:50",
        "report@24 10:00",
    ]


def test_next_shows_a_retry_under_its_own_id(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, MESSAGE)
    sandbox.faults.enqueue("-2")
    run_tick(installation)
    actions.reopen(installation, "report@20261123T0930", at("11:10", 25))
    clock.set("11:05", 25)
    first, second = following(installation, 2)
    assert (first.id, first.at) == ("report@20261123T0930", at("11:10", 25))
    assert first.why == "to be sent again, by hand"
    assert second.id == "report@20261125T1115"


def test_the_commands_speak_in_one_line_and_with_the_right_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(MESSAGE, "utf-8")
    for name, value in (
        ("CONFIG", path),
        ("DATA_DIR", tmp_path / "d"),
        ("LOG_DIR", tmp_path / "l"),
    ):
        monkeypatch.setenv(f"KAKAOCRON_{name}", str(value))

    def said(*arguments: str) -> tuple[int, str]:
        code = run(arguments)
        streams = capsys.readouterr()
        return code, (streams.out + streams.err).strip()

    code, both = said("schedule", "안녕", "--at", "내일 9시", "--meta", "order=17")
    id_, understood = both.split("\n")  # on stdout, and on stderr
    assert code == 0
    assert understood.endswith(f"To take it back: kakaocron cancel {id_}")
    assert said("schedule", "안녕", "--at", "tomorrow 09:00") == (
        1,
        f"'{id_}' holds this text for this minute already (scheduled). "
        f"To take it back: kakaocron cancel {id_}",
    )
    assert said("schedule", "안녕", "--at", "2020-01-01 09:00")[0] == 2
    assert said("schedule", "안녕", "--in", "5m", "--next", "peak")[0] == 2
    assert said("schedule", "안녕", "--in", "5m", "--meta", "x")[0] == 2
    assert said("schedule", "안녕", "--next", "peak")[0] == 0
    assert said("schedule", "--message", "report", "--in", "1h30m", "--to", "me")[0] == 0
    assert said("schedule", "--message", "absent", "--in", "5m")[0] == 2
    assert said("schedule", "안녕", "--in", "5m", "--to", "모르는사람") == (
        2,
        "'모르는사람' is neither in [friends] nor a uuid. See: kakaocron friends",
    )
    code, shown = said("show", id_, "--json")
    assert json.loads(shown)["state"] == "scheduled"
    assert said("cancel", id_) == (0, f"{id_}: cancelled")
    assert said("cancel", id_)[0] == 2
    assert said("retry", id_, "--at", "내일 9시 30분")[0] == 0
    assert said("retry", "nonsense")[0] == 2
    assert said("resolve", id_)[0] == 2
    assert said("resolve", id_, "--delivered")[0] == 2
    assert "Say which" in said("resolve", id_, "--delivered", "--not-delivered")[1]
    assert said("pause", "report", "--until", "내일 0시", "--note", "휴가")[0] == 0
    assert said("pause", "absent")[0] == said("resume", "absent")[0] == 2
    code, both = said("pause")
    paused, beside = both.split("\n")  # on stdout, and on stderr
    assert (code, paused) == (0, "All messages are paused until: kakaocron resume")
    assert beside.startswith("A pause from before holds too: 'report' is paused until ")
    assert said("resume", "report")[0] == 2
    assert said("resume") == (0, "2 pauses ended")
    assert said("resume") == (0, "Nothing was paused")
