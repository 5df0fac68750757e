"""The proof that no test, nor a process that it starts, reaches the user's home or the network."""

from __future__ import annotations

import os
import pwd
import re
import socket
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
import requests

from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.http import Request
from kakaocron.system.places import find_places
from kakaocron.system.socket_http import SocketHttp
from tests.conftest import ReachedTheNetworkError

# Addresses that are for documentation only: no packet would find its way even without the guard.
FOREIGN = ("192.0.2.1", 443)
FOREIGN_6 = ("2001:db8::1", 443)

CONFIG = """
[[message]]
name = "report"
slots = ["regular"]
text = "보고"
"""


def test_every_folder_of_an_installation_is_below_the_tests_own(tmp_path: Path) -> None:
    places = find_places()
    folders = [Path.home(), places.config, places.data, places.log]
    folders += [Path(getattr(platformdirs, f"user_{kind}_dir")("x")) for kind in ("data", "cache")]

    assert all(folder.is_relative_to(tmp_path) for folder in folders)


def test_the_users_real_home_is_neither_home_nor_above_it(home: Path) -> None:
    real = Path(pwd.getpwuid(os.getuid()).pw_dir)

    assert not home.is_relative_to(real)
    assert Path("~").expanduser() == home


def test_no_variable_of_the_users_is_seen(home: Path) -> None:
    foreign = ("KAKAO", "CREDENTIALS_", "XDG_")
    kept = {name: value for name, value in os.environ.items() if name.startswith(foreign)}

    assert kept == {"XDG_RUNTIME_DIR": str(home.parent / "run"), "KAKAOCRON_LANGUAGE": "en"}
    assert not {"ENVIRONMENT", "LOG_LEVEL"} & set(os.environ)


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, FOREIGN), (socket.AF_INET6, FOREIGN_6)]
)
def test_no_socket_leaves_the_machine(
    family: socket.AddressFamily, address: tuple[str, int]
) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        with pytest.raises(ReachedTheNetworkError, match="tried to reach"):
            stream.connect(address)
        with pytest.raises(ReachedTheNetworkError):
            stream.connect_ex(address)
    with socket.socket(family, socket.SOCK_DGRAM) as datagram:
        with pytest.raises(ReachedTheNetworkError):
            datagram.sendto(b"?", address)
        with pytest.raises(ReachedTheNetworkError):
            datagram.sendto(b"?", 0, address)


def test_no_name_is_looked_up() -> None:
    with pytest.raises(ReachedTheNetworkError, match=r"look up 'kapi\.kakao\.com'"):
        socket.create_connection(("kapi.kakao.com", 443))


def test_no_request_of_kakaocrons_or_of_requests_leaves_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("https_proxy")

    with pytest.raises(ReachedTheNetworkError):
        requests.get("https://kapi.kakao.com", timeout=1)
    with pytest.raises(ReachedTheNetworkError):
        SocketHttp(1).ask(Request("https://kapi.kakao.com/v2/user/me"))


def test_a_process_that_a_test_starts_does_not_reach_kakao_either(tmp_path: Path) -> None:
    """Kakao's real addresses are the default: send to them, and see that it comes to nothing."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG, "utf-8")
    sent = subprocess.run(
        [sys.executable, "-m", "kakaocron", "--config", str(config), "send", "안녕", "--json"],
        env={**os.environ, "KAKAO_ACCESS_TOKEN": "made-up"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert '"state": "retrying"' in sent.stdout, sent.stderr
    assert '"reason": "unreachable"' in sent.stdout


def test_loopback_is_open(sandbox: SandboxServer) -> None:
    assert requests.get(f"{sandbox.url}/_sandbox/health", timeout=5).json() == {"status": "ok"}


def test_no_module_puts_a_fixture_in_a_guards_place() -> None:
    guarded = re.compile(r"^@pytest\.fixture.*\ndef (\w+)\(", re.MULTILINE)
    folder = Path(__file__).parent
    guards = set(re.findall(r"autouse=True\)\ndef (\w+)\(", (folder / "conftest.py").read_text()))
    replaced = {
        f"{path.relative_to(folder)}: {name}"
        for path in folder.rglob("test_*.py")
        for name in guarded.findall(path.read_text("utf-8"))
        if name in guards
    }
    assert ("home" in guards, replaced) == (True, set())
