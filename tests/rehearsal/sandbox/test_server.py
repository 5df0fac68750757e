import json
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from kakaocron.rehearsal.sandbox.faults import FaultPlan
from kakaocron.rehearsal.sandbox.kakao import Kakao, LoggedRequest
from kakaocron.rehearsal.sandbox.server import Certificate, SandboxServer, run
from tests.rehearsal.sandbox.support import (
    FORM,
    MEMO,
    NOW,
    friend_fields,
    memo_fields,
    text_template,
)


@pytest.fixture
def server(kakao: Kakao) -> Iterator[SandboxServer]:
    with SandboxServer(kakao, lambda: NOW, read_timeout_seconds=0.3) as server:
        yield server


def send(
    server: SandboxServer,
    token: str,
    *,
    timeout: float = 5,
    session: Any = requests,
    path: str = MEMO,
    fields: dict[str, str] | None = None,
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    answer: requests.Response = session.post(
        server.url + path, data=fields or memo_fields(), headers=headers, timeout=timeout
    )
    return answer


def raw(server: SandboxServer, data: bytes) -> bytes:
    """Send bytes, say that no more come, return all that comes back before the end or a reset."""
    host, port = server.url.removeprefix("http://").split(":")
    parts: list[bytes] = []
    with (
        socket.create_connection((host, int(port)), timeout=5) as connection,
        suppress(OSError),
    ):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_a_memo_is_delivered_over_a_real_socket(server: SandboxServer, token: str) -> None:
    before = time.time_ns()
    answer = send(server, token)

    assert (answer.status_code, answer.json()) == (200, {"result_code": 0})
    assert answer.headers["Date"] == "Mon, 23 Nov 2026 00:30:00 GMT"
    (delivery,) = server.deliveries
    assert delivery.at == NOW
    assert delivery.received_at_ns is not None
    assert before <= delivery.received_at_ns <= time.time_ns()


def test_connections_are_kept_alive(server: SandboxServer) -> None:
    request = b"GET /v2/user/me HTTP/1.1\r\n\r\n"

    assert raw(server, request * 5).count(b"HTTP/1.1 401 Unauthorized") == 5


@pytest.mark.parametrize(
    ("fault", "error", "is_delivered"),
    [
        ("refuse", requests.ConnectionError, False),
        ("cut-before", requests.ConnectionError, False),
        ("cut-after", requests.ConnectionError, True),
        ("stall", requests.ReadTimeout, False),
        ("stall-after", requests.ReadTimeout, True),
        ("slow=2", requests.ReadTimeout, True),
        ("drip=2", requests.ReadTimeout, True),
        ("half", requests.exceptions.ChunkedEncodingError, True),
        ("half-before", requests.exceptions.ChunkedEncodingError, False),
    ],
)
def test_faults_that_leave_no_answer(
    server: SandboxServer, token: str, fault: str, error: type[Exception], is_delivered: bool
) -> None:
    server.faults.enqueue(fault)
    with pytest.raises(error):
        send(server, token, timeout=0.15)

    assert server.faults.pending == []
    assert len(server.deliveries) == int(is_delivered)
    assert send(server, token).status_code == 200


@pytest.mark.parametrize(
    ("fault", "expected", "is_delivered"),
    [
        ("html", (200, "<!doctype html>"), False),
        ("html-502", (502, "<!doctype html>"), False),
        ("empty", (200, ""), True),
        ("slow=0.01", (200, '{"result_code":0}'), True),
        ("drip=0.0005", (200, '{"result_code":0}'), True),
        ("result-500", (200, '{"result_code":-500}'), False),
        ("error-in-200", (200, '{"msg":"internal error.","code":-1}'), False),
        ("-603", (400, '{"msg":"execution timeout.","code":-603}'), False),
        ("-603+", (400, '{"msg":"execution timeout.","code":-603}'), True),
        ("-9798", (503, '{"msg":"under maintenance.","code":-9798}'), False),
        ("503", (503, "upstream error"), False),
        ("429", (429, "upstream error"), False),
        ("date=+3600", (200, '{"result_code":0}'), True),
    ],
)
def test_faults_that_leave_an_answer(
    server: SandboxServer, token: str, fault: str, expected: tuple[int, str], is_delivered: bool
) -> None:
    server.faults.enqueue(fault)
    answer = send(server, token)

    assert (answer.status_code, answer.text[:15]) == (expected[0], expected[1][:15])
    assert len(server.deliveries) == int(is_delivered)


@pytest.mark.parametrize("fault", ["early-hints", "early-hints=0.05"])
def test_early_hints_come_before_the_answer(server: SandboxServer, token: str, fault: str) -> None:
    server.faults.enqueue(fault)
    body = urlencode(memo_fields()).encode()
    head = f"POST {MEMO} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: {FORM}\r\n"
    answer = raw(server, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    hints, _, rest = answer.partition(b"\r\n\r\n")
    assert hints.startswith(b"HTTP/1.1 103 Early Hints\r\n")
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest.endswith(b'{"result_code":0}')
    assert len(server.deliveries) == 1


OWN = "/_sandbox/health"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Host: 127.0.0.1:{port}", 200),
        ("Host: localhost:{port}", 200),
        ("Host: LOCALHOST", 200),
        ("Host: [::1]:{port}", 200),
        ("Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}", 200),
        ("X: y", 403),
        ("Host:", 403),
        ("Host: evil.example:{port}", 403),
        ("Host: localhost.evil.example", 403),
        ("Host: 127.0.0.1.evil.example", 403),
        ("Host: 127.0.0.1@evil.example", 403),
        ("Host: 127.0.0.1\r\nHost: evil.example", 403),
        ("Host: 127.0.0.1:{port}\r\nOrigin: http://evil.example", 403),
        ("Host: 127.0.0.1:{port}\r\nOrigin: null", 403),
    ],
)
def test_no_foreign_page_reaches_the_judges_endpoints(
    server: SandboxServer, headers: str, status: int
) -> None:
    named = headers.format(port=server.url.rpartition(":")[2])
    answer = raw(server, f"GET {OWN} HTTP/1.1\r\n{named}\r\n\r\n".encode())

    assert answer.split(b" ")[1] == str(status).encode()


def test_a_cut_is_a_reset_and_not_a_clean_end(server: SandboxServer) -> None:
    server.faults.enqueue("cut-after")
    host, port = server.url.removeprefix("http://").split(":")
    head = f"POST {MEMO} HTTP/1.1\r\nContent-Length: 1\r\n\r\nx".encode()
    with (
        socket.create_connection((host, int(port)), timeout=5) as connection,
        pytest.raises(ConnectionResetError),
    ):
        connection.sendall(head)
        connection.recv(1)


def test_a_drip_comes_byte_by_byte(server: SandboxServer, token: str) -> None:
    server.faults.enqueue("drip=0.001")
    started = time.monotonic()
    answer = send(server, token)

    assert answer.json() == {"result_code": 0}
    assert time.monotonic() - started > 0.1


def test_partial_success_over_a_real_socket(server: SandboxServer, token: str) -> None:
    answer = send(
        server,
        token,
        path="/v1/api/talk/friends/message/default/send",
        fields=friend_fields(["uuid-aaa", "uuid-ccc"]),
    )

    assert answer.json()["successful_receiver_uuids"] == ["uuid-aaa"]
    assert answer.json()["failure_info"][0]["receiver_uuids"] == ["uuid-ccc"]


def test_friend_pages_lead_back_to_this_server(server: SandboxServer, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    url, seen = f"{server.url}/v1/api/talk/friends?limit=2", []
    while url:
        page = requests.get(url, headers=headers, timeout=5).json()
        seen += [friend["uuid"] for friend in page["elements"]]
        url = page["after_url"]

    assert len(seen) == 3


@pytest.mark.parametrize("method", ["GET", "PUT", "BREW", "HEAD"])
def test_unknown_requests_fail_loudly(server: SandboxServer, method: str) -> None:
    answer = requests.request(method, server.url + MEMO, timeout=5)

    assert answer.status_code == 404
    assert server.requests[-1].outcome == "unknown request"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff\x16\x03\x01garbage\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST " + b"/a" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"POST /x HTTP/9.9\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort",
    ],
)
def test_garbage_harms_nobody(server: SandboxServer, token: str, data: bytes) -> None:
    reply = raw(server, data)

    assert b" 200 " not in reply.partition(b"\r\n")[0]
    assert server.deliveries == []
    assert send(server, token).status_code == 200


def test_an_unfinished_message_is_not_delivered(server: SandboxServer, token: str) -> None:
    whole = requests.Request(
        "POST", server.url + MEMO, data=memo_fields(), headers={"Authorization": f"Bearer {token}"}
    ).prepare()
    head = "".join(f"{name}: {value}\r\n" for name, value in whole.headers.items())
    body = str(whole.body).encode()
    raw(server, f"POST {MEMO} HTTP/1.1\r\n{head}\r\n".encode() + body[:-1])

    assert server.deliveries == []


@pytest.mark.parametrize(("surplus", "status"), [(-1, 401), (0, 401), (1, 413), (10**6, 413)])
def test_a_body_over_1_mib_is_refused(server: SandboxServer, surplus: int, status: int) -> None:
    body = b"x" * (1024 * 1024 + surplus)

    assert requests.post(server.url + MEMO, data=body, timeout=5).status_code == status


def test_a_length_with_thousands_of_digits_is_refused(server: SandboxServer) -> None:
    head = b"POST /x HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"

    assert raw(server, head).startswith(b"HTTP/1.1 413 ")


def test_a_slow_client_is_hung_up_on(server: SandboxServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"POST /x HT")
        assert connection.recv(1) == b""


def test_a_client_that_goes_away_harms_nobody(server: SandboxServer, token: str) -> None:
    server.faults.enqueue("slow=0.05")
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(f"POST {MEMO} HTTP/1.1\r\nContent-Length: 1\r\n\r\nx".encode())
    time.sleep(0.1)

    assert send(server, token).status_code == 200


def test_stalls_do_not_hold_up_the_shutdown(kakao: Kakao, token: str) -> None:
    script = ["stall", "stall-after", "slow=30", "drip=30"] * 5
    with ThreadPoolExecutor(20) as clients:
        with SandboxServer(kakao, lambda: NOW, faults=FaultPlan(script=script)) as server:
            sends = [clients.submit(send, server, token, timeout=30) for _ in script]
            while len(server.requests) < len(script):
                time.sleep(0.005)
            started = time.monotonic()
        assert time.monotonic() - started < 1
        assert sum(one.exception() is not None for one in sends) >= 15


def test_300_connections_at_a_time(kakao: Kakao, token: str) -> None:
    together = threading.Barrier(300)

    def client(sandbox: SandboxServer, number: int) -> int:
        fields = memo_fields(text_template(str(number)))
        together.wait(10)
        return send(sandbox, token, fields=fields, timeout=20).status_code

    with SandboxServer(kakao, lambda: NOW) as server, ThreadPoolExecutor(300) as clients:
        assert set(clients.map(partial(client, server), range(300))) == {200}
        texts = {delivery.text for delivery in server.deliveries}
        assert len(server.deliveries) == len(texts) == 300


def test_an_answer_can_take_its_usual_time(kakao: Kakao, token: str) -> None:
    with SandboxServer(kakao, lambda: NOW, answer_delay_seconds=0.05) as server:
        started = time.monotonic()
        send(server, token)
        assert time.monotonic() - started >= 0.05


def test_the_servers_clock_is_the_one_given(kakao: Kakao, token: str) -> None:
    times = iter([NOW, NOW + timedelta(hours=7)])
    with SandboxServer(kakao, lambda: next(times)) as server:
        assert send(server, token).status_code == 200
        assert send(server, token).json()["msg"] == "this access token is already expired"


def test_each_request_is_told_to_the_listener(kakao: Kakao, token: str) -> None:
    heard: list[LoggedRequest] = []
    with SandboxServer(kakao, lambda: NOW, on_request=heard.append) as server:
        send(server, token)

    assert [one.outcome for one in heard] == ["200"]


def test_tls(kakao: Kakao, token: str, tmp_path: Path) -> None:
    certificate = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    subject = "req -x509 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256"
    files = ["-keyout", str(certificate.keyfile), "-out", str(certificate.certfile)]
    command = ["openssl", *subject.split(), *key.split(), *files]
    subprocess.run(command, check=True, capture_output=True)
    with SandboxServer(kakao, lambda: NOW, certificate=certificate) as server:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(certificate.certfile)
            assert send(server, token, session=session).status_code == 200
            for fault in ("cut-after", "stall-after"):
                server.faults.enqueue(fault)
                with pytest.raises(requests.RequestException):
                    send(server, token, session=session, timeout=0.1)
        with pytest.raises(requests.exceptions.SSLError):
            send(server, token)
        assert len(server.deliveries) == 3


def test_run_serves_until_interrupted(kakao: Kakao) -> None:
    seen: list[str] = []

    def interrupt(url: str) -> None:
        seen.append(requests.get(url + "/_sandbox/health", timeout=5).text)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("127.0.0.1", 0, kakao=kakao, now=lambda: NOW, on_ready=interrupt)
    assert [json.loads(text) for text in seen] == [{"status": "ok"}]
