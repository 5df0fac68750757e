"""Data that come as a table: CSV or a workbook in a file, or whatever an address gives."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kakaocron.errors import Cause, ContentError
from kakaocron.messages import workbook
from kakaocron.messages.fields import CSV, OLD_WORKBOOK, Data, fields_of_json, read_json
from kakaocron.system.fetch import fetch
from kakaocron.system.http import MakeHttp
from kakaocron.system.programs import Programs, open_content
from kakaocron.text import sheets
from kakaocron.text.causes import content_error
from kakaocron.text.plain import address_shown, tidy

MOST_BYTES = 5_000_000  # of a file
MOST_UNPACKED = 50_000_000  # of what is in a workbook
MOST_PRINTED = 20_000_000  # of its rows


def of_file(name: str, path: Path, programs: Programs, timeout_seconds: float) -> Data:
    """Read CSV or a workbook; `name` is what errors call it. Raises ContentError."""
    if name.lower().endswith(CSV):
        return _of_csv(_content(path), name)
    check_workbook(name)
    _content(path)  # here, so that what is no file keeps nobody waiting
    return _of_workbook(name, path, programs, timeout_seconds)


def check_workbook(name: str) -> None:
    """Raise ContentError for a workbook that cannot be read here."""
    if name.lower().endswith(OLD_WORKBOOK):
        raise content_error("old-workbook", name=name)
    if find_spec("openpyxl") is None:
        raise content_error(workbook.NO_EXTRA, name=name)


def of_url(url: str, timeout_seconds: float, make_http: MakeHttp) -> Data:
    """Fetch JSON or CSV. Raises ContentError."""
    answer, name = fetch(url, timeout_seconds, make_http), address_shown(url)
    start = answer.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"<":
        raise content_error("url-page", url=name)
    if start in {b"{", b"["} or "json" in answer.headers.get("content-type", ""):
        fields = fields_of_json(answer.body, name)
        return Data(fields, read_json(name, fields))
    return _of_csv(answer.body, name)


def _of_csv(content: bytes, name: str) -> Data:
    text, encoding = sheets.decoded(content, name)
    sheet = sheets.sheet_of(name, sheets.rows_of_csv(text, name))
    return _data_of(sheet, "read-csv", encoding=encoding.upper())


def _data_of(table: sheets.Sheet, code: str, **facts: str) -> Data:
    row, _cells = table.last
    read = Cause(code, {"name": table.name, **facts, "count": table.count, "row": row})
    return Data(sheets.fields_of(table), read, table)


def _content(path: Path) -> bytes:
    with open_content(path) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise content_error("long-file", path=str(path), most=MOST_BYTES)
    return content


def _of_workbook(name: str, path: Path, programs: Programs, timeout_seconds: float) -> Data:
    program = [sys.executable or "python3", "-P", "-W", "ignore", workbook.__file__]
    argv = [*program, str(path.absolute()), str(MOST_UNPACKED), str(sheets.MAX_ROWS)]
    try:
        printed = programs.output_of(argv, path.parent, timeout_seconds, MOST_PRINTED)
    except ContentError as error:
        raise _of_the_file(error, name) from None
    lines = [bytes(line) for line in printed.splitlines()]
    head = json.loads(lines[0])
    if fault := head.pop("fault", None):
        raise content_error(fault, name=name, **head)
    sheet = sheets.sheet_of(name, partial(_rows, lines[1:]))
    return _data_of(sheet, "read-workbook", sheet=tidy(head["sheet"]))


def _of_the_file(error: ContentError, name: str) -> ContentError:
    """Name the workbook where an error names the program that reads it."""
    facts = {fact: said for fact, said in error.cause.facts.items() if fact != "name"}
    return content_error(error.cause.code, name=name, **facts)


def _rows(lines: Sequence[bytes]) -> Iterator[sheets.SheetRow]:
    for line in lines:
        number, cells = json.loads(line)
        yield number, [_cell(one) for one in cells]


def _cell(value: Any) -> sheets.Cell:
    if not isinstance(value, dict):
        return (tidy(value) or None) if isinstance(value, str) else value
    if not value:
        return sheets.Unreckoned()
    at: str = value["at"]
    return datetime.fromisoformat(at) if at[4:5] == "-" else time.fromisoformat(at)
