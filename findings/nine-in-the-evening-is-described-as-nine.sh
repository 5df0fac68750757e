#!/usr/bin/env bash
# cron_descriptor 2.2.1 has Korean. One would guess that what it says of a rule differs where the
# rule does. `30 9 * * *` and `30 21 * * *` are both "09:30", midnight and noon both "12:00", `5/15`
# and `*/15` both "매 15분마다": what a person reads before switching a job on is true of another
# one, and the English text beside it shows nothing of that.
#
# Why: the default is the 12-hour clock, and ko_KR.mo has no "AM", no "PM" and no ", starting {0}".
# gettext would leave these in English; GetText.py adds a FallBackNull that makes them "". With
# use_24hour_time_format = True it says 21:30, and still hides at which minute the quarters start.
#
# Seen:
#   30 9 * * *     09:30                    At 09:30 AM
#   30 21 * * *    09:30                    At 09:30 PM
#   0 0 * * *      12:00                    At 12:00 AM
#   0 12 * * *     12:00                    At 12:00 PM
#   5/15 * * * *   매 15분마다, 매시마다    Every 15 minutes, starting at 5 minutes past the hour
#   */15 * * * *   매 15분마다, 매시마다    Every 15 minutes
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet cron_descriptor==2.2.1
cat > "$folder/seen.py" <<'PYTHON'
from cron_descriptor import Options, get_description

EXPECTED = {
    "30 9 * * *": ("09:30", "At 09:30 AM"),
    "30 21 * * *": ("09:30", "At 09:30 PM"),
    "0 0 * * *": ("12:00", "At 12:00 AM"),
    "0 12 * * *": ("12:00", "At 12:00 PM"),
    "5/15 * * * *": (
        "매 15분마다, 매시마다",
        "Every 15 minutes, starting at 5 minutes past the hour",
    ),
    "*/15 * * * *": ("매 15분마다, 매시마다", "Every 15 minutes"),
}
korean, english = Options(), Options()
korean.locale_code, english.locale_code = "ko_KR", "en_US"
seen = {}
for rule in EXPECTED:
    seen[rule] = (get_description(rule, korean), get_description(rule, english))
    print(rule, *seen[rule], sep="  ")
raise SystemExit(seen != EXPECTED)
PYTHON
PYTHONUTF8=1 "$folder/venv/bin/python" "$folder/seen.py"
