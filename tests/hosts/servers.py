"""PostgreSQL servers of the tests' own: in a temporary folder, on loopback, as a plain user."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path

SECONDS = 60
# Durable where it counts: a proof that cuts power is another one.
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = {fsync}
max_connections = 200
wal_level = replica
max_wal_senders = 5
shared_buffers = 16MB
"""


def programs() -> str | None:
    """Return the folder of PostgreSQL's own programs, the newest that there is."""
    found = sorted(glob("/usr/lib/postgresql/*/bin/postgres"))  # noqa: PTH207
    return os.path.dirname(found[-1]) if found else None  # noqa: PTH120


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class Server:
    """One server, and its data in `folder`."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://kakaocron@127.0.0.1:{self.port}/kakaocron"

    def start(self) -> None:
        run("pg_ctl", "-D", self.data, "-l", f"{self.folder}/log", "-w", "-t", "30", "start")

    def stop(self, how: str = "immediate") -> None:
        run("pg_ctl", "-D", self.data, "-m", how, "-w", "-t", "30", "stop", is_checked=False)

    def promote(self) -> None:
        run("pg_ctl", "-D", self.data, "-w", "-t", "30", "promote")

    @property
    def data(self) -> str:
        return f"{self.folder}/data"

    def psql(self, *statements: str, database: str = "kakaocron") -> str:
        words = [word for one in statements for word in ("-c", one)]
        known = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "kakaocron", "-d", database)
        return run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *known, *words)


def run(program: str, *arguments: str, is_checked: bool = True) -> str:
    """Run one of PostgreSQL's programs, as a plain user: as root it does nothing."""
    command = [f"{programs()}/{program}", *arguments]
    if os.getuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    with tempfile.TemporaryFile() as said:
        # Not a pipe: the server that pg_ctl leaves behind would keep it open.
        done = subprocess.run(
            command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, env=environment,
            timeout=SECONDS, check=False, cwd="/",
        )  # fmt: skip
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    if is_checked and done.returncode != 0:
        raise AssertionError(f"{program}: {text}")
    return text.strip()


@contextmanager
def server(fsync: str = "off", more: Sequence[str] = ()) -> Iterator[Server]:
    """Run a server with an empty database `kakaocron` for a block."""
    folder = Path(tempfile.mkdtemp(prefix="kakaocron-postgres-"))
    own(folder)
    one = Server(folder, free_port())
    try:
        run(
            "initdb",
            "-D",
            one.data,
            "-U",
            "kakaocron",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "-N",
            "--locale=C",
        )
        with Path(f"{one.data}/postgresql.conf").open("a") as conf:
            conf.write(SETTINGS.format(fsync=fsync) + f"port = {one.port}\n" + "\n".join(more))
        one.start()
        one.psql("CREATE DATABASE kakaocron", database="postgres")
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def own(folder: Path) -> None:
    """Give a folder to the user as whom PostgreSQL runs."""
    if os.getuid() == 0:
        os.chown(folder, 65534, 65534)
    folder.chmod(0o700)


def wait_until(is_so: object, seconds: float = 20.0) -> None:
    assert callable(is_so)
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.05)
