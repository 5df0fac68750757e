"""SOLAPI's own clients, `solapi` of PyPI and npm, unchanged but for the address.

They are installed from their registries into a folder of the test's. Run: pytest -m peers
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kakaocron.ledger.deliveries import key_of
from kakaocron.ledger.lookup import find_delivery
from kakaocron.rehearsal.sandbox.faults import InjectedFault
from kakaocron.rehearsal.sandbox.kakao import Kakao, Wire, WireRequest
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import KST
from kakaocron.states import State
from tests.alimtalk.parts import ACCOUNT, MESSAGE, NOBODY, NUMBER, TEXT, arrived, phone
from tests.fakes import FakeClock, run_tick
from tests.peers.conftest import ENVIRONMENT
from tests.peers.peers import CLIENTS

PYTHON_VERSION, NODE_VERSION = "solapi==5.0.3", "solapi@6.0.1"
OTHER = "01022223333"

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm"),
]


class Recorder(Kakao):
    """The sandbox, which also keeps what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[WireRequest] = []

    def exchange(self, request: WireRequest, now: datetime, fault: InjectedFault | None) -> Wire:
        self.asked.append(request)
        return super().exchange(request, now, fault)

    def bodies(self, method: str) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.asked if one.method == method]


def now() -> datetime:
    return datetime.now(KST)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("solapi")

    def run(*command: str) -> None:
        subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, timeout=600)

    run(sys.executable, "-m", "venv", "venv")
    run("venv/bin/python", "-m", "pip", "install", "--quiet", PYTHON_VERSION)
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    run("npm", "install", *quiet, NODE_VERSION)
    return folder


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def dealer(recorder: Recorder) -> Iterator[SandboxServer]:
    with SandboxServer(recorder, now) as server:
        yield server


def told(packages: Path, dealer: SandboxServer, *argv: str, **variables: str) -> Any:
    """Run a client; return what it tells."""
    is_node = argv[0].endswith(".mjs")
    program = "node" if is_node else str(packages / "venv" / "bin" / "python")
    environment = {
        "PATH": ENVIRONMENT["PATH"],
        "LANG": "C.UTF-8",
        "PACKAGES": str(packages),
        "SANDBOX_URL": dealer.url,
        "API_KEY": ACCOUNT.api_key,
        "API_SECRET": ACCOUNT.api_secret,
        "SENDER": ACCOUNT.senders[0],
        "PF_ID": ACCOUNT.pf_id,
        "TEMPLATE": "KC_REPORT_01",
        **variables,
    }
    command = (program, str(CLIENTS / argv[0]), *argv[1:])
    found = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    (line,) = [one for one in found.stdout.splitlines() if one.startswith("TOLD ")]
    return json.loads(line.removeprefix("TOLD "))


def settle(dealer: SandboxServer) -> None:
    time.sleep(2.1)  # the phones take two seconds
    assert dealer.deliveries


def test_its_python_client_sends_and_looks_up(packages: Path, dealer: SandboxServer) -> None:
    script = "run_solapi.py"
    sent = told(packages, dealer, script, "send", "010-1234-5678", NOBODY, f"{OTHER}/NONE")
    settle(dealer)
    seen = told(packages, dealer, script, "look", sent["group"])

    assert sent["failed"] == ["1043"]  # which raises nothing
    codes = {NUMBER: "4000", NOBODY: "3104", OTHER: "1043"}
    assert seen == {
        "group": "COMPLETE",
        "groups": [sent["group"]],
        "messages": codes,
        "listed": codes,
    }
    assert told(packages, dealer, script, "balance") == ACCOUNT.balance - 2 * ACCOUNT.price
    assert arrived(dealer) == [(NUMBER, TEXT)]


@pytest.mark.parametrize(
    ("variables", "name"),
    [({"API_SECRET": "x"}, "SignatureDoesNotMatch"), ({"API_KEY": "x"}, "InvalidAPIKey")],
)
def test_its_python_client_is_refused_as_ours(
    packages: Path, dealer: SandboxServer, variables: dict[str, str], name: str
) -> None:
    found = told(packages, dealer, "run_solapi.py", "balance", **variables)

    assert found["error"] == ["Exception", name]


def test_its_node_client_sends_a_group_once(packages: Path, dealer: SandboxServer) -> None:
    found = told(packages, dealer, "run_solapi.mjs", NUMBER)

    assert (found["added"], found["sent"], found["again"]) == (0, "SENDING", "GroupInProcessing")
    assert (found["seen"], found["messages"], found["listed"]) == ("COMPLETE", ["4000"], ["4000"])
    assert found["asked"] == [
        "POST /messages/v4/groups",
        "PUT /messages/v4/groups/G/messages",
        "POST /messages/v4/groups/G/send",
        "POST /messages/v4/groups/G/send",
        "GET /messages/v4/groups/G",
        "GET /messages/v4/groups/G/messages",
        "GET /messages/v4/list",
    ]
    assert arrived(dealer) == [(NUMBER, TEXT)]


def test_ours_and_its_speak_alike_and_see_the_same(
    packages: Path, dealer: SandboxServer, recorder: Recorder, tmp_path: Path
) -> None:
    """Both put the same message into a group; then its client looks at the group that we sent."""
    told(packages, dealer, "run_solapi.mjs", NUMBER)
    (theirs,) = recorder.bodies("PUT")
    last = now()  # its latest half hour: what the phone says of it is over by now
    slot = last.replace(minute=last.minute // 30 * 30, second=1, microsecond=0)
    clock = FakeClock(slot)
    with SandboxServer(recorder, lambda: clock.at) as same:
        message = MESSAGE.replace("{time:%H:%M}", "09:30")
        run_tick(phone(tmp_path, same, clock, "solapi", message=message))
        clock.at = slot.replace(second=31)
        run_tick(phone(tmp_path, same, clock, "solapi", message=message))
        id_ = f"report@{slot:%Y%m%dT%H%M}"
        delivery = find_delivery(phone(tmp_path, same, clock, "solapi").ledger, id_)
    ours = recorder.bodies("PUT")[-1]

    (mine,), (its,) = ours["messages"], theirs["messages"]
    assert {name: its.get(name) for name in mine if name != "type"} == {
        name: value for name, value in mine.items() if name != "type"
    }
    key = key_of(delivery, NUMBER)
    assert key is not None
    seen = told(packages, dealer, "run_solapi.py", "look", key.key)
    assert delivery.state is State.CONFIRMED
    assert seen["messages"] == {NUMBER: delivery.targets[NUMBER].code} == {NUMBER: "4000"}
