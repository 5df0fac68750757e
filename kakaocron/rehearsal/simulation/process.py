"""The life of one simulated process: it can be killed before and after every system call."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import ParamSpec, Protocol, TypeVar

from kakaocron.rehearsal.simulation.event_loop import EventLoop, LoopTask
from kakaocron.rehearsal.simulation.files import FileSystem, refuse, status
from kakaocron.system.syscalls import PRIVATE_FILE, Stat
from kakaocron.system.workers import Task

P = ParamSpec("P")
T = TypeVar("T")

# How long a system call takes, for the processes beside it to come in between.
CALL_SECONDS = 0.0002
# How long a wait for another task is at the most, before it looks again.
LONG_SECONDS = 60.0


class Killed(BaseException):
    """The process is no more; nothing that its code still does has an effect."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong in a process at its call number `at`, counted from 1.

    `kill` strikes before call `at`, or after it if `is_after`; `signal` asks the process to end;
    `pause` stops it for `seconds`; `fail` lets the first call named in `calls` from then on fail
    with `number`.
    """

    kind: str
    at: int = 1
    is_after: bool = False
    seconds: float = 0.0
    calls: tuple[str, ...] = ()
    number: int = 0
    is_short: bool = False


class Host(Protocol):
    """What a process shares with the others on its machine."""

    files: FileSystem
    loop: EventLoop
    rng: random.Random
    standing_faults: dict[str, tuple[int, bool]]

    def host_time(self) -> datetime: ...
    def is_crowded(self) -> bool: ...


class ProcessInterrupts:
    """The signals of one process, in its main thread."""

    def __init__(self) -> None:
        self.is_asked = False
        self._is_held = False

    @contextmanager
    def held(self, wake: Callable[[], None]) -> Iterator[None]:
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
        if self.is_asked:
            raise KeyboardInterrupt

    def take(self) -> None:
        if not self._is_held:
            raise KeyboardInterrupt
        self.is_asked = True


@dataclass(eq=False)
class Process:
    """A running command. Its edges ask `call` at each system call."""

    host: Host
    pid: int
    owner: str
    mishaps: list[Mishap] = field(default_factory=list)
    calls: int = 0
    is_dead: bool = False
    tasks: list[LoopTask] = field(default_factory=list)
    descriptors: set[int] = field(default_factory=set)
    is_disturbed: bool = False
    was_disturbed: bool = False  # when it ended
    is_indivisible: bool = False
    stopped_until: float = 0.0
    pauses: int = 0
    names_called: list[str] | None = None
    main: LoopTask | None = None
    is_signalled: bool = False  # and not raised in the main thread so far
    interrupts: ProcessInterrupts = field(default_factory=ProcessInterrupts)

    def check(self) -> None:
        if self.is_dead:
            raise Killed
        if self.is_signalled and self.host.loop.current is self.main:
            self.is_signalled = False
            self.interrupts.take()

    def enter(self, name: str) -> Mishap | None:
        """Begin a system call; return how it is to fail, if it is."""
        if self.is_dead or self.is_signalled:  # asked here: this is what a history does most
            self.check()
        self.calls += 1
        if self.names_called is not None:
            self.names_called.append(name)
        if not self.is_indivisible and self.host.is_crowded():
            self.wait(self.host.rng.choice(_CALL_TIMES))
        if not self.mishaps and not self.host.standing_faults:
            return None
        failing = None
        for mishap in list(self.mishaps):
            if self.calls < mishap.at:
                continue
            if mishap.kind == "kill" and not mishap.is_after:
                self.die()
            elif mishap.kind == "signal":
                self.mishaps.remove(mishap)
                self.is_disturbed = True
                self.signal()
            elif mishap.kind == "pause" and not self.is_indivisible:
                self.mishaps.remove(mishap)
                self.is_disturbed = True
                self.pauses += 1
                self.stopped_until = self.host.loop.now + mishap.seconds
                self.wait(mishap.seconds)
                return None
            elif mishap.kind == "fail" and name in mishap.calls:
                self.mishaps.remove(mishap)
                self.is_disturbed = True
                failing = mishap
                break
        standing = self.host.standing_faults.get(name)
        if standing is not None:
            self.is_disturbed = True
            return Mishap("fail", number=standing[0], is_short=standing[1])
        return failing

    def leave(self) -> None:
        """End a system call."""
        for mishap in self.mishaps:
            if mishap.kind == "kill" and mishap.is_after and self.calls >= mishap.at:
                self.die()

    def die(self) -> None:
        self.kill()
        raise Killed

    def signal(self) -> None:
        """Ask the process to end: its main thread learns of it, as soon as it comes to run."""
        self.is_signalled = True
        if self.host.loop.current is self.main:
            self.check()
        elif self.main is not None:
            self.host.loop.wake(self.main, self.host.loop.now)

    def kill(self) -> None:
        """End the process from outside: its files are closed, its locks free."""
        if self.is_dead:
            return
        self.is_dead = self.is_disturbed = True
        self.close_all()
        for task in self.tasks:
            self.host.loop.wake(task, self.host.loop.now)

    def close_all(self) -> None:
        for fd in sorted(self.descriptors):
            self.host.files.close(fd)
        self.descriptors.clear()

    def wait(self, seconds: float) -> None:
        loop = self.host.loop
        loop.wait(loop.now + seconds)
        while loop.now < self.stopped_until and not self.is_dead:
            loop.wait(self.stopped_until)
        self.check()

    def start(self, work: Callable[[], None]) -> LoopTask:
        """Start a thread of this process."""

        def run() -> None:
            try:
                self.check()
                work()
            except Killed:
                pass
            finally:
                self.tasks.remove(task)

        task = self.host.loop.start(run)
        self.tasks.append(task)
        self.main = self.main or task
        return task


_CALL_TIMES = (CALL_SECONDS, CALL_SECONDS, CALL_SECONDS, 0.003, 0.05)


class ProcessDisk:
    """The simulated disk as one process sees it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._files = process.host.files

    def open(self, path: str, flags: int, mode: int = PRIVATE_FILE) -> int:
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        name = "open-write" if writes else "open"
        fd = self._call(name, self._files.open, path, flags)
        self._process.descriptors.add(fd)
        return fd

    def read(self, fd: int, count: int) -> bytes:
        return self._call("read", self._files.read, fd, count)

    def write(self, fd: int, data: bytes) -> int:
        failing = self._process.enter("write")
        if failing is not None and failing.is_short:
            data = data[: self._process.host.rng.randrange(len(data) + 1)]
        elif failing is not None:
            raise refuse(failing.number)
        written = self._files.write(fd, data) if data else 0
        self._process.leave()
        return written

    def seek(self, fd: int, offset: int) -> None:
        self._files.seek(fd, offset)

    def fsync(self, fd: int) -> None:
        failing = self._process.enter("fsync")
        if failing is not None:
            # The kernel reports once, marks the pages clean, and may forget what they held.
            for change in self._files.handle(fd).inode.changes:
                change.is_lost = change.is_lost or self._process.host.rng.random() < 0.5  # noqa: PLR2004
            raise refuse(failing.number)
        self._files.fsync(fd)
        self._process.leave()

    def truncate(self, fd: int, size: int) -> None:
        self._call("truncate", self._files.truncate, fd, size)

    def fstat(self, fd: int) -> Stat:
        self._process.check()
        inode = self._files.handle(fd).inode
        return status(inode)

    def close(self, fd: int) -> None:
        self._process.enter("close")
        self._files.close(fd)
        self._process.descriptors.discard(fd)
        self._process.leave()

    def stat(self, path: str) -> Stat:
        return self._call("stat", self._files.stat, path)

    def replace(self, source: str, target: str) -> None:
        self._call("replace", self._files.replace, source, target)

    def unlink(self, path: str) -> None:
        self._call("unlink", self._files.unlink, path)

    def mkdir(self, path: str) -> None:
        self._call("mkdir", self._files.mkdir, path)

    def listdir(self, path: str) -> list[str]:
        return self._call("listdir", self._files.listdir, path)

    def may_write(self, path: str) -> bool:
        return True

    def free(self, path: str) -> int:
        return 1 << 40

    def try_lock(self, fd: int) -> bool:
        return self._call("lock", self._files.try_lock, fd)

    def real_path(self, path: str) -> str:
        return path  # there are no links

    def code_mark(self) -> str:
        return "of the simulation"  # it does not change

    def _call(self, name: str, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        process = self._process
        failing = process.enter(name)
        if failing is not None:
            raise refuse(failing.number)
        done = work(*arguments, **named)
        if process.mishaps:
            process.leave()
        return done


class ProcessClock:
    """The host's clock as one process reads it."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def now(self) -> datetime:
        self._process.check()
        return self._process.host.host_time()

    def monotonic(self) -> float:
        self._process.check()
        return self._process.host.loop.now

    def sleep(self, seconds: float) -> None:
        self._process.check()
        self._process.wait(seconds)


class ProcessSignal:
    """What threads of one process wait for, at a gate too: there others may come in between."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._is_set = False
        self._waiting: list[LoopTask] = []

    def set(self) -> None:
        self._process.check()
        self._is_set = True
        loop = self._process.host.loop
        for task in self._waiting:
            loop.wake(task, loop.now)
        self._waiting.clear()

    def wait(self) -> None:
        process = self._process
        was_indivisible, process.is_indivisible = process.is_indivisible, False
        while not self._is_set:
            current = process.host.loop.current
            if current is not None and current not in self._waiting:
                self._waiting.append(current)
            process.wait(LONG_SECONDS)
        process.is_indivisible = was_indivisible


class ProcessLock:
    """A lock between the threads of one process, for one to take it again and again: who holds it
    may wait while the others run."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._holder: LoopTask | None = None
        self._depth = 0
        self._waiting: list[LoopTask] = []

    def __enter__(self) -> None:
        process = self._process
        current = process.host.loop.current
        while self._depth and self._holder is not current:
            if current is not None and current not in self._waiting:
                self._waiting.append(current)
            process.wait(LONG_SECONDS)
        self._holder = current
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            loop = self._process.host.loop
            for task in self._waiting:
                loop.wake(task, loop.now)
            self._waiting.clear()


class ProcessWorkers:
    """The threads of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._ended: list[str] = []
        self._waiting: LoopTask | None = None

    def start(self, name: str, task: Task) -> None:
        def run() -> None:
            try:
                task()
            finally:
                if not self._process.is_dead:
                    self._ended.append(name)
                    if self._waiting is not None:
                        loop = self._process.host.loop
                        loop.wake(self._waiting, loop.now)

        self._process.start(run)

    def try_start(self, name: str, task: Task) -> bool:
        self.start(name, task)
        return True

    def wake(self) -> None:
        """A signal wakes the main thread anyway."""

    def signal(self) -> ProcessSignal:
        return ProcessSignal(self._process)

    def lock(self) -> ProcessLock:
        return ProcessLock(self._process)

    def wait(self, timeout_seconds: float) -> list[str]:
        self._process.check()
        if not self._ended:
            self._waiting = self._process.host.loop.current
            self._process.wait(max(0.0, timeout_seconds))
            self._waiting = None
        ended, self._ended = self._ended, []
        return ended


FULL, READ_ONLY, BROKEN = errno.ENOSPC, errno.EROFS, errno.EIO
