"""The gateway on a real socket: a WebSocket connection, as long as a bot listens."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from kakaocron.rehearsal.sandbox.gateway import Gateway, Listener

if TYPE_CHECKING:
    from websockets.server import ServerProtocol

TURN_SECONDS = 0.02
READ_BYTES = 1 << 16


def is_playable() -> bool:
    """Tell whether the library is there that WebSocket needs: the extra `rooms`."""
    try:
        import websockets.server  # noqa: F401, PLC0415 - an extra
    except ImportError:
        return False
    return True


def serve(
    connection: socket.socket,
    head: bytes,
    gateway: Gateway,
    lock: AbstractContextManager[object],
    now: Callable[[], datetime],
    stopping: threading.Event,
) -> None:
    """Serve one connection to its end. `head` is the request that has been read of it; `lock` is
    held whenever the model is asked."""
    from websockets.http11 import Request  # noqa: PLC0415 - an extra
    from websockets.server import ServerProtocol  # noqa: PLC0415

    protocol = ServerProtocol()
    protocol.receive_data(head)
    (request,) = protocol.events_received()
    assert isinstance(request, Request)  # noqa: S101 - nothing else can come first
    response = protocol.accept(request)
    if gateway.has_webhook and response.status_code == 101:  # noqa: PLR2004 - Switching Protocols
        response = protocol.reject(403, "A webhook is registered.\n")
    protocol.send_response(response)
    with lock:
        listener = gateway.connect(now())
    connection.settimeout(TURN_SECONDS)
    try:
        with suppress(OSError):
            while _turn(connection, protocol, gateway, listener, lock, now, stopping):
                pass
    finally:
        with lock:
            gateway.leave(listener)


def _turn(
    connection: socket.socket,
    protocol: ServerProtocol,
    gateway: Gateway,
    listener: Listener,
    lock: AbstractContextManager[object],
    now: Callable[[], datetime],
    stopping: threading.Event,
) -> bool:
    """Send what is to be sent and take what has come; say whether it goes on."""
    from websockets.protocol import State  # noqa: PLC0415 - an extra

    with lock:
        gateway.look(listener, now())
        if protocol.state is State.OPEN:
            while listener.frames:
                protocol.send_text(listener.frames.popleft().encode())
            if listener.close_code is not None:
                protocol.send_close(listener.close_code)
    for data in protocol.data_to_send():
        if not data:
            connection.shutdown(socket.SHUT_WR)
            return False
        connection.sendall(data)
    if stopping.is_set():
        return False
    try:
        came = connection.recv(READ_BYTES)
    except TimeoutError:
        return True
    if not came:
        return False
    protocol.receive_data(came)
    with lock:
        for text in _texts(protocol):
            gateway.hear(listener, text, now())
    return True


def _texts(protocol: ServerProtocol) -> Iterator[str]:
    """Yield the messages that have come; a bot sends each in one frame."""
    from websockets.frames import Frame, Opcode  # noqa: PLC0415 - an extra

    for event in protocol.events_received():
        if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
            yield bytes(event.data).decode("utf-8", "replace")
