"""Requests, answers, and what is to happen on the wire: values without sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

Action = Literal[
    "answer", "close-before", "unread", "reset", "stall", "half", "drip", "slow", "early-hints"
]


@dataclass(frozen=True)
class WireRequest:
    """An HTTP request as it came; `received_at_ns` is the wall clock, where there is one."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    scheme: str = "http"
    received_at_ns: int | None = None

    def header(self, name: str) -> str | None:
        """Look a header up; its case does not matter."""
        wanted = name.lower()
        return next((v for key, v in self.headers.items() if key.lower() == wanted), None)


@dataclass(frozen=True)
class WireAnswer:
    """An HTTP answer; whoever sends it adds Content-Length."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def head(self) -> bytes:
        """Write the status line and the headers, as they go over a connection."""
        headers = {**self.headers, "Content-Length": str(len(self.body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n{lines}\r\n".encode()


# RFC 8297; the answer itself is still to come.
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"


@dataclass(frozen=True)
class Wire:
    """What the client is to experience, and whether a message was accepted meanwhile.

    `close-before`: hung up before the request was read. `unread`: its body is never read.
    `reset`: reset after it was read. `stall`: silence until the client gives up. `half`: the whole
    Content-Length, half the body, then closed. `drip`: one byte each `seconds`. `slow`: the answer
    after `seconds`.
    `early-hints`: an interim answer at once, and the answer after `seconds`.
    """

    action: Action
    delivered: bool
    answer: WireAnswer | None = None
    seconds: float = 0.0


def json_answer(status: int, value: object) -> WireAnswer:
    """Build a JSON answer as Kakao writes it."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return WireAnswer(status, {"Content-Type": "application/json;charset=UTF-8"}, body)


def html_answer(status: int, html: str) -> WireAnswer:
    """Build an HTML page."""
    return WireAnswer(status, {"Content-Type": "text/html;charset=UTF-8"}, html.encode())


def redirect(location: str) -> WireAnswer:
    """Build a 302."""
    return WireAnswer(302, {"Location": location}, b"")
