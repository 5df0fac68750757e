"""What must hold of every command, whatever it was given to read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable

from tests.fuzz.house import KEY, Done, House, read_log

# The contract's table; 70 is a bug, 75 and 130 need a held lock and an interrupt.
CODES = frozenset({0, 1, 2, 3, 74})
# Fifteen for a token that others of the process ask for, eight for those who watch from outside.
LONGEST_SECONDS = 25.0
SLOW = "it took"
LONGEST_LINE = 1500
MOST_LINES = 12  # a tick tells each incident, and of five deliveries
SECRET_PIECE = 12
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_BUG = re.compile(r"Traceback|bug in the |CRITICAL")


def faults(
    done: Done, house: House, *, may_have: Iterable[int] = (), is_raw: bool = False
) -> list[str]:
    """Say what is wrong with how a command ended."""
    found = []
    if done.code not in CODES | set(may_have):
        found.append(f"exit code {done.code}")
    if "Traceback" in done.err + done.out:
        found.append("a traceback")
    if done.seconds > LONGEST_SECONDS:
        found.append(f"{SLOW} {done.seconds:.1f} s")
    found += [] if is_raw else _text_faults(done)
    found += [f"a secret in its {where}" for where in _leaks(done, house, is_raw=is_raw)]
    log = read_log(house)
    if bug := _BUG.search(log):
        found.append("a bug in the log: " + log[max(0, bug.start() - 200) :][-6000:])
    return found


def _text_faults(done: Done) -> list[str]:
    found = []
    lines = done.err.splitlines()
    most = MOST_LINES if done.argv[0] in {"tick", "next", "config"} else 1
    if len(lines) > most:
        found.append(f"{len(lines)} lines of errors")
    if any(len(line) > LONGEST_LINE for line in lines):
        found.append("an endless line of errors")
    # A spreadsheet's cell may have lines.
    out = done.out.replace("\r", "") if "--csv" in done.argv else done.out
    if _CONTROL.search(done.err) or _CONTROL.search(out):
        found.append("control characters in what it says")
    if done.code in {2, 74} and done.argv[0] != "tick" and not done.err:
        found.append("an error without a word")
    if "--json" in done.argv:
        try:
            if done.out:
                json.loads(done.out)
            elif done.code in {0, 1} and not done.err:
                found.append("no JSON")
        except ValueError:
            found.append("something else than JSON")
    return found


def _leaks(done: Done, house: House, *, is_raw: bool) -> list[str]:
    # The key is part of the address that a login shows.
    secrets = house.secrets - {KEY} if done.argv[0] == "login" else house.secrets
    pieces = {s[at : at + SECRET_PIECE] for s in secrets for at in range(len(s) - 11)}
    places = {"errors": done.err, "log": read_log(house), "output": "" if is_raw else done.out}
    return [where for where, text in places.items() if any(piece in text for piece in pieces)]


def twice(before: Counter[tuple[str, str]], house: House) -> list[str]:
    """Name what a receiver got that he had already."""
    after = house.received()
    return [f"{text!r} twice to {who}" for (who, text), count in after.items()
            if count > max(1, before[who, text])]  # fmt: skip
