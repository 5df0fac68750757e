"""Korea's public holidays, lunar and substitute ones too. The one importer of `holidays`."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from kakaocron.language.words import _


def check_holidays() -> None:
    """Raise ValueError if the library is not there."""
    try:
        _korean()
    except ImportError:
        raise ValueError(
            _("needs the list of holidays: pip install 'kakaocron[holidays]'")
        ) from None


@cache
def _korean() -> Any:
    from holidays.countries.south_korea import SouthKorea  # noqa: PLC0415 - an extra

    # Without a language the names would be in that of LANG.
    return SouthKorea(language="ko")  # type: ignore[no-untyped-call]


def is_holiday(day: date) -> bool:
    return day in _korean()


def last_year() -> int:
    """Return the last year of the list; after it no day is a holiday, and nothing says so."""
    return int(_korean().end_year)
