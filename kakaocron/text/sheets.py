"""Tables from outside, such as a shop's orders: what placeholders say of them. Pure.

The first row that holds anything names the columns. The field of a column is what its cell in the
last row holds; with `_sum` and `_count` behind its name, of all its cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from msgspec import Struct

from kakaocron.errors import ContentError
from kakaocron.text.causes import content_error
from kakaocron.text.placeholders import BUILT_IN, SelfShown, in_korean
from kakaocron.text.plain import tidy

MAX_ROWS = 50_000
MAX_COLUMNS = 200
LAST, SUM, COUNT, ROW_COUNT = "_last", "_sum", "_count", "row_count"
MOST_NAMED = 20  # columns that an error lists
LONGEST_NAME = 40

# Byte order marks, and what Excel saves where it does not say UTF-8.
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_HANGUL = re.compile("[가-힣]")
_DELIMITERS = ",\t;"
# As people write a number in a table; more digits than these are none that anybody adds up.
_NUMBER = re.compile(r"₩? ?([+-]?)₩?(\d{1,3}(?:,\d{3})+|\d{1,30})(\.\d{1,30})? ?원?", re.ASCII)
# What Excel and Google show where a formula fails.
_ERRORS = frozenset(
    ["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#ERROR!", "#SPILL!"]
)
# Formats that put a text into a width, and do nothing else.
_OF_TEXT = re.compile(r"(?:.?[<>^])?(?:[1-9]\d*)?s?")


class Unreckoned(Struct, frozen=True):
    """A cell of a formula that nobody has reckoned: what wrote the file left it to Excel."""


Cell = str | int | float | bool | date | time | Unreckoned | None
SheetRow = tuple[int, Sequence[Cell]]  # its number, as people count, and its cells
SheetRows = Callable[[], Iterator[SheetRow]]


class Sheet(Struct, frozen=True):
    """A table: `name` is what errors call it, `rows` gives its rows each time that it is asked."""

    name: str
    rows: SheetRows
    heading_row: int
    headings: tuple[str, ...]
    count: int  # rows below the headings
    last: SheetRow

    def fault(self, code: str, row: int, column: int, **facts: str | int) -> ContentError:
        """Return the error of one cell."""
        heading = self.headings[column][:LONGEST_NAME]
        return content_error(code, name=self.name, row=row, column=heading, **facts)

    def no_column(self, field: str) -> ContentError:
        """Return the error of a placeholder that none of the columns is called by."""
        names = [name for heading in self.headings if (name := plain_name(heading))]
        known = ", ".join(name[:LONGEST_NAME] for name in names[:MOST_NAMED])
        more = ", …" if len(names) > MOST_NAMED else ""
        return content_error(
            "no-column", name=self.name, row=self.heading_row, field=field, known=f"{known}{more}"
        )

    def cells(self, column: int) -> Iterator[tuple[int, Cell]]:
        """Yield a column's cells below its heading that hold anything, with their rows."""
        for number, cells in self.rows():
            if number > self.heading_row and column < len(cells) and cells[column] is not None:
                yield number, cells[column]


def sheet_of(name: str, rows: SheetRows) -> Sheet:
    """Look through a table once. Raises ContentError for one that cannot be meant."""
    headings: tuple[str, ...] = ()
    heading_row, count = 0, 0
    last: SheetRow = (0, ())
    for number, cells in rows():
        if not headings:
            heading_row, headings = number, tuple(_heading(cell) for cell in cells)
            if len(headings) > MAX_COLUMNS:
                raise content_error("many-columns", name=name, most=MAX_COLUMNS)
            continue
        if any(cell is not None for cell in cells[len(headings) :]):
            raise content_error("wide-row", name=name, row=number, count=len(headings))
        count, last = count + 1, (number, cells)
        if count > MAX_ROWS:
            raise content_error("many-rows", name=name, most=MAX_ROWS)
    if not headings:
        raise content_error("empty-sheet", name=name)
    if not count:
        raise content_error("no-rows", name=name, row=heading_row)
    return Sheet(name, rows, heading_row, headings, count, last)


def _heading(cell: Cell) -> str:
    return "" if cell is None else " ".join(_as_text(cell).split())


# Placeholders


def fields_of(sheet: Sheet) -> dict[str, Any]:
    """Return a table's fields for placeholders. What is wrong with one is told when it is used."""
    columns: dict[str, list[int]] = {}
    for index, heading in enumerate(sheet.headings):
        if name := plain_name(heading):
            columns.setdefault(name, []).append(index)
    fields: dict[str, Any] = {ROW_COUNT: sheet.count}
    for name, found in columns.items():
        for ending, kind in ((LAST, _Last), (SUM, _Sum), (COUNT, _Count)):
            fields[f"{name}{ending}"] = kind(sheet, found, f"{name}{ending}")
    # A column of that very name is meant, where there is one.
    fields |= {name: _Last(sheet, found, name) for name, found in columns.items()}
    return fields


def plain_name(heading: str) -> str:
    """Return how a placeholder calls a column: blanks and signs become `_`."""
    name = re.sub(r"\W+", "_", heading).strip("_")
    return f"_{name}" if name.isdigit() else name


class _Field(SelfShown):
    """What one placeholder says of the columns of its name: of one, if it is to be used."""

    def __init__(self, sheet: Sheet, columns: Sequence[int], name: str) -> None:
        self._sheet, self._columns, self._name = sheet, columns, name

    def shown(self, format_spec: str) -> str:
        sheet, column = self._sheet, self._columns[0]
        if self._name in BUILT_IN:
            plain = plain_name(sheet.headings[column])
            facts = {"field": self._name, "plain": plain}
            raise sheet.fault("taken-heading", sheet.heading_row, column, **facts)
        if len(self._columns) > 1:
            count = len(self._columns)
            raise sheet.fault("same-heading", sheet.heading_row, column, count=count)
        return self._shown(column, format_spec)

    def _shown(self, column: int, format_spec: str) -> str:
        raise NotImplementedError


class _Last(_Field):
    """The cell in the last row."""

    def _shown(self, column: int, format_spec: str) -> str:
        row, cells = self._sheet.last
        cell = cells[column] if column < len(cells) else None
        if cell is None and format_spec != "s":
            raise self._sheet.fault("empty-cell", row, column, field=self._name)
        _check_value(self._sheet, row, column, cell)
        if (text := _formatted(cell, format_spec)) is not None:
            return text
        kind = _kind(cell)
        raise self._sheet.fault("odd-cell", row, column, format=format_spec, kind=kind)


class _Sum(_Field):
    """All numbers of a column, added up; empty cells are passed over."""

    def _shown(self, column: int, format_spec: str) -> str:
        total = Decimal(0)
        for row, cell in self._sheet.cells(column):
            _check_value(self._sheet, row, column, cell)
            number = number_of(cell)
            if number is None:
                raise self._sheet.fault("no-number", row, column, kind=_kind(cell))
            total += Decimal(repr(number)) if isinstance(number, float) else number
        return _shown_number(self._name, _plain_number(total), format_spec)


class _Count(_Field):
    """How many cells of a column hold anything."""

    def _shown(self, column: int, format_spec: str) -> str:
        count = sum(1 for _ in self._sheet.cells(column))
        return _shown_number(self._name, count, format_spec)


def _shown_number(name: str, number: float, format_spec: str) -> str:
    try:
        return format(number, format_spec) if format_spec else _as_text(number)
    except (ValueError, TypeError, OverflowError):
        kind = _kind(number)
        raise content_error("cannot-show", name=name, format=format_spec, kind=kind) from None


def _check_value(sheet: Sheet, row: int, column: int, cell: Cell) -> None:
    """Raise ContentError for a cell that holds no value."""
    if isinstance(cell, Unreckoned):
        raise sheet.fault("unreckoned-cell", row, column)
    if isinstance(cell, str) and cell in _ERRORS:
        raise sheet.fault("error-cell", row, column, error=cell)


def _formatted(cell: Cell, format_spec: str) -> str | None:
    """Return a cell as a format shows it; None where that cannot be."""
    if not format_spec or _OF_TEXT.fullmatch(format_spec):
        return format(_as_text(cell), format_spec)
    if "%" in format_spec and (at := _time_of(cell)) is not None:
        value: Any = at
        format_spec = in_korean(format_spec, at)
    elif (value := number_of(cell)) is None:
        return None
    try:
        return format(value, format_spec)
    except (ValueError, TypeError, OverflowError):
        return None


def _as_text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return f"{cell:.15g}"  # as many digits as Excel keeps
    if isinstance(cell, datetime):
        is_day = (cell.hour, cell.minute, cell.second) == (0, 0, 0)
        return f"{cell:%Y-%m-%d}" if is_day else f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return "" if cell is None or isinstance(cell, Unreckoned) else str(cell)


def number_of(cell: Cell) -> int | float | None:
    """Return a cell's number, None if it holds none. As text it may have commas, and be won."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    found = _NUMBER.fullmatch(cell) if isinstance(cell, str) else None
    if found is None:
        return None
    return _plain_number(Decimal(f"{found[1]}{found[2].replace(',', '')}{found[3] or ''}"))


def _plain_number(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _time_of(cell: Cell) -> date | time | None:
    """Return a cell's date or time, as text in ISO 8601: `2026-11-23`, with a time behind it."""
    if isinstance(cell, date | time):
        return cell
    if not isinstance(cell, str) or not re.match(r"\d{4}-\d\d-\d\d", cell):
        return None
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def _kind(cell: Cell) -> str:
    """Return the code of what its author would call a cell's value; that may be private."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "kind-truth"),
        ((int, float), "kind-number"),
        ((date, time), "kind-time"),
    )
    return next((code for kind, code in kinds if isinstance(cell, kind)), "kind-text")


# CSV

# What csv says in strict mode, and what is wrong.
_CSV_FAULTS = (
    ("unexpected end of data", "csv-open-quote"),
    ("expected after", "csv-quote"),
    ("larger than field limit", "csv-long-cell"),
)


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """Return a file's text and its encoding: UTF-8, or else CP949 as Korean Excel saves it. Raises
    ContentError."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _in(content, encoding, name).removeprefix("\ufeff"), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        # No CP949 looks like Hangul in UTF-8: it is UTF-8 that is cut off or damaged.
        if _HANGUL.search(content[: error.start].decode("utf-8")):
            raise content_error("not-utf8", name=name, at=error.start) from None
    return _in(content, "cp949", name), "cp949"


def _in(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise content_error("no-encoding", name=name, at=error.start) from None


def rows_of_csv(text: str, name: str) -> SheetRows:
    """Return the rows of CSV that hold anything. Raises ContentError, while they are read too."""
    delimiter = _delimiter(text)

    def rows() -> Iterator[SheetRow]:
        number = 0
        try:
            # In strict mode, or a quote that is not closed would swallow what follows.
            for number, cells in enumerate(_reader(text, delimiter), 1):
                if any(row := [tidy(cell).strip() or None for cell in cells]):
                    yield number, row
        except csv.Error as error:
            code = next((code for word, code in _CSV_FAULTS if word in str(error)), None)
            why = {"behind": code} if code else {"error": str(error)}
            raise content_error("no-csv", name=name, row=number + 1, **why) from None

    return rows


def _reader(text: str, delimiter: str) -> Iterable[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _delimiter(text: str) -> str:
    """Return what parts the first row into most cells."""

    def cells(delimiter: str) -> int:
        try:
            return len(next((row for row in _reader(text, delimiter) if row), ()))
        except csv.Error:
            return 0

    return max(_DELIMITERS, key=cells)
