#!/usr/bin/env bash
# dayjs 1.11.23 and Babel 2.19.0 write times in Korean, 오후 3:04 for 15:04, and have a function
# that reads them. One would guess that each reads what it wrote. Both give 03:04 and no error. In
# English both are right, and Babel 2.18.0 was so in Korean too: an update made afternoons mornings.
#
# Why: dayjs's customParseFormat asks the locale's meridiem for the hours 1 to 24 until one gives
# the word that it found, and takes it for the afternoon if that hour is > 12. Korean says 오후 from
# 12 on, so it stops at 12, and 12 > 12 is false: no 오후 is ever an afternoon. Strict parsing,
# which writes the time again and compares, calls each afternoon invalid. Babel's parse_time looks
# for "pm" and "am" in the text, whatever the locale; until 2.18.0 (CLDR 47) Korean wrote just
# these, "PM 3:04:00", and with 2.19.0 (CLDR 49) the words changed under it.
#
# Seen:
#   dayjs:   오후 3:04 → 03:04   PM 3:04 → 15:04
#   strict:  오후 3:04 → Invalid Date   PM 3:04 → 15:04
#   Babel 2.18.0:  PM 3:04:00 → 15:04   3:04:00 PM → 15:04
#   Babel 2.19.0:  오후 3:04:00 → 03:04   3:04:00 PM → 15:04
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" # as pip's
npm install --silent --prefix "$folder" --cache "$folder/npm" dayjs@1.11.23
cat > "$folder/seen.cjs" <<'JS'
const dayjs = require("dayjs");
require("dayjs/locale/ko");
dayjs.extend(require("dayjs/plugin/customParseFormat"));

const afternoon = dayjs("2026-11-29T15:04");
const read = (text, locale, strict) => dayjs(text, "A h:mm", locale, strict).format("HH:mm");
for (const strict of [false, true]) {
  const korean = afternoon.locale("ko").format("A h:mm");
  const english = afternoon.format("A h:mm");
  console.log(
    strict ? "strict:" : "dayjs: ",
    `${korean} → ${read(korean, "ko", strict)}  ${english} → ${read(english, "en", strict)}`,
  );
}
JS
cat > "$folder/seen.py" <<'PYTHON'
from datetime import time
from importlib.metadata import version

from babel.dates import format_time, parse_time

read = []
for locale in ("ko", "en"):
    text = format_time(time(15, 4), locale=locale)
    read.append(f"{text} → {parse_time(text, locale=locale):%H:%M}")
print(f"Babel {version('babel')}: ", "  ".join(read).replace("\u202f", " "))
PYTHON
seen=$(
    node "$folder/seen.cjs"
    for version in 2.18.0 2.19.0; do
        python3 -m venv "$folder/$version"
        "$folder/$version/bin/pip" install --quiet babel==$version
        PYTHONUTF8=1 "$folder/$version/bin/python" "$folder/seen.py"
    done
)
echo "$seen"
[ "$seen" = "dayjs:  오후 3:04 → 03:04  PM 3:04 → 15:04
strict: 오후 3:04 → Invalid Date  PM 3:04 → 15:04
Babel 2.18.0:  PM 3:04:00 → 15:04  3:04:00 PM → 15:04
Babel 2.19.0:  오후 3:04:00 → 03:04  3:04:00 PM → 15:04" ]
