"""Kakao's servers on real sockets, where each answer may be any bytes at all."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest

RESET = struct.pack("ii", 1, 0)
LONGEST_DRIP_SECONDS = 15.0


@dataclass(frozen=True)
class Reply:
    """What goes over the wire: pieces with a pause before each, and how the connection ends."""

    pieces: Iterable[bytes]
    pause: float = 0.0
    ending: str = "close"  # or "reset", "stall", "keep"


# Given the request and a way to let Kakao handle it, say what it answers; None: as Kakao does.
Hostile = Callable[[WireRequest, Callable[[], WireAnswer]], Reply | None]


class HostileServer:
    """Answers as `kakao` does, or as `hostile` says."""

    def __init__(self) -> None:
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.kakao = Kakao()
        self.hostile: Hostile | None = None
        self.is_over = threading.Event()
        self._lock = threading.Lock()
        self._sockets = _Sockets(("127.0.0.1", 0), self)
        self._thread = threading.Thread(
            target=self._sockets.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._sockets.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self._sockets.shutdown()
        self._sockets.server_close()

    def reply(self, request: WireRequest) -> Reply:
        def handled() -> WireAnswer:
            with self._lock:
                return self.kakao.handle(request, self.now())

        hostile = self.hostile
        said = hostile(request, handled) if hostile is not None else None
        if said is None and request.path.startswith("/ping"):
            said = Reply([as_bytes(WireAnswer(200, {}, b"OK"))], ending="keep")
        return said or Reply([as_bytes(handled())], ending="keep")


def as_bytes(answer: WireAnswer) -> bytes:
    phrase = HTTPStatus(answer.status).phrase
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} {phrase}\r\n{lines}\r\n".encode() + answer.body


class _Sockets(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], server: HostileServer) -> None:
        self.server = server
        super().__init__(address, _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of ours."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Sockets

    def handle(self) -> None:
        connection: socket.socket = self.request
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(10)
        left = b""
        while True:
            request, left = _request(connection, left)
            if request is None:
                return
            reply = self.server.server.reply(request)
            self._send(connection, reply)
            if reply.ending == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if reply.ending == "stall":
                with suppress(OSError):
                    connection.recv(1)
            if reply.ending != "keep":
                return

    def _send(self, connection: socket.socket, reply: Reply) -> None:
        until = time.monotonic() + LONGEST_DRIP_SECONDS
        for piece in reply.pieces:
            if reply.pause:
                self.server.server.is_over.wait(reply.pause)
            connection.sendall(piece)
            if time.monotonic() > until or self.server.server.is_over.is_set():
                return


def _request(connection: socket.socket, received: bytes) -> tuple[WireRequest | None, bytes]:
    while b"\r\n\r\n" not in received:
        some = connection.recv(65536)
        if not some:
            return None, b""
        received += some
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    lengths = (value for name, value in headers.items() if name.lower() == "content-length")
    length = int(next(lengths, "0"))
    while len(body) < length:
        some = connection.recv(65536)
        if not some:
            return None, b""
        body += some
    method, target, _ = first.split(" ", 2)
    path, _, query = target.partition("?")
    return WireRequest(method, path, query, headers, body[:length]), body[length:]
