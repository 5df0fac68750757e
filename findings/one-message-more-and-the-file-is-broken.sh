#!/usr/bin/env bash
# tomlkit 0.15.2: [[message]] tables in a file whose last line has no line break, as some editors
# leave it. One would guess that to append a message is safe: the library writes TOML, and adding a
# [table] to the same file puts the line break in. Appending to the array of tables does not: the
# last line becomes `text = "b"[[message]]`, and neither tomllib nor tomlkit reads the file again.
# dumps() raises nothing; the program that wrote it is well until its next start.
#
# Why: Container.as_string puts a line break before a table if what is written so far does not end
# in one. The tables of one array are joined without that look, and AoT.insert gives a new one its
# own break only `if not self._parsed`: tables that were read are trusted to bring theirs along.
#
# Seen with Python 3.11.7 (last line of the file, what was added):
#   with line break     [[message]]  readable
#   without line break  [table]      readable
#   without line break  [[message]]  text = "b"[[message]]
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tomlkit==0.15.2
cat > "$folder/seen.py" <<'PYTHON'
import tomllib

import tomlkit
from tomlkit.exceptions import ParseError

WITHOUT = '[[message]]\ntext = "a"\n\n[[message]]\ntext = "b"'
EXPECTED = ["readable", "readable", 'text = "b"[[message]]']


def after(text: str, name: str) -> str:
    document = tomlkit.parse(text)
    if name == "message":
        document["message"].append({"text": "c"})
    else:
        document["table"] = {"text": "c"}
    written = tomlkit.dumps(document)
    try:
        assert tomlkit.parse(written).unwrap() == tomllib.loads(written)
    except (tomllib.TOMLDecodeError, ParseError):
        return next(line for line in written.splitlines() if "b" in line)
    return "readable"


seen = [after(WITHOUT + "\n", "message"), after(WITHOUT, "table"), after(WITHOUT, "message")]
print(*seen, sep="\n")
raise SystemExit(seen != EXPECTED)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
