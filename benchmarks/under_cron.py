"""Slot to request received, on the real clock under the real cron daemon, side by side.

Each minute is a slot. Beside each other: `kakaocron tick` with and without `early_start`, an
APScheduler process that stays resident with a kept session, and a crontab line with curl. With
`--tls` all of them reach the receiver through a proxy that adds 20 ms each way and a server that
closes idle connections after 15 s, as servers do.

    unshare -m python benchmarks/under_cron.py --minutes 21 [--tls] [--first]

`--first` is for a machine that does other work at the same time: every contender's session comes
before all others at the processor. Linux's threads that write to the disk are not its to hasten.

Needs root (cron reads its table from a folder that only root may replace), Debian's cron and curl,
and apscheduler in this environment. The machine's own crontabs are hidden from the daemon that is
started here, and it from them, by the private mounts that `unshare -m` allows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

EARLY, PLAIN, RESIDENT, CURL = "early_start", "plain tick", "APScheduler", "crontab with curl"
NAMES = (EARLY, PLAIN, RESIDENT, CURL)
ONE_WAY_SECONDS = 0.020
# The resident one's slots are at another second of the minute, so that it and a tick that waited
# do not keep each other from the processor.
RESIDENT_SECOND = 20
ANSWER = b'{"result_code":0}'
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: 17\r\n\r\n"
)

CONFIG = """[kakao]
rest_api_key = "key"
api_url = "{url}"
auth_url = "{url}"
[schedule]
regular_minutes = [{minutes}]
early_start = {early}
[[message]]
name = "report"
slots = ["regular"]
text = "보고 {{time}}"
"""

RESIDENT_SCRIPT = """
import sys, requests
from apscheduler.schedulers.blocking import BlockingScheduler
session = requests.Session()
scheduler = BlockingScheduler()
def send():
    session.post(sys.argv[1], data={"template_object": "x"}, timeout=10).json()
scheduler.add_job(send, "cron", second=int(sys.argv[2]))
scheduler.start()
"""


class Receiver(asyncio.Protocol):
    """Answers every request, and notes when its last byte came."""

    def __init__(self, name: str, received: list[tuple[str, float]], idle_seconds: float) -> None:
        self._name, self._received, self._idle_seconds = name, received, idle_seconds
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, transport.close)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if end and len(body) >= _content_length(head):
            self._received.append((self._name, now))
            self._buffer = b""
            self._transport.write(HEAD + ANSWER)
            self._timer.cancel()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._idle_seconds, self._transport.close)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


async def _proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Pass bytes on 20 ms later each way; the TCP handshake's way there and back comes first."""
    await asyncio.sleep(2 * ONE_WAY_SECONDS)
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(asyncio.CancelledError):
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            loop.call_later(ONE_WAY_SECONDS, writer.write, data)
    loop.call_later(ONE_WAY_SECONDS, writer.close)


async def _receive(
    folder: Path, minutes: int, *, tls: bool, first: bool
) -> tuple[list[tuple[str, float]], list[float]]:
    received: list[tuple[str, float]] = []
    context = _certificate(folder) if tls else None
    loop = asyncio.get_running_loop()
    urls = {}
    for name in NAMES:
        server = await loop.create_server(
            lambda name=name: Receiver(name, received, 15 if tls else 75),
            "127.0.0.1",
            0,
            ssl=context,
        )
        port = server.sockets[0].getsockname()[1]
        if tls:
            proxy = await asyncio.start_server(
                lambda r, w, port=port: _proxy(r, w, port), "127.0.0.1", 0
            )
            port = proxy.sockets[0].getsockname()[1]
        urls[name] = f"{'https' if tls else 'http'}://localhost:{port}"
    shell = _shell(folder, first=first)
    processes = _start_senders(folder, shell, urls, RESIDENT_SECOND)
    try:
        await asyncio.sleep(60 - time.time() % 60)
        loads = []
        for _ in range(minutes + 1):
            await asyncio.sleep(60)
            loads.append(os.getloadavg()[0])
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
    return received, loads


def _shell(folder: Path, *, first: bool) -> str:
    """Write what starts each contender: in a session of its own, with a place at the processor."""
    path = folder / "shell"
    place = "echo -20 >/proc/self/autogroup\n" if first else ""
    path.write_text(f'#!/bin/sh\n{place}exec /bin/sh "$@"\n')
    path.chmod(0o755)
    return str(path)


def _start_senders(
    folder: Path, shell: str, urls: dict[str, str], second: int
) -> list[subprocess.Popen[bytes]]:
    kakaocron = Path(sys.executable).parent / "kakaocron"
    lines = [
        f"SHELL={shell}",
        "PATH=/usr/bin:/bin",
        "KAKAO_ACCESS_TOKEN=token",
        f"REQUESTS_CA_BUNDLE={folder}/cert.pem" if (folder / "cert.pem").exists() else "",
    ]
    for name in (EARLY, PLAIN):
        home = folder / name.replace(" ", "-")
        home.mkdir()
        early = "true" if name == EARLY else "false"
        every = ", ".join(map(str, range(60)))
        text = CONFIG.format(url=urls[name], minutes=every, early=early)
        (home / "config.toml").write_text(text)
        places = f"KAKAOCRON_DATA_DIR={home}/data KAKAOCRON_LOG_DIR={home}/log"
        command = f"{kakaocron} tick --config {home}/config.toml"
        lines.append(f"* * * * * {places} {command} >>{home}/out 2>&1")
    path = "/v2/api/talk/memo/default/send"
    trust = f"--cacert {folder}/cert.pem" if (folder / "cert.pem").exists() else ""
    lines.append(f"* * * * * curl -s {trust} -d template_object=x {urls[CURL]}{path} >/dev/null")
    _hide_the_machines_crontabs(folder)
    table = folder / "spool" / "crontabs" / "root"
    table.write_text("\n".join(lines) + "\n")
    table.chmod(0o600)
    environ = {**os.environ, "REQUESTS_CA_BUNDLE": f"{folder}/cert.pem"}
    script = folder / "resident.py"
    script.write_text(RESIDENT_SCRIPT)
    command = f"exec {sys.executable} {script} {urls[RESIDENT]}{path} {second}"
    with (folder / "resident.log").open("w") as log:
        return [
            subprocess.Popen(["cron", "-f"], stdout=log, stderr=log),
            subprocess.Popen(
                [shell, "-c", command], env=environ, stdout=log, stderr=log, start_new_session=True
            ),
        ]


def _hide_the_machines_crontabs(folder: Path) -> None:
    (folder / "spool" / "crontabs").mkdir(parents=True)
    (folder / "spool").chmod(0o755)
    for name in ("cron.d", "run"):
        (folder / name).mkdir()
    mounts = {"spool": "/var/spool/cron", "cron.d": "/etc/cron.d", "run": "/run"}
    for name, target in mounts.items():
        subprocess.run(["mount", "--bind", str(folder / name), target], check=True)


def _certificate(folder: Path) -> ssl.SSLContext:
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        f"-addext subjectAltName=DNS:localhost -keyout {folder}/key.pem "
        f"-out {folder}/cert.pem".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def lateness(received: list[tuple[str, float]]) -> dict[str, list[float]]:
    """Return by how many milliseconds each request came after (before: negative) its minute.

    Without each contender's first: nothing could be prepared for it.
    """
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    for name, at in received:
        slot_second = RESIDENT_SECOND if name == RESIDENT else 0
        found[name].append(round(1000 * ((at - slot_second + 30) % 60 - 30), 3))
    return {name: values[1:] for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=21)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--json", type=Path, help="Write every figure here.")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kakaocron-cron-"))
    try:
        if options.first:
            Path("/proc/self/autogroup").write_text("-20")
        received, loads = asyncio.run(
            _receive(folder, options.minutes, tls=options.tls, first=options.first)
        )
    finally:
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder)
    found = lateness(received)
    if options.json:
        options.json.write_text(json.dumps({"load": loads, **found}, indent=1))
    print(f"load {min(loads):.1f} to {max(loads):.1f}, {os.cpu_count()} processors")
    print("milliseconds after the minute   slots      min      p50      p99      max")
    for name, values in found.items():
        ordered = sorted(values) or [float("nan")]
        p99 = ordered[max(0, -(-99 * len(ordered) // 100) - 1)]
        row = (ordered[0], median(ordered), p99, ordered[-1])
        print(f"{name:30} {len(values):6}" + "".join(f"{value:9.1f}" for value in row))


if __name__ == "__main__":
    main()
