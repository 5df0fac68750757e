"""What keeps a tick from writing, found without writing anything; and what to do about it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from kakaocron.errors import Barrier
from kakaocron.language.words import _, marked
from kakaocron.system.disk import Disk, exists
from kakaocron.system.users import user_name

NO_ROOM_BYTES = 5 << 20
ROOM_MEND = marked(
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
    return Barrier(
        _("The disk of '{path}' is full: {free} MiB free").format(path=path, free=free >> 20),
        ROOM_MEND,
    )


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
    import shlex  # noqa: PLC0415 - all is well as a rule

    quoted = shlex.quote(path)
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return Barrier(
            _("'{path}' cannot be written ({strerror})").format(path=path, strerror=error.strerror),
            _("See: ls -ld {quoted}").format(quoted=quoted),
        )
    mode = _("mode {mode:04o}").format(mode=stat.S_IMODE(found.st_mode))
    if found.st_uid != os.geteuid():
        what = _("'{path}' cannot be written: it is {owner}'s, {mode}").format(
            path=path, owner=user_name(found.st_uid), mode=mode
        )
        if wanted not in {None, path} and not os.access(path, os.X_OK):
            # Whether what is wanted is there, only its owner can see.
            what = _("'{wanted}' cannot be reached: '{path}' is {owner}'s, {mode}").format(
                wanted=wanted, path=path, owner=user_name(found.st_uid), mode=mode
            )
            return Barrier(
                what, _("If it is yours: sudo chown -R $(id -un) {quoted}").format(quoted=quoted)
            )
        if wanted not in {None, path}:
            made = shlex.quote(str(wanted))
            what = _("'{wanted}' is not there, and {what}").format(wanted=wanted, what=what)
            return Barrier(
                what, _("Make it: sudo install -d -m 700 -o $(id -un) {made}").format(made=made)
            )
        return Barrier(
            what, _("Give it to this user: sudo chown -R $(id -un) {quoted}").format(quoted=quoted)
        )
    is_folder = stat.S_ISDIR(found.st_mode)
    needed = stat.S_IRWXU if is_folder else stat.S_IRUSR | stat.S_IWUSR
    if found.st_mode & needed != needed:
        what = _("'{path}' cannot be written: its {mode} forbids it").format(path=path, mode=mode)
        return Barrier(
            what,
            _("Allow it: chmod u+{bits} {quoted}").format(
                bits="rwx" if is_folder else "rw", quoted=quoted
            ),
        )
    what = _("'{path}' cannot be written, though its {mode} allows it").format(path=path, mode=mode)
    mend = _(
        "See whether its file system is read-only: findmnt -T {quoted}; or the file: lsattr -d"
    ).format(quoted=quoted)
    return Barrier(what, f"{mend} {quoted}")
