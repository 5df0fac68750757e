#!/bin/sh
# Without arguments: cron in the foreground. With arguments: that command, as the ticks' own user,
# as in `docker compose run --rm kakaocron kakaocron login --no-browser`.
set -eu
if [ $# -gt 0 ]; then
    export HOME=/home/kakaocron
    exec setpriv --reuid=kakaocron --regid=kakaocron --init-groups "$@"
fi
# cron would mail what a tick prints. This pipe brings it to the container's log; its reader holds
# it open for writing too, so that it never sees an end.
mkdir -p /run/kakaocron
rm -f /run/kakaocron/log
mkfifo -m 0666 /run/kakaocron/log
cat <>/run/kakaocron/log &
exec cron -f
