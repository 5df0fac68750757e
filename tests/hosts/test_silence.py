"""A host whose way to the database falls silent: no packet comes through, in either direction, and
nobody says so. Kakao can be reached all the while."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.errors import Exit
from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.fakes import kakao_section
from tests.hosts.networks import DATABASE, KAKAO, NETWORKS, fall_silent, in_host, network
from tests.hosts.servers import Server, programs, server, wait_until

pytestmark = pytest.mark.usefixtures("uncounted")

MESSAGES = 120
# With each attempt's time as short, its lease is over in some twenty seconds.
CONFIG = (
    "[delivery]\nat_once = 4\nexpire_after = 3600\n"
    "[schedule]\nregular_minutes = [0]\npeak_hours = []\n"
    + "".join(
        f'[[message]]\nname = "m{n}"\nslots = ["regular"]\ntext = "{n} {{time:%H:%M}}"\n'
        for n in range(MESSAGES)
    )
)
# By how many seconds a connection that has fallen silent is noticed, whatever it was at. The limit
# of each statement is put out of the way: what is measured are the time-outs of TCP.
NOTICING = """
import sys, time
import psycopg
from kakaocron.ledger.postgres.connection import Database, SharedClock, Transaction
from kakaocron.system.clock import SystemClock
Transaction.seconds = 60
database = Database(sys.argv[1], "a", SharedClock(SystemClock()))
database.ask("SELECT 1")
print("ready", flush=True)
sys.stdin.readline() if sys.argv[2] == "SELECT 1" else None
began = time.monotonic()
try:
    database._ask(sys.argv[2], ())
    print("answered")
except psycopg.Error:
    print(time.monotonic() - began)
"""


# Carries connections to an address on to another one.
FORWARDING = """
import asyncio, sys
async def carry(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()
async def both(reader, writer):
    there = await asyncio.open_connection(sys.argv[3], int(sys.argv[4]))
    await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))
async def main():
    server = await asyncio.start_server(both, sys.argv[1], int(sys.argv[2]))
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def port_of(sandbox: SandboxServer) -> int:
    return int(sandbox.url.rpartition(":")[2])


@contextmanager
def reachable(port: int) -> Iterator[None]:
    """Let a port of this machine's loopback be one of the host's loopback too, for a block."""
    there = [sys.executable, "-c", FORWARDING, KAKAO, str(port), "127.0.0.1", str(port)]
    here = in_host(sys.executable, "-c", FORWARDING, "127.0.0.1", str(port), KAKAO, str(port))
    with ExitStack() as running:
        for command in (there, here):
            one = running.enter_context(
                subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
                )
            )
            running.callback(one.kill)
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        yield


@pytest.fixture
def silent_server() -> Iterator[Server]:
    if programs() is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    with network(), server(more=[f"listen_addresses = '127.0.0.1,{DATABASE}'"]) as one:
        with Path(f"{one.data}/pg_hba.conf").open("a") as allowed:
            allowed.write(f"host all all {NETWORKS} trust\n")
        one.psql("SELECT pg_reload_conf()")
        yield one


def url_of(one: Server) -> str:
    return one.url.replace("127.0.0.1", DATABASE)


@pytest.mark.hosts
@pytest.mark.parametrize("statement", ["SELECT 1", "SELECT pg_sleep(50)"], ids=["asks", "waits"])
def test_a_silent_database_is_noticed_in_seconds(silent_server: Server, statement: str) -> None:
    """Whether a statement was sent after it fell silent, or its answer was awaited already."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    silent_server.psql("CREATE SCHEMA IF NOT EXISTS kakaocron")
    make(silent_server)
    command = in_host(sys.executable, "-c", NOTICING, url_of(silent_server), statement)
    with subprocess.Popen(command, env=environ, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        fall_silent(silent=True)
        said, _ = process.communicate("\n", timeout=60)
    print(f"noticed after {float(said):.1f} s")
    assert 2 < float(said) < 6


def make(one: Server) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    code = (
        "import sys; from kakaocron.ledger.postgres.connection import *; "
        "from kakaocron.ledger.postgres.making import make_tables; "
        "from kakaocron.system.clock import SystemClock; "
        "make_tables(Database(sys.argv[1], 'a', SharedClock(SystemClock())))"
    )
    subprocess.run([sys.executable, "-c", code, one.url], env=environ, check=True)


class Host:
    def __init__(self, folder: Path, name: str, url: str, config: str, token: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "config.toml").write_text(config)
        self.command = [sys.executable, "-m", "kakaocron"]
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "KAKAOCRON_CONFIG": str(self.folder / "config.toml"),
            "KAKAOCRON_DATA_DIR": str(self.folder / "data"),
            "KAKAOCRON_LOG_DIR": str(self.folder / "log"),
            "KAKAOCRON_LANGUAGE": "en",
            "KAKAOCRON_HOST": name,
            "KAKAOCRON_LEDGER_URL": url,
            "KAKAO_ACCESS_TOKEN": token,
        }

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen([*self.command, *words], env=self.environ, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip

    def run(self, *words: str) -> tuple[int, str, float]:
        began = time.monotonic()
        with self.begin(*words) as process:
            said, wrong = process.communicate(timeout=120)
        return process.returncode, said + wrong, time.monotonic() - began


def test_a_host_that_is_cut_off_stops_by_itself_and_nothing_goes_out_twice(
    silent_server: Server, tmp_path: Path
) -> None:
    now = datetime.now(KST)
    if now.minute >= 55:
        pytest.skip("a new slot would come in the middle of it")
    kakao = Kakao(seed=7), lambda: datetime.now(KST)
    with SandboxServer(*kakao, answer_delay_seconds=0.05) as sandbox, reachable(port_of(sandbox)):
        token = sandbox.kakao.issue_login(now).access_token
        config = kakao_section(sandbox, timeout=1) + CONFIG
        cut = Host(tmp_path, "cut", url_of(silent_server), config, token)
        cut.command = in_host(*cut.command)
        well = Host(tmp_path, "well", silent_server.url, config, token)
        assert well.run("ledger", "init")[0] == Exit.FINE
        yesterday(silent_server, now)

        with cut.begin("tick") as ticking:
            wait_until(lambda: len(sandbox.deliveries) >= 20, 60)
            fall_silent(silent=True)
            began = time.monotonic()
            _, wrong = ticking.communicate(timeout=120)
        seconds, left = time.monotonic() - began, len(sandbox.deliveries)
        print(f"stopped after {seconds:.1f} s, {left} had left: {wrong.strip()}")
        assert ticking.returncode == Exit.LEDGER
        assert "cannot be used" in wrong or "not on record" in wrong or "may have arrived" in wrong
        assert left < MESSAGES
        assert seconds < 100

        code, wrong, seconds = cut.run("tick")
        print(f"another tick: {seconds:.1f} s: {wrong.strip()}")
        assert (code, len(sandbox.deliveries)) == (Exit.LEDGER, left)
        assert seconds < 100
        assert cut.run("tick")[1] == ""  # told once

        # The others go on; what was on its way is theirs once its lease is over.
        assert well.run("tick")[0] in {Exit.FINE, Exit.TROUBLE}
        wait_until(lambda: well.run("tick")[0] == Exit.FINE and not open_ones(silent_server), 90)
        fall_silent(silent=False)
        assert cut.run("tick")[0] == Exit.FINE
        sent = Counter(one.text for one in sandbox.deliveries)
    print(f"{sum(sent.values())} arrived, {silent_server.psql(ENDS)}")
    assert max(sent.values()) == 1
    assert int(silent_server.psql(f"SELECT count(DISTINCT id) FROM ({LAST}) AS x")) == MESSAGES


LAST = (
    "SELECT DISTINCT ON (id) id, lines FROM kakaocron.event WHERE id LIKE 'm%' ORDER BY id, n DESC"
)
STATES = f'SELECT substring(lines from \'"state":"([a-z]+)"\') AS state FROM ({LAST}) AS x'
ENDS = f"SELECT state, count(*) FROM ({STATES}) AS y GROUP BY state"


def open_ones(one: Server) -> int:
    waits = f'SELECT count(*) FROM ({LAST}) AS x WHERE lines ~ \'"state":"(sending|retrying)"\''
    return int(one.psql(waits))


def yesterday(one: Server, now: datetime) -> None:
    """Let a tick of a minute before the slot have been complete: a first tick owes nothing."""
    before = now.replace(minute=0, second=0, microsecond=0) - timedelta(minutes=1)
    one.psql(f"INSERT INTO kakaocron.beat VALUES ('well', '{before.isoformat()}', 'done', 0)")
