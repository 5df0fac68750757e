"""Connections to the page: so many at a time, each with so many seconds for a request."""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0
ANSWER_SECONDS = 60.0
# As many are accepted in one go, and as many errors written if none can be.
BACKLOG = 16
_USUAL_DESCRIPTORS = 1024


def most_connections(descriptors: int) -> int:
    """Return how many connections leave room for files where so many descriptors may be open."""
    return min(64, (descriptors if descriptors > 0 else _USUAL_DESCRIPTORS) // 4)


MOST_CONNECTIONS = most_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, which alone would wait for the rest of a request for ever.

    One connection too many costs the one that has waited longest. uvicorn's `limit_concurrency`
    would answer 503 to everybody while others hold their connections.
    """

    _timer: asyncio.TimerHandle | None = None
    _idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()
        others = [one for one in self.connections if one is not self and not _is_closing(one)]
        if len(others) >= MOST_CONNECTIONS:
            min(others, key=_standing).transport.abort()

    def on_response_complete(self) -> None:
        self._await_request()  # first: the next request may have come already
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    @property
    def is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_request(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._idle_since = self.loop.time()
        self._timer = self.loop.call_later(REQUEST_SECONDS, self._time_is_over)

    def _time_is_over(self) -> None:
        if self.is_answering:  # to a client that may not be reading
            self._timer = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)
        else:
            self.transport.abort()


def _is_closing(connection: Any) -> bool:
    return bool(connection.transport.is_closing())


def _standing(connection: Any) -> tuple[bool, float]:
    return connection.is_answering, connection._idle_since
