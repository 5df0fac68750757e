"""The loopback listener that the browser is sent back to: one answer at one path, then closed."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from kakaocron.errors import LoginError, UsageError
from kakaocron.kakao.consent import HOST, PATH
from kakaocron.language.words import _, language

IDLE_SECONDS = 5.0

_PAGE = (
    "<!doctype html><html lang='{language}'><head><meta charset='utf-8'><title>kakaocron</title>"
    "</head><body><h1>{heading}</h1><p>{words}</p></body></html>"
)


def _page() -> bytes:
    heading = _("kakaocron has the answer")
    words = _("Go back to the terminal; this page can be closed.")
    return _PAGE.format(language=language(), heading=heading, words=words).encode()


class _Handler(BaseHTTPRequestHandler):
    timeout = IDLE_SECONDS  # browsers open connections ahead and send nothing on them

    def do_GET(self) -> None:
        server: Any = self.server
        address = urlsplit(self.path)
        if address.path != PATH or not server.take(address.query):
            self._answer(404, b"")
        else:
            self._answer(200, _page())
            server.answers.put(address.query)

    def _answer(self, status: int, page: bytes) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": "text/html",
            "Content-Length": str(len(page)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Connection": "close",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the request line holds the code."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.answers: SimpleQueue[str] = SimpleQueue()
        self._first = threading.Lock()
        super().__init__((HOST, port), _Handler)

    def take(self, query: str) -> bool:
        """Say whether this is the one answer; there is no second."""
        return bool(query) and self._first.acquire(blocking=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser may hang up as it likes, and a traceback could show the code."""


class Callback:
    """Listens from `with` to its end. Raises UsageError if the port is taken."""

    def __init__(self, port: int) -> None:
        try:
            self._server = _Server(port)
        except OSError as error:
            raise UsageError(
                _("Cannot listen on port {port} ({strerror})").format(
                    port=port, strerror=error.strerror
                ),
                _(
                    "See who does: ss -ltnp 'sport = :{port}'; or do without: kakaocron login "
                    "--no-browser"
                ).format(port=port),
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, timeout_seconds: float) -> str:
        """Return the query of the redirect. Raises LoginError when none comes in time."""
        try:
            return self._server.answers.get(timeout=timeout_seconds)
        except Empty:
            raise LoginError(
                _("No answer from the browser within {seconds:.0f} s; nothing was changed").format(
                    seconds=timeout_seconds
                ),
                _(
                    "If its page shows a code such as KOE006, paste that code here: "
                    "kakaocron login --no-browser"
                ),
            ) from None
