"""Damage a ledger of three days in every place, and let the ticks go on from there:
python -m tests.proofs.damage.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pickle import dumps, loads

from kakaocron import actions
from kakaocron.ledger.day_file import parse_day
from kakaocron.ledger.deliveries import Delivery
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from kakaocron.rehearsal.simulation.home import PLACES
from kakaocron.states import FINAL, State
from tests.proofs.solo import UNREACHABLE, Solo
from tests.proofs.workloads import HEAD, PROBE, REPORT, at

CONFIG = (
    HEAD.replace("10:15", "10:45")
    + REPORT
    + f'[[message]]\nname = "orders"\nslots = ["regular"]\ntext = "{PROBE}"\n'
    + 'to = ["me", "uuid-a"]\n'
)
DAYS = (21, 22, 23)
AFTER = (at(9, 36), at(9, 40), at(10, 0), at(10, 30))
# These change nothing that a line says, and no size that was seen.
FEWER = 8
UNSEEN = frozenset({"doubled", "swapped"})


@dataclass(frozen=True, slots=True)
class Damage:
    """One spoilt file. `is_rot`: by the disk itself, so that the file's times tell nothing."""

    kind: str
    day: date
    line: int
    content: bytes
    is_rot: bool = False


@dataclass
class Count:
    kind: str
    cases: int = 0
    reported: int = 0
    held: int = 0
    breaches: list[str] = field(default_factory=list)

    def row(self) -> str:
        return (
            f"{self.kind:<24} {self.cases:>8,} {self.reported:>8,} {self.held:>8,}"
            f" {len(self.breaches):>8,}"
        )


@cache
def before() -> bytes:
    """Return a machine after three days of every kind of end, pickled."""
    friends = (SandboxFriend("uuid-a", "A"),)
    solo = Solo(at(8, 0, day=21), Kakao(Settings(friends=friends), seed=1))
    solo.configure(CONFIG)
    solo.log_in()
    for day in DAYS:
        for hour, minute in ((9, 0), (9, 1), (9, 30), (9, 31), (9, 35)):
            solo.at = at(hour, minute, day=day)
            if (hour, minute) == (9, 0):
                solo.troubles.extend([UNREACHABLE, "", "cut-before"])
            solo.tick()
        if day != DAYS[-1]:
            solo.at = at(10, 40, day=day)
            solo.tick()
    actions.schedule(solo.installation(), at(9, 40, 0), text="once")
    actions.cancel(solo.installation(), "orders@20261123T1000")
    solo.at += timedelta(seconds=30)
    solo.tick()
    solo.files.sync_all()
    return dumps((solo.at, solo.kakao, solo.files))


def machine() -> Solo:
    at, kakao, files = loads(before())
    return Solo(at, kakao, files)


def path_of(day: date) -> str:
    return f"{PLACES.ledger}/{day}.jsonl"


def damages(every: int) -> Iterator[Damage]:
    """Yield every way to spoil each line; of bytes, each `every`-th."""
    solo = machine()
    for number in DAYS:
        day = date(2026, 11, number)
        content = solo.files.content(path_of(day)) or b""
        lines = content.splitlines(keepends=True)
        for index, line in enumerate(lines):
            start = sum(map(len, lines[:index]))
            head, rest, tail = content[:start], lines[index + 1 :], content[start + len(line) :]
            for offset in range(index % every, len(line), every):
                flipped = bytes([line[offset] ^ (1 << offset % 8)])
                for kind, byte in (("a bit turned", flipped), ("a byte of NUL", b"\0")):
                    spoilt = head + line[:offset] + byte + line[offset + 1 :] + tail
                    yield Damage(kind, day, index, spoilt, is_rot=bool(offset % 2))
            for offset in range(index % every, len(line), every * FEWER):
                yield Damage("cut off here", day, index, head + line[:offset])
                yield Damage("NUL from here on", day, index, _hollow(content, start + offset))
                yield Damage(
                    "a byte lost", day, index, head + line[:offset] + line[offset + 1 :] + tail
                )
            hollow = b"\0" * len(line)
            yield Damage("a hollow line", day, index, head + hollow + tail, is_rot=True)
            yield Damage("a line lost", day, index, head + tail)
            yield Damage("doubled", day, index, head + line + line + tail)
            if rest:
                swapped = head + rest[0] + line + b"".join(rest[1:])
                yield Damage("swapped", day, index, swapped, is_rot=True)
        yield Damage("an empty file", day, 0, b"")


def _hollow(content: bytes, start: int) -> bytes:
    return content[:start].ljust(len(content), b"\0")


def faults(damage: Damage, count: Count) -> Iterator[str]:
    """Go on from a damaged ledger; find what is wrong with what comes of it."""
    solo = machine()
    known = _deliveries(solo)
    _spoil(solo, damage)
    checked = solo.installation().ledger.verify()[1]
    gone = len(solo.kakao.deliveries)
    said: list[str] = []
    for moment in AFTER:
        solo.at = moment
        exit_code, lines = solo.tick()
        said += lines
        if exit_code not in {0, 1}:
            yield f"exit code {exit_code}: {lines}"
    found = _deliveries(solo)
    is_reported = any(f"{damage.day} is damaged" in line for line in said)
    count.reported += is_reported
    if damage.kind not in UNSEEN and damage.day.day != DAYS[0]:
        yield from _unreported(solo, damage, is_reported)
    if damage.kind in {"a bit turned", "a byte of NUL", "a hollow line"} and not checked:
        yield "ledger verify and doctor see nothing"
    yield from _twice(solo)
    for delivery in solo.kakao.deliveries[gone:]:
        if not _was_to_come(delivery.text):
            yield f"sent after the damage: {delivery.text}"
    for identity in known.keys() | found.keys():
        yield from _ends(solo, identity, known.get(identity), found.get(identity), damage)
    held = [one for one in found.values() if one.reason == "ledger-damaged"]
    count.held += len(held)
    untold = [one.id for one in held if not any(one.id in line or "more." in line for line in said)]
    if untold:
        yield f"held, and nobody is told: {untold}"
    if found["report@20261123T1030"].state is not State.CONFIRMED:
        yield f"the slots to come are not sent: {found['report@20261123T1030'].state}"


def _spoil(solo: Solo, damage: Damage) -> None:
    if damage.is_rot:
        inode = solo.files.find(path_of(damage.day))
        inode.content = inode.durable = damage.content
    else:
        solo.files.clock_ns = int(AFTER[0].timestamp() * 1e9)
        solo.files.put(path_of(damage.day), damage.content)


def _unreported(solo: Solo, damage: Damage, is_reported: bool) -> Iterator[str]:
    if not is_reported:
        yield "not reported by a tick"
        return
    copies = [content for path, content in solo.files.walk(PLACES.ledger) if "/damaged/" in path]
    if damage.content not in [copy[: len(damage.content)] for copy in copies]:
        yield "not set aside as it was"
    file = parse_day(damage.day, solo.files.content(path_of(damage.day)) or b"")
    if not file.notes or file.damaged:
        yield "not noted in the ledger"


def _twice(solo: Solo) -> Iterator[str]:
    arrived = Counter((one.text, one.receiver) for one in solo.kakao.deliveries)
    for what, times in arrived.items():
        if times > 1:
            yield f"twice: {what} arrived {times} times"


def _was_to_come(text: str) -> bool:
    return text == "once" or text[-13:] in {"20261123T1000", "20261123T1030"}


def _ends(
    solo: Solo, identity: str, known: Delivery | None, found: Delivery | None, damage: Damage
) -> Iterator[str]:
    """What was known keeps its end, or its end is in doubt."""
    if found is None:
        # Whose only line is gone is known to nobody; that a line is gone has been told.
        if known and known.kind not in {"once", "send"} and known.slot.date() != date(2026, 11, 21):
            yield f"{identity} has no state any more"
        return
    if found.slot.day == DAYS[0] and damage.day.day == DAYS[0]:
        return  # past: nobody sends it, and `ledger verify` tells of it
    if found.state not in FINAL:
        yield f"{identity} is {found.state} at the end"
    name = identity.partition("@")[0]
    text = f"{name}|{identity.partition('@')[2]}" if name in {"report", "orders"} else "once"
    arrived = {one.receiver for one in solo.kakao.deliveries if one.text == text}
    if found.state is State.CONFIRMED and not arrived >= set(found.to):
        yield f"{identity} is confirmed, and reached {sorted(arrived)}"
    if known is None or known.state not in FINAL or found.state in {known.state, State.UNKNOWN}:
        return
    # Of a slot that had not come nothing but its cancellation can be lost: it comes as ever.
    if known.state is not State.CANCELLED or known.slot < AFTER[0]:
        yield f"{identity} was {known.state} and is {found.state}"


def _deliveries(solo: Solo) -> dict[str, Delivery]:
    ledger = solo.installation().ledger
    return ledger.read(ledger.days()).deliveries


def damage_all(every: int, one_in: int = 1) -> list[Count]:
    """Spoil the ledger at each `every`-th byte, and judge what comes of it; for a sample: of each
    kind of damage one in so many, and the first."""
    found: Counter[str] = Counter()
    counts: dict[str, Count] = {}
    for damage in damages(every):
        found[damage.kind] += 1
        if found[damage.kind] % one_in != 1 % one_in:
            continue
        count = counts.setdefault(damage.kind, Count(damage.kind))
        count.cases += 1
        where = f"{damage.kind} in line {damage.line + 1} of {damage.day}"
        count.breaches += [f"{where}: {said}" for said in faults(damage, count)]
    return list(counts.values())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.damage")
    parser.add_argument("--every", type=int, default=1, help="spoil each so manieth byte only")
    given = parser.parse_args()
    counts = damage_all(given.every)
    print(f"{'damage':<24} {'cases':>8} {'reported':>8} {'held':>8} {'wrong':>8}")
    for count in counts:
        print(count.row(), *count.breaches[:3], sep="\n    ")
    wrong = sum(len(count.breaches) for count in counts)
    print(f"{sum(count.cases for count in counts):,} damaged ledgers, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
