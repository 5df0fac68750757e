"""Where the time between a slot's instant and its request's arrival goes, stage by stage.

Each slot is sent by a process of its own with `early_start`, on a clock that stands five seconds
before the slot when the process begins; so twenty slots take two minutes.

    python benchmarks/instant.py [--slots 20]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from installation import configure, environment
from msgspec.structs import replace
from under_cron import Receiver

from kakaocron.config.reading import load_config
from kakaocron.delivery.tick import tick
from kakaocron.installation import Edges, assemble
from kakaocron.kst import KST
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places
from kakaocron.system.syscalls import RealDisk

LEAD_SECONDS = 5.0
STAGES = (
    "awake",
    "claim made",
    "claim durable",
    "gate asked",
    "request sent",
    "request received",
)


class Traced(RealDisk):
    """Notes when the claim is written and durable, and when the gate reads it."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, float]] = []

    def open(self, path: str, *arguments: Any) -> int:
        self.noted.append((path.rpartition(".")[2], time.time()))
        return super().open(path, *arguments)

    def write(self, fd: int, data: bytes) -> int:
        self.noted.append(("write", time.time()))
        return super().write(fd, data)

    def fsync(self, fd: int) -> None:
        super().fsync(fd)
        self.noted.append(("fsync", time.time()))


class ShiftedClock(SystemClock):
    def __init__(self, by: float) -> None:
        self.by = by
        self.asked: list[float] = []

    def now(self) -> datetime:
        moment = time.time()
        self.asked.append(moment)
        return datetime.fromtimestamp(moment + self.by, KST)


def send_one(home: Path, slot: float) -> None:
    """Wait for a slot and send it, in this process; print when each stage was over."""
    clock, disk = ShiftedClock(slot - time.time() - LEAD_SECONDS), Traced()
    sent: list[float] = []
    sendall = socket.socket.sendall

    def noting(self: socket.socket, *arguments: Any) -> None:
        sent.append(time.time())
        sendall(self, *arguments)

    socket.socket.sendall = noting  # type: ignore[method-assign, assignment]
    places = find_places(home / "config.toml")
    edges = Edges(clock=clock, disk=disk)
    installation = assemble(places, load_config(places.config), edges)
    plan = replace(installation.plan, ahead=timedelta(seconds=60))
    tick(installation.engine, plan, installation.heartbeat)
    instant = slot - clock.by
    made = _first(at for name, at in disk.noted if name == "write" and at >= instant)
    durable = _first(at for name, at in disk.noted if name == "fsync" and at > made)
    asked = _first(at for name, at in disk.noted if name == "jsonl" and at > durable)
    awake = _first(at for at in clock.asked if at >= instant)
    stages = [awake, made, durable, asked, _first(at for at in sent if at > asked)]
    print(json.dumps([instant, *stages]))


def _first(instants: Any) -> float:
    return min(instants, default=float("nan"))


async def measure(slots: int) -> None:
    received: list[tuple[str, float]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Receiver("", received, 75), "127.0.0.1", 0)
    home = Path(tempfile.mkdtemp(prefix="kakaocron-instant-"))
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    configure(home, url, ", ".join(map(str, range(60))))
    first = datetime.now(KST).replace(hour=9, minute=0, second=0, microsecond=0)
    rows = []
    for number in range(slots + 1):
        slot = (first + timedelta(minutes=number)).timestamp()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            "--child",
            str(home),
            str(slot),
            env=environment(home),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        instant, *stages = json.loads(said)
        rows.append([1000 * (at - instant) for at in (*stages, received[-1][1])])
    shutil.rmtree(home)
    print(f"load {os.getloadavg()[0]:.1f}; milliseconds after the instant, of {slots} slots")
    print(f"{'':20} {'min':>8} {'median':>8} {'max':>8}")
    for name, values in zip(STAGES, zip(*rows[1:], strict=True), strict=True):
        print(f"{name:20} {min(values):8.2f} {median(values):8.2f} {max(values):8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=20)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        send_one(Path(options.child[0]), float(options.child[1]))
    else:
        asyncio.run(measure(options.slots))


if __name__ == "__main__":
    main()
