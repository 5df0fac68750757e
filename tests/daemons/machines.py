"""Small Debians, each with a cron daemon of its own at work, in namespaces of their own.

Root and debootstrap make the roots, once: they stay in `CACHE`. A machine shares this one's
network, so that its jobs reach a sandbox on 127.0.0.1; its home is a folder of the test's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CACHE = Path(tempfile.gettempdir()) / "kakaocron-daemons"
USER, HOME = "k", "/home/k"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BASE = "python3,python3-venv,ca-certificates"
SYSTEMD = "exec /lib/systemd/systemd --log-target=console"
LONGEST_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Kind:
    """A cron daemon: where it is packaged, and how it is started."""

    name: str
    suite: str
    packages: tuple[str, ...]
    start: str
    process: str  # as doctor calls it, "" for none
    once: str = "true"  # what is done to the root when it is made
    crontab: tuple[str, ...] = ("crontab",)

    @property
    def is_systemd(self) -> bool:
        return self.start == SYSTEMD


KINDS = (
    Kind("cron", "bookworm", ("cron",), "exec cron -f", "cron"),
    Kind("cronie", "trixie", ("cronie",), "exec crond -n", "crond"),
    Kind(
        "bcron",
        "bookworm",
        ("bcron",),
        "mkdir -p /var/spool/cron/tmp && chown cron /var/spool/cron/tmp"
        " && chmod 700 /var/spool/cron/tmp"
        " && unixserver -u $(id -u cron) -g $(id -g cron) /run/bcron-spool bcron-spool &"
        " bcron-start & wait",
        "bcron-sched",
    ),
    Kind(
        "busybox",
        "bookworm",
        ("busybox-static",),
        "exec busybox crond -f -c /var/spool/cron/crontabs",
        "crond",
        once="chmod u+s /bin/busybox && ln -sf /bin/busybox /usr/bin/crontab"
        " && mkdir -p /var/spool/cron/crontabs",
    ),
    Kind("systemd-cron", "bookworm", ("systemd-cron", "systemd", "dbus"), SYSTEMD, "systemd-cron"),
    Kind("systemd-cron-2", "trixie", ("systemd-cron", "systemd", "dbus"), SYSTEMD, "systemd-cron"),
    Kind("anacron", "bookworm", ("anacron", "cron"), "exec anacron -d -s", ""),
)

# The mounts are in a namespace of their own: none outlives its machine.
ALONE = ("unshare", "--mount", "--propagation", "private")
MOUNTED = """
mount --bind "$0" "$0"
mount -t proc proc "$0/proc"
mount -t tmpfs -o mode=755 tmpfs "$0/dev"
mkdir "$0/dev/pts" "$0/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$0/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$0/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$0/tmp"
for name in null zero full random urandom tty; do
    touch "$0/dev/$name"
    mount --bind "/dev/$name" "$0/dev/$name"
done
ln -s /proc/self/fd "$0/dev/fd"
"""
INSTALLING = "set -e\n" + MOUNTED + 'exec chroot "$0" "$@"'
# A cgroup of its own, so that systemd finds version 2 alone, and no other machine in it.
RUNNING = (
    'set -e\nmount -t cgroup2 cgroup2 "$2" && mkdir "$2/$3" && echo $$ >"$2/$3/cgroup.procs"\n'
    "exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup /bin/sh -c '\n"
    + "set -e\n"
    + MOUNTED
    + """
mount --bind "$1" "$0/home/k"
mount -t tmpfs -o mode=755 tmpfs "$0/run"
mount -t sysfs -o ro sysfs "$0/sys"
mount -t cgroup2 cgroup2 "$0/sys/fs/cgroup"
exec env -i container=test PATH="$PATH" LANG=C.UTF-8 chroot "$0" /bin/sh -c "$4"
' "$0" "$@"
"""
)


def _why_not() -> str | None:
    if os.geteuid() != 0:
        return "roots and namespaces of its own need root"
    missing = [name for name in ("debootstrap", "unshare", "nsenter") if not shutil.which(name)]
    return f"not here: {', '.join(missing)}" if missing else None


def make_root(kind: Kind) -> Path:
    """Return the root of a kind, made if it is not there. Skips the test where that fails."""
    CACHE.mkdir(exist_ok=True)
    root = CACHE / kind.name
    with (CACHE / f".{kind.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            unfinished = CACHE / f"{kind.name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            run_here("cp", "--archive", str(_base(kind.suite)), str(unfinished))
            for path in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"):
                shutil.copy(path, f"{unfinished}{path}")
            policy = unfinished / "usr/sbin/policy-rc.d"
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
            install = f"apt-get install -qy --no-install-recommends {' '.join(kind.packages)}"
            user = f"useradd --create-home --shell /bin/bash {USER}"
            script = f"set -e; apt-get update -q; {install}; {user}; {kind.once}"
            run_here(*ALONE, "/bin/sh", "-c", INSTALLING, str(unfinished), "/bin/sh", "-c", script)
            unfinished.rename(root)
    return root


def _base(suite: str) -> Path:
    base = CACHE / suite
    with (CACHE / f".{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not base.is_dir():
            unfinished = CACHE / f"{suite}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            options = ("--variant=minbase", f"--include={BASE}")
            run_here(*ALONE, "debootstrap", *options, suite, str(unfinished))
            unfinished.rename(base)
    return base


def run_here(*command: str) -> str:
    """Run a command on this machine, with no variable of the tests'. Skips the test if it fails."""
    environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": PATH}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"'{command[0]} …' does not work here: {done.stdout[-500:]}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Machine:
    """One that runs. `home` is the user's, as seen from here; `leader` the first process in it."""

    root: Path
    home: Path
    leader: int

    def run(
        self, *command: str, user: str = USER, stdin: bytes = b"", bound: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command in it; `bound` under no_new_privs."""
        words = ["nsenter", f"--target={self.leader}", "--all", "chroot", str(self.root)]
        words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        words += ["--no-new-privs"] if bound else []
        home = HOME if user == USER else "/root"
        variables = {"PATH": "/usr/bin:/bin", "HOME": home, "USER": user, "LOGNAME": user}
        settings = [f"{name}={value}" for name, value in {**variables, "LANG": "C.UTF-8"}.items()]
        return subprocess.run(
            [*words, "env", "-i", "-C", home, *settings, *command],
            input=stdin,
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )

    def said(self, *command: str, user: str = USER) -> str:
        """Run a command that has to go well; return what it prints."""
        done = self.run(*command, user=user)
        assert done.returncode == 0, (command, done)
        return done.stdout.decode()

    def version(self, package: str) -> str:
        return self.said("dpkg-query", "-W", "-f=${Version}", package)


@contextlib.contextmanager
def running(kind: Kind, folder: Path) -> Iterator[Machine]:
    """Start the daemon of a kind in its root, with nobody's crontab and an empty home. Skips the
    test where that cannot be."""
    if reason := _why_not():
        pytest.skip(reason)
    root = make_root(kind)
    home, log, control = folder / USER, folder / "log", folder / "cgroup"
    folder.chmod(0o755)  # the user has to pass
    home.mkdir()
    control.mkdir()
    (root / "var/spool/cron/crontabs" / USER).unlink(missing_ok=True)
    uid = int(run_here("chroot", str(root), "id", "-u", USER))
    os.chown(home, uid, uid)
    cgroup = f"kakaocron-{os.getpid()}-{kind.name}"
    words = [*ALONE, "/bin/sh", "-c", RUNNING, str(root), str(home), str(control), cgroup]
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", *words, kind.start],
            env={"PATH": PATH},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        machine = Machine(root, home, _leader(process, log))
        if kind.is_systemd:
            _await_systemd(machine, log)
        yield machine
    finally:
        process.send_signal(signal.SIGKILL)  # what it has started dies with its first process
        process.wait()
        clear = 'mount -t cgroup2 cgroup2 "$0" && find "$0/$1" -depth -type d -exec rmdir {} +'
        gone = [*ALONE, "/bin/sh", "-c", clear, str(control), cgroup]
        subprocess.run(gone, capture_output=True, check=False)


def _leader(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the first process of the machine once it has left this machine's root."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for pid in map(int, children.read_text().split()):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/root") != "/":  # noqa: PTH115
                    return pid
        time.sleep(0.1)
    pytest.fail(f"the machine did not start: {log.read_text(errors='replace')[-2000:]}")


def _await_systemd(machine: Machine, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = machine.run("systemctl", "is-active", "cron.target", user="root").stdout
        if state.strip() == b"active":
            return
        time.sleep(0.5)
    pytest.fail(f"systemd did not come up: {log.read_text(errors='replace')[-2000:]}")
