"""What must not grow, counted: `python -m benchmarks.counted`. Time decides nothing here.

Each count is of work that is the same on every machine: bytes of the ledger read, answers made,
calls of our own functions, instructions (where valgrind is). It ends with 1 if one is over its
bound. The quick ones are run as tests too (tests/test_counted.py).
"""

from __future__ import annotations

import _thread
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from starlette.responses import PlainTextResponse

import kakaocron
from kakaocron.config.reading import parse_config
from kakaocron.delivery.tick import tick
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.kst import DAY, KST
from kakaocron.ledger.beats import Word
from kakaocron.ledger.day_file import Reading
from kakaocron.ledger.events import Event, Schedule, from_line, of_slot, to_line
from kakaocron.rehearsal.simulation import judge
from kakaocron.rehearsal.simulation.campaign import play
from kakaocron.schedule.slots import Slot
from kakaocron.states import State
from kakaocron.system.http import Answer, Failure, Gate, Request
from kakaocron.system.places import Places
from kakaocron.system.syscalls import RealDisk
from kakaocron.watching.overview import look, report
from kakaocron.web.server import OneAtATime
from tests.fakes import MESSAGE, FakeClock
from tests.years import write_days

NOW = datetime(2026, 11, 23, 14, 20, 30, tzinfo=KST)
CONNECTIONS = 40


@dataclass(frozen=True)
class Count:
    """Something counted, of which there may be `most`."""

    name: str
    count: Callable[[], float]
    most: float


class CountingDisk(RealDisk):
    """Counts what is read of the ledger."""

    def __init__(self) -> None:
        self.bytes_read = 0
        self._of_ledger: set[int] = set()

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        fd = super().open(path, flags, mode)
        if path.endswith(".jsonl"):
            self._of_ledger.add(fd)
        return fd

    def read(self, fd: int, count: int) -> bytes:
        found = super().read(fd, count)
        if fd in self._of_ledger:
            self.bytes_read += len(found)
        return found

    def close(self, fd: int) -> None:
        super().close(fd)
        self._of_ledger.discard(fd)


@contextmanager
def installed(days: int) -> Iterator[tuple[Installation, CountingDisk, Path]]:
    """Yield an installation with a ledger of days, whose last tick was just now."""
    with tempfile.TemporaryDirectory(prefix="kakaocron-counted-") as name:
        folder, disk = Path(name), CountingDisk()
        places = Places(folder / "config.toml", folder / "data", folder / "log", {})
        config = parse_config('[kakao]\nrest_api_key = "key"\n' + MESSAGE, "config.toml")
        ledger = folder / "data" / "ledger"
        write_days(ledger, list(config.series()), NOW, days)
        here = assemble(places, config, Edges(clock=FakeClock(NOW), disk=disk))
        here.heartbeat.beat(NOW, Word.DONE, 0)
        yield here, disk, ledger


def status_over_one_offs() -> float:
    """Return how many bytes `status` reads of a hundred days that are booked, per byte of today
    and yesterday."""
    with installed(2) as (here, disk, ledger):
        own = sum(path.stat().st_size for path in ledger.iterdir())
        for number in range(1, 101):
            at = NOW + number * DAY
            slots = [Slot(f"once-{n:016x}", at + timedelta(minutes=n), "once") for n in range(50)]
            more = {"state": State.SCHEDULED, "text": "예약"}
            lines = [to_line(of_slot(Schedule, slot, ["me"], NOW, **more)) for slot in slots]
            (ledger / f"{at.date()}.jsonl").write_bytes(b"".join(lines))
        look(here)
        return disk.bytes_read / own


def status_again() -> float:
    """Return how many lines' bytes a second look reads of a ledger that has not changed."""
    with installed(2) as (here, disk, _):
        look(here)
        disk.bytes_read = 0
        look(here)
        return disk.bytes_read


def answers_for_many() -> float:
    """Return how many answers are made for many who ask at once."""
    made = 0

    def make() -> PlainTextResponse:
        nonlocal made
        made += 1
        return PlainTextResponse("")

    async def ask() -> None:
        turns = OneAtATime()
        await asyncio.gather(*(turns.answer("/api/status", make) for _ in range(CONNECTIONS)))

    asyncio.run(ask())
    return made


def calls(work: Callable[[], object], within: str) -> int:
    """Return how many calls of Python's functions are made from files of this name."""
    count = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        if event == "call" and within in frame.f_code.co_filename:
            count += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def judging(days: int) -> int:
    """Return how many calls the judge makes of a history of tests' own length."""
    started, found = judge.judge, 0

    def counting(*arguments: Any) -> list[str]:
        nonlocal found
        breaches: list[str] = []
        found = calls(lambda: breaches.extend(started(*arguments)), "judge.py")
        return breaches

    with patch("kakaocron.rehearsal.simulation.world.judge", counting):
        assert play(0, days * 1440, parse_config(MESSAGE, "config.toml")).breaches == ()
    return found


def judged_for_longer() -> float:
    """Return how many times as much the judge does for four days as for one."""
    return judging(4) / judging(1)


def year_reported() -> float:
    """Return how many of our own calls a report makes, per line of the ledger."""
    with installed(30) as (here, _, ledger):
        lines = sum(path.read_bytes().count(b"\n") for path in ledger.iterdir())
        return calls(lambda: report(here, 30), "kakaocron") / lines


class Yes:
    """Says yes to every request."""

    def __init__(self) -> None:
        self.asked = 0

    def ask(self, _: Request, gate: Gate | None = None) -> Answer | Failure:
        if gate is not None:
            gate()
            self.asked += 1
        return Answer(200, {}, b'{"result_code":0}')

    def warm(self, url: str, count: int) -> None: ...
    def close(self) -> None: ...


@contextmanager
def sending(messages: int, read_line: Callable[[bytes], Event] = from_line) -> Iterator[Path]:
    """Yield the ledger of a day once a tick has sent so many messages at half past nine."""
    with tempfile.TemporaryDirectory(prefix="kakaocron-counted-") as name:
        folder, http = Path(name), Yes()
        text = "".join(MESSAGE.replace("report", f"m{n}") for n in range(messages))
        config = parse_config('[kakao]\nrest_api_key = "key"\n' + text, "config.toml")
        variables = {"KAKAO_ACCESS_TOKEN": "token"}
        places = Places(folder / "config.toml", folder / "data", folder / "log", variables)
        ledger, at = folder / "data" / "ledger", NOW.replace(hour=9, minute=30, second=1)
        write_days(ledger, list(config.series()), at - timedelta(minutes=1), 1)
        edges = Edges(
            clock=FakeClock(at),
            make_http=lambda _: http,
            make_reading=partial(Reading, read_line),
        )
        here = assemble(places, config, edges)
        here.heartbeat.beat(at - timedelta(minutes=1), Word.DONE, 0)
        tick(here.engine, here.plan, here.heartbeat)
        assert http.asked == messages
        yield ledger


def lines_taken_up() -> float:
    """Return how many lines a tick of 100 messages decodes, per line that there is in the end."""
    decoded = 0

    def counting(line: bytes) -> Event:
        nonlocal decoded
        decoded += 1
        return from_line(line)

    with sending(100, counting) as ledger:
        return decoded / sum(path.read_bytes().count(b"\n") for path in ledger.iterdir())


def threads_started() -> float:
    """Return how many threads a tick of 100 messages starts: two for each that may go at once."""
    started, start = 0, _thread.start_new_thread

    def counting(*arguments: Any) -> int:
        nonlocal started
        started += 1
        return start(*arguments)

    with patch.object(_thread, "start_new_thread", counting), sending(100):
        return started


def instructions(*arguments: str, home: Path, **variables: str) -> int:
    """Return how many instructions a Python process takes."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONHASHSEED": "0"}
    environ |= {"KAKAO_ACCESS_TOKEN": "token", **variables}
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    ended = subprocess.run(
        [*tool, sys.executable, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", ended.stderr)
    assert found, ended.stderr
    return int(found[1].replace(",", ""))


def of_python(*arguments: str) -> float:
    """Return how many times the instructions of `python -c pass` a command takes."""
    with home_with_a_message() as home:
        for _ in range(2):  # the first makes what the others find
            instructions(*arguments, home=home)
        return instructions(*arguments, home=home) / instructions("-c", "pass", home=home)


def asked_by_cron() -> float:
    """Return how many times the instructions of `python -c pass` it takes what cron's line asks
    first to say that there is nothing to do."""
    asks = ("-I", "-S", str(Path(kakaocron.__file__).with_name("is_idle.py")))
    with home_with_a_message() as home:
        for _ in range(2):
            instructions("-m", "kakaocron", "tick", home=home)
        return instructions(*asks, home=home) / instructions("-c", "pass", home=home)


def whole_tick() -> float:
    """Return how many times the instructions of `python -c pass` a tick takes that looks at all
    and finds nothing to do."""
    tick = ("-m", "kakaocron", "tick")
    with home_with_a_message() as home:
        for _ in range(2):
            instructions(*tick, home=home)
        (plan,) = home.rglob("log/idle")
        plan.unlink()
        return instructions(*tick, home=home) / instructions("-c", "pass", home=home)


def status_in_korean() -> float:
    """Return how many times the instructions of `status` in English it takes in Korean."""
    arguments = ("-m", "kakaocron", "status")
    with home_with_a_message() as home:
        for _ in range(2):
            instructions(*arguments, home=home)
        korean = instructions(*arguments, home=home, KAKAOCRON_LANGUAGE="ko")
        return korean / instructions(*arguments, home=home, KAKAOCRON_LANGUAGE="en")


@contextmanager
def home_with_a_message() -> Iterator[Path]:
    """Yield a home whose one message is due in half an hour."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / ".config" / "kakaocron").mkdir(parents=True)
        later = (datetime.now(KST).minute + 30) % 60
        schedule = f"[schedule]\nregular_minutes = [{later}]\npeak_hours = []\n"
        text = '[kakao]\nrest_api_key = "key"\n' + schedule + MESSAGE
        (home / ".config" / "kakaocron" / "config.toml").write_text(text)
        yield home


QUICK = (
    Count("ledger read by status over 100 booked days, per byte of two", status_over_one_offs, 1.0),
    Count("bytes of the ledger read by a look that finds it unchanged", status_again, 1500),
    Count(f"answers made for {CONNECTIONS} who ask for the same at once", answers_for_many, 1),
    Count("calls by a report, per line of the ledger", year_reported, 3.0),
    Count("lines decoded by a tick of 100 messages, per line of the ledger", lines_taken_up, 1.0),
    Count("threads started by a tick of 100 messages, 32 at once", threads_started, 65),
)
IDLE = partial(of_python, "-m", "kakaocron", "tick")
STATUS = partial(of_python, "-m", "kakaocron", "status")
LONG = (Count("calls of the judge for 4 simulated days, per call for 1", judged_for_longer, 5.0),)
BY_VALGRIND = (
    Count("instructions of an idle tick, per one of `python -c pass`", IDLE, 1.45),
    Count("the same, of what cron's line asks before it", asked_by_cron, 0.85),
    Count("the same, of a tick that finds no plan of one before it", whole_tick, 10),
    Count("instructions of status, per one of `python -c pass`", STATUS, 13),
    Count("instructions of status in Korean, per one in English", status_in_korean, 1.05),
)


def main() -> int:
    found: Counter[bool] = Counter()
    for one in (*QUICK, *LONG, *(BY_VALGRIND if shutil.which("valgrind") else ())):
        count = one.count()
        found[count <= one.most] += 1
        said = "" if count <= one.most else "   OVER"
        print(f"{count:10.2f}  at most {one.most:<8g} {one.name}{said}", flush=True)
    return int(found[False] > 0)


if __name__ == "__main__":
    sys.exit(main())
