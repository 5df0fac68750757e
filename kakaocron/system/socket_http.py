"""HTTP/1.1 on sockets: each connection carries one request, which is never repeated.

No bytes of one answer can be read as another's: what follows an answer, or comes too late, ends
with its connection.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from threading import Thread
from types import MappingProxyType
from urllib.parse import quote, urlsplit

import certifi
from msgspec import Struct

from kakaocron import __version__
from kakaocron.errors import Cause, ContentError, UsageError
from kakaocron.states import Reason
from kakaocron.system.http import (
    CONNECT_TIMEOUT_SECONDS,
    Answer,
    Failure,
    Gate,
    Phase,
    Request,
    Stream,
)
from kakaocron.system.http_answer import (
    GOOD_STATUSES,
    Incoming,
    OddAnswerError,
    read_answer,
    read_head,
)
from kakaocron.system.proxies import CA_NAMES, DEFAULT_PORTS, Proxy, proxy_for
from kakaocron.text.causes import usage_error

# How many times the longest silence a whole answer may take: a server may drip for ever.
LONGEST_ANSWER = 3
READ_BYTES = 1 << 12
# What may stand in a path or a query as it is; `%` as it may be quoted already.
SAFE = "/%:?@!$&'()*+,;=~[]"


class _Target(Struct, frozen=True):
    """Where a request goes, and the way there."""

    is_tls: bool
    host: str
    port: int
    path: str
    proxy: Proxy | None

    @property
    def origin(self) -> tuple[bool, str, int]:
        return self.is_tls, self.host, self.port

    @property
    def address(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{name}:{self.port}"

    @property
    def authority(self) -> str:
        """The address, less the usual port."""
        usual = DEFAULT_PORTS["https" if self.is_tls else "http"]
        return self.address.removesuffix(f":{usual}")


class SocketHttp:
    """The real thing. `read_timeout_seconds` is the longest silence between two reads.

    `variables` name the proxies and the trusted certificates.
    """

    def __init__(
        self, read_timeout_seconds: float, variables: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._silence = read_timeout_seconds
        self._patience = min(CONNECT_TIMEOUT_SECONDS, max(read_timeout_seconds, 1.0))
        self._variables = variables
        self._targets: dict[str, _Target] = {}
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None
        self._opened: defaultdict[tuple[bool, str, int], list[socket.socket]] = defaultdict(list)

    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        until = None if request.seconds is None else time.monotonic() + request.seconds
        for _ in range(2):  # a connection may have been closed while it waited at the gate
            try:
                target = self._target(request.url)
                connection = self._take(target) or self._connect(target, until)
            except (OSError, ValueError, UsageError, OddAnswerError) as error:
                return Failure(Phase.BEFORE, Reason.UNREACHABLE, _why_unreachable(error))
            with connection:
                if gate is not None:
                    gate()
                if _is_silent(connection):
                    return self._exchange(connection, request, target, until)
        return Failure(Phase.BEFORE, Reason.UNREACHABLE, Cause("closes-at-once"))

    def connect(self, url: str) -> socket.socket | Failure:
        """Return a connection to a server, by its proxy and over TLS, for another protocol."""
        try:
            return self._connect(self._target(url))
        except (OSError, ValueError, UsageError, OddAnswerError) as error:
            return Failure(Phase.BEFORE, Reason.UNREACHABLE, _why_unreachable(error))

    def warm(self, url: str, count: int) -> None:
        try:
            target = self._target(url)
        except (ValueError, UsageError):
            return  # the request itself will meet and report it
        missing = count - len(self._standing(target))
        threads: list[Thread] = []
        with suppress(RuntimeError, MemoryError):  # no more threads to be had: fewer connections
            for _ in range(missing):
                thread = Thread(target=self._warm, args=(target,), daemon=True)
                thread.start()
                threads.append(thread)
        deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        with self._lock:
            opened = [one for several in self._opened.values() for one in several]
            self._opened.clear()
        for connection in opened:
            connection.close()

    def __del__(self) -> None:
        self.close()  # a command that ends need not do it

    def _target(self, url: str) -> _Target:
        """Read an address, once for all: the variables stay as they are."""
        if url not in self._targets:
            self._targets[url] = _target(url, self._variables)
        return self._targets[url]

    def _warm(self, target: _Target) -> None:
        with suppress(Exception):  # whatever is wrong, the request itself will meet and report it
            connection = self._connect(target)
            with self._lock:
                self._opened[target.origin].append(connection)

    def _standing(self, target: _Target) -> list[socket.socket]:
        """Return the connections that still stand, and let go of all others."""
        with self._lock:
            opened = self._opened[target.origin]
            for connection in [one for one in opened if not _is_silent(one)]:
                opened.remove(connection)
                connection.close()
            return list(opened)

    def _take(self, target: _Target) -> socket.socket | None:
        """Return a connection that still stands, and let go of those that were tried for it."""
        while True:
            with self._lock:
                opened = self._opened[target.origin]
                connection = opened.pop() if opened else None
            if connection is None or _is_silent(connection):
                return connection
            connection.close()

    def _connect(self, target: _Target, until: float | None = None) -> socket.socket:
        """Return a connection over which the request itself may go. Raises OSError and more."""
        proxy = target.proxy
        address = (proxy.host, proxy.port) if proxy else (target.host, target.port)
        connection = socket.create_connection(address, _patience(self._patience, until))
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not target.is_tls:
                return connection
            if proxy:
                self._tunnel(connection, target, proxy)
            return self._trusted().wrap_socket(connection, server_hostname=target.host)
        except BaseException:
            connection.close()
            raise

    def _tunnel(self, connection: socket.socket, target: _Target, proxy: Proxy) -> None:
        """Ask a proxy for the way; nothing of the request itself is in that."""
        lines = [f"CONNECT {target.address} HTTP/1.1", f"Host: {target.address}"]
        if proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        incoming = Incoming(_InTime(connection, self._patience))
        status = read_head(incoming).status
        if status not in GOOD_STATUSES or incoming.left:
            raise OddAnswerError("proxy-refuses", proxy=str(proxy), status=status)

    def _trusted(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = _trusted(self._variables)
            return self._tls

    def _exchange(
        self, connection: socket.socket, request: Request, target: _Target, until: float | None
    ) -> Answer | Failure:
        try:
            for some in _as_bytes(request, target):
                connection.settimeout(_patience(self._silence, until))
                connection.sendall(some)
            return read_answer(Incoming(_InTime(connection, self._silence, until)))
        except ContentError as error:
            return Failure(Phase.AFTER, Reason.CONTENT_FAILED, error.cause)
        except OddAnswerError as error:
            return Failure(Phase.AFTER, error.reason, error.cause)
        except TimeoutError:
            return Failure(Phase.AFTER, Reason.READ_TIMEOUT, Cause("no-answer"))
        except OSError:
            return Failure(Phase.AFTER, Reason.CONNECTION_RESET, Cause("cut"))


class _InTime:
    """What a connection brings, up to one instant: a server that drips must not hold us."""

    def __init__(
        self, connection: socket.socket, silence_seconds: float, until: float | None = None
    ) -> None:
        self._connection, self._silence = connection, silence_seconds
        longest = time.monotonic() + LONGEST_ANSWER * silence_seconds
        self._until = longest if until is None else min(longest, until)

    def __call__(self) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(left, self._silence))
        return self._connection.recv(READ_BYTES)


def _patience(seconds: float, until: float | None) -> float:
    """Return for how long to wait: some seconds, and never beyond an instant. Raises TimeoutError
    where that has come."""
    if until is None:
        return seconds
    if (left := until - time.monotonic()) <= 0:
        raise TimeoutError
    return min(seconds, left)


def _target(url: str, variables: Mapping[str, str]) -> _Target:
    """Read an address. Raises ValueError, and UsageError for its proxy."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("not an http:// or https:// address")
    path = quote(parts.path or "/", SAFE) + (f"?{quote(parts.query, SAFE)}" if parts.query else "")
    host = parts.hostname
    return _Target(
        parts.scheme == "https",
        host if host.isascii() else host.encode("idna").decode(),
        parts.port or DEFAULT_PORTS[parts.scheme],
        path,
        proxy_for(url, variables),
    )


def _as_bytes(request: Request, target: _Target) -> Iterator[bytes]:
    """Yield a request as it goes over the wire: in one piece, but for what a stream brings."""
    is_for_proxy = target.proxy is not None and not target.is_tls
    path = f"http://{target.authority}{target.path}" if is_for_proxy else target.path
    lines = [
        f"{request.method} {path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: kakaocron/{__version__}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
        *(f"{name}: {value}" for name, value in request.all_headers().items()),
    ]
    if is_for_proxy and target.proxy and target.proxy.authorization:
        lines.append(f"Proxy-Authorization: {target.proxy.authorization}")
    body = request.content()
    if body is not None:
        length = body.length if isinstance(body, Stream) else len(body)
        lines.append(f"Content-Length: {length}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    if isinstance(body, Stream):
        yield head
        yield from body.open()
    else:
        yield head + (body or b"")


def _is_silent(connection: socket.socket) -> bool:
    """Say whether a connection stands and has brought nothing: before a request, all is odd.

    After a TLS 1.3 handshake the server sends session tickets: reading takes them in.
    """
    timeout = connection.gettimeout()
    try:
        connection.settimeout(0)
        connection.recv(1)
        return False
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    finally:
        connection.settimeout(timeout)


def _trusted(variables: Mapping[str, str]) -> ssl.SSLContext:
    """Trust what the variables name, or else Mozilla's list as certifi has it. Raises UsageError.

    The variables are looked at here, as OpenSSL would see those of the process alone.
    """
    name = next((name for name in CA_NAMES if variables.get(name)), None)
    path = variables[name] if name else certifi.where()
    try:
        if os.path.isdir(path):  # noqa: PTH112 - never raises
            context = ssl.create_default_context(capath=path)
        else:
            context = ssl.create_default_context(cafile=path)
    except OSError as error:
        why = {"error": error.strerror} if error.strerror else {"behind": "no-certificates"}
        raise usage_error("bad-certificates", name=name or "", path=path, **why) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def _why_unreachable(error: Exception) -> Cause:
    if isinstance(error, socket.gaierror):
        return Cause("dns")
    if isinstance(error, ssl.SSLError):
        return Cause("tls")
    if isinstance(error, TimeoutError):
        return Cause("connect-timeout")
    if isinstance(error, OSError):
        said = {"error": os.strerror(error.errno)} if error.errno else {}
        return Cause("no-connection-because" if said else "no-connection", said)
    if isinstance(error, UsageError | OddAnswerError):
        return error.cause
    return Cause("bad-address")
