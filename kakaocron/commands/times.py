"""Times that a person names."""

from collections.abc import Iterator
from contextlib import contextmanager

from kakaocron.core.phrases import PhraseError
from kakaocron.errors import UsageError


@contextmanager
def reading_times() -> Iterator[None]:
    """Turn a time that cannot be read into the error that the user sees."""
    try:
        yield
    except PhraseError as error:
        said = str(error)
        raise UsageError(said[:1].upper() + said[1:]) from None
