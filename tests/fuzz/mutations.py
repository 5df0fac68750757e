"""Ways to spoil bytes: blindly, and knowing that they are lines, JSON or TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from zlib import crc32

INSTANTS = (
    "0001-01-01T00:00:00+09:00",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59+09:00",
    "9999-12-31T23:59:59.999999-23:59",
    "9999-12-31T23:59:59Z",
    "2026-11-23",
    "2026-11-23T09:30:00",
    "2026-11-23T09:30:00.123456789+09:00",
    "2026-11-23T24:00:00+09:00",
    "2026-02-29T09:30:00+09:00",
    "2026-W48-1T09:30:00+09:00",
    "20261123T093000+0900",
    "2026-11-23T09:30:00+09:00:59.999999",
    "+292278994-08-17T07:12:55Z",
    "1970-01-01T00:00:00Z",
    "2027-11-23T09:30:00+09:00",
)

# Written as they are into JSON: Python's own writer would not make some of them.
JSON_VALUES = (
    "null", "true", "false", "0", "-0", "-1", "1", "0.0", "-0.5", "1e400", "-1e400", "1e-400",
    "NaN", "Infinity", "-Infinity", "9223372036854775807", "9223372036854775808",
    "-9223372036854775809", "1" + "0" * 40, "1" + "0" * 5000, "253402300800", '""', '" "', '"x"',
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u001b[2J"', '"a\\nb"', '"\\r\\nX: y"',
    '"\\u202e"', "[]", "[[]]", "{}", "[null]", '[{}]', '{"":""}', '{"a":{"b":[1]}}', '["x"]',
    '"' + "가" * 3000 + '"', "[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000,
    "[" * 120_000, "-", "tru", "'x'", '"\t"', '"\\x"', "0x10", "01", "1_000", "[1,]",
    *(f'"{instant}"' for instant in INSTANTS),
)  # fmt: skip

TOML_VALUES = (
    "0", "-1", "1", "1.5", "-0.0", "true", "false", '""', '" "', '"x"', "'x'", "nan", "inf",
    "-inf", "1e400", "9223372036854775808", "1" + "0" * 5000, "[]", "[[]]", "{}", "[1, 'x']",
    "{ a = 1 }", "[{ a = [1] }]", "2026-11-23", "09:30:00", "2026-11-23T09:30:00Z",
    "0001-01-01T00:00:00+23:59", '"\\u0000"', '"\\u001b[2J"', '"""a\nb"""', '"\\U0010FFFF"',
    '"http://[::1"', '"http://127.0.0.1:99999"', '"http://user:pw@127.0.0.1/"', '"https://"',
    '"file:///etc/passwd"', '"{time"', '"{time:%"', '"{time.__class__}"', '"{0}"', '"{}"',
    '"{name!r}"', '"{score:>99999999}"', '["23:00-06:30"]', '"me"', '["me"]', '["me", "me"]',
    '"' + "가" * 3000 + '"', "[" * 3000 + "]" * 3000, '"0 0 30 2 *"', '"* * * * *"', '"@reboot"',
)  # fmt: skip

GARBAGE = (
    b"\0", b"\0" * 64, b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f", b"\xef\xbb\xbf", b"\n",
    b"\r\n", b"\r", b'"', b"{", b"}", b"[", b"\\", b",", b"=", b"#", b"%", b"\x1b[31m", b"\x7f",
    b"\xe2\x80\xa8", b"\x85", b"9" * 400, b"-", b" ", b"\t",
)  # fmt: skip

Spoil = Callable[[Random, bytes], bytes]


def _somewhere(random: Random, content: bytes) -> int:
    return random.randint(0, len(content))


def _span(random: Random, content: bytes) -> tuple[int, int]:
    start = _somewhere(random, content)
    return start, min(len(content), start + random.choice((1, 2, 8, 64, 1000)))


def flip_bits(random: Random, content: bytes) -> bytes:
    spoilt = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 3, 20)) if content else 0):
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
    return bytes(spoilt)


def drop_bytes(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + content[end:]


def repeat_bytes(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:end] + content[start:end] * random.choice((1, 2, 50)) + content[end:]


def insert_garbage(random: Random, content: bytes) -> bytes:
    at = _somewhere(random, content)
    return content[:at] + random.choice(GARBAGE) + content[at:]


def overwrite_with_nul(random: Random, content: bytes) -> bytes:
    start, end = _span(random, content)
    return content[:start] + b"\0" * (end - start) + content[end:]


def cut_short(random: Random, content: bytes) -> bytes:
    return content[: _somewhere(random, content)]


def cut_the_beginning(random: Random, content: bytes) -> bytes:
    return content[_somewhere(random, content) :]


def swap_lines(random: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines)


def repeat_a_line(random: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    lines.insert(random.randint(0, len(lines)), random.choice(lines))
    return b"".join(lines)


def drop_a_line(random: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    del lines[random.randrange(len(lines))]
    return b"".join(lines)


def long_line(random: Random, content: bytes) -> bytes:
    filler = random.choice((b"x", b"\0", b" ", b"[", b'{"v":1,', b"9", "가".encode()))
    size = random.choice((70_000, 1_100_000, 10_000_000))
    long = (filler * (size // len(filler) + 1))[:size]
    return random.choice((content + long, content + b"\n" + long + b"\n", long + content, long))


def replace_all(random: Random, content: bytes) -> bytes:
    return random.choice(
        (b"", b"\n", b"\0" * len(content), random.randbytes(200), b"garbage\n", b"{}", b"[]",
         b"null", b"0", b'""', b"<!doctype html>", b"\xff\xfe" + content[:40], b"\x1f\x8b\x08\0")
    )  # fmt: skip


def recode(random: Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    codec = random.choice(("utf-16", "utf-8-sig", "utf-32", "euc-kr", "latin-1"))
    return text.encode(codec, "replace")


def dos_lines(_: Random, content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def other_digits(random: Random, content: bytes) -> bytes:
    numbers = list(re.finditer(rb"\d+", content))
    if not numbers:
        return content
    found = random.choice(numbers)
    number = random.choice((b"0", b"9" * len(found[0]), b"-1", b"9" * 30, b"99", b"1" * 5000))
    return content[: found.start()] + number + content[found.end() :]


BLIND: tuple[Spoil, ...] = (
    flip_bits, flip_bits, drop_bytes, repeat_bytes, insert_garbage, insert_garbage,
    overwrite_with_nul, cut_short, cut_the_beginning, swap_lines, repeat_a_line, drop_a_line,
    long_line, replace_all, recode, dos_lines, other_digits,
)  # fmt: skip


def _raw(text: str) -> str:
    """Return what stands for text that is to be written into JSON as it is."""
    return f"@@{JSON_VALUES.index(text)}@@"


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a JSON value."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        found = [(value, key) for key in value]
    elif isinstance(value, list):
        found = [(value, index) for index in range(len(value))]
    return found + [place for container, key in found for place in _places(container[key])]


def spoil_value(random: Random, value: Any) -> Any:
    """Change, drop or add something somewhere in a JSON value."""
    places = _places(value)
    if not places or random.random() < 0.03:
        return _raw(random.choice(JSON_VALUES))
    container, key = random.choice(places)
    kind = random.random()
    if kind < 0.7:
        container[key] = _raw(random.choice(JSON_VALUES))
    elif kind < 0.8:
        del container[key]
    elif kind < 0.9 and isinstance(container, dict):
        container[random.choice(("x", "", "v", "\ud800", "code", str(key) * 2))] = container[key]
    else:
        other, other_key = random.choice(places)
        container[key] = json.loads(json.dumps(other[other_key]))
    return value


def as_json(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"))
    return re.sub(r'"@@(\d+)@@"', lambda found: JSON_VALUES[int(found[1])], text).encode()


def spoil_json(random: Random, content: bytes) -> bytes:
    """Spoil a JSON document in its structure; what is none is spoilt blindly."""
    try:
        value = json.loads(content)
        for _ in range(random.choice((1, 1, 2, 4))):
            value = spoil_value(random, value)
        return as_json(value) + b"\n"
    except (ValueError, RecursionError):
        return random.choice(BLIND)(random, content)


_CHECKED = re.compile(rb'(\{.*),"crc":"[0-9a-f]{8}"\}')


def forge_line(random: Random, content: bytes) -> bytes:
    """Spoil one line of a ledger in its structure, with a checksum that is right again."""
    lines = content.split(b"\n")
    numbers = [n for n, line in enumerate(lines) if _CHECKED.fullmatch(line)]
    if not numbers:
        return content
    number = random.choice(numbers)
    found = _CHECKED.fullmatch(lines[number])
    assert found is not None
    spoilt = spoil_json(random, found[1] + b"}").rstrip(b"\n")
    lines[number] = b'%b,"crc":"%08x"}' % (spoilt[:-1], crc32(spoilt))
    return b"\n".join(lines)


_TOML_LINE = re.compile(rb"^(\s*[^#\[\]=]+?\s*=\s*)(.+)$", re.MULTILINE)


def spoil_toml(random: Random, content: bytes) -> bytes:
    """Give a key another value, or a line another key, or repeat one."""
    found = list(_TOML_LINE.finditer(content))
    if not found:
        return content
    one = random.choice(found)
    value = random.choice(TOML_VALUES).encode()
    kind = random.random()
    if kind < 0.75:
        return content[: one.start(2)] + value + content[one.end(2) :]
    if kind < 0.85:
        return content[: one.start()] + b"x" + content[one.start() :]
    return content[: one.end()] + b"\n" + one[1] + value + content[one.end() :]


def several(random: Random, spoils: Sequence[Spoil], content: bytes) -> tuple[str, bytes]:
    """Apply one way, or a few; return their names too."""
    names = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        spoil = random.choice(spoils)
        names.append(spoil.__name__)
        content = spoil(random, content)
    return "+".join(names), content
