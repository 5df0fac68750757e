"""What the cron daemons do differently, as measured: docs/cron.md has the table. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.language.words import marked

LONG_BUSYBOX = marked(
    "busybox: one tick at a time; of NAME=value lines SHELL= alone holds; "
    "a line that it cannot read runs every minute; a crontab whose file is not root's is ignored"
)
LONG_BCRON = marked("bcron: a change of the crontab counts from the second minute on")


class Daemon(Struct, frozen=True):
    """How a daemon reads a crontab and runs its lines, where it is not as Debian's cron does."""

    # What root does to make it read every crontab again.
    wake: str
    # It takes % for a line's end and \% for a %. The others leave both to the shell.
    reads_percent: bool = True
    # Of NAME=value lines it takes these names for what they are; None: all.
    settings: frozenset[str] | None = None
    # The login shell of its own user, root, runs the commands, unless SHELL= says otherwise.
    by_roots_shell: bool = False
    # It has no process, and makes a timer of systemd's from each line.
    makes_timers: bool = False
    says: str = ""


CRON = Daemon(
    marked(
        "as root restart cron, which then reads every crontab: systemctl restart cron, or: "
        "service cron restart"
    )
)
CRONIE = Daemon(
    marked(
        "as root restart cron, which then reads every crontab: systemctl restart cronie, or: "
        "service cronie restart"
    )
)
BCRON = Daemon(
    marked(
        "as root restart cron, which then reads every crontab: systemctl restart bcron, or: "
        "service bcron restart"
    ),
    reads_percent=False,
    says=LONG_BCRON,
)
BUSYBOX = Daemon(
    marked("as root end 'busybox crond' and start it again"),
    reads_percent=False,
    settings=frozenset({"SHELL"}),
    by_roots_shell=True,
    says=LONG_BUSYBOX,
)
SYSTEMD_CRON_1 = Daemon(
    marked("as root let systemd read every crontab again: systemctl start cron-update.service"),
    reads_percent=False,
    makes_timers=True,
)
SYSTEMD_CRON_2 = replace(SYSTEMD_CRON_1, reads_percent=True)
# By the name of the process, or of what has none.
DAEMONS = {
    "cron": CRON,
    "crond": CRONIE,
    "bcron-sched": BCRON,
    "busybox-crond": BUSYBOX,
    "systemd-cron": SYSTEMD_CRON_1,
    "systemd-cron-2": SYSTEMD_CRON_2,
}


def daemon_of(processes: Sequence[str], crontab_program: str) -> Daemon:
    """Return what is known of the daemon that runs; Debian's cron where nothing is.

    `crontab_program` is the file that `crontab` leads to: a process `crond` is cronie's, or
    busybox's by a link of that name.
    """
    if crontab_program.rpartition("/")[2] == "busybox" and (not processes or "crond" in processes):
        return BUSYBOX
    return next((DAEMONS[name] for name in processes if name in DAEMONS), CRON)
