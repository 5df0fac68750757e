"""Many tries, each from a seed of its own: the same seed is the same try."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.answers import try_answers
from tests.fuzz.files import Tally, try_files
from tests.fuzz.house import House
from tests.fuzz.judge import SLOW
from tests.fuzz.server import HostileServer

Try = Callable[[House, int, Tally], list[str]]
KINDS: dict[str, Try] = {"files": try_files, "answers": try_answers}


@contextmanager
def houses() -> Iterator[list[House]]:
    """Two furnished houses: one is watched from outside, one has idle ticks."""
    folder = Path(tempfile.mkdtemp(prefix="kakaocron-fuzz-"))
    folder.chmod(0o755)  # for a try as another user
    before = Path.cwd()
    os.chdir(folder)
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(_house(folder / name, name)) for name in ("watched", "idle")]
    finally:
        os.chdir(before)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _house(folder: Path, name: str) -> Iterator[House]:
    with HostileServer() as server:
        folder.mkdir()
        house = House(folder, server)
        server.now = house.now
        house.furnish(watched=name == "watched")
        yield house


@dataclass
class Campaign:
    """Tries of one kind, and what went wrong in them."""

    kind: str
    houses: list[House]
    tally: Tally = field(default_factory=Tally)
    faults: list[str] = field(default_factory=list)

    def play(self, seed: int) -> None:
        house = self.houses[seed % len(self.houses)]
        found = KINDS[self.kind](house, seed, self.tally)
        if found and all(fault.startswith(SLOW) for fault in found):
            # A busy machine is slow now and then; what waits for too long does so each time.
            found = KINDS[self.kind](house, seed, Tally())
        self.faults += found

    def run(self, first_seed: int, cpu_seconds: float, most: int) -> int:
        """Play from a seed on; return how many."""
        began, seed = time.process_time(), first_seed
        while seed < first_seed + most and time.process_time() - began < cpu_seconds:
            self.play(seed)
            seed += 1
        return seed - first_seed
