"""`kakaocron ledger init|copy|verify` over a real server."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from kakaocron import actions
from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.errors import Exit, LedgerError, UsageError
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.ledger.beats import Word
from kakaocron.ledger.deliveries import delivery_fields
from kakaocron.ledger.lookup import deliveries_of
from kakaocron.ledger.postgres.making import make_tables
from kakaocron.ledger.postgres.tables import GRANTS, MIGRATIONS, VERSION
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import State
from kakaocron.system.places import Places
from kakaocron.system.syscalls import RealDisk
from tests.fakes import MESSAGE, NOW, FakeClock, kakao_section, live_in, run_tick
from tests.hosts.house import House
from tests.hosts.servers import Server
from tests.years import write_days


def in_files(house: House, name: str = "a") -> Installation:
    """Return what a host is before it shares anything."""
    known = house.places(name)
    variables = {"KAKAO_REFRESH_TOKEN": house.token}
    places = Places(known.config, known.data, known.log, variables)
    parsed = parse_config(kakao_section(house.sandbox) + MESSAGE, str(places.config))
    return assemble(places, parsed, Edges(clock=house.clock, disk=RealDisk()))


def history(here: Installation) -> str:
    days = here.ledger.days()
    found = [delivery_fields(one) for day in days for one in deliveries_of(here.ledger, day)]
    return json.dumps(found, ensure_ascii=False)


def copied(house: House, to: str, name: str = "a") -> object:
    from kakaocron import carrying  # noqa: PLC0415

    here = house.host(name)
    return carrying.into_database(here, to) if "://" in to else carrying.into_folder(here, to)


def test_tables_are_made_once_and_by_one(house: House) -> None:
    assert make_tables(house.database()) == VERSION
    assert len(MIGRATIONS) == VERSION


def test_without_tables_it_is_said_how_to_make_them(house: House) -> None:
    house.server.psql("SET client_min_messages = error", "DROP SCHEMA kakaocron CASCADE")

    with pytest.raises(LedgerError, match=r"no tables of kakaocron.*kakaocron ledger init"):
        house.tick("a")


@pytest.mark.parametrize(("version", "said"), [(VERSION + 1, "later"), (VERSION - 1, "earlier")])
def test_tables_of_another_version_are_left_alone(house: House, version: int, said: str) -> None:
    house.server.psql(f"UPDATE kakaocron.ledger SET version = {version}")

    with pytest.raises(LedgerError, match=f"those of a[n]? {said} kakaocron"):
        house.tick("a")
    assert house.texts() == []


def test_a_role_that_may_only_send_is_enough(house: House) -> None:
    grants = [one.format(role="sender") for one in GRANTS]
    house.server.psql("DROP ROLE IF EXISTS sender", "CREATE ROLE sender LOGIN", *grants)
    try:
        house.url = house.url.replace("kakaocron@", "sender@")
        house.tick("a")
        actions.pause(house.host("b"), None, None, None)
        house.clock.at += timedelta(days=1)
        house.tick("b")

        assert len(house.texts()) == 1
        with pytest.raises(LedgerError, match=r"permission denied"):
            house.database().ask("UPDATE kakaocron.ledger SET version = 7 RETURNING 1")
    finally:
        house.server.psql("DROP OWNED BY sender", "DROP ROLE sender")


def test_history_carried_over_and_back_is_the_same_byte_for_byte(house: House) -> None:
    files = in_files(house)
    write_days(Path(files.places.ledger), list(files.config.series()), NOW, 40)
    before, lines = history(files), sum(1 for _ in _all_lines(files))

    done = copied(house, house.url)
    assert (done.days, done.lines, done.is_moved) == (40, lines, True)  # type: ignore[attr-defined]
    assert history(house.host("b")) == before
    assert house.host("b").ledger.verify()[1] == []

    elsewhere = house.folder / "elsewhere"
    copied(house, str(elsewhere))
    for path in Path(files.places.ledger).glob("*.jsonl"):
        assert (elsewhere / path.name).read_bytes() == path.read_bytes()


def _all_lines(files: Installation) -> list[bytes]:
    paths = sorted(Path(files.places.ledger).glob("*.jsonl"))
    return [line for path in paths for line in path.read_bytes().splitlines()]


def test_promises_go_on_without_a_gap_from_files_into_the_database_and_back(house: House) -> None:
    files = in_files(house)
    run_tick(files)
    once = actions.schedule(files, NOW.replace(minute=40, second=0), text="예약").id
    actions.pause(files, "report", NOW.replace(minute=50), "점심")

    copied(house, house.url)
    with pytest.raises(LedgerError, match=r"was carried over to '127\.0\.0\.1/kakaocron'"):
        run_tick(files)
    house.clock.set("09:31:01")
    assert house.tick("b").due == ()  # it knows what was sent, though it is new
    house.clock.set("09:40:01")
    house.tick("b")
    house.clock.set("10:00:01")
    house.tick("b")

    copied(house, files.places.ledger)
    house.clock.set("10:01:01")
    with pytest.raises(LedgerError, match=r"carried over"):
        house.tick("b")
    assert run_tick(in_files(house)).due == ()

    assert house.texts() == ["보고 2026-11-23 09:30", "예약", "보고 2026-11-23 10:00"]
    found = {one.id: one.state for one in deliveries_of(files.ledger, NOW.date())}
    assert found.pop(once) is State.CONFIRMED
    assert found == {
        "report@20261123T0930": State.CONFIRMED,
        "report@20261123T0945": State.MISSED,
        "report@20261123T1000": State.CONFIRMED,
    }


def test_what_was_not_carried_over_keeps_anything_from_being_sent_twice(house: House) -> None:
    run_tick(in_files(house))

    with pytest.raises(LedgerError, match=r"was not carried over.*kakaocron ledger copy"):
        house.tick("a")
    assert len(house.texts()) == 1


def test_a_process_that_was_at_the_files_when_they_were_carried_over_stops(house: House) -> None:
    files = in_files(house)
    with files.ledger.open() as book:
        assert book.read([NOW.date()]).deliveries == {}
    copied(house, house.url)

    with pytest.raises(LedgerError, match=r"carried over"), files.ledger.open():
        pass


def test_carrying_over_again_adds_what_is_new_and_never_mixes_histories(house: House) -> None:
    run_tick(in_files(house))
    copied(house, house.url)
    again = copied(house, house.url)
    assert (again.days, again.lines) == (1, 0)  # type: ignore[attr-defined]

    run_tick(in_files(house, "other"))
    with pytest.raises(UsageError, match=r"holds other history"):
        copied(house, house.url, "other")


def test_what_is_damaged_is_not_carried_over(house: House) -> None:
    files = in_files(house)
    run_tick(files)
    path = next(Path(files.places.ledger).glob("*.jsonl"))
    path.write_bytes(path.read_bytes().replace("보고".encode(), "보과".encode(), 1))

    with pytest.raises(LedgerError, match=r"is damaged, so nothing was carried over"):
        copied(house, house.url)


def test_beats_are_carried_over_so_that_slots_are_owed_since_the_last_of_them(
    house: House,
) -> None:
    files = in_files(house)
    files.heartbeat.beat(NOW, Word.DONE, 0)
    copied(house, house.url)

    assert house.host("b").heartbeat.last_complete() == NOW


def test_the_commands(
    database: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    secret = "a-password-that-nobody-may-see"
    url = database.url.replace("kakaocron@", f"kakaocron:{secret}@")
    live_in(tmp_path, monkeypatch).write_text(kakao_section(sandbox) + MESSAGE, "utf-8")
    assert run(["ledger", "init"]) == Exit.USAGE
    (tmp_path / "url").write_text(url)
    monkeypatch.setenv("KAKAOCRON_LEDGER_URL_FILE", str(tmp_path / "url"))
    assert run(["ledger", "verify"]) == Exit.LEDGER
    assert run(["ledger", "init"]) == Exit.FINE
    assert run(["ledger", "init"]) == Exit.FINE
    assert run(["ledger", "copy", "--to", database.url]) == Exit.FINE
    assert run(["ledger", "verify"]) == Exit.FINE
    assert run(["ledger", "prune", "--days", "7"]) == Exit.FINE
    assert run(["ledger", "copy", "--to", str(tmp_path / "out")]) == Exit.FINE
    assert run(["ledger", "copy", "--to", "mysql://x/y"]) == Exit.USAGE
    assert run(["config", "show"]) == Exit.FINE
    database.stop()
    try:
        monkeypatch.setattr("kakaocron.ledger.postgres.connection.ASKING_SECONDS", 0.1)
        assert run(["status"]) == Exit.LEDGER
    finally:
        database.start()

    said = "".join(capsys.readouterr())
    assert said.count("The tables in '127.0.0.1/kakaocron' are made") == 1
    assert said.count("are up to date") == 1
    assert "no tables of kakaocron" in said
    assert "The ledger is there from now on" in said
    assert secret not in said + (tmp_path / "log" / "kakaocron.log").read_text()
