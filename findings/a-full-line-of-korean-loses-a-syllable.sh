#!/usr/bin/env bash
# Rich 15.0.0: a table that is too narrow for a cell wraps it between words. One would guess that
# Korean, whose words are parted by blanks too, wraps like English: nothing is lost, there are only
# more lines. Wherever a line of Korean fills its column to the last cell, its last syllable goes
# and "…" stands there, in the middle of the text: "글자를" reads "글자 …". English of the same widths
# is whole. As help texts of Typer are such tables, so is the help of every Korean command.
#
# Why: wrapping counts cells, of which a syllable takes two, and leaves each line the blank behind
# it; Text.rstrip_end then takes that blank off "if text_length > size", where text_length is
# len(self), characters (rich/text.py). Ten cells of Korean are five characters: the blank stays, the
# line is one cell too wide, and the column's overflow, "ellipsis" by default, cuts a syllable of two.
#
# Seen: 27 of 61 widths lose syllables of the Korean text, none a letter of the English one.
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rich==15.0.0
cat > "$folder/seen.py" <<'PYTHON'
import io

from rich.console import Console
from rich.table import Table

KOREAN = "보내지 않고 무엇을 보낼지 보여 줘요. 한 줄이 꼭 차면 마지막 글자를 잃어요. " * 3
ENGLISH = "It says what would be sent and sends nothing. A line that is full keeps its end. " * 3


def drawn(text: str, width: int) -> str:
    table = Table.grid()
    table.add_column()
    table.add_row(text)
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return out.getvalue()


def widths_with_loss(text: str) -> list[int]:
    return [n for n in range(20, 81) if drawn(text, n).split() != text.split()]


print(drawn("가나다라마 바사아자차 카타", 10))
korean, english = widths_with_loss(KOREAN), widths_with_loss(ENGLISH)
print(f"Korean: {len(korean)} of 61 widths lose something; English: {len(english)}")
raise SystemExit((len(korean), len(english)) != (27, 0))
PYTHON
PYTHONUTF8=1 "$folder/venv/bin/python" "$folder/seen.py"
