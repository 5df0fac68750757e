"""Marks of files: whether what a decision depends on has changed. Imports next to nothing."""

import os

from kakaocron import __version__

TYPE_CHECKING = False  # typing itself would be the most expensive import
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kakaocron.system.disk import Disk


PLAN_NAME = "idle"

# A full tick changes these itself; what they say to it is read again when it has ended. The tokens
# are those of every account, be they files or a folder of them.
_OWN_FILES = ("tokens", "timetables.json", "incidents.json", "alarms.json")
# These say nothing of what is due, and may stand in the data folder too.
_PASSED_OVER = (PLAN_NAME, "kakaocron.log", "ticks")


def config_marks(disk: "Disk", config: str) -> "list[str]":
    """Return the marks of the code and the configuration, to be taken before they are read."""
    folder = os.path.dirname(disk.real_path(config))  # noqa: PTH120
    files = (config, f"{folder}/.env")
    return [
        f"kakaocron {__version__}",
        disk.code_mark(),
        *(mark(disk, path) for path in files),
    ]


def data_marks(disk: "Disk", data: str) -> "list[str]":
    """Return the marks of what others put into the data folder, beside the ledger and tokens."""
    return _marks_in(disk, data, own=False)


def all_marks(disk: "Disk", config: str, data: str, days: "Sequence[str]") -> "list[str]":
    """Return the marks of all that a decision depends on which reads these days of the ledger."""
    ledger = [f"{data}/ledger", *(f"{data}/ledger/{day}.jsonl" for day in days)]
    return [
        *config_marks(disk, config),
        *data_marks(disk, data),
        *_marks_in(disk, data, own=True),
        *(mark(disk, path) for path in ledger),
    ]


def _marks_in(disk: "Disk", folder: str, *, own: bool) -> "list[str]":
    try:
        names = sorted(disk.listdir(folder))
    except FileNotFoundError:
        names = []
    except OSError as error:  # the tick itself meets it again, and says what to do
        return [f"{folder!a} error {error.errno}"]
    return [
        mark(disk, f"{folder}/{name}")
        for name in names
        if name.startswith(_OWN_FILES) == own and not name.startswith((*_PASSED_OVER, "ledger"))
    ]


def mark(disk: "Disk", path: str) -> str:
    try:
        found = disk.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ascii(path)
    except OSError as error:
        return f"{path!a} error {error.errno}"
    return f"{path!a} {found.size} {found.mtime_ns} {found.ctime_ns} {found.inode}"
