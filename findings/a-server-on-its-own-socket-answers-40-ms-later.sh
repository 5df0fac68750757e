#!/usr/bin/env bash
# uvicorn 0.54.0 (h11 0.16.0, CPython's asyncio): the same application on the same address answers a
# kept connection 40 ms later where the server was handed its socket than where it made it itself.
# One would guess that who listens makes no difference.
#
# asyncio sets TCP_NODELAY on a connection only if its socket's `proto` is IPPROTO_TCP
# (base_events._set_nodelay). asyncio's own sockets come from getaddrinfo, which names the protocol;
# those of socket.create_server() and of uvicorn's Config.bind_socket() (its workers, its --reload)
# say 0, the default, and so do the connections that they accept. Head and body are two writes: the
# second waits until the client acknowledges the first, which on Linux it puts off for 40 ms.
#
# Seen with Python 3.11.7:
#   uvicorn made the socket:        TCP_NODELAY 1, median of a request 1.5 ms
#   made by socket.create_server(): TCP_NODELAY 0, median of a request 44.0 ms
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet uvicorn==0.54.0 h11==0.16.0
cat > "$folder/seen.py" <<'PYTHON'
import http.client
import socket
import threading
import time

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

nodelay = []


class Noting(H11Protocol):
    def connection_made(self, transport):
        super().connection_made(transport)
        made = transport.get_extra_info("socket")
        nodelay.append(int(bool(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))))


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def median_ms(**listening):
    config = uvicorn.Config(app, port=0, http=Noting, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, kwargs=listening, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    taken = []
    for _ in range(11):
        began = time.perf_counter()
        connection.request("GET", "/")
        connection.getresponse().read()
        taken.append(1000 * (time.perf_counter() - began))
    server.should_exit = True
    return sorted(taken)[5]


own = median_ms()
given = median_ms(sockets=[socket.create_server(("127.0.0.1", 0))])
print(f"uvicorn made the socket:        TCP_NODELAY {nodelay[0]}, median of a request {own:.1f} ms")
print(f"made by socket.create_server(): TCP_NODELAY {nodelay[1]}, median of a request {given:.1f} ms")
raise SystemExit(nodelay != [1, 0])
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
