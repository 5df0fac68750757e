#!/usr/bin/env bash
# python-crontab 3.4.0: an assignment in a crontab (CRON_TZ, MAILTO, PATH) holds for every line
# below. The library gives it to the job that follows and, when that job is removed, to the next: so
# one would guess, and it is so with one line of comment between the two, or none. With two lines of
# comment the assignment goes with the job: nobody touched "report", and it runs at another hour.
#
# Why: CronTab._remove walks on from the removed job to hand its env over, and stops at the first
# line that is neither a job nor empty. A comment right above a job is none of these, as reading has
# made it part of the job; a second one above it is a line of its own.
#
# Seen, "old" removed from CRON_TZ=Asia/Seoul, "old", comment, "report":
#   1 line of comment:   CRON_TZ=Asia/Seoul is kept
#   2 lines of comment:  CRON_TZ=Asia/Seoul is gone
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-crontab==3.4.0
cat > "$folder/seen.py" <<'PYTHON'
from crontab import CronTab

BEFORE = "0 1 * * * backup\nCRON_TZ=Asia/Seoul\n0 9 * * * old\n\n{}30 9 * * 1 report\n"
seen = []
for comment in ("# weekly\n", "# weekly\n# to the whole team\n"):
    crontab = CronTab(tab=BEFORE.format(comment))
    assert "CRON_TZ=Asia/Seoul\n0 9 * * * old\n" in crontab.render()
    crontab.remove_all(command="old")
    after = crontab.render()
    assert after.rstrip().endswith("30 9 * * 1 report"), after
    seen.append("CRON_TZ=Asia/Seoul" in after)
    print(f"--- {comment.count('#')}", after, sep="\n")
raise SystemExit(seen != [True, False])
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
