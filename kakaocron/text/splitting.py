"""Long texts: cut into parts or short, never inside what a reader sees as one character. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kakaocron.text.causes import content_error
from kakaocron.text.plain import utf16_units

ELLIPSIS = "…"
MAX_PARTS = 99
# A line or word break is taken if the part keeps at least this share of the room.
LEAST_SHARE = 0.3


def graphemes(text: str) -> list[str]:
    """Return what a reader sees as single characters: emoji families, Hangul jamo, accents."""
    import regex  # noqa: PLC0415 - long texts alone need it, and it takes a while to load

    found: list[str] = regex.findall(r"\X", text)
    return found


def counts(text: str) -> dict[str, int]:
    """Return how long a text is, as facts of a cause: in the characters that a reader sees, and in
    those that count."""
    return {"seen": len(graphemes(text)), "units": utf16_units(text)}


def truncated(text: str, limit: int) -> str:
    """Return the text, or as much of it as fits into `limit` UTF-16 units before an ellipsis."""
    if utf16_units(text) <= limit:
        return text
    pieces = graphemes(text)
    end = _fitting(pieces, 0, limit - utf16_units(ELLIPSIS))
    return "".join(pieces[:end]) + ELLIPSIS


def split(text: str, limit: int) -> list[str]:
    """Return the text in parts of at most `limit` UTF-16 units, numbered as in `(1/3) `.

    Without their numbers the parts join to the text. Raises ContentError.
    """
    if utf16_units(text) <= limit:
        return [text]
    pieces = graphemes(text)
    for digits in (1, 2):
        room = limit - utf16_units(label("9" * digits, "9" * digits))
        bodies = _bodies(pieces, room)
        if len(bodies) < 10**digits:
            total = str(len(bodies))
            return [label(str(n), total) + body for n, body in enumerate(bodies, 1)]
    raise content_error("many-parts", **counts(text), most=MAX_PARTS)


def label(number: str, total: str) -> str:
    return f"({number}/{total}) "


def _bodies(pieces: Sequence[str], room: int) -> list[str]:
    bodies: list[str] = []
    start = 0
    while start < len(pieces):
        if len(bodies) > MAX_PARTS:
            break
        end = _fitting(pieces, start, room)
        if end == start:
            raise content_error("long-character")
        if end < len(pieces):
            end = _break_before(pieces, start, end)
        bodies.append("".join(pieces[start:end]))
        start = end
    return bodies


def _fitting(pieces: Sequence[str], start: int, room: int) -> int:
    """Return the index after the last piece that fits."""
    used, end = 0, start
    while end < len(pieces):
        used += utf16_units(pieces[end])
        if used > room:
            break
        end += 1
    return end


def _break_before(pieces: Sequence[str], start: int, end: int) -> int:
    """Move a cut back to the end of a line, or else of a word, if that leaves enough."""
    least = start + max(1, int((end - start) * LEAST_SHARE))
    for is_break in (_ends_a_line, str.isspace):
        for cut in range(end, least - 1, -1):
            if is_break(pieces[cut - 1]):
                return cut
    return end


def _ends_a_line(piece: str) -> bool:
    return piece in {"\n", "\r\n", "\r"}
