"""The page with clients that never finish, and with names that are not ours."""

from __future__ import annotations

import asyncio
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from kakaocron.web import connections
from kakaocron.web.connections import most_connections
from kakaocron.web.server import make_app
from kakaocron.web.views import Views
from tests.sites import Site, site, thirty_days

__all__ = ["site", "thirty_days"]

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
PARTS = {
    "nothing": b"",
    "half a line": b"GET /",
    "half a head": HALF,
    "half a body": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx",
    "half a second request": HALF + b"\r\n" + HALF,
}
DESCRIPTORS = 256


@pytest.fixture
def narrow(site: Site) -> Iterator[str]:
    """The address of a server that may open no more than 256 files; its errors must be few."""
    serve = f"exec {shlex.quote(sys.executable)} -m kakaocron serve --port 0"
    command = ["sh", "-c", f"ulimit -n {DESCRIPTORS}; {serve}"]
    with (
        Path("serve-errors").open("w+b") as errors,
        subprocess.Popen(command, stderr=errors) as process,
    ):
        try:
            yield _address(Path("serve-errors"))
        finally:
            process.terminate()
        process.wait(10)
        assert errors.tell() < 2000, Path("serve-errors").read_text()[:2000]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _address(errors: Path) -> str:
    for _ in range(300):
        if found := re.search(r"http://[\d.]+:\d+", errors.read_text()):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(errors.read_text())


def connect(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), 5)


def is_closed(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    with suppress(ConnectionResetError):
        try:
            while connection.recv(65536):
                pass
        except TimeoutError:
            return False
    return True


@pytest.mark.parametrize("part", ["nothing", "half a head", "half a body"])
def test_300_clients_that_never_finish_do_not_silence_the_page(narrow: str, part: str) -> None:
    with ExitStack() as held:
        for _ in range(300):
            held.enter_context(connect(narrow)).sendall(PARTS[part])
        statuses = [requests.get(f"{narrow}/static/app.js", timeout=5).status_code for _ in "abc"]
        health = requests.get(f"{narrow}/health", timeout=5)

    assert statuses == [200, 200, 200]
    assert "status" in health.json()


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_who_does_not_finish_in_time_is_hung_up_on(
    site: Site, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.3)
    with connect(site.url) as client:
        client.sendall(part)

        assert is_closed(client, 3)


def test_a_request_that_takes_its_time_is_answered(site: Site) -> None:
    with connect(site.url) as client:
        for piece in (HALF[:9], HALF[9:], b"Connection: close\r\n", b"\r\n"):
            client.sendall(piece)
            time.sleep(0.2)
        client.settimeout(5)

        assert client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_who_has_waited_longest_gives_way(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    with ExitStack() as held:
        clients = []
        for _ in range(4):
            clients.append(held.enter_context(connect(site.url)))
            clients[-1].sendall(HALF)
            time.sleep(0.1)

        assert is_closed(clients[0], 1)
        assert not any(is_closed(client, 0.1) for client in clients[1:])


@pytest.mark.parametrize(
    ("descriptors", "most"), [(1024, 64), (257, 64), (256, 64), (255, 63), (64, 16), (-1, 64)]
)
def test_most_descriptors_are_left_for_files(descriptors: int, most: int) -> None:
    assert most_connections(descriptors) == most


@pytest.mark.parametrize(
    ("host", "name", "is_answered"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "localhost:8787", True),
        ("127.0.0.1", "LOCALHOST", True),
        ("127.0.0.1", "[::1]:8787", True),
        ("127.0.0.1", "192.0.2.1", False),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "127.0.0.1@evil.example", False),
        ("127.0.0.1", "127.0.0.1:80:evil.example", False),
        ("127.0.0.1", "", False),
        ("::1", "[::1]:8787", True),
        ("NAS.local", "nas.local:8787", True),
        ("nas.local", "other.local", False),
        ("192.0.2.1", "192.0.2.1:8787", True),
        ("0.0.0.0", "192.0.2.1:8787", True),
        ("0.0.0.0", "localhost", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", "192.0.2.1.evil.example", False),
        ("0.0.0.0", "", False),
        ("::", "[2001:db8::1]:8787", True),
        ("::", "192.0.2.1", True),
        ("::", "evil.example:8787", False),
    ],
)
def test_only_names_that_were_given_are_answered(host: str, name: str, is_answered: bool) -> None:
    """A name can be turned to any address by whoever owns it; an address cannot."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"host", name.encode())]
    scope = {"type": "http", "method": "GET", "path": "/none", "headers": headers}
    asyncio.run(make_app(Views(None), host)({**scope, "query_string": b""}, receive, send))

    assert said[0]["status"] == (404 if is_answered else 400)
