"""A tick that sends one message, over no ledger and over ledgers of a day, a year and ten years.

python benchmarks/growth.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from installation import HOUR_LONG, configure, environment, fill_ledger, receiver
from measure import run_once

from kakaocron.core.calendar import KST

AGES = {"none": 0, "a day": 1, "a year": 365, "ten years": 3652}
ROUNDS = 11


def main() -> None:
    script = str(Path(sys.executable).parent / "kakaocron")
    yesterday = datetime.now(KST).date() - timedelta(days=1)
    folder = Path(tempfile.mkdtemp(prefix="kakaocron-growth-"))
    homes = {}
    with receiver() as (url, _):
        for name, days in AGES.items():
            homes[name] = folder / name.replace(" ", "-")
            configure(homes[name], url, "0", extra=HOUR_LONG + "[ledger]\nkeep_days = 36500")
            fill_ledger(homes[name], days, yesterday)
            run_once([script, "tick"], environment(homes[name]))
        rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in AGES}
        today = (yesterday + timedelta(days=1)).isoformat()
        for _ in range(ROUNDS):
            for name, home in homes.items():
                (home / "data" / "ledger" / f"{today}.jsonl").unlink(missing_ok=True)
                shutil.rmtree(home / "log")
                rows[name].append(run_once([script, "tick"], environment(home)))
    print(f"{'ledger':12} {'wall ms':>16} {'CPU ms':>16}   (median of {ROUNDS})")
    middle = {n: [sorted(c)[ROUNDS // 2] for c in zip(*r, strict=True)] for n, r in rows.items()}
    for name, (wall, cpu, _) in middle.items():
        ratios = wall / middle["none"][0], cpu / middle["none"][1]
        cells = f"{1000 * wall:.0f} ({ratios[0]:.2f})", f"{1000 * cpu:.0f} ({ratios[1]:.2f})"
        print(f"{name:12} {cells[0]:>16} {cells[1]:>16}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
