"""What looking and simulating cost."""

from __future__ import annotations

import os
import re
import resource
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.installation import environment
from benchmarks.limits.row import Build, Row
from benchmarks.measure import run_once
from kakaocron.config.reading import parse_config
from kakaocron.kst import DAY, KST
from kakaocron.ledger.events import Schedule, of_slot, to_line
from kakaocron.schedule.slots import Slot
from kakaocron.states import State
from tests.years import write_days

CONNECTIONS, SECONDS = 40, 10.0
ROUNDS = 9
LONGEST_SECONDS = 120.0
# As `init` writes it, but for the words.
SCHEDULE = "[schedule]\nearly_start = true\n"
EVERY_TWO_MINUTES = f"[schedule]\nregular_minutes = {list(range(0, 60, 2))}\npeak_hours = []\n"


def message(number: int) -> str:
    text = 'text = "📊 정기 보고\\n⏰ 현재 시간: {time}"'
    return f'[[message]]\nname = "m{number}"\nslots = ["regular", "peak"]\n{text}\nto = ["me"]\n'


@contextmanager
def home(messages: int = 1, schedule: str = SCHEDULE, days: Sequence[int] = ()) -> Iterator[Path]:
    """Yield the folder of an installation; the ledger of its newest days has these counts of
    messages a slot, the last one's up to now, and its last tick was just now."""
    with tempfile.TemporaryDirectory(prefix="kakaocron-limit-") as name:
        folder, now = Path(name), datetime.now(KST)
        text = '[kakao]\nrest_api_key = "key"\n' + schedule
        (folder / "config.toml").write_text(text + "".join(map(message, range(messages))))
        for ago, count in enumerate(reversed(days)):
            of_day = parse_config(text + "".join(map(message, range(count))), "c").series()
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - (ago - 1) * DAY
            write_days(folder / "data" / "ledger", of_day, min(now, midnight - DAY / 86400), 1)
        ticks = folder / "log" / "ticks"
        ticks.mkdir(parents=True)
        (ticks / f"{now.date()}").write_text(f"{now:%H:%M:%S}.000 done 0 0 -\n")
        yield folder


@contextmanager
def serving(build: Build, folder: Path) -> Iterator[tuple[int, int]]:
    """Yield the port of a server, and its process."""
    command = [build.python, "-m", "kakaocron", "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environment(folder), cwd=folder, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            found = re.search(r":(\d+) \(stop", process.stderr.readline())
            assert found
            yield int(found[1]), process.pid
        finally:
            process.kill()


def ask(connection: socket.socket, path: str) -> int:
    """Ask on a kept connection; return how many bytes the document has. Raises OSError."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head, room = b"", bytearray(1 << 18)
    while b"\r\n\r\n" not in head:
        head += (some := connection.recv(4096))
        if not some:
            raise ConnectionError
    assert head.startswith(b"HTTP/1.1 200"), head
    found = re.search(rb"content-length: (\d+)", head)
    assert found
    left = int(found[1]) - len(head.partition(b"\r\n\r\n")[2])
    while left > 0:
        if not (count := connection.recv_into(room, min(left, len(room)))):
            raise ConnectionError
        left -= count
    return int(found[1])


def peak_mb(process: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1]) / 1024


def served_at_once(build: Build) -> str:
    """Ask for /api/status on many connections for some seconds. Only the two newest days hold 100
    messages a slot: it reads no other."""
    with home(100, days=[*[1] * 363, 100, 100]) as folder, serving(build, folder) as (port, pid):
        sizes: list[int] = []
        until = time.monotonic() + SECONDS

        def client() -> None:
            with socket.create_connection(("127.0.0.1", port), 2 * SECONDS) as connection:
                while time.monotonic() < until:
                    try:
                        sizes.append(ask(connection, "/api/status"))
                    except OSError:
                        return

        clients = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
        each = f" of {max(sizes) / 1e6:.1f} MB" if sizes else ""
        return f"{len(sizes) / SECONDS:.0f} a second{each}, {peak_mb(pid):.0f} MB"


def kept_connection(build: Build) -> str:
    with home(days=[1] * 2) as folder, serving(build, folder) as (port, _):
        taken = []
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            for _ in range(50):
                began = time.perf_counter()
                ask(connection, "/api/version")
                taken.append(time.perf_counter() - began)
        return f"{1000 * statistics.median(taken):.1f} ms"


def book(folder: Path, count: int, days: int) -> None:
    """Book one-offs in the days to come, as many on each."""
    noon = datetime.now(KST).replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(1, days + 1):
        lines = []
        for n in range(count // days):
            at = noon + number * DAY + timedelta(minutes=n % 1440)
            name, text = f"once-{number:04x}{n:08x}", f"예약 {number}-{n}"
            slot = Slot(name, at, "once")
            end = at + timedelta(minutes=10)
            more = {"state": State.SCHEDULED, "expires_at": end, "text": text}
            lines.append(to_line(of_slot(Schedule, slot, ["me"], noon, **more)))
        path = folder / "data" / "ledger" / f"{at.date()}.jsonl"
        path.write_bytes(b"".join(lines))


def booked(build: Build) -> str:
    with home(days=[1] * 2) as folder:
        book(folder, 100_000, 100)
        command = [build.script, "status"]
        runs = [run_once(command, environment(folder)) for _ in range(3)]
        wall, _, peak = map(statistics.median, zip(*runs, strict=True))
        return f"{wall:.2f} s, {peak:.0f} MB"


def a_year_reported(build: Build) -> str:
    """Compare CPU with the bare interpreter's, by turns."""
    with home(days=[1] * 365) as folder:
        environ = environment(folder)
        bare, report = [], []
        for _ in range(ROUNDS):
            bare.append(run_once([build.python, "-c", "pass"], environ)[1])
            report.append(run_once([build.script, "report", "--days", "365"], environ)[1])
        ratio = statistics.median(a / b for a, b in zip(report, bare, strict=True))
        return f"{ratio:.1f} ×, {1000 * statistics.median(report):.0f} ms"


def simulated(build: Build, days: int, schedule: str) -> str:
    with home(schedule=schedule) as folder:
        command = [build.script, "simulate", "--days", str(days)]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        try:
            subprocess.run(
                command,
                env=environment(folder),
                capture_output=True,
                timeout=LONGEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"more than {LONGEST_SECONDS:.0f} s"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return f"{time.monotonic() - began:.1f} s, CPU {cpu:.1f} s"


def campaign(build: Build) -> str:
    """Play histories on all cores; return minutes a second, of wall and of CPU time."""
    minutes, cores = 72 * 720, os.cpu_count() or 1
    is_old = not (build.tree / "kakaocron" / "rehearsal").exists()
    module = "kakaocron.simulation" if is_old else "kakaocron.rehearsal.simulation"
    command = [build.python, "-m", module, "--minutes", str(minutes), "--processes", str(cores)]
    with home() as folder:
        wall, cpu, _ = run_once(command, environment(folder))
    return f"{minutes / wall:.0f}, {minutes / cpu:.0f} a CPU second"


ROWS = [
    Row(
        f"`serve`, `/api/status`, 100 messages a slot, a year, {CONNECTIONS} connections",
        "≥ 100 a second, ≤ 120 MB",
        served_at_once,
    ),
    Row("a request on a kept connection to `serve`", "≤ 3 ms", kept_connection),
    Row("`status` over 100,000 one-offs booked, 1,000 a day", "≤ 0.5 s, ≤ 60 MB", booked),
    Row(
        "`report --days 365`, 136 lines a day, CPU against `python -c pass`",
        "≤ 12 ×",
        a_year_reported,
    ),
    Row(
        "`simulate --days 7`, init's schedule",
        "a quarter of 30 days'",
        lambda build: simulated(build, 7, SCHEDULE),
    ),
    Row(
        "`simulate --days 30`, init's schedule",
        "≤ 20 s",
        lambda build: simulated(build, 30, SCHEDULE),
    ),
    Row(
        "`simulate --days 7`, a message every two minutes",
        "linear",
        lambda build: simulated(build, 7, EVERY_TWO_MINUTES),
    ),
    Row(
        "`simulate --days 30`, a message every two minutes",
        "linear",
        lambda build: simulated(build, 30, EVERY_TWO_MINUTES),
    ),
    Row("histories, minutes a second on all cores", "≥ 2 × of d4b3f8a", campaign),
]
