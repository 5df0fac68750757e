"""One WebSocket connection (RFC 6455) at a time, every wait of which has an end.

The library knows the protocol; the socket is ours, so that proxies and certificates are those of
every other request, and no redirect is followed with a key.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from kakaocron.errors import UsageError
from kakaocron.language.words import _
from kakaocron.system.http import Failure

if TYPE_CHECKING:
    from websockets.client import ClientProtocol

READ_BYTES = 1 << 16
MOST_BYTES = 1 << 20
CLOSING_SECONDS = 2.0

OpenSocket = Callable[[str], "socket.socket | Failure"]


class WebSocketClosedError(Exception):
    """The connection has ended; with a code if the other side closed it as it should."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(f"closed: {code}")
        self.code = code


class NoWebSocketError(Exception):
    """The server takes no WebSocket connection; with its HTTP status if it said so."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(f"refused: {status}")
        self.status = status


class WebSocket:
    """An open connection. What it raises is WebSocketClosedError alone."""

    def __init__(self, connection: socket.socket, protocol: ClientProtocol) -> None:
        self._connection, self._protocol = connection, protocol
        self._texts: list[str] = []
        self._begun = bytearray()  # of a message that came in several frames

    def take(self, events: Sequence[object]) -> None:
        """Take in what has come beyond what was waited for."""
        from websockets.frames import Frame, Opcode  # noqa: PLC0415 - an extra

        for event in events:
            if isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.CONT}:
                self._begun += event.data
                if event.fin:
                    self._texts.append(self._begun.decode("utf-8", "replace"))
                    self._begun.clear()

    def send(self, text: str) -> None:
        self._protocol.send_text(text.encode())
        self._flush()

    def receive(self, seconds: float) -> str | None:
        """Return the next message, None if none has come in so many seconds."""
        until = time.monotonic() + seconds
        while not self._texts:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._take_in(left)
        return self._texts.pop(0)

    def close(self) -> None:
        """End it in order, if that is quickly done."""
        from websockets.protocol import State  # noqa: PLC0415 - an extra

        try:
            with suppress(WebSocketClosedError):
                if self._protocol.state is State.OPEN:
                    self._protocol.send_close(1000)
                    self._flush()
                until = time.monotonic() + CLOSING_SECONDS
                while (left := until - time.monotonic()) > 0:
                    self._texts.clear()
                    self._take_in(left)
        finally:
            self._connection.close()

    def _take_in(self, seconds: float) -> None:
        from websockets.protocol import State  # noqa: PLC0415 - an extra

        try:
            self._connection.settimeout(seconds)
            came = self._connection.recv(READ_BYTES)
        except TimeoutError:
            return
        except OSError:
            raise WebSocketClosedError from None
        _feed(self._protocol, came)
        self.take(self._protocol.events_received())
        self._flush()
        if not self._texts and (not came or self._protocol.state is not State.OPEN):
            closed = self._protocol.close_rcvd
            raise WebSocketClosedError(closed.code if closed else None)

    def _flush(self) -> None:
        try:
            for data in self._protocol.data_to_send():
                if data:
                    self._connection.sendall(data)
        except OSError:
            raise WebSocketClosedError from None


def open_websocket(url: str, open_: OpenSocket, seconds: float) -> WebSocket | Failure:
    """Open a connection to a `ws://` or `wss://` address; `open_` makes it to the address as it
    would be for HTTP. Raises NoWebSocketError, and UsageError where the library is missing."""
    try:
        from websockets.client import ClientProtocol  # noqa: PLC0415 - an extra
        from websockets.uri import parse_uri  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            _("This needs a WebSocket library"), _("Install it: pip install 'kakaocron[rooms]'")
        ) from None
    connection = open_(url.replace("ws", "http", 1))
    if isinstance(connection, Failure):
        return connection
    protocol = ClientProtocol(parse_uri(url), max_size=MOST_BYTES)
    try:
        more = _shake_hands(connection, protocol, time.monotonic() + seconds)
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError):
            raise NoWebSocketError from None
        raise
    found = WebSocket(connection, protocol)
    found.take(more)
    return found


def _shake_hands(connection: socket.socket, protocol: ClientProtocol, until: float) -> list[object]:
    """Ask for the connection; return what has come behind the answer."""
    from websockets.http11 import Response  # noqa: PLC0415 - an extra

    protocol.send_request(protocol.connect())
    while True:
        for data in protocol.data_to_send():
            if data:
                connection.sendall(data)
        connection.settimeout(max(0.01, until - time.monotonic()))
        came = connection.recv(READ_BYTES)
        _feed(protocol, came)
        events: list[object] = [*protocol.events_received()]
        answers = [one for one in events if isinstance(one, Response)]
        if protocol.handshake_exc is not None or not came:
            raise NoWebSocketError(answers[0].status_code if answers else None)
        if answers:
            return events


def _feed(protocol: ClientProtocol, came: bytes) -> None:
    if came:
        protocol.receive_data(came)
    else:
        protocol.receive_eof()
