"""A connection that was opened ahead of need is the one that the request goes over."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kakaocron.system.http import Answer, Request
from kakaocron.system.socket_http import SocketHttp

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


@dataclass
class Server:
    """What a server has seen: how many requests came over each of its connections."""

    url: str
    variables: dict[str, str] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)
    open: list[socket.socket] = field(default_factory=list)
    ended: int = 0

    def hang_up(self) -> None:
        while not self.open:
            time.sleep(0.01)
        self.open[-1].shutdown(socket.SHUT_RDWR)


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
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
    listener = socket.create_server(("127.0.0.1", 0))
    found = Server(f"{request.param}://localhost:{listener.getsockname()[1]}")
    if context is not None:
        found.variables["REQUESTS_CA_BUNDLE"] = f"{tmp_path}/cert"

    def serve(plain: socket.socket, number: int) -> None:
        try:
            with context.wrap_socket(plain, server_side=True) if context else plain as connection:
                found.open.append(connection)
                while connection.recv(65536):
                    found.requests[number] += 1
                    connection.sendall(ANSWER)
        except OSError:
            return
        finally:
            found.ended += 1

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            found.requests.append(0)
            number = len(found.requests) - 1
            threading.Thread(target=serve, args=(connection, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield found
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_request_goes_over_the_connection_that_was_opened_ahead(server: Server) -> None:
    http = SocketHttp(5, server.variables)
    http.warm(server.url, 1)
    time.sleep(0.1)  # the tickets arrive
    opened = len(server.requests)
    answer = http.ask(Request(f"{server.url}/x", {"a": "b"}))
    http.close()

    assert isinstance(answer, Answer)
    assert len(server.requests) == opened
    assert server.requests[-1] >= 1
    assert sum(server.requests[:-1]) == 0


def test_a_connection_closed_while_the_request_waited_at_the_gate_is_opened_anew(
    server: Server,
) -> None:
    http = SocketHttp(5, server.variables)
    asked: list[float] = []

    def gate() -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            server.hang_up()
            time.sleep(0.1)

    answer = http.ask(Request(f"{server.url}/x", {"a": "b"}), gate)
    http.close()

    assert isinstance(answer, Answer)
    assert len(asked) == len(server.requests) == 2
    assert server.requests[0] == 0


def test_warming_opens_what_is_missing_and_no_more(server: Server) -> None:
    http = SocketHttp(5, server.variables)
    http.warm(server.url, 2)
    wait_for(lambda: len(server.open) == 2)
    http.warm(server.url, 2)
    http.warm(server.url, 1)
    server.hang_up()
    time.sleep(0.1)
    http.warm(server.url, 2)
    answers = [http.ask(Request(f"{server.url}/x", {"a": "b"})) for _ in range(3)]
    http.close()

    assert all(isinstance(answer, Answer) for answer in answers)
    assert sorted(server.requests) == [0, 1, 1, 1]


def test_connections_that_are_let_go_of_are_closed(server: Server) -> None:
    http = SocketHttp(5, server.variables)
    http.warm(server.url, 3)
    wait_for(lambda: len(server.open) == 3)
    http.close()

    wait_for(lambda: server.ended == 3)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
