"""The server: routes, what every answer carries, and the socket it listens on."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kakaocron.errors import ContentError, KakaocronError, UsageError
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import _, language, speaking
from kakaocron.system.interrupts import SIGNALS
from kakaocron.text.documents import given_out
from kakaocron.watching.overview import health_of_failure
from kakaocron.web.connections import BACKLOG, PatientProtocol
from kakaocron.web.views import Views
from kakaocron.web.words import dictionary, readers_language, translated_page

STATIC = Path(__file__).parent / "static"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - only compared with
OK, BAD_REQUEST, NOT_FOUND, UNAVAILABLE = 200, 400, 404, 503
PIECE_BYTES = 1 << 18

# The page runs its own files only, talks to its own server only, and is put in no frame.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class DocumentResponse(JSONResponse):
    """A document, sent in pieces: of a long one no copy lies about for each slow client."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **head})
        whole = memoryview(self.body)
        for at in range(0, len(whole), PIECE_BYTES):
            piece = whole[at : at + PIECE_BYTES]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})


class OneAtATime:
    """Makes one answer at a time, so that the ledger has one reader.

    Who asks meanwhile waits for the next, together with all who ask for the same: that one is begun
    after each of them has asked, and so shows nothing that was over by then.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._next: dict[str, asyncio.Task[Response]] = {}

    async def answer(self, asked: str, make: Callable[[], Response]) -> Response:
        if asked not in self._next:
            self._next[asked] = asyncio.create_task(self._made(asked, make))
        return await asyncio.shield(self._next[asked])  # others wait for it too

    async def _made(self, asked: str, make: Callable[[], Response]) -> Response:
        async with self._turn:
            del self._next[asked]
            return await run_in_threadpool(make)


class SecurityHeaders:
    """Adds HEADERS to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [h for h in message["headers"] if h[0] != b"cache-control"]
                added = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
                message = {**message, "headers": [*kept, *added]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


class OwnNames:
    """Refuses requests for other names than were given, so that no foreign page can reach us by a
    name that it has turned to this machine. Listening everywhere, we have every address, no name.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app = app
        self._names = {"127.0.0.1", "localhost", "[::1]", _in_url(host).lower()}
        self._has_any_address = host in WILDCARDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app if self._is_own(scope) else _NO_SUCH_HOST
        await app(scope, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        found = _HOST.fullmatch(Headers(scope=scope).get("host", ""))
        name = found[1].lower() if found else ""
        return name in self._names or (self._has_any_address and _is_address(name))


class ReadersLanguage:
    """Lets what answers a request speak its reader's language. Programs get English: they ask at
    these paths, and for no language elsewhere."""

    PROGRAMS = ("/health", "/metrics", "/api/status")

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = HTTPConnection(scope)
        wanted = readers_language(found.cookies, found.headers.get("accept-language", ""))
        with speaking(catalogue_of("en" if scope["path"] in self.PROGRAMS else wanted)):
            await self.app(scope, receive, send)


_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::[0-9]*)?")
_NO_SUCH_HOST = PlainTextResponse("Invalid host header", BAD_REQUEST)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_address(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return False


def make_app(views: Views, host: str) -> Starlette:
    """Return the application, which listens on `host`."""

    turns = OneAtATime()

    def made(make: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            # Not by its URL, in which a ? of the path is as the one before the query.
            scope = request.scope
            asked = f"{language()} {scope['path']!r} {scope['query_string']!r}"
            return await turns.answer(asked, lambda: make(request))

        return endpoint

    def answer(
        read: Callable[[Request], Any], on_usage_error: int = BAD_REQUEST
    ) -> Callable[[Request], Awaitable[Response]]:
        def make(request: Request) -> Response:
            try:
                return _json(read(request))
            except UsageError as error:
                return _json({"problems": [str(error)]}, on_usage_error)

        return made(make)

    page_text = (STATIC / "index.html").read_text("utf-8")
    script = (STATIC / "app.js").read_text("utf-8")

    async def page(_: Request) -> Response:
        return HTMLResponse(translated_page(page_text))

    async def words(_: Request) -> Response:
        return _json(dictionary(script))

    def health(_: Request) -> Response:
        try:
            found = views.health()
        except KakaocronError as error:
            found = health_of_failure(error).fields()
        return _json(found, OK if found["status"] == "healthy" else UNAVAILABLE)

    def metrics(_: Request) -> Response:
        return PlainTextResponse(views.metrics(), media_type=METRICS_TYPE)

    def picture(request: Request) -> Response:
        try:
            kind, content = views.picture(request.path_params["name"])
        except (UsageError, ContentError) as error:
            return _json({"problems": [str(error)]}, NOT_FOUND)
        return Response(content, media_type=kind)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/words", words),
            Route("/health", made(health)),
            Route("/metrics", made(metrics)),
            Route("/api/status", answer(lambda _: views.status())),
            Route("/api/page", answer(lambda _: views.page())),
            Route("/api/version", answer(lambda _: {"version": views.version()})),
            Route("/api/days", answer(lambda _: views.days())),
            Route("/api/explain", answer(lambda r: views.explanation(dict(r.query_params)))),
            Route("/api/deliveries", answer(lambda r: views.deliveries(dict(r.query_params)))),
            Route(
                "/api/deliveries/{id}",
                answer(lambda r: views.delivery(r.path_params["id"]), NOT_FOUND),
            ),
            Route("/api/pictures/{name}", made(picture)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(OwnNames, host=host),
            Middleware(ReadersLanguage),
        ],
        exception_handlers={
            KakaocronError: _cannot,
            HTTPException: _refused,
        },
    )


async def _cannot(_: Request, error: Exception) -> Response:
    return _json({"problems": [str(error)]}, UNAVAILABLE)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these alone
    return _json({"problems": [error.detail]}, error.status_code)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises UsageError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.create_server((host, port), family=family)
    except UnicodeError:  # of the encoding of international names
        what = _("'{host}' is no address or host name").format(host=host)
        raise UsageError(what) from None
    except OSError as error:
        raise UsageError(
            _("Cannot listen on {host} port {port}: {error}").format(
                host=host, port=port, error=error.strerror
            ),
            _("Try --port 0"),
        ) from None
    # The connections have it from here. asyncio sets it for sockets alone that name their protocol,
    # as those of create_server do not; without it a kept one waits for what the client owes first.
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def _json(document: Any, status: int = OK) -> DocumentResponse:
    return DocumentResponse(given_out(document), status)


def run(config: Path | None, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until interrupted. Raises UsageError for the socket, UnusableError."""
    views = Views(config)
    views.installation()
    with listen(host, port) as found:
        server = make_server(views, host)

        def stop() -> None:
            server.should_exit = True

        # An interrupt raised while the event loop is made may be lost, and the server run on.
        with SIGNALS.held(stop):
            on_ready(f"http://{_in_url(host)}:{found.getsockname()[1]}")
            server.run(sockets=[found])


def make_server(views: Views, host: str) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            make_app(views, host),
            http=PatientProtocol,
            ws="none",
            backlog=BACKLOG,
            log_level="error",  # a warning is what others sent, as often as they like
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
