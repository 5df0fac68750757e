#!/usr/bin/env bash
# busybox-static 1:1.35.0-4+deb12u1+b1 (Debian 12): one would put it that `busybox crond` runs a user's
# commands by /bin/sh, as every other cron does without SHELL= in the crontab, or else by the user's
# login shell: it is what $SHELL holds. It runs them by root's login shell, whoever the user is, and
# tells them that it is theirs in $SHELL. `chsh` of root changes all users' jobs; the user's own
# shell, even if it is nologin, changes nothing.
#
# Why: crond.c takes its default shell from get_shell_name() when it starts: its own $SHELL, which an
# init script leaves unset, else the pw_shell of its own user. SHELL= above a line wins over that; it
# is the one variable besides MAILTO that this crond reads.
#
# Takes root (a mount namespace of its own, with another /etc/passwd), and two minutes.
# Seen with Linux 6.18:
#   root's shell /bin/dash, the user's /usr/sbin/nologin: run by /bin/dash, SHELL=/bin/dash
#   root's shell /bin/bash, the user's /usr/sbin/nologin: run by /bin/bash, SHELL=/bin/bash
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get download --quiet=2 busybox-static=1:1.35.0-4+deb12u1+b1 && dpkg -x ./*.deb .)
mkdir -m 777 "$folder/out"
mkdir "$folder/spool"
seen=
for shell in /bin/dash /bin/bash; do
    sed "s#^\(root:.*:\)[^:]*\$#\1$shell#; s#^\(daemon:.*:\)[^:]*\$#\1/usr/sbin/nologin#" \
        /etc/passwd > "$folder/passwd"
    rm -f "$folder/out/ran"
    echo "* * * * * echo \"run by \$0, SHELL=\$SHELL\" > $folder/out/ran; true" > "$folder/spool/daemon"
    # shellcheck disable=SC2016 # it is expanded in there
    env -i PATH="$PATH" unshare --mount --pid --fork --kill-child sh -c '
        mount --bind "$0/passwd" /etc/passwd && exec "$0/bin/busybox" crond -f -c "$0/spool"' \
        "$folder" 2> "$folder/log" &
    for _ in $(seq 140); do
        [ -s "$folder/out/ran" ] && break
        sleep 0.5
    done
    kill -KILL $!
    wait $! 2> /dev/null || true
    line="root's shell $shell, the user's /usr/sbin/nologin: $(cat "$folder/out/ran")"
    echo "$line"
    seen+="${line##*: } "
done
[ "$seen" = "run by /bin/dash, SHELL=/bin/dash run by /bin/bash, SHELL=/bin/bash " ]
