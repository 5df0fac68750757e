"""Other people's programs and files: run and read within limits, whatever they do."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from msgspec import Struct, field

from kakaocron.errors import Cause, ContentError
from kakaocron.text.causes import content_error

# ruff: noqa: PLC0415 - what starts a process costs a look, or a tick that starts none, a twentieth
if TYPE_CHECKING:
    import subprocess

MAX_BYTES = 100_000
MAX_COMPLAINT = 120
LONGEST_INTERPRETER = 256  # Linux reads no more of a script's first line
READ_BYTES = 65_536
# How long a command that has ended may leave its output open to a child before that is left out.
GRACE_SECONDS = 0.5
# The supervisor gives up before that.
END_SECONDS = 3.0
POLL_SECONDS = 0.1
MOST_PRINTED = 10_000_000
SUPERVISOR = str(Path(__file__).with_name("supervisor.py"))
# All that a command gets of kakaocron's environment: nothing of ours is secret in it.
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR")
USUAL = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


class Programs(Struct, frozen=True):
    """The user's own commands, which see of `variables` only what is passed on."""

    variables: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Programs(…)"

    def environment(self) -> dict[str, str]:
        passed_on = {name: self.variables[name] for name in PASSED_ON if name in self.variables}
        return {**USUAL, **passed_on, "PYTHONIOENCODING": "utf-8"}

    def run(self, argv: Sequence[str], folder: Path, timeout_seconds: float) -> bytes:
        """Return what a command prints. Raises ContentError."""
        return bytes(self.output_of(argv, folder, timeout_seconds, MAX_BYTES))

    def output_of(
        self, argv: Sequence[str], folder: Path, timeout_seconds: float, most: int
    ) -> bytearray:
        """Return what a command prints, at most so many bytes, as they came: of large ones there is
        no second copy. Raises ContentError."""
        name = argv[0]
        deadline = time.monotonic() + timeout_seconds
        try:
            running = _start(argv, folder, self.environment())
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise content_error("cannot-run", name=name, error=said) from None
        try:
            word, code = running.read(name, deadline, timeout_seconds, most)
        finally:
            running.end()
        if word == "error":
            path = str(folder / name) if "/" in name else name
            if why := not_runnable(path):
                raise content_error("cannot-run", name=name, behind=why.code, **why.facts)
            raise content_error("cannot-run", name=name, error=os.strerror(code))
        if code != 0:
            raise _ended(name, code, _last_line(bytes(running.complaint)))
        return running.output


def read_content(path: Path) -> bytes:
    """Return a file's content. Raises ContentError."""
    with open_content(path) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise content_error("long-file", path=str(path), most=MAX_BYTES)
    return content


@contextmanager
def open_content(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, and no pipe or device in its place, which could keep us waiting. Raises
    ContentError for whatever is wrong with it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise content_error("no-file", path=str(path))
            yield file
    except FileNotFoundError:
        raise content_error("not-there", path=str(path)) from None
    except OSError as error:
        raise content_error("cannot-read", path=str(path), error=error.strerror or "") from None
    except ValueError:
        raise content_error("bad-file-name", path=str(path)) from None


def feed(
    argv: Sequence[str],
    document: bytes,
    environment: Mapping[str, str],
    timeout_seconds: float,
    folder: Path | None = None,
) -> int:
    """Give a document to a command; return its exit code. Raises TimeoutError once it has been
    killed, OSError if it cannot be run."""
    import subprocess

    process = subprocess.Popen(  # noqa: S603 - the user's own command, and no shell
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )
    with process:
        try:
            process.communicate(document, timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise TimeoutError from None
    return process.returncode


def run_briefly(
    argv: Sequence[str], timeout_seconds: float, environment: Mapping[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a program that reads and prints little; return how it ended.

    Raises TimeoutError for one that takes longer or prints without an end, after killing it and
    its children; OSError if it cannot be run. Files take what it prints: a pipe would be open for
    as long as any child of it is.
    """
    deadline = time.monotonic() + timeout_seconds
    import subprocess
    from tempfile import TemporaryFile

    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(  # noqa: S603 - a fixed program with fixed arguments
            argv, stdin=given, stdout=out, stderr=err, env=environment, start_new_session=True
        )
        try:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
                if time.monotonic() >= deadline or _is_too_long(out) or _is_too_long(err):
                    break
        finally:
            is_ended = process.poll() is not None
            if not is_ended:
                _give_up(process)
        if not is_ended or _is_too_long(out) or _is_too_long(err):
            raise TimeoutError
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(argv, process.returncode, out.read(), err.read())


def _is_too_long(file: IO[bytes]) -> bool:
    return os.fstat(file.fileno()).st_size > MOST_PRINTED


def _give_up(process: subprocess.Popen[bytes]) -> None:
    import subprocess

    # One that has become root's by its set-user-ID bit may not let itself be killed.
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)


def not_runnable(path: str) -> Cause | None:
    """Say why a file that is there cannot be run as a program; None for any other reason."""
    try:
        if not os.path.isfile(path):  # noqa: PTH113
            return None
        if not os.access(path, os.X_OK):
            import shlex

            return Cause("not-executable", {"path": shlex.quote(path)})
        with open(path, "rb") as file:  # noqa: PTH123
            first = file.readline(LONGEST_INTERPRETER)
    except (OSError, ValueError):
        return None
    return None if first[:4] == b"\x7fELF" else _script_fault(first)


def _script_fault(first: bytes) -> Cause | None:
    if first[:2] != b"#!":
        return Cause("no-interpreter")
    if first.endswith(b"\r\n"):
        return Cause("windows-lines")
    interpreter = os.fsdecode(b" ".join(first[2:].split()[:1]))
    if not os.path.exists(interpreter):  # noqa: PTH110
        return Cause("interpreter-gone", {"interpreter": interpreter})
    return None


class _Running(Struct):
    """A command at work below its supervisor, and what it has printed so far."""

    supervisor: subprocess.Popen[bytes]
    status: int
    output: bytearray = field(default_factory=bytearray)
    complaint: bytearray = field(default_factory=bytearray)
    ended: bytearray = field(default_factory=bytearray)

    def read(
        self, name: str, deadline: float, timeout_seconds: float, most: int
    ) -> tuple[str, int]:
        """Read until the command itself has ended; a child of it that keeps the output open is
        waited for a moment only. Returns the supervisor's word and number. Raises ContentError."""
        until = deadline
        import selectors

        with selectors.DefaultSelector() as selector:
            for fd, kept in self._kept().items():
                os.set_blocking(fd, False)
                selector.register(fd, selectors.EVENT_READ, kept)
            output = self._fd(self.supervisor.stdout)
            while not self.ended or output in selector.get_map():
                for key, _ in selector.select(max(0.0, until - time.monotonic())):
                    if not _take(key.fd, key.data):
                        selector.unregister(key.fd)
                        if key.fd == self.status and not self.ended:
                            raise content_error("killed", name=name)
                    elif key.fd == self.status:
                        until = min(deadline, time.monotonic() + GRACE_SECONDS)
                if len(self.output) > most:
                    raise content_error("printed-much", name=name, most=most)
                del self.complaint[:-MAX_BYTES]
                if time.monotonic() >= until:
                    break
        if not self.ended:
            raise content_error("too-slow", name=name, seconds=timeout_seconds)
        _take(self._fd(self.supervisor.stderr), self.complaint)
        word, number = self.ended.split(b"\n")[0].decode().split(" ")
        return word, int(number)

    def end(self) -> None:
        """Leave nothing running of what the command has started."""
        import subprocess

        for pipe in (self.supervisor.stdin, self.supervisor.stdout, self.supervisor.stderr):
            if pipe is not None:
                pipe.close()
        os.close(self.status)
        try:
            self.supervisor.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            self.supervisor.wait()

    def _kept(self) -> dict[int, bytearray]:
        return {
            self._fd(self.supervisor.stdout): self.output,
            self._fd(self.supervisor.stderr): self.complaint,
            self.status: self.ended,
        }

    @staticmethod
    def _fd(pipe: IO[bytes] | None) -> int:
        assert pipe is not None  # noqa: S101 - `_start` has asked for it
        return pipe.fileno()


def _start(argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> _Running:
    import subprocess

    status, written = os.pipe()
    try:
        supervisor = subprocess.Popen(  # noqa: S603 - the user's own configuration names it
            [sys.executable or "python3", "-I", "-S", SUPERVISOR, str(written), *argv],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(written,),
            start_new_session=True,
        )
    except BaseException:
        os.close(status)
        raise
    finally:
        os.close(written)
    return _Running(supervisor, status)


def _take(fd: int, kept: bytearray) -> bool:
    """Take what there is to read; say whether more may come."""
    try:
        part = os.read(fd, READ_BYTES)
    except BlockingIOError:
        return True
    kept.extend(part)
    return bool(part)


def which(name: str, search_path: str) -> str | None:
    """Return the path of a program, with no link in its folder's path; the link of a virtual
    environment to the system's Python is a program of its own."""
    import shutil

    found = shutil.which(name, path=search_path)
    if found is None:
        return None
    folder, base = os.path.split(found)
    return f"{os.path.realpath(folder)}/{base}"


def _ended(name: str, code: int, complaint: str) -> ContentError:
    how: dict[str, str | int] = {"code": code} if code > 0 else {"signal": -code}
    kind = "exit" if code > 0 else "signal"
    if complaint:
        return content_error(f"{kind}-saying", name=name, words=complaint, **how)
    return content_error(kind, name=name, **how)


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode("utf-8", "replace").strip().splitlines()
    words = "".join(c if c.isprintable() else " " for c in lines[-1]) if lines else ""
    return words[:MAX_COMPLAINT]
