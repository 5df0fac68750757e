"""One-offs, and what a person decides of a delivery, over the sandbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron import actions
from kakaocron.actions import DuplicateError
from kakaocron.errors import Cause, UsageError
from kakaocron.installation import Installation
from kakaocron.kst import KST
from kakaocron.ledger.lookup import find_delivery
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.ticking.idle_plan import idle_span
from kakaocron.watching.overview import explain_minute
from kakaocron.watching.sentences import detail_of
from tests.fakes import MESSAGE, FakeClock, install, run_tick, texts


def at(clock_time: str, day: int = 23) -> datetime:
    hour, minute, second = (*map(int, clock_time.split(":")), 0)[:3]
    return datetime(2026, 11, day, hour, minute, second, tzinfo=KST)


def test_a_one_off_is_sent_by_the_tick_of_its_minute_and_not_before(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, "")
    delivery = actions.schedule(installation, at("12:35"), text="회의 5분 전")

    for minute, expected in [
        ("12:34:59", []),
        ("12:35:00", ["회의 5분 전"]),
        ("12:36", ["회의 5분 전"]),
    ]:
        clock.set(minute)
        run_tick(installation)
        assert texts(sandbox) == expected
    assert delivery.id.startswith("once-")
    assert delivery.id.endswith("@20261123T1235")
    assert find_delivery(installation.ledger, delivery.id).state is State.CONFIRMED


def test_the_same_text_for_the_same_minute_is_refused_with_the_id_that_holds_it(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, "")
    first = actions.schedule(installation, at("12:35"), text="한 번")
    with pytest.raises(DuplicateError, match=first.id) as refused:
        actions.schedule(installation, at("12:34:20"), text="한 번")
    assert refused.value.exit_code == 1
    assert actions.schedule(installation, at("12:36"), text="한 번").id != first.id
    assert actions.schedule(installation, at("12:35"), text="두 번").id != first.id


@pytest.mark.parametrize(
    ("fault", "way_out"),
    [
        ("", "add --force"),
        ("-401", "kakaocron retry {}"),
        ("-2", "kakaocron retry {}"),
        ("cut-after", "kakaocron resolve {} --delivered"),
        ("-501", "kakaocron retry {}"),
        ("-530", "again as it is cannot help: kakaocron explain {}"),
    ],
)
def test_a_text_that_is_there_already_is_refused_with_the_way_out_of_its_state(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, fault: str, way_out: str
) -> None:
    installation = install(tmp_path, sandbox, clock, "[delivery]\nmax_retries = 0\n")
    sandbox.faults.enqueue(*([fault] * 3 if fault else []))
    first = actions.send_now(installation, text="안녕").delivery

    with pytest.raises(DuplicateError) as refused:
        actions.send_now(installation, text="안녕")
    assert way_out.format(first.id) in str(refused.value)
    assert refused.value.exit_code == 1


def test_what_failed_for_want_of_a_login_is_sent_by_the_command_that_its_twin_is_told(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.kakao.revoke_refresh_tokens()
    out = install(tmp_path, sandbox, clock, variables={"KAKAO_REFRESH_TOKEN": "revoked"})
    failed = actions.send_now(out, text="안녕").delivery
    assert (failed.state, failed.reason) == (State.FAILED, Reason.NOT_LOGGED_IN)
    installation = install(tmp_path, sandbox, clock)

    with pytest.raises(DuplicateError, match=f"To send it after all: kakaocron retry {failed.id}"):
        actions.send_now(installation, text="안녕")
    assert actions.retry(installation, failed.id).delivery.state is State.CONFIRMED
    assert texts(sandbox) == ["안녕"]


def test_a_one_off_of_a_later_day_is_sent_on_that_day(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, "")
    actions.schedule(installation, at("00:00", 26), text="나중에")
    clock.set("23:59:59", 25)
    run_tick(installation)
    assert texts(sandbox) == []
    clock.set("00:00:00", 26)
    run_tick(installation)
    assert texts(sandbox) == ["나중에"]


def test_a_configured_message_is_made_when_its_one_off_comes_due(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, MESSAGE)
    actions.schedule(installation, at("12:35"), message="report")
    clock.set("12:35:02")
    run_tick(installation)
    assert sorted(texts(sandbox)) == ["보고 2026-11-23 12:30", "보고 2026-11-23 12:35"]


def test_what_is_cancelled_is_not_sent(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, MESSAGE)
    clock.set("10:01")
    once = actions.schedule(installation, at("10:30"), text="그만")
    actions.cancel(installation, once.id)
    actions.cancel(installation, "report@20261123T1030")
    clock.set("10:30")
    run_tick(installation)
    assert texts(sandbox) == []
    assert find_delivery(installation.ledger, once.id).state is State.CANCELLED
    with pytest.raises(UsageError, match="nothing to cancel"):
        actions.cancel(installation, once.id)


def test_a_cancelled_one_off_can_be_taken_up_again_and_never_comes_early(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, "")
    once = actions.schedule(installation, at("12:35"), text="다시")
    actions.cancel(installation, once.id)
    actions.reopen(installation, once.id)
    reopened = find_delivery(installation.ledger, once.id)
    assert (reopened.cause, reopened.detail) == (Cause("in-peace"), None)
    assert detail_of(reopened) == "it was paused or cancelled"
    run_tick(installation)
    assert texts(sandbox) == []
    clock.set("12:35")
    run_tick(installation)
    assert texts(sandbox) == ["다시"]


def _fail_at_0930(installation: Installation, sandbox: SandboxServer) -> str:
    sandbox.faults.enqueue("-2")
    run_tick(installation)
    assert find_delivery(installation.ledger, "report@20261123T0930").state is State.FAILED
    return "report@20261123T0930"


def test_a_failed_delivery_is_retried_at_once(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    id_ = _fail_at_0930(installation, sandbox)
    clock.set("15:47:10")
    done = actions.retry(installation, id_)
    assert done.delivery.state is State.CONFIRMED
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    with pytest.raises(UsageError, match="only a failed"):
        actions.retry(installation, id_)


def test_a_retry_of_days_later_is_found_by_the_ticks_of_its_day(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    id_ = _fail_at_0930(installation, sandbox)
    clock.set("09:31", 26)
    run_tick(installation)
    before = len(texts(sandbox))
    actions.retry(installation, id_, at("23:58", 27))
    for clock_time, expected in [("23:57:59", before), ("23:58", before), ("23:59", before + 1)]:
        if clock_time == "23:58":
            sandbox.faults.enqueue("-10")
        clock.set(clock_time, 27)
        known = find_delivery(installation.ledger, id_)
        run_tick(installation)
        found = [text for text in texts(sandbox) if text == "보고 2026-11-23 09:30"]
        assert len(found) == expected - before, (clock_time, known)
    assert find_delivery(installation.ledger, id_).state is State.CONFIRMED


def test_a_retry_starts_its_count_of_retries_anew(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = "[delivery]\nmax_retries = 1\n" + MESSAGE
    installation = install(tmp_path, sandbox, clock, config)
    sandbox.faults.enqueue("-10", "-10", "-10")
    run_tick(installation)
    clock.set("09:31")
    run_tick(installation)
    id_ = "report@20261123T0930"
    assert find_delivery(installation.ledger, id_).reason is Reason.RETRIES_SPENT
    clock.set("09:40")
    assert actions.retry(installation, id_).delivery.state is State.RETRYING
    clock.set("09:41")
    run_tick(installation)
    assert find_delivery(installation.ledger, id_).state is State.CONFIRMED


@pytest.mark.parametrize(("delivered", "state"), [(True, State.SENT), (False, State.FAILED)])
def test_an_unknown_delivery_is_resolved_by_hand(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, delivered: bool, state: State
) -> None:
    installation = install(tmp_path, sandbox, clock)
    sandbox.faults.enqueue("-1")
    run_tick(installation)
    id_ = "report@20261123T0930"
    with pytest.raises(UsageError, match="resolve"):
        actions.cancel(installation, id_)
    found = actions.resolve(installation, id_, delivered=delivered)
    assert (found.state, found.reason) == (state, Reason.BY_HAND)
    clock.set("09:35")
    run_tick(installation)
    assert find_delivery(installation.ledger, id_).state is state
    assert len(texts(sandbox)) <= 1


def test_a_paused_message_is_missed_and_nothing_comes_in_a_burst(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    actions.pause(installation, "report", None, "휴가")
    for clock_time in ("09:45", "10:00", "10:30"):
        clock.set(clock_time)
        run_tick(installation)
    clock.set("10:31")
    assert actions.resume(installation, "report") == 1
    run_tick(installation)
    clock.set("11:00")
    run_tick(installation)

    assert texts(sandbox) == ["보고 2026-11-23 09:30", "보고 2026-11-23 11:00"]
    found = installation.ledger.read([clock.now().date()]).deliveries
    reasons = {d.slot.strftime("%H:%M"): d.reason for d in found.values()}
    assert reasons["10:00"] == reasons["10:30"] == reasons["09:45"] == Reason.PAUSED


def test_a_pause_ends_by_itself_and_holds_through_a_night_without_ticks(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    actions.schedule(installation, at("10:10"), text="쉬는 동안")
    actions.pause(installation, None, at("10:15"), None)
    clock.set("11:00")
    run_tick(installation)
    found = installation.ledger.read([clock.now().date()]).deliveries.values()
    reasons = {d.slot.strftime("%H:%M"): d.reason for d in found}
    assert reasons["10:00"] == reasons["10:10"] == Reason.PAUSED
    assert reasons["10:30"] == Reason.NO_TICK
    assert texts(sandbox) == ["보고 2026-11-23 09:30", "보고 2026-11-23 11:00"]


def test_a_one_off_is_not_due_twice_when_two_ticks_overlap(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, "")
    actions.schedule(installation, clock.now() + timedelta(minutes=5), text="한 번만")
    clock.set("09:36")
    run_tick(installation)
    run_tick(installation)
    assert texts(sandbox) == ["한 번만"]


def test_an_idle_plan_knows_of_a_retry_of_days_before(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = '[[message]]\nname = "report"\ncron = "30 9 23 11 *"\ntext = "드물게"\n'
    installation = install(tmp_path, sandbox, clock, config)
    id_ = _fail_at_0930(installation, sandbox)
    clock.set("12:00", 26)
    actions.reopen(installation, id_, at("15:00", 26))
    run_tick(installation)
    seen = installation.snapshot()
    found = idle_span(seen, installation.ledger, installation.plan, installation.engine.policy)
    assert found is not None
    assert found.until == at("15:00", 26)
    clock.set("15:00", 26)
    run_tick(installation)
    assert texts(sandbox) == ["드물게"]


def test_a_retry_for_a_day_when_the_ledger_has_forgotten_it_is_refused(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    id_ = _fail_at_0930(installation, sandbox)
    with pytest.raises(UsageError, match="keep_days is 90"):
        actions.reopen(installation, id_, at("09:30") + timedelta(days=91))


def test_a_slot_that_will_rest_is_explained(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    actions.pause(installation, "report", at("12:00"), None)
    assert explain_minute(installation, at("11:00")).reason is Reason.PAUSED
    assert explain_minute(installation, at("12:00")).reason is None


def test_a_message_that_there_is_not_cannot_be_resumed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)

    with pytest.raises(UsageError, match="no message 'nope'"):
        actions.resume(installation, "nope")
    assert actions.resume(installation, "report") == 0
