"""One answer at a time, none of the past; documents whole, and without delay."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from typing import Any, cast

import pytest
from starlette.responses import PlainTextResponse, Response

from kakaocron.web.server import PIECE_BYTES, DocumentResponse, OneAtATime, listen, make_app
from kakaocron.web.views import Views


class Ledger:
    """What answers are made of; making one waits until it may end."""

    def __init__(self) -> None:
        self.state = "before"
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.made = self.at_once = self.most_at_once = 0

    def answer(self) -> PlainTextResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        seen = self.state
        self.begun.set()
        assert self.may_end.wait(10)
        self.made += 1
        self.at_once -= 1
        return PlainTextResponse(seen)


def test_who_asks_after_a_change_has_no_answer_that_was_begun_before_it() -> None:
    ledger = Ledger()

    async def ask() -> list[Response]:
        turns = OneAtATime()
        early = asyncio.create_task(turns.answer("/", ledger.answer))
        await asyncio.to_thread(ledger.begun.wait, 10)
        ledger.state = "after"
        late = [asyncio.create_task(turns.answer("/", ledger.answer)) for _ in range(5)]
        await asyncio.sleep(0)
        ledger.may_end.set()
        return [await one for one in (early, *late)]

    seen = [bytes(one.body) for one in asyncio.run(ask())]
    assert seen == [b"before", *[b"after"] * 5]
    assert (ledger.made, ledger.most_at_once) == (2, 1)


def test_different_questions_take_turns() -> None:
    ledger = Ledger()
    ledger.may_end.set()

    async def ask() -> None:
        turns = OneAtATime()
        await asyncio.gather(*(turns.answer(f"/{n}", ledger.answer) for n in range(5)))

    asyncio.run(ask())
    assert (ledger.made, ledger.most_at_once) == (5, 1)


def test_who_gives_up_takes_the_answer_from_nobody() -> None:
    ledger = Ledger()

    async def ask() -> Response:
        turns = OneAtATime()
        both = [asyncio.create_task(turns.answer("/", ledger.answer)) for _ in range(2)]
        await asyncio.to_thread(ledger.begun.wait, 10)
        both[0].cancel()
        ledger.may_end.set()
        return await both[1]

    assert bytes(asyncio.run(ask()).body) == b"before"


def test_an_answer_that_fails_fails_for_all_who_wait_and_the_next_is_made() -> None:
    made: list[str] = []

    def fail() -> Response:
        made.append("failed")
        raise LookupError

    async def ask() -> list[Any]:
        turns = OneAtATime()
        asked = (turns.answer("/", fail) for _ in range(2))
        found: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
        return [*found, await turns.answer("/", lambda: PlainTextResponse("well"))]

    first, second, then = asyncio.run(ask())
    assert isinstance(first, LookupError)
    assert isinstance(second, LookupError)
    assert (made, bytes(then.body)) == (["failed"], b"well")


@pytest.mark.parametrize("size", [0, PIECE_BYTES - 13, PIECE_BYTES - 12, 3 * PIECE_BYTES])
def test_a_document_is_sent_whole_in_pieces(size: int) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    document = {"text": "a" * size}
    asyncio.run(DocumentResponse(document)({"type": "http"}, receive, send))
    head, *pieces, last = sent
    body = b"".join(bytes(piece["body"]) for piece in pieces)

    assert json.loads(body) == document
    assert dict(head["headers"])[b"content-length"] == str(len(body)).encode()
    assert max(len(piece["body"]) for piece in pieces) <= PIECE_BYTES
    assert len(pieces) == -(-len(body) // PIECE_BYTES)
    assert not last.get("more_body")


def test_a_connection_waits_for_no_acknowledgement() -> None:
    with (
        listen("127.0.0.1", 0) as found,
        socket.create_connection(found.getsockname()),
        found.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_two_questions_that_look_alike_have_an_answer_each() -> None:
    class Shown:
        def delivery(self, id_: str) -> dict[str, str]:
            return {"id": id_}

    async def ask(app: Any, path: str, query: bytes) -> str:
        pieces: list[bytes] = []

        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            pieces.append(message.get("body", b""))

        scope = {"type": "http", "method": "GET", "path": path, "query_string": query}
        scope |= {"headers": [(b"host", b"127.0.0.1")]}
        await app(scope, receive, send)
        return str(json.loads(b"".join(pieces))["id"])

    async def both() -> list[str]:
        app = make_app(cast(Views, Shown()), "127.0.0.1")
        one, two = ("/api/deliveries/x?a=1", b""), ("/api/deliveries/x", b"a=1")
        return [*await asyncio.gather(ask(app, *one), ask(app, *two))]

    assert asyncio.run(both()) == ["x?a=1", "x"]
