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

    return SouthKorea()  # type: ignore[no-untyped-call]


def is_holiday(day: date) -> bool:
    return day in _korean()
