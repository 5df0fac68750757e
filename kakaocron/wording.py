"""Text for people that needs no Rich: a tick that is well imports none."""

from __future__ import annotations

import sys
from contextlib import suppress

from kakaocron.core.ledger import Delivery, State

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


def complain(text: str) -> None:
    """Print one line on stderr, whatever the text from outside that stands in it. A stderr that
    takes nothing (a full disk, a pipe without a reader) stops nothing."""
    with suppress(OSError):
        print(one_line(text), file=sys.stderr)


def sentence(delivery: Delivery) -> str:
    """Say in one line how a delivery ended badly, and what to do."""
    what = f"'{delivery.message}' of {delivery.slot:%Y-%m-%d %H:%M}"
    why = f"{delivery.reason}" + (f": {delivery.detail}" if delivery.detail else "")
    if delivery.state is State.UNKNOWN:
        return (
            f"Nobody can know whether {what} arrived ({why}). Look at the chat, then: "
            f"kakaocron resolve {delivery.id} --delivered (or --not-delivered)"
        )
    verb = "Missed" if delivery.state is State.MISSED else "Failed:"
    return f"{verb} {what} ({why}). To send it anyway: kakaocron retry {delivery.id}"
