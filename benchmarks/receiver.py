"""A receiver in a process of its own that costs little: python receiver.py SECONDS.

It prints its port, says yes to every POST after some seconds, and tells a GET when each arrived.
"""

from __future__ import annotations

import asyncio
import sys
import time

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\n"
_YES = _HEAD + b'Content-Length: 17\r\nConnection: close\r\n\r\n{"result_code":0}'


class _Receiver(asyncio.Protocol):
    """Says yes to every request after some seconds; to a GET, when each has arrived."""

    arrivals: list[float] = []  # noqa: RUF012 - of all connections

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, _, body = self._read.partition(b"\r\n\r\n")
        if head.startswith(b"GET") and self._read.endswith(b"\r\n\r\n"):
            said = " ".join(map(str, self.arrivals)).encode()
            self._answer(_HEAD + b"Content-Length: %d\r\n\r\n" % len(said) + said)
            return
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if length and len(body) == int(length):
            self.arrivals.append(time.time())
            asyncio.get_running_loop().call_later(self._seconds, self._answer, _YES)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)
            self._transport.close()


async def _serve(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Receiver(seconds), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
