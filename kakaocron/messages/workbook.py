"""Prints the rows of a workbook's first sheet, a line of JSON each.

A program of its own, not a part of kakaocron's process: a workbook is a zip of XML, which may
unpack to far more than it looks, and this can be killed, and has a memory of its own.

    python -P workbook.py FILE MOST_BYTES MOST_ROWS

The first line is an object: `{"sheet": NAME}`, or `{"fault": CODE, …}` and nothing after it. Then
come `[ROW, [CELL, …]]`, of rows that hold anything. A cell is a number, a text, true, false, null,
`{"at": ISO 8601}`, or `{}`: a formula that nobody has reckoned.
"""

from __future__ import annotations

import json
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, time
from itertools import zip_longest
from typing import Any

MOST_MEMORY_BYTES = 1 << 30
LAST_ROW = 1_048_576  # Excel's; what is numbered beyond is made up
NO_EXTRA = "no-extra"


def main(path: str, most_bytes: int, most_rows: int) -> None:
    limit = (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, limit)
    # openpyxl takes both where they are there: they take long to import, and much memory.
    sys.modules |= {"numpy": None, "lxml": None}  # type: ignore[dict-item]
    try:
        say(*lines(path, most_bytes, most_rows))
    except ImportError:
        say({"fault": NO_EXTRA})
    except Exception as error:  # whatever openpyxl meets in what is no workbook
        why = " ".join(str(error).split()) or type(error).__name__
        say({"fault": "no-workbook", "error": why[:80]})


def say(*documents: object) -> None:
    for one in documents:
        print(json.dumps(one, ensure_ascii=False))


def lines(path: str, most_bytes: int, most_rows: int) -> list[object]:
    import openpyxl  # noqa: PLC0415 - an extra

    with zipfile.ZipFile(path) as archive:
        # What a part says of its size is true, or its reading fails.
        if sum(part.file_size for part in archive.infolist()) > most_bytes:
            return [{"fault": "big-workbook", "most": most_bytes}]
    # By itself each tells half of a formula: its value, if it has one, and that it is one.
    values, formulas = (
        openpyxl.load_workbook(path, read_only=True, data_only=is_value).worksheets[0]
        for is_value in (True, False)
    )
    found: list[object] = [{"sheet": values.title}]
    for number, (row, written) in enumerate(
        zip_longest(cells(values), cells(formulas), fillvalue=()), 1
    ):
        made = [value_of(cell, source) for cell, source in zip(row, written, strict=True)]
        while made and made[-1] is None:
            made.pop()
        if made:
            found.append([number, made])
        if len(found) > most_rows + 2 or number > LAST_ROW:
            return [{"fault": "many-rows", "most": most_rows}]
    return found


def cells(sheet: Any) -> Iterator[Any]:
    # Or what lies beyond the size that the sheet says it has would be left out, unsaid.
    sheet.reset_dimensions()
    return iter(sheet.iter_rows())


def value_of(cell: Any, source: Any) -> object:
    value = cell.value
    if value is None:
        # A formula whose value is an empty text has the type of a text.
        return {} if source.data_type == "f" and cell.data_type != "str" else None
    if isinstance(value, date | time):
        return {"at": value.isoformat()}
    if isinstance(value, str):
        return value.strip() or None
    return value if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
