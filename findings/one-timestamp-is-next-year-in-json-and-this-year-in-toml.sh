#!/usr/bin/env bash
# msgspec 0.22.0: 2026-12-31T23:59:59.9999999Z, as .NET writes the last tick of a year (Go and Java
# have nine digits), has a seventh digit that Python's datetime cannot hold. One would guess that it
# is cut off, as datetime.fromisoformat, pydantic and dateutil do and TOML 1.0 demands
# ("truncated, not rounded"). msgspec.json rounds, and the carry goes all the way: minute, day,
# month, year. msgspec.toml, handed the same type, cuts. Whoever files by day or counts by minute
# has the event twice or not at all.
#
# Why: JSON and MessagePack times are read by msgspec's own ms_decode_datetime (_core.c), which
# rounds the digits after the sixth to the nearest microsecond; TOML's by tomllib, which reads six
# and skips the rest. arrow 1.4.0 rounds as well.
#
# Seen with Python 3.11.7:
#   msgspec.json   2027-01-01 00:00:00+00:00
#   msgspec.toml   2026-12-31 23:59:59.999999+00:00
#   fromisoformat  2026-12-31 23:59:59.999999+00:00
#   pydantic       2026-12-31 23:59:59.999999+00:00
#   arrow          2027-01-01 00:00:00+00:00
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet msgspec==0.22.0 pydantic==2.14.4 arrow==1.4.0
cat > "$folder/seen.py" <<'PYTHON'
from datetime import datetime

import arrow
import msgspec
from pydantic import TypeAdapter

CUT, ROUNDED = "2026-12-31 23:59:59.999999+00:00", "2027-01-01 00:00:00+00:00"
EXPECTED = {
    "msgspec.json": ROUNDED,
    "msgspec.toml": CUT,
    "fromisoformat": CUT,
    "pydantic": CUT,
    "arrow": ROUNDED,
}


class Event(msgspec.Struct):
    at: datetime


text = "2026-12-31T23:59:59.9999999+00:00"
moments = {
    "msgspec.json": msgspec.json.decode(f'{{"at": "{text}"}}', type=Event).at,
    "msgspec.toml": msgspec.toml.decode(f"at = {text}", type=Event).at,
    "fromisoformat": datetime.fromisoformat(text),
    "pydantic": TypeAdapter(datetime).validate_python(text),
    "arrow": arrow.get(text).datetime,
}
seen = {reader: str(moment) for reader, moment in moments.items()}
for reader, moment in seen.items():
    print(f"{reader:13}  {moment}")
raise SystemExit(seen != EXPECTED)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
