"""How long looking takes, over a ledger of one year: `python -m benchmarks.watch`.

`status`, `health` and `report --days 365` are timed as the user has them, start of Python
included; /health as a request to a server that runs. The bounds are those of the contract.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from kakaocron.clock import SystemClock
from kakaocron.config_file import parse_config
from kakaocron.core.heartbeat import Word
from kakaocron.web.server import listen, make_server
from kakaocron.web.views import Views
from kakaocron.wiring import find_installation
from tests.fakes import MESSAGE
from tests.years import write_days

ROUNDS = 7
BOUNDS = {"status": 0.3, "/health": 0.3, "report --days 365": 1.0}


def prepare(home: Path) -> int:
    """Make an installation with a year behind it; return how many lines its ledger has."""
    (home / "config.toml").write_text(MESSAGE)
    os.environ |= {
        "KAKAOCRON_CONFIG": str(home / "config.toml"),
        "KAKAOCRON_DATA_DIR": str(home / "data"),
        "KAKAOCRON_LOG_DIR": str(home / "log"),
    }
    now = SystemClock().now()
    series = parse_config(MESSAGE, "config.toml").series()
    count = write_days(home / "data" / "ledger", series, now, 365)
    find_installation().heartbeat.beat(now, Word.DONE, 0)
    return count


def seconds_of(call: Callable[[], object]) -> float:
    """Return the median of some rounds, after one that fills the caches of the system."""
    call()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def command(*arguments: str) -> Callable[[], object]:
    argv = [sys.executable, "-m", "kakaocron", *arguments]
    return lambda: subprocess.run(argv, stdout=subprocess.DEVNULL, check=False)


@contextmanager
def served() -> Iterator[str]:
    server = make_server(Views(None), "127.0.0.1")
    with listen("127.0.0.1", 0) as found:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [found]})
        thread.start()
        yield f"http://127.0.0.1:{found.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        print(f"a ledger of 365 days, {prepare(Path(folder))} lines; medians of {ROUNDS}")
        taken = {
            "status": seconds_of(command("status")),
            "status --json": seconds_of(command("status", "--json")),
            "health": seconds_of(command("health")),
            "report --days 365": seconds_of(command("report", "--days", "365")),
        }
        with served() as url:
            taken["/health"] = seconds_of(lambda: requests.get(f"{url}/health", timeout=10))
            taken["/api/page"] = seconds_of(lambda: requests.get(f"{url}/api/page", timeout=10))
    for name, seconds in taken.items():
        bound = BOUNDS.get(name)
        verdict = "" if bound is None else f"  bound {bound} s{'' if seconds < bound else ': OVER'}"
        print(f"{name:20} {seconds * 1000:7.0f} ms{verdict}")
    return int(any(taken[name] >= bound for name, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
