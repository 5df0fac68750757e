"""HTTP as the rest of kakaocron sees it: one request, one answer or failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode

from msgspec import Struct, field

from kakaocron.errors import Cause
from kakaocron.states import Reason
from kakaocron.text.causes import in_words


class Phase(StrEnum):
    """How far a request had come when it failed."""

    BEFORE = "before"  # not one byte of it can have left
    AFTER = "after"  # it may have reached Kakao


class Answer(Struct, frozen=True):
    """An HTTP answer: status, headers with lower-case names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Failure(Struct, frozen=True):
    """A request that brought no whole answer, and the phase in which that showed."""

    phase: Phase
    reason: Reason
    cause: Cause

    @property
    def detail(self) -> str:
        return in_words(self.cause)


CONNECT_TIMEOUT_SECONDS = 5.0
FORM_TYPE = "application/x-www-form-urlencoded;charset=utf-8"

Gate = Callable[[], None]


class Stream(Struct, frozen=True):
    """A body of `length` bytes that is read as it is written, and never held as a whole.

    What `open` gives may raise ContentError: the file behind it may be gone by then.
    """

    length: int
    open: Callable[[], Iterator[bytes]]


class Request(Struct, frozen=True):
    """What to ask of a server: with a form or a body a POST or a PUT, without them a GET.

    `form` is sent form-encoded in UTF-8; a `body` as it is, and `headers` name its type. `token` is
    a user's; another kind of key is one of the headers. `seconds` is how long all of it may take,
    whatever comes and goes meanwhile.
    """

    url: str
    form: Mapping[str, str] | None = None
    token: str | None = None
    body: bytes | Stream | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    is_put: bool = False

    def __repr__(self) -> str:
        return f"Request({self.url!r})"

    @property
    def method(self) -> str:
        if self.is_put:
            return "PUT"
        return "GET" if self.form is None and self.body is None else "POST"

    def content(self) -> bytes | Stream | None:
        """Return the body, None if there is none."""
        return self.body if self.form is None else urlencode(self.form).encode()

    def all_headers(self) -> dict[str, str]:
        """Return the headers that are this request's own."""
        found = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.form is not None:
            found["Content-Type"] = FORM_TYPE
        return {**found, **self.headers}


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


# Makes one of the longest silence in seconds between two reads.
MakeHttp = Callable[[float], Http]
