#!/bin/sh
# Without arguments: a tick each minute. With arguments: that command, as the ticks' own user, as in
# `docker compose run --rm kakaocron kakaocron login --no-browser`.
set -eu
export HOME=/home/kakaocron
as_user='setpriv --reuid=kakaocron --regid=kakaocron --init-groups'
[ "$(id -u)" = 0 ] || as_user=
[ $# -eq 0 ] || exec $as_user "$@"

# Ask the ticks to end, and wait for them: they record what is in flight. A signal to all (-1) goes
# to all of the user's processes, so this container must have them for itself (no --pid=host).
stop() {
    trap '' TERM INT
    [ -z "${cron-}" ] || kill "$cron"
    [ $$ != 1 ] || $as_user sh -c 'kill -TERM -1' 2>/dev/null || :
    if [ -z "$as_user" ]; then
        wait
    else
        while [ -n "$(find /proc -maxdepth 1 -user kakaocron)" ]; do sleep 0.1; done
    fi
    exit 0
}
trap stop TERM INT

if [ "$(id -u)" != 0 ]; then
    # cron has to be root; without root the shell looks at the clock.
    while :; do
        sleep $((60 - $(date +%s) % 60)) &
        wait $!
        /opt/kakaocron/bin/kakaocron tick &
    done
fi

# cron would mail what a tick prints. This pipe brings it to the container's log; its reader holds
# it open for writing too, so that it never sees an end.
mkdir -p /run/kakaocron
rm -f /run/kakaocron/log
mkfifo -m 0666 /run/kakaocron/log
cat <>/run/kakaocron/log &
cron -f &
cron=$!
wait $cron
