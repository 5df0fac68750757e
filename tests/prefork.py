"""Processes of `kakaocron` that need a hundredth of a second to start, not a tenth: each is forked
from one that has imported it all. The entry point, exit code and streams are the real ones."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

# What commands, typer and platformdirs import when they get to it.
IMPORTED_AT_WORK = (
    "kakaocron.system.socket_http",
    "platformdirs.unix",
    "pydantic.json_schema",
    "pydantic.type_adapter",
    "typer._adapters",
)


class Prefork:
    """Starts them one after the other; `folder` takes what they print."""

    def __init__(self, folder: Path) -> None:
        self.streams = folder / "out", folder / "err"
        command = [sys.executable, "-m", "tests.prefork"]
        # What each of them counted would be written down at its end, and is the same.
        environ = {k: v for k, v in os.environ.items() if k != "COVERAGE_PROCESS_CONFIG"}
        root = Path(__file__).parents[1]
        self.server = subprocess.Popen(
            command, cwd=root, env=environ, stdin=-1, stdout=-1, text=True
        )

    def run(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        cwd: Path,
        terminal: str | None = None,
    ) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr; both are empty where a terminal was given."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        asked = {
            "arguments": arguments,
            "environ": {**environ},
            "cwd": str(cwd),
            "streams": [terminal or str(path) for path in self.streams],
        }
        self.server.stdin.write(json.dumps(asked) + "\n")
        self.server.stdin.flush()
        exit_code = int(self.server.stdout.readline())
        if terminal:
            return exit_code, "", ""
        out, err = (path.read_text("utf-8") for path in self.streams)
        return exit_code, out, err

    def end(self) -> None:
        self.server.communicate(timeout=60)


def warm_up() -> None:
    """Make ready what each process that is forked would make ready again."""
    from kakaocron.config.reading import parse_config  # noqa: PLC0415

    parse_config('[[message]]\nname = "a"\nslots = ["regular"]\ntext = "b"\n', "config.toml")
    gc.freeze()  # else each would copy what the collector marks


def _serve() -> None:
    from kakaocron.cli import COMMANDS  # noqa: PLC0415

    commands = (f"kakaocron.commands.{module}" for module, _ in COMMANDS.values())
    for name in (*commands, *IMPORTED_AT_WORK):
        import_module(name)
    warm_up()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(asked: Mapping[str, Any]) -> NoReturn:
    from kakaocron.__main__ import main  # noqa: PLC0415

    signal.alarm(60)
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["cwd"])
    for fd, path in enumerate([os.devnull, *asked["streams"]]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, fd)
        os.close(opened)
    # New ones, as a file's cannot write to a terminal.
    sys.stdout, sys.stderr = (os.fdopen(fd, "w", encoding="utf-8", closefd=False) for fd in (1, 2))
    sys.argv = ["kakaocron", *asked["arguments"]]
    exit_code: Any = 0
    try:
        main()
    except SystemExit as ending:
        exit_code = ending.code or 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    _serve()
