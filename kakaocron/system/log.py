"""kakaocron.log: the lines that users know, rotating. A log that cannot be written is no fault."""

from __future__ import annotations

import logging
import logging.handlers
import os
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from kakaocron.errors import BugError
from kakaocron.kst import KST
from kakaocron.system.disk import make_folders
from kakaocron.system.syscalls import RealDisk

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


class _PrivateRotatingHandler(logging.handlers.RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def] # noqa: ANN202
        return open(
            self.baseFilename,
            self.mode,
            encoding=self.encoding,
            errors="backslashreplace",
            # A pipe that nobody reads must not keep a tick waiting.
            opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK, 0o600),
        )

    def close(self) -> None:
        with suppress(OSError):  # what a full disk did not take is tried once more here
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A full disk must not print a traceback into cron's mail, nor stop a delivery."""


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
        handler = _PrivateRotatingHandler(
            path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8"
        )
    except OSError:
        return
    handler.setFormatter(_KstFormatter("%(asctime)s - %(levelname)s - %(message)s"))
    log.addHandler(handler)


def bug(error: Exception) -> BugError:
    """Log an error that nobody has foreseen, without the values in it; return what to say."""
    log.critical("bug\n%s", "".join(traceback.format_exception(error)))
    where = traceback.extract_tb(error.__traceback__)[-1]
    return BugError(
        f"kakaocron has a bug: {type(error).__name__} at {Path(where.filename).name}:"
        f"{where.lineno}; the log has the whole story: kakaocron.log"
    )


def _file_handlers() -> Iterator[logging.Handler]:
    return (handler for handler in log.handlers if isinstance(handler, _PrivateRotatingHandler))
