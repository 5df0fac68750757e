"""Ledger lines in few words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from kakaocron.ledger.events import Event
from kakaocron.states import Reason, State

E = TypeVar("E", bound=Event)


def line(
    kind: type[E],
    at: datetime,
    id_: str,
    /,
    state: State | None = None,
    reason: Reason | None = None,
    detail: str | None = None,
    settled: datetime | None = None,
    **own: Any,
) -> E:
    """Return an event; `own` are the fields that only its kind has."""
    return kind(at=at, id=id_, state=state, reason=reason, detail=detail, settled=settled, **own)
