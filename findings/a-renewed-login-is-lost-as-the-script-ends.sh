#!/usr/bin/env bash
# apprise 2.3.0, with KakaoTalk since 2.2.0: Kakao hands out a new refresh token in the old one's
# last month, and the old one stops working. The plugin saves the new one in the persistent storage
# that a script names by storage_path. One would guess that this lasts. It does where the Apprise
# object lived in a function; where it is a global of the script, as in each example of Apprise's
# README, the token is lost, notify() has returned True, and every later run fails: a month of good
# sending, and then silence.
#
# Why: the storage's mode AUTO writes in PersistentStore.__del__ (persistent_store.py). A global
# dies while the interpreter is being taken down, when gzip finds no open() in builtins or strftime
# no time: "Exception ignored in" on stderr, exit 0, and an empty file in tmp/. Mode FLUSH writes at
# once. (Without storage_path nothing is kept at all.)
#
# Seen with Python 3.11.7, 3.12.1 and 3.13.0; two runs of the same script, the first gets the token:
#   object in a function:  True True
#   object as a global:    True False
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet apprise==2.3.0
cat > "$folder/kakao.py" <<'PYTHON'
"""A stand-in for Kakao's two addresses: each refresh token is good for one renewal."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

valid = {}  # by client: the refresh token that is good now


class Kakao(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        status, answer = 200, {"result_code": 0}
        if self.path == "/token":
            client, token = asked["client_id"][0], asked["refresh_token"][0]
            if token == valid.get(client, "first"):
                valid[client] = "second"
                answer = {"access_token": "access", "expires_in": 21599}
                answer |= {"refresh_token": "second", "refresh_token_expires_in": 5184000}
            else:
                status, answer = 400, {"error": "invalid_grant", "error_code": "KOE322"}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Kakao)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
cat > "$folder/global.py" <<'PYTHON'
import sys

import apprise
from apprise.plugins.kakaotalk import NotifyKakaoTalk

_, kakao, client, storage = sys.argv
NotifyKakaoTalk.token_url = f"{kakao}/token"
NotifyKakaoTalk.notify_me_url = f"{kakao}/send"

out = apprise.Apprise(asset=apprise.AppriseAsset(storage_path=storage))
out.add(f"kakaotalk://{client}/first")
print(bool(out.notify("hello")))
PYTHON
{
    sed '/^out/,$d' "$folder/global.py"
    echo 'def main():'
    sed -n '/^out/,$s/^/    /p' "$folder/global.py"
    echo 'main()'
} > "$folder/function.py"
"$folder/venv/bin/python" "$folder/kakao.py" > "$folder/port" &
server=$!
until [ -s "$folder/port" ]; do
    kill -0 $server
    sleep 0.1
done
two_runs() {
    for _ in 1 2; do
        NO_PROXY=127.0.0.1 "$folder/venv/bin/python" "$folder/$1.py" \
            "http://127.0.0.1:$(cat "$folder/port")" "$1" "$folder/$1" 2> "$folder/stderr"
    done | xargs
}
function=$(two_runs function)
global=$(two_runs global)
echo "object in a function:  $function"
echo "object as a global:    $global"
[ "$function" = "True True" ] && [ "$global" = "True False" ]
