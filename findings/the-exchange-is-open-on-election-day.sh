#!/usr/bin/env bash
# exchange_calendars 4.13.2: its Korea Exchange has a list of closed days from 1956 to 2050. One
# would guess that it may miss an election yet to be called, and that what lies behind is right. For
# 2006 to 2025 holidays 0.109's XKRX, which computes its days from the law, gives the same days to
# the last one. In 2026 both stop being one: exchange_calendars trades on 3 June (local elections,
# whose day the law sets) and on 17 July (a holiday again by the Public Holidays Act of February
# 2026), in 2027 on 3 May and 19 July. holidays refers to the exchange's own list. A job of
# "each trading day" runs then, and waits for prices of a closed market.
#
# Why: precomputed_krx_holidays (xkrx_holidays.py) is a list of days, and its rules of the year know
# neither Constitution Day after 2007 nor election days. pandas_market_calendars copies both.
#
# Seen, weekdays on which one is closed and the other trades:
#   2006 to 2025: none
#   2026: 2026-06-03 2026-07-17, holidays alone is closed
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet exchange_calendars==4.13.2 holidays==0.109
cat > "$folder/seen.py" <<'PYTHON'
from datetime import date, timedelta

import exchange_calendars
import holidays

FIRST, LAST = date(2006, 1, 2), date(2026, 12, 30)
krx = holidays.financial_holidays("XKRX", years=range(FIRST.year, LAST.year + 1))
calendar = exchange_calendars.get_calendar("XKRX", start=str(FIRST), end=str(LAST))
sessions = {session.date() for session in calendar.sessions}
days = (FIRST + timedelta(days) for days in range((LAST - FIRST).days + 1))
weekdays = [day for day in days if day.weekday() < 5]
only_holidays = [str(day) for day in weekdays if day in krx and day in sessions]
only_exchange = [str(day) for day in weekdays if day not in krx and day not in sessions]
print("weekdays compared:                  ", len(weekdays))
print("closed in holidays alone:           ", *only_holidays)
print("closed in exchange_calendars alone: ", *only_exchange)
raise SystemExit((only_holidays, only_exchange) != (["2026-06-03", "2026-07-17"], []))
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/seen.py"
