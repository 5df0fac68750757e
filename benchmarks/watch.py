"""How long looking takes, over a ledger of one year: `python -m benchmarks.watch`.

`status`, `health` and `report --days 365` are timed as the user has them, start of Python
included; /health as a request to a server that runs. All take turns, beside a bare interpreter,
as the speed of a machine changes. The bounds are those of the contract.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from kakaocron.config.reading import parse_config
from kakaocron.installation import find_installation
from kakaocron.ledger.beats import Word
from kakaocron.system.clock import SystemClock
from kakaocron.web.server import listen, make_server
from kakaocron.web.views import Views
from tests.fakes import MESSAGE
from tests.years import write_days

ROUNDS = 15
BARE = "python -c pass"
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


def by_turns(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median of each call's seconds, after a round that fills the system's caches."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(1 + ROUNDS):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}


def python(*arguments: str) -> Callable[[], object]:
    argv = [sys.executable, *arguments]
    return lambda: subprocess.run(argv, stdout=subprocess.DEVNULL, check=False)


def kakaocron(*arguments: str) -> Callable[[], object]:
    return python("-m", "kakaocron", *arguments)


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
        with served() as url:
            taken = by_turns(
                {
                    BARE: python("-c", "pass"),
                    "status": kakaocron("status"),
                    "status --json": kakaocron("status", "--json"),
                    "health": kakaocron("health"),
                    "report --days 365": kakaocron("report", "--days", "365"),
                    "/health": lambda: requests.get(f"{url}/health", timeout=10),
                    "/api/page": lambda: requests.get(f"{url}/api/page", timeout=10),
                }
            )
    for name, seconds in taken.items():
        bound = BOUNDS.get(name)
        verdict = "" if bound is None else f"  bound {bound} s{'' if seconds < bound else ': OVER'}"
        print(f"{name:20} {seconds * 1000:7.0f} ms {seconds / taken[BARE]:6.1f}{verdict}")
    return int(any(taken[name] >= bound for name, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
