"""Text from outside made harmless, and measured. Pure."""

from __future__ import annotations


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


LONGEST_LINE = 1000  # characters

# For terminals of another encoding than UTF-8: a mark must not turn into another one.
_PLAIN = {"✓": "v", "✗": "x", "▸": ">", "▹": ">", "↻": "~", "–": "-", "…": "...", "·": "."}


def in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    """Handle what an output cannot encode, as codecs.register_error wants it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end


def clean(text: str) -> str:
    """Make text from outside harmless to a terminal: no control characters, no markup."""
    return "".join(c if c.isprintable() else "·" for c in text)


def one_line(text: str) -> str:
    """Make of text from outside, however long, one line for a terminal."""
    line = clean(" ".join(text.split()))
    if len(line) <= LONGEST_LINE:
        return line
    half = LONGEST_LINE // 2  # its beginning says where, its end what to do
    return f"{line[:half]} … {line[-half:]}"


def is_secret(value: object) -> bool:
    """Say whether a token or a key may be of this form: it must go into a line of HTTP."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value
