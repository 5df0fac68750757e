"""HTTP as the rest of kakaocron sees it: one request, one answer or failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kakaocron.core.answers import Answer, Failure

CONNECT_TIMEOUT_SECONDS = 5.0
FORM_TYPE = "application/x-www-form-urlencoded;charset=utf-8"

Gate = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask of a server. `form` is sent form-encoded in UTF-8; None makes it a GET."""

    url: str
    form: Mapping[str, str] | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


class Http(Protocol):
    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        """Make one request, at most once.

        `gate` is called when the connection stands and before the first byte is written; what it
        raises goes up, and then nothing has left.
        """
        ...

    def warm(self, url: str, count: int) -> None:
        """Open connections to a server ahead of need; a failure is left to `ask` to report."""
        ...

    def close(self) -> None:
        """Let go of kept connections."""
        ...


class HttpWhenNeeded:
    """The real thing, imported by the first request: most commands and many ticks make none."""

    def __init__(self, read_timeout_seconds: float, connections: int = 1) -> None:
        self._arguments = read_timeout_seconds, connections
        self._lock = threading.Lock()
        self._http: Http | None = None

    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        return self._real().ask(request, gate)

    def warm(self, url: str, count: int) -> None:
        self._real().warm(url, count)

    def close(self) -> None:
        if self._http is not None:
            self._http.close()

    def _real(self) -> Http:
        with self._lock:
            if self._http is None:
                from kakaocron.transport import RequestsHttp  # noqa: PLC0415

                self._http = RequestsHttp(*self._arguments)
            return self._http
