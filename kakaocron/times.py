"""Times that a person names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from kakaocron.core.calendar import parse_delivery_id
from kakaocron.core.phrases import PhraseError, read_moment
from kakaocron.errors import UsageError


@contextmanager
def reading_times() -> Iterator[None]:
    """Turn a time that cannot be read into the error that the user sees."""
    try:
        yield
    except PhraseError as error:
        said = str(error)
        raise UsageError(said[:1].upper() + said[1:]) from None


def read_minute(text: str, now: datetime) -> datetime:
    """Read a minute, past or to come, or a delivery's id as that of its slot. Raises UsageError."""
    try:
        found = parse_delivery_id(text)[1]
    except ValueError:
        with reading_times():
            found = read_moment(text, now)
    return found.replace(second=0, microsecond=0)
