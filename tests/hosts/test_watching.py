"""What is shown of hosts that share a ledger: status, history, explain, metrics, doctor."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kakaocron.doctor.database import database as examined
from kakaocron.doctor.finding import Bench, Status
from kakaocron.host.crontab import SystemCrontab, job_of
from kakaocron.host.probe import Machine
from kakaocron.kst import DAY
from kakaocron.ledger.beats import NOTHING, Beat, Word
from kakaocron.ledger.deliveries import delivery_fields
from kakaocron.ledger.lookup import find_delivery
from kakaocron.ledger.postgres.beats import SharedHeartbeat, hand_on
from kakaocron.ledger.postgres.tables import GRANTS
from kakaocron.show.pictures import print_explanation, print_overview
from kakaocron.system.places import Places
from kakaocron.watching.explain import Explanation
from kakaocron.watching.overview import Overview, explain_minute, health_of, look
from kakaocron.watching.prometheus import metrics_of
from tests.fakes import NOW, FakeClock, install
from tests.hosts.house import House

SLOT = "report@20261123T0930"


@pytest.fixture
def morning(house: House) -> House:
    """Host a sent at :30, host b, whose clock is ahead, ticked a minute later."""
    house.offsets["b"] = timedelta(seconds=1.5)
    house.tick("a")
    house.clock.set("09:31:01")
    house.tick("b")
    house.clock.set("09:31:03")
    return house


def seen(house: House) -> Overview:
    return look(house.host("c"))


def test_status_tells_of_every_host(morning: House, capsys: pytest.CaptureFixture[str]) -> None:
    overview = seen(morning)

    assert overview.hosts is not None
    assert f"{overview.hosts[1].last_tick:%H:%M:%S}" == "09:31:01"
    assert overview.fields()["hosts"] == [
        {"name": "a", "last_tick": "2026-11-23T09:30:01+09:00", "clock_offset_seconds":
            pytest.approx(0, abs=0.4), "sent_today": 1},
        {"name": "b", "last_tick": overview.hosts[1].fields()["last_tick"], "clock_offset_seconds":
            pytest.approx(1.5, abs=0.4), "sent_today": 0},
    ]  # fmt: skip
    assert overview.is_running
    print_overview(overview, {})
    assert "host b: last tick 2 s ago, clock +1." in capsys.readouterr().out


def test_a_ledger_of_one_s_own_names_no_host(
    tmp_path: Path, house: House, clock: FakeClock
) -> None:
    fields = look(install(tmp_path / "alone", house.sandbox, clock)).fields()

    assert "hosts" not in fields
    assert not any("host" in one for one in fields["today"])


def test_history_names_the_host_that_sent(morning: House) -> None:
    fields = delivery_fields(find_delivery(morning.host("c").ledger, SLOT))

    assert fields["host"] == "a"
    assert list(fields)[-1] == "host"


def test_explain_names_the_host_of_each_tick(
    morning: House, capsys: pytest.CaptureFixture[str]
) -> None:
    found: Explanation = explain_minute(morning.host("c"), NOW.replace(second=0))

    assert [(one["word"], one["host"]) for one in found.fields()["ticks"]] == [
        ("start", "a"), ("done", "a"),
    ]  # fmt: skip
    print_explanation(found)
    assert "09:30:01 done a" in capsys.readouterr().out


def test_metrics_tell_of_every_host(morning: House) -> None:
    overview = seen(morning)
    text = metrics_of(overview, health_of(overview, morning.host("c").config.monitor))

    found = {
        (one.name, one.labels.get("host")): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }
    assert found["kakaocron_host_last_tick_timestamp_seconds", "a"] == NOW.timestamp()
    assert found["kakaocron_host_sent_today", "a"] == 1
    assert found["kakaocron_host_clock_offset_seconds", "b"] == pytest.approx(1.5, abs=0.4)


def bench(house: House) -> Bench:
    here = house.host("c")
    places: Places = here.places
    now = house.clock.now()
    return Bench(places, Machine(), SystemCrontab(), job_of(places), now, here)


def findings(house: House) -> dict[str, tuple[Status, str]]:
    return {one.name: (one.status, one.what) for one in examined(bench(house))}


def test_doctor_looks_at_the_database_and_the_hosts(morning: House) -> None:
    morning.clock.set("09:34:30")
    found = findings(morning)

    # The tests' server is a fast one: fsync is off.
    status, said = found.pop("database-durability")
    assert (status, "may go out twice" in said) == (Status.FAIL, True)
    assert {name: status for name, (status, _) in found.items()} == dict.fromkeys(
        ["database", "database-rights", "database-timeouts", "clock-database",
         "database-latency", "host"], Status.OK,
    )  # fmt: skip
    assert found["host"][1].startswith("b: last tick 2026-11-23 09:31:01")
    hosts = [one.status for one in examined(bench(morning)) if one.name == "host"]
    assert hosts == [Status.WARN, Status.OK]


@pytest.mark.parametrize(
    ("setting", "status", "said"),
    [
        ("fsync = on", Status.OK, "one server, no standby"),
        ("synchronous_commit = off", Status.FAIL, "a crash of the server can forget a claim"),
        ("synchronous_commit = local", Status.OK, "one server, no standby"),
    ],
)
def test_doctor_says_what_can_make_the_database_forget_a_claim(
    house: House, setting: str, status: Status, said: str
) -> None:
    names = [part.split(" ")[0] for part in ("fsync x", "synchronous_commit x")]
    house.server.psql("ALTER SYSTEM SET fsync = on", f"ALTER SYSTEM SET {setting}",
                      "SELECT pg_reload_conf()")  # fmt: skip
    try:
        found = findings(house)["database-durability"]
    finally:
        house.server.psql(*[f"ALTER SYSTEM RESET {name}" for name in names],
                          "SELECT pg_reload_conf()")  # fmt: skip

    assert found[0] is status
    assert said in found[1]


def test_doctor_names_the_rights_that_a_role_lacks(house: House) -> None:
    grants = [one.format(role="half") for one in GRANTS]
    house.server.psql("DROP ROLE IF EXISTS half", "CREATE ROLE half LOGIN", *grants,
                      "REVOKE UPDATE ON kakaocron.event FROM half")  # fmt: skip
    try:
        house.url = house.url.replace("kakaocron@", "half@")
        found = findings(house)["database-rights"]
    finally:
        house.server.psql("DROP OWNED BY half", "DROP ROLE half")

    assert found == (Status.FAIL, "the role lacks: event: UPDATE")


@pytest.mark.parametrize(
    ("more", "said"),
    [("?keepalives=0", "keepalives"), ("?tcp_user_timeout=0&connect_timeout=60",
                                       "connect_timeout, tcp_user_timeout")],
)  # fmt: skip
def test_doctor_names_time_outs_that_are_too_long(house: House, more: str, said: str) -> None:
    house.url += more

    assert findings(house)["database-timeouts"] == (
        Status.WARN, f"the address sets {said}: a server that has gone silent is noticed late",
    )  # fmt: skip


def test_doctor_says_so_when_the_database_is_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kakaocron.ledger.postgres.connection.ASKING_SECONDS", 0.1)
    house.faults = [lambda *_: True]

    (found,) = examined(bench(house))
    assert found.status is Status.FAIL
    assert "cannot be used" in found.what


@pytest.mark.parametrize(
    ("off", "status"), [(-2.1, Status.FAIL), (0.4, Status.OK), (2.1, Status.FAIL)]
)
def test_doctor_shows_a_clock_that_is_off_the_database_s(
    house: House, off: float, status: Status
) -> None:
    house.offsets["c"] = timedelta(seconds=off)
    found = findings(house)["clock-database"]
    assert (found[0], f"{off:+g}"[:4] in found[1]) == (status, True)


def test_the_days_that_have_beats_are_those_of_korea(house: House) -> None:
    """At midnight in Korea it is three in the afternoon of the day before in UTC."""
    heartbeat = house.host("a").heartbeat
    instants = ["2026-08-31 23:59:59.999", "2026-09-01 00:00:00", "2026-11-22 15:00:00"]
    beats = {Beat(datetime.fromisoformat(f"{at}+09:00"), Word.IDLE, 0, NOTHING) for at in instants}
    hand_on(house.database(), "b", beats)

    assert [f"{day}" for day in heartbeat.days()] == ["2026-08-31", "2026-09-01", "2026-11-22"]


def test_the_first_beat_of_a_day_is_that_of_the_first_host(house: House) -> None:
    heartbeat = house.host("a").heartbeat
    assert heartbeat.first(NOW.date()) is None

    hand_on(
        house.database(),
        "b",
        {Beat(NOW, Word.IDLE, 0, NOTHING), Beat(NOW + DAY, Word.IDLE, 0, NOTHING)},
    )
    heartbeat.beat(NOW - timedelta(seconds=1), Word.START, 0)
    heartbeat.beat(NOW + timedelta(seconds=1), Word.START, 0)
    first = heartbeat.first(NOW.date())

    assert first is not None
    assert first.at == NOW - timedelta(seconds=1)


def test_a_tick_reads_a_few_of_the_beats_however_many_there_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats = {Beat(NOW - timedelta(seconds=n), Word.IDLE, 0, NOTHING) for n in range(3000)}
    hand_on(house.database(), "b", beats)
    read: list[int] = []
    asked = SharedHeartbeat._asked

    def counted(self: SharedHeartbeat, *given: Any) -> Any:
        rows = asked(self, *given)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(SharedHeartbeat, "_asked", counted)
    house.tick("a")

    assert max(read) < 100
