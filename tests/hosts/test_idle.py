"""Ticks of hosts that share a ledger and have nothing to do: a plan for some minutes, then one
question of the database."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from kakaocron import actions
from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.errors import Exit
from kakaocron.idle import is_idle_tick
from kakaocron.ledger.beats import Word
from kakaocron.ledger.lookup import find_delivery
from kakaocron.ledger.postgres import question
from kakaocron.ledger.postgres.tables import QUESTION, VERSION
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.sharing import ledger_url
from kakaocron.states import State
from kakaocron.system.places import find_places
from kakaocron.ticking.idle_plan import may_leave_at_once
from tests.fakes import MESSAGE, NOW, kakao_section, live_in
from tests.hosts.house import House
from tests.hosts.servers import Server

QUIET = MESSAGE.replace('["regular", "peak"]', '["regular"]')  # at :00 and :30


class Statements(list[str]):
    """Those that reach the database; none is cut."""

    def __init__(self, house: House) -> None:
        house.faults = [self.note]

    def note(self, statement: str, done: bool) -> bool:
        if not done:
            self.append(statement)
        return False


def leaves(house: House, name: str = "a") -> bool:
    """Say whether a tick on a host leaves at once."""
    return may_leave_at_once(house.places(name), house.edges(name))


def minutes(house: House, first: int, last: int) -> list[bool]:
    """Tick on host a at each of some minutes after nine; return which left at once."""
    found = []
    for minute in range(first, last + 1):
        house.clock.set(f"09:{minute}:01")
        found.append(leaves(house))
        if not found[-1]:
            house.tick("a", QUIET)
    return found


def test_an_idle_tick_asks_the_database_every_three_minutes_and_is_idle_all_the_same(
    house: House,
) -> None:
    house.clock.set("09:31:01")
    house.tick("a", QUIET)
    asked = Statements(house)

    asks = []
    for minute in range(32, 42):
        assert minutes(house, minute, minute) == [True]
        asks.append(QUESTION in asked)
        asked.clear()

    assert asks == [False, False, True, False, False, True, False, False, True, False]


def test_the_database_knows_of_all_idle_ticks(house: House) -> None:
    house.clock.set("09:31:01")
    house.tick("a", QUIET)
    minutes(house, 32, 34)

    other = house.host("b").heartbeat
    idle = [f"{one.at:%H:%M}" for one in other.tail(NOW.date()) if one.word is Word.IDLE]
    assert idle == ["09:32", "09:33", "09:34"]
    assert other.last_complete() == house.clock.now()
    (seen,) = house.host("b").shared.heartbeat.hosts()  # type: ignore[union-attr]
    assert (seen.name, seen.last_tick) == ("a", house.clock.now())


def test_a_one_off_booked_on_a_host_that_died_is_sent_by_another_inside_its_expiry(
    house: House,
) -> None:
    """Booked just after the other has asked; it is due at once."""
    house.clock.set("09:31:01")
    house.tick("a", QUIET)
    minutes(house, 32, 34)
    booked = actions.schedule(
        house.host("b"), house.clock.now() + timedelta(minutes=1), text="예약"
    )

    assert minutes(house, 35, 37) == [True, True, False]
    found = find_delivery(house.host("c").ledger, booked.id)
    assert (found.state, found.host) == (State.CONFIRMED, "a")


def rewritten(house: House, old: str, new: str) -> None:
    """Change what the plan knows."""
    (plan,) = (house.folder / "a").rglob("idle")
    content = plan.read_text()
    assert old in content
    plan.write_text(content.replace(old, new))


CHANGES: dict[str, Callable[[House], object]] = {
    "an event": lambda house: actions.schedule(
        house.host("b"), NOW.replace(hour=20, minute=0), text="예약"
    ),
    "a pause": lambda house: actions.pause(house.host("b"), "report", None, None),
    "its own timetables": lambda house: house.server.psql(
        "INSERT INTO kakaocron.document VALUES ('timetables a', 7, gen_random_uuid(), '')"
        " ON CONFLICT (name) DO UPDATE SET token = excluded.token"
    ),
    "a login": lambda house: house.server.psql(
        "INSERT INTO kakaocron.document VALUES ('login', 1, gen_random_uuid(), '')"
    ),
    "another place": lambda house: house.server.psql("UPDATE kakaocron.ledger SET moved_to = 'x'"),
    "another ledger": lambda house: house.server.psql(
        "UPDATE kakaocron.ledger SET id = gen_random_uuid()"
    ),
    "other tables": lambda house: house.server.psql(
        f"UPDATE kakaocron.ledger SET version = {VERSION + 1}"
    ),
    "its clock": lambda house: house.offsets.update(a=timedelta(seconds=1.2)),
    "its clock, behind": lambda house: house.offsets.update(a=timedelta(seconds=-1.2)),
    "a server that was put back": lambda house: rewritten(house, " 2026-11-22,", "0 2026-11-22,"),
    "no database": lambda house: house.cut_off("a"),
}
NO_CHANGES: dict[str, Callable[[House], object]] = {
    "nothing": lambda _: None,
    "another host's timetables": lambda house: house.tick("b", QUIET),
    "what was told": lambda house: house.host("b").shared.memory("incidents").write({"x": True}),  # type: ignore[union-attr]
    "a clock that is right enough": lambda house: house.offsets.update(a=timedelta(seconds=0.5)),
}


@pytest.mark.parametrize("what", [*CHANGES, *NO_CHANGES])
def test_whatever_has_changed_makes_the_tick_a_full_one(house: House, what: str) -> None:
    house.clock.set("09:31:01")
    house.tick("a", QUIET)
    (CHANGES | NO_CHANGES)[what](house)
    before = house.server.psql("SELECT count(*) FROM kakaocron.beat WHERE word = 'idle'")

    house.clock.set("09:33:40")
    assert leaves(house) is (what in NO_CHANGES)

    after = house.server.psql("SELECT count(*) FROM kakaocron.beat WHERE word = 'idle'")
    assert int(after) - int(before) == (what in NO_CHANGES)


def test_a_change_that_is_not_committed_yet_is_found_by_the_question_after_it(house: House) -> None:
    house.clock.set("09:31:01")
    database = house.database("other")
    house.tick("a", QUIET)
    insert = (
        "INSERT INTO kakaocron.event (day, id, n, token, host, lines)"
        " VALUES ('2026-11-23', 'x', 1, gen_random_uuid(), 'b', '') RETURNING 1"
    )
    database.ask("BEGIN")
    database.ask(insert)
    house.clock.set("09:33:40")
    assert leaves(house)
    database.ask("COMMIT")
    house.clock.set("09:36:20")
    assert not leaves(house)


# By libpq itself, as cron's tick asks.


@pytest.fixture
def lived_in(
    database: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer
) -> Path:
    """A home with a real clock, whose tick has just found nothing to do."""
    config = live_in(tmp_path, monkeypatch)
    far = f"[schedule]\nregular_minutes = [{(time.gmtime().tm_min + 30) % 60}]\npeak_hours = []\n"
    config.write_text(kakao_section(sandbox) + far + MESSAGE, "utf-8")
    monkeypatch.setenv("KAKAO_ACCESS_TOKEN", "token")
    monkeypatch.setenv("KAKAOCRON_LEDGER_URL", database.url)
    monkeypatch.setenv("KAKAOCRON_HOST", "a")
    assert run(["ledger", "init"]) == Exit.FINE
    assert run(["tick"]) == Exit.FINE
    (plan,) = tmp_path.rglob("idle")
    lines = plan.read_text().split("\n")
    since, until, ready_from, _, *end = lines[1].split(" ")
    lines[1] = lines[-2] = " ".join([since, until, ready_from, "0", *end])
    plan.write_text("\n".join(lines))
    return plan


def test_cron_s_tick_asks_by_libpq_and_leaves_the_plan_for_some_minutes_more(
    lived_in: Path, database: Server
) -> None:
    assert is_idle_tick(["tick"], os.environ)

    assert database.psql("SELECT word FROM kakaocron.beat ORDER BY at DESC LIMIT 1") == "idle"
    asks_from = int(lived_in.read_text().split("\n")[1].split(" ")[3]) / 1000
    assert 100 < asks_from - time.time() <= 150
    database.stop()
    try:
        assert is_idle_tick(["tick"], os.environ)  # it does not ask
    finally:
        database.start()


def test_cron_s_tick_is_a_full_one_if_anything_has_changed(
    lived_in: Path, database: Server
) -> None:
    database.psql("UPDATE kakaocron.ledger SET id = gen_random_uuid()")
    assert not is_idle_tick(["tick"], os.environ)


def test_a_server_that_is_away_or_silent_is_no_answer(
    lived_in: Path, database: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://kakaocron@127.0.0.1:{silent.getsockname()[1]}/kakaocron"
        monkeypatch.setattr(question, "SECONDS", 0.1)
        monkeypatch.setenv("KAKAOCRON_LEDGER_URL", url)
        assert not is_idle_tick(["tick"], os.environ)
        with pytest.raises(question.QuestionError, match="late"):
            question.ask_by_libpq(url)("SELECT true", [])
    assert not is_idle_tick(["tick"], os.environ)


def test_a_statement_that_is_slow_or_refused_is_no_answer(
    database: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = question.ask_by_libpq(database.url)
    assert ask("SELECT %s::text || %s::text", ["가", "나"]) == [["가나"]]
    for wrong in ("SELECT 1/0", "SELECT true WHERE false", "DO $$BEGIN RAISE WARNING 'x'; END$$"):
        with pytest.raises(question.QuestionError, match="refused"):
            ask(wrong, [])
    with pytest.raises(ValueError, match="NUL"):
        ask("SELECT %s::text", ["\0"])
    with pytest.raises(question.QuestionError, match="not an address"):
        question.ask_by_libpq("postgresql://x/y?nothing=1")("SELECT true", [])
    monkeypatch.setattr(question, "SECONDS", 0.3)
    with pytest.raises(question.QuestionError, match="late"):
        ask("SELECT pg_sleep(5)", [])


URLS = {
    "the variable": ({"KAKAOCRON_LEDGER_URL": "postgresql://v/x"}, ""),
    "its file": ({"KAKAOCRON_LEDGER_URL_FILE": "url"}, ""),
    "systemd's or Kubernetes' file": ({"CREDENTIALS_DIRECTORY": "{folder}/secrets"}, ""),
    "the configuration": ({}, '[ledger]\nurl = "postgresql://c/x"\n'),
    "the variable before it": (
        {"KAKAOCRON_LEDGER_URL": "postgresql://v/x"}, '[ledger]\nurl = "postgresql://c/x"\n',
    ),
    "a profile": (
        {"ENVIRONMENT": "testing"},
        '[ledger]\nurl = "postgresql://c/x"\n[profile.testing.ledger]\nurl = "postgresql://p/x"\n',
    ),
    "another profile": (
        {"ENVIRONMENT": "testing"},
        '[ledger]\nurl = "postgresql://c/x"\n[profile.production.ledger]\nurl = "postgresql://p/"\n',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", URLS)
def test_the_question_goes_where_a_full_tick_goes(tmp_path: Path, name: str) -> None:
    variables, config = URLS[name]
    known = {key: value.format(folder=tmp_path) for key, value in variables.items()}
    path = tmp_path / "config.toml"
    path.write_text(config + MESSAGE)
    (tmp_path / "url").write_text("postgresql://f/x\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "kakaocron_ledger_url").write_text("postgresql://k/x\n")
    places = find_places(path, {"HOME": str(tmp_path), **known})

    expected = ledger_url(places, parse_config(path.read_text(), str(path), places.profile))
    assert question.find_url(known, str(path), str(tmp_path)) == expected
