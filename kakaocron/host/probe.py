"""What `doctor` asks of the machine around kakaocron: processes, mounts, room, other programs."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from kakaocron.errors import Barrier
from kakaocron.host.daemons import Daemon, daemon_of
from kakaocron.host.systemd import SERVICE, TIMER
from kakaocron.language.words import _
from kakaocron.system.access import barrier, barriers, existing
from kakaocron.system.disk import in_the_way
from kakaocron.system.places import systemd_folder
from kakaocron.system.programs import run_briefly
from kakaocron.system.syscalls import RealDisk, open_file, read_up_to
from kakaocron.system.users import is_user, login_shell, user_name


def booted_at(now: datetime) -> datetime | None:
    """Return when this host was started, None where the system does not tell."""
    try:
        return now - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    except (AttributeError, OSError):
        return None


COMMAND_SECONDS = 30
MOST_BYTES = 100_000
# anacron is none: it knows days only.
CRONS = frozenset({"cron", "crond", "busybox-crond", "fcron", "supercronic", "bcron-sched"})


# Where systemd-cron's generator puts its timers. Each is described by its crontab's line.
GENERATED = Path("/run/systemd/generator")
BOOTED = "/run/systemd/system"  # sd_booted(3)
INACTIVE = (3, 4)  # systemctl(1): the unit is not active, or there is none
CRONTAB_GENERATORS = (
    "/usr/lib/systemd/system-generators/systemd-crontab-generator",
    "/lib/systemd/system-generators/systemd-crontab-generator",
)


class CommandResult(Struct, frozen=True):
    """How a command ended; `code` None means that it did not in time."""

    code: int | None
    said: str


class Machine:
    """The real one; a test puts another in its place."""

    def uid(self) -> int:
        return os.getuid()

    def home(self) -> str:
        return str(Path.home())

    def which(self, program: str) -> list[str]:
        """Return every such program on the path, first that which a shell would run."""
        folders = os.environ.get("PATH", "").split(os.pathsep)
        found = (shutil.which(program, path=folder) for folder in folders if folder)
        return list(dict.fromkeys(path for path in found if path))

    def cron_processes(self) -> list[str]:
        """Return the cron daemons of this machine: none of a container's that runs on it."""
        found = [name for path in Path("/proc").glob("[0-9]*") if (name := _cron_at(path))]
        return [*found, *_systemd_cron()]

    def has_timer_of(self, command: str) -> bool:
        """Say whether systemd-cron has made a timer of a crontab's command, and systemd runs it."""
        for path in GENERATED.glob("cron-*.timer"):
            with suppress(OSError):
                text = read_up_to(str(path), MOST_BYTES).decode("utf-8", "replace")
                if command in text.replace("%%", "%"):
                    return _is_active(path.name)
        return False

    @cached_property
    def daemon(self) -> Daemon:
        """Return how this machine's cron daemon reads and runs crontabs."""
        found = self.which("crontab")
        return daemon_of(self.cron_processes(), os.path.realpath(found[0]) if found else "")

    def roots_shell(self) -> str:
        return login_shell(0)

    def system_crontabs(self) -> list[tuple[str, bytes]]:
        """Return the machine's own crontabs, in which a user stands before each command."""
        found = []
        for path in ("/etc/crontab", *self.listed("/etc/cron.d")):
            # Debian's cron passes over all other names, as cron.d/kakaocron.cron.
            if re.fullmatch(r"[\w-]+", os.path.basename(path)):  # noqa: PTH119
                with suppress(OSError):
                    found.append((path, read_up_to(path, MOST_BYTES)))
        return found

    def is_program(self, path: str) -> bool:
        return os.path.isfile(path) and os.access(path, os.X_OK)  # noqa: PTH113

    def found_on(self, search_path: str, program: str) -> str | None:
        return shutil.which(program, path=search_path)

    def user(self) -> str:
        return user_name(self.uid())

    def is_user(self, name: str) -> bool:
        return is_user(name)

    def timer_service(self) -> str | None:
        """Return the text of the user's kakaocron.service if its timer is enabled."""
        folder = systemd_folder()
        if not os.path.lexists(folder / "timers.target.wants" / TIMER):
            return None
        try:
            return (folder / SERVICE).read_text("utf-8", "replace")
        except OSError:
            return ""

    def lingers(self) -> bool:
        """Say whether the user's systemd runs while the user is logged out."""
        return os.path.exists(f"/var/lib/systemd/linger/{self.user()}")  # noqa: PTH110

    def run(self, command: str, environment: Mapping[str, str]) -> CommandResult:
        """Run a command as cron does: by the crontab's shell, with no other environment."""
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command, as cron would run it
                [environment.get("SHELL", "/bin/sh"), "-c", command],
                env=dict(environment),
                cwd=environment["HOME"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return CommandResult(None, str(error))
        with process:
            try:
                said, _rest = process.communicate(timeout=COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return CommandResult(
                    None, _("no end after {seconds} s").format(seconds=COMMAND_SECONDS)
                )
        return CommandResult(process.returncode, said.decode("utf-8", "replace").strip())

    def file_system(self, path: str) -> str:
        """Return the type of the file system on which a path is, '' if it cannot be told."""
        try:
            lines = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
        except OSError:
            return ""
        path = os.path.realpath(path)
        best, kind = "", ""
        for line in lines:
            fields = line.split(" ")
            mount = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1])
            if f"{path}/".startswith(mount.rstrip("/") + "/") and len(mount) >= len(best):
                best, kind = mount, fields[2]
        return kind

    def free(self, path: str) -> tuple[int, int]:
        """Return the free bytes and the free inodes at a path, or at what of it exists."""
        found = os.statvfs(existing(RealDisk(), path))
        inodes = found.f_favail if found.f_files else 1 << 30
        return found.f_bavail * found.f_frsize, inodes

    def mode(self, path: str) -> int | None:
        """Return the permission bits, None if there is no such file."""
        try:
            return stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116
        except OSError:
            return None

    def listed(self, folder: str) -> list[str]:
        """Return the paths in a folder, none if it cannot be read."""
        try:
            return sorted(f"{folder}/{name}" for name in os.listdir(folder))  # noqa: PTH208
        except OSError:
            return []

    def below(self, path: str) -> list[str]:
        """Return all files and folders in a folder and in those below it."""
        return [
            f"{folder}/{name}"
            for folder, folders, files in os.walk(path)
            for name in (*folders, *files)
        ]

    def not_mine(self, paths: Sequence[str]) -> list[tuple[str, str]]:
        """Return those of these paths that are another user's, each with its owner; in place of
        what cannot be looked at, the folder above it that is in the way."""
        owners = [(path, _owner(path)) for path in dict.fromkeys(map(in_the_way, paths))]
        mine = self.uid()
        return [(path, user_name(uid)) for path, uid in owners if uid is not None and uid != mine]

    def barriers(self, paths: Sequence[str]) -> list[Barrier]:
        """Return what keeps this user from writing these files and folders."""
        return list(barriers(RealDisk(), paths))

    def existing(self, path: str) -> str:
        """Return a path, or what is there of the folders above it."""
        return existing(RealDisk(), path)

    def barrier(self, folder: str) -> Barrier:
        """Return why a folder, or what is there of those above it, cannot be written."""
        return barrier(existing(RealDisk(), folder), folder)

    def is_read_only(self, path: str) -> bool:
        return bool(os.statvfs(existing(RealDisk(), path)).f_flag & os.ST_RDONLY)

    def may_write(self, folder: str) -> bool:
        return os.access(existing(RealDisk(), folder), os.W_OK | os.X_OK)

    def is_locked(self, path: str) -> bool:
        """Say whether another process holds the lock on a file."""
        try:
            with os.fdopen(open_file(path, os.O_RDONLY)) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


def _systemd_cron() -> Iterator[str]:
    """Yield the name of systemd-cron, which has no process, if systemd makes timers by it: before
    its version 2 its generator is a script."""
    if not os.path.isdir(BOOTED):  # noqa: PTH112
        return
    for path in CRONTAB_GENERATORS:
        with suppress(OSError):
            yield "systemd-cron" if read_up_to(path, 2)[:2] == b"#!" else "systemd-cron-2"
            return


def _is_active(unit: str) -> bool:
    """Say whether systemd runs a unit; so it is taken to be where systemd cannot be asked."""
    with suppress(OSError, TimeoutError):
        asked = ["systemctl", "is-active", "--quiet", unit]
        return run_briefly(asked, COMMAND_SECONDS, os.environ).returncode not in INACTIVE
    return True


def _owner(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None


def _cron_at(process: Path) -> str | None:
    """Return the name of a process if it is a cron daemon that runs, and in our namespace."""
    try:
        name = (process / "comm").read_text().strip()
        if name == "busybox" and b"crond" in (process / "cmdline").read_bytes().split(b"\0")[:2]:
            name = "crond"
        if name not in CRONS:
            return None
        status = (process / "status").read_text("utf-8", "replace")
    except OSError:  # it has ended meanwhile
        return None
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    is_dead = fields.get("State", "").strip().startswith(("Z", "X"))
    # One number for each PID namespace, from ours down to its own (proc_pid_status(5)).
    is_ours = len(fields.get("NSpid", "0").split()) == 1
    return name if is_ours and not is_dead else None
