"""JSON that a server has sent, read strictly. Pure."""

from __future__ import annotations

import json
from typing import Any, TypeGuard


def json_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a body holds; None if it is anything else, or gives a name
    twice: which of two results holds nobody can know."""
    try:
        parsed = json.loads(body, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def is_int(value: object) -> TypeGuard[int]:
    """Say whether a value is a whole number: JSON's `true` is none, though Python's is."""
    return isinstance(value, int) and not isinstance(value, bool)
