"""What a shared ledger costs beside one in files, over a PostgreSQL server of its own:

    python -m benchmarks.hosts [--only WORD] [--messages 2000] [--seconds 0.1]

Rows are measured by turns in one run. CPU is that of whole processes, user and system.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
from msgspec.structs import replace

from benchmarks.counted import instructions
from benchmarks.installation import HOUR_LONG, configure, environment, fill_ledger, receiver
from benchmarks.limits.sending import installed, wire
from benchmarks.measure import compare
from kakaocron.config.reading import load_config
from kakaocron.delivery.tick import tick
from kakaocron.installation import Edges, assemble
from kakaocron.kst import KST
from kakaocron.ledger.events import Claim, of_slot
from kakaocron.ledger.postgres.book import PostgresLedger
from kakaocron.ledger.postgres.connection import Database, Rows, SharedClock
from kakaocron.ledger.postgres.making import make_tables
from kakaocron.ledger.postgres.tables import LOOK, NOW, STATE
from kakaocron.schedule.slots import Slot
from kakaocron.states import State
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places
from tests.hosts.servers import Server, server

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
TICK = [PYTHON, "-m", "kakaocron", "tick"]
ROUNDS = 15
CLAIMS = 400
SLOTS = 20
LEAD_SECONDS = 5.0
HOSTS, AT_ONCE = 4, 64
# Where the instant stands in what a statement returns.
INSTANTS = {STATE: 3, NOW: 0, LOOK: 1}
BARE_TABLE = """CREATE TABLE kakaocron.bare (
    delivery text, attempt int, token uuid NOT NULL, at timestamptz DEFAULT clock_timestamp(),
    PRIMARY KEY (delivery, attempt)
)"""
BARE = """INSERT INTO kakaocron.bare AS c (delivery, attempt, token) VALUES (%s, %s, %s)
ON CONFLICT (delivery, attempt) DO UPDATE SET token = c.token RETURNING token"""


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kakaocron-hosts-") as name:
        yield Path(name)


def alone(home: Path) -> dict[str, str]:
    """Return the environment of an installation with a ledger in files."""
    return {**environment(home), "PYTHONPATH": str(ROOT)}


def shared(home: Path, url: str, host: str = "a") -> dict[str, str]:
    """Return the environment of a host."""
    return {**alone(home), "KAKAOCRON_LEDGER_URL": url, "KAKAOCRON_HOST": host}


def kakaocron(environ: Mapping[str, str], *words: str) -> None:
    command = [PYTHON, "-m", "kakaocron", *words]
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)


def in_environment(command: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    return ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environ.items()), *command]


def empty(database: Server) -> None:
    drop = "DROP SCHEMA IF EXISTS kakaocron CASCADE"
    database.psql("SET client_min_messages = error", drop)


def claim(database: Server) -> None:
    """A claim, by the bare statement of psycopg: milliseconds."""
    empty(database)
    clock = SharedClock(SystemClock())
    asker = Database(database.url, "a", clock)
    make_tables(asker)
    ledger = PostgresLedger(asker, "a", clock)
    bare = psycopg.connect(database.url, autocommit=True, prepare_threshold=None)
    bare.execute(BARE_TABLE)
    taken: dict[str, list[float]] = {"bare statement": [], "claim": []}
    with ledger.open() as book:
        book.read([book.now.date()])
        more = {"state": State.SENDING, "attempt": 1, "by": "a", "text": "보고"}
        more |= {"expires_at": book.now, "until": book.now, "content_hash": "0"}
        for number in range(CLAIMS):
            slot = Slot(f"m{number}", book.now, "regular")
            event = of_slot(Claim, slot, ["me"], book.now, **more)
            before = time.perf_counter()
            book.record([event])
            between = time.perf_counter()
            bare.execute(BARE, [slot.id, 1, uuid4()]).fetchall()
            taken["bare statement"].append(time.perf_counter() - between)
            taken["claim"].append(between - before)
    bare.close()
    asker.close()
    base = statistics.median(taken["bare statement"])
    for name, seconds in taken.items():
        p50 = statistics.median(seconds)
        print(f"{name:20} p50 {1000 * p50:.2f} ({p50 / base:.2f}), p99 {1000 * p99(seconds):.2f}")


def p99(found: Sequence[float]) -> float:
    return sorted(found)[int(len(found) * 0.99)]


def one_message(database: Server) -> None:
    """A tick that sends one message: by files, and by PostgreSQL."""
    empty(database)
    today = datetime.now(KST).date()
    with folder() as home, receiver() as (url, arrivals):
        homes = {name: home / name for name in ("files", "PostgreSQL")}
        environs = {
            "files": alone(homes["files"]),
            "PostgreSQL": shared(homes["PostgreSQL"], database.url),
        }
        for one in homes.values():
            configure(one, url, "0", extra=HOUR_LONG)
            fill_ledger(one, 0, today - timedelta(days=1))  # a first tick would owe nothing
        kakaocron(environs["PostgreSQL"], "ledger", "init")
        kakaocron(environs["PostgreSQL"], "ledger", "copy", "--to", database.url)

        def forget(name: str) -> None:
            shutil.rmtree(homes[name] / "log", ignore_errors=True)
            if name == "files":
                (homes[name] / "data" / "ledger" / f"{today}.jsonl").unlink(missing_ok=True)
                (homes[name] / "data" / "timetables.json").unlink(missing_ok=True)
                return
            tables = ("document", "beat", "host")
            database.psql(f"DELETE FROM kakaocron.event WHERE day = '{today}'")
            database.psql(*(f"DELETE FROM kakaocron.{table}" for table in tables))

        commands = {name: in_environment(TICK, environ) for name, environ in environs.items()}
        compare(commands, os.environ, ROUNDS, forget)
        assert len(arrivals) == 2 * ROUNDS, f"{len(arrivals)} requests have come"


def nothing_to_do(database: Server) -> None:
    """A tick with nothing to do: within its plan, beyond it, and with none."""
    empty(database)
    with folder() as home:
        homes = {name: home / name for name in ("files", "PostgreSQL")}
        environs = {
            "files": alone(homes["files"]),
            "PostgreSQL": shared(homes["PostgreSQL"], database.url),
        }
        for one in homes.values():
            configure(one, "http://127.0.0.1:9", str((datetime.now(KST).minute + 30) % 60))
        kakaocron(environs["PostgreSQL"], "ledger", "init")
        for environ in environs.values():
            for _ in range(2):
                kakaocron(environ, "tick")

        def before(name: str) -> None:
            plan = homes["PostgreSQL" if "PostgreSQL" in name else "files"] / "log" / "idle"
            if "whole" in name:
                plan.unlink(missing_ok=True)
            elif "beyond" in name:
                ask_again(plan)

        files, postgres = (in_environment(TICK, environ) for environ in environs.values())
        commands = {
            "python -c pass": in_environment([PYTHON, "-c", "pass"], environs["files"]),
            "files, within the plan": files,
            "files, a whole tick": files,
            "PostgreSQL, within the plan": postgres,
            "PostgreSQL, beyond it: one question": postgres,
            "PostgreSQL, a whole tick": postgres,
        }
        compare(commands, os.environ, ROUNDS, before)
        for name in commands if shutil.which("valgrind") else ():
            own = environs["PostgreSQL" if "PostgreSQL" in name else "files"]
            arguments = ["-c", "pass"] if "pass" in name else TICK[1:]
            before(name)
            variables = {key: value for key, value in own.items() if key not in {"PATH", "HOME"}}
            count = instructions(*arguments, home=Path(own["HOME"]), **variables)
            print(f"{name:40} {count / 1e6:.0f} million instructions")


def ask_again(plan: Path) -> None:
    """Let a plan's time without a question be over."""
    lines = plan.read_text().split("\n")
    numbers = lines[1].split(" ")
    numbers[3] = "0"
    lines[1] = lines[-2] = " ".join(numbers)
    plan.write_text("\n".join(lines))


class ShiftedClock(SystemClock):
    """A clock that stands a few seconds before a slot when a process begins."""

    def __init__(self, by: float) -> None:
        self.by = timedelta(seconds=by)

    def now(self) -> datetime:
        return super().now() + self.by


class ShiftedDatabase(Database):
    """A database by the same clock."""

    by: float

    def _execute(self, statement: str, parameters: Sequence[object]) -> Rows:
        rows, place = super()._execute(statement, parameters), INSTANTS.get(statement)
        if place is None:
            return rows
        return [(*row[:place], row[place] + self.by, *row[place + 1 :]) for row in rows]


def send_at(home: Path, slot: float) -> None:
    """Wait for a slot and send it, in this process; print when it came by the receiver's clock."""
    by = slot - time.time() - LEAD_SECONDS
    places = find_places(home / "config.toml")

    def make(url: str, host: str, clock: SharedClock) -> Database:
        made = ShiftedDatabase(url, host, clock)
        made.by = by
        return made

    edges = Edges(clock=ShiftedClock(by), make_asker=make)
    here = assemble(places, load_config(places.config), edges)
    tick(here.engine, replace(here.plan, ahead=timedelta(seconds=60)), here.heartbeat)
    print(slot - by)


def lateness(database: Server) -> None:
    """From a slot's instant to the request received, with `early_start`: milliseconds."""
    empty(database)
    late: dict[str, list[float]] = {"files": [], "PostgreSQL": []}
    with folder() as home, wire() as receiving:
        environs = {
            "files": alone(home / "files"),
            "PostgreSQL": shared(home / "PostgreSQL", database.url),
        }
        for name in late:
            configure(home / name, receiving.url, "0", extra=HOUR_LONG)
        kakaocron(environs["PostgreSQL"], "ledger", "init")
        first = datetime.now(KST).replace(minute=0, second=0, microsecond=0)
        for number in range(SLOTS):
            slot = str((first + timedelta(hours=1 + number)).timestamp())
            for name, environ in environs.items():
                child = [PYTHON, "-m", "benchmarks.hosts", "--child", str(home / name), slot]
                said = subprocess.check_output(child, env=environ, cwd=ROOT)
                (at,) = receiving.arrivals()
                late[name].append(1000 * (at - float(said)))
    for name, found in late.items():
        p50 = statistics.median(found)
        print(f"{name:20} p50 {p50:.1f}, p99 {p99(found):.1f}, of {len(found)}")


def big_slot(database: Server, messages: int, answer_seconds: float) -> None:
    """A slot of many messages, 64 at once: one host, then four."""
    for count in (1, HOSTS):
        empty(database)
        with folder() as home, wire(answer_seconds) as receiving:
            environs = [shared(home / f"h{n}", database.url, f"h{n}") for n in range(count)]
            installed(home / "h0", receiving.url, messages, AT_ONCE)
            for n in range(1, count):
                (home / f"h{n}").mkdir()
                shutil.copy(home / "h0" / "config.toml", home / f"h{n}")
            kakaocron(environs[0], "ledger", "init")
            kakaocron(environs[0], "ledger", "copy", "--to", database.url)
            # As after a minute of ticks: by who is at work each begins with other messages.
            names = ",".join(f"('h{n}', now(), 0, '')" for n in range(count))
            database.psql(f"INSERT INTO kakaocron.host VALUES {names}")
            began = time.time()
            running = [subprocess.Popen(TICK, env=environ) for environ in environs]
            ended = [os.wait4(one.pid, 0) for one in running]
            wall = time.time() - began
            arrivals = sorted(receiving.arrivals())
        confirmed = "lines LIKE '%\"confirmed\"%' AND id LIKE 'm%'"
        count_of = f"SELECT count(DISTINCT id) FROM kakaocron.event WHERE {confirmed}"
        claims = "SELECT string_agg(c::text, ' ') FROM (SELECT count(*) / 2 AS c"
        shares = database.psql(f"{claims} FROM kakaocron.event GROUP BY host ORDER BY host) AS x")
        cpu = [usage.ru_utime + usage.ru_stime for _, _, usage in ended]
        sending = arrivals[-1] - arrivals[0] + answer_seconds
        ideal = messages * answer_seconds / (count * AT_ONCE)
        codes = {os.waitstatus_to_exitcode(status) for _, status, _ in ended}
        assert len(arrivals) == int(database.psql(count_of)) == messages, len(arrivals)
        assert codes == {0}
        print(
            f"{count} hosts, {messages} messages: ideal {ideal:.1f} s; {wall:.1f} s in all, "
            f"{sending:.1f} s from the first request (after {arrivals[0] - began:.1f} s) to the "
            f"last answer; CPU of each host {max(cpu):.1f} s at most, "
            f"{1000 * sum(cpu) / messages:.2f} ms a message; sent by each: {shares}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hosts", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="the parts with it in the name")
    parser.add_argument("--messages", type=int, default=2000, help="of the big slot")
    parser.add_argument("--seconds", type=float, default=0.1, help="that its receiver takes")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        send_at(Path(given.child[0]), float(given.child[1]))
        return
    slot = partial(big_slot, messages=given.messages, answer_seconds=given.seconds)
    rows: dict[str, Callable[[Server], None]] = {
        "claim": claim,
        "one_message": one_message,
        "nothing_to_do": nothing_to_do,
        "lateness": lateness,
        "big_slot": slot,
    }
    with server(fsync="on") as database:
        for name, measure in rows.items():
            if given.only in name:
                said = getattr(measure, "func", measure).__doc__
                print(f"\n{said} (load {os.getloadavg()[0]:.1f})", flush=True)
                measure(database)


if __name__ == "__main__":
    main()
