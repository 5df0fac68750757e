"""One server a session, emptied for each test; skipped with a word where PostgreSQL is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.fakes import FakeClock
from tests.hosts.house import House
from tests.hosts.servers import Server, programs, server


@pytest.fixture(scope="session")
def running() -> Iterator[Server]:
    if programs() is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    with server() as one:
        yield one


@pytest.fixture
def database(running: Server) -> Server:
    """A server whose database `kakaocron` is empty."""
    running.psql("SET client_min_messages = error", "DROP SCHEMA IF EXISTS kakaocron CASCADE")
    return running


@pytest.fixture
def house(
    tmp_path: Path, database: Server, sandbox: SandboxServer, clock: FakeClock
) -> Iterator[House]:
    """Hosts that share a ledger, whose tables are made."""
    with House(tmp_path, database, sandbox, clock) as house:
        house.make_tables()
        yield house
