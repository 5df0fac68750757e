"""Histories of several hosts over one database, and bugs put in on purpose: each is found."""

from __future__ import annotations

import dataclasses
import logging
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

import pytest
from msgspec.structs import replace

pytest.importorskip("psycopg", reason="the extra postgres is not installed")

from kakaocron.delivery import claims, policy, snapshot, tick
from kakaocron.doctor import database as doctor
from kakaocron.doctor.finding import Status
from kakaocron.installation import assemble
from kakaocron.kst import KST
from kakaocron.ledger.beats import COMPLETE
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.postgres import book, connection
from kakaocron.ledger.postgres.book import PostgresLedger, Row
from kakaocron.ledger.postgres.connection import SharedClock
from kakaocron.ledger.postgres.tables import RECORD
from kakaocron.rehearsal.simulation import database
from kakaocron.rehearsal.simulation.__main__ import span
from kakaocron.rehearsal.simulation.campaign import Tally, configs, play_by_hosts
from kakaocron.rehearsal.simulation.chaos import CALM, Dials
from kakaocron.rehearsal.simulation.database import (
    LineDials,
    SimulatedServer,
    UnknownStatementError,
)
from kakaocron.rehearsal.simulation.event_loop import EventLoop
from kakaocron.rehearsal.simulation.hosts import DatabaseDials, HostsWorld
from kakaocron.rehearsal.simulation.process import Process
from kakaocron.rehearsal.simulation.world import edges_of
from kakaocron.states import Reason, State

pytestmark = pytest.mark.usefixtures("uncounted")

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def no_token(patch: Patch) -> None:
    """Take whatever row comes back for one's own, as an insert without a token has to."""
    patch.setattr(book, "uuid4", lambda: "00000000-0000-0000-0000-000000000000")


def new_token_on_a_retry(patch: Patch) -> None:
    """Ask with another token once more, and look for that one."""
    ask = connection.Database._ask

    def anew(self: Any, statement: str, parameters: Sequence[Any]) -> Any:
        if statement == RECORD:
            count, tokens = self.__dict__.setdefault("tries", {}), parameters[4]
            one = tokens[0], tuple(parameters[3])
            tries = count[one] = count.get(one, -1) + 1
            if tries:
                new = [f"{tries:08x}{token[8:]}" for token in tokens]
                return ask(self, statement, (*parameters[:4], new, *parameters[5:]))
        return ask(self, statement, parameters)

    patch.setattr(connection.Database, "_ask", anew)


def look_up_by_transaction_status(patch: Patch) -> None:
    """Ask the server what became of the transaction's number, not whose the row is."""
    execute = connection.Database._execute
    committed: dict[SimulatedServer, set[int]] = {}
    run = SimulatedServer.run

    def ran(self: SimulatedServer, statement: str, parameters: Any, **options: Any) -> Any:
        first = self.next_xid if options.get("xid") is None else options["xid"]
        rows = run(self, statement, parameters, **options)
        if statement == RECORD:
            committed.setdefault(self, set()).add(first)
        return rows

    patch.setattr(SimulatedServer, "run", ran)

    def asked(self: Any, statement: str, parameters: Sequence[Any]) -> Any:
        if statement != RECORD:
            return execute(self, statement, parameters)
        known = self.__dict__.setdefault("numbers", {})
        token = parameters[4][0]
        server = self._server
        if token in known and known[token] in committed.get(server, ()):
            self.__dict__.setdefault("trusted", set()).add(token)
            return [(one, 0) for one in parameters[4]]
        known[token] = server.next_xid
        return execute(self, statement, parameters)

    patch.setattr(connection.Database, "_execute", asked)
    lost = PostgresLedger.lost

    def trusting(self: PostgresLedger, receipt: Any) -> Any:
        row: Row = receipt.place
        is_trusted = row.token in self.database.__dict__.get("trusted", ())
        return None if is_trusted else lost(self, receipt)

    patch.setattr(PostgresLedger, "lost", trusting)


def lease_by_the_hosts_clock(patch: Patch) -> None:
    """Go by this host's clock alone, however far it is off."""
    patch.setattr(SharedClock, "now", lambda self: self.host.now())
    patch.setattr(SharedClock, "latest", lambda self: self.host.now())
    patch.setattr(SharedClock, "check", lambda _: None)
    lost = PostgresLedger.lost

    def timeless(self: PostgresLedger, receipt: Any) -> Any:
        why = lost(self, receipt)
        return why if why and why[0] is Reason.LEDGER_DAMAGED else None

    patch.setattr(PostgresLedger, "lost", timeless)


def heartbeat_as_evidence(patch: Patch) -> None:
    """Take it that a host of which no tick has ended since its claim is dead: send it at once."""
    decide_by, is_ours = snapshot.decide_by, claims.is_ours

    def is_dead(seen: snapshot.Snapshot, one: Delivery) -> bool:
        return one.state is State.SENDING and not any(
            beat.host == one.host
            and beat.at >= one.attempts[-1].claimed_at
            and beat.word in COMPLETE
            for beat in seen.beats.on(seen.now.date())
        )

    def without_the_dead(seen: snapshot.Snapshot, *rest: Any) -> policy.Decision:
        known = {id_: one for id_, one in seen.view.deliveries.items() if not is_dead(seen, one)}
        return decide_by(replace(seen, view=replace(seen.view, deliveries=known)), *rest)

    patch.setattr(tick, "decide_by", without_the_dead)
    patch.setattr(
        claims,
        "is_ours",
        lambda one, *rest: (one is not None and one.state is State.SENDING) or is_ours(one, *rest),
    )


MINUTES = 240
# More than 5,000 minutes of two to five hosts; in nine of them a person gives orders.
SEEDS = (
    2, 3, 6, 8, 12, 13, 19, 23, 26, 32, 39, 46, 51, 53, 55, 56, 59, 62, 64, 65, 66, 67, 69,
)  # fmt: skip
CUT = LineDials(cut=0.1, late=0.02)
MUTANTS: dict[Callable[[Patch], None], tuple[DatabaseDials, LineDials, Dials]] = {
    no_token: (DatabaseDials(), LineDials(), CALM),
    new_token_on_a_retry: (DatabaseDials(), CUT, CALM),
    look_up_by_transaction_status: (
        DatabaseDials(fail_over=0.3),
        LineDials(cut=0.1, slow=0.2),
        CALM,
    ),
    lease_by_the_hosts_clock: (DatabaseDials(), LineDials(), Dials(clock_step=0.1)),
    heartbeat_as_evidence: (DatabaseDials(), LineDials(), Dials(network=0.3, kill=0.05, pause=0.1)),
}


def played(
    seed: int, database: DatabaseDials, line: LineDials, host: Dials, **options: Any
) -> tuple[str, ...]:
    config = configs(1)[0]
    return HostsWorld(seed, config, [host] * 3, 60, database, line, **options).play().breaches


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_seeded_bug_is_found(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    dials = MUTANTS[mutant]
    assert [played(seed, *dials) for seed in range(2)] == [(), ()]
    mutant(monkeypatch)
    assert any(played(seed, *dials) for seed in range(40))


@pytest.mark.parametrize("first", range(0, len(SEEDS), 8))
def test_no_promise_is_broken_by_hosts_that_share_a_ledger(first: int) -> None:
    found = [play_by_hosts(seed, MINUTES) for seed in SEEDS[first : first + 8]]

    assert [one.breaches for one in found] == [()] * len(found)
    assert len({one.hosts for one in found}) > 1


def test_more_than_5000_minutes_are_played_by_two_to_five_hosts() -> None:
    assert len(SEEDS) * MINUTES >= 5000
    assert {play_by_hosts(seed, 1).hosts for seed in SEEDS} == {2, 3, 4, 5}


def test_one_seed_is_one_history_of_several_hosts() -> None:
    assert play_by_hosts(3, 60) == play_by_hosts(3, 60)


def test_a_standby_that_is_not_waited_for_forgets_claims_and_doctor_says_so() -> None:
    """Nothing but what the fail-over has forgotten goes out twice."""
    config, often = configs(1)[0], DatabaseDials(fail_over=0.5)
    found: list[str] = []
    for seed in range(6):
        world = HostsWorld(seed, config, [CALM] * 2, 60, often, LineDials(), is_synchronous=False)
        breaches = world.play().breaches
        forgotten = {id_.replace("@", "|") for id_ in world.server.forgotten}
        twice = [one for one in breaches if one.startswith("twice: ")]
        assert {one.split()[1] for one in twice} <= forgotten
        found += twice
    assert found
    process = Process(world.hosts[0], 1, "doctor")
    installation = assemble(world.hosts[0].places, config, edges_of(world.hosts[0], process))
    assert installation.shared is not None
    settings: dict[str, str] = dict(installation.shared.database.ask(doctor._SETTINGS))
    (said,) = doctor._durability(installation.shared, settings)
    assert (said.status, "a fail-over can forget a claim" in said.what) == (Status.FAIL, True)


def test_what_was_played_is_said_with_a_command_that_plays_it_again() -> None:
    outcome = play_by_hosts(3, 60, 2, 4)
    tally = Tally()
    tally.add(outcome)
    tally.add(dataclasses.replace(outcome, breaches=("twice: x",)))

    lines = "\n".join(tally.lines())
    assert f"     2 of these, histories of {outcome.hosts} hosts over one database" in lines
    assert "simulation --seed 3 --length 60 --hosts 2-4  # twice: x" in lines


@pytest.mark.parametrize(
    ("text", "found"), [("2", (2, 2)), ("2-5", (2, 5)), ("1", None), ("5-2", None), ("x", None)]
)
def test_so_many_hosts(text: str, found: tuple[int, int] | None) -> None:
    if found is not None:
        assert span(text) == found
        return
    with pytest.raises(ArgumentTypeError, match="is not 2 or more"):
        span(text)


# The CRC-32 of each statement as it was when the model's function for it was last looked at.
MODELLED = {
    "add_beats": 0x9E30A02D,
    "beat_days": 0xE3F395B0,
    "beats_on": 0x046272A2,
    "days": 0xB3566CFA,
    "editions": 0x1CB7E821,
    "first_beat": 0x81E3A6FF,
    "give_back": 0x18993A69,
    "hosts": 0x981201F3,
    "last_complete": 0xFD7714AC,
    "last_of_mine": 0x76D53323,
    "look": 0x4AE3E54E,
    "mark": 0xD062B895,
    "now": 0x3E22B7A6,
    "prune_beats": 0x583AED55,
    "prune_events": 0x7AE63549,
    "question": 0x80E19E3E,
    "read": 0x6ECF7414,
    "read_document": 0x7C660F0D,
    "record": 0x33CA5369,
    "settings": 0x4DE895FE,
    "show": 0x2CAE3E50,
    "standbys": 0x434FBBCD,
    "state": 0xA86538D4,
    "take": 0x227DC238,
    "write_document": 0x5D6E2DB9,
}


def test_who_changes_a_statement_looks_at_what_the_model_makes_of_it() -> None:
    found = {work.__name__: crc32(text.encode()) for text, work in database._STATEMENTS.items()}

    assert {name.lstrip("_"): crc for name, crc in found.items()} == MODELLED


def test_a_statement_that_the_simulator_does_not_know_is_said() -> None:
    server = SimulatedServer(EventLoop(), datetime(2026, 11, 23, tzinfo=KST))
    with pytest.raises(UnknownStatementError, match="SELECT 1"):
        server.run("SELECT 1", ())
