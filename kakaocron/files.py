"""What an idle tick asks of files: calls, marks, and where a path starts. Imports next to nothing.

It stands beside `idle` and not in a folder: each folder, and each module, on the way of an idle
tick costs it half a per cent.

A mark says whether what a decision depends on has changed. A relative path starts at the folder of
the configuration, never at the one from which a tick happens to run: cron's is another one, and a
relative data folder would be two ledgers.
"""

import os
from stat import S_IFDIR, S_IFMT, S_IFREG

from kakaocron import __version__

TYPE_CHECKING = False  # typing itself would be the most expensive import
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from kakaocron.errors import UsageError

    class IdleDisk(Protocol):
        """What an idle tick asks of a `Disk`, be it one or this module."""

        def open(self, path: str, flags: int, /) -> int: ...
        def read(self, fd: int, count: int, /) -> bytes: ...
        def write(self, fd: int, data: bytes, /) -> int: ...
        def close(self, fd: int, /) -> None: ...
        def replace(self, source: str, target: str, /) -> None: ...
        def stat(self, path: str, /) -> "Stat": ...
        def listdir(self, path: str, /) -> list[str]: ...
        def real_path(self, path: str, /) -> str: ...
        def code_mark(self) -> str: ...


PRIVATE_FILE = 0o600

PLAN_NAME = "idle"
# A full tick changes these itself; what they say to it is read again when it has ended. The tokens
# are those of every account, be they files or a folder of them.
_OWN_FILES = ("tokens", "timetables.json", "incidents.json", "alarms.json")
# These say nothing of what is due, and may stand in the data folder too.
_PASSED_OVER = (PLAN_NAME, "kakaocron.log", "ticks", "ledger", "owner.lock")
# Folders of the code by which no tick decides: they stand above it, or hold words.
_NOT_OF_TICKS = (
    "__pycache__", "commands", "doctor", "host", "language", "rehearsal", "show", "web",
)  # fmt: skip

XDG_NAMES = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
# Sentences of the catalogue, which these light imports cannot mark: see tests/language/catalogue.
NO_HOME = "'{path}' names no home: write the whole path, beginning with /"
NOT_ABSOLUTE = (
    "{name} is '{value}', which is no absolute path: nobody could tell which folder it means"
)
WRITE_IT_WHOLE = "Write the whole path, or unset it"


class Stat:
    """What identifies a file's content without reading it.

    It has no slots: to make a class of them takes three times the time.
    """

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


def stat_of(found: os.stat_result) -> Stat:
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
    kind = S_IFMT(os.fstat(fd).st_mode)
    if kind not in {S_IFREG, S_IFDIR}:
        os.close(fd)
        raise OSError(22, "not a file", path)
    return fd


# An idle tick takes this module itself for its disk: a class would cost it more than its calls do.
open = open_file
read = os.read
write = os.write
close = os.close
replace = os.replace
listdir = os.listdir
real_path = os.path.realpath


def stat(path: str) -> Stat:
    return stat_of(os.stat(path))  # noqa: PTH116


def code_mark() -> str:
    """Return a number for when the files of the package were last put into its folders: an update
    replaces some."""
    code = os.path.dirname(__file__)  # noqa: PTH120
    times = [os.stat(code).st_mtime_ns]  # noqa: PTH116
    with os.scandir(code) as found:  # in an order that stays until the folder changes
        times += [
            one.stat().st_mtime_ns
            for one in found
            if one.is_dir() and one.name not in _NOT_OF_TICKS
        ]
    return f"{code!a} {hash(tuple(times))}"


def config_marks(disk: "IdleDisk", config: str, folder: str = "") -> "list[str]":
    """Return the marks of the code and the configuration, to be taken before they are read;
    `folder` is where it really lies, if that is known."""
    folder = folder or os.path.dirname(disk.real_path(config))  # noqa: PTH120
    return [
        f"kakaocron {__version__}",
        disk.code_mark(),
        mark(disk, config),
        mark(disk, f"{folder}/.env"),
    ]


def data_marks(disk: "IdleDisk", data: str) -> "list[str]":
    """Return the marks of what others put into the data folder, beside the ledger and tokens."""
    return _marks_in(disk, data)[0]


def all_marks(
    disk: "IdleDisk", config: str, data: str, days: "Sequence[str]", folder: str = ""
) -> "list[str]":
    """Return the marks of all that a decision depends on which reads these days of the ledger."""
    ledger = [f"{data}/ledger", *[f"{data}/ledger/{day}.jsonl" for day in days]]
    others, own = _marks_in(disk, data)
    return [
        *config_marks(disk, config, folder),
        *others,
        *own,
        *[mark(disk, path) for path in ledger],
    ]


def _marks_in(disk: "IdleDisk", folder: str) -> "tuple[list[str], list[str]]":
    """Return the marks of others' files in a folder, and of those that a full tick changes."""
    try:
        names = sorted(disk.listdir(folder))
    except FileNotFoundError:
        names = []
    except OSError as error:  # the tick itself meets it again, and says what to do
        return [f"{folder!a} error {error.errno}"], []
    others: list[str] = []
    own: list[str] = []
    for name in names:
        if not name.startswith(_PASSED_OVER):
            kind = own if name.startswith(_OWN_FILES) else others
            kind.append(mark(disk, f"{folder}/{name}"))
    return others, own


def mark(disk: "IdleDisk", path: str) -> str:
    try:
        found = disk.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ascii(path)
    except OSError as error:
        return f"{path!a} error {error.errno}"
    return f"{path!a} {found.size} {found.mtime_ns} {found.ctime_ns} {found.inode}"


def real_folder(config: str) -> str:
    """Return where the configuration really lies: links to it are followed, so that all of them
    read the same `.env`, and mean the same files."""
    return os.path.dirname(os.path.realpath(config))  # noqa: PTH120


def placed(path: str, folder: str) -> str:
    """Return a path as absolute; `~` is a home, and a relative one starts at `folder`.

    Raises UsageError for the home of nobody.
    """
    if path.startswith("~"):
        at_home = os.path.expanduser(path)  # noqa: PTH111
        if not at_home.startswith("/"):
            raise usage_error(NO_HOME, which=f"home:{path}", path=path)
        path = at_home
    parts = os.path.join(folder, path).split("/")  # noqa: PTH118
    return "/" + "/".join([part for part in parts if part not in {"", "."}])


def check_xdg(variables: "Mapping[str, str]") -> None:
    """Raise UsageError for a folder of the platform's that is no absolute path: libraries pass it
    over, and whoever asks from elsewhere gets another one."""
    for name in XDG_NAMES:
        value = (variables.get(name) or "").strip()
        if value and not value.startswith("/"):
            raise usage_error(
                NOT_ABSOLUTE, WRITE_IT_WHOLE, which=f"xdg:{name}", name=name, value=value
            )


def usage_error(what: str, mend: str = "", *, which: str, **facts: "str | int") -> "UsageError":
    """Return a UsageError; its sentences are marked elsewhere, see above."""
    from kakaocron.errors import UsageError  # noqa: PLC0415 - idle ticks meet none
    from kakaocron.language.words import _  # noqa: PLC0415 - likewise

    return UsageError(_(what).format_map(facts), mend, which=which)
