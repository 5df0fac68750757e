#!/usr/bin/env bash
# dateparser 1.5.0 speaks Korean and reads 오후 3시 (3 in the afternoon), 내일 (tomorrow) and 내일
# 15시. One would guess that it reads 내일 오후 3시, or gives None as for what it does not know. It
# gives tomorrow at the present minute: asked at 10:20, a reminder for three in the afternoon comes
# at 10:20. Only who asks at 15:00 sees the right answer. 오늘, 어제 and 3일 후 with 오전 or 오후
# are the same.
#
# Why: 오후 stands before the hour, and the text is translated word for word: "in 1 day pm 3:00".
# FreshnessDateDataParser takes out "in 1 day" and reads the rest as a time; "pm 3:00" is none for
# time_parser, _parse_time swallows every exception and returns None, and None means
# "keep the time of now". In English, "tomorrow 3 pm", it works.
#
# Seen, asked at 2026-11-29 10:20:
#   오후 3시       2026-11-29 15:00
#   내일 15시      2026-11-30 15:00
#   내일 오후 3시  2026-11-30 10:20
#   tomorrow 3 pm  2026-11-30 15:00
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dateparser==1.5.0 regex==2026.11.19 tzlocal==5.4.5
cat > "$folder/seen.py" <<'PYTHON'
from datetime import datetime

import dateparser

EXPECTED = {
    "오후 3시": "2026-11-29 15:00",
    "내일 15시": "2026-11-30 15:00",
    "내일 오후 3시": "2026-11-30 10:20",
    "tomorrow 3 pm": "2026-11-30 15:00",
}
settings = {"RELATIVE_BASE": datetime(2026, 11, 29, 10, 20)}
seen = {text: f"{dateparser.parse(text, settings=settings):%Y-%m-%d %H:%M}" for text in EXPECTED}
for text, moment in seen.items():
    print(moment, text)
raise SystemExit(seen != EXPECTED)
PYTHON
TZ=Asia/Seoul PYTHONUTF8=1 "$folder/venv/bin/python" "$folder/seen.py"
