"""`kakaocron` alone: where one stands, and the next step."""

from __future__ import annotations

from kakaocron.errors import Exit
from kakaocron.show.next_step import print_standing


def where() -> int:
    """Show what is set up, and what to do next. Nothing is changed, and nothing is a fault."""
    print_standing(None)
    return Exit.FINE
