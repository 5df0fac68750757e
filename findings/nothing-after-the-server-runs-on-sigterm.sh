#!/usr/bin/env bash
# uvicorn 0.54.0: uvicorn.run() serves until SIGINT or SIGTERM, shuts down gracefully and returns,
# so one would put what is left to do after it: flush a queue, remove a pid file, say goodbye. With
# Ctrl-C, as one tries it, all of that runs. With SIGTERM, as systemd and docker stop it, nothing
# does: not the line after it, no `finally`, no `with`, no atexit, and the exit code is 143, not 0.
#
# Why: Server.capture_signals puts the signals' former handlers back and then raises each signal
# that it caught once more. For SIGINT that is KeyboardInterrupt, which uvicorn.run catches. For
# SIGTERM it is the kernel's default: the process ends inside run(). The application's own lifespan
# has run by then, and is the place for such work.
#
# Seen with Python 3.11.7 (what ran, and the exit code):
#   INT:   lifespan after finally atexit 0
#   TERM:  lifespan 143
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet uvicorn==0.54.0
cat > "$folder/serve.py" <<'PYTHON'
import atexit

import uvicorn


async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("lifespan", flush=True)
    await send({"type": "lifespan.shutdown.complete"})


atexit.register(print, "atexit", flush=True)
try:
    uvicorn.run(app, port=0)
    print("after", flush=True)
finally:
    print("finally", flush=True)
PYTHON
for signal in INT TERM; do
    # python as a shell's background job ignores SIGINT: env gives it back
    env --default-signal=INT "$folder/venv/bin/python" "$folder/serve.py" \
        > "$folder/$signal" 2> "$folder/log-$signal" &
    until grep -qs 'running on' "$folder/log-$signal"; do
        kill -0 $!
        sleep 0.1
    done
    kill -s $signal $!
    code=0
    wait $! 2> "$folder/job" || code=$?
    echo $code >> "$folder/$signal"
    echo "$signal:  $(xargs < "$folder/$signal")"
done
[ "$(xargs < "$folder/INT")" = "lifespan after finally atexit 0" ]
[ "$(xargs < "$folder/TERM")" = "lifespan 143" ]
