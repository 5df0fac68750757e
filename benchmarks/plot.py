"""Draws docs/images/performance.png from what under_cron.py and growth.py wrote with --json.

pip install matplotlib
python benchmarks/plot.py plain.json tls.json growth.json docs/images/performance.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

COLOURS = {
    "early_start": "#d62728",
    "APScheduler": "#1f77b4",
    "crontab with curl": "#7f7f7f",
    "plain tick": "#9467bd",
}
WHOLE_FROM = 100
WANTED = {3: "p50 ≤ 3", 20: "p99 ≤ 20"}


def draw_lateness(axes: Any, figures: dict[str, list[float]], title: str) -> None:
    """Draw a dot a slot, and a bar at the median."""
    names = list(COLOURS)[::-1]
    for row, name in enumerate(names):
        values = sorted(figures[name])
        spread = [row + 0.28 * (i / max(1, len(values) - 1) - 0.5) for i in range(len(values))]
        axes.scatter(values, spread, s=14, alpha=0.7, color=COLOURS[name], linewidths=0)
        axes.plot([median(values)] * 2, [row - 0.3, row + 0.3], color=COLOURS[name], lw=2)
        middle = median(values)
        label = f"{middle:,.0f} ms" if middle >= WHOLE_FROM else f"{middle:.1f} ms"
        axes.annotate(label, (median(values), row + 0.34), ha="center", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(0.8, 20_000)
    axes.set_ylim(-0.6, len(names) - 0.3)
    axes.set_yticks(range(len(names)), names)
    axes.set_title(title, fontsize=10)
    axes.grid(axis="x", which="both", alpha=0.2)


def draw_growth(axes: Any, by_count: dict[str, list[list[float]]]) -> None:
    for ledger, style in (("no ledger", "o-"), ("ten years", "s--")):
        rows = {
            int(name.split(" ")[0]): median(row[1] for row in found)
            for name, found in by_count.items()
            if name.endswith(ledger)
        }
        axes.plot(list(rows), list(rows.values()), style, label=f"over {ledger}", alpha=0.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("messages in one slot")
    axes.set_ylabel("CPU seconds of the tick")
    axes.set_title("A tick that sends, as its work and its ledger grow", fontsize=10)
    axes.grid(which="both", alpha=0.2)
    axes.legend()


def main() -> None:
    plain, tls, growth, target = map(Path, sys.argv[1:])
    figure, axes = plt.subplots(3, 1, figsize=(8, 10), layout="constrained")
    beside = "Slot to request received, under Debian's cron"
    draw_lateness(axes[0], json.loads(plain.read_text()), f"{beside}: on loopback")
    draw_lateness(axes[1], json.loads(tls.read_text()), f"{beside}: TLS, 20 ms each way")
    for bound, words in WANTED.items():
        axes[0].axvline(bound, color="black", lw=0.8, ls=":")
        axes[0].annotate(f"{words} ", (bound, -0.5), ha="right", fontsize=8)
    axes[1].set_xlabel("milliseconds after the slot's instant (bar: median)")
    draw_growth(axes[2], json.loads(growth.read_text())["by count"])
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
