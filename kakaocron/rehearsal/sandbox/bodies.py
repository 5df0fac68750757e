"""What the dealers' requests have in common: JSON, phone numbers, templates."""

import json
import re
from collections.abc import Mapping
from typing import Any

from kakaocron.rehearsal.sandbox.wire import WireRequest

_MOBILE = re.compile(r"01[016789]\d{7,8}")
_VARIABLE = re.compile(r"#\{([^{}]+)\}")


def json_body(request: WireRequest) -> dict[str, Any] | None:
    """Return the JSON object that a request holds, None for anything else."""
    kind = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_mobile(number: object) -> bool:
    return isinstance(number, str) and _MOBILE.fullmatch(number) is not None


def filled(text: str, variables: Mapping[str, Any]) -> str | None:
    """Fill a template; None if a variable is missing, unknown, or no text."""
    wanted = set(_VARIABLE.findall(text))
    if wanted != variables.keys() or not all(isinstance(one, str) for one in variables.values()):
        return None
    return _VARIABLE.sub(lambda found: str(variables[found[1]]), text)
