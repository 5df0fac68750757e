"""A network of one machine in which Kakao's names lead to the sandbox; programs are run in it.

Started in namespaces of its own (network, mounts), so that no request can leave the machine.
Reads one JSON object a line, `{"argv", "env", "folder", "settings", "faults"}`, runs that program
against a new sandbox, and writes one: `{"exit", "told", "err", "calls", "deliveries"}`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from kakaocron.rehearsal.sandbox.faults import FaultPlan
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import KST, SandboxFriend, Settings
from tests.peers.person import agree
from tests.peers.relay import Relay

LIMIT_SECONDS = 120
NAMES = "127.0.0.1 localhost\n127.0.0.1 kauth.kakao.com kapi.kakao.com\n"
LOGIN = ("KAKAO_ACCESS", "KAKAO_REFRESH", "KAKAO_REFRESH_TOKEN")


def open_ground(folder: Path) -> None:
    """Bring loopback up, and name Kakao's hosts, in the namespaces of this process."""
    hosts = folder / "hosts"
    hosts.write_text(NAMES)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def play(order: dict[str, Any], relay: Relay, accounts: dict[str, Kakao]) -> dict[str, Any]:
    """Run one program; an order with the name of an earlier `account` goes on with its Kakao."""
    kakao = accounts.setdefault(order["account"], Kakao(_settings(order["settings"])))
    relay.forget()
    before = len(kakao.deliveries)
    with SandboxServer(kakao, _now, faults=FaultPlan(script=order["faults"])) as server:
        relay.upstream = urlsplit(server.url).port or 0
        login = _ready_login(order, kakao)
        if order["is_access_dead"]:
            kakao.revoke_access_tokens()
        exit_code, told, err = _run(order, login)
        pending = server.faults.pending
    return {
        "exit": exit_code,
        "told": told,
        "err": err,
        "calls": relay.calls(),
        "deliveries": [one.receiver for one in kakao.deliveries[before:]],
        "pending": pending,
        "login": login,
    }


def _ready_login(order: dict[str, Any], kakao: Kakao) -> dict[str, str]:
    """Return a ready login for a program that is handed one; none for one that logs in itself."""
    if not order["is_logged_in"]:
        return {}
    login = kakao.issue_login(_now())
    tokens = (login.access_token, login.refresh_token, login.refresh_token)
    return dict(zip(LOGIN, tokens, strict=True))


def _run(order: dict[str, Any], login: dict[str, str]) -> tuple[int, list[Any], str]:
    err: list[str] = []
    with subprocess.Popen(
        order["argv"],
        env={**order["env"], **login},
        cwd=order["folder"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        timer = threading.Timer(LIMIT_SECONDS, process.kill)
        timer.start()
        assert process.stdin is not None
        assert process.stdout is not None
        reader = threading.Thread(target=_gather, args=(process.stderr, err))
        reader.start()
        told = []
        for line in process.stdout:
            if line.startswith("VISIT "):
                try:
                    process.stdin.write(agree(line.removeprefix("VISIT ").strip()) + "\n")
                except (OSError, ValueError) as error:
                    err.append(f"the person could not agree: {error}")
                    process.kill()
            elif line.startswith("TOLD "):
                told.append(json.loads(line.removeprefix("TOLD ")))
            else:
                err.append(line)
        reader.join()
        timer.cancel()
    return process.returncode, told, "".join(err)


def _gather(stream: TextIO, into: list[str]) -> None:
    into.extend(stream)


def _settings(told: dict[str, Any]) -> Settings:
    fields: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in told.items()
    }
    if "friends" in fields:
        fields["friends"] = tuple(SandboxFriend(uuid, uuid) for uuid in fields["friends"])
    return Settings(**fields)


def _now() -> datetime:
    return datetime.now(KST)


def main() -> None:
    folder = Path(sys.argv[1])
    open_ground(folder)
    accounts: dict[str, Kakao] = {}
    with Relay(folder / "cert.pem", folder / "key.pem") as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(play(json.loads(line), relay, accounts)), flush=True)


if __name__ == "__main__":
    main()
