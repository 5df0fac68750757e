"""An HTTP/1.1 answer, read to the letter of RFC 9112: whatever is odd in it is no answer. Pure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from kakaocron.errors import Cause
from kakaocron.states import Reason
from kakaocron.system.http import Answer
from kakaocron.text.causes import in_words

MAX_ANSWER_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 16
MAX_HEADERS = 100
MAX_INTERIM_ANSWERS = 100
SWITCHING_PROTOCOLS = 101
BODILESS = frozenset({204, 304})
GOOD_STATUSES = range(200, 300)

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\x00\r\n]*)?")
# No blank before the colon, none at the start of a line, as a folded header has it (§5.1, §5.2).
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\x00\r\n]*)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\x00\r\n]*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")


class OddAnswerError(Exception):
    """What came is no whole and plain answer; the cause says why."""

    reason = Reason.CONNECTION_RESET

    def __init__(self, code: str, /, **facts: str | int) -> None:
        self.cause = Cause(code, facts)
        super().__init__(in_words(self.cause))


class TooLongError(OddAnswerError):
    """What came is longer than any answer of Kakao's."""

    reason = Reason.UNPROVEN_ANSWER

    def __init__(self) -> None:
        super().__init__("long-answer", most=MAX_ANSWER_BYTES)


class Incoming:
    """The bytes that one connection brings; `receive` gives the next, or b"" at the end."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._read = bytearray()

    @property
    def left(self) -> bytes:
        """What has come beyond what was read."""
        return bytes(self._read)

    def line(self) -> bytes:
        """Return the bytes up to a line's end and without it. Raises OddAnswerError."""
        searched = 0
        while (end := self._read.find(b"\n", searched)) < 0:
            searched = len(self._read)
            if searched > MAX_LINE_BYTES:
                raise OddAnswerError("endless-line")
            self._expect_more()
        return self._cut(end + 1)[:-1].removesuffix(b"\r")

    def exactly(self, size: int) -> bytes:
        """Return so many bytes. Raises OddAnswerError if fewer come, or if they are too many."""
        if size > MAX_ANSWER_BYTES:
            raise TooLongError
        while len(self._read) < size:
            self._expect_more()
        return self._cut(size)

    def rest(self) -> bytes:
        """Return all up to the end. Raises TooLongError."""
        while some := self._receive():
            self._read += some
            if len(self._read) > MAX_ANSWER_BYTES:
                raise TooLongError
        return self._cut(len(self._read))

    def _cut(self, size: int) -> bytes:
        found = bytes(self._read[:size])
        del self._read[:size]
        return found

    def _expect_more(self) -> None:
        some = self._receive()
        if not some:
            raise OddAnswerError("broke-off")
        self._read += some


class Head(Struct, frozen=True):
    """The status line and the headers; names are in lower case, repeated ones joined by commas."""

    minor_version: int
    status: int
    headers: Mapping[str, str]


def read_answer(incoming: Incoming) -> Answer:
    """Read the answer to the only request of a connection. Raises OddAnswerError, OSError."""
    head = read_head(incoming)
    body = _decoded(_body(head, incoming), head.headers.get("content-encoding", ""))
    # A second answer may overrule a no. A yes stands: nothing takes a message back.
    if head.status not in GOOD_STATUSES and incoming.left.strip(b"\r\n"):
        raise OddAnswerError("two-answers")
    return Answer(head.status, head.headers, body)


def read_head(incoming: Incoming) -> Head:
    """Read past the interim answers (100, 102, 103) to the head of the real one.

    Raises OddAnswerError, OSError.
    """
    for _ in range(MAX_INTERIM_ANSWERS + 1):
        head = _one_head(incoming)
        if head.status == SWITCHING_PROTOCOLS:
            raise OddAnswerError("other-protocol")
        if head.status not in range(100, 200):
            return head
    raise OddAnswerError("only-interim")


def _one_head(incoming: Incoming) -> Head:
    status_line = _STATUS_LINE.fullmatch(incoming.line())
    if status_line is None:
        raise OddAnswerError("not-http")
    return Head(int(status_line[1]), int(status_line[2]), _headers(incoming))


def _headers(incoming: Incoming) -> dict[str, str]:
    found: dict[str, str] = {}
    for _ in range(MAX_HEADERS + 1):
        line = incoming.line()
        if not line:
            return found
        header = _HEADER.fullmatch(line)
        if header is None:
            raise OddAnswerError("bad-header")
        name, value = header[1].decode("ascii").lower(), header[2].strip(b" \t").decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    raise OddAnswerError("many-headers", most=MAX_HEADERS)


def _body(head: Head, incoming: Incoming) -> bytes:
    """Read the body as RFC 9112 §6.3 has it, and refuse what it calls an error."""
    coding, lengths = head.headers.get("transfer-encoding"), head.headers.get("content-length")
    if coding is not None:
        if lengths is not None or coding.lower() != "chunked" or head.minor_version == 0:
            raise OddAnswerError("unclear-length")
        return b"" if head.status in BODILESS else _chunks(incoming)
    length = None if lengths is None else _length(lengths.split(","))
    if head.status in BODILESS:
        return b""
    return incoming.rest() if length is None else incoming.exactly(length)


def _length(values: Iterable[str]) -> int:
    """Return the length; a proxy may have written the same one twice."""
    different = {value.strip(" \t") for value in values}
    length = different.pop()
    if different or _LENGTH.fullmatch(length) is None:
        raise OddAnswerError("bad-length")
    return int(length)


def _chunks(incoming: Incoming) -> bytes:
    body = bytearray()
    while size := _chunk_size(incoming):
        body += incoming.exactly(size)
        if len(body) > MAX_ANSWER_BYTES:
            raise TooLongError
        if incoming.line():
            raise OddAnswerError("bad-chunk-end")
    _headers(incoming)  # the trailer, of which nothing is needed
    return bytes(body)


def _chunk_size(incoming: Incoming) -> int:
    size = _CHUNK_SIZE.fullmatch(incoming.line())
    if size is None:
        raise OddAnswerError("bad-chunk-size")
    return int(size[1], 16)


def _decoded(body: bytes, coding: str) -> bytes:
    """Undo gzip. It was not asked for, but some proxies use it all the same."""
    if not body or coding.lower() in {"", "identity"}:
        return body
    if coding.lower() not in {"gzip", "x-gzip"}:
        raise OddAnswerError("odd-coding")
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(body, MAX_ANSWER_BYTES)
    except zlib.error:
        raise OddAnswerError("no-gzip") from None
    if unpacker.unconsumed_tail:
        raise TooLongError
    if not unpacker.eof or unpacker.unused_data:
        raise OddAnswerError("bad-gzip")
    return unpacked
