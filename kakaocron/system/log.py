"""kakaocron.log: the lines that users know, rotating. A log that cannot be written is no fault."""

from __future__ import annotations

import logging
import os
import stat
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from kakaocron.errors import BugError
from kakaocron.kst import KST
from kakaocron.system.disk import make_folders, opened
from kakaocron.system.syscalls import PRIVATE_FILE, RealDisk
from kakaocron.text.causes import parts

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# As Python's logging calls them too.
OTHER_NAMES = {"WARN": "WARNING", "FATAL": "CRITICAL"}
MAX_BYTES = 5_000_000
BACKUPS = 3

log = logging.getLogger("kakaocron")
log.addHandler(logging.NullHandler())  # without a file, warnings must not reach stderr


class _KstFormatter(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created, KST).strftime(datefmt or "%Y-%m-%d %H:%M:%S")


class _RotatingFile(logging.Handler):
    """Appends each line by one write. Any number of processes may write to the file at once."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.baseFilename = str(path)
        self._fd: int | None = self._opened()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
            self._follow()
            if self._is_full(len(line)):
                self._rotate()
            if self._fd is not None:
                os.write(self._fd, line)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A full disk must not print a traceback into cron's mail, nor stop a delivery."""

    def close(self) -> None:
        self.acquire()
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None
        self.release()
        super().close()

    def _opened(self) -> int:
        # A pipe that nobody reads must not keep a tick waiting.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        return os.open(self.baseFilename, flags, PRIVATE_FILE)

    def _follow(self) -> None:
        """Write to the file that has the name now: another process may have rotated it."""
        if self._fd is None or self._has_the_name(self._fd):
            return
        with suppress(OSError):
            new = self._opened()
            os.close(self._fd)
            self._fd = new

    def _has_the_name(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), os.stat(self.baseFilename))  # noqa: PTH116
        except OSError:
            return False

    def _is_full(self, more: int) -> bool:
        if self._fd is None:
            return False
        found = os.fstat(self._fd)
        return stat.S_ISREG(found.st_mode) and 0 < found.st_size > MAX_BYTES - more

    def _rotate(self) -> None:
        """Rename the file, unless another process does so now or has done so meanwhile.

        The lock is on the file itself: who gets it after the renaming sees that the name is
        another file's. What cannot be renamed grows on: no line is lost for it.
        """
        with suppress(OSError), opened(RealDisk(), self.baseFilename, os.O_WRONLY) as lock:
            if not RealDisk().try_lock(lock) or not self._has_the_name(lock):
                return
            if self._fd is None or not os.path.samestat(os.fstat(self._fd), os.fstat(lock)):
                self._follow()  # the full one was renamed meanwhile, and this is the one after it
                return
            for number in range(BACKUPS - 1, 0, -1):
                with suppress(FileNotFoundError):
                    os.replace(f"{self.baseFilename}.{number}", f"{self.baseFilename}.{number + 1}")  # noqa: PTH105
            os.replace(self.baseFilename, f"{self.baseFilename}.1")  # noqa: PTH105
        self._follow()


def known_level(word: str) -> str | None:
    """Return the level that LOG_LEVEL means, or None if there is none of that name."""
    name = word.strip().upper()
    name = OTHER_NAMES.get(name, name)
    return name if name in LEVELS else None


def log_to_file(path: Path, level: str = "INFO") -> None:
    """Send kakaocron's log lines to `path`; an unknown level is INFO: no message waits for it."""
    for handler in list(_file_handlers()):
        log.removeHandler(handler)
        handler.close()
    log.setLevel(known_level(level) or "INFO")
    log.propagate = False
    try:
        make_folders(RealDisk(), str(path.parent))
        handler = _RotatingFile(path)
    except OSError:
        return
    handler.setFormatter(_KstFormatter("%(asctime)s - %(levelname)s - %(message)s"))
    log.addHandler(handler)


def has_file() -> bool:
    return any(_file_handlers())


def bug(error: Exception) -> BugError:
    """Log an error that nobody has foreseen, without the values in it; return what to say."""
    log.critical("bug\n%s", "".join(traceback.format_exception(error)))
    where = traceback.extract_tb(error.__traceback__)[-1]
    kind, file, line = type(error).__name__, Path(where.filename).name, where.lineno or 0
    return BugError(*parts("bug", type=kind, file=file, line=line), which=f"{kind}:{file}:{line}")


def _file_handlers() -> Iterator[logging.Handler]:
    return (handler for handler in log.handlers if isinstance(handler, _RotatingFile))
