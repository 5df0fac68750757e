"""Hosts that share a ledger: each with folders and a clock of its own, over one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from kakaocron.config.reading import parse_config
from kakaocron.delivery.tick import Ended, TickReport
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.ledger.postgres.connection import Database, Rows, SharedClock
from kakaocron.ledger.postgres.making import make_tables
from kakaocron.ledger.postgres.tables import LOOK, NOW, QUESTION, STATE
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.places import Places
from kakaocron.ticking.runner import run_full
from tests.fakes import MESSAGE, FakeClock, kakao_section
from tests.hosts.servers import Server

# Where the instant stands in what a statement returns.
_INSTANTS = {STATE: 3, NOW: 0, LOOK: 1}


Fault = Callable[[str, bool], bool]  # of a statement that is done or not: whether it is cut


class House:
    """The database's clock is the test's; each host may be off it by an offset of its own."""

    def __init__(
        self, folder: Path, server: Server, sandbox: SandboxServer, clock: FakeClock
    ) -> None:
        self.folder = folder
        self.server = server
        self.url = server.url
        self.sandbox = sandbox
        self.clock = clock
        self.offsets: dict[str, timedelta] = {}
        self.said: list[str] = []
        self.variables: dict[str, str] = {}
        self.token = sandbox.kakao.issue_login(clock.now()).refresh_token
        self.databases: list[Database] = []
        self.faults: list[Fault] = []

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        for database in self.databases:
            database.close()

    def database(self, host: str = "test") -> Database:
        return self._asker(self.url, host, SharedClock(_OffClock(self, host)))

    def make_tables(self) -> int:
        return make_tables(self.database())

    def host(self, name: str, config: str = MESSAGE, **edges: Any) -> Installation:
        """Assemble what a new process would find on a host."""
        return assemble(*self._parts(name, config, **edges))

    def tick(self, name: str, config: str = MESSAGE, **edges: Any) -> TickReport:
        """Run a full tick on a host. Raises what has stopped it."""
        ended = self.ended(name, config, **edges)
        if ended.error is not None:
            raise ended.error
        assert ended.report is not None
        return ended.report

    def ended(self, name: str, config: str = MESSAGE, **edges: Any) -> Ended:
        places, parsed, around = self._parts(name, config, **edges)
        load = lambda: assemble(places, parsed, around)  # noqa: E731
        return run_full(places, around, load, self.said.append)

    def places(self, name: str) -> Places:
        folder = self.folder / name
        variables = {
            "KAKAO_REFRESH_TOKEN": self.token,
            "KAKAOCRON_LEDGER_URL": self.url,
            "KAKAOCRON_HOST": name,
            **self.variables,
        }
        return Places(folder / "config.toml", folder / "data", folder / "log", variables)

    def _parts(self, name: str, config: str, **edges: Any) -> tuple[Places, Any, Edges]:
        places = self.places(name)
        parsed = parse_config(kakao_section(self.sandbox) + config, str(places.config))
        clock = _OffClock(self, name)
        return places, parsed, Edges(**{"clock": clock, "make_asker": self._asker, **edges})

    def edges(self, name: str) -> Edges:
        return self._parts(name, MESSAGE)[2]

    def _asker(self, url: str, host: str, clock: SharedClock) -> Database:
        # How long a test takes must not look like a clock's fault.
        clock.elapsed = self._seconds
        database = _Timed(url, host, clock)
        database.house = self
        self.databases.append(database)
        return database

    def cut_off(self, host: str | None) -> None:
        """Let a host reach the database no more, in whichever process; None: let all reach it."""
        for path in self.folder.glob("cut-*"):
            path.unlink()
        if host is not None:
            (self.folder / f"cut-{host}").touch()

    def cut(self, statement: str, *, is_done: bool) -> None:
        """Raise what a connection that is cut raises, where a fault says so."""
        for fault in self.faults:
            if fault(statement, is_done):
                raise psycopg.OperationalError("the connection was cut")

    def _seconds(self) -> float:
        return float(self.clock.at.timestamp())

    def texts(self) -> Sequence[str]:
        return [delivery.text for delivery in self.sandbox.deliveries]


class _OffClock(FakeClock):
    def __init__(self, house: House, name: str) -> None:
        self.house = house
        self.name = name

    @property
    def at(self) -> Any:
        return self.house.clock.at + self.house.offsets.get(self.name, timedelta(0))

    @at.setter
    def at(self, value: Any) -> None:
        self.house.clock.at = value - self.house.offsets.get(self.name, timedelta(0))


class _Timed(Database):
    """A database whose clock is the test's."""

    house: House

    def _execute(self, statement: str, parameters: Sequence[object]) -> Rows:
        if (self.house.folder / f"cut-{self.host}").exists():
            raise psycopg.OperationalError("the host is cut off")
        self.house.cut(statement, is_done=False)
        if statement == QUESTION:  # which compares the clocks itself
            off = self.house.offsets.get(self.host, timedelta(0)).total_seconds()
            parameters = (str(time.time() + off), *parameters[1:])
        rows = super()._execute(statement, parameters)
        self.house.cut(statement, is_done=True)
        place = _INSTANTS.get(statement)
        if place is None:
            return rows
        now = self.house.clock.at.timestamp()
        return [(*row[:place], now, *row[place + 1 :]) for row in rows]
