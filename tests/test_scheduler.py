"""The Python API, and each example in it, over the sandbox: what arrived is compared."""

from __future__ import annotations

import json
import multiprocessing
import runpy
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import kakaocron
from kakaocron import Scheduler
from kakaocron.errors import UsageError
from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.fakes import MESSAGE, FakeClock, kakao_section, live_in, run_tick, texts
from tests.test_actions import at

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def config(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An installation in the environment, as cron's commands would find it, in the test's time."""
    clock.set("12:30:10")
    path = live_in(tmp_path, monkeypatch)
    path.write_text(kakao_section(sandbox), "utf-8")
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", token)
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    return path


def tick(clock: FakeClock, clock_time: str) -> None:
    clock.set(clock_time)
    run_tick(Scheduler()._installation)


def run_example(name: str) -> None:
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_the_regular_example_arrives_at_the_next_half_hour(
    config: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    run_example("regular_message.py")
    run_example("regular_message.py")
    assert capsys.readouterr().out.split("\n")[1] == "이미 예약되어 있습니다"
    tick(clock, "12:59")
    assert texts(sandbox) == []
    tick(clock, "13:00")
    assert texts(sandbox) == ["📊 정기 알림: 장부를 확인하세요"]


def test_the_peak_example_arrives_at_the_next_quarter(
    config: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    run_example("peak_message.py")
    tick(clock, "12:45")
    assert texts(sandbox) == ["🚀 피크 알림: 배달 점수를 확인하세요"]


def test_the_custom_example_arrives_in_five_minutes_and_once(
    config: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Frozen(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Frozen:
            return cls.fromtimestamp(clock.now().timestamp(), UTC)

    monkeypatch.setattr("datetime.datetime", Frozen)
    run_example("custom_time.py")
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("@20261123T1236")
    assert second.endswith("None")
    tick(clock, "12:35:59")
    assert texts(sandbox) == []
    tick(clock, "12:36")
    assert texts(sandbox) == ["⏰ 특정 시간 알림"]


def test_the_status_and_retry_examples_show_and_mend_a_failure(
    config: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text("utf-8") + MESSAGE, "utf-8")
    sandbox.faults.enqueue("-2")
    tick(clock, "12:30:10")
    run_example("status.py")
    shown = capsys.readouterr().out
    assert "실행 중: True" in shown
    assert "실패 1" in shown
    assert "report@20261123T1230: failed (refused)" in shown
    run_example("manual_retry.py")
    assert "재시도 예약: report@20261123T1230 (지금까지 1번 시도)" in capsys.readouterr().out
    tick(clock, "12:31")
    assert texts(sandbox) == ["보고 2026-11-23 12:30"]


def test_the_cleanup_example_forgets_what_is_older_than_seven_days(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data" / "ledger"
    folder.mkdir(parents=True)
    for day in (14, 15, 16, 22):
        (folder / f"2026-11-{day}.jsonl").touch()
    run_example("cleanup.py")
    assert "정리한 날: 2" in capsys.readouterr().out
    assert sorted(path.name[:10] for path in folder.iterdir()) == ["2026-11-16", "2026-11-22"]


def test_the_contract_of_the_python_api(
    config: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    scheduler = Scheduler(config)
    message_id = scheduler.schedule_message("특정 시간 알림", datetime(2026, 11, 23, 12, 35))  # noqa: DTZ001
    assert message_id is not None
    assert message_id.endswith("@20261123T1235")
    assert scheduler.schedule_message("특정 시간 알림", at("12:35").astimezone(UTC)) is None
    found = scheduler.get_message_status(message_id)
    assert found is not None
    assert (found["status"], found["retry_count"]) == ("scheduled", 0)
    assert scheduler.cancel_message(message_id)
    assert not scheduler.cancel_message(message_id)
    assert not scheduler.cancel_message("once-abc@20261123T1235")
    assert scheduler.get_message_status("once-abc@20261123T1235") is None
    assert scheduler.get_message_status("nonsense") is None
    assert scheduler.retry_message(message_id)
    tick(clock, "12:35")
    assert texts(sandbox) == ["특정 시간 알림"]
    with pytest.raises(UsageError, match="has passed"):
        scheduler.schedule_message("늦음", clock.now() - timedelta(minutes=1))
    with pytest.raises(UsageError, match="201 characters"):
        scheduler.schedule_message("가" * 201, clock.now())
    json.dumps(scheduler.get_schedule_status())


def test_many_threads_schedule_one_text_once(config: Path) -> None:
    scheduler = Scheduler()
    ids: list[str | None] = []

    def work(number: int) -> None:
        ids.append(scheduler.schedule_message("하나", at("12:40")))
        ids.append(scheduler.schedule_message(f"여럿 {number}", at("12:40")))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(ids)
    assert counts.pop(None) == 11
    assert len(counts) == 13
    assert set(counts.values()) == {1}


def test_many_processes_schedule_one_text_once(config: Path) -> None:
    when = datetime.now(KST).replace(second=0, microsecond=0) + timedelta(days=1)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        ids = pool.starmap(_schedule_at, [(when,)] * 8)
    assert Counter(ids)[None] == 7


def _schedule_at(when: datetime) -> str | None:
    return Scheduler().schedule_message("하나", when)


def test_importing_the_package_imports_no_scheduler() -> None:
    assert "Scheduler" in kakaocron.__all__
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        kakaocron.Nothing  # noqa: B018
