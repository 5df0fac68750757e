"""HTTP as the rest of kakaocron sees it: one request, one answer or failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

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
