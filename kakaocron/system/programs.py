"""Other people's programs and files: run and read within limits, whatever they do."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from kakaocron.errors import ContentError

MAX_BYTES = 100_000
MAX_COMPLAINT = 120
LONGEST_INTERPRETER = 256  # Linux reads no more of a script's first line
READ_BYTES = 65_536
# All that a command gets of kakaocron's environment: nothing of ours is secret in it.
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR")
USUAL = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


class Outside(Protocol):
    def run(self, argv: Sequence[str], folder: Path, timeout_seconds: float) -> bytes:
        """Return what a command prints. Raises ContentError."""
        ...

    def read(self, path: Path) -> bytes:
        """Return a file's content. Raises ContentError."""
        ...


@dataclass(frozen=True, slots=True)
class RealOutside:
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    def environment(self) -> dict[str, str]:
        passed_on = {name: self.variables[name] for name in PASSED_ON if name in self.variables}
        return {**USUAL, **passed_on, "PYTHONIOENCODING": "utf-8"}

    def run(self, argv: Sequence[str], folder: Path, timeout_seconds: float) -> bytes:
        name = argv[0]
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own configuration names it
                argv,
                cwd=folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            path = str(folder / name) if "/" in name else name
            raise ContentError(f"cannot run '{name}': {not_runnable(path) or said}") from None
        try:
            output, complaint = _read_both(process, name, timeout_seconds)
        finally:
            _end(process)
        if process.returncode != 0:
            words = f": {complaint}" if complaint else ""
            raise ContentError(f"'{name}' ended with {_code(process.returncode)}{words}")
        return output

    def read(self, path: Path) -> bytes:
        try:
            # A pipe or a device in the file's place must not keep us waiting.
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(fd, "rb") as file:  # noqa: PTH123
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise ContentError(f"'{path}' is not a file")
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ContentError(f"cannot read '{path}': {error.strerror}") from None
        except ValueError:
            raise ContentError(f"cannot read a file of the name '{path}'") from None
        if len(content) > MAX_BYTES:
            raise ContentError(f"'{path}' is longer than {MAX_BYTES} bytes")
        return content


def feed(
    argv: Sequence[str],
    document: bytes,
    environment: Mapping[str, str],
    timeout_seconds: float,
    folder: Path | None = None,
) -> int:
    """Give a document to a command; return its exit code. Raises TimeoutError once it has been
    killed, OSError if it cannot be run."""
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


def not_runnable(path: str) -> str | None:
    """Say why a file that is there cannot be run as a program; None for any other reason."""
    try:
        if not os.path.isfile(path):  # noqa: PTH113
            return None
        if not os.access(path, os.X_OK):
            return f"it is no program yet: chmod +x {shlex.quote(path)}"
        with open(path, "rb") as file:  # noqa: PTH123
            first = file.readline(LONGEST_INTERPRETER)
    except (OSError, ValueError):
        return None
    return None if first[:4] == b"\x7fELF" else _script_fault(first)


def _script_fault(first: bytes) -> str | None:
    if first[:2] != b"#!":
        return "its first line names no interpreter, as in #!/bin/sh or #!/usr/bin/env python3"
    if first.endswith(b"\r\n"):
        return "its lines end as on Windows; save it with the line ends of Unix"
    interpreter = os.fsdecode(b" ".join(first[2:].split()[:1]))
    if not os.path.exists(interpreter):  # noqa: PTH110
        return f"its first line names an interpreter that is not there: '{interpreter}'"
    return None


def _read_both(
    process: subprocess.Popen[bytes], name: str, timeout_seconds: float
) -> tuple[bytes, str]:
    """Read what a command prints until it has ended, has printed too much or takes too long.

    Returns its output, and the last line of what it complained of.
    """
    deadline = time.monotonic() + timeout_seconds
    too_long = ContentError(f"'{name}' took longer than {timeout_seconds:g} s")
    output, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for pipe, kept in ((process.stdout, output), (process.stderr, complaint)):
            assert pipe is not None  # noqa: S101 - both were asked for
            selector.register(pipe, selectors.EVENT_READ, kept)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise too_long
            for key, _ in ready:
                _take(selector, key)
            if len(output) > MAX_BYTES:
                raise ContentError(f"'{name}' printed more than {MAX_BYTES} bytes")
            del complaint[:-MAX_BYTES]
            if time.monotonic() > deadline:
                raise too_long
    try:
        process.wait(max(0.01, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise too_long from None
    return bytes(output), _last_line(bytes(complaint))


def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
    part = os.read(pipe.fileno(), READ_BYTES)
    if part:
        key.data.extend(part)
    else:
        selector.unregister(pipe)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing running of what the command has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _code(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode("utf-8", "replace").strip().splitlines()
    words = "".join(c if c.isprintable() else " " for c in lines[-1]) if lines else ""
    return words[:MAX_COMPLAINT]
