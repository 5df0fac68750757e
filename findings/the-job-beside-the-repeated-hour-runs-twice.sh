#!/usr/bin/env bash
# cron 4.4.0 (npm): on 1 November 2026 New York's clocks repeat 01:00 to 02:00. Who knows that moves
# the daily job to 02:15, an hour that comes once, and guesses that it runs once. It runs at 02:15
# and an hour before, at the second 01:15: twice, the first time at an hour that the rule does not
# name. croner 11.0.1 runs once. So it is in Berlin at 03:15, for every job in the hour after the
# repeated one. The job of 01:15 itself, which everybody fears for, runs once.
#
# Why: CronTime.getNextDateFrom finds 02:15 and then, for the sake of jobs within the repeated hour,
# moves back an hour if one hour before and two hours before have the same hour on the clock. That
# is so from 02:00 on, when both are 01:xx. The rule is not asked again.
#
# Seen with Node 20.20.2, whose own mock timers play three days (UTC; 02:15 is 07:15):
#   15 2 * * *  cron:    11-01T06:15 11-01T07:15 11-02T07:15 11-03T07:15
#   15 2 * * *  croner:  11-01T07:15 11-02T07:15 11-03T07:15
#   15 1 * * *  cron:    11-01T05:15 11-02T06:15 11-03T06:15
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" # as pip's
npm install --silent --prefix "$folder" --cache "$folder/npm" cron@4.4.0 croner@11.0.1
cat > "$folder/seen.mjs" <<'JS'
import { mock } from "node:test";

mock.timers.enable({ apis: ["setTimeout", "Date"], now: new Date("2026-10-31T16:00:00Z") });
const { CronJob } = await import("cron");
const { Cron } = await import("croner");

const timeZone = "America/New_York";
const runs = { "15 2 * * *  cron:  ": [], "15 2 * * *  croner:": [], "15 1 * * *  cron:  ": [] };
const [cron, croner, cronEarlier] = Object.values(runs);
const record = (list) => () => list.push(new Date().toISOString().slice(5, 16));
CronJob.from({ cronTime: "15 2 * * *", onTick: record(cron), start: true, timeZone });
CronJob.from({ cronTime: "15 1 * * *", onTick: record(cronEarlier), start: true, timeZone });
new Cron("15 2 * * *", { timezone: timeZone }, record(croner));
for (let minute = 0; minute < 3 * 24 * 60; minute += 1) mock.timers.tick(60_000);
for (const [name, list] of Object.entries(runs)) console.log(name, list.join(" "));
process.exit();
JS
seen=$(TZ=UTC node --no-warnings "$folder/seen.mjs")
echo "$seen"
[ "$seen" = "15 2 * * *  cron:   11-01T06:15 11-01T07:15 11-02T07:15 11-03T07:15
15 2 * * *  croner: 11-01T07:15 11-02T07:15 11-03T07:15
15 1 * * *  cron:   11-01T05:15 11-02T06:15 11-03T06:15" ]
