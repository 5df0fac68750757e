#!/usr/bin/env bash
# pydantic 2.14.4: Korean message dealers write times as yyyyMMddHHmmss (bizgo-sdk-comm 1.2.0 has
# it). One would guess that a `datetime` field reads 20261129090000, as Python 3.11's fromisoformat
# reads 20261129T090000, or refuses it. It is 2612-01-19T19:24:50Z: a time in the future, as whoever
# checks a reservation wants to see, and one that never comes. Without the seconds it is in 1976, a
# bare date in 1970. strict=True changes nothing where the input is JSON. A `date` field refuses all
# three.
#
# Why: a text of digits alone is a Unix timestamp, in seconds up to 20,000,000,000 and above that in
# milliseconds (pydantic's val_temporal_unit="infer", pydantic-core's speedate). Fourteen digits of
# this century are always "milliseconds" of the 27th.
#
# Seen:
#   20261129090000  2612-01-19 19:24:50+00:00
#   202611290900    1976-06-03 00:54:50.900000+00:00
#   20261129        1970-08-23 12:05:29+00:00
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pydantic==2.14.4
cat > "$folder/seen.py" <<'PYTHON'
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

EXPECTED = {
    "20261129090000": "2612-01-19 19:24:50+00:00",
    "202611290900": "1976-06-03 00:54:50.900000+00:00",
    "20261129": "1970-08-23 12:05:29+00:00",
}


class Reservation(BaseModel):
    model_config = ConfigDict(strict=True)
    at: datetime


def is_date(text: str) -> bool:
    try:
        return bool(TypeAdapter(date).validate_python(text))
    except ValidationError:
        return False


seen = {
    text: str(Reservation.model_validate_json(f'{{"at": "{text}"}}').at) for text in EXPECTED
}
for text, moment in seen.items():
    print(f"{text:14}  {moment}")
raise SystemExit(seen != EXPECTED or any(map(is_date, EXPECTED)))
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
