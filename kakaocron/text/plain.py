"""Text from outside made harmless, and measured. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from math import floor
from typing import Any


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


# ECMA-48: control sequences (colours, cursor), control strings (titles, links), other escapes.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b[ -/]*[0-~]?"
)
_LINE_ENDS = re.compile("\r*\n|[\r\v\f\x85\u2028\u2029]")
# All control characters but the tab and the line feed; the byte order mark, and what is none.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")


def tidy(text: str) -> str:
    """Return a text as a message may hold it: NFC (macOS writes Hangul as single jamo, which
    count double), lines that end with a line feed, no other control character than the tab."""
    text = _ESCAPES.sub("", text)
    if "\b" in text:
        text = _rubbed_out(text)
    return unicodedata.normalize("NFC", _CONTROLS.sub("", _LINE_ENDS.sub("\n", text)))


def tidy_all(value: Any) -> Any:
    """Return a value with every text in its tables and lists tidied, their keys too."""
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, Mapping):
        return {tidy_all(key): tidy_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tidy_all(item) for item in value]
    return value


def _rubbed_out(text: str) -> str:
    """Let each backspace take the character before it, as `man` prints bold letters."""
    kept: list[str] = []
    for character in text:
        if character != "\b":
            kept.append(character)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)


LONGEST_LINE = 1000  # characters


def account_variables(account: str) -> str:
    """Return how the names of an account's variables begin; the first account has no name."""
    return f"KAKAO_ACCOUNT_{account.upper().replace('-', '_')}_" if account else "KAKAO_"


def is_name(text: str, marks: str, most: int) -> bool:
    """Say whether a text is of letters (Latin or Hangul), digits and `marks`, begins with none of
    these, and has up to `most` characters."""
    # No pattern: one with all of Hangul in it takes a millisecond to compile.
    return (
        0 < len(text) <= most
        and text[0] not in marks
        and all(c in marks or (c.isascii() and c.isalnum()) or "가" <= c <= "힣" for c in text)
    )


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


def is_web_address(text: str) -> bool:
    """Say whether a text is an address of the web, with its scheme and without blanks."""
    return re.fullmatch(r"https?://[^\s/?#]+(?:[/?#]\S*)?", text) is not None


def address_shown(url: str) -> str:
    """Return what may be shown of an address: its scheme and host, and that there is more."""
    scheme, _, rest = url.partition("://")
    authority, *more = re.split("(?=[/?#])", rest, maxsplit=1)
    host = authority.rpartition("@")[2]
    return f"{scheme}://{host}{'/…' if more and more != ['/'] else ''}"


def is_secret(value: object) -> bool:
    """Say whether a token or a key may be of this form: it must go into a line of HTTP."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value


def in_percent(share: float) -> str:
    """Write a share from 0 to 1 in per cent, rounded down: what is not all is not 100.0%."""
    return f"{floor(share * 1000 + 1e-9) / 10:.1f}%"
