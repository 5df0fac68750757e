"""What kind of picture bytes hold, and how large: by their content, whatever their name says."""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A picture's type, and its size in pixels."""

    content_type: str
    width: int
    height: int


@dataclass(frozen=True)
class DrawnPicture(Picture):
    """A picture that the sandbox drew itself."""

    content: bytes


def look_at(content: bytes) -> Picture | None:
    """Return what the head of PNG, JPEG, GIF, WEBP or BMP says; None for anything else."""
    for kind, measure in _KINDS.items():
        try:
            size = measure(content)
        except (struct.error, IndexError):  # cut within its head
            return None
        if size is not None:
            width, height = size
            return Picture(f"image/{kind}", width, height) if width > 0 < height else None
    return None


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _gif(content: bytes) -> tuple[int, int] | None:
    if content[:6] not in {b"GIF87a", b"GIF89a"}:
        return None
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def _bmp(content: bytes) -> tuple[int, int] | None:
    if content[:2] != b"BM" or content[14:18] != b"\x28\0\0\0":
        return None
    width, height = struct.unpack_from("<ii", content, 18)
    return width, abs(height)  # below zero: its rows go from the top


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        width, more_width, height, more_height = struct.unpack_from("<HBHB", content, 24)
        return (width | more_width << 16) + 1, (height | more_height << 16) + 1
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Walk its segments to the frame, whose head has the size (ITU T.81, annex B)."""
    if content[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while content[at] == _MARKER:
        kind = content[at + 1]
        (length,) = struct.unpack_from(">H", content, at + 2)
        if kind in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + length
    return None


_MARKER = 0xFF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the others are tables

_KINDS: Mapping[str, Callable[[bytes], tuple[int, int] | None]] = {
    "png": _png,
    "jpeg": _jpeg,
    "gif": _gif,
    "webp": _webp,
    "bmp": _bmp,
}


def draw(width: int, height: int, grey: int = 0xCC) -> DrawnPicture:
    """Draw a plain grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([grey]) * width) * height)
    content = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    return DrawnPicture("image/png", width, height, content)


GREY = draw(800, 400)
