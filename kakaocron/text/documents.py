"""JSON documents that say which version of their form they have. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

VERSION = 1


class NewerDocumentError(ValueError):
    """A document that a later kakaocron wrote; the text says so, without what is in it."""

    def __init__(self, version: int) -> None:
        super().__init__(f"a later kakaocron wrote it (format {version}; this one reads {VERSION})")
        self.version = version


def with_version(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"v": VERSION, **fields}


def given_out(document: Any) -> Any:
    """Return a JSON document as it is given out: an object with its version, a list as it is."""
    return with_version(document) if isinstance(document, Mapping) else document


def versioned(content: bytes | str) -> dict[str, Any]:
    """Return the fields of a JSON object, without its version; one that has none is of the first.

    Raises NewerDocumentError, and ValueError for what is no such object. Neither says what is in
    the document.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of a file, not of a caller
    version = document.pop("v", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError("its version is no number")
    if version > VERSION:
        raise NewerDocumentError(version)
    return document
