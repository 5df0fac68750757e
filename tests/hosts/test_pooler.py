"""Hosts whose way to the server leads through PgBouncer (Debian: pgbouncer)."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kakaocron.doctor.database import database as examined
from kakaocron.doctor.finding import Bench
from kakaocron.host.crontab import SystemCrontab, job_of
from kakaocron.host.probe import Machine
from kakaocron.ledger.events import Claim, of_slot
from kakaocron.ledger.lookup import deliveries_of
from kakaocron.ledger.postgres.making import make_tables
from kakaocron.ledger.postgres.question import ask_by_libpq
from kakaocron.ledger.postgres.tables import VERSION
from kakaocron.schedule.slots import Slot
from kakaocron.states import State
from tests.fakes import NOW
from tests.hosts.house import House
from tests.hosts.servers import Server, free_port, own, wait_until

pytestmark = [pytest.mark.hosts, pytest.mark.usefixtures("uncounted")]

HOSTS = ("a", "b", "c")
SLOTS = 100
SETTINGS = """
[databases]
kakaocron = host=127.0.0.1 port={port} dbname=kakaocron user=kakaocron
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
logfile = {folder}/log
pidfile = {folder}/pid
"""


@pytest.fixture(params=["transaction", "session"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pooled(house: House, tmp_path: Path, mode: str) -> Iterator[House]:
    """Hosts that reach the server through a pooler with few connections to it, of which each client
    has one where the mode wants it."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed (Debian: pgbouncer)")
    folder, port = Path(f"{house.server.folder}/pooler-{free_port()}"), free_port()
    folder.mkdir()
    own(folder)
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        SETTINGS.format(
            port=house.server.port,
            own_port=port,
            folder=folder,
            mode=mode,
            size=2 if mode == "transaction" else 40,
        )
    )
    settings.chmod(0o644)
    command = [program, "-q", str(settings)]
    if os.getuid() == 0:  # as root it does nothing
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    with subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL) as pooler:
        house.url = Server(folder, port).url
        try:
            wait_until(lambda: _answers(house))
            yield house
        finally:
            for database in house.databases:
                database.close()
            pooler.kill()


def _answers(house: House) -> bool:
    try:
        return house.database().ask("SELECT 1", seconds=0.0) == [(1,)]
    except Exception:
        return False


def test_claims_through_a_pooler_have_one_owner_each(pooled: House) -> None:
    """All know that nothing is claimed so far, and claim the same slots at the same time."""
    won: dict[str, list[str]] = {host: [] for host in HOSTS}
    all_have_read = threading.Barrier(len(HOSTS))

    def claim_all(host: str) -> None:
        slots = [Slot(f"m{n}", NOW.replace(second=0), "peak") for n in range(SLOTS)]
        more = {"state": State.SENDING, "attempt": 1, "by": host, "until": NOW, "expires_at": NOW}
        with pooled.host(host).ledger.open() as book:
            book.read([NOW.date()])
            all_have_read.wait(60)
            for slot in slots:
                won[host] += book.record([of_slot(Claim, slot, ["me"], NOW, **more)])

    threads = [threading.Thread(target=claim_all, args=[host]) for host in HOSTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    found = deliveries_of(pooled.host("d").ledger, NOW.date())
    owners = {one.id: [attempt.by for attempt in one.attempts] for one in found}
    assert len(owners) == sum(map(len, won.values())) == SLOTS
    assert owners == {id_: [host] for host, ids in won.items() for id_ in ids}


def test_ticks_through_a_pooler_send_once(pooled: House) -> None:
    ticks = [threading.Thread(target=pooled.tick, args=[host]) for host in HOSTS]
    for tick in ticks:
        tick.start()
    for tick in ticks:
        tick.join(60)

    assert pooled.texts() == ["보고 2026-11-23 09:30"]
    assert make_tables(pooled.database()) == VERSION
    assert ask_by_libpq(pooled.url)("SELECT %s::text", ["x"]) == [["x"]]


def test_doctor_names_the_pooler_s_mode(pooled: House, mode: str) -> None:
    here = pooled.host("c")
    now = pooled.clock.now()
    bench = Bench(here.places, Machine(), SystemCrontab(), job_of(here.places), now, here)

    found = {one.name: one.what for one in examined(bench)}
    assert f"in {mode} mode" in found["database-pooler"]
