"""What a tick costs: with nothing to do, with one message, with thousands, after a busy day.

Each figure is a ratio to something that is measured by turns with it: CPU time is that of whole
processes (user and system), of which the smallest of some rounds counts, as other work only adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.installation import configure, delivered, environment
from benchmarks.limits.row import Build, Row
from kakaocron.kst import KST
from kakaocron.schedule.slots import Slot

# With one slot at each full hour: it is due whenever this runs.
HOURLY = "[delivery]\nexpire_after = 3600\nat_once = {at_once}\n"
DAYS_MB = 12
TEXT = (
    "📊 장부 모니터링\n⏰ 현재 시간: 09:30\n" + "🏍️ 완료한 미션 34 · 피크 미션 12 · 진행 중 5\n" * 4
)

FIVE_LINES = """
import sys, requests
answer = requests.post(sys.argv[1] + "/v2/api/talk/memo/default/send",
    data={"template_object": "x"}, headers={"Authorization": "Bearer token"}, timeout=10)
answer.raise_for_status(); assert answer.json()["result_code"] == 0
"""

POOL = """
import sys, requests
from concurrent.futures import ThreadPoolExecutor
def send(number):
    answer = requests.post(sys.argv[1] + "/v2/api/talk/memo/default/send",
        data={"template_object": '{"object_type":"text","text":"09:00 %d","link":{}}' % number},
        headers={"Authorization": "Bearer token"}, timeout=10)
    answer.raise_for_status(); assert answer.json()["result_code"] == 0
with ThreadPoolExecutor(int(sys.argv[3])) as pool:
    list(pool.map(send, range(int(sys.argv[2]))))
"""

RECEIVER = Path(__file__).parents[1] / "receiver.py"


class Wire:
    """A receiver in a process of its own."""

    def __init__(self, port: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._seen = 0

    def arrivals(self) -> list[float]:
        """Return when each request has arrived since the last call."""
        with urllib.request.urlopen(self.url, timeout=30) as answer:
            found = [float(word) for word in answer.read().split()]
        self._seen, before = len(found), self._seen
        return found[before:]


@contextmanager
def wire(seconds: float = 0.0) -> Iterator[Wire]:
    command = [sys.executable, str(RECEIVER), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Wire(process.stdout.readline().strip())
        finally:
            process.kill()


@contextmanager
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kakaocron-sending-") as folder:
        yield Path(folder)


def installed(folder: Path, url: str, messages: int, at_once: int = 16, past_mb: float = 0) -> None:
    """Make an installation whose messages are all due, after a day that has so much on record."""
    configure(folder, url, "0", messages, HOURLY.format(at_once=at_once))
    now = datetime.now(KST)
    ledger = folder / "data" / "ledger"
    ledger.mkdir(parents=True)
    with (ledger / f"{now.date()}.jsonl").open("wb") as file:
        number = 0
        while not number or file.tell() < past_mb * 1e6:
            file.writelines(_delivered(f"before-{number}", now))
            number += 1


def _delivered(message: str, now: datetime) -> list[bytes]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    slot = Slot(message, hour.replace(hour=0), "regular")
    return delivered(slot, TEXT, hour - timedelta(seconds=1))


class Cost:
    """What processes took: wall and CPU seconds, and the largest one's peak in MB."""

    def __init__(self, commands: Sequence[Sequence[str]], environ: dict[str, str]) -> None:
        """Run commands side by side, to their end."""
        began = time.perf_counter()
        # GNU time stands between: what a child has at its peak begins with what its parent had.
        timed = [["/usr/bin/time", "-f", "%M", *command] for command in commands]
        running = [
            subprocess.Popen(
                one, env=environ, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            for one in timed
        ]
        said = [one.stderr.read().split() for one in running if one.stderr]
        used = [os.wait4(one.pid, 0)[2] for one in running]
        self.wall = time.perf_counter() - began
        self.cpu = sum(one.ru_utime + one.ru_stime for one in used)
        self.peak_mb = max(int(words[-1]) / 1024 for words in said)


def _tick(build: Build, folder: Path, count: int = 1) -> Cost:
    return Cost([[build.python, "-m", "kakaocron", "tick"]] * count, environment(folder))


def _fresh_tick(
    build: Build, server: Wire, messages: int, at_once: int, past_mb: float, count: int = 1
) -> Cost:
    with home() as folder:
        installed(folder, server.url, messages, at_once, past_mb)
        cost = _tick(build, folder, count)
    assert len(server.arrivals()) == messages
    return cost


def busy_day(build: Build) -> str:
    """CPU over the day's ledger by CPU over none, and wall of three ticks at once by one's."""
    with wire() as server:
        rounds = [
            [
                _fresh_tick(build, server, 300, 16, 0),
                _fresh_tick(build, server, 300, 16, DAYS_MB),
                _fresh_tick(build, server, 300, 16, DAYS_MB, count=3),
            ]
            for _ in range(3)
        ]
    bare, full, three = (min(one.cpu for one in column) for column in zip(*rounds, strict=True))
    walls = [min(one.wall for one in column) for column in zip(*rounds, strict=True)]
    return (
        f"{full / bare:.2f} ({full:.2f} s by {bare:.2f} s); three at once: wall "
        f"{walls[2] / walls[1]:.2f}, CPU {three / full:.2f} of one's"
    )


def thousand(build: Build) -> str:
    """Wall and CPU by those of a thread pool with requests that keeps no ledger."""
    pool: list[Cost] = []
    ours: list[Cost] = []
    with wire(0.1) as server:
        for _ in range(3):
            command = [build.python, "-c", POOL, server.url, "1000", "32"]
            with home() as folder:
                pool.append(Cost([command], environment(folder)))
            server.arrivals()
            ours.append(_fresh_tick(build, server, 1000, 32, 0))
    wall = min(one.wall for one in ours) / min(one.wall for one in pool)
    cpu = min(one.cpu for one in ours) / min(one.cpu for one in pool)
    return f"wall {wall:.2f} ({min(one.wall for one in ours):.2f} s), CPU {cpu:.2f}"


def ten_thousand(build: Build) -> str:
    with wire(0.1) as server:
        cost = _fresh_tick(build, server, 10_000, 256, 0)
    return f"{cost.wall / 3.9:.2f} ({cost.wall:.1f} s), {cost.peak_mb:.0f} MB"


def _by_turns(
    rounds: int, theirs: Callable[[], Cost], ours: Callable[[], Cost], before: int = 1
) -> str:
    """Return the ratio of CPU times, each the smallest of its rounds."""
    found = [(theirs(), ours()) for _ in range(rounds + before)][before:]
    bare, mine = (min(one.cpu for one in column) for column in zip(*found, strict=True))
    return f"{mine / bare:.2f} ({1000 * mine:.1f} ms by {1000 * bare:.1f} ms)"


def _idle(build: Build, command: Callable[[dict[str, str]], Sequence[str]]) -> str:
    with home() as folder:
        configure(folder, "http://127.0.0.1:9", str((datetime.now(KST).minute + 30) % 60))
        environ = environment(folder)
        plain = [build.python, "-c", "pass"]
        line = command(environ)
        return _by_turns(
            41, lambda: Cost([plain], environ), lambda: Cost([line], environ), before=3
        )


def _crons_line(build: Build, environ: dict[str, str]) -> list[str]:
    """Return what cron runs: the line that `cron install` writes, by /bin/sh."""
    shown = subprocess.run(
        [build.script, "cron", "show"], env=environ, check=True, capture_output=True, text=True
    ).stdout
    command = next(one for one in shown.splitlines() if one.startswith("* * * * * "))
    return ["/bin/sh", "-c", command.removeprefix("* * * * * ").replace(r"\%", "%")]


def idle_by_cron(build: Build) -> str:
    """The line that `cron install` writes, run by /bin/sh, by `python -c pass`."""
    return _idle(build, lambda environ: _crons_line(build, environ))


def idle_by_script(build: Build) -> str:
    return _idle(build, lambda _: [build.script, "tick"])


def one_message(build: Build) -> str:
    with wire() as server:
        five = [build.python, "-c", FIVE_LINES, server.url]

        def theirs() -> Cost:
            with home() as folder:
                cost = Cost([five], environment(folder))
            server.arrivals()
            return cost

        return _by_turns(15, theirs, lambda: _fresh_tick(build, server, 1, 16, 0))


def to_the_wire(build: Build) -> str:
    """From the start of what cron runs for a plain tick until its request is received: median, in
    ms."""
    found = []
    with wire() as server:
        for _ in range(12):
            with home() as folder:
                installed(folder, server.url, 1)
                environ = environment(folder)
                line = _crons_line(build, environ)
                began = time.time()
                subprocess.run(line, env=environ, check=True)
            found.append(1000 * (server.arrivals()[0] - began))
    return f"{median(found[1:]):.0f} ms, {min(found[1:]):.0f} at best"


def waiting(build: Build) -> str:
    """The peak of a tick's memory until five seconds before the slot that it waits for, in MB."""
    with wire() as server, home() as folder:
        minutes = ", ".join(map(str, range(60)))
        configure(folder, server.url, minutes, extra="early_start = true\n")
        peak = lateness = 0.0
        for number in range(3):  # the first two leave what the third goes by
            time.sleep((1 - time.time()) % 60 if not number else 1.2)
            command = [build.python, "-m", "kakaocron", "tick"]
            process = subprocess.Popen(command, env=environment(folder), cwd="/")
            slot = time.time() // 60 * 60 + 60
            threading.Event().wait(slot - 5.1 - time.time())
            lines = Path(f"/proc/{process.pid}/status").read_text("ascii").splitlines()
            peak = next(int(one.split()[1]) for one in lines if one.startswith("VmHWM")) / 1024
            process.wait(30)
            lateness = 1000 * (server.arrivals()[-1] - slot)
    return f"{peak:.1f} MB ({lateness:.1f} ms late)"


ROWS = [
    Row("300 messages after a day of 12 MB, CPU by the same without a ledger", "≤ 1.3", busy_day),
    Row("1,000 messages, 32 at once, by a pool of requests", "≤ 1.1, CPU ≤ 1.6", thousand),
    Row("10,000 messages, 256 at once, by 3.9 s", "≤ 1.3, ≤ 120 MB", ten_thousand),
    Row("idle tick, cron install's line, CPU by `python -c pass`", "≤ 1.0", idle_by_cron),
    Row("idle tick, console script, CPU by `python -c pass`", "≤ 1.3", idle_by_script),
    Row("one message, CPU by five lines of requests", "≤ 1.15", one_message),
    Row("memory of a tick that waits for its slot", "≤ 12 MB", waiting),
    Row("plain tick, from its start to its request received", "half of the base", to_the_wire),
]
