"""The fields with which data fill placeholders, and where they come from. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from kakaocron.errors import Cause, ContentError
from kakaocron.text.causes import content_error
from kakaocron.text.placeholders import BUILT_IN
from kakaocron.text.plain import tidy_all

if TYPE_CHECKING:
    from kakaocron.text.sheets import Sheet


# How the names of files end that hold a table.
CSV, WORKBOOKS, OLD_WORKBOOK = (".csv", ".tsv"), (".xlsx", ".xls"), ".xls"


def is_table(file_name: str) -> bool:
    return file_name.lower().endswith((*CSV, *WORKBOOKS))


class Data(Struct, frozen=True):
    """What placeholders are filled from. `sheet` is the table that they come from, if it is one,
    and `read` says what was read, as the ledger keeps it."""

    fields: Mapping[str, Any]
    read: Cause | None = None
    sheet: Sheet | None = None

    def explained(self, error: ContentError) -> ContentError:
        """Return what is to be said of an error in the filling: of a placeholder without a value,
        which columns there are."""
        if self.sheet is None or error.cause.code != "no-value":
            return error
        return self.sheet.no_column(str(error.cause.facts["name"]))


def fields_of_json(content: bytes, name: str) -> dict[str, Any]:
    """Return the fields of a JSON object. Raises ContentError."""
    try:
        found = json.loads(decoded(content, name))
    except (ValueError, RecursionError) as error:
        raise content_error("no-json", name=name, error=str(error)[:80]) from None
    if not isinstance(found, dict):
        raise content_error("no-object", name=name)
    return checked_fields(found, f"'{name}'")


def checked_fields(found: Mapping[str, Any], whose: str) -> dict[str, Any]:
    """Return data as placeholders are filled from them. Raises ContentError for a field that is
    called as a placeholder of kakaocron's own: which of the two is meant, nobody can know."""
    try:
        fields: dict[str, Any] = tidy_all(found)
    except RecursionError:
        raise content_error("deep-data", name=whose) from None
    if taken := sorted(BUILT_IN & fields.keys()):
        raise content_error("taken-name", name=whose, field=taken[0])
    return fields


def decoded(content: bytes, name: str) -> str:
    """Return UTF-8 as text. Raises ContentError."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise content_error("not-utf8", name=name, at=error.start) from None


def read_json(name: str, fields: Mapping[str, Any]) -> Cause:
    return Cause("read-json", {"name": name, "count": len(fields)})
