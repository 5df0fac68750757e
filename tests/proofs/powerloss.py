"""Cut the power at every instant of what kakaocron does, leave every state of the files that a file
system may leave, and go on: python -m tests.proofs.powerloss.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from typing import Any

from kakaocron.errors import UsageError
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import Claim, DamagedLineError
from kakaocron.rehearsal.simulation.files import FileSystem
from kakaocron.rehearsal.simulation.home import PLACES
from kakaocron.states import BAD, FINAL, State
from tests.proofs.crashes import Left, after_power_cut
from tests.proofs.solo import Solo, quickly
from tests.proofs.workloads import WORKLOADS, Workload, slot_of

EXPIRE_AFTER = timedelta(seconds=600)
# What is never written in place: each is there as it was or as it is to be.
WHOLE = (str(PLACES.config), PLACES.tokens, PLACES.pauses)
LOGIN_LOST = 3


@dataclass(frozen=True, slots=True)
class Point:
    """An instant at which the power fails: what the disk and Kakao are like."""

    at: datetime
    kakao: bytes
    requests: int
    files: FileSystem
    is_over: bool
    said: Sequence[str]
    versions: Mapping[str, frozenset[bytes | None]]


@dataclass
class Count:
    """What became of a workload's states."""

    name: str
    points: int = 0
    states: int = 0
    ticks: int = 0
    recovered: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)

    def row(self) -> str:
        ends = ", ".join(f"{count:,} {end}" for end, count in sorted(self.ends.items()))
        return (
            f"{self.name:<44} {self.points:>4} {self.states:>8,} {self.recovered:>8,}"
            f" {self.ticks:>9,}  {ends}"
        )


def points_of(workload: Workload) -> list[Point]:
    """Do the work once; return the instants at which it may be cut short."""
    solo = workload.prepared()
    points: list[Point] = []
    versions = {path: {solo.files.content(path)} for path in WHOLE}

    def note(*, is_over: bool = False) -> None:
        for path, found in versions.items():
            found.add(solo.files.content(path))
        known = {path: frozenset(found) for path, found in versions.items()}
        requests, files = len(solo.kakao.requests), solo.files.copy()
        kakao = pickle.dumps(solo.kakao)
        said = tuple(solo.said)
        points.append(Point(solo.at, kakao, requests, files, is_over, said, known))

    note()
    solo.changed = note
    workload.work(solo)
    note(is_over=True)
    return points


def cut_everywhere(
    workload: Workload, every: int = 1, one_in: int = 1, most: int | None = None
) -> Count:
    """Go on from every state in which the workload may be cut short, and judge what comes of it.

    For a sample: cut at each `every`-th byte, look at one state in so many, and at the first one
    of each instant, so that a workload of few states has its share; stop after `most` breaches.
    """
    count = Count(workload.name)
    seen: set[bytes] = set()
    points = points_of(workload)
    for number, point in enumerate(points):
        count.points += 1
        mark = b"%d %d" % (point.requests, point.is_over)
        for index, left in enumerate(after_power_cut(point.files, seen, every, mark)):
            if index and len(seen) % one_in:
                continue
            count.states += 1
            breaches = list(_faults_of(workload, point, points[-1], left, count))
            count.recovered += not breaches
            count.breaches += [f"{workload.name}, point {number}: {said}" for said in breaches]
            if most is not None and len(count.breaches) >= most:
                return count
    return count


def _faults_of(
    workload: Workload, point: Point, end: Point, left: Left, count: Count
) -> Iterator[str]:
    yield from _halves(point, end, left.files)
    soon, late = workload.futures(point.at)
    # Cuts in the midst of a line are very many: of these one future is looked at, and briefly.
    is_brief = left.is_torn and not workload.resends
    for ticks in [soon] if is_brief else [soon, late]:
        solo = Solo(point.at, pickle.loads(point.kakao), left.files.copy())
        yield from _Future(workload, point, solo, ticks, count, is_brief).judged()


def _halves(point: Point, end: Point, files: FileSystem) -> Iterator[str]:
    """Find files that are neither old nor new, and what a command said and is not so."""
    for path in WHOLE:
        if files.content(path) not in point.versions[path]:
            yield f"'{path}' is neither as it was nor as it was to be"
    if point.is_over:
        ledgers = [path for path, _ in end.files.walk("/") if path.endswith(".jsonl")]
        for path in (*WHOLE, *ledgers):
            if files.content(path) != end.files.content(path):
                yield f"'{path}' is not as the finished command left it"


@dataclass
class _Future:
    """What comes after a power cut: ticks at some instants, and what they make of it."""

    workload: Workload
    point: Point
    solo: Solo
    ticks: Sequence[datetime]
    count: Count
    is_brief: bool
    said: list[str] = field(default_factory=list)
    exits: set[int] = field(default_factory=set)
    pauses: Sequence[Mapping[str, Any]] = ()

    def judged(self) -> Iterator[str]:
        had_claims = _claimed(self.solo.files)
        pauses = self.solo.files.content(PLACES.pauses)
        try:
            self.pauses = json.loads(pauses)["pauses"] if pauses is not None else ()
            self._go_on()
            ledger = self.solo.installation().ledger
            found = ledger.read(ledger.days()).deliveries
        except Exception as error:
            yield f"{type(error).__name__}: {error}"
            return
        yield from self._exits()
        arrived = Counter(
            (_id_of(one.text, found), one.receiver) for one in self.solo.kakao.deliveries
        )
        for (identity, receiver), times in arrived.items():
            if times > 1 and not self.workload.resends:
                yield f"twice: {identity} reached {receiver} {times} times"
        owed = {one for one in self.workload.owed if slot_of(one) <= self.solo.at}
        for identity in {*found, *owed}:
            receivers = {name for known, name in arrived if known == identity}
            yield from self._ended(identity, found.get(identity), receivers)
            yield from self._lost(identity, found.get(identity), receivers, had_claims)

    def _go_on(self) -> None:
        for at in self.ticks:
            if self.is_brief and self.exits and self._is_settled():
                return
            self.solo.at = at
            self.count.ticks += 1
            exit_code, said = self.solo.tick()
            if exit_code == UsageError.exit_code and self.workload.mend is not None:
                self.workload.mend(self.solo)
            self.exits.add(exit_code)
            self.said += said

    def _is_settled(self) -> bool:
        """Say whether every slot up to now has its final state."""
        states = self.solo.states()
        due = [one for one in self.workload.owed if slot_of(one) <= self.solo.at]
        return all(
            states.get(one) in FINAL for one in (*due, *states) if slot_of(one) <= self.solo.at
        )

    def _exits(self) -> Iterator[str]:
        workload = self.workload
        allowed = {0, 1, *(workload.exits_after if self.point.is_over else workload.exits)}
        if self.exits - allowed:
            yield f"exit codes {sorted(self.exits)}: {self.said}"
        if self.is_login_lost:
            self.count.ends["login lost"] += 1
            if not any("kakaocron login" in line for line in (*self.point.said, *self.said)):
                yield "the login is lost, and nobody is told"

    @property
    def is_login_lost(self) -> bool:
        return LOGIN_LOST in self.exits

    def _ended(self, identity: str, delivery: Delivery | None, arrived: set[str]) -> Iterator[str]:
        state = delivery.state if delivery else None
        if identity in self.workload.owed:
            went = "arrived" if arrived else "never sent"
            self.count.ends[f"{state or 'nothing'} ({went})"] += 1
        if delivery is None:
            if arrived or not self.workload.is_first_start or self.point.is_over:
                yield f"{identity} has no state; it reached {sorted(arrived)}"
            return
        if state not in {*FINAL, State.SENT} and delivery.slot <= self.solo.at:
            yield f"{identity} is {state} at the end"
        if state is State.CONFIRMED and set(delivery.to) != arrived:
            yield f"{identity} is confirmed and reached {sorted(arrived)} of {delivery.to}"
        is_paused = self._is_paused(delivery)
        if is_paused != delivery.was_meant:
            yield f"{identity} is {state} ({delivery.reason}), and paused: {is_paused}"
        for receiver in arrived:
            its = delivery.targets[receiver].state if receiver in delivery.targets else state
            if its not in {State.CONFIRMED, State.UNKNOWN, State.SENT}:
                yield f"{identity} reached {receiver} and is {its} there"
        if state is not State.CONFIRMED and delivery.reason is None:
            yield f"{identity} is {state} without a reason"
        is_news = delivery.updated_at and delivery.updated_at >= self.ticks[0]
        if state in BAD and is_news and not is_paused and not self._is_told(identity):
            yield f"{identity} is {state}, and nobody is told: {self.said}"

    def _is_paused(self, delivery: Delivery) -> bool:
        """Say whether a pause that the power cut left covers it: of such a slot nobody is told."""
        return any(
            row["message"] in {None, delivery.message}
            and datetime.fromisoformat(row["start"]) <= delivery.slot
            and delivery.slot < datetime.fromisoformat(row["until"])
            for row in self.pauses
        )

    def _is_told(self, identity: str) -> bool:
        return self.is_login_lost or any(identity in line for line in self.said)

    def _lost(
        self, identity: str, delivery: Delivery | None, arrived: set[str], had_claims: set[str]
    ) -> Iterator[str]:
        """Say so if a message never went, though a tick in its time could have sent it."""
        if delivery is None or delivery.was_meant or self.is_login_lost:
            return
        if set(delivery.to) == arrived and (
            not self.workload.resends or delivery.state is State.CONFIRMED
        ):
            return
        until = delivery.slot + EXPIRE_AFTER
        had_a_tick = any(delivery.slot <= tick < until for tick in self.ticks)
        if not had_a_tick or delivery.state in self.workload.excused.get(identity, ()):
            return
        was_in_doubt = delivery.state is State.UNKNOWN and (
            (identity in had_claims and not self.workload.resends)
            or any("is damaged" in line for line in self.said)
        )
        if not was_in_doubt:
            yield f"lost: {identity} is {delivery.state}, and a tick in time could have sent it"


def _claimed(files: FileSystem) -> set[str]:
    """Return the ids of which some readable line says that they are being sent."""
    found = set()
    for path, content in files.walk("/"):
        if path.endswith(".jsonl") and "/damaged/" not in path:
            for line in content.split(b"\n"):
                try:
                    event = quickly(line)
                except DamagedLineError:
                    continue
                if isinstance(event, Claim):
                    found.add(event.id)
    return found


def _id_of(text: str, deliveries: Mapping[str, Delivery]) -> str:
    name, bar, stamp = text.partition("|")
    if bar:
        return f"{name}@{stamp}"
    return next((one.id for one in deliveries.values() if one.text == text), text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.powerloss", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="cut at each so manieth byte only")
    parser.add_argument("--one-in", type=int, default=1, help="look at one state in so many")
    parser.add_argument("--only", default="", help="a part of the name of what is to be cut")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    names = [one.name for one in WORKLOADS if given.only in one.name]
    print(f"{'what is cut short':<44} {'cuts':>4} {'states':>8} {'recover':>8} {'ticks':>9}  ends")
    counts = []
    with get_context("spawn").Pool(given.processes) as pool:
        for count in pool.imap(partial(_cut, every=given.every, one_in=given.one_in), names):
            counts.append(count)
            print(count.row(), *count.breaches[:3], sep="\n    ", flush=True)
    states, recovered = sum(c.states for c in counts), sum(c.recovered for c in counts)
    ticks = sum(c.ticks for c in counts)
    print(f"{states:,} states, {ticks:,} ticks; {recovered:,} states recover")
    return 0 if states == recovered else 1


def _cut(name: str, every: int, one_in: int) -> Count:
    return cut_everywhere(next(one for one in WORKLOADS if one.name == name), every, one_in)


if __name__ == "__main__":
    sys.exit(main())
