"""Apprise in its own process: what a service gave it must be there the next time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

pytest.importorskip("apprise.plugins.kakaotalk", reason="needs Apprise 2.2 or later")

# Apprise's only plugin of this kind that can be led to a server of one's own.
LED_HERE = """
from apprise.plugins.kakaotalk import NotifyKakaoTalk
NotifyKakaoTalk.token_url = "http://127.0.0.1:{port}/token"
NotifyKakaoTalk.notify_me_url = "http://127.0.0.1:{port}/send"
"""


class Service(ThreadingHTTPServer):
    """Takes each refresh token once, and hands out the next one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.valid, self.taken = 0, 0


class Answering(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        answer: dict[str, object] = {"result_code": 0}
        is_good = True
        if self.path == "/token":
            is_good = asked["refresh_token"] == [f"token-{self.server.valid}"]
            self.server.valid += is_good
            answer = {"access_token": "access", "expires_in": 60, "refresh_token_expires_in": 99999}
            answer["refresh_token"] = f"token-{self.server.valid}"
        else:
            self.server.taken += 1
        body = json.dumps(answer if is_good else {"error": "invalid_grant"}).encode()
        self.send_response(200 if is_good else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_token_that_a_service_renewed_is_there_the_next_time(
    tmp_path: Path, service: Service
) -> None:
    (tmp_path / "sitecustomize.py").write_text(LED_HERE.format(port=service.server_port))
    storage = tmp_path / "data" / "apprise"
    document = {"url": "kakaotalk://client/token-0", "title": "t", "body": "b", "type": "failure"}
    command = [sys.executable, "-P", "-m", "kakaocron.watching.apprise_process"]
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    for count in (1, 2, 3):
        said = json.dumps({**document, "storage": str(storage)})
        ended = subprocess.run(
            command, input=said, text=True, env={**os.environ, "PYTHONPATH": path}, check=False
        )
        assert ended.returncode == 0
        assert service.taken == count
    kept = [one for one in storage.rglob("*") if one.is_file()]
    assert kept
    assert {one.stat().st_mode & 0o077 for one in kept} == {0}
