"""Files and folders."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from kakaocron.doctor.finding import OTHERS, Bench, Finding, fail, ok, warn
from kakaocron.host.probe import Machine
from kakaocron.kst import DAY
from kakaocron.language.words import _
from kakaocron.system.access import NO_ROOM_BYTES, ROOM_MEND

LITTLE_ROOM_BYTES = 100 << 20
LITTLE_INODES = 1000
MOST_NAMED = 3

ON_THE_NETWORK = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "glusterfs", "gfs2",
        "ocfs2", "beegfs", "orangefs", "pvfs2", "coda", "ncpfs", "davfs", "drvfs", "fuse.sshfs",
        "fuse.rclone", "fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.s3fs", "fuse.davfs2",
        "fuse.gcsfuse", "fuse.juicefs", "fuse.curlftpfs", "fuse.nfs",
    }
)  # fmt: skip
# Folders of a virtual machine's host, and of Docker's on a Mac: the locks stay on this side.
OF_THE_HOST = frozenset({"virtiofs", "vboxsf", "prl_fs", "hgfs", "fakeowner", "vmhgfs"})
LAYERED = frozenset({"overlay", "overlayfs", "aufs", "fuse.fuse-overlayfs", "fuse.unionfs"})
IN_MEMORY = frozenset({"tmpfs", "ramfs"})

# Files


def files(bench: Bench) -> Iterator[Finding]:
    places, machine = bench.places, bench.machine
    data, log = str(places.data), str(places.log)
    for name, folder, variable in (
        ("data-folder", data, "KAKAOCRON_DATA_DIR"),
        ("log-folder", log, "KAKAOCRON_LOG_DIR"),
    ):
        if machine.may_write(folder):
            yield ok(name, _("'{folder}' can be written").format(folder=folder))
        elif machine.is_read_only(folder):
            there = machine.existing(folder)
            what = _(
                "'{folder}' cannot be written: '{there}' is on a file system that is read-only"
            ).format(folder=folder, there=there)
            mend = _(
                "See why: findmnt -T {path}, dmesg; a disk with errors is made read-only. If it "
                "is meant to be so, set {variable} to a folder elsewhere"
            ).format(path=shlex.quote(there), variable=variable)
            yield fail(name, what, mend)
        else:
            found = machine.barrier(folder)
            yield fail(name, found.what, found.mend)
    yield _written(bench)
    mode = machine.mode(data)
    if mode is not None and mode & OTHERS:
        mend = _("Make it private: chmod 700 {path}").format(path=shlex.quote(data))
        yield warn("data-mode", _("'{data}' is open to others").format(data=data), mend)
    else:
        yield ok("data-mode", _("'{data}' is private").format(data=data))
    yield _owner(bench)
    yield _file_system(machine, data)
    yield _room(machine, (data, log))
    logins = bench.installation.logins.values() if bench.installation else ()
    tokens = [login.path for login in logins] or [places.tokens]
    held = [
        p for p in (f"{path}.lock" for path in (places.ledger, *tokens)) if machine.is_locked(p)
    ]
    if held:
        mend = _("If it stays so, see who holds it: fuser -v {path}").format(
            path=shlex.quote(held[0])
        )
        yield warn("locks", _("another process holds '{held}' now").format(held=held[0]), mend)
    else:
        yield ok("locks", _("free"))


def _written(bench: Bench) -> Finding:
    """Look at what a tick writes to. The files of days that are over are left alone, and what is
    replaced, as tokens.json, needs its folder only."""
    places, name = bench.places, "writable"
    today = bench.now.date()
    days = [f"{today - n * DAY}" for n in (1, 0)]
    wanted = [*_own_paths(bench), places.ledger, places.heartbeat]
    wanted += [f"{places.ledger}.lock", *(f"{places.ledger}/{day}.jsonl" for day in days)]
    others = {str(places.config), str(places.env_file), str(places.data), str(places.log)}
    wanted = [path for path in wanted if path not in others and not _is_left_alone(path, days)]
    found = bench.machine.barriers(wanted)
    if found:
        more = _(" (and {count} more)").format(count=len(found) - 1) if len(found) > 1 else ""
        return fail(name, f"{found[0].what}{more}", found[0].mend)
    return ok(name, _("what a tick writes to can be written"))


_LEFT_ALONE = re.compile(
    r"/(\d{4}-\d\d-\d\d)[^/]*$|/damaged/|\.json$|/idle$|/crontab-[^/]*$|\.log\.\d$"
)


def _is_left_alone(path: str, days: Sequence[str]) -> bool:
    found = _LEFT_ALONE.search(path)
    return found is not None and found[1] not in days


def _owner(bench: Bench) -> Finding:
    """Look at each file of ours: one run as root is enough to leave some that are not."""
    foreign = bench.machine.not_mine(_own_paths(bench))
    if not foreign:
        return ok("owner", _("all files are this user's"))
    named = ", ".join(
        _("'{path}' is {owner}'s").format(path=path, owner=owner)
        for path, owner in foreign[:MOST_NAMED]
    )
    more = (
        _(", and {count} more").format(count=len(foreign) - MOST_NAMED)
        if len(foreign) > MOST_NAMED
        else ""
    )
    tops = _topmost([path for path, _ in foreign])
    mend = _(
        "Run kakaocron as one user only; to take the files: sudo chown -R $(id -un) {paths}"
    ).format(paths=" ".join(map(shlex.quote, tops[:MOST_NAMED])))
    return fail("owner", _("not this user's: {named}{more}").format(named=named, more=more), mend)


def _own_paths(bench: Bench) -> list[str]:
    """Return what is kakaocron's own; its folders may hold other things too."""
    places, machine = bench.places, bench.machine
    own = (
        (
            str(places.data),
            (
                "ledger",
                "owner.",
                "tokens",
                "pauses.",
                "timetables.",
                "incidents.",
                "alarms.",
                "crontab-",
            ),
        ),
        (str(places.log), ("ticks", "idle", "kakaocron.log")),
    )
    found = [str(places.config), str(places.env_file)]
    found += [str(places.data), str(places.log)]
    for folder, starts in own:
        begins = tuple(f"{folder}/{start}" for start in starts)
        for path in machine.listed(folder):
            if path.startswith(begins):
                found += [path, *machine.below(path)]
    return found


def _topmost(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if not any(path.startswith(f"{other}/") for other in paths)]


def _file_system(machine: Machine, data: str) -> Finding:
    kind, name = machine.file_system(data), "file-system"
    mend = _("Use a local disk: KAKAOCRON_DATA_DIR in the .env beside config.toml")
    if kind in ON_THE_NETWORK:
        return fail(
            name, _("the ledger is on {kind}, where locks may not hold").format(kind=kind), mend
        )
    if kind in IN_MEMORY:
        mend = _("Use a disk: KAKAOCRON_DATA_DIR in the .env beside config.toml")
        return warn(
            name, _("the ledger is on {kind} and is lost at a restart").format(kind=kind), mend
        )
    if kind in LAYERED:
        what = _(
            "the ledger is on {kind}: another mount of the same folder (a second container, "
            "the host) shares no lock with this one, and a new container begins without it"
        ).format(kind=kind)
        return warn(
            name, what, _("Put the data folder on a volume or a bind mount of a local disk")
        )
    if kind in OF_THE_HOST or kind == "fuse" or kind.startswith("fuse."):
        what = _(
            "the ledger is on {kind}: another mount of the same folder shares no lock with "
            "this one, and two kakaocrons could send twice"
        ).format(kind=kind)
        return warn(name, what, mend)
    return ok(name, kind or _("of a kind that cannot be told"))


def _room(machine: Machine, folders: Sequence[str]) -> Finding:
    """Judge the fullest disk of those on which some folders are."""
    (free, inodes), folder = min((machine.free(folder), folder) for folder in folders)
    what = _("{free} MiB free for '{folder}'").format(free=free >> 20, folder=folder)
    if free < NO_ROOM_BYTES:
        return fail("room", what, ROOM_MEND)
    if free < LITTLE_ROOM_BYTES or inodes < LITTLE_INODES:
        return warn("room", _("{what}, {inodes} files").format(what=what, inodes=inodes), ROOM_MEND)
    return ok("room", what)
