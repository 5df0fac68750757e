"""A program that forks one real `kakaocron tick` after another, and kills those it is told to.

The modules are loaded once, before the first fork, so that a kill falls into the tick's own work
and not into the start of Python. Each line of stdin is a round: `folder`, where the configuration
and all data are, `at`, the clock's time (seconds since 1970), and `kill_after`, a list with the
seconds after which each tick is killed (null: not at all). Each line of stdout tells how the ticks
of that round ended (-9: killed) and how long they took.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from datetime import datetime, timedelta

import kakaocron.system.socket_http  # noqa: F401 - a tick loads it when it sends
from kakaocron.commands.tick import tick
from kakaocron.kst import KST
from kakaocron.system.clock import SystemClock
from tests.prefork import warm_up


def main() -> None:
    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        at = datetime.fromtimestamp(order["at"], KST)
        folder = order["folder"]
        os.environ["KAKAOCRON_CONFIG"] = f"{folder}/config.toml"
        os.environ["KAKAOCRON_DATA_DIR"] = f"{folder}/data"
        os.environ["KAKAOCRON_LOG_DIR"] = f"{folder}/log"
        print(json.dumps(_round(at, order["kill_after"])), flush=True)


def _round(at: datetime, kill_after: list[float | None]) -> dict[str, list[float]]:
    started = time.monotonic()
    children = [_fork(at, started) for _ in kill_after]
    wanted = zip(kill_after, children, strict=True)
    for seconds, child in sorted((s, child) for s, child in wanted if s is not None):
        time.sleep(max(0.0, started + seconds - time.monotonic()))
        os.kill(child, signal.SIGKILL)
    exits, took = [], []
    for child in children:
        _, status = os.waitpid(child, 0)
        exits.append(float(os.waitstatus_to_exitcode(status)))
        took.append(time.monotonic() - started)
    return {"exits": exits, "seconds": took}


def _fork(at: datetime, started: float) -> int:
    child = os.fork()
    if child:
        return child
    SystemClock.now = lambda self: at + timedelta(seconds=time.monotonic() - started)  # type: ignore[method-assign]
    code = 70
    try:
        code = tick()
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
