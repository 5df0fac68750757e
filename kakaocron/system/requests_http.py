"""The one importer of requests. No retry of anything, and a word on how far each got."""

from __future__ import annotations

import http.client
import io
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kakaocron import __version__
from kakaocron.states import Reason
from kakaocron.system.http import (
    CONNECT_TIMEOUT_SECONDS,
    FORM_TYPE,
    Answer,
    Failure,
    Gate,
    Phase,
    Request,
)

MAX_ANSWER_BYTES = 1 << 20
# How many times the longest silence a whole answer may take: a server may drip for ever.
LONGEST_ANSWER = 3


class _RehearsedError(Exception):
    """Raised at the gate of a request that is made in order not to leave."""


class _ClosedError(Exception):
    """Raised when a kept connection turns out to be closed after the gate let a request pass."""


def _rehearse() -> None:
    raise _RehearsedError


class _UnderWay(threading.local):
    """The request that this thread is making: its gate, and whether a byte of it has left."""

    gate: Gate | None = None
    has_left: bool = False


_under_way = _UnderWay()


class _InTime(io.RawIOBase):
    """What a socket has to read, up to one instant: a server that drips must not hold us."""

    def __init__(self, sock: Any) -> None:
        self._sock, self._silence = sock, sock.gettimeout() or CONNECT_TIMEOUT_SECONDS
        self._until = time.monotonic() + LONGEST_ANSWER * self._silence
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(min(left, self._silence))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            with suppress(OSError):
                self._sock.settimeout(self._silence)
            self._raw.close()
        super().close()


class _Timed:
    """A socket for a response to read from: the whole answer shares one limit."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_InTime(self._sock))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(_Timed(sock), *args, **options)  # type: ignore[arg-type]


class _Gated:
    """A connection that asks the gate before the first byte of a request leaves."""

    response_class: Any = _Response
    sock: Any
    connect: Callable[[], None]
    is_connected: Any
    _is_tunnelling = False

    def _tunnel(self) -> None:
        """Ask a proxy for the way; nothing of the request itself is in that."""
        self._is_tunnelling = True
        try:
            super()._tunnel()  # type: ignore[misc]
        finally:
            self._is_tunnelling = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not _under_way.has_left and not self._is_tunnelling:
            if _under_way.gate is not None:
                _under_way.gate()
                if not self.is_connected:
                    raise _ClosedError
            _under_way.has_left = True
        super().send(data)  # type: ignore[misc]


class _PlainConnection(_Gated, HTTPConnection):
    pass


class _TLSConnection(_Gated, HTTPSConnection):
    @property
    def is_connected(self) -> bool:
        """Say whether a kept connection still stands.

        After a TLS 1.3 handshake the server sends session tickets: a connection that was opened
        ahead of need has something to read, which urllib3 takes for the other side's farewell.
        """
        if self.sock is None or super().is_connected:
            return self.sock is not None
        timeout = self.sock.gettimeout()
        try:
            self.sock.settimeout(0)
            self.sock.recv(1)
            return False
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        finally:
            self.sock.settimeout(timeout)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {"http": _PlainPool, "https": _TLSPool}


class _OnceAdapter(HTTPAdapter):
    """An adapter that never repeats a request and whose connections ask the gate."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Let connections by way of a proxy ask the gate too: no other may carry a request."""
        if not proxy.lower().startswith("http"):
            raise requests.exceptions.InvalidProxyURL("only HTTP proxies are supported")
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow none: not even to work out where it leads, at which a wrong address would fail."""


class _Bearer(AuthBase):
    """The token as an `auth` object: requests would let a .netrc replace a plain header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = f"Bearer {self._token}"
        return prepared


class RequestsHttp:
    """The real thing. `read_timeout_seconds` is the longest silence between two reads."""

    def __init__(self, read_timeout_seconds: float, connections: int = 1) -> None:
        self._timeouts = (
            min(CONNECT_TIMEOUT_SECONDS, max(read_timeout_seconds, 1.0)),
            read_timeout_seconds,
        )
        self._session = _Session()
        self._session.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": f"kakaocron/{__version__}", "Accept-Encoding": "identity"}
        )
        adapter = _OnceAdapter(
            pool_maxsize=connections, max_retries=urllib3.Retry(0, read=False, redirect=False)
        )
        self._adapter = adapter
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        for _ in range(2):
            with suppress(_ClosedError):  # it may have waited at the gate for a while
                return self._ask(request, gate)
        return Failure(Phase.BEFORE, Reason.UNREACHABLE, "the server closes every connection")

    def _ask(self, request: Request, gate: Gate | None) -> Answer | Failure:
        _under_way.gate, _under_way.has_left = gate, False
        try:
            with self._send(request) as response:
                body = response.raw.read(MAX_ANSWER_BYTES, decode_content=True)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, headers, body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return _failure(error, _under_way.has_left)
        finally:
            _under_way.gate = None

    def _send(self, request: Request) -> requests.Response:
        form = request.form
        return self._session.request(
            "GET" if form is None else "POST",
            request.url,
            data=None if form is None else urlencode(form).encode(),
            headers={"Content-Type": FORM_TYPE} if form is not None else None,
            auth=_Bearer(request.token) if request.token else _no_auth,
            timeout=self._timeouts,
            allow_redirects=False,
            stream=True,
        )

    def warm(self, url: str, count: int) -> None:
        with suppress(_RehearsedError):  # the first time through this code is a slow one
            self.ask(Request(url, {}, "-"), _rehearse)
        threads = [Thread(target=self._warm_one, args=(url,), daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        self._session.close()

    def _warm_one(self, url: str) -> None:
        with suppress(Exception):  # whatever is wrong, the request itself will meet and report it
            prepared = self._session.prepare_request(requests.Request("POST", url))
            settings = self._session.merge_environment_settings(
                prepared.url or url, {}, True, None, None
            )
            pool: Any = self._adapter.get_connection_with_tls_context(
                prepared, settings["verify"], settings["proxies"], settings["cert"]
            )
            connection = pool._get_conn(timeout=CONNECT_TIMEOUT_SECONDS)
            if connection.is_closed:
                connection.timeout = self._timeouts[0]
                connection.connect()
            pool._put_conn(connection)


def _no_auth(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def _failure(error: Exception, has_left: bool) -> Failure:
    phase = Phase.AFTER if has_left else Phase.BEFORE
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}
    if not has_left:
        return Failure(phase, Reason.UNREACHABLE, _why_unreachable(causes, names))
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return Failure(phase, Reason.READ_TIMEOUT, "no answer in time")
    if "IncompleteRead" in names:
        return Failure(phase, Reason.CONNECTION_RESET, "the answer broke off")
    return Failure(phase, Reason.CONNECTION_RESET, "the connection was cut before the answer")


def _why_unreachable(causes: Sequence[BaseException], names: set[str]) -> str:
    if names & {"NameResolutionError", "gaierror"}:
        return "DNS: the server's name cannot be looked up"
    if names & {"SSLError", "SSLCertVerificationError", "CertificateError"}:
        return "TLS: no trusted connection to the server"
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return "connecting took too long"
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno:
            return f"no connection: {os.strerror(cause.errno)}"
    return "no connection to the server"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what lies behind it, as requests and urllib3 wrap them."""
    for _ in range(10):
        if error is None:
            return
        yield error
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        error = inner if isinstance(inner, BaseException) else None
