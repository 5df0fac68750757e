#!/usr/bin/env bash
# aiocron 2.1: a machine whose hardware clock keeps Korean time boots nine hours ahead, and a minute
# later NTP sets it right. One would guess that a scheduler is wrong once at most: it wakes, looks
# at the clock, and waits again, as APScheduler 3.11.3 does. aiocron's job of 09:00 runs at 00:00,
# that day and every day until somebody restarts the process. Nothing is logged, the rule and the
# zone are right, and so is the machine's clock.
#
# Why: Cron.initialize takes time.time() and loop.time() once, and get_next adds to these for ever:
# the n-th run is at start + (slot - start's clock), by a clock that no correction moves. What
# suspends the machine shifts all later runs as well. APScheduler's process_jobs asks for the time
# anew.
#
# Seen with Python 3.11.7, in simulated days (true time of each run):
#   aiocron:      11-30 00:00  12-01 00:00  12-02 00:00
#   APScheduler:  11-30 09:00  12-01 09:00  12-02 09:00
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
    aiocron==2.1 cronsim==2.8 apscheduler==3.11.3 tzlocal==5.4.5 time-machine==3.6.0
cat > "$folder/seen.py" <<'PYTHON'
import asyncio
import selectors
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import aiocron
import time_machine
from apscheduler.schedulers.asyncio import AsyncIOScheduler

KST = ZoneInfo("Asia/Seoul")
BOOT = datetime(2026, 11, 29, 22, 0, tzinfo=KST)
AHEAD, CORRECTED_AFTER, END = timedelta(hours=9), 60.0, 64 * 3600.0
EXPECTED = {
    "aiocron": ["11-30 00:00", "12-01 00:00", "12-02 00:00"],
    "APScheduler": ["11-30 09:00", "12-01 09:00", "12-02 09:00"],
}


class Machine(selectors.SelectSelector):
    """Waits in no time, and keeps the clocks: seconds since boot, and what the system believes."""

    since_boot = 0.0

    def set_clock(self):
        ahead = AHEAD if self.since_boot < CORRECTED_AFTER else timedelta()
        self.clock.move_to(BOOT + timedelta(seconds=self.since_boot) + ahead)

    def select(self, timeout=None):
        self.since_boot += timeout or 0.0
        self.set_clock()
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    def time(self):
        return self._selector.since_boot


def by_aiocron(loop, job):
    aiocron.crontab("0 9 * * *", func=job, loop=loop, tz=KST)


def by_apscheduler(loop, job):
    scheduler = AsyncIOScheduler(event_loop=loop, timezone=KST)
    scheduler.add_job(job, "cron", hour=9)
    scheduler.start()


def play(schedule):
    runs = []
    machine = Machine()
    loop = Loop(machine)

    async def job():
        runs.append(datetime.now(KST).strftime("%m-%d %H:%M"))

    with time_machine.travel(BOOT + AHEAD, tick=False) as machine.clock:
        schedule(loop, job)
        loop.call_at(CORRECTED_AFTER, machine.set_clock)
        loop.call_at(END, loop.stop)
        loop.run_forever()
    return runs


seen = {"aiocron": play(by_aiocron), "APScheduler": play(by_apscheduler)}
for scheduler, runs in seen.items():
    print(f"{scheduler:11}", *runs, sep="  ")
raise SystemExit(seen != EXPECTED)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
