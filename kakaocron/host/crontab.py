"""The user's crontab: a block of our own in it, and not one other byte changed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kakaocron.errors import KakaocronError, UsageError
from kakaocron.system.disk import make_folders, replace_file
from kakaocron.system.places import (
    Places,
    settings_in_shell,
)
from kakaocron.system.syscalls import RealDisk

BEGIN = b"# kakaocron begin: "
END = b"# kakaocron end"
# Where the line above had no newline, cron would have ignored it; the note lets us restore that.
ADDED = b" (newline added above)"
# Debian's cron refuses longer commands.
LONGEST_LINE_BYTES = 990
TIMEOUT_SECONDS = 20
# How cron, cronie and systemd-cron, busybox, and bcron say so; they share neither text nor code.
NO_CRONTAB = ("no crontab for", "can't open '[^/']+': No such file", "Crontab does not exist")


class CrontabError(KakaocronError):
    """The crontab cannot be read or written; nothing was changed unless the text says so."""


class Crontab(Protocol):
    def read(self) -> bytes | None:
        """Return the user's crontab, None if there is none. Raises CrontabError."""
        ...

    def write(self, content: bytes) -> None:
        """Put a whole new crontab in place of the old. Raises CrontabError."""
        ...

    def remove(self) -> None:
        """Remove the crontab. Raises CrontabError."""
        ...


@dataclass(frozen=True, slots=True)
class SystemCrontab:
    """The `crontab` program."""

    program: str = "crontab"

    def read(self) -> bytes | None:
        done = self._run("-l")
        if done.returncode == 0:
            _check_faithful(done.stdout)
            return done.stdout
        said = done.stderr.decode("utf-8", "replace").strip()
        if not done.stdout and any(re.search(none, said) for none in NO_CRONTAB):
            return None
        raise CrontabError(f"'crontab -l' failed ({said or done.returncode}); nothing was changed")

    def write(self, content: bytes) -> None:
        self._change("-", stdin=content)

    def remove(self) -> None:
        self._change("-r")

    def _change(self, argument: str, stdin: bytes = b"") -> None:
        done = self._run(argument, stdin)
        if done.returncode != 0:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())
            raise CrontabError(f"'crontab {argument}' failed ({said or done.returncode})")

    def _run(self, argument: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603 - a fixed program with fixed arguments
                [self.program, argument],
                input=stdin,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except FileNotFoundError:
            raise CrontabError(
                "There is no 'crontab' program here; nothing was changed",
                "Install cron (apt-get install cron), or use systemd: "
                "kakaocron cron install --systemd",
            ) from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CrontabError(f"'crontab {argument}' did not work ({error})") from None


def _check_faithful(listed: bytes) -> None:
    """Refuse a listing that cannot be written back: Debian's shows a carriage return as two
    characters, a backslash and an r."""
    for number, line in enumerate(listed.split(b"\n"), 1):
        if line.endswith(rb"\r"):
            raise CrontabError(
                f"Line {number} of the crontab ends as Windows lines do, which 'crontab -l' does "
                "not give back as it is; nothing was changed",
                "Fix the line ends (crontab -e), or add kakaocron's line yourself: "
                "kakaocron cron show",
            )


@dataclass(frozen=True, slots=True)
class Job:
    """What cron is to run every minute: this program with this configuration."""

    program: tuple[str, ...]
    config: Path
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.program, "tick", "--config", str(self.config))

    @property
    def command(self) -> str:
        """Return the command for /bin/sh."""
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.variables]
        return " ".join([*settings, *(shlex.quote(word) for word in self.words)])

    @property
    def line(self) -> bytes:
        """Return the crontab line. An unescaped % would end the command there."""
        if any(c in self.command for c in "\n\r\0"):
            raise UsageError(f"cron cannot run a command with a line break in it: {self.command!r}")
        line = b"* * * * * " + os.fsencode(self.command.replace("%", r"\%"))
        if len(line) > LONGEST_LINE_BYTES:
            raise UsageError(
                f"The crontab line would have {len(line)} bytes, and cron takes "
                f"{LONGEST_LINE_BYTES}",
                "Move kakaocron or its config.toml to a shorter path",
            )
        return line

    @property
    def mark(self) -> bytes:
        return BEGIN + os.fsencode(str(self.config))


def with_block(content: bytes, job: Job) -> bytes:
    """Return the crontab with this job's block, in place of an older one of the same
    configuration. Raises CrontabError if that one is damaged."""
    block = b"\n".join([job.mark, job.line, END, b""])
    found = _find(content, job)
    if found:
        start, end, is_added = found
        if is_added:
            block = block.replace(job.mark, job.mark + ADDED, 1)
        return content[:start] + block + content[end:]
    if content and not content.endswith(b"\n"):
        block = block.replace(job.mark, job.mark + ADDED, 1)
        return content + b"\n" + block
    return content + block


def without_block(content: bytes, job: Job) -> bytes:
    """Return the crontab as it was before the block came, and whatever was changed since."""
    found = _find(content, job)
    if not found:
        return content
    start, end, is_added = found
    before, after = content[:start], content[end:]
    if is_added and not after:
        before = before.removesuffix(b"\n")
    return before + after


def _find(content: bytes, job: Job) -> tuple[int, int, bool] | None:
    """Return where the block begins and ends, and whether it brought a newline with it."""
    offset, start, is_added = 0, None, False
    for line in content.split(b"\n"):
        if start is None and line in {job.mark, job.mark + ADDED}:
            start, is_added = offset, line.endswith(ADDED)
        elif start is not None and line.startswith(BEGIN):
            break
        elif start is not None and line == END:
            return start, min(offset + len(line) + 1, len(content)), is_added
        offset += len(line) + 1
    if start is None:
        return None
    raise CrontabError(
        f"The crontab has a line '{os.fsdecode(job.mark)}' and no '{END.decode()}' after it; "
        "nothing was changed",
        "Fix it by hand: crontab -e",
    )


def other_lines(content: bytes, job: Job) -> list[str]:
    """Return the lines outside our block that run a tick too: a user's own, or another's."""
    rest = without_block(content, job)
    lines = [line.decode("utf-8", "replace").strip() for line in rest.split(b"\n")]
    return [
        line
        for line in lines
        if not line.startswith("#") and "kakaocron" in line and "tick" in line
    ]


def install(crontab: Crontab, job: Job, backup: Path) -> bool:
    """Put the block into the crontab, the old one into `backup`; say whether anything changed."""
    return _change(crontab, lambda old: with_block(old, job), backup)


def uninstall(crontab: Crontab, job: Job, backup: Path) -> bool:
    """Take the block out again; say whether there was one."""
    return _change(crontab, lambda old: without_block(old, job), backup)


def _change(crontab: Crontab, change: Callable[[bytes], bytes], backup: Path) -> bool:
    found = crontab.read()
    old = found or b""
    new = change(old)
    if new == old:
        return False
    _keep(old, backup)
    if crontab.read() != found:
        raise CrontabError("The crontab changed meanwhile; nothing was written", "Try again")
    if new:
        crontab.write(new)
    else:
        crontab.remove()
    if (crontab.read() or b"") != new:
        raise CrontabError(
            "'crontab -l' lists something else than what was written",
            f"The crontab as it was is in '{backup}'; look at it, and put it back: "
            f"crontab {shlex.quote(str(backup))}",
        )
    return True


def _keep(content: bytes, backup: Path) -> None:
    try:
        make_folders(RealDisk(), str(backup.parent))
        replace_file(RealDisk(), str(backup), content)
    except OSError as error:
        raise CrontabError(
            f"No backup can be written to '{backup}' ({error.strerror}); the crontab is unchanged"
        ) from None


def job_of(places: Places) -> Job:
    """Return what cron is to run: this very installation, by its absolute path."""
    beside = Path(sys.executable).with_name("kakaocron")
    found = str(beside) if beside.exists() else shutil.which("kakaocron")
    program = (os.path.abspath(found),) if found else (sys.executable, "-m", "kakaocron")  # noqa: PTH100
    return Job(program, places.config, settings_in_shell(places))
