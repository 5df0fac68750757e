"""Those who watch from outside: a server for pings and alerts, and Healthchecks' own rule."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PERIOD = timedelta(minutes=1)


class Watcher:
    """Answers every request as told: a status, None for never, or a byte at a time without end.

    Remembers what it was asked.
    """

    def __init__(self, status: int | None = 200) -> None:
        self.status = status
        self.drips = False
        self.requests: list[tuple[str, dict[str, list[str]], Any]] = []
        self._is_over = threading.Event()
        watcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                parts = urlsplit(self.path)
                document = json.loads(body) if body else None
                watcher.requests.append((parts.path, parse_qs(parts.query), document))
                while watcher.drips and not watcher._is_over.wait(0.2):
                    self.wfile.write(b"H")
                if watcher.status is None:
                    watcher._is_over.wait(20)
                    return
                self.send_response(watcher.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class DeadMansSwitch:
    """Healthchecks with a period and a grace of a minute each: down when pings stop or fail."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._counted = 0
        self._last: datetime | None = None

    def is_down(self, now: datetime) -> bool:
        fresh = self._watcher.paths[self._counted :]
        self._counted += len(fresh)
        if any(not path.endswith(("/start", "/fail")) for path in fresh):
            self._last = now
        has_failed = bool(fresh) and fresh[-1].endswith("/fail")
        return has_failed or (self._last is not None and now - self._last > 2 * PERIOD)
