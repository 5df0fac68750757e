#!/usr/bin/env bash
# cronsim 2.8 explains a rule in words and gives its times, both from one object: CronSim(rule,
# now).explain() and next(). One would guess that they agree. `0 9 1-31 * 1` is "At 09:00 on Monday"
# in words, and runs every day. The times are Debian cron's: both day fields are set, so either will
# do, and 1-31 is every day. Who has the rule explained before saving it sends seven for one.
#
# Why: for cron a day field is unset if it begins with *, and CronSim.__init__ asks for that.
# explain.py has a parser of its own, which takes a range over all values for the same as *, so that
# the field falls away. `1-15,16-31`, the same days, is explained rightly, with "and" for "or".
#
# Seen, from 2026-11-29 (Sunday) 08:00:
#   0 9 1-31 * 1  At 09:00 on Monday  Sun Mon Tue Wed
#   0 9 * * 1     At 09:00 on Monday  Mon Mon Mon Mon
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet cronsim==2.8
cat > "$folder/seen.py" <<'PYTHON'
from datetime import datetime
from itertools import islice

from cronsim import CronSim

EXPECTED = {
    "0 9 1-31 * 1": ("At 09:00 on Monday", "Sun Mon Tue Wed"),
    "0 9 * * 1": ("At 09:00 on Monday", "Mon Mon Mon Mon"),
}
seen = {}
for rule in EXPECTED:
    cron = CronSim(rule, datetime(2026, 11, 29, 8, 0))
    seen[rule] = (cron.explain(), " ".join(f"{time:%a}" for time in islice(cron, 4)))
    print(f"{rule:12}", *seen[rule], sep="  ")
raise SystemExit(seen != EXPECTED)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
