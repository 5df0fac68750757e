"""How late texts are with pictures and without, whatever becomes of the upload; and what memory a
tick needs that sends a picture of 5 MB.

Each round lets a process send ten messages for one slot, on a clock that stands five seconds before
the slot as it begins (`early_start`), or one second after it: a round of all kinds takes a minute
and a half.

    python benchmarks/pictures.py [--rounds 10]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from installation import HOUR_LONG, configure, environment, fill_ledger
from instant import ShiftedClock
from measure import compare
from msgspec.structs import replace

from kakaocron.config.reading import load_config
from kakaocron.delivery.tick import tick
from kakaocron.installation import Edges, assemble
from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.pictures import draw
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places

MESSAGES = 10
MEMORY_ROUNDS = 9
# So that the slot before is over when a process begins.
SHORT = "[delivery]\nexpire_after = 30\n"
UPLOAD = "@/v2/api/talk/message/image/upload"
LARGE = 5 * 1024 * 1024
# What befalls the uploads of a kind; None: there is no picture.
KINDS = {
    "no picture": None,
    "uploaded": "",
    "uploaded, 5 MB": "",
    "slow: answered after 30 s": "slow=30",
    "slow: never read": "unread",
    "slow: never answered": "stall",
    "refused (-911)": "-911",
    "cut": "cut-before",
    "200 without an address": "no-address",
    "gone when it is looked at": "picture-gone",
}


def send_all(home: Path, slot: float, ahead_seconds: float) -> None:
    """Send a slot's messages in this process, whose clock stands so many seconds before it."""
    clock = ShiftedClock(slot - time.time() - ahead_seconds)
    places = find_places(home / "config.toml")
    installation = assemble(places, load_config(places.config), Edges(clock=clock))
    plan = replace(installation.plan, ahead=timedelta(seconds=60 if ahead_seconds > 0 else 0))
    instant = slot - clock.by
    report = tick(installation.engine, plan, installation.heartbeat)
    ends = Counter(f"{one.state} {one.reason or ''}".strip() for one in report.ended.values())
    print(json.dumps([instant, ends]))


def lateness(home: Path, sandbox: SandboxServer, environ: dict[str, str], ahead: float) -> None:
    """Print how late the texts of each kind came, by turns."""
    rows: dict[str, list[float]] = {kind: [] for kind in KINDS}
    texts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    shown, ends = Counter[str](), Counter[str]()
    slot = datetime.now(KST).replace(hour=9, minute=0, second=0, microsecond=0)
    for _ in range(ROUNDS):
        for kind, mishap in KINDS.items():
            slot += timedelta(minutes=1)
            folder = home / ("plain" if mishap is None else "large" if "5 MB" in kind else "chart")
            sandbox.faults.replace(f"{mishap}{UPLOAD}" if mishap else "")
            before = len(sandbox.deliveries)
            said = subprocess.run(
                [sys.executable, __file__, "--child", folder, str(slot.timestamp()), str(ahead)],
                env={**environ, **environment(folder), "KAKAO_ACCESS_TOKEN": environ["TOKEN"]},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            # Without early_start, from the moment at which the tick began.
            instant, ended = json.loads(said)
            instant -= min(0.0, ahead)
            ends.update({f"{kind}: {end}": count for end, count in ended.items()})
            for one in sandbox.deliveries[before:]:
                rows[kind].append((one.received_at_ns or 0) / 1e6 - 1000 * instant)
                texts[kind][_words(one.template)] += 1
                shown[kind] += one.picture is not None
    print(f"\nload {os.getloadavg()[0]:.1f}; ms after the instant, {ROUNDS} rounds of {MESSAGES}")
    print(f"{'':30} {'texts':>6} {'seen':>6} {'twice':>6} {'median':>9} {'p99':>9} {'max':>9}")
    for kind, values in rows.items():
        found = sorted(values)
        at = [found[len(found) // 2], found[int(0.99 * (len(found) - 1))], found[-1]]
        twice = sum(count - 1 for count in texts[kind].values())
        cells = " ".join(f"{value:9.1f}" for value in at)
        print(f"{kind:30} {len(found):6} {shown[kind]:6} {twice:6} {cells}")
    print(*(f"{count:6} {end}" for end, count in ends.items()), sep="\n")


def _words(template: object) -> str:
    assert isinstance(template, dict)
    return str(template.get("text") or template["content"]["title"])


def memory(home: Path, sandbox: SandboxServer, environ: dict[str, str]) -> None:
    """Print what a tick that sends one message takes, with a large picture and without."""
    script = str(Path(sys.executable).parent / "kakaocron")
    folders = {"no picture": "plain", "a file of 5 MB": "large", "5 MB from a command": "printed"}
    commands = {}
    for what, name in folders.items():
        fill_ledger(home / name, 0, datetime.now(KST).date() - timedelta(days=1))
        own = {**environment(home / name), "KAKAO_ACCESS_TOKEN": environ["TOKEN"]}
        commands[what] = ["env", *(f"{key}={value}" for key, value in own.items()), script, "tick"]

    def forget(what: str) -> None:
        data = home / folders[what] / "data"
        (data / "ledger" / f"{datetime.now(KST).date()}.jsonl").unlink(missing_ok=True)
        (data / "timetables.json").unlink(missing_ok=True)
        shutil.rmtree(home / folders[what] / "log", ignore_errors=True)

    print("\nA tick that sends one message")
    compare(commands, environ, MEMORY_ROUNDS, forget)
    seen = Counter(one.picture is not None for one in sandbox.deliveries)
    assert seen == {False: MEMORY_ROUNDS, True: 2 * MEMORY_ROUNDS}, seen


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="kakaocron-pictures-"))
    chart, large = home / "chart.png", home / "large.png"
    chart.write_bytes(draw(800, 400).content)
    large.write_bytes(draw(800, 400).content.ljust(LARGE, b"\0"))
    pictures = {
        "plain": "",
        "chart": f'image = "{chart}"\n',
        "large": f'image = "{large}"\n',
        "printed": f'image_command = ["cat", "{large}"]\n',
    }
    with SandboxServer(Kakao(seed=7), SystemClock().now) as sandbox:
        token = sandbox.kakao.issue_login(SystemClock().now()).access_token
        passed_on = {
            name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ
        }
        environ = {**passed_on, "TOKEN": token}
        for name in ("plain", "large", "printed"):
            configure(home / name, sandbox.url, "0", extra=HOUR_LONG)
            _append(home / name, pictures[name])
        memory(home, sandbox, environ)
        for ahead in (5.0, -1.0):
            for name in ("plain", "chart", "large"):
                shutil.rmtree(home / name, ignore_errors=True)
                every = ", ".join(map(str, range(60)))
                configure(home / name, sandbox.url, every, MESSAGES, SHORT)
                _append(home / name, pictures[name])
            print("\nwith early_start" if ahead > 0 else "\nwithout it, after the tick began")
            lateness(home, sandbox, environ, ahead)
    shutil.rmtree(home)


def _append(folder: Path, key: str) -> None:
    """Give each message a key of its own."""
    path = folder / "config.toml"
    path.write_text(
        path.read_text().replace('slots = ["regular"]\n', f'slots = ["regular"]\n{key}')
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    ROUNDS = options.rounds
    if options.child:
        send_all(Path(options.child[0]), float(options.child[1]), float(options.child[2]))
    else:
        main()
