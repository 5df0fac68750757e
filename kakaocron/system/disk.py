"""Files. `Disk` is the system calls that kakaocron makes, so that a test can stand between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EPERM
from typing import Protocol

from kakaocron.errors import Cause, LockTimeoutError
from kakaocron.language.words import _
from kakaocron.system.clock import Clock
from kakaocron.system.syscalls import PRIVATE_FILE, RealDisk, Stat
from kakaocron.system.users import user_name
from kakaocron.text.causes import in_words

__all__ = [
    "Disk",
    "RealDisk",
    "Stat",
    "append_lines",
    "exists",
    "in_the_way",
    "locked",
    "make_folders",
    "opened",
    "read_file",
    "read_rest",
    "replace_file",
    "sync_ancestors",
    "sync_folder",
    "write_all",
]

LOCK_POLL_SECONDS = 0.02
READ_BYTES = 1 << 16  # a buffer that memory can still be had for when it is scarce
NO_LINK = os.O_NOFOLLOW
OPEN_TO_OTHERS = 0o077


class Disk(Protocol):
    """System calls by their own names; each raises OSError as the kernel would."""

    def open(self, path: str, flags: int, mode: int = PRIVATE_FILE) -> int: ...
    def read(self, fd: int, count: int) -> bytes: ...
    def write(self, fd: int, data: bytes) -> int: ...
    def seek(self, fd: int, offset: int) -> None: ...
    def fsync(self, fd: int) -> None: ...
    def truncate(self, fd: int, size: int) -> None: ...
    def fstat(self, fd: int) -> Stat: ...
    def close(self, fd: int) -> None: ...
    def stat(self, path: str) -> Stat: ...
    def replace(self, source: str, target: str) -> None: ...
    def unlink(self, path: str) -> None: ...
    def mkdir(self, path: str) -> None: ...
    def listdir(self, path: str) -> list[str]: ...
    def may_write(self, path: str) -> bool:
        """Say whether a file can be written, or something be put into a folder."""
        ...

    def free(self, path: str) -> int:
        """Return the bytes that are free on the disk of a path."""
        ...

    def try_lock(self, fd: int) -> bool:
        """Take the exclusive lock if it is free; closing the descriptor gives it back."""
        ...

    def real_path(self, path: str) -> str:
        """Return a path with all links in it followed."""
        ...

    def code_mark(self) -> str:
        """Return when the files of the package's folders were last put there: an update replaces
        some."""
        ...


@contextmanager
def opened(disk: Disk, path: str, flags: int, mode: int = PRIVATE_FILE) -> Iterator[int]:
    fd = disk.open(path, flags, mode)
    try:
        yield fd
    finally:
        disk.close(fd)


def read_file(disk: Disk, path: str, offset: int = 0, *, flags: int = 0) -> bytes:
    """Return the file's bytes from `offset` on; FileNotFoundError if there is none."""
    with opened(disk, path, os.O_RDONLY | flags) as fd:
        if offset:
            disk.seek(fd, offset)
        return read_rest(disk, fd)


def read_rest(disk: Disk, fd: int) -> bytes:
    parts = []
    while part := disk.read(fd, READ_BYTES):
        parts.append(part)
    return b"".join(parts)


def write_all(disk: Disk, fd: int, data: bytes) -> None:
    """Write `data` in one system call; a short write (disk full) counts as a failed one."""
    written = disk.write(fd, data)
    if written != len(data):
        raise OSError(28, f"only {written} of {len(data)} bytes were written")


_NOT_ALONE = "another process writes to it too: was its lock file removed?"


def append_lines(
    disk: Disk, path: str, lines: Sequence[bytes], size: int, *, cut_to: int | None = None
) -> int:
    """Append each line by one write, then fsync once; return the offset of the first.

    `size` is the file's as it was read under the lock: if somebody else has written to it since,
    the lock guards nothing (its file was removed), and OSError is raised. `cut_to` is where a torn
    last line begins: those bytes are dropped first. After a failed write or fsync nobody can say
    what the disk holds, so the file is cut back to where it was, and the OSError goes up: the
    caller must act as if nothing had been written.
    """
    with opened(disk, path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as fd:
        if disk.fstat(fd).size != size:
            raise OSError(_NOT_ALONE)
        if cut_to is not None:
            disk.truncate(fd, cut_to)
        start = disk.fstat(fd).size
        if start == 0:
            # Nothing may stand in a file whose name a power cut could take away.
            sync_ancestors(disk, path)
        try:
            for line in lines:
                write_all(disk, fd, line)
            disk.fsync(fd)
        except OSError:
            with suppress(OSError):
                disk.truncate(fd, start)
                disk.fsync(fd)
            raise
        if disk.fstat(fd).size != start + sum(map(len, lines)):
            raise OSError(_NOT_ALONE)
        return start


def replace_file(
    disk: Disk, path: str, data: bytes, *, durable: bool = True, flags: int = 0
) -> None:
    """Put a file in place of another so that either the old or the new one is there, never half.

    Durable, it is there after a power cut too, and so are its folders. The new one is private
    (0600) from its first byte on.
    """
    new = beside(path)
    with opened(disk, new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | flags) as fd:
        write_all(disk, fd, data)
        if durable:
            disk.fsync(fd)
    disk.replace(new, path)
    if durable:
        sync_ancestors(disk, path)


def beside(path: str) -> str:
    """Name the file in which a new version of another one is written first."""
    return f"{path}.new"


@contextmanager
def room_for(disk: Disk, path: str, size: int) -> Iterator[Callable[[bytes], None]]:
    """Reserve room for a new version of a file before asking for what goes into it.

    Yields the function that puts it in place durably, once it is known; it is complete beside the
    file from its first system call on. Without a call of it, the file stays as it is.
    """
    new = beside(path)
    is_kept = False

    def keep(data: bytes) -> None:
        nonlocal is_kept
        disk.seek(fd, 0)
        write_all(disk, fd, data.ljust(size))
        is_kept = True
        disk.truncate(fd, len(data))
        disk.fsync(fd)
        disk.replace(new, path)
        sync_ancestors(disk, path)

    with opened(disk, new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as fd:
        write_all(disk, fd, b" " * size)
        try:
            yield keep
        finally:
            if not is_kept:
                with suppress(OSError):
                    disk.unlink(new)


def adopt(disk: Disk, path: str) -> None:
    """Put in place, durably, the complete new version that a dead process left beside a file."""
    with opened(disk, beside(path), os.O_RDONLY) as fd:
        disk.fsync(fd)
    disk.replace(beside(path), path)
    sync_ancestors(disk, path)


def sync_folder(disk: Disk, path: str) -> None:
    """Make a new name in a folder survive a power cut."""
    with opened(disk, path, os.O_RDONLY | os.O_DIRECTORY) as fd:
        disk.fsync(fd)


def sync_ancestors(disk: Disk, path: str, levels: int = 3) -> None:
    """Do so for a file's folder and those above it, which an earlier process may have made."""
    folder = os.path.dirname(path)  # noqa: PTH120
    sync_folder(disk, folder)
    for _level in range(levels - 1):
        folder = os.path.dirname(folder)  # noqa: PTH120
        with suppress(PermissionError):  # a folder that we may not read is none that we made
            sync_folder(disk, folder)


def exists(disk: Disk, path: str) -> bool:
    try:
        disk.stat(path)
    except FileNotFoundError:
        return False
    return True


def make_folders(disk: Disk, path: str) -> None:
    """Create a folder and those above it, each private to the user."""
    if exists(disk, path):
        return
    make_folders(disk, os.path.dirname(path))  # noqa: PTH120
    with suppress(FileExistsError):  # another process may have made it just now
        disk.mkdir(path)


def guard(disk: Disk, folder: str) -> None:
    """Raise OSError unless a folder is this user's own, private, and no link: it stands where
    everybody may make one. In such a folder files are opened with NO_LINK."""
    with opened(disk, folder, os.O_RDONLY | os.O_DIRECTORY | NO_LINK) as fd:
        found = disk.fstat(fd)
    if not found.is_ours or found.mode & OPEN_TO_OTHERS:
        raise PermissionError(EPERM, "not this user's private folder", folder)


def why(error: OSError) -> dict[str, str]:
    """Return what the system has against it, as facts of a cause that has {error}: of a file that
    may not be touched also which one, and whose it is, as one run as root leaves files that no
    other user can open."""
    what = os.strerror(error.errno) if error.errno else str(error)
    path = error.filename
    if not isinstance(error, PermissionError) or not isinstance(path, str):
        return {"error": what}
    path = in_the_way(path)
    denied = {"behind": "denied", "reason": what, "file": path}
    try:
        owner = os.lstat(path).st_uid
    except OSError:
        return denied
    if owner == os.geteuid():
        return denied
    return {**denied, "behind": "denied-by-owner", "owner": user_name(owner)}


def reason(error: OSError) -> str:
    """Say the same in a few words."""
    found = why(error)
    return found.get("error") or in_words(Cause(found["behind"], found))


def in_the_way(path: str) -> str:
    """Return a path, or the folder above it that does not let this user look at it."""
    try:
        os.lstat(path)
    except PermissionError:
        return in_the_way(os.path.dirname(path))  # noqa: PTH120
    except OSError:
        return path
    return path


@contextmanager
def locked(disk: Disk, clock: Clock, path: str, timeout_seconds: float) -> Iterator[None]:
    """Hold the exclusive lock on `path` for a block.

    Raises LockTimeoutError when another process keeps it for longer than `timeout_seconds`.
    """
    deadline = clock.monotonic() + timeout_seconds
    while True:
        fd = disk.open(path, os.O_RDWR | os.O_CREAT)
        try:
            while not disk.try_lock(fd):
                if clock.monotonic() >= deadline:
                    cause = Cause("lock-held", {"path": path, "seconds": timeout_seconds})
                    mend = _("See which one: fuser -v {path}").format(path=path)
                    raise LockTimeoutError(in_words(cause), mend, cause)
                clock.sleep(LOCK_POLL_SECONDS)
            if _is_still_at(disk, fd, path):
                yield
                return
            # Somebody replaced the file while we waited: our lock guards nothing. Begin again.
            if clock.monotonic() >= deadline:
                cause = Cause("lock-replaced", {"path": path})
                raise LockTimeoutError(in_words(cause), cause=cause)
        finally:
            disk.close(fd)


def _is_still_at(disk: Disk, fd: int, path: str) -> bool:
    try:
        return disk.stat(path).inode == disk.fstat(fd).inode
    except FileNotFoundError:
        return False
