#!/usr/bin/env bash
# cron-schedule 6.0.0 (npm): `0 9 * * 1#2` is the second Monday, `0 9 * * 5L` the last Friday and
# `0 9 15W * *` the working day nearest to the 15th, in croner 11.0.1 as in Quartz. cron-schedule
# does not say that it knows these. One would guess that it refuses them, as it does `L`, `?` and
# `5-1`, and as the package cron does. It takes them, and leaves out the half that it does not know:
# every Monday, every Friday, the 15th even if a Saturday. A rule that comes from another scheduler
# sends its monthly message four times.
#
# Why: parseElement reads numbers by Number.parseInt, which stops at the first character that is no
# digit and is content with what came before: 1, 5, 15. Only what begins without a digit is NaN.
#
# Seen, from 2027-05-01 UTC:
#   0 9 * * 1#2  croner  05-10 06-14 07-12  cron-schedule  05-03 05-10 05-17
#   0 9 * * 5L   croner  05-28 06-25 07-30  cron-schedule  05-07 05-14 05-21
#   0 9 15W * *  croner  05-14 06-15 07-15  cron-schedule  05-15 06-15 07-15
#   0 9 L * *    refused by cron-schedule
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" # as pip's
npm install --silent --prefix "$folder" --cache "$folder/npm" croner@11.0.1 cron-schedule@6.0.0
cat > "$folder/seen.mjs" <<'JS'
import { Cron } from "croner";
import { parseCronExpression } from "cron-schedule";

const from = new Date("2027-05-01T00:00:00Z");
const days = (dates) => dates.map((date) => date.toISOString().slice(5, 10)).join(" ");
for (const rule of ["0 9 * * 1#2", "0 9 * * 5L", "0 9 15W * *"]) {
  const croner = days(new Cron(rule, { timezone: "UTC" }).nextRuns(3, from));
  const schedule = days(parseCronExpression(rule).getNextDates(3, from));
  console.log(`${rule}  croner ${croner}  cron-schedule ${schedule}`);
}
try {
  parseCronExpression("0 9 L * *");
} catch {
  console.log("0 9 L * *  refused");
}
JS
seen=$(TZ=UTC node "$folder/seen.mjs")
echo "$seen"
[ "$seen" = "0 9 * * 1#2  croner 05-10 06-14 07-12  cron-schedule 05-03 05-10 05-17
0 9 * * 5L  croner 05-28 06-25 07-30  cron-schedule 05-07 05-14 05-21
0 9 15W * *  croner 05-14 06-15 07-15  cron-schedule 05-15 06-15 07-15
0 9 L * *  refused" ]
