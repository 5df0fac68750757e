"""A file system in memory that knows what a power cut would leave of it.

What is not fsynced may be there after a power cut, or not, or in part, in any order: data without
the name, the name without the data, a grown file full of NUL. A name is safe only once its folder
is fsynced, and a rename happens whole or not at all (Pillai et al., OSDI 2014).
"""

from __future__ import annotations

import errno
import os
import random
import stat
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache

from kakaocron.system.syscalls import Stat


@dataclass(slots=True)
class Change:
    """A write (`data` at `offset`) or, with `data` None, a truncation to `offset`."""

    offset: int
    data: bytes | None
    is_lost: bool = False  # after a failed fsync the kernel may forget it for good

    def applied_to(self, content: bytes) -> bytes:
        if self.data is None:
            return content[: self.offset].ljust(self.offset, b"\0")
        before = content[: self.offset].ljust(self.offset, b"\0")
        return before + self.data + content[self.offset + len(self.data) :]


@dataclass(slots=True)
class Renaming:
    """A change of names in a folder: those that go, and those that come."""

    gone: tuple[str, ...]
    come: dict[str, Inode]


@dataclass(slots=True, eq=False)
class Inode:
    number: int
    is_folder: bool = False
    content: bytes = b""
    durable: bytes = b""
    changes: list[Change] = field(default_factory=list)
    names: dict[str, Inode] = field(default_factory=dict)
    durable_names: dict[str, Inode] = field(default_factory=dict)
    renamings: list[Renaming] = field(default_factory=list)
    changed_ns: int = 0
    locked_by: int | None = None

    def change(self, change: Change) -> None:
        self.content = change.applied_to(self.content)
        self.changes.append(change)

    def rename(self, renaming: Renaming) -> None:
        for name in renaming.gone:
            self.names.pop(name, None)
        self.names.update(renaming.come)
        self.renamings.append(renaming)

    def sync(self) -> None:
        if self.is_folder:
            self.durable_names = dict(self.names)
            self.renamings.clear()
            return
        if any(change.is_lost for change in self.changes):
            for change in self.changes:
                if not change.is_lost:
                    self.durable = change.applied_to(self.durable)
        else:
            self.durable = self.content
        self.changes.clear()


@dataclass(slots=True)
class Handle:
    inode: Inode
    flags: int
    position: int = 0


def refuse(number: int, path: str = "") -> OSError:
    return OSError(number, os.strerror(number), path)


@lru_cache(maxsize=1024)
def parts_of(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


class FileSystem:
    """The machine's files, shared by all its processes."""

    def __init__(self) -> None:
        self._made = 1
        self.root = Inode(1, is_folder=True)
        self._opened = 2
        self.handles: dict[int, Handle] = {}
        self.clock_ns = 0

    # What a process asks of the kernel.

    def open(self, path: str, flags: int) -> int:
        folder, name = self._parent(path)
        inode = folder.names.get(name) if name else self.root
        if inode is None:
            if not flags & os.O_CREAT:
                raise refuse(errno.ENOENT, path)
            inode = self._make(folder, name, is_folder=False)
        elif flags & os.O_CREAT and flags & os.O_EXCL:
            raise refuse(errno.EEXIST, path)
        elif inode.is_folder and flags & (os.O_WRONLY | os.O_RDWR):
            raise refuse(errno.EISDIR, path)
        elif flags & os.O_DIRECTORY and not inode.is_folder:
            raise refuse(errno.ENOTDIR, path)
        if flags & os.O_TRUNC and inode.content:
            inode.change(Change(0, None))
        self._opened += 1
        self.handles[self._opened] = Handle(inode, flags)
        return self._opened

    def read(self, fd: int, count: int) -> bytes:
        handle = self.handle(fd)
        part = handle.inode.content[handle.position : handle.position + count]
        handle.position += len(part)
        return part

    def write(self, fd: int, data: bytes) -> int:
        handle = self.handle(fd)
        inode = handle.inode
        offset = len(inode.content) if handle.flags & os.O_APPEND else handle.position
        inode.change(Change(offset, data))
        inode.changed_ns = self.clock_ns
        handle.position = offset + len(data)
        return len(data)

    def seek(self, fd: int, offset: int) -> None:
        self.handle(fd).position = offset

    def fsync(self, fd: int) -> None:
        self.handle(fd).inode.sync()

    def truncate(self, fd: int, size: int) -> None:
        inode = self.handle(fd).inode
        inode.change(Change(size, None))
        inode.changed_ns = self.clock_ns

    def close(self, fd: int) -> None:
        handle = self.handles.pop(fd, None)
        if handle is None:
            raise refuse(errno.EBADF)
        if handle.inode.locked_by == fd:
            handle.inode.locked_by = None

    def stat(self, path: str) -> Stat:
        return status(self.find(path))

    def replace(self, source: str, target: str) -> None:
        folder, name = self._parent(source)
        other, new_name = self._parent(target)
        if name not in folder.names:
            raise refuse(errno.ENOENT, source)
        inode = folder.names[name]
        if folder is other:
            folder.rename(Renaming((name,), {new_name: inode}))
        else:
            other.rename(Renaming((), {new_name: inode}))
            folder.rename(Renaming((name,), {}))

    def unlink(self, path: str) -> None:
        folder, name = self._parent(path)
        if name not in folder.names:
            raise refuse(errno.ENOENT, path)
        folder.rename(Renaming((name,), {}))

    def mkdir(self, path: str) -> None:
        folder, name = self._parent(path)
        if name in folder.names:
            raise refuse(errno.EEXIST, path)
        self._make(folder, name, is_folder=True)

    def listdir(self, path: str) -> list[str]:
        return list(self.find(path).names)

    def try_lock(self, fd: int) -> bool:
        inode = self.handle(fd).inode
        if inode.locked_by not in {None, fd}:
            return False
        inode.locked_by = fd
        return True

    def handle(self, fd: int) -> Handle:
        found = self.handles.get(fd)
        if found is None:
            raise refuse(errno.EBADF)
        return found

    # What the world does to it.

    def find(self, path: str) -> Inode:
        inode = self.root
        for part in parts_of(path):
            if not inode.is_folder:
                raise refuse(errno.ENOTDIR, path)
            found = inode.names.get(part)
            if found is None:
                raise refuse(errno.ENOENT, path)
            inode = found
        return inode

    def content(self, path: str) -> bytes | None:
        """Return a file's bytes as a process would read them, or None."""
        try:
            return self.find(path).content
        except OSError:
            return None

    def durable(self, path: str) -> bytes | None:
        """Return the bytes that a file certainly has after a power cut, or None."""
        inode = self.root
        for part in parts_of(path):
            found = inode.durable_names.get(part)
            if found is None:
                return None
            inode = found
        return inode.durable

    def put(self, path: str, content: bytes) -> None:
        """Place a file, safe from power cuts, as somebody else than kakaocron would."""
        folder = self.root
        *folders, name = parts_of(path)
        for part in folders:
            folder = folder.names.get(part) or self._make(folder, part, is_folder=True)
        inode = folder.names.get(name)
        if inode is None:
            inode = self._make(folder, name, is_folder=False)
        inode.content, inode.changed_ns = content, self.clock_ns
        self.sync_all()

    def sync_all(self) -> None:
        for inode in self._all(self.root):
            inode.sync()

    def walk(self, path: str = "/") -> Iterator[tuple[str, bytes]]:
        """Yield every file below a folder with its content."""
        folder = self.find(path)
        for name, inode in sorted(folder.names.items()):
            below = f"{path.rstrip('/')}/{name}"
            if inode.is_folder:
                yield from self.walk(below)
            else:
                yield below, inode.content

    def end_processes(self) -> None:
        """Close every file and open every lock, as the end of all processes does."""
        self.handles.clear()
        for inode in list(self._all(self.root)):
            inode.locked_by = None

    def copy(self) -> FileSystem:
        """Return the same files for another future; nothing is open in it."""
        made: dict[int, Inode] = {}

        def copied(inode: Inode) -> Inode:
            if inode.number not in made:
                new = made[inode.number] = copy(inode)
                new.locked_by = None
                new.changes = list(inode.changes)
                new.names = all_copied(inode.names)
                new.durable_names = all_copied(inode.durable_names)
                new.renamings = [
                    Renaming(one.gone, all_copied(one.come)) for one in inode.renamings
                ]
            return made[inode.number]

        def all_copied(names: dict[str, Inode]) -> dict[str, Inode]:
            return {name: copied(inode) for name, inode in names.items()}

        return self.with_root(copied(self.root))

    def with_root(self, root: Inode) -> FileSystem:
        """Return a file system of these inodes that goes on numbering where this one is."""
        other = FileSystem()
        other.root, other._made, other.clock_ns = root, self._made, self.clock_ns
        return other

    def cut_power(self, rng: random.Random) -> None:
        """Keep of everything what a power cut might; nothing is open afterwards."""
        self.end_processes()
        for inode in list(self._all(self.root)):
            if inode.is_folder:
                inode.names = _names_left(inode, rng)
                inode.durable_names = dict(inode.names)
                inode.renamings.clear()
            else:
                inode.content = inode.durable = _content_left(inode, rng)
                inode.changes.clear()

    def _all(self, inode: Inode) -> Iterator[Inode]:
        yield inode
        below = {id(one): one for one in (*inode.names.values(), *inode.durable_names.values())}
        for renaming in inode.renamings:
            below.update((id(one), one) for one in renaming.come.values())
        for one in below.values():
            yield from self._all(one)

    def _parent(self, path: str) -> tuple[Inode, str]:
        above, _, name = path.rpartition("/")
        folder = self.find(above)
        if not folder.is_folder:
            raise refuse(errno.ENOTDIR, path)
        return folder, name

    def _make(self, folder: Inode, name: str, *, is_folder: bool) -> Inode:
        self._made += 1
        inode = Inode(self._made, is_folder, changed_ns=self.clock_ns)
        folder.rename(Renaming((), {name: inode}))
        return inode


def status(inode: Inode) -> Stat:
    mode = stat.S_IFDIR | 0o700 if inode.is_folder else stat.S_IFREG | 0o600
    return Stat(len(inode.content), inode.changed_ns, inode.number, mode, inode.changed_ns)


def _names_left(folder: Inode, rng: random.Random) -> dict[str, Inode]:
    names = dict(folder.durable_names)
    kept = rng.random() if rng.random() < 0.7 else None  # noqa: PLR2004 - mostly in order
    for index, renaming in enumerate(folder.renamings):
        in_order = kept is not None and index < kept * (len(folder.renamings) + 1)
        if in_order or (kept is None and rng.random() < 0.5):  # noqa: PLR2004
            for name in renaming.gone:
                names.pop(name, None)
            names.update(renaming.come)
    return names


def _content_left(inode: Inode, rng: random.Random) -> bytes:
    content = inode.durable
    way = rng.choice(("none", "all", "prefix", "any"))
    last = rng.randrange(len(inode.changes) + 1) if inode.changes else 0
    for index, change in enumerate(inode.changes):
        if change.is_lost or way == "none":
            continue
        if (
            way == "all"
            or (way == "prefix" and index < last)
            or (way == "any" and rng.choice((False, True)))
        ):
            content = change.applied_to(content)
        elif (way == "any" or index == last) and change.data:
            content = torn(change, rng.randrange(len(change.data) + 1), rng.choice("shnz"))(content)
    return content


class torn:  # noqa: N801 - reads as what it makes of a change
    """A write of which the first `kept` bytes arrived; `how` says what stands in the others' place:
    `s` nothing (the file is shorter), `n`/`z` NUL, `h` the second half without the first."""

    def __init__(self, change: Change, kept: int, how: str) -> None:
        self._change, self._kept, self._how = change, kept, how

    def __call__(self, content: bytes) -> bytes:
        data, kept = self._change.data or b"", self._kept
        if self._how == "s":
            data = data[:kept]
        elif self._how == "h":
            data = b"\0" * kept + data[kept:]
        else:
            data = data[:kept] + b"\0" * (len(data) - kept)
        return Change(self._change.offset, data).applied_to(content)
