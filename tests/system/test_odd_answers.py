"""No bytes of one answer are read as another's, and nothing odd is taken for an answer.

Each first answer here is followed by a second request, over a server that keeps every connection
open: what it gets must be its own.
"""

from __future__ import annotations

import gzip
import zlib

import pytest

from kakaocron.states import Reason
from kakaocron.system.http import Answer, Failure, Phase, Request
from kakaocron.system.socket_http import SocketHttp
from tests.system.wires import Said, Wire, wire

YES = b'{"result_code":0}'
NO = b'{"code":-2,"msg":"no"}'
SECOND = b'{"second":1}'
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
TIMEOUT_SECONDS = 0.3


def answered(body: bytes, status: int = 200, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\n%bContent-Length: %d\r\n\r\n%b" % (status, more, len(body), body)


def headed(headers: bytes, body: bytes = YES, first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return first + b"\r\n" + headers + b"\r\n\r\n" + body


def chunked(chunks: bytes, more: bytes = b"") -> bytes:
    return headed(more + b"Transfer-Encoding: chunked", chunks)


def ask_twice(found: Wire) -> tuple[Answer | Failure, Answer | Failure]:
    client = SocketHttp(TIMEOUT_SECONDS)
    first, second = (client.ask(Request(f"{found.url}/{n}", {"a": "b"})) for n in (1, 2))
    client.close()
    return first, second


def first_of(said: Said | bytes) -> Answer | Failure:
    """Return what the first request got; see that the second got its own, and each went once."""
    with wire(said, answered(SECOND)) as found:
        first, second = ask_twice(found)

    assert isinstance(second, Answer), second
    assert (second.status, second.body) == (200, SECOND)
    assert [request.split(b" ")[1] for request in found.requests] == [b"/1", b"/2"]
    return first


SIXTEEN = b"10\r\n" + YES[:16] + b"\r\n1\r\n" + YES[16:] + b"\r\n"

WHOLE = {
    "plain": answered(YES),
    "early hints": HINTS + answered(YES),
    "processing": PROCESSING + answered(YES),
    "continue": CONTINUE + answered(YES),
    "all three, twice": (HINTS + PROCESSING + CONTINUE) * 2 + answered(YES),
    "a status below 200 that nobody knows": b"HTTP/1.1 199 X\r\n\r\n" + answered(YES),
    "hints in pieces": Said((HINTS[:5], HINTS[5:30], HINTS[30:] + answered(YES)), 0.05),
    "an answer byte by byte": Said(tuple(bytes([byte]) for byte in answered(YES)), 0.001),
    "the most interim answers": HINTS * 100 + answered(YES),
    "the same length twice": answered(YES, more=b"Content-Length: 17\r\n"),
    "the same length in one line": headed(b"Content-Length: 17, 17"),
    "chunks": chunked(SIXTEEN + b"0\r\n\r\n"),
    "chunks with an extension": chunked(b"11;x=y\r\n" + YES + b"\r\n0\r\n\r\n"),
    "chunks with a trailer": chunked(SIXTEEN + b"0\r\nX: y\r\n\r\n"),
    "gzip": answered(gzip.compress(YES), more=b"Content-Encoding: gzip\r\n"),
    "lines without carriage return": answered(YES).replace(b"\r\n", b"\n"),
    "no reason phrase": headed(b"Content-Length: 17", first=b"HTTP/1.1 200"),
    "HTTP/1.0": headed(b"Content-Length: 17", first=b"HTTP/1.0 200 OK"),
    "an empty line after it": answered(YES) + b"\r\n",
    "no length, then the end": Said((headed(b"X: y"),), hangs_up=True),
    "100 headers": answered(YES, more=b"X: y\r\n" * 99),
    "another answer after a yes": answered(YES) + answered(NO, 400),
    "another answer later": Said((answered(YES), answered(NO, 400)), 0.1),
}


@pytest.mark.parametrize("said", WHOLE.values(), ids=WHOLE)
def test_what_is_whole_is_the_answer(said: Said | bytes) -> None:
    first = first_of(said)

    assert isinstance(first, Answer), first
    assert (first.status, first.body) == (200, YES)


ODD = {
    "too many interim answers": HINTS * 101 + answered(YES),
    "hints with a body": HINTS.replace(b"\r\n\r\n", b"\r\nContent-Length: 17\r\n\r\n" + YES)
    + answered(NO, 400),
    "another protocol": headed(b"Upgrade: x", answered(YES), b"HTTP/1.1 101 Switching"),
    "another answer after a no": answered(NO, 400) + answered(YES),
    "bytes after a no": answered(NO, 400) + b"x",
    "two lengths": headed(b"Content-Length: 17\r\nContent-Length: 18", YES + b" "),
    "two lengths in one line": headed(b"Content-Length: 17, 18", YES + b" "),
    "a negative length": headed(b"Content-Length: -1"),
    "a length with a sign": headed(b"Content-Length: +17"),
    "a length with an underscore": headed(b"Content-Length: 1_7"),
    "a hexadecimal length": headed(b"Content-Length: 0x11"),
    "a length in other digits": headed("Content-Length: ١٧".encode()),
    "a fraction": headed(b"Content-Length: 17.0"),
    "no length where one should be": headed(b"Content-Length: "),
    "an endless length": headed(b"Content-Length: " + b"9" * 5000),
    "length and chunks": headed(b"Content-Length: 17\r\nTransfer-Encoding: chunked"),
    "chunks twice": headed(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    "a coding that is not there": headed(b"Transfer-Encoding: identity"),
    "a coding within chunks": headed(b"Transfer-Encoding: gzip, chunked"),
    "chunks in HTTP/1.0": headed(
        b"Transfer-Encoding: chunked", SIXTEEN + b"0\r\n\r\n", b"HTTP/1.0 200 OK"
    ),
    "a chunk without a size": chunked(b"zz\r\n" + YES),
    "a negative chunk": chunked(b"-11\r\n" + YES + b"\r\n0\r\n\r\n"),
    "a chunk with an underscore": chunked(b"1_1\r\n" + YES + b"\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": chunked(b"10\r\n" + YES + b"\r\n0\r\n\r\n"),
    "chunks cut": Said((chunked(SIXTEEN),), hangs_up=True),
    "chunks without the last line": Said((chunked(SIXTEEN + b"0\r\n"),), hangs_up=True),
    "a body cut": Said((answered(YES)[:-1],), hangs_up=True),
    "a head cut": Said((b"HTTP/1.1 200 OK\r\nContent-Le",), hangs_up=True),
    "nothing": Said((), hangs_up=True),
    "hints, then nothing": Said((HINTS,), hangs_up=True),
    "gzip cut": answered(gzip.compress(YES)[:-1], more=b"Content-Encoding: gzip\r\n"),
    "gzip cut within": answered(gzip.compress(YES)[:-12], more=b"Content-Encoding: gzip\r\n"),
    "gzip with more after it": answered(gzip.compress(YES) * 2, more=b"Content-Encoding: gzip\r\n"),
    "no gzip": answered(YES, more=b"Content-Encoding: gzip\r\n"),
    "deflate as gzip": answered(zlib.compress(YES), more=b"Content-Encoding: gzip\r\n"),
    "a coding that was not asked for": answered(YES, more=b"Content-Encoding: br\r\n"),
    "two codings": answered(gzip.compress(YES), more=b"Content-Encoding: gzip, br\r\n"),
    "HTTP/0.9": Said((YES,), hangs_up=True),
    "HTTP/2": headed(b"Content-Length: 17", first=b"HTTP/2 200 OK"),
    "HTTP/1.2": headed(b"Content-Length: 17", first=b"HTTP/1.2 200 OK"),
    "a status of two digits": headed(b"Content-Length: 17", first=b"HTTP/1.1 20 OK"),
    "a status of four digits": headed(b"Content-Length: 17", first=b"HTTP/1.1 2000 OK"),
    "status 99": headed(b"Content-Length: 17", first=b"HTTP/1.1 099 X"),
    "status 600": headed(b"Content-Length: 17", first=b"HTTP/1.1 600 X"),
    "a blank line first": b"\r\n" + answered(YES),
    "a folded header": headed(b"X: y\r\n Content-Length: 2\r\nContent-Length: 17"),
    "a header that begins with a tab": headed(b"\tX: y\r\nContent-Length: 17"),
    "a blank before the colon": headed(b"Content-Length : 17"),
    "a header without a colon": headed(b"nonsense\r\nContent-Length: 17"),
    "a header without a name": headed(b": y\r\nContent-Length: 17"),
    "a zero byte in a header": headed(b"X: a\0b\r\nContent-Length: 17"),
    "a carriage return in a header": headed(b"X: a\rContent-Length: 2\r\nContent-Length: 17"),
    "101 headers": answered(YES, more=b"X: y\r\n" * 100),
}


@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
def test_what_is_odd_proves_nothing(said: Said | bytes) -> None:
    first = first_of(said)

    assert isinstance(first, Failure), first
    assert (first.phase, first.reason) == (Phase.AFTER, Reason.CONNECTION_RESET)


SILENT = {
    "an answer after the time is over": Said((b"", answered(NO, 400)), TIMEOUT_SECONDS * 2),
    "hints, and the answer after the time": Said((HINTS, answered(YES)), TIMEOUT_SECONDS * 2),
    "half, and the rest after the time": Said(
        (answered(YES)[:-5], answered(YES)[-5:]), TIMEOUT_SECONDS * 2
    ),
    "hints for ever": Said((HINTS,) * 80, 0.02),
    "no length, and no end": headed(b"X: y"),
}


@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT)
def test_what_comes_too_late_is_nobodys_answer(said: Said | bytes) -> None:
    first = first_of(said)

    assert isinstance(first, Failure), first
    assert (first.phase, first.reason) == (Phase.AFTER, Reason.READ_TIMEOUT)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("headers", [b"X: y", b"Content-Length: 17", b"Transfer-Encoding: chunked"])
def test_a_body_where_none_may_be_is_no_part_of_any_answer(status: int, headers: bytes) -> None:
    first = first_of(headed(headers, YES, b"HTTP/1.1 %d X" % status))

    if isinstance(first, Answer):
        assert (first.status, first.body) == (status, b"")
    else:
        assert first.phase is Phase.AFTER


LIMIT = 1 << 20


@pytest.mark.parametrize(
    ("size", "is_read"), [(LIMIT - 1, True), (LIMIT, True), (LIMIT + 1, False)]
)
@pytest.mark.parametrize("way", ["length", "chunks", "end", "gzip"])
def test_an_answer_of_more_than_a_mebibyte_is_nobodys(way: str, size: int, is_read: bool) -> None:
    body = YES + b" " * (size - len(YES))
    packed = gzip.compress(body)
    said = {
        "length": Said((answered(body),)),
        "chunks": Said((chunked(b"400\r\n" + body[:1024] + b"\r\n%x\r\n" % (size - 1024)
                        + body[1024:] + b"\r\n0\r\n\r\n"),)),
        "end": Said((headed(b"X: y", body),), hangs_up=True),
        "gzip": Said((answered(packed, more=b"Content-Encoding: gzip\r\n"),)),
    }  # fmt: skip
    first = first_of(said[way])

    if is_read:
        assert isinstance(first, Answer), first
        assert len(first.body) == size
    else:
        assert isinstance(first, Failure), first
        assert first.reason is Reason.UNPROVEN_ANSWER


def test_each_request_has_a_connection_of_its_own() -> None:
    with wire(answered(YES), answered(SECOND)) as found:
        ask_twice(found)

    assert found.connections == 2
    assert all(b"\r\nConnection: close\r\n" in request for request in found.requests)


@pytest.mark.parametrize("greeting", [answered(YES), b"220 mail\r\n", b"\0"])
def test_a_server_that_talks_before_it_is_asked_is_told_nothing(greeting: bytes) -> None:
    """An answer that was there before the request is none to it."""
    with wire(answered(SECOND), greeting=greeting) as found:
        client = SocketHttp(TIMEOUT_SECONDS)
        client.warm(found.url, 2)
        answer = client.ask(Request(f"{found.url}/1", {}), lambda: _until_it_talks(found))
        client.close()

    assert isinstance(answer, Failure)
    assert (answer.phase, answer.reason) == (Phase.BEFORE, Reason.UNREACHABLE)
    assert found.requests == []


def _until_it_talks(found: Wire) -> None:
    """Wait for bytes to arrive, as at the gate for the slot's second."""
    found.is_over.wait(0.1)
