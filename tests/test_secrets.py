"""No token or secret in any log, output, JSON, exception, process list or readable file."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kakaocron.cli import run
from kakaocron.installation import find_installation
from kakaocron.kakao.login import Credentials
from kakaocron.kakao.tokens import Tokens
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.system.http import Answer, Gate, Request
from kakaocron.system.places import find_places
from kakaocron.system.socket_http import SocketHttp
from tests.fakes import FakeClock, kakao_section, write_config

MESSAGE = (
    '[friends]\nmum = "uuid-aaa"\n[monitor]\nalert_urls = ["ntfy://alert-secret@x"]\n'
    '[[message]]\nname = "report"\nslots = ["regular"]\ntext = "보고 {time}"\nto = ["me"]\n'
)
CLIENT_SECRET = Settings().client_secret or ""
KEPT = (CLIENT_SECRET, "alert-secret")  # config.toml may hold these, privately


@pytest.fixture
def config(home: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    path = write_config(home, kakao_section(sandbox, timeout=2) + MESSAGE)
    path.chmod(0o600)
    return path


class ProcessList(threading.Thread):
    """Reads, again and again, what every user can see of the processes of this machine."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue


@pytest.fixture
def process_list() -> Iterator[ProcessList]:
    found = ProcessList()
    found.start()
    yield found
    found.is_over.set()
    found.join()


def kakaocron(*arguments: str, stdin: str = "") -> str:
    """Run a process; return all that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "kakaocron", *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def collected(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that every token which is issued from now on ends in."""
    account = sandbox.kakao._account
    make, made = account.make_secret, []

    def make_secret(kind: str) -> str:
        made.append(make(kind))
        return made[-1]

    monkeypatch.setattr(account, "make_secret", make_secret)
    return made


COMMANDS = (
    ("status", "--json"),
    ("history", "--json"),
    ("next", "--json"),
    ("config", "show"),
    ("config", "show", "--json"),
    ("config", "check"),
    ("friends", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("cron", "show"),
    ("cron", "show", "--systemd"),
    ("health", "--json"),
    ("ledger", "verify", "--json"),
)


def test_no_secret_leaves_by_any_way(
    config: Path,
    home: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    process_list: ProcessList,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    made = collected(sandbox, monkeypatch)
    token_file = home / "refresh-token"
    token_file.touch(0o600)
    token_file.write_text(sandbox.kakao.issue_login(clock.now()).refresh_token)
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN_FILE", str(token_file))
    said = [kakaocron("send", "안녕"), kakaocron("tick"), kakaocron("doctor", "--json")]
    for command in COMMANDS:
        run(command)
    for fault in ("KOE010", "KOE237", "html", "500", "-401", "401-twice", "cut-after", "KOE322"):
        tokens = Path(find_places().tokens)
        tokens.unlink()
        token_file.write_text(sandbox.kakao.issue_login(clock.now()).refresh_token)
        where = "@/oauth/token" if fault in {"html", "500", "cut-after"} else ""
        sandbox.faults.enqueue(f"{fault}{where}")
        run(["send", f"fault {fault}", "--force"])
        run(["tick"])
    said += [kakaocron("login", "--no-browser", stdin="CODE-that-is-pasted\n")]
    run(["logout"])
    said += capfd.readouterr()
    secrets = {*made, *KEPT, "CODE-that-is-pasted"}
    assert len(secrets) > 20
    assert "confirmed" in said[0]
    check(secrets, "\n".join(said), process_list)
    check_files(secrets, home)


def check(secrets: set[str], said: str, process_list: ProcessList) -> None:
    for secret in secrets:
        assert secret not in said
        assert not any(secret.encode() in line for line in process_list.seen)


def check_files(secrets: set[str], home: Path) -> None:
    """A file that holds a secret is nobody else's to read, and no log holds one."""
    holders = []
    for path in home.rglob("*"):
        if path.is_dir() or path.name == "refresh-token":
            continue
        content = path.read_bytes()
        if any(secret.encode() in content for secret in secrets):
            holders.append(path.name)
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert set(holders) <= {"config.toml", "tokens.json"}
    data = home / ".local" / "share" / "kakaocron"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_hostile_server_that_repeats_what_it_was_told_is_not_quoted(
    config: Path, home: Path, clock: FakeClock, sandbox: SandboxServer, capfd: Any
) -> None:
    """Error texts, log lines and the ledger hold none of an answer's own words."""

    class Parrot(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            said = f"{self.headers} {body}"
            answer = {"msg": said, "code": -2, "error": said, "error_description": said}
            if "code=" in body:
                answer["error_code"] = said
            content = json.dumps(answer).encode()
            self.send_response(400, "Bad")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        config.write_text(config.read_text().replace(sandbox.url, url))
        places = find_places()
        installation = find_installation()
        installation.login.write(
            Tokens("parrot-access", clock.now().replace(year=2090), "parrot-refresh")
        )
        for command in (["send", "x"], ["friends"], ["doctor", "--json"], ["logout"]):
            run(command)
        installation.login.write(Tokens(refresh_token="parrot-refresh", client_id="x"))
        for command in (["send", "y"], ["tick"], ["doctor"]):
            run(command)
        installation.close()
    finally:
        server.shutdown()
        server.server_close()
    said = capfd.readouterr()
    everything = said.out + said.err + places.log_file.read_text()
    everything += "".join(path.read_text() for path in Path(places.ledger).glob("*"))
    for secret in ("parrot-access", "parrot-refresh", CLIENT_SECRET):
        assert secret not in everything


def test_a_bug_shows_no_secret_in_its_traceback(
    config: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    login = sandbox.kakao.issue_login(clock.now())
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", login.refresh_token)

    def broken(self: SocketHttp, request: Request, gate: Gate | None = None) -> Answer:
        given = Credentials(client_secret="".join(["hid", "den"]))
        raise RuntimeError(f"bug with {request!r}, {given!r}, {Tokens('hid' + 'den')!r}")

    monkeypatch.setattr(SocketHttp, "ask", broken)
    assert run(["friends"]) == 70
    said = capsys.readouterr()
    everything = said.out + said.err + find_places().log_file.read_text()
    assert "Traceback" in everything
    assert "RuntimeError" in everything
    for secret in (login.refresh_token, CLIENT_SECRET, "hidden"):
        assert secret not in everything


@pytest.mark.parametrize("way", ["file", "credentials", "env-file"])
def test_secrets_are_found_without_a_shells_environment(
    config: Path,
    home: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    folder = home / "credentials"
    folder.mkdir()
    (folder / "kakao_refresh_token").write_text(token + "\n")
    if way == "file":
        monkeypatch.setenv("KAKAO_REFRESH_TOKEN_FILE", str(folder / "kakao_refresh_token"))
    elif way == "credentials":
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    else:
        (config.parent / ".env").write_text(f"export KAKAO_REFRESH_TOKEN='{token}'\n")
    assert run(["send", way]) == 0
    assert [delivery.text for delivery in sandbox.deliveries] == [way]


def test_a_secrets_file_that_cannot_be_read_is_named(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAKAO_CLIENT_SECRET_FILE", "/no/such/file")
    assert run(["send", "x"]) == 2
    assert "/no/such/file" in capsys.readouterr().err
    assert os.environ["KAKAO_CLIENT_SECRET_FILE"]
