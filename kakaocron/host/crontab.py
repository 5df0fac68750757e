"""The user's crontab: a block of our own in it, and not one other byte changed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from msgspec import Struct

import kakaocron
from kakaocron.errors import KakaocronError, UsageError
from kakaocron.language.words import _
from kakaocron.system.disk import make_folders, replace_file
from kakaocron.system.places import (
    Places,
    settings_in_shell,
)
from kakaocron.system.programs import run_briefly
from kakaocron.system.syscalls import RealDisk, read_up_to

BEGIN = b"# kakaocron begin: "
END = b"# kakaocron end"
# Where the line above had no newline, cron would have ignored it; the note lets us restore that.
ADDED = b" (newline added above)"
EACH_MINUTE = b"* * * * * "
# Debian's cron refuses longer commands.
LONGEST_LINE_BYTES = 990
TIMEOUT_SECONDS = 20
# How cron, cronie and systemd-cron, busybox, and bcron say so; they share neither text nor code.
NO_CRONTAB = ("no crontab for", "can't open '[^/']+': No such file", "Crontab does not exist")
# How bcron says that it takes a file alone.
WRONG_USAGE = re.compile("usage|argument", re.IGNORECASE)
# How cron, cronie, busybox, and systemd-cron say that they lack the rights of their group or root.
DENIED = re.compile("ermission denied|not allowed|must be suid|annot open")
STATUS_BYTES = 10_000


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


class SystemCrontab(Struct, frozen=True):
    """The `crontab` program."""

    program: str = "crontab"

    def read(self) -> bytes | None:
        done = self._run("-l")
        said = _words(done.stderr)
        is_none = not done.stdout and any(re.search(none, said) for none in NO_CRONTAB)
        if is_none:
            return None
        # One that lists nothing and complains may have lines that would be lost.
        if done.returncode == 0 and (done.stdout or not said):
            _check_faithful(done.stdout)
            return done.stdout
        raise self._refused("-l", said, done.returncode)

    def write(self, content: bytes) -> None:
        """Put a whole new crontab in place of the old. bcron takes a file alone; for systemd-cron,
        which drops a file's carriage returns, a file is not the first choice."""
        done = self._run("-", content)
        if done.returncode != 0 and WRONG_USAGE.search(_words(done.stderr)):
            self._write_file(content)
        elif done.returncode != 0:
            raise self._refused("-", _words(done.stderr), done.returncode)

    def _write_file(self, content: bytes) -> None:
        try:
            with NamedTemporaryFile(prefix="kakaocron-crontab-") as file:  # 0600
                file.write(content)
                file.flush()
                done = self._run(file.name)
        except OSError as error:
            raise CrontabError(
                _("No file for crontab can be written ({error})").format(error=error)
            ) from None
        if done.returncode != 0:
            said = _words(done.stderr).replace(file.name, "FILE")
            raise self._refused("FILE", said, done.returncode)

    def remove(self) -> None:
        done = self._run("-r")
        if done.returncode != 0:
            raise self._refused("-r", _words(done.stderr), done.returncode)

    def _refused(self, argument: str, said: str, code: int) -> CrontabError:
        if may_gain_nothing():
            mend = _(
                "This shell may gain no rights (no_new_privs: a container's or a service's "
                "setting), and crontab needs its owner's or group's: run it in another shell, or "
                "use systemd: kakaocron cron install --systemd"
            )
        elif DENIED.search(said) and (path := shutil.which(self.program)) and not _gains(path):
            mend = _(
                "'{path}' lacks its set-group-ID or set-user-ID bit: install its package again"
            ).format(path=path)
        else:
            mend = ""
        return CrontabError(
            _("'crontab {argument}' failed ({said})").format(argument=argument, said=said or code),
            mend,
        )

    def _run(self, argument: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        path = shutil.which(self.program)
        if path is None:
            raise CrontabError(
                _("There is no 'crontab' program here"),
                _(
                    "Install cron (apt-get install cron), or use systemd: "
                    "kakaocron cron install --systemd"
                ),
            )
        shown = argument if argument.startswith("-") else "FILE"
        try:  # by its path: where it cannot be run, no other one on the PATH is to be
            environment = {**os.environ, "LC_ALL": "C"}
            return run_briefly([path, argument], TIMEOUT_SECONDS, environment, stdin)
        except TimeoutError:
            what = _("'crontab {shown}' did not end within {seconds} s").format(
                shown=shown, seconds=TIMEOUT_SECONDS
            )
            raise CrontabError(what, _("Try it by hand: crontab -l")) from None
        except OSError as error:
            raise CrontabError(
                _("'crontab {shown}' did not work ({error})").format(shown=shown, error=error)
            ) from None


def _words(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())


def may_gain_nothing() -> bool:
    """Say whether this process has the bit under which no program gains its owner's rights."""
    with suppress(OSError):
        return b"\nNoNewPrivs:\t1\n" in read_up_to("/proc/self/status", STATUS_BYTES)
    return False


def _gains(path: str) -> bool:
    """Say whether a program runs with the rights of its owner or group."""
    with suppress(OSError):
        return bool(os.stat(path).st_mode & (stat.S_ISUID | stat.S_ISGID))  # noqa: PTH116
    return True


def _check_faithful(listed: bytes) -> None:
    """Refuse a listing that cannot be written back: Debian's shows a carriage return as two
    characters, a backslash and an r."""
    for number, line in enumerate(listed.split(b"\n"), 1):
        if line.endswith(rb"\r"):
            raise CrontabError(
                _(
                    "Line {number} of the crontab ends as Windows lines do, which 'crontab -l' "
                    "does not give back as it is"
                ).format(number=number),
                _(
                    "Fix the line ends (crontab -e), or add kakaocron's line yourself: "
                    "kakaocron cron show"
                ),
            )


class Job(Struct, frozen=True):
    """What cron is to run every minute: this program with this configuration, unless `is_idle`, a
    program that costs less, says that there is nothing to do."""

    program: tuple[str, ...]
    config: Path
    variables: tuple[tuple[str, str], ...] = ()
    is_idle: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.program, "tick", "--config", str(self.config))

    @property
    def tick(self) -> str:
        """Return the command of a tick, which means the same to /bin/sh and in a crontab."""
        return " ".join([*_settings(self.variables), *map(_quoted, self.words)])

    @property
    def command(self) -> str:
        """Return what the line runs: who changes a path in it changes it for both programs. It is
        the tick alone where cron would not take the whole."""
        settings = _settings((("KAKAOCRON_CONFIG", str(self.config)), *self.variables))
        asks, tick = (" ".join(map(_quoted, words)) for words in (self.is_idle, self.program))
        whole = f"export {' '.join(settings)}; {asks} 2>/dev/null || {tick} tick"
        fits = len(EACH_MINUTE) + len(os.fsencode(whole)) <= LONGEST_LINE_BYTES
        return whole if self.is_idle and fits else self.tick

    @property
    def line(self) -> bytes:
        """Return the crontab line."""
        if any(c in self.command for c in "\n\r\0"):
            raise UsageError(
                _("cron cannot run a command with a line break in it: {command!r}").format(
                    command=self.command
                )
            )
        line = EACH_MINUTE + os.fsencode(self.command)
        if len(line) > LONGEST_LINE_BYTES:
            raise UsageError(
                _("The crontab line would have {count} bytes, and cron takes {most}").format(
                    count=len(line), most=LONGEST_LINE_BYTES
                ),
                _("Move kakaocron or its config.toml to a shorter path"),
            )
        return line

    @property
    def mark(self) -> bytes:
        return BEGIN + os.fsencode(str(self.config))


def _settings(variables: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}={_quoted(value)}" for name, value in variables]


def _quoted(word: str) -> str:
    r"""Quote a word, its % as \% outside the quotes: some daemons make a newline of a bare one and
    take the backslash away, others leave both to the shell, which takes it away there alone."""
    return r"\%".join(shlex.quote(part) if part else "" for part in word.split("%")) or "''"


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
        _("The crontab has a line '{mark}' and no '{end}' after it; nothing was changed").format(
            mark=os.fsdecode(job.mark), end=END.decode()
        ),
        _("Fix it by hand: crontab -e"),
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


def stray_lines(content: bytes, job: Job) -> list[str]:
    """Return the other lines that run a tick in no block of ours: in one they run a configuration
    of its own."""
    kept, is_inside = [], False
    for line in without_block(content, job).split(b"\n"):
        is_inside = line.startswith(BEGIN) or (is_inside and line != END)
        if not is_inside:
            kept.append(line)
    return other_lines(b"\n".join(kept), job)


def install(crontab: Crontab, job: Job, backup: Path) -> bool:
    """Put the block into the crontab, the old one into `backup`; say whether anything changed."""
    return _change(crontab, lambda old: with_block(old, job), backup)


def uninstall(crontab: Crontab, job: Job, backup: Path) -> bool:
    """Take the block out again; say whether there was one."""
    return _change(crontab, lambda old: without_block(old, job), backup)


def write_again(crontab: Crontab, backup: Path, written: bytes) -> None:
    """Write the crontab as it is, some time after a change; one that somebody has changed since is
    left alone, or that lists something else for whatever reason: it would be taken for the whole.

    Debian's cron does not see a change in the second in which it read the one before, and
    systemd-cron none in the second after another, until the next one.
    """
    content = _listed(crontab) or b""
    if content != written:
        return
    if not backup.exists():
        _keep(content, backup)
    try:
        crontab.write(content)
        if not content:
            crontab.remove()
    except CrontabError as error:
        raise _after(error, crontab, content, backup) from None
    _check(crontab, content, backup)


def _change(crontab: Crontab, change: Callable[[bytes], bytes], backup: Path) -> bool:
    found = _listed(crontab)
    old = found or b""
    new = change(old)
    if new == old:
        return False
    _keep(old, backup)
    if _listed(crontab) != found:
        raise CrontabError(_("The crontab changed meanwhile; nothing was written"), _("Try again"))
    try:
        if new:
            crontab.write(new)
        else:
            crontab.remove()
    except CrontabError as error:
        raise _after(error, crontab, old, backup) from None
    _check(crontab, new, backup)
    return True


def _listed(crontab: Crontab) -> bytes | None:
    try:
        return crontab.read()
    except CrontabError as error:
        raise CrontabError(
            _("{what}; nothing was changed").format(what=error.what), error.mend
        ) from None


def _after(error: CrontabError, crontab: Crontab, old: bytes, backup: Path) -> CrontabError:
    """Say of a change that failed whether the crontab is as it was."""
    with suppress(CrontabError):
        if (crontab.read() or b"") == old:
            return CrontabError(
                _("{what}; nothing was changed").format(what=error.what), error.mend
            )
    return CrontabError(
        _("{what}; what the crontab is now is not known").format(what=error.what), _put_back(backup)
    )


def _check(crontab: Crontab, written: bytes, backup: Path) -> None:
    try:
        listed = crontab.read() or b""
    except CrontabError as error:
        what = _("The crontab was written and cannot be read again: {what}").format(what=error.what)
        raise CrontabError(what, _put_back(backup)) from None
    if listed != written:
        raise CrontabError(
            _("'crontab -l' lists something else than what was written"), _put_back(backup)
        )


def _put_back(backup: Path) -> str:
    return _(
        "The crontab as it was is in '{backup}'; look at it, and put it back: crontab {path}"
    ).format(backup=backup, path=shlex.quote(str(backup)))


def _keep(content: bytes, backup: Path) -> None:
    try:
        make_folders(RealDisk(), str(backup.parent))
        replace_file(RealDisk(), str(backup), content)
    except OSError as error:
        raise CrontabError(
            _(
                "No backup can be written to '{backup}' ({strerror}); the crontab is unchanged"
            ).format(backup=backup, strerror=error.strerror)
        ) from None


def job_of(places: Places) -> Job:
    """Return what cron is to run: this very installation, by its absolute path."""
    beside = Path(sys.executable).with_name("kakaocron")
    found = str(beside) if beside.exists() else shutil.which("kakaocron")
    program = (os.path.abspath(found),) if found else (sys.executable, "-m", "kakaocron")  # noqa: PTH100
    of_this = beside.exists() or not found  # another's would never find its own plan
    path = str(Path(kakaocron.__file__).with_name("is_idle.py"))
    is_idle = (sys.executable, "-I", "-S", path) if of_this else ()
    return Job(program, places.config, settings_in_shell(places), is_idle)
