"""A server on a real socket that answers with any bytes, and never hangs up by itself."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """What follows one request: pieces, a pause before each but the first, and the end."""

    pieces: tuple[bytes, ...]
    pause: float = 0.0
    hangs_up: bool = False


@dataclass
class Wire:
    """The server: `script` has what it says to each request, in the order in which they come."""

    script: Sequence[Said]
    greeting: bytes = b""
    address: tuple[str, int] = ("127.0.0.1", 0)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.address[1]}"

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(self.greeting)
            came = b""
            while not self.is_over.is_set():
                connection.settimeout(0.05)
                with suppress(TimeoutError):
                    some = connection.recv(65536)
                    if not some:
                        return
                    came += some
                if not _is_whole(came):
                    continue
                self.requests.append(came)
                came = b""
                if not self._say(connection, self.script[len(self.requests) - 1]):
                    return

    def _say(self, connection: socket.socket, said: Said) -> bool:
        connection.settimeout(5)
        for number, piece in enumerate(said.pieces):
            if number:
                time.sleep(said.pause)
            connection.sendall(piece)
        return not said.hangs_up


def _is_whole(request: bytes) -> bool:
    head, is_there, body = request.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(is_there) and len(body) >= (int(length[1]) if length else 0)


@contextmanager
def wire(*script: Said | bytes, greeting: bytes = b"") -> Iterator[Wire]:
    """Serve each request what the script has for it."""
    found = Wire([Said((said,)) if isinstance(said, bytes) else said for said in script], greeting)
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found.address = listener.getsockname()

        def accept() -> None:
            while True:
                connection, _ = listener.accept()
                if found.is_over.is_set():
                    connection.close()
                    return
                found.connections += 1
                threads.append(threading.Thread(target=found.serve, args=(connection,)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield found
        finally:
            found.is_over.set()
            socket.create_connection(found.address, 1).close()
            for thread in (accepting, *threads):
                thread.join(5)
