"""A TLS relay in front of the sandbox under Kakao's own names, which keeps what goes through it."""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
import struct
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from operator import itemgetter
from pathlib import Path
from typing import Any

CHUNK = 65536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
IDLE_SECONDS = 30


@dataclass
class Connection:
    """One connection: the name that the client asked for, and the bytes of both directions."""

    host: str = ""
    asked: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)
    came: list[tuple[int, int]] = field(default_factory=list)

    def add(self, data: bytes) -> None:
        """Keep what the client sent, and when."""
        self.came.append((len(self.asked), time.monotonic_ns()))
        self.asked += data

    def calls(self) -> list[tuple[int, dict[str, Any]]]:
        """Return each request with when it came, and the status of its answer (None: none)."""
        answers = [int(head.split(b" ", 2)[1]) for _, head, _ in _messages(bytes(self.answered))]
        statuses = [status for status in answers if status >= HTTPStatus.OK]
        found = []
        for index, (offset, head, body) in enumerate(_messages(bytes(self.asked))):
            start, *lines = head.decode().split("\r\n")
            method, target, _ = start.split(" ")
            call = {
                "host": self.host,
                "method": method,
                "target": target,
                "headers": dict(line.split(": ", 1) for line in lines),
                "body": body.decode(),
                "status": statuses[index] if index < len(statuses) else None,
            }
            found.append((max(when for at, when in self.came if at <= offset), call))
        return found


class Relay(socketserver.ThreadingTCPServer):
    """Listens on 127.0.0.1:443 and passes bytes on to `upstream`, resets and silence included."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, certificate: Path, key: Path) -> None:
        self.upstream = 0
        self.connections: list[Connection] = []
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.tls.sni_callback = _keep_name
        super().__init__(("127.0.0.1", 443), _Passing)

    def calls(self) -> list[dict[str, Any]]:
        """Return every request since the last `forget`, in the order in which they came."""
        found = [call for connection in self.connections for call in connection.calls()]
        return [call for _, call in sorted(found, key=itemgetter(0))]

    def forget(self) -> None:
        self.connections = []


class _Passing(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        kept = Connection()
        try:
            with (
                self.server.tls.wrap_socket(self.request, server_side=True) as client,
                socket.create_connection(("127.0.0.1", self.server.upstream)) as sandbox,
            ):
                kept.host = getattr(client, "asked_name", "")
                self.server.connections.append(kept)
                self._pass_on(client, sandbox, kept)
        except OSError:
            return  # either side went away

    def _pass_on(self, client: ssl.SSLSocket, sandbox: socket.socket, kept: Connection) -> None:
        while True:
            wait = 0 if client.pending() else IDLE_SECONDS
            ready: list[socket.socket] = select.select([client, sandbox], [], [], wait)[0]
            if client.pending() and client not in ready:
                ready.append(client)
            if not ready:
                return
            if client in ready:
                data = client.recv(CHUNK)
                if not data:
                    return
                kept.add(data)
                sandbox.sendall(data)
            if sandbox in ready:
                try:
                    data = sandbox.recv(CHUNK)
                except ConnectionResetError:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                    return
                if not data:
                    return
                kept.answered += data
                client.sendall(data)


def _keep_name(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
    connection.asked_name = name  # type: ignore[attr-defined]


def _messages(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Split one direction of a connection into (offset, head, body), by Content-Length."""
    found = []
    at = 0
    while (end := data.find(b"\r\n\r\n", at)) >= 0:
        head = data[at:end]
        lengths = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        body = data[end + 4 : end + 4 + (lengths[0] if lengths else 0)]
        found.append((at, head, body))
        at = end + 4 + len(body)
    return found
