"""Every answer that kakaocron reads, spoilt in every way; then quiet minutes."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest
from tests.fuzz.files import Tally
from tests.fuzz.house import Done, House
from tests.fuzz.judge import faults, twice
from tests.fuzz.mutations import BLIND, JSON_VALUES, several, spoil_json
from tests.fuzz.server import Reply, as_bytes

PATHS = {
    "message": re.compile(r"/v[12]/api/talk/(memo|friends/message)/"),
    "friend message": re.compile(r"/v1/api/talk/friends/message/"),
    "token": re.compile(r"/oauth/token"),
    "consent": re.compile(r"/oauth/authorize"),
    "friends": re.compile(r"/v1/api/talk/friends$"),
    "scopes": re.compile(r"/v2/user/scopes"),
    "me": re.compile(r"/v2/user/me"),
    "token info": re.compile(r"/v1/user/access_token_info"),
    "logout": re.compile(r"/v1/user/logout"),
    "doctor": re.compile(r"/$"),
    "ping": re.compile(r"/ping"),
    "any": re.compile(""),
}
# Which command asks what, and a token that is too old where it is to be renewed.
COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "message": (("tick",), ("send", "hand-TEXT"), ("retry", "rests@20261123T0930")),
    "friend message": (
        ("tick",),
        ("send", "hand-TEXT", "--to", "지우", "--to", "하준", "--to", "uuid-ccc"),
    ),
    "token": (("tick",), ("send", "hand-TEXT"), ("friends",), ("doctor", "--json"), ("login",)),
    "consent": (("login",),),
    "friends": (("friends",), ("friends", "--json"), ("doctor",)),
    "scopes": (("login",), ("doctor",)),
    "me": (("login",),),
    "token info": (("doctor",), ("doctor", "--json")),
    "logout": (("logout",),),
    "doctor": (("doctor",), ("doctor", "--json")),
    "ping": (("tick",),),
    "any": (("tick",), ("doctor",), ("send", "hand-TEXT"), ("friends",)),
}

STATUS_LINES = (
    b"HTTP/1.1 999 Odd", b"HTTP/1.1 200", b"HTTP/1.1  200 OK", b"HTTP/2 200", b"HTTP/1.1 -1 X",
    b"HTTP/1.1 20O OK", b"HTTP/1.1 000 X", b"HTTP/0.9 200 OK", b"", b"HTTP/1.1", b"ICY 200 OK",
    b"HTTP/1.1 200 " + b"O" * 70_000, b"HTTP/1.1 200 \xff\xfe", b"HTTP/1.1 200\xa0OK", b"\0" * 20,
    b"HTTP/1.1 99999999999999999999 X", b"SSH-2.0-OpenSSH_9.2", b"\x16\x03\x01\x02", b"{",
    b"HTTP/1.1 100 Continue", b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 103 Early Hints",
    b"HTTP/1.1 204 No Content", b"HTTP/1.1 206 Partial", b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 407 Proxy", b"HTTP/1.1 600 X", b"http/1.1 200 ok", b"HTTP/1.1 2e2 OK",
    b"<!doctype html>",
)  # fmt: skip
LOCATIONS = (
    b"http://127.0.0.1:9/", b"/oauth/token", b"//evil.invalid/", b"http://[::1", b"javascript:1",
    b"", b"\xff\xfe", b"http://127.0.0.1:99999/", b"file:///etc/passwd", b"x" * 70_000, b"SELF",
)  # fmt: skip
HEADERS = (
    b"Content-Length: -1", b"Content-Length: 99999999999999999999", b"Content-Length: NaN",
    b"Content-Length: 1\r\nContent-Length: 2", b"Content-Length: 0x10", b"Content-Length: ",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: x",
    b"Content-Encoding: gzip", b"Content-Encoding: deflate", b"Content-Encoding: br",
    b"Content-Encoding: zstd", b"Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip",
    b"Content-Encoding: \xff", b"Content-Type: application/json; charset=utf-16",
    b"Content-Type: text/html; charset=rot13", b"Content-Type: \x1b[2J; charset=\xff",
    b"Content-Type: " + b"x" * 60_000, b"Content-Type: ;;;=,", b"Content-Type:",
    b"Date: Thu, 01 Jan 1970 00:00:00 GMT", b"Date: Fri, 31 Dec 9999 23:59:59 GMT",
    b"Date: Mon, 23 Nov 2026 00:45:01 -0000", b"Date: Mon, 23 Nov 2026 00:45:01 +9999",
    b"Date: 99999999999999999999", b"Date: Sat, 00 Foo 0000 99:99:99 GMT", b"Date: \xff\xfe",
    b"Date: Mon, 1 Jan 0001 00:00:00 +2359", b"Date: Mon, 23 Nov 99999 00:00:00 GMT", b"Date:",
    b"Set-Cookie: a=b; expires=Thu, 99 Foo 99999; domain=.invalid; path=//", b"Set-Cookie: \xff=",
    b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade\r\nUpgrade: h2c",
    b"Retry-After: -5", b"Retry-After: 99999999999", b"WWW-Authenticate: Basic realm=\"\xff",
    b"no colon at all", b": no name", b" folded", b"X: \0", b"X\0: y", b"X: " + b"y" * 70_000,
    b"\r\n".join(b"X-%d: y" % n for n in range(300)), b"X: y\n\tz", b"\xff\xfe: \xfd", b"X: \r y",
    b"Alt-Svc: h3=\":9\"", b"Link: <x>; rel=next", b"Trailer: X", b"Content-MD5: x", b"Age: -1",
)  # fmt: skip
BOMB = gzip.compress(b" " * 1_000_000) * 60  # as quickly made as one part of it
ODD_BODIES = (
    b"", b" ", b"null", b"[]", b"{}", b"0", b'"x"', b"true", b"NaN", b"[NaN]", b"\0", b"\xff" * 50,
    b"<!doctype html><title>Wi-Fi</title>", b"[" * 200_000, b'{"a":' * 100_000, b"x" * 2_000_000,
    b'{"code":' + b"9" * 5000 + b"}", b"\xef\xbb\xbf{}", '{"code":-1}'.encode("utf-16"),
    gzip.compress(b'{"result_code":"x"}'), b"\x1f\x8b\x08\0\0\0\0\0", zlib.compress(b"{}")[:-3],
    b'{"msg":"' + b"x" * 50_000 + b'","code":"\\ud800"}', b'{"result_code":0.0}',
    b'{"result_code":false}', b'{"result_code":null}', b'{"result_code":"0"}',
    b'{"result_code":1e400}', b'{"result_code":-0.0}', b'{"result_code":[]}',
)  # fmt: skip


@dataclass
class Case:
    """One try: what was asked, what was answered, and what came of it."""

    seed: int
    target: str
    what: str = ""
    asked: list[str] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    has_lied: bool = False
    log: list[Done] = field(default_factory=list)

    def __str__(self) -> str:
        answers = "\n".join(f"  {asked}: {sent[:600]!r}" for asked, sent in self.exchanges())
        head = f"seed {self.seed}: {self.target} answered with {self.what}\n{answers}"
        return head + "\n" + "\n".join(map(str, self.log))

    def exchanges(self) -> Iterator[tuple[str, bytes]]:
        return iter(list(zip(self.asked, self.sent, strict=False))[:3])


def try_answers(house: House, seed: int, tally: Tally) -> list[str]:
    """Let one command meet spoilt answers, live on, and say what is wrong with how that went."""
    random = Random(seed)
    house.restore()
    case = Case(seed, random.choice(list(PATHS)))
    found: list[str] = []
    with house.lived_in():
        before = house.received()
        if case.target in {"token", "any"}:
            let_the_token_die(house)
        for clock_time, argv in _steps(random, case):
            house.set(clock_time)
            is_first = not case.log
            house.server.hostile = _hostile(random, case) if is_first else None
            stdin = b"http-code-1234567890\n" if argv[0] == "login" else b""
            done = house.kakaocron(*argv, stdin=stdin)
            case.log.append(done)
            tally.commands += 1
            tally.codes[done.code] += 1
            found += faults(done, house)
            if found:
                break
        if not case.has_lied:
            found += twice(before, house)
    tally.cases += 1
    tally.ways[f"{case.target}: {case.what}"] += 1
    return [f"{fault}\n{case}" for fault in found]


def let_the_token_die(house: House) -> None:
    path = house.path("data/tokens.json")
    fields = json.loads(path.read_bytes())
    fields["access_expires_at"] = "2026-11-23T09:00:00+09:00"
    path.write_bytes(json.dumps(fields).encode())


def _steps(random: Random, case: Case) -> list[tuple[str, tuple[str, ...]]]:
    words = random.choice(COMMANDS[case.target])
    words = tuple(word.replace("TEXT", str(case.seed)) for word in words)
    if words == ("login",):
        words = ("login", "--no-browser")
    first = "09:45:01" if words == ("tick",) else "09:32:30"
    return [(first, words), ("09:46:01", ("tick",)), ("09:48:01", ("tick",))]


def _hostile(
    random: Random, case: Case
) -> Callable[[WireRequest, Callable[[], WireAnswer]], Reply | None]:
    make = random.choice(WAYS)
    case.what = make.__name__
    seed = random.random()
    most = random.choice((1, 2, 100))

    def hostile(request: WireRequest, handled: Callable[[], WireAnswer]) -> Reply | None:
        if not PATHS[case.target].search(request.path) or len(case.sent) >= most:
            return None
        is_message = PATHS["message"].search(request.path) is not None
        # Threads send side by side: what each is told depends on what it sends. All others ask in
        # turn, with a port and tokens that no seed decides.
        which = request.body if is_message else len(case.sent)
        own = Random(f"{seed} {request.method} {request.path} {which!r}")
        is_taken = own.random() < 0.5
        answer = handled() if is_taken or not is_message else _not_taken(own)
        reply, shown = make(own, answer)
        if is_message and is_taken and _may_say_no(shown):
            case.has_lied = True  # a refusal of what was taken: no client can know
        case.asked.append(f"{request.method} {request.path}")
        case.sent.append(shown)
        return reply

    return hostile


def _not_taken(random: Random) -> WireAnswer:
    body = random.choice((b'{"code":-10,"msg":"limit"}', b'{"code":-1}', b'{"result_code":"x"}'))
    return WireAnswer(random.choice((200, 400, 500)), {"Content-Type": "application/json"}, body)


def _may_say_no(shown: bytes) -> bool:
    """Say whether an answer may be read as a refusal: of the token, by a limit, with a code."""
    head, _, body = shown.partition(b"\r\n\r\n")
    return bool(re.search(rb"code", body) and re.search(rb"-", body)) or bool(
        re.match(rb"HTTP/\S+\s+(401|429)", head)
    )


Made = tuple[Reply, bytes]


def _once(content: bytes, ending: str = "close") -> Made:
    return Reply([content], ending=ending), content


def _with_body(answer: WireAnswer, body: bytes) -> bytes:
    return as_bytes(WireAnswer(answer.status, answer.headers, body))


def spoilt_json(random: Random, answer: WireAnswer) -> Made:
    return _once(_with_body(answer, spoil_json(random, answer.body)))


def other_value(random: Random, answer: WireAnswer) -> Made:
    """Give one of Kakao's own fields a value of a wrong type."""
    try:
        fields = json.loads(answer.body)
        key = random.choice(list(fields))
    except (ValueError, IndexError, TypeError):
        return spoilt_json(random, answer)
    fields[key] = "@@"
    value = random.choice(JSON_VALUES)
    return _once(_with_body(answer, json.dumps(fields).replace('"@@"', value).encode()))


def spoilt_body(random: Random, answer: WireAnswer) -> Made:
    return _once(_with_body(answer, several(random, BLIND, answer.body)[1]))


def odd_body(random: Random, answer: WireAnswer) -> Made:
    status = random.choice((200, 200, 400, 401, 500, answer.status))
    return _once(as_bytes(WireAnswer(status, answer.headers, random.choice(ODD_BODIES))))


def spoilt_whole(random: Random, answer: WireAnswer) -> Made:
    return _once(several(random, BLIND, as_bytes(answer))[1], random.choice(("close", "reset")))


def other_status(random: Random, answer: WireAnswer) -> Made:
    number = random.choice(list(range(100, 600)))
    head, _, rest = as_bytes(answer).partition(b"\r\n")
    del head
    first = random.choice((*STATUS_LINES, *(b"HTTP/1.1 %d X" % number,) * 20))
    return _once(first + b"\r\n" + rest)


def other_headers(random: Random, answer: WireAnswer) -> Made:
    head, _, body = as_bytes(answer).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    for _ in range(random.choice((1, 1, 2, 4))):
        lines.insert(random.randint(1, len(lines)), random.choice(HEADERS))
    if random.random() < 0.4:
        lines = [line for line in lines if not line.startswith(b"Content-Length: 0")]
        lines = [line for line in lines if not re.match(rb"Content-Length: \d+$", line)]
    return _once(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def redirect(random: Random, answer: WireAnswer) -> Made:
    status = random.choice((301, 302, 303, 307, 308, 300, 305))
    location = random.choice(LOCATIONS)
    return _once(
        b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: %d\r\n\r\n%b"
        % (status, location, len(answer.body), answer.body)
    )


def compressed(random: Random, answer: WireAnswer) -> Made:
    packed = random.choice(
        (gzip.compress(answer.body), gzip.compress(answer.body)[:-5], b"\x1f\x8b", BOMB,
         zlib.compress(answer.body), gzip.compress(BOMB[:100_000]), answer.body)
    )  # fmt: skip
    coding = random.choice((b"gzip", b"deflate", b"br", b"x-gzip", b"identity", b"GZIP"))
    head = b"HTTP/1.1 %d X\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    return _once(head % (answer.status, coding, len(packed)) + packed)


def chunked(random: Random, answer: WireAnswer) -> Made:
    half = len(answer.body) // 2
    first, second = answer.body[:half], answer.body[half:]
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(first), first, len(second), second)
    broken = random.choice((
        chunks, chunks[: random.randrange(len(chunks))], chunks.replace(b"0\r\n\r\n", b""),
        b"FFFFFFFFFFFFFFFF\r\n" + answer.body, b"-1\r\n" + answer.body, b"zz\r\n" + answer.body,
        b"\r\n" + chunks, b"5;" + b"x" * 70_000 + b"\r\n", b"0\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"5\n" + answer.body, b"1_0\r\n" + answer.body, several(random, BLIND, chunks)[1],
    ))  # fmt: skip
    head = b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % answer.status
    return _once(head + broken, random.choice(("close", "reset", "stall")))


def cut(random: Random, answer: WireAnswer) -> Made:
    whole = as_bytes(answer)
    return _once(whole[: random.randrange(len(whole))], random.choice(("close", "reset", "stall")))


def nothing(random: Random, _: WireAnswer) -> Made:
    return Reply([], ending=random.choice(("close", "reset", "stall"))), b""


def twice_over(random: Random, answer: WireAnswer) -> Made:
    other = random.choice((as_bytes(answer), random.randbytes(300), b"HTTP/1.1 500 X\r\n\r\n"))
    return _once(as_bytes(answer) + other, random.choice(("close", "keep")))


def _for_ever(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def without_end(random: Random, answer: WireAnswer) -> Made:
    """Drip on for longer than anybody may wait."""
    head = as_bytes(answer).partition(b"\r\n\r\n")[0]
    begun, piece = random.choice((
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"), (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "), (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b"x"),
        (re.sub(rb"Content-Length: \d+", b"Content-Length: 9999", head) + b"\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + BOMB[:200], b"\0" * 100),
    ))  # fmt: skip

    def pieces() -> Iterator[bytes]:
        yield begun
        yield from _for_ever(piece)

    return Reply(pieces(), pause=random.choice((0.01, 0.1, 0.3))), begun + piece * 3


def flood(random: Random, answer: WireAnswer) -> Made:
    """Send much, fast."""
    piece = random.choice((b"HTTP/1.1 100 Continue\r\n\r\n" * 100, b"X" * 65536, b"X: y\r\n" * 900))
    begun = random.choice((b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"))
    del answer

    def pieces() -> Iterator[bytes]:
        yield begun
        for _ in range(300):
            yield piece

    return Reply(pieces()), begun + piece


Way = Callable[[Random, WireAnswer], Made]
WAYS: tuple[Way, ...] = (
    spoilt_json, spoilt_json, spoilt_json, other_value, other_value, other_value, spoilt_body,
    odd_body, odd_body, spoilt_whole, other_status, other_status, other_headers, other_headers,
    redirect, compressed, chunked, cut, nothing, twice_over, without_end, flood,
)  # fmt: skip
