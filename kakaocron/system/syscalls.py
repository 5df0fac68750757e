"""The system calls on files, as they are."""

from __future__ import annotations

import fcntl
import os

from kakaocron.files import PRIVATE_FILE, Stat, code_mark, open_file, stat_of

__all__ = ["PRIVATE_FILE", "RealDisk", "Stat", "open_file", "read_up_to"]

PRIVATE_FOLDER = 0o700


def read_up_to(path: str, most: int) -> bytes:
    """Return a file's content; of one that is longer than `most` bytes only one byte more."""
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        return file.read(most + 1)


class RealDisk:
    def open(self, path: str, flags: int, mode: int = PRIVATE_FILE) -> int:
        return open_file(path, flags, mode)

    def read(self, fd: int, count: int) -> bytes:
        return os.read(fd, count)

    def write(self, fd: int, data: bytes) -> int:
        return os.write(fd, data)

    def seek(self, fd: int, offset: int) -> None:
        os.lseek(fd, offset, os.SEEK_SET)

    def fsync(self, fd: int) -> None:
        os.fsync(fd)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def fstat(self, fd: int) -> Stat:
        return stat_of(os.fstat(fd))

    def close(self, fd: int) -> None:
        os.close(fd)

    def stat(self, path: str) -> Stat:
        return stat_of(os.stat(path))  # noqa: PTH116

    def replace(self, source: str, target: str) -> None:
        os.replace(source, target)  # noqa: PTH105

    def unlink(self, path: str) -> None:
        os.unlink(path)  # noqa: PTH108

    def mkdir(self, path: str) -> None:
        os.mkdir(path, PRIVATE_FOLDER)  # noqa: PTH102

    def listdir(self, path: str) -> list[str]:
        return os.listdir(path)  # noqa: PTH208

    def may_write(self, path: str) -> bool:
        is_folder = os.path.isdir(path)  # noqa: PTH112
        return os.access(path, os.W_OK | (os.X_OK if is_folder else 0))

    def free(self, path: str) -> int:
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize

    def try_lock(self, fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def real_path(self, path: str) -> str:
        return os.path.realpath(path)

    def code_mark(self) -> str:
        return code_mark()
