"""A whole KST day against the sandbox: every tick real, only the clock is injected."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kakaocron.config.reading import parse_config
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.faults import FaultPlan
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import slots_between
from kakaocron.states import FINAL, State
from kakaocron.system.disk import Disk
from kakaocron.system.interrupts import SIGNALS, Signals
from kakaocron.system.places import Places
from kakaocron.system.syscalls import RealDisk
from kakaocron.ticking.runner import run
from kakaocron.watching.overview import Overview, look

DAY = datetime(2026, 11, 23, tzinfo=KST)
MINUTES = 24 * 60
CRON_IS_LATE = timedelta(seconds=1.2)

CONFIG = """
[kakao]
rest_api_key = "{key}"
client_secret = "{secret}"
api_url = "{url}"
auth_url = "{url}"
timeout = 0.25

[[message]]
name = "report"
slots = ["regular", "peak"]
text = "📊 장부 모니터링\\n⏰ {{time:%Y-%m-%d %H:%M}}"
"""

# What goes wrong at which slot. The words are the sandbox's.
FAULTS = {
    "01:30": "refuse",
    "03:30": "cut-after",
    "05:30": "html",
    "07:15": "-603+",
    "08:45": "half",
    "09:00": "stall",
    "11:15": "401-twice",
    "12:30": "-10",
    "16:30": "429",
}
SLEEP = (19 * 60 - 5, 19 * 60 + 20)  # minutes in which the host is asleep
KILLED_AT = 15 * 60  # the tick of this minute dies between its claim and its request
TWO_CRONS = range(20 * 60, 20 * 60 + 60)


class DemoClock:
    """Goes on by itself within a tick, and is set from one minute to the next."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def set(self, at: datetime) -> None:
        self._at, self._since = at, time.monotonic()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._since)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class _KilledError(BaseException):
    """Stands for SIGKILL: nothing that follows it in the process runs."""


class _DyingDisk(RealDisk):
    """A disk whose process dies right after its first claim is on it."""

    def __init__(self) -> None:
        self._is_dead = False
        self._has_claimed = False

    def write(self, fd: int, data: bytes) -> int:
        if self._is_dead:
            raise _KilledError
        self._has_claimed = self._has_claimed or b'"event":"claim"' in data
        return super().write(fd, data)

    def fsync(self, fd: int) -> None:
        super().fsync(fd)
        if self._has_claimed:
            self._is_dead = True
            raise _KilledError


@dataclass(frozen=True, slots=True)
class Comparison:
    """The day as the sandbox saw it, beside what the ledger says."""

    due: int
    final: int
    delivered: int
    confirmed: int
    duplicates: int
    lost: int
    falsely_confirmed: int
    early_or_late: int
    by_state: dict[str, int]

    @property
    def holds(self) -> bool:
        wrong = self.duplicates + self.lost + self.falsely_confirmed + self.early_or_late
        return wrong == 0 and self.final == self.due


@dataclass(frozen=True, slots=True)
class DemoDay:
    verdict: Comparison
    overview: Overview
    seconds: float

    def fields(self) -> dict[str, Any]:
        """Return the object that `demo --json` prints."""
        verdict = {**asdict(self.verdict), "holds": self.verdict.holds}
        return {"seconds": self.seconds, "verdict": verdict, "status": self.overview.fields()}


def run_day(folder: Path, on_minute: Callable[[int], None]) -> DemoDay:
    """Run 1,440 minutes of ticks in `folder`; `on_minute` hears of each. A signal ends it after
    its minute: an interrupt raised anywhere may be lost, as Python drops it in a destructor."""
    started = time.monotonic()
    clock = DemoClock(DAY)
    faults = FaultPlan()
    with (
        SandboxServer(Kakao(), clock.now, faults=faults) as sandbox,
        SIGNALS.held(lambda: None),
    ):
        installation = _installation(folder, sandbox, clock)
        for minute in range(MINUTES):
            if SIGNALS.is_asked:
                raise KeyboardInterrupt
            if fault := FAULTS.get(f"{minute // 60:02d}:{minute % 60:02d}"):
                faults.enqueue(fault)
            if not SLEEP[0] <= minute < SLEEP[1]:
                _run_minute(installation, clock, minute)
            on_minute(minute + 1)
        overview = look(installation)
        return DemoDay(_judge(installation, sandbox), overview, time.monotonic() - started)


def _installation(folder: Path, sandbox: SandboxServer, clock: DemoClock) -> Installation:
    settings = sandbox.kakao.settings
    login = sandbox.kakao.issue_login(DAY)
    text = CONFIG.format(key=settings.rest_api_key, secret=settings.client_secret, url=sandbox.url)
    places = Places(
        folder / "config.toml",
        folder / "data",
        folder / "log",
        {"KAKAO_REFRESH_TOKEN": login.refresh_token},
    )
    return assemble(places, parse_config(text, str(places.config)), Edges(clock=clock))


def _run_minute(installation: Installation, clock: DemoClock, minute: int) -> None:
    clock.set(DAY + timedelta(minutes=minute) + CRON_IS_LATE)
    if minute == KILLED_AT:
        _run_and_die(installation)
    elif minute in TWO_CRONS:
        twin = threading.Thread(target=_run_tick, args=(installation,))
        twin.start()
        _run_tick(installation)
        twin.join()
    else:
        _run_tick(installation)


def _run_tick(installation: Installation, disk: Disk | None = None) -> None:
    """Do what a process of its own would; signals are the demo's, and not its ticks'."""
    edges = Edges(clock=installation.clock, disk=disk or RealDisk(), interrupts=Signals())
    places, config = installation.places, installation.config
    run(places, edges, lambda: assemble(places, config, edges), lambda _: None)


def _run_and_die(installation: Installation) -> None:
    try:
        _run_tick(installation, _DyingDisk())
    except _KilledError:
        return


def _judge(installation: Installation, sandbox: SandboxServer) -> Comparison:
    """Count at the receiver: each text carries its slot's time."""
    series = installation.plan.series[0]
    last = DAY + timedelta(days=1) - timedelta.resolution
    slots = list(slots_between(series.name, series.timetable, DAY - timedelta.resolution, last))
    received: Counter[str] = Counter()
    wrong_time = 0
    for delivery in sandbox.deliveries:
        stamp = delivery.text.rpartition("⏰ ")[2]
        received[stamp] += 1
        slot = datetime.strptime(stamp, "%Y-%m-%d %H:%M").replace(tzinfo=KST)
        wrong_time += not slot <= delivery.at < slot + installation.engine.policy.expire_after
    ledger = installation.ledger.read([DAY.date()]).deliveries
    states = {s.id: ledger[s.id].state if s.id in ledger else None for s in slots}
    stamps = {s.id: f"{s.at:%Y-%m-%d %H:%M}" for s in slots}
    by_state = Counter(str(state) for state in states.values())
    told = FINAL - {State.CONFIRMED}
    return Comparison(
        due=len(slots),
        final=sum(state in FINAL for state in states.values()),
        delivered=sum(1 for id_ in states if received[stamps[id_]]),
        confirmed=by_state["confirmed"],
        duplicates=sum(count - 1 for count in received.values()),
        lost=sum(not received[stamps[i]] and state not in told for i, state in states.items()),
        falsely_confirmed=sum(
            state is State.CONFIRMED and not received[stamps[i]] for i, state in states.items()
        ),
        early_or_late=wrong_time,
        by_state=dict(by_state),
    )
