"""Messages whose data come from an address: what arrives, and that no server holds a tick up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.errors import ContentError
from kakaocron.ledger.lookup import find_delivery
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.system.fetch import MOST_REDIRECTS, fetch, is_private
from kakaocron.system.http_answer import MAX_ANSWER_BYTES
from kakaocron.system.socket_http import SocketHttp
from kakaocron.watching.sentences import detail_of
from tests.fakes import MESSAGE, FakeClock, install, run_tick, texts
from tests.messages.test_making import HEAD
from tests.system.test_socket_http import Server, server
from tests.system.wires import Said, wire
from tests.test_cli import Shell, shell

__all__ = ["server", "shell"]

ID = "m@20261123T0930"
KEY = "s3cret"
SHEET = "날짜,금액\n2026-11-23,12000\n2026-11-24,800\n"
JSON = '{"금액": 12800}'


def answer(content: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def redirect(to: str) -> bytes:
    return answer(b"", status="302 Found", headers=f"Location: {to}\r\n")


def config(url: str, text: str, timeout: float = 20) -> str:
    return f'{HEAD}data_url = "{url}"\ntext = "{text}"\ntimeout = {timeout}\n'


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (SHEET.encode(), "{금액_sum:,}원"),
        (SHEET.encode("cp949"), "{금액_sum:,}원"),
        (JSON.encode(), "{금액:,}원"),
        (("\ufeff\n " + JSON).encode(), "{금액:,}원"),
    ],
)
def test_csv_and_json_of_an_address_arrive(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, content: bytes, text: str
) -> None:
    with wire(answer(content)) as sheet:
        url = f"{sheet.url}/pub?output=csv&key={KEY}"
        run_tick(install(tmp_path, sandbox, clock, config(url, text)))
    assert texts(sandbox) == ["12,800원"]
    assert sheet.requests[0].startswith(f"GET /pub?output=csv&key={KEY} HTTP/1.1\r\n".encode())


def test_an_address_that_leads_to_another_is_followed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    with wire(answer(SHEET.encode())) as other, wire(redirect("/b"), redirect(other.url)) as sheet:
        run_tick(install(tmp_path, sandbox, clock, config(sheet.url, "{금액}")))
    assert texts(sandbox) == ["800"]
    assert [r.split(b" ")[1] for r in (*sheet.requests, *other.requests)] == [b"/", b"/b", b"/"]


BAD = [
    (answer(b"", status="404 Not Found"), "answers HTTP 404"),
    (answer(b"<!doctype html><p>Sign in"), "gives a web page, no data; is the sheet published?"),
    (answer(b" \n<html>"), "gives a web page"),
    (answer(b"{"), "gives no JSON"),
    (answer(b"x", headers="Content-Type: application/json\r\n"), "gives no JSON"),
    (answer(b'["a"]'), "gives JSON, but no object"),
    (answer(b""), "holds nothing"),
    (answer(b"\x89PNG\xff\xff"), "is neither UTF-8 nor CP949"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", "is longer than 1048576 bytes"),
    (redirect("http://sheets.example/x"), "leads to an address that is not https://"),
    (redirect("ftp://127.0.0.1/x"), "leads to an address that is not https://"),
    (redirect("http://["), "leads to an address that is not https://"),
    (redirect("//[x"), "leads to an address that is not https://"),
]


@pytest.mark.parametrize(("said", "expected"), BAD)
def test_what_an_address_gives_instead_is_a_reason_in_the_ledger_and_others_go_out(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, said: bytes, expected: str
) -> None:
    with wire(said) as sheet:
        url = f"{sheet.url}/{KEY}?key={KEY}"
        installation = install(tmp_path, sandbox, clock, config(url, "{금액}") + MESSAGE)
        run_tick(installation)
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    delivery = find_delivery(installation.ledger, ID)
    assert (delivery.state, delivery.reason) == (State.RETRYING, Reason.CONTENT_FAILED)
    detail = detail_of(delivery) or ""
    assert expected in detail
    assert detail.startswith(f"'{sheet.url}/…'")


@pytest.mark.parametrize(
    "said", [Said((), 0), Said((b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", b"a", b"b"), 0.2)]
)
def test_a_server_that_hangs_or_drips_is_given_up_and_others_go_out(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, said: Said
) -> None:
    with wire(said) as sheet:
        text = config(f"{sheet.url}/{KEY}", "{금액}", timeout=0.3) + 'fallback_text = "자료 없음"\n'
        installation = install(tmp_path, sandbox, clock, text + MESSAGE)
        run_tick(installation)
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    detail = detail_of(find_delivery(installation.ledger, ID))
    assert detail == f"'{sheet.url}/…' took longer than 0.3 s"
    clock.set("09:39:50")
    run_tick(installation)
    assert texts(sandbox)[1:] == ["자료 없음"]


@pytest.mark.parametrize("count", [MOST_REDIRECTS, MOST_REDIRECTS + 1])
def test_an_address_may_lead_on_so_many_times(count: int) -> None:
    with wire(*[redirect("/x")] * count, answer(b"{}")) as sheet:
        if count <= MOST_REDIRECTS:
            assert fetch(sheet.url, 5, SocketHttp).body == b"{}"
        else:
            with pytest.raises(ContentError, match=f"leads on more than {MOST_REDIRECTS} times"):
                fetch(sheet.url, 5, SocketHttp)
    assert len(sheet.requests) == MOST_REDIRECTS + 1


@pytest.mark.parametrize("size", [MAX_ANSWER_BYTES - 1, MAX_ANSWER_BYTES])
def test_an_answer_up_to_the_longest_is_read(size: int) -> None:
    with wire(answer(b"x" * size)) as sheet:
        assert len(fetch(sheet.url, 5, SocketHttp).body) == size


HERE = "http://127.0.0.1:8780/x"
SHEETS = "https://sheets.example/x"


@pytest.mark.parametrize(
    ("url", "first", "expected"),
    [
        (SHEETS, SHEETS, True),
        ("https://files.example/x", SHEETS, True),
        ("http://files.example/x", SHEETS, False),
        (HERE, SHEETS, False),
        (HERE, HERE, True),
        ("http://localhost/x", HERE, True),
        ("http://files.example/x", HERE, False),
        ("http://127.0.0.1.example/x", HERE, False),
        (SHEETS, HERE, True),
        ("https:///x", SHEETS, False),
        ("file:///etc/passwd", HERE, False),
        ("https://[", SHEETS, False),
    ],
)
def test_no_address_leads_into_the_clear(url: str, first: str, expected: bool) -> None:
    assert is_private(url, first) is expected


@pytest.mark.parametrize("server", ["https"], indirect=True)
def test_an_address_is_fetched_over_tls_with_the_certificates_of_the_variables(
    server: Server,
) -> None:
    def make_http(seconds: float) -> SocketHttp:
        return SocketHttp(seconds, server.variables)

    assert fetch(f"{server.url}/{KEY}", 10, make_http).status == 200
    with pytest.raises(ContentError, match="TLS: no trusted connection to the server") as caught:
        fetch(f"{server.url}/{KEY}", 10, SocketHttp)
    assert KEY not in str(caught.value)


def test_it_goes_by_the_proxy_that_the_variables_name(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    login = sandbox.kakao.issue_login(clock.now()).refresh_token
    with wire(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as proxy:
        variables = {"KAKAO_REFRESH_TOKEN": login, "HTTPS_PROXY": proxy.url}
        text = config(f"{SHEETS}?key={KEY}", "{금액}")
        installation = install(tmp_path, sandbox, clock, text, variables=variables)
        run_tick(installation)
    assert proxy.requests[0].startswith(b"CONNECT sheets.example:443 ")
    assert KEY.encode() not in proxy.requests[0]
    detail = detail_of(find_delivery(installation.ledger, ID)) or ""
    assert detail.startswith("'https://sheets.example/…': the proxy 127.0.0.1:")


CHECKS = [
    ("sheets.example", "must be an address such as"),
    ("http://sheets.example/x", "must begin with https://; http:// is for this machine alone"),
    ("https://me:pw@sheets.example/x", "holds a user or password before the @"),
]


@pytest.mark.parametrize(("url", "said"), CHECKS)
def test_config_check_refuses_an_address_in_clear_without_quoting_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(config(url, "{금액}"), "utf-8")
    assert run(["config", "check", "--config", str(path)]) == 2
    error = capsys.readouterr().err
    assert f"message[1].data_url: {said}" in error
    assert url not in error


def test_an_address_is_never_shown_whole(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "config.toml").chmod(0o600)
    with wire(*[answer(SHEET.encode())] * 5) as sheet:
        url = f"{sheet.url}/d/{KEY}/pub?key={KEY}"
        path = tmp_path / "config.toml"
        path.write_text(path.read_text("utf-8") + config(url, "{금액}"), "utf-8")
        shown = [
            "".join(map(str, shell.run(*words.split())))
            for words in (
                "config show", "config show --json", "config check", "preview", "preview --json",
                "doctor", "tick", f"explain {ID}", f"show {ID}", "status --json",
            )
        ]  # fmt: skip
    assert f'data_url = "{sheet.url}/…"' in shown[0]
    assert f"'{sheet.url}/…': read when the message is made" in shown[2]
    read = f"'{sheet.url}/…': CSV in UTF-8, rows: 2, the last is row 3"
    assert all(read in shown[index] for index in (3, 4, 7))
    written = [one for one in tmp_path.rglob("*") if one.is_file() and one != path]
    assert [one for one in written if KEY.encode() in one.read_bytes()] == []
    assert [one for one in shown if KEY in one] == []


def test_a_failure_is_kept_in_the_ledger_without_the_address(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    with wire(answer(b"", status="500 Oh")) as sheet:
        url = f"{sheet.url}/{KEY}?key={KEY}"
        installation = install(tmp_path, sandbox, clock, config(url, "{금액}"))
        run_tick(installation)
    content = (tmp_path / "data" / "ledger" / "2026-11-23.jsonl").read_text("utf-8")
    assert '"cause":{"code":"url-status"' in content
    assert KEY not in content
    assert json.loads(content.splitlines()[-1])["targets"]["me"]["reason"] == "content-failed"
