"""Runs one command and leaves nothing running of what it has started, in whatever session that is.

A program of its own, not a part of kakaocron's process: Linux hands orphans to the nearest ancestor
that has asked for them (prctl(2), PR_SET_CHILD_SUBREAPER), and here all of them are the command's.

    python -I -S supervisor.py STATUS_FD COMMAND [ARGUMENT …]

Writes one line to STATUS_FD: `exit CODE` once the command itself has ended (CODE negative for a
signal), or `error ERRNO` if it cannot be run. As soon as stdin ends, because whoever started it has
what they want or is dead, it kills all that is left, and ends.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress

PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
# What still runs then cannot be killed: another user's (sudo), or stuck in the kernel.
KILL_SECONDS = 2.0
# Python ignores two of these, and we ignore the others: only the end of stdin ends us.
RESTORED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(status: int, argv: list[str]) -> None:
    adopt_orphans()
    os.set_inheritable(status, False)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    command = start(argv, status)
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    silence(1, 2)
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if 0 in ready:
            break
        os.read(woken, 4096)
        for pid, code in reaped():
            if pid == command:
                with suppress(OSError):
                    os.write(status, b"exit %d\n" % code)
    kill_all(command)


def adopt_orphans() -> None:
    with suppress(OSError, AttributeError):  # not on Linux: the command's group alone is killed
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def start(argv: list[str], status: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for name in RESTORED:
            signal.signal(name, signal.SIG_DFL)
        silence(0)
        os.unsetenv("LC_CTYPE")  # Python's own, where LANG is C (PEP 538)
        os.execvp(argv[0], argv)  # noqa: S606 - the user's configuration names it
    except OSError as error:
        os.write(status, b"error %d\n" % (error.errno or 0))
    finally:
        os._exit(127)


def silence(*fds: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in fds:
        os.dup2(null, fd)
    os.close(null)


def reaped() -> list[tuple[int, int]]:
    """Return the children that have ended, each with its exit code."""
    found = []
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found.append((ended[0], os.waitstatus_to_exitcode(ended[1])))
    return found


def kill_all(command: int) -> None:
    deadline = time.monotonic() + KILL_SECONDS
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(command, signal.SIGKILL)
    while time.monotonic() < deadline:
        for pid in descendants():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        reaped()
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        time.sleep(0.002)


def descendants() -> set[int]:
    """Return all processes below this one; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    with suppress(OSError):
        for name in os.listdir("/proc"):  # noqa: PTH208
            if name.isdigit():
                children.setdefault(parent_of(int(name)), []).append(int(name))
    found: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        below = set(children.get(waiting.pop(), ())) - found
        found |= below
        waiting += below
    return found


def parent_of(pid: int) -> int:
    """Return a process's parent, 0 if it has ended meanwhile."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            # The name in brackets may hold anything.
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
    os._exit(0)
