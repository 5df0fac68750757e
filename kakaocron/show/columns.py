"""Rows in columns that fit a terminal: what a person copies from them is never cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from rich.console import Group
from rich.table import Table
from rich.text import Text

GAP = " "
INDENT = "  "  # of the lines below a row's first


class Column(Struct, frozen=True):
    """A title, and a cell a row. Widths are in columns of a terminal: Hangul takes two.

    A cell is shown whole, unless the column may be cut down to the width `least`; more than
    `most` it is never given where there is a limit.
    """

    title: str
    cells: Sequence[Text]
    least: int | None = None
    most: int | None = None
    is_number: bool = False

    @property
    def natural_width(self) -> int:
        return max(Text(self.title).cell_len, *(cell.cell_len for cell in self.cells), 0)

    @property
    def most_width(self) -> int:
        return min(self.natural_width, self.most or self.natural_width)

    @property
    def least_width(self) -> int:
        return self.natural_width if self.least is None else min(self.natural_width, self.least)


Line = Sequence[Column]
Arrangement = Sequence[Line]


class FoldingTable(Table):
    """Breaks a word longer than its column, where Rich's would cut it off."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*cells, **options)
        for column in self.columns:
            column.overflow = "fold"


def wrap_by_cells() -> None:
    """Let Rich take the blank off a line that fills its column by cells. It counts characters
    (Text.rstrip_end of Rich 15), leaves a line of Hangul its blank, and cuts a syllable for it."""
    Text.rstrip_end = _rstrip_end  # type: ignore[assignment, method-assign]


def _rstrip_end(text: Text, size: int) -> None:
    blanks = len(text.plain) - len(text.plain.rstrip())
    over = text.cell_len - size
    if blanks and over > 0:  # right_crop(0) takes everything
        text.right_crop(min(blanks, over))


def to_the_right(word: str, width: int) -> str:
    """Put a word to the right end of so many columns of a terminal."""
    return " " * max(0, width - Text(word).cell_len) + word


def in_columns(arrangements: Sequence[Arrangement], width: int | None) -> Group:
    """Draw each row on the lines of the first arrangement that fits; else of the last, where the
    terminal folds what does not fit. None is a width without a limit.

    The titles are those of the first line. A line without anything in its cells is left out.
    """
    chosen = next((one for one in arrangements if _fits(one, width)), arrangements[-1])
    widths = [_widths(line, width, len(INDENT) if n else 0) for n, line in enumerate(chosen)]
    first = chosen[0]
    drawn: list[Text] = []
    if len(first) > 1:
        titles = [Text(column.title, "bold") for column in first]
        drawn.append(_joined(first, titles, widths[0]))
    for row in range(len(first[0].cells)):
        for number, line in enumerate(chosen):
            cells = [column.cells[row] for column in line]
            if not number or any(cells):
                drawn.append(_joined(line, cells, widths[number], INDENT if number else ""))
    return Group(*drawn)


def _fits(lines: Arrangement, width: int | None) -> bool:
    return width is None or all(
        sum(column.least_width for column in line) + _between(line) + (len(INDENT) if n else 0)
        <= width
        for n, line in enumerate(lines)
    )


def _between(line: Line) -> int:
    return len(GAP) * (len(line) - 1)


def _widths(line: Line, width: int | None, indent: int) -> list[int]:
    """Return what each column of a line gets: its least, and from left to right of what is left."""
    if width is None:
        return [column.natural_width for column in line]
    spare = width - indent - _between(line) - sum(column.least_width for column in line)
    widths = []
    for column in line:
        more = min(column.most_width - column.least_width, max(0, spare))
        spare -= max(0, more)
        widths.append(column.least_width + max(0, more))
    return widths


def _joined(line: Line, cells: Sequence[Text], widths: Sequence[int], indent: str = "") -> Text:
    parts = [_placed(*one) for one in zip(line, cells, widths, strict=True)]
    joined = Text(indent) + Text(GAP).join(parts)
    joined.rstrip()
    return joined


def _placed(column: Column, cell: Text, width: int) -> Text:
    cell = cell.copy()
    cell.truncate(width, overflow="ellipsis")
    room = width - cell.cell_len
    cell.pad_left(room) if column.is_number else cell.pad_right(room)
    return cell
