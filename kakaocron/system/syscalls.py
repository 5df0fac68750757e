"""The system calls on files, as they are. Imports next to nothing: an idle tick uses them too."""

import os
import stat

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


class Stat:
    """What identifies a file's content without reading it."""

    __slots__ = ("ctime_ns", "device", "inode", "is_ours", "mode", "mtime_ns", "size")

    def __init__(
        self,
        size: int,
        mtime_ns: int,
        inode: int,
        mode: int = 0,
        ctime_ns: int = 0,
        is_ours: bool = True,
        device: int = 0,
    ) -> None:
        self.size = size
        self.mtime_ns = mtime_ns
        self.inode = inode
        self.mode = mode
        self.ctime_ns = ctime_ns
        self.is_ours = is_ours
        self.device = device


def _stat(found: os.stat_result) -> Stat:
    return Stat(
        found.st_size,
        found.st_mtime_ns,
        found.st_ino,
        found.st_mode,
        found.st_ctime_ns,
        found.st_uid == os.getuid(),
        found.st_dev,
    )


def open_file(path: str, flags: int, mode: int = PRIVATE_FILE) -> int:
    """Open a file or a folder. A pipe or a device in its place would keep us waiting for ever, or
    never end: an OSError."""
    fd = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, mode)
    kind = stat.S_IFMT(os.fstat(fd).st_mode)
    if kind not in {stat.S_IFREG, stat.S_IFDIR}:
        os.close(fd)
        raise OSError(22, "not a file", path)
    return fd


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
        return _stat(os.fstat(fd))

    def close(self, fd: int) -> None:
        os.close(fd)

    def stat(self, path: str) -> Stat:
        return _stat(os.stat(path))  # noqa: PTH116

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
        import fcntl  # noqa: PLC0415 - an idle tick takes no lock

        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def real_path(self, path: str) -> str:
        return os.path.realpath(path)

    def code_mark(self) -> str:
        code = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
        times = {"": os.stat(code).st_mtime_ns}  # noqa: PTH116
        with os.scandir(code) as found:
            for one in found:
                if not one.name.startswith("_") and one.is_dir():
                    times[one.name] = one.stat().st_mtime_ns
        return f"{code!a} {sorted(times.items())}"
