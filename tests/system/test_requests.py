"""What a request looks like on its way: to the byte, as its server reads it."""

from __future__ import annotations

import pytest

from kakaocron.system.http import Answer, Request
from kakaocron.system.socket_http import SocketHttp
from tests.system.wires import wire

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


def test_what_a_request_carries_is_in_no_traceback() -> None:
    asked = Request("http://x/", {"a": "s3cret"}, "s3cret", b"s3cret", {"X": "s3cret"})

    assert "s3cret" not in repr(asked)
