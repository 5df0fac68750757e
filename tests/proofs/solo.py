"""A machine on which one process runs at a time: files, clock and Kakao in memory, no threads.

Where nothing overlaps, one step follows the other, so that every instant between two of them can
be looked at, and thousands of them in a minute.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial

from kakaocron.config.reading import parse_config
from kakaocron.config.schema import Config
from kakaocron.errors import UsageError
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.kakao.tokens import to_json
from kakaocron.ledger.day_file import Reading
from kakaocron.ledger.events import from_line
from kakaocron.rehearsal.sandbox.endpoints import TOKEN_PATH
from kakaocron.rehearsal.sandbox.faults import InjectedFault
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.simulation.files import FileSystem, status
from kakaocron.rehearsal.simulation.home import PLACES, logged_in
from kakaocron.rehearsal.simulation.network import on_the_wire
from kakaocron.states import Reason
from kakaocron.system.http import Answer, Failure, Gate, Http, Phase, Request
from kakaocron.system.syscalls import PRIVATE_FILE, Stat
from kakaocron.text.causes import said
from kakaocron.ticking.runner import run
from tests.fakes import AtOnce, received

UNREACHABLE = "unreachable"
quickly = cache(from_line)  # the same lines are read in every state


@dataclass
class Solo:
    """The machine. `changed` is called whenever the disk or Kakao may have changed.

    `troubles` befall the coming requests for messages, one each, `token_troubles` those for tokens:
    `unreachable`, or a fault of the sandbox by its name; an empty one is none.
    """

    at: datetime
    kakao: Kakao
    files: FileSystem = field(default_factory=FileSystem)
    changed: Callable[[], None] = lambda: None
    troubles: deque[str] = field(default_factory=deque)
    token_troubles: deque[str] = field(default_factory=deque)
    said: list[str] = field(default_factory=list)
    processes: int = 0

    def configure(self, text: str) -> None:
        """Put a configuration in place, as an editor would."""
        self.files.put(str(PLACES.config), text.encode())

    def log_in(self) -> None:
        """Put a login in place that has long been on the disk."""
        self.files.put(PLACES.tokens, to_json(logged_in(self.kakao, self.at)))

    def edges(self) -> Edges:
        """Return what a new process finds around it."""
        self.processes += 1
        self.files.clock_ns = int(self.at.timestamp() * 1e9)

        def make_http(_: float) -> Http:
            return _Http(self)

        owner = f"process-{self.processes}"
        return Edges(
            _Clock(self), _Disk(self), _Workers(self), make_http, owner, partial(Reading, quickly)
        )

    def config(self) -> Config:
        """Read the configuration. Raises UsageError."""
        content = self.files.content(str(PLACES.config))
        if content is None:
            raise UsageError(f"'{PLACES.config}' is not there")
        return _parsed(content.decode())

    def installation(self) -> Installation:
        """Return what a new process works with. Raises UsageError."""
        return assemble(PLACES, self.config(), self.edges())

    def tick(self) -> tuple[int, list[str]]:
        """Do what cron's command does; return its exit code and what it says."""
        edges, said = self.edges(), list[str]()
        ended = run(PLACES, edges, lambda: assemble(PLACES, self.config(), edges), said.append)
        self.said += said
        return ended.exit_code, said

    def states(self) -> dict[str, str]:
        """Return the state of every delivery in the ledger, by its id."""
        ledger = self.installation().ledger
        deliveries = ledger.read(ledger.days()).deliveries.values()
        return {one.id: str(one.state) for one in deliveries}


@cache
def _parsed(text: str) -> Config:
    return parse_config(text, str(PLACES.config))


class _Clock:
    def __init__(self, solo: Solo) -> None:
        self._solo = solo

    def now(self) -> datetime:
        return self._solo.at

    def monotonic(self) -> float:
        return self._solo.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self._solo.at += timedelta(seconds=max(seconds, 1e-6))


class _Workers(AtOnce):
    """Each task is done when it is started; where none has ended, the wait takes its time."""

    def __init__(self, solo: Solo) -> None:
        super().__init__()
        self._solo = solo

    def wait(self, timeout_seconds: float) -> list[str]:
        if not self._ended:
            self._solo.at += timedelta(seconds=timeout_seconds)
        return super().wait(timeout_seconds)


class _Http:
    def __init__(self, solo: Solo) -> None:
        self._solo = solo

    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        solo = self._solo
        asked = on_the_wire(request)
        trouble = _next(solo, is_message=gate is not None, is_token=asked.path == TOKEN_PATH)
        if trouble == UNREACHABLE:
            return Failure(Phase.BEFORE, Reason.UNREACHABLE, said("no connection to the server"))
        if gate is not None:
            gate()
        fault = InjectedFault.parse(f"{trouble}@/") if trouble else None
        done = solo.kakao.exchange(asked, solo.at, fault)
        solo.changed()
        if done.answer is None or done.action == "half":
            return Failure(Phase.AFTER, Reason.CONNECTION_RESET, said("the connection was cut"))
        return received(done.answer)

    def warm(self, url: str, count: int) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is kept."""


def _next(solo: Solo, *, is_message: bool, is_token: bool) -> str:
    if is_message and solo.troubles:
        return solo.troubles.popleft()
    if is_token and solo.token_troubles:
        return solo.token_troubles.popleft()
    return ""


class _Disk:
    """The disk as a process sees it; what changes it is made known."""

    def __init__(self, solo: Solo) -> None:
        self._solo = solo
        self._files = solo.files

    def open(self, path: str, flags: int, mode: int = PRIVATE_FILE) -> int:
        fd = self._files.open(path, flags)
        if flags & (os.O_CREAT | os.O_TRUNC):
            self._solo.changed()
        return fd

    def write(self, fd: int, data: bytes) -> int:
        written = self._files.write(fd, data)
        self._solo.changed()
        return written

    def truncate(self, fd: int, size: int) -> None:
        self._files.truncate(fd, size)
        self._solo.changed()

    def fsync(self, fd: int) -> None:
        # What a power cut leaves after it, it may leave before it too: nothing new to look at.
        self._files.fsync(fd)

    def replace(self, source: str, target: str) -> None:
        self._files.replace(source, target)
        self._solo.changed()

    def unlink(self, path: str) -> None:
        self._files.unlink(path)
        self._solo.changed()

    def mkdir(self, path: str) -> None:
        self._files.mkdir(path)
        self._solo.changed()

    def read(self, fd: int, count: int) -> bytes:
        return self._files.read(fd, count)

    def seek(self, fd: int, offset: int) -> None:
        self._files.seek(fd, offset)

    def fstat(self, fd: int) -> Stat:
        return status(self._files.handle(fd).inode)

    def close(self, fd: int) -> None:
        self._files.close(fd)

    def stat(self, path: str) -> Stat:
        return self._files.stat(path)

    def listdir(self, path: str) -> list[str]:
        return self._files.listdir(path)

    def may_write(self, path: str) -> bool:
        return True

    def free(self, path: str) -> int:
        return 1 << 40

    def try_lock(self, fd: int) -> bool:
        return self._files.try_lock(fd)

    def real_path(self, path: str) -> str:
        return path

    def code_mark(self) -> str:
        return ""
