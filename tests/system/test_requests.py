"""What a request looks like on its way: to the byte, as its server reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kakaocron.errors import Cause
from kakaocron.states import Reason
from kakaocron.system.http import Answer, Failure, Phase, Request, Stream
from kakaocron.system.socket_http import SocketHttp
from kakaocron.text.causes import content_error
from tests.system.wires import Said, wire

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
JSON = {"Content-Type": "application/json", "Authorization": "KakaoAK k3y"}


@pytest.mark.parametrize(
    ("request_", "first", "headers", "body"),
    [
        (Request("{url}/a", token="t"), b"GET /a ", [b"Authorization: Bearer t"], b""),
        (Request("{url}/a", {}), b"POST /a ", [b"Content-Length: 0"], b""),
        (
            Request("{url}/a", {"b": "한 c"}, "t"),
            b"POST /a ",
            [
                b"Content-Type: application/x-www-form-urlencoded;charset=utf-8",
                b"Authorization: Bearer t",
                b"Content-Length: 13",
            ],
            b"b=%ED%95%9C+c",
        ),
        (
            Request("{url}/a", body='{"b":"한"}'.encode(), headers=JSON),
            b"POST /a ",
            [
                b"Content-Type: application/json",
                b"Authorization: KakaoAK k3y",
                b"Content-Length: 11",
            ],
            '{"b":"한"}'.encode(),
        ),
        (
            Request("{url}/a", body=Stream(5, lambda: iter((b"ab", b"cde"))), headers=JSON),
            b"POST /a ",
            [b"Content-Length: 5"],
            b"abcde",
        ),
    ],
)
def test_a_request_brings_its_headers_once_and_its_body_as_it_is(
    request_: Request, first: bytes, headers: list[bytes], body: bytes
) -> None:
    with wire(FINE) as found:
        url = request_.url.format(url=found.url)
        asked = Request(url, request_.form, request_.token, request_.body, request_.headers)
        assert isinstance(SocketHttp(3).ask(asked), Answer)
        (came,) = found.requests

    head, _, content = came.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == first + b"HTTP/1.1"
    assert content == body
    for wanted in headers:
        name = wanted.partition(b":")[0].lower()
        assert [line for line in lines if line.lower().startswith(name + b":")] == [wanted]


def test_a_stream_that_breaks_off_leaves_half_a_request_and_no_answer() -> None:
    def broken() -> Iterator[bytes]:
        yield b"ab"
        raise content_error("image-changed", name="a.png")

    with wire(FINE) as found:
        failed = SocketHttp(3).ask(Request(f"{found.url}/a", body=Stream(5, broken)))

        assert found.requests == []
    assert failed == Failure(
        Phase.AFTER, Reason.CONTENT_FAILED, Cause("image-changed", {"name": "a.png"})
    )


@pytest.mark.parametrize(
    "said",
    [Said(()), Said((b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 50), pause=0.05)],
    ids=["silence", "drips"],
)
def test_a_request_takes_no_longer_than_it_may(said: Said) -> None:
    with wire(said) as found:
        began = time.monotonic()
        failed = SocketHttp(5).ask(Request(f"{found.url}/a", seconds=0.2))
        took = time.monotonic() - began

    assert failed == Failure(Phase.AFTER, Reason.READ_TIMEOUT, Cause("no-answer"))
    assert took < 2  # the longest silence is 5 s


def test_a_request_without_time_left_does_not_leave() -> None:
    with wire(FINE) as found:
        failed = SocketHttp(5).ask(Request(f"{found.url}/a", seconds=0.0))

        assert found.requests == []
    assert isinstance(failed, Failure)
    assert failed.phase is Phase.BEFORE


def test_what_a_request_carries_is_in_no_traceback() -> None:
    asked = Request("http://x/", {"a": "s3cret"}, "s3cret", b"s3cret", {"X": "s3cret"})

    assert "s3cret" not in repr(asked)
