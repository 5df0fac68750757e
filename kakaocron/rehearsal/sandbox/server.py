"""The sandbox on real sockets: what the model decides, done to a connection."""

import re
import select
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from kakaocron.rehearsal.sandbox.admin import ADMIN_PREFIX, administer
from kakaocron.rehearsal.sandbox.arrival import Arrival
from kakaocron.rehearsal.sandbox.endpoints import UPLOAD_PATH
from kakaocron.rehearsal.sandbox.faults import FaultPlan, InjectedFault
from kakaocron.rehearsal.sandbox.gateway import GATEWAY_PATH
from kakaocron.rehearsal.sandbox.gateway_socket import is_playable
from kakaocron.rehearsal.sandbox.gateway_socket import serve as serve_gateway
from kakaocron.rehearsal.sandbox.kakao import Kakao, LoggedRequest
from kakaocron.rehearsal.sandbox.wire import EARLY_HINTS, Wire, WireAnswer, WireRequest, json_answer

MAX_BODY_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = 8 * MAX_BODY_BYTES  # more than Kakao takes, which says so itself
DRAIN_BYTES = 16 * MAX_BODY_BYTES
READ_TIMEOUT_SECONDS = 10.0
BACKLOG = 512
SHUTDOWN_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Certificate:
    """What TLS needs: two PEM files."""

    certfile: Path
    keyfile: Path


class SandboxServer:
    """Serves kauth and kapi on one address, from `with` to its end.

    `now` gives Kakao's time (aware). `answer_delay_seconds` is the usual time between a message's
    delivery and the answer. `on_request` hears of each request, in the thread that served it.
    """

    def __init__(
        self,
        kakao: Kakao,
        now: Callable[[], datetime],
        *,
        faults: FaultPlan | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        answer_delay_seconds: float = 0.0,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
        certificate: Certificate | None = None,
        on_request: Callable[[LoggedRequest], None] | None = None,
    ) -> None:
        self.kakao = kakao
        self.faults = FaultPlan() if faults is None else faults
        self._now = now
        self._on_request = on_request
        self._lock = threading.Lock()
        self.answer_delay_seconds = answer_delay_seconds
        self.read_timeout_seconds = read_timeout_seconds
        self._sockets = _Sockets((host, port), self, _tls(certificate))
        self._thread = threading.Thread(
            target=self._sockets.serve_forever, args=(SHUTDOWN_POLL_SECONDS,)
        )

    @property
    def url(self) -> str:
        """Base URL of both kauth and kapi."""
        host, port = self._sockets.server_address[:2]
        return f"{self._sockets.scheme}://{host!s}:{port}"

    @property
    def deliveries(self) -> list[Arrival]:
        """Every message that was accepted so far, in order; of those to phones, what arrived."""
        with self._lock:
            self.kakao.phones.settle(self._now())
            return list(self.kakao.deliveries)

    def arrived(self, uuid: str) -> list[Arrival]:
        """Every message so far at one person's phone, in order."""
        with self._lock:
            return self.kakao.arrived(uuid)

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request so far, without secrets."""
        with self._lock:
            return list(self.kakao.requests)

    def __enter__(self) -> "SandboxServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._sockets.shutdown()
        self._sockets.hang_up()
        self._sockets.server_close()
        self._thread.join()

    def choose_fault(self, head: WireRequest) -> InjectedFault | None:
        """Draw the fault for a request of which the body has not been read yet."""
        with self._lock:
            return self.faults.next(head)

    def exchange(self, request: WireRequest, fault: InjectedFault | None) -> Wire:
        """Let the model handle a request, one at a time."""
        with self._lock:
            wire = self.kakao.exchange(request, self._now(), fault)
            logged = self.kakao.requests[-1]
        if self._on_request is not None:
            self._on_request(logged)
        return wire

    def listen(self, connection: socket.socket, head: bytes, stopping: threading.Event) -> None:
        """Serve a bot that listens at the gateway."""
        serve_gateway(connection, head, self.kakao.gateway, self._lock, self._now, stopping)

    def administer(self, request: WireRequest) -> WireAnswer:
        """Answer a request under /_sandbox/."""
        with self._lock:
            return administer(request, self.kakao, self.faults, self._now())


def run(
    host: str,
    port: int,
    *,
    kakao: Kakao,
    now: Callable[[], datetime],
    faults: FaultPlan | None = None,
    on_ready: Callable[[str], None] | None = None,
    on_request: Callable[[LoggedRequest], None] | None = None,
) -> None:
    """Serve until KeyboardInterrupt, which goes on to the caller; `on_ready` gets the URL."""
    server = SandboxServer(kakao, now, faults=faults, host=host, port=port, on_request=on_request)
    with server:
        if on_ready is not None:
            on_ready(server.url)
        threading.Event().wait()


class _Sockets(socketserver.ThreadingTCPServer):
    """Threads and sockets; remembers open connections, so that a shutdown waits for none."""

    allow_reuse_address = True
    request_queue_size = BACKLOG
    daemon_threads = False

    def __init__(
        self, address: tuple[str, int], sandbox: SandboxServer, tls: ssl.SSLContext | None
    ) -> None:
        self.sandbox = sandbox
        self.tls = tls
        self.scheme = "http" if tls is None else "https"
        self.stopping = threading.Event()
        self._open: set[Any] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            # The handshake waits for the connection's own thread.
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._open_lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        if _is_to_be_reset(request):
            request.close()  # without the FIN that the base class would send first
        else:
            super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every stall, delay and wait for a slow client."""
        self.stopping.set()
        with self._open_lock:
            for connection in self._open:
                _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave a client that went away alone; let a bug be heard."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            raise error


class _Connection(BaseHTTPRequestHandler):
    """One client's connection."""

    server: _Sockets
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.request.settimeout(self.server.sandbox.read_timeout_seconds)
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Serve every method alike: the model says which of them it knows."""
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def serve(self) -> None:
        """Serve one request."""
        head = self._head()
        length = self._body_length()
        if isinstance(length, WireAnswer):
            self._send(length)
            self._drain()
            return
        if head.path.startswith(ADMIN_PREFIX):
            request = replace(head, body=self.rfile.read(length))
            is_own = self._is_of_this_machine()
            refusal = _plain(HTTPStatus.FORBIDDEN)
            self._send(self.server.sandbox.administer(request) if is_own else refusal)
            return
        if head.path == GATEWAY_PATH:
            self._listen()
            return
        fault = self.server.sandbox.choose_fault(head)
        if fault is not None and fault.action in {"close-before", "unread"}:
            self._act(self.server.sandbox.exchange(head, fault))
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        request = replace(head, body=body, received_at_ns=time.time_ns())
        self._act(self.server.sandbox.exchange(request, fault))

    def _listen(self) -> None:
        if not is_playable():
            said = {"error": "no WebSocket here: pip install 'kakaocron[rooms]'"}
            self._send(json_answer(HTTPStatus.NOT_IMPLEMENTED, said))
            return
        lines = [self.requestline, *(f"{name}: {value}" for name, value in self.headers.items())]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.close_connection = True
        self.server.sandbox.listen(self.connection, head, self.server.stopping)

    def _head(self) -> WireRequest:
        path, _, query = self.path.partition("?")
        return WireRequest(
            self.command, path, query, dict(self.headers.items()), scheme=self.server.scheme
        )

    def _body_length(self) -> int | WireAnswer:
        """Return the length of the body, or the answer to one that cannot be read."""
        if "Transfer-Encoding" in self.headers:
            return _plain(HTTPStatus.LENGTH_REQUIRED)
        text = self.headers.get("Content-Length", "0")
        if not (text.isascii() and text.isdigit()):
            return _plain(HTTPStatus.BAD_REQUEST)
        most = MAX_UPLOAD_BYTES if self.path.startswith(UPLOAD_PATH) else MAX_BODY_BYTES
        if len(text) > len(str(most)) or int(text) > most:
            return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return int(text)

    def _is_of_this_machine(self) -> bool:
        """Say whether it is no page of another site that asks, in the browser of this machine.

        Such a page has an Origin of its own, or a name that it has turned to this address.
        """
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        if len(hosts) != 1 or _ADDRESS.fullmatch(hosts[0]) is None:
            return False
        return all(origin == f"{self.server.scheme}://{hosts[0]}" for origin in origins)

    def _act(self, wire: Wire) -> None:
        """Do to the client what the model decided."""
        if wire.action in {"close-before", "reset"}:
            self._reset()
        elif wire.action == "unread":
            self._stall(select.POLLRDHUP)
        elif wire.action == "stall" or wire.answer is None:
            self._stall()
        else:
            self._wait(self.server.sandbox.answer_delay_seconds)
            self._answer(wire, wire.answer)

    def _answer(self, wire: Wire, answer: WireAnswer) -> None:
        if wire.action == "half":
            whole = self._bytes(answer)
            self.connection.sendall(whole[: len(whole) - (len(answer.body) + 1) // 2])
            self.close_connection = True
        elif wire.action == "drip":
            self._drip(self._bytes(answer), wire.seconds)
        else:
            if wire.action == "early-hints":
                self.connection.sendall(EARLY_HINTS)
            self._wait(wire.seconds)
            self._send(answer)

    def _send(self, answer: WireAnswer) -> None:
        self.connection.sendall(self._bytes(answer))

    def _bytes(self, answer: WireAnswer) -> bytes:
        return answer.head() + (b"" if self.command == "HEAD" else answer.body)

    def _drain(self) -> None:
        """Read on for a while: closing with bytes unread would take the answer away again."""
        self.connection.shutdown(socket.SHUT_WR)
        left = DRAIN_BYTES
        while left > 0 and (some := self.rfile.read1(left)):
            left -= len(some)
        self.close_connection = True

    def _drip(self, whole: bytes, seconds: float) -> None:
        for index in range(len(whole)):
            if self.server.stopping.is_set():
                return
            self.connection.sendall(whole[index : index + 1])
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.server.stopping.wait(seconds)

    def _stall(self, events: int = select.POLLIN | select.POLLHUP) -> None:
        """Say nothing until the client hangs up or the sandbox stops; it hangs up unheard where
        more of its body is on the way than connections take in unread."""
        poller = select.poll()
        poller.register(self.connection, events)
        while not poller.poll(100) and not self.server.stopping.is_set():
            pass
        self.close_connection = True

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close_connection = True


# Not a name, which anybody's name server may turn to this machine.
_ADDRESS = re.compile(r"(localhost|[0-9.]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?", re.IGNORECASE)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def _is_to_be_reset(connection: socket.socket) -> bool:
    linger = connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET_ON_CLOSE))
    return linger == _RESET_ON_CLOSE


def _shut(connection: socket.socket) -> None:
    try:
        # Past TLS, whose own shutdown would take its state from a thread that is reading.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # gone by itself


def _tls(certificate: Certificate | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certfile, certificate.keyfile)
    return context


def _plain(status: HTTPStatus) -> WireAnswer:
    return json_answer(status.value, {"error": status.phrase})
