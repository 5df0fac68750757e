#!/usr/bin/env bash
# arrow 1.4.0: humanize() is known to round down: 47 hours are "in a day" in English, a length, and
# true enough. One would guess that its Korean is the same length. It is a day of the calendar, and
# the wrong one: at 09:00 on Sunday, 08:00 on Tuesday is 내일 (tomorrow), Wednesday is 모레 (the day
# after tomorrow), Thursday 글피. Whoever reads "내일" in a reminder comes a day early. The past is
# the same: Friday 10:00 is 어제 (yesterday). And 23:00 tonight and 08:00 tomorrow are hours.
#
# Why: Arrow.humanize divides seconds by 86,400; KoreanLocale._format_relative then looks the number
# up in special_dayframes (1: 내일, 2: 모레 …), which holds names of days, not lengths.
#
# Seen, from 2026-11-29 09:00 +09:00 (Sunday):
#   Mon 08:00: 23시간 후  in 23 hours
#   Tue 08:00: 내일       in a day
#   Wed 08:00: 모레       in 2 days
#   Thu 08:00: 글피       in 3 days
#   Fri 10:00: 어제       a day ago
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet arrow==1.4.0
cat > "$folder/seen.py" <<'PYTHON'
import arrow

EXPECTED = {
    "2026-11-30T08:00": ("23시간 후", "in 23 hours"),
    "2026-12-01T08:00": ("내일", "in a day"),
    "2026-12-02T08:00": ("모레", "in 2 days"),
    "2026-12-03T08:00": ("글피", "in 3 days"),
    "2026-11-27T10:00": ("어제", "a day ago"),
}
now = arrow.get("2026-11-29T09:00+09:00")
seen = {}
for moment in EXPECTED:
    then = arrow.get(f"{moment}+09:00")
    seen[moment] = (then.humanize(now, locale="ko"), then.humanize(now))
    print(then.format("ddd HH:mm:"), *seen[moment], sep="  ")
raise SystemExit(seen != EXPECTED)
PYTHON
PYTHONUTF8=1 "$folder/venv/bin/python" "$folder/seen.py"
