"""Runs commands by turns and compares their medians: wall clock, CPU time, peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

Row = tuple[float, float, float]


def run_once(command: Sequence[str], environ: Mapping[str, str]) -> Row:
    """Return wall seconds, CPU seconds and peak MB of one process.

    GNU time stands between: what a child has at its peak begins with what its parent had.
    """
    timed = ["/usr/bin/time", "-f", "%e %U %S %M", *command]
    started = time.perf_counter()
    process = subprocess.Popen(
        timed, env=environ, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    said = process.stderr.read()
    _, _, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    return wall, usage.ru_utime + usage.ru_stime, int(said.split()[-1]) / 1024


def compare(
    commands: Mapping[str, Sequence[str]],
    environ: Mapping[str, str],
    rounds: int = 15,
    before_each: Callable[[str], None] = lambda _: None,
) -> None:
    """Print a table; the first command is the measure of the others."""
    rows: dict[str, list[Row]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            before_each(name)
            rows[name].append(run_once(command, environ))
    medians = {
        name: [statistics.median(c) for c in zip(*r, strict=True)] for name, r in rows.items()
    }
    base = next(iter(medians.values()))
    print(f"{f'median of {rounds}':40} {'wall ms':>15} {'CPU ms':>15} {'peak MB':>15}")
    for name, (wall, cpu, peak) in medians.items():
        cells = [
            f"{1000 * wall:.1f} ({wall / base[0]:.2f})",
            f"{1000 * cpu:.1f} ({cpu / base[1]:.2f})",
            f"{peak:.1f} ({peak / base[2]:.2f})",
        ]
        print(f"{name:40} " + " ".join(f"{cell:>15}" for cell in cells))
