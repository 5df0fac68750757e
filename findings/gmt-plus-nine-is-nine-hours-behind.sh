#!/usr/bin/env bash
# python-dateutil 2.9.0.post0 and pandas 3.1.1: "GMT+0900" is what JavaScript's Date writes in
# Seoul, "GMT+9" and "UTC+9" what people write. One would guess +09:00, or an error. dateutil.parser
# reads -09:00: eighteen hours late, and the right hour in print. dateutil.tz reads the same name as
# +09:00. pandas does both: pd.Timestamp gives -09:00, pd.to_datetime +09:00 for the same text, and
# -09:00 again if it says "GMT+9".
#
# Why: parser._parse turns the sign after any zone's name around, as POSIX means TZ=KST-9
# ("my time +3 is GMT"), for UTC and GMT too; tz.tzstr excepts these two. pd.Timestamp goes by
# dateutil. pd.to_datetime first guesses a format, here "… GMT%z", which has no such rule, and goes
# by dateutil where it finds none.
#
# Seen with Python 3.11.7:
#                      GMT+0900   GMT+9
#   dateutil.parser    -09:00     -09:00
#   pd.Timestamp       -09:00     -09:00
#   pd.to_datetime     +09:00     -09:00
#   dateutil.tz        +09:00     +09:00
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-dateutil==2.9.0.post0 pandas==3.1.1
cat > "$folder/seen.py" <<'PYTHON'
from datetime import datetime

import pandas as pd
from dateutil import parser, tz

MOMENT = "2026-11-29 09:00:00"
EXPECTED = {
    "dateutil.parser": ("-09:00", "-09:00"),
    "pd.Timestamp": ("-09:00", "-09:00"),
    "pd.to_datetime": ("+09:00", "-09:00"),
    "dateutil.tz": ("+09:00", "+09:00"),
}
readers = {
    "dateutil.parser": lambda zone: parser.parse(f"{MOMENT} {zone}"),
    "pd.Timestamp": lambda zone: pd.Timestamp(f"{MOMENT} {zone}"),
    "pd.to_datetime": lambda zone: pd.to_datetime(f"{MOMENT} {zone}"),
    "dateutil.tz": lambda zone: datetime.fromisoformat(MOMENT).replace(tzinfo=tz.gettz(zone)),
}
seen = {}
for name, read in readers.items():
    seen[name] = tuple(read(zone).isoformat()[-6:] for zone in ("GMT+0900", "GMT+9"))
    print(f"{name:16}", *seen[name])
raise SystemExit(seen != EXPECTED)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/seen.py"
