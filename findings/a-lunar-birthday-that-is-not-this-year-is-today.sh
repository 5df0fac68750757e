#!/usr/bin/env bash
# korean_lunar_calendar 0.4.0: born on the 30th of a lunar month, one has no such day in the years
# in which that month has 29; born in a leap month, in most years. setLunarDate() returns False
# then. One would guess that the object is empty afterwards, as it was until 0.3.1 (0000-00-00), so
# that `calendar.SolarIsoFormat() == today` never holds. In 0.4.0 it holds on every day of the year:
# a new object is set to today, and a refused date leaves it so. A birthday greeting goes out daily.
#
# Why: since 0.4.0 __init__ ends with setSolarDate(today), and setLunarDate changes nothing where
# __checkValidDate says no. An object used again keeps the last person's day in the same way, in
# every version. 0.3.1 took a leap month that the year lacks for the plain one.
#
# Seen:                             0.3.1       0.4.0
#   30th of the 2nd month of 2026:  0000-00-00  today
#   leap 6th month of 2026, 1st:    2026-07-14  today
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/seen.py" <<'PYTHON'
from datetime import date

from korean_lunar_calendar import KoreanLunarCalendar

before = date.today()
seen = []
for month, day, is_leap in ((2, 30, False), (6, 1, True)):
    calendar = KoreanLunarCalendar()
    calendar.setLunarDate(2026, month, day, is_leap)
    solar = calendar.SolarIsoFormat()
    # both days, in case midnight comes in between
    seen.append("today" if solar in {str(before), str(date.today())} else solar)
print(*seen)
PYTHON
for version in 0.3.1 0.4.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet korean_lunar_calendar==$version
    "$folder/$version/bin/python" "$folder/seen.py" > "$folder/seen-$version"
    echo "$version:  $(cat "$folder/seen-$version")"
done
[ "$(cat "$folder/seen-0.3.1")" = "0000-00-00 2026-07-14" ]
[ "$(cat "$folder/seen-0.4.0")" = "today today" ]
