"""What keeps a tick from writing, found without writing anything; and what to do about it."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable, Iterator

from kakaocron.errors import Barrier
from kakaocron.system.disk import Disk, exists
from kakaocron.system.users import user_name

NO_ROOM_BYTES = 5 << 20
ROOM_MEND = (
    "Make room: without it nothing is sent. Remove old days: kakaocron ledger prune --days 30"
)


def barriers(disk: Disk, paths: Iterable[str]) -> Iterator[Barrier]:
    """Yield those of these files and folders that could not be written; of one that is not there,
    what is there of the folders above it."""
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(existing(disk, path), path)
    for there, path in found.items():
        if not disk.may_write(there):
            yield barrier(there, path)


def no_room(disk: Disk, path: str) -> Barrier | None:
    free = disk.free(existing(disk, path))
    if free >= NO_ROOM_BYTES:
        return None
    return Barrier(f"The disk of '{path}' is full: {free >> 20} MiB free", ROOM_MEND)


def existing(disk: Disk, path: str) -> str:
    """Return a path, or what is there of the folders above it."""
    try:
        while not exists(disk, path) and path != "/":
            path = os.path.dirname(path)  # noqa: PTH120
    except OSError:  # a folder that may not be entered
        return existing(disk, os.path.dirname(path))  # noqa: PTH120
    return path


def barrier(path: str, wanted: str | None = None) -> Barrier:
    """Say why a path that is there cannot be written: by its owner, its mode, or neither. It may be
    a folder above the one that is `wanted`, and somebody else's for good."""
    quoted = shlex.quote(path)
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return Barrier(f"'{path}' cannot be written ({error.strerror})", f"See: ls -ld {quoted}")
    mode = f"mode {stat.S_IMODE(found.st_mode):04o}"
    if found.st_uid != os.geteuid():
        what = f"'{path}' cannot be written: it is {user_name(found.st_uid)}'s, {mode}"
        if wanted not in {None, path} and not os.access(path, os.X_OK):
            # Whether what is wanted is there, only its owner can see.
            what = f"'{wanted}' cannot be reached: '{path}' is {user_name(found.st_uid)}'s, {mode}"
            return Barrier(what, f"If it is yours: sudo chown -R $(id -un) {quoted}")
        if wanted not in {None, path}:
            made = shlex.quote(str(wanted))
            what = f"'{wanted}' is not there, and {what}"
            return Barrier(what, f"Make it: sudo install -d -m 700 -o $(id -un) {made}")
        return Barrier(what, f"Give it to this user: sudo chown -R $(id -un) {quoted}")
    is_folder = stat.S_ISDIR(found.st_mode)
    needed = stat.S_IRWXU if is_folder else stat.S_IRUSR | stat.S_IWUSR
    if found.st_mode & needed != needed:
        what = f"'{path}' cannot be written: its {mode} forbids it"
        return Barrier(what, f"Allow it: chmod u+{'rwx' if is_folder else 'rw'} {quoted}")
    what = f"'{path}' cannot be written, though its {mode} allows it"
    mend = f"See whether its file system is read-only: findmnt -T {quoted}; or the file: lsattr -d"
    return Barrier(what, f"{mend} {quoted}")
