"""JSON documents that say which version of their form they have. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kakaocron.errors import Cause
from kakaocron.text.causes import Facts, in_words

VERSION = 1


class DocumentError(ValueError):
    """No document of this kind: why is in its `cause`, without what is in the document."""

    def __init__(self, code: str, facts: Facts | None = None) -> None:
        self.cause = Cause(code, facts or {})
        super().__init__(in_words(self.cause))


class NewerDocumentError(DocumentError):
    """A document that a later kakaocron wrote."""

    def __init__(self, version: int) -> None:
        super().__init__("newer-format", {"format": version, "known": VERSION})
        self.version = version


def not_of_the_form(error: Exception) -> DocumentError:
    """Return what is wrong with a document whose fields were read until this error."""
    if isinstance(error, DocumentError):
        return error
    if isinstance(error, KeyError):
        return DocumentError("lacks-key", {"key": str(error.args[0])})
    if isinstance(error, ValueError):
        return DocumentError("bad-value", {"error": str(error)})
    return DocumentError("odd-form")


def with_version(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"v": VERSION, **fields}


def given_out(document: Any) -> Any:
    """Return a JSON document as it is given out: an object with its version, a list as it is."""
    return with_version(document) if isinstance(document, Mapping) else document


def versioned(content: bytes | str) -> dict[str, Any]:
    """Return the fields of a JSON object, without its version; one that has none is of the first.

    Raises DocumentError, for one of a later version NewerDocumentError.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise DocumentError("not-json") from None
    if not isinstance(document, dict):
        raise DocumentError("no-json-object")
    version = document.pop("v", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DocumentError("no-version-number")
    if version > VERSION:
        raise NewerDocumentError(version)
    return document
