"""Files and folders."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from kakaocron.doctor.finding import OTHERS, Bench, Finding, fail, ok, warn
from kakaocron.host.probe import Machine

LITTLE_ROOM_BYTES = 100 << 20
NO_ROOM_BYTES = 5 << 20
LITTLE_INODES = 1000

ON_THE_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "fuse.rclone", "drvfs"}
)
IN_MEMORY = frozenset({"tmpfs", "ramfs"})

# Files


def files(bench: Bench) -> Iterator[Finding]:
    places, machine = bench.places, bench.machine
    data, log = str(places.data), str(places.log)
    for name, folder in (("data-folder", data), ("log-folder", log)):
        if machine.may_write(folder):
            yield ok(name, f"'{folder}' can be written")
        else:
            mend = f"Give it to this user: sudo chown -R $(id -un) {shlex.quote(folder)}"
            yield fail(name, f"'{folder}' cannot be written", mend)
    mode = machine.mode(data)
    if mode is not None and mode & OTHERS:
        mend = f"Make it private: chmod 700 {shlex.quote(data)}"
        yield warn("data-mode", f"'{data}' is open to others", mend)
    else:
        yield ok("data-mode", f"'{data}' is private")
    yield _owner(bench)
    yield _file_system(machine, data)
    yield _room(machine, data)
    held = [p for p in (f"{places.ledger}.lock", f"{places.tokens}.lock") if machine.is_locked(p)]
    if held:
        mend = f"If it stays so, see who holds it: fuser -v {shlex.quote(held[0])}"
        yield warn("locks", f"another process holds '{held[0]}' now", mend)
    else:
        yield ok("locks", "free")


def _owner(bench: Bench) -> Finding:
    places, uid = bench.places, bench.machine.uid()
    paths = [str(places.config), str(places.data), places.ledger, places.tokens, str(places.log)]
    foreign = [path for path in paths if bench.machine.owner(path) not in {None, uid}]
    if foreign:
        mend = "Run kakaocron as one user only; to take the files: sudo chown -R $(id -un) PATH"
        return fail("owner", f"not this user's: {', '.join(foreign)}", mend)
    return ok("owner", "all files are this user's")


def _file_system(machine: Machine, data: str) -> Finding:
    kind = machine.file_system(data)
    if kind in ON_THE_NETWORK:
        mend = "Use a local disk: KAKAOCRON_DATA_DIR in the .env beside config.toml"
        return fail("file-system", f"the ledger is on {kind}, where locks may not hold", mend)
    if kind in IN_MEMORY:
        mend = "Use a disk: KAKAOCRON_DATA_DIR in the .env beside config.toml"
        return warn("file-system", f"the ledger is on {kind} and is lost at a restart", mend)
    return ok("file-system", kind or "of a kind that cannot be told")


def _room(machine: Machine, data: str) -> Finding:
    free, inodes = machine.free(data)
    what = f"{free >> 20} MiB free"
    mend = "Make room: without it nothing is sent. Old days go by: kakaocron ledger prune --days 30"
    if free < NO_ROOM_BYTES:
        return fail("room", what, mend)
    if free < LITTLE_ROOM_BYTES or inodes < LITTLE_INODES:
        return warn("room", f"{what}, {inodes} files", mend)
    return ok("room", what)
