#!/usr/bin/env bash
# tomlkit 0.15.2: a document is edited in place, and an array in it is a list. One would guess that
# dumps() writes what the array shows. After sort() the array shows 1, 2, 3, unwrap() and JSON give
# 1, 2, 3, and the file gets 3, 1, 2 as it was. `*= 2` doubles it in memory alone. reverse() and
# random.shuffle() are written. A tool that sorts the receivers, checks its work and saves has saved
# nothing, and says that all is well.
#
# Why: Array is a MutableSequence and, for isinstance, a list: it keeps each value twice, in _value
# with commas and comments, and in the list beneath. Reading goes to the list, as_string() to
# _value. MutableSequence's reverse(), as shuffle(), goes through __setitem__, which changes both;
# it has no sort() and no __imul__, so these are list's own.
#
# Seen with Python 3.11.7 (in memory, written):
#   sort     1 2 3        3 1 2
#   *= 2     3 1 2 3 1 2  3 1 2
#   reverse  2 1 3        2 1 3
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tomlkit==0.15.2
cat > "$folder/seen.py" <<'PYTHON'
import operator
import tomllib

import tomlkit

EXPECTED = {
    "sort": ([1, 2, 3], [3, 1, 2]),
    "*= 2": ([3, 1, 2, 3, 1, 2], [3, 1, 2]),
    "reverse": ([2, 1, 3], [2, 1, 3]),
}
changes = {
    "sort": lambda array: array.sort(),
    "*= 2": lambda array: operator.imul(array, 2),
    "reverse": lambda array: array.reverse(),
}
seen = {}
for name, change in changes.items():
    document = tomlkit.parse("to = [3, 1, 2]\n")
    change(document["to"])
    assert list(document["to"]) == document.unwrap()["to"]
    seen[name] = (document.unwrap()["to"], tomllib.loads(tomlkit.dumps(document))["to"])
    print(f"{name:7}", *seen[name])
raise SystemExit(seen != EXPECTED)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
