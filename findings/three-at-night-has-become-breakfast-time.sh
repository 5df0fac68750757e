#!/usr/bin/env bash
# Babel 2.17.0: pattern "B h시" writes an hour as Koreans say it: 밤 1시, 새벽 3시, 오전 9시. One
# would guess that an update brings other currencies and zones and leaves 3 o'clock alone. From
# 2.16.0 to 2.17.0, minor releases, 새벽 (the small hours) became 아침 (morning, breakfast) for 3, 4
# and 5 o'clock: an alarm of the night says "아침 3시", which nobody says, and 3 in the morning
# sounds like eight. Texts that are compared with texts of last week differ in these three hours of
# a day alone.
#
# Why: Babel holds CLDR's data, 2.16.0 that of CLDR 45 and 2.17.0 of CLDR 46, where ko's morning1,
# 03:00 to 06:00, was renamed; the hours did not move. ICU takes the same data: Node 20.20.2 with
# ICU 78.2 says 아침 3시 for dayPeriod "long", PyICU with ICU 72.1 새벽.
#
# Seen:
#   2.16.0  밤 2시  새벽 3시  새벽 5시  오전 6시
#   2.17.0  밤 2시  아침 3시  아침 5시  오전 6시
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/seen.py" <<'PYTHON'
from datetime import time

from babel.dates import format_time

print(*(format_time(time(hour), "B h시", locale="ko") for hour in (2, 3, 5, 6)), sep="  ")
PYTHON
for version in 2.16.0 2.17.0 2.19.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet babel==$version
    PYTHONUTF8=1 "$folder/$version/bin/python" "$folder/seen.py" > "$folder/seen-$version"
    echo "$version  $(cat "$folder/seen-$version")"
done
[ "$(cat "$folder/seen-2.16.0")" = "밤 2시  새벽 3시  새벽 5시  오전 6시" ]
[ "$(cat "$folder/seen-2.17.0")" = "밤 2시  아침 3시  아침 5시  오전 6시" ]
cmp "$folder/seen-2.17.0" "$folder/seen-2.19.0"
