"""The one door for error lines."""

from __future__ import annotations

import sys
from contextlib import suppress

from kakaocron.text.plain import one_line


def complain(text: str) -> None:
    """Print one line on stderr, whatever the text from outside that stands in it. A stderr that
    takes nothing (a full disk, a pipe without a reader) stops nothing."""
    with suppress(OSError):
        print(one_line(text), file=sys.stderr)
