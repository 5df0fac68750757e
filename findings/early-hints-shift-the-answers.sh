#!/usr/bin/env bash
# requests 2.34.2 (urllib3 2.8.0, CPython's http.client): an interim answer 103 is returned as the
# answer. The connection is kept: where the final answer comes a moment later, the next request on
# it gets the answer that belongs to the one before. From there on each is shifted, and looks whole.
#
# RFC 9110 15.2 lets a server send any number of 1xx answers before the final one; http.client skips
# 100 alone. Servers that send 103 only to those who ask, or to browsers, hide it.
#
# Seen with Python 3.11.7:
#   first request, answered 103 then 500:  103
#   second request, answered 200:          500
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet requests==2.34.2 urllib3==2.8.0
cat > "$folder/seen.py" <<'PYTHON'
import socket
import threading
import time

import requests

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
ANSWERS = (
    (HINTS, b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno"),
    (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
)


def serve(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    asked = b""
    for hints, answer in ANSWERS:
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(65536)
        asked = asked.partition(b"\r\n\r\n")[2]
        connection.sendall(hints)
        time.sleep(0.5)  # to find the answer
        connection.sendall(answer)
    connection.recv(65536)


with socket.create_server(("127.0.0.1", 0)) as listener:
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with requests.Session() as session:
        session.trust_env = False
        seen = [session.get(url, timeout=5).status_code for _ in range(2)]
print("first request, answered 103 then 500: ", seen[0])
print("second request, answered 200:         ", seen[1])
raise SystemExit(seen != [103, 500])
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
