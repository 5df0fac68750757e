"""A connection that was opened ahead of need is the one that the request goes over."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kakaocron.core.answers import Answer
from kakaocron.http import Request
from kakaocron.transport import RequestsHttp

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


@pytest.fixture(params=["http", "https"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, list[int]]]:
    """A server that counts the requests of each connection; over TLS 1.3 it sends tickets."""
    context = None
    if request.param == "https":
        if shutil.which("openssl") is None:
            pytest.skip("no openssl here to make a certificate")
        made = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext \
            subjectAltName=DNS:localhost -keyout {tmp_path}/key -out {tmp_path}/cert"
        subprocess.run(["openssl", *made.split()], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{tmp_path}/cert")
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[int] = []

    def serve(plain: socket.socket, number: int) -> None:
        try:
            with context.wrap_socket(plain, server_side=True) if context else plain as connection:
                while connection.recv(65536):
                    connections[number] += 1
                    connection.sendall(ANSWER)
        except OSError:
            return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(0)
            number = len(connections) - 1
            threading.Thread(target=serve, args=(connection, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"{request.param}://localhost:{listener.getsockname()[1]}", connections
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_request_goes_over_the_connection_that_was_opened_ahead(
    server: tuple[str, list[int]],
) -> None:
    url, connections = server
    http = RequestsHttp(5)
    http.warm(url, 1)
    time.sleep(0.1)  # the tickets arrive
    opened = len(connections)
    answer = http.ask(Request(f"{url}/x", {"a": "b"}))
    http.close()

    assert isinstance(answer, Answer)
    assert len(connections) == opened
    assert connections[-1] >= 1
    assert sum(connections[:-1]) == 0
