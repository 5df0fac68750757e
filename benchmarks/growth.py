"""What a tick that sends costs as the ledger and the number of messages grow.

One message over no ledger and over ledgers of a day, a year and ten years; and 1, 10, 100 and
1,000 messages in one slot over no ledger and over one of ten years. By turns, round by round; a
ratio is the median of those of the rounds.

    python benchmarks/growth.py [--rounds 11] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from installation import HOUR_LONG, configure, environment, fill_ledger, receiver
from measure import Row, run_once

from kakaocron.kst import KST

AGES = {"no ledger": 0, "a day": 1, "a year": 365, "ten years": 3652}
COUNTS = (1, 10, 100, 1000)
SCRIPT = str(Path(sys.executable).parent / "kakaocron")


def prepare(home: Path, url: str, days: int, messages: int = 1) -> Path:
    extra = HOUR_LONG + "[ledger]\nkeep_days = 36500"
    configure(home, url, "0", messages, extra)
    fill_ledger(home, days, datetime.now(KST).date() - timedelta(days=1))
    return home


def send_once(home: Path) -> Row:
    """Run a tick over the ledger as it was before today: each finds its slot unsent."""
    (home / "data" / "ledger" / f"{datetime.now(KST).date()}.jsonl").unlink(missing_ok=True)
    (home / "data" / "timetables.json").unlink(missing_ok=True)  # or its times were new today
    shutil.rmtree(home / "log", ignore_errors=True)
    return run_once([SCRIPT, "tick"], environment(home))


def by_turns(homes: Mapping[str, Path], rounds: int) -> dict[str, list[Row]]:
    """Measure each home once a round, in an order that turns round; the first round is dropped."""
    rows: dict[str, list[Row]] = {name: [] for name in homes}
    for number in range(rounds + 1):
        for name in list(homes)[:: 1 if number % 2 else -1]:
            rows[name].append(send_once(homes[name]))
    return {name: found[1:] for name, found in rows.items()}


def show(rows: Mapping[str, Sequence[Row]], base: str) -> None:
    print(f"{'':24} {'wall ms':>15} {'CPU ms':>15} {'peak MB':>15}")
    for name, found in rows.items():
        cells = []
        for column, factor in ((0, 1000), (1, 1000), (2, 1)):
            values = [row[column] for row in found]
            others = [row[column] for row in rows[base]]
            ratio = median(a / b for a, b in zip(values, others, strict=True))
            cells.append(f"{factor * median(values):.0f} ({ratio:.2f})")
        print(f"{name:24} " + " ".join(f"{cell:>15}" for cell in cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", type=Path, help="Write every figure here.")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kakaocron-growth-"))
    with receiver() as (url, arrivals):
        homes = {name: prepare(folder / f"age-{days}", url, days) for name, days in AGES.items()}
        print(f"One message, medians of {options.rounds}, load {os.getloadavg()[0]:.1f}")
        by_age = by_turns(homes, options.rounds)
        assert len(arrivals) == len(AGES) * (options.rounds + 1)
        show(by_age, "no ledger")
        by_count = {}
        for count in COUNTS:
            homes = {
                f"{count} over {name}": prepare(folder / f"{count}-{name}", url, AGES[name], count)
                for name in ("no ledger", "ten years")
            }
            before = len(arrivals)
            by_count |= (found := by_turns(homes, max(3, options.rounds // 3)))
            assert len(arrivals) - before == 2 * count * (max(3, options.rounds // 3) + 1)
            print()
            show(found, f"{count} over no ledger")
    if options.json:
        options.json.write_text(json.dumps({"by age": by_age, "by count": by_count}, indent=1))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
