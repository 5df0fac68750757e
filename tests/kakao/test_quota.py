"""Quotas: counted from the ledger, kept at run time, and told on the first day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.kakao.quota import Limits, Usage, used
from kakaocron.messages.faults import plan_faults
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from tests.fakes import FakeClock, install, kakao_section, run_tick, write_config

TO = '[friends]\nmum = "uuid-aaa"\n[[message]]\nname = "report"\nslots = ["peak"]\ntext = "x"\n'
FEW = "[schedule]\npeak_minutes = {minutes}\npeak_hours = {hours}\nregular_minutes = []\n"


def plan(to: str, minutes: list[int], hours: list[int]) -> str:
    return FEW.format(minutes=minutes, hours=hours) + TO + f"to = {to}\n"


def test_a_slot_beyond_the_quota_is_not_sent_and_ends_as_quota(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    """21 slots a day for one friend: the 21st is held back, the next day begins anew."""
    config = plan('["mum"]', [0, 20, 40], list(range(1, 9)))
    ends = []
    for day in (23, 24):
        for slot in range(24):
            clock.set(f"{1 + slot // 3:02d}:{slot % 3 * 20:02d}:01", day)
            report = run_tick(install(tmp_path, sandbox, clock, config))
            ends += list(report.ended.values())
    states = [(delivery.state, delivery.reason) for delivery in ends]
    fine, spent = (State.CONFIRMED, None), (State.FAILED, Reason.QUOTA)
    assert states == ([fine] * 20 + [spent] * 4) * 2
    assert len(sandbox.deliveries) == 40
    messages = [r for r in sandbox.requests if "message" in r.path]
    assert {request.outcome for request in messages} == {"200"}


def test_only_the_friend_whose_quota_is_spent_is_left_out(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    for slot in range(20):
        clock.set(f"{1 + slot // 3:02d}:{slot % 3 * 20:02d}:01")
        config = plan('["uuid-aaa"]', [0, 20, 40], list(range(1, 9)))
        run_tick(install(tmp_path, sandbox, clock, config))
    clock.set("08:00:01")
    config = plan('["me", "uuid-aaa", "uuid-bbb"]', [0, 20, 40], list(range(1, 9)))
    report = run_tick(install(tmp_path, sandbox, clock, config))
    delivery = report.ended["report@20261123T0800"]
    assert delivery.state is State.FAILED
    assert {name: r.state for name, r in delivery.targets.items()} == {
        "me": State.CONFIRMED,
        "uuid-aaa": State.FAILED,
        "uuid-bbb": State.CONFIRMED,
    }
    assert delivery.targets["uuid-aaa"].reason is Reason.QUOTA
    assert [d.receiver for d in sandbox.deliveries[-2:]] == ["me", "uuid-bbb"]


def test_messages_to_oneself_know_no_quota(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = plan('["me"]', [0, 20, 40], list(range(1, 9)))
    for slot in range(24):
        clock.set(f"{1 + slot // 3:02d}:{slot % 3 * 20:02d}:01")
        run_tick(install(tmp_path, sandbox, clock, config))
    assert len(sandbox.deliveries) == 24


@pytest.mark.parametrize(
    ("limits", "before", "wanted", "refused"),
    [
        (Limits(), {"a": 19}, {"a": 1}, []),
        (Limits(), {"a": 20}, {"a": 1}, ["a"]),
        (Limits(), {"a": 19}, {"a": 2}, ["a"]),
        (Limits(per_pair=200), {"a": 99}, {"a": 1}, []),
        (Limits(per_pair=200, per_sender=999), {"a": 100}, {"a": 1}, ["a"]),
        (Limits(), dict.fromkeys("abcde", 19), {"f": 5, "g": 1}, ["g"]),
        (Limits(per_sender=10**6, per_app=50), {"a": 20, "b": 20}, {"c": 10, "d": 1}, ["d"]),
        (Limits(), {"a": 20}, {"me": 99}, []),
    ],
)
def test_each_limit_to_its_edge(
    limits: Limits, before: dict[str, int], wanted: dict[str, int], refused: list[str]
) -> None:
    usage = Usage(date(2026, 11, 23), limits=limits)
    usage.counts.update(before)
    assert list(usage.spend(wanted)) == refused


def test_what_may_have_gone_counts_and_what_was_refused_does_not(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    clock.set("01:00:01")
    config = plan('["uuid-aaa", "uuid-bbb"]', [0], [1])
    sandbox.faults.enqueue("no-uuid")  # uuid-bbb: unknown
    installation = install(tmp_path, sandbox, clock, config)
    run_tick(installation)
    deliveries = installation.ledger.read([date(2026, 11, 23)]).deliveries
    assert used(deliveries.values(), date(2026, 11, 23)).counts == {"uuid-aaa": 1, "uuid-bbb": 1}
    assert not used(deliveries.values(), date(2026, 11, 24)).counts
    clock.set("01:00:01", 24)
    run_tick(install(tmp_path, sandbox, clock, plan('["uuid-aaa", "uuid-ccc"]', [0], [1])))
    later = installation.ledger.read([date(2026, 11, 24)]).deliveries
    usage = used(later.values(), date(2026, 11, 24))
    assert usage.counts == {"uuid-aaa": 1}
    # What is told again counts once, what is spent of a copy not at all.
    usage.note([*later.values(), *deliveries.values()])
    assert usage.left().spend({"uuid-aaa": 19}) == {}
    assert usage.counts == {"uuid-aaa": 1}


@pytest.mark.parametrize(("slots", "is_told"), [(20, False), (21, True)])
def test_a_plan_that_cannot_fit_is_known_on_the_first_day(
    slots: int,
    is_told: bool,
) -> None:
    config = parse_config(plan('["mum"]', list(range(slots)), [9]), "config.toml")
    faults = plan_faults(config.series(), date(2026, 11, 23), {"uuid-aaa": "mum"})
    assert bool(faults) == is_told
    assert all("'mum'" in fault and "21 messages" in fault for fault in faults)


def test_sixty_eight_slots_do_not_fit_a_friend_and_next_and_check_say_so(
    home: Path, sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    message = '[[message]]\nname = "r"\nslots = ["regular", "peak"]\ntext = "x"\nto = ["mum"]\n'
    write_config(home, kakao_section(sandbox) + '[friends]\nmum = "uuid-aaa"\n' + message)
    for command in (["config", "check"], ["next"], ["next", "--json"]):
        assert run(command) == 0
        said = capsys.readouterr()
        assert "68 messages to 'mum'" in said.err
        assert "cannot fit" not in said.out
