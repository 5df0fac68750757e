"""1 to 1,000 messages due in one slot, against a server that takes 100 ms an answer.

python benchmarks/many.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from installation import HOUR_LONG, configure, environment, receiver
from measure import run_once


def main() -> None:
    script = str(Path(sys.executable).parent / "kakaocron")
    print("messages  arrived  tick s  first to last s  CPU s  peak MB")
    for count in (1, 10, 100, 1000):
        folder = Path(tempfile.mkdtemp(prefix="kakaocron-many-"))
        with receiver(0.1) as (url, arrivals):
            configure(folder, url, "0", count, HOUR_LONG)
            wall, cpu, peak = run_once([script, "tick"], environment(folder))
        span = max(arrivals) - min(arrivals) if arrivals else 0
        print(f"{count:8} {len(arrivals):8} {wall:7.2f} {span:16.2f} {cpu:6.2f} {peak:8.1f}")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
