"""Debian roots of the tests' own, and machines: a real systemd, booted as PID 1 in one.

Root and Debian's debootstrap make the roots, systemd-nspawn (package systemd-container) boots them.
A machine shares this one's network, so it reaches a sandbox on 127.0.0.1; its processes, mounts and
cgroups are its own, and end with it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST_SECONDS = 600  # of one command, apt-get's among them

# Every mount is made in a namespace of its own: none outlives its command, or is ever seen outside.
ALONE = ("unshare", "--mount", "--propagation", "private")
MOUNTED = 'mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'
# cgroup v2 alone, as on a new system, and a part of it for this machine, so that two do not meet.
# nspawn hands SIGTERM on as an orderly shutdown, and comes when the test is killed, too.
BOOT = """
mount -t cgroup2 cgroup2 /sys/fs/cgroup && mkdir "/sys/fs/cgroup/$0" &&
echo $$ >"/sys/fs/cgroup/$0/cgroup.procs" &&
exec systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe --resolv-conf=off \
    --timezone=off --link-journal=no --machine="$0" --directory="$1"
"""
CLEAR = """
mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
find "/sys/fs/cgroup/$0" -depth -type d -exec rmdir {} +
"""


def need(*programs: str, packages: str = "debootstrap util-linux systemd-container") -> None:
    """Skip the test where it is not root's, or a program of these packages is missing."""
    if os.getuid() != 0:
        pytest.skip("a Debian root of its own can be made by root only")
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no '{program}' here: apt-get install {packages}")


def inside(root: Path, *command: str, options: Sequence[str] = ()) -> list[str]:
    """Return a command line that runs a command in a root of its own."""
    return [*ALONE, *options, "/bin/sh", "-c", MOUNTED, str(root), *command]


def make_root(root: Path, suite: str = "bookworm", packages: str = "") -> Path:
    """Make a Debian with Python in an empty folder; skip the test where that does not work.

    `packages` are more of Debian's, parted by commas.
    """
    need("debootstrap", "chroot", "unshare", "mount")
    wanted = ",".join(filter(None, ("python3,python3-venv,ca-certificates", packages)))
    command = ["debootstrap", "--variant=minbase", f"--include={wanted}", suite, str(root)]
    made = subprocess.run([*ALONE, *command], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"debootstrap does not work here: {made.stdout[-300:]}")
    if subprocess.run(inside(root, "true"), capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    root.chmod(0o755)  # plain users have to pass
    for path in ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf"):
        with contextlib.suppress(OSError):
            shutil.copy(path, str(root) + path)
    certificates = "/etc/ssl/certs/ca-certificates.crt"
    shutil.copy(certificates, str(root) + certificates)
    return root


def copy_root(original: Path, root: Path) -> Path:
    """Copy a root, so that a test may change it."""
    subprocess.run(["cp", "--archive", "--reflink=auto", original, root], check=True)
    return root


def run_inside(root: Path, *command: str) -> str:
    """Run a command in a root that is not booted; what it leaves running ends. Return stdout."""
    options = ("--fork", "--pid", "--kill-child")
    environment = {"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
    return _output(inside(root, *command, options=options), environment)


def add_packages(root: Path, *packages: str) -> None:
    """Install packages of Debian's; no service starts."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    run_inside(root, "apt-get", "update", "-q")
    run_inside(root, "apt-get", "install", "-qy", "--no-install-recommends", *packages)
    run_inside(root, "apt-get", "clean")
    policy.unlink()


def add_kakaocron(root: Path, extras: str = "") -> None:
    """Install this tree into /opt/kakaocron, as the Dockerfile does; extras: "[web,alerts]"."""
    source = root / "src"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "kakaocron", source / "kakaocron", ignore=ignore)
    run_inside(root, "python3", "-m", "venv", "/opt/kakaocron")
    run_inside(root, "/opt/kakaocron/bin/pip", "install", "-q", f"/src{extras}")
    shutil.rmtree(source)


@dataclass(frozen=True, slots=True)
class Machine:
    """A booted Debian. `root` is its root folder, as seen from here; `leader` its PID 1."""

    root: Path
    leader: int

    def linger(self, user: str) -> None:
        """Start a user's service manager and let it stay without a session of his."""
        self.run("loginctl", "enable-linger", user)
        uid = self.run("id", "-u", user).strip()
        self.run("systemctl", "start", f"user@{uid}.service")

    def run(self, *command: str, user: str | None = None, check: bool = True) -> str:
        """Run a command as root or as a user with a service manager of his own; return stdout."""
        words = ["nsenter", f"--target={self.leader}", "--all", "--wd=/"]
        environment = {"PATH": PATH, "LANG": "C.UTF-8"}
        if user:
            uid = _output(["chroot", str(self.root), "id", "-u", user], {"PATH": PATH}).strip()
            words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
            environment |= {"HOME": f"/home/{user}", "USER": user, "LOGNAME": user}
            environment |= {"XDG_RUNTIME_DIR": f"/run/user/{uid}"}
        return _output([*words, *command], environment, check=check)


@contextlib.contextmanager
def booted(root: Path) -> Iterator[Machine]:
    """Boot the systemd in a root that has it (packages: see `SYSTEMD`); shut it down afterwards."""
    need("systemd-nspawn", "nsenter", "unshare", "mount")
    name = f"kc-{uuid.uuid4().hex[:8]}"
    log = root.with_name(f"{root.name}.console")
    with log.open("wb") as console:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", *ALONE, "/bin/sh", "-c", BOOT, name, str(root)],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Machine(root, _leader(process, log))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()  # PID 1 dies with it, and all others with that
            process.wait()
        subprocess.run([*ALONE, "/bin/sh", "-c", CLEAR, name], capture_output=True, check=False)


SYSTEMD = "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd"


def _leader(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the machine's PID 1 once all its units have started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for pid in map(int, children.read_text().split()):
            asked = ["nsenter", f"--target={pid}", "--all", "--wd=/"]
            asked += ["systemctl", "is-system-running", "--wait"]
            said = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
            if said.stdout.strip() == "running":
                return pid
        time.sleep(0.1)
    pytest.fail(f"systemd did not come up: {log.read_text(errors='replace')[-2000:]}")


def _output(command: Sequence[str], environment: dict[str, str], *, check: bool = True) -> str:
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
