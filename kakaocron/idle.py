"""Whether a tick may leave at once. Imports next to nothing: most ticks end here.

A full tick leaves a plan in the log folder: until when nothing can become due, and from when on
what is due by then has to be made ready (`early_start`), beside the marks of every file that this
depends on. Whatever is missing, damaged or changed, and a clock that stands before the plan, means
a full tick, which trusts the ledger and nothing else.

Of a ledger that hosts share no file tells whether it has changed: its plan holds for some minutes,
then the database is asked one question.
"""

import os
import sys
import time

import kakaocron.files as files  # noqa: PLR0402 - `from` would ask the package first
from kakaocron.files import PLAN_NAME, all_marks, check_xdg, placed, real_folder

TYPE_CHECKING = False  # typing itself would be the most expensive import
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kakaocron.files import IdleDisk

    # Given what a plan knows of the shared ledger and when this host has ticked since (seconds
    # since 1970): whether nothing has changed.
    AskShared = Callable[[Sequence[str], Sequence[float]], bool]

HEADER = f"kakaocron idle plan 4 {sys.hexversion >> 16:x}"

KST_SECONDS = 9 * 3600
DAY_MS = 24 * 3600 * 1000
MAX_PLAN_BYTES = 1 << 16
MAX_BEATS_BYTES = 1 << 20
# More than there are between two questions.
NEWEST_BEATS = 16
LONGEST_WAIT_SECONDS = 60

# What decides which files are read, and how. Of other variables of Kakao's only the names count:
# they hold secrets, and which request they serve is a full tick's matter.
_VALUES_COUNT = (
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "KAKAOCRON_DATA_DIR",
    "KAKAOCRON_LOG_DIR",
    "ENVIRONMENT",
    "LOG_LEVEL",
)
_NAMES_COUNT = ("KAKAO_", "KAKAOCRON_LEDGER_URL")


def is_idle_tick(
    arguments: "Sequence[str]", environ: "Mapping[str, str]", *, may_wait: bool = True
) -> bool:
    """Say whether this command is a tick with nothing to do; if so, its heartbeat is left.

    One with nothing to do but to be ready for a slot first waits here, if it may: all else would
    take several times the memory.
    """
    try:
        environ = dict(environ)  # os.environ would decode each variable again whenever it is asked
        config = _config_path(arguments, environ)
        folder = real_folder(config)
        variables = _with_env_file(folder, environ)
        check_xdg(variables)
        plan = plan_path(variables, folder)

        def ask(known: "Sequence[str]", instants: "Sequence[float]") -> bool:
            # An extra; and most have their ledger in files.
            from kakaocron.ledger.postgres.question import (  # noqa: PLC0415
                ask_by_libpq,
                find_url,
                is_unchanged,
            )

            by = ask_by_libpq(find_url(variables, config, folder))
            return is_unchanged(by, time.time(), known, instants)

        longest = LONGEST_WAIT_SECONDS if may_wait else 0
        seconds = wait_before(files, plan, config, variables, time.time(), ask, folder, longest)
        if seconds and not os.isatty(2):  # a person is told what is waited for
            time.sleep(seconds)
        return seconds is None
    except Exception:
        return False


def _with_env_file(folder: str, environ: "Mapping[str, str]") -> "Mapping[str, str]":
    path = f"{folder}/.env"
    if not os.path.exists(path):  # noqa: PTH110
        return environ
    from kakaocron.system.env_file import read_env_file  # noqa: PLC0415 - most have none

    return {**read_env_file(path, environ), **environ}


def wait_before(
    disk: "IdleDisk",
    plan: str,
    config: str,
    variables: "Mapping[str, str]",
    now: float,
    ask: "AskShared",
    folder: str = "",
    longest: int = LONGEST_WAIT_SECONDS,
) -> "float | None":
    """Return how many seconds, less than `longest`, a tick at `now` (seconds since 1970) waits
    before it does anything, None if it may leave. If the plan says so, the heartbeat is left:
    nothing is due now.

    Raises OSError or ValueError where it cannot be told, and whatever `ask` raises: then the tick
    is a full one.
    """
    content = _read(disk, plan)
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    header, first, known_config, known_environment, data, heartbeats, days, shared, *marks = lines
    *marks, last, end = marks
    if header != HEADER or first != last or end:
        raise ValueError("damaged")
    since, until, ready_from, ask_from, size, mark = first.split(" ")
    moment, wait = int(now * 1000), None
    if moment >= int(until):
        wait = (int(ready_from) - moment) / 1000
    if moment < int(since) or (wait is not None and not 0 < wait < longest):
        return 0.0
    if (known_config, known_environment) != (config, environment(variables)):
        return 0.0
    if marks != all_marks(disk, config, data, days.split(), folder):
        return 0.0
    if heartbeats != f"{os.path.dirname(plan)}/ticks":  # noqa: PTH120
        raise ValueError("the plan is another installation's")
    if shared and wait is None and moment >= int(ask_from):
        pause, *known = shared.split(" ")
        if not ask(known, [*_newest_beats(disk, heartbeats, moment), moment / 1000]):
            return 0.0
        lines[1] = lines[-2] = f"{since} {until} {ready_from} {moment + int(pause)} {size} {mark}"
        if _read(disk, plan) != content:
            return 0.0  # a full tick has left another one meanwhile
        _replace(disk, plan, "\n".join(lines).encode("utf-8", "surrogateescape"))
    _beat(disk, heartbeats, moment, f"{size} {mark}")
    return wait


def plan_path(variables: "Mapping[str, str]", folder: str) -> str:
    """Return where the plan stands: in the log folder, if the platform's rules are the usual ones.

    Should they not be, the plan is not found, and every tick is a full one.
    """
    log = variables.get("KAKAOCRON_LOG_DIR") or (
        _home(variables, "XDG_STATE_HOME", "~/.local/state") + "/kakaocron/log"
    )
    return f"{placed(log, folder)}/{PLAN_NAME}"


def environment(variables: "Mapping[str, str]") -> str:
    """Return, in one line and without secrets, what of the environment a decision depends on."""
    values = [f"{name}={variables.get(name, '')}" for name in _VALUES_COUNT]
    names = [name for name in variables if name.startswith(_NAMES_COUNT) and variables[name]]
    return ascii(values + sorted(names))


def _newest_beats(disk: "IdleDisk", folder: str, moment: int) -> "list[float]":
    """Return when this host's last ticks today found nothing to do."""
    midnight = (moment + KST_SECONDS * 1000) // DAY_MS * DAY_MS - KST_SECONDS * 1000
    content = _read(disk, _of_day(folder, moment), MAX_BEATS_BYTES).decode("ascii")
    found = []
    for line in content.split("\n")[-NEWEST_BEATS:-1]:
        clock, *rest = line.split(" ")
        if rest[:1] == ["idle"]:
            hours, minutes, seconds = clock.split(":")
            after_ms = (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)
            found.append((midnight + after_ms) / 1000)
    return found


def _of_day(folder: str, moment: int) -> str:
    at = time.gmtime(moment // 1000 + KST_SECONDS)
    return f"{folder}/{at.tm_year:04d}-{at.tm_mon:02d}-{at.tm_mday:02d}"


def _replace(disk: "IdleDisk", path: str, content: bytes) -> None:
    fd = disk.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        if disk.write(fd, content) != len(content):
            raise ValueError("the plan was not written whole")
    finally:
        disk.close(fd)
    disk.replace(f"{path}.new", path)


def _beat(disk: "IdleDisk", folder: str, moment: int, ledger_end: str) -> None:
    """Append to the day's heartbeats, whose file the day's first, full tick has begun."""
    seconds, milliseconds = divmod(moment, 1000)
    at = time.gmtime(seconds + KST_SECONDS)
    clock = f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}.{milliseconds:03d}"
    line = f"{clock} idle 0 {ledger_end}\n".encode("ascii")
    fd = disk.open(_of_day(folder, moment), os.O_WRONLY | os.O_APPEND)
    try:
        if disk.write(fd, line) != len(line):
            raise ValueError("the heartbeat was not written whole")
    finally:
        disk.close(fd)


def _read(disk: "IdleDisk", path: str, most: int = MAX_PLAN_BYTES) -> bytes:
    fd = disk.open(path, os.O_RDONLY)
    try:
        return disk.read(fd, most)
    finally:
        disk.close(fd)


def _config_path(arguments: "Sequence[str]", environ: "Mapping[str, str]") -> str:
    """Return which configuration a plain `tick` means. Raises ValueError for any other command."""
    words = [word for word in arguments if word != "tick"]
    if len(words) + 1 != len(arguments):
        raise ValueError("not a tick")
    given = None
    if len(words) == 1 and words[0].startswith("--config="):
        given = words[0].partition("=")[2]
    elif len(words) == 2 and words[0] == "--config":  # noqa: PLR2004
        given = words[1]
    elif words:
        raise ValueError("not a plain tick")
    path = given or environ.get("KAKAOCRON_CONFIG")
    return _expanded(
        path or _home(environ, "XDG_CONFIG_HOME", "~/.config") + "/kakaocron/config.toml"
    )


def _home(variables: "Mapping[str, str]", name: str, default: str) -> str:
    return (variables.get(name) or "").strip() or default


def _expanded(path: str) -> str:
    path = os.path.expanduser(path)  # noqa: PTH111
    if not path.startswith("/"):
        raise ValueError("it depends on the folder from which it runs")
    return path
