"""A picture in the terminal: two pixels a character, one above the other."""

from __future__ import annotations

from io import BytesIO

from rich.text import Text

MOST_ROWS = 24
WHITE = (255, 255, 255)


class NoPillowError(Exception):
    """What decodes pictures is not installed."""


def half_blocks(picture: bytes, columns: int) -> Text | None:
    """Return a picture as wide as so many columns, or as high as a terminal has room for; None for
    one that cannot be decoded. Raises NoPillowError."""
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an extra
    except ImportError:
        raise NoPillowError from None
    try:
        with Image.open(BytesIO(picture)) as found:
            found.draft("RGB", (columns * 4, MOST_ROWS * 8))  # a JPEG need not be decoded whole
            small = found.convert("RGBA")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    small.thumbnail((columns, MOST_ROWS * 2))
    ground = Image.new("RGBA", (small.width, small.height + small.height % 2), (*WHITE, 255))
    ground.alpha_composite(small)
    rows = ground.convert("RGB")
    text = Text()
    for top in range(0, rows.height, 2):
        for column in range(rows.width):
            upper, lower = (_hex(rows.getpixel((column, top + half))) for half in (0, 1))
            text.append("▀", f"{upper} on {lower}")
        text.append("\n")
    return text


def _hex(pixel: object) -> str:
    red, green, blue = pixel if isinstance(pixel, tuple) else (0, 0, 0)
    return f"#{red:02x}{green:02x}{blue:02x}"
