"""An idle tick, a tick that sends and `status`, beside the bare interpreter and five lines of
requests.

    python benchmarks/ticks.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from installation import HOUR_LONG, configure, environment, fill_ledger, receiver
from measure import compare

from kakaocron.kst import KST

FIVE_LINES = """
import sys, requests
answer = requests.post(sys.argv[1] + "/v2/api/talk/memo/default/send",
    data={"template_object": "x"}, headers={"Authorization": "Bearer token"}, timeout=10)
answer.raise_for_status(); assert answer.json()["result_code"] == 0
"""


def main() -> None:
    python, script = sys.executable, str(Path(sys.executable).parent / "kakaocron")
    folder = Path(tempfile.mkdtemp(prefix="kakaocron-ticks-"))
    with receiver() as (url, arrivals):
        configure(folder, url, str((datetime.now(KST).minute + 30) % 60))
        fill_ledger(folder, 365, datetime.now(KST).date() - timedelta(days=1))
        idle = {
            "python -c pass": [python, "-c", "pass"],
            "idle tick, python -m kakaocron": [python, "-m", "kakaocron", "tick"],
            "idle tick, console script": [script, "tick"],
        }
        for _ in range(2):
            compare({"warm up": idle["idle tick, console script"]}, environment(folder), 1)
        print("\nA tick with nothing to do")
        compare(idle, environment(folder), 21)

        sending = folder / "sending"
        configure(sending, url, "0", extra=HOUR_LONG)
        fill_ledger(sending, 0, datetime.now(KST).date() - timedelta(days=1))

        def forget(_: str) -> None:
            today = sending / "data" / "ledger" / f"{datetime.now(KST).date()}.jsonl"
            today.unlink(missing_ok=True)
            (sending / "data" / "timetables.json").unlink(missing_ok=True)
            shutil.rmtree(sending / "log", ignore_errors=True)

        print("\nA tick that sends one message")
        compare(
            {
                "five lines of requests": [python, "-c", FIVE_LINES, url],
                "a tick that sends": [script, "tick"],
            },
            environment(sending),
            9,
            forget,
        )
        assert len(arrivals) == 2 * 9, f"{len(arrivals)} of 18 requests have come"
        print("\nOther commands, over a ledger of one year")
        compare(
            {
                "python -c pass": [python, "-c", "pass"],
                "kakaocron --help": [script, "--help"],
                "kakaocron status": [script, "status"],
                "kakaocron status --json": [script, "status", "--json"],
                "kakaocron report --days 365": [script, "report", "--days", "365"],
            },
            environment(folder),
            5,
        )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
