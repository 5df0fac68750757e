"""Which proxy a request goes by, and that no secret reaches one on the way to this machine."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kakaocron.errors import UsageError
from kakaocron.system.http import Answer, Failure, Phase, Request
from kakaocron.system.places import find_places, only_in_shell
from kakaocron.system.proxies import is_loopback, proxy_for
from kakaocron.system.socket_http import SocketHttp
from tests.system.test_socket_http import Server, server
from tests.system.wires import wire

__all__ = ["server"]

KAKAO = "https://kapi.kakao.com/v2/user/me"
PLAIN = "http://kapi.kakao.example/x"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.2", "127.255.255.255", "127.1", "::1", "0:0:0:0:0:0:0:1", "localhost",
        "LocalHost", "localhost.", "kakao.localhost", "::ffff:127.0.0.1", "0.0.0.0", "0", "::",
    ],
)  # fmt: skip
def test_no_proxy_stands_between_this_machine_and_itself(host: str) -> None:
    name = f"[{host}]" if ":" in host else host
    variables = dict.fromkeys(("HTTP_PROXY", "https_proxy", "ALL_PROXY"), "http://proxy:3128")

    assert is_loopback(host)
    assert proxy_for(f"http://{name}:8780/x", variables) is None
    assert proxy_for(f"https://{name}/x", variables) is None


@pytest.mark.parametrize(
    "host",
    [
        "126.255.255.255", "128.0.0.0", "::2", "localhost.example", "notlocalhost", "10.0.0.1",
        "127.0.0.1.example", "1.127.0.0",
    ],
)  # fmt: skip
def test_what_only_looks_like_this_machine_is_behind_the_proxy(host: str) -> None:
    name = f"[{host}]" if ":" in host else host

    assert not is_loopback(host)
    assert str(proxy_for(f"http://{name}/", {"http_proxy": "proxy:3128"})) == "proxy:3128"


@pytest.mark.parametrize(
    ("url", "variables", "expected"),
    [
        (KAKAO, {}, None),
        (KAKAO, {"HTTPS_PROXY": "http://a:1"}, "a:1"),
        (KAKAO, {"HTTPS_PROXY": "http://a:1/"}, "a:1"),
        (KAKAO, {"HTTPS_PROXY": "a:1"}, "a:1"),
        (KAKAO, {"HTTPS_PROXY": "a"}, "a:80"),
        (KAKAO, {"HTTPS_PROXY": " http://a:1 "}, "a:1"),
        (KAKAO, {"HTTPS_PROXY": "http://[::2]:1"}, "::2:1"),
        (KAKAO, {"HTTP_PROXY": "http://a:1"}, None),
        (KAKAO, {"ALL_PROXY": "http://a:1"}, "a:1"),
        (KAKAO, {"all_proxy": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "b:2"),
        (KAKAO, {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "a:1"),
        (KAKAO, {"https_proxy": "", "HTTPS_PROXY": "http://b:2"}, None),
        (PLAIN, {"http_proxy": "http://a:1"}, "a:1"),
        (PLAIN, {"HTTPS_PROXY": "http://a:1"}, None),
        (KAKAO, {"HTTPS_PROXY": "a:1", "NO_PROXY": "*"}, None),
        (KAKAO, {"HTTPS_PROXY": "a:1", "NO_PROXY": "kakao.com"}, None),
        (KAKAO, {"HTTPS_PROXY": "a:1", "no_proxy": ".kakao.com"}, None),
        (KAKAO, {"HTTPS_PROXY": "a:1", "no_proxy": "x, *.kakao.com"}, None),
        (KAKAO, {"HTTPS_PROXY": "a:1", "NO_PROXY": "KAPI.kakao.com:443"}, None),
        (KAKAO, {"HTTPS_PROXY": "a:1", "NO_PROXY": "kapi.kakao.com:80"}, "a:1"),
        (KAKAO, {"HTTPS_PROXY": "a:1", "NO_PROXY": "akao.com"}, "a:1"),
        (KAKAO, {"HTTPS_PROXY": "a:1", "NO_PROXY": ""}, "a:1"),
        (KAKAO, {"HTTPS_PROXY": "a:1", "NO_PROXY": "kakao.com", "no_proxy": ""}, "a:1"),
        ("http://10.1.2.3/", {"HTTP_PROXY": "a:1", "NO_PROXY": "10.0.0.0/8"}, None),
        ("http://11.1.2.3/", {"HTTP_PROXY": "a:1", "NO_PROXY": "10.0.0.0/8"}, "a:1"),
        ("http://[fd00::1]/", {"HTTP_PROXY": "a:1", "NO_PROXY": "fd00::/8"}, None),
    ],
)
def test_the_variables_are_read_as_curl_reads_them(
    url: str, variables: dict[str, str], expected: str | None
) -> None:
    found = proxy_for(url, variables)

    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize("kind", ["socks5", "socks5h", "SOCKS4", "https", "ftp"])
def test_a_proxy_of_another_kind_is_refused_with_a_sentence(kind: str) -> None:
    variables = {"ALL_PROXY": f"{kind}://me:secret@proxy:1080"}

    with pytest.raises(UsageError, match="Only HTTP proxies can be used") as raised:
        proxy_for(KAKAO, variables)
    assert f"ALL_PROXY names a proxy of the kind '{kind}://'" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("address", ["http://", "http://a:x", "http://[::1", "http://a:99999"])
def test_a_proxy_that_cannot_be_read_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="HTTPS_PROXY cannot be read"):
        proxy_for(KAKAO, {"HTTPS_PROXY": address})


def test_the_password_of_a_proxy_is_shown_to_nobody_else() -> None:
    found = proxy_for(KAKAO, {"HTTPS_PROXY": "http://me:p%40ss@proxy:3128"})

    assert found is not None
    assert found.authorization == "Basic bWU6cEBzcw=="  # me:p@ss
    assert "ss" not in f"{found} {found!r}"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_token_for_this_machine_reaches_a_proxy(name: str) -> None:
    with wire(ANSWER) as proxy, wire(ANSWER) as kakao:
        client = SocketHttp(1, {name: proxy.url})
        answer = client.ask(Request(f"{kakao.url}/x", {}, "t0ken"))

    assert isinstance(answer, Answer)
    assert (proxy.connections, proxy.requests) == (0, [])
    assert b"Bearer t0ken" in kakao.requests[0]


def test_a_proxy_gets_the_whole_address_and_what_it_wants_to_know() -> None:
    with wire(ANSWER) as proxy:
        address = proxy.url.replace("http://", "http://me:pass@")
        client = SocketHttp(1, {"http_proxy": address})
        answer = client.ask(Request(f"{PLAIN}?a=b", {}))

    assert isinstance(answer, Answer)
    head = proxy.requests[0].split(b"\r\n")
    assert head[0] == b"POST http://kapi.kakao.example/x?a=b HTTP/1.1"
    assert b"Host: kapi.kakao.example" in head
    assert b"Proxy-Authorization: Basic bWU6cGFzcw==" in head


@contextmanager
def tunnel(target: int, opening: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that says `opening` to the first CONNECT, and then passes bytes on both ways."""
    seen: list[bytes] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        while some := source.recv(65536):
            seen.append(some)
            sink.sendall(some)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        client, _ = listener.accept()
        with client, socket.create_connection(("127.0.0.1", target)) as kakao:
            seen.append(client.recv(65536))
            client.sendall(opening)
            back = threading.Thread(target=pump, args=(kakao, client))
            back.start()
            pump(client, kakao)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://me:pass@127.0.0.1:{listener.getsockname()[1]}", seen
        thread.join()


@pytest.mark.parametrize("server", ["https"], indirect=True)
@pytest.mark.parametrize(
    "opening",
    [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\n\r\n",
    ],
)
def test_what_goes_through_a_tunnel_is_not_for_the_proxy_to_read(
    server: Server, opening: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.url.rpartition(":")[2])
    monkeypatch.setattr("kakaocron.system.proxies.is_loopback", lambda _: False)
    with tunnel(port, opening) as (proxy, seen):
        client = SocketHttp(5, {**server.variables, "HTTPS_PROXY": proxy})
        answer = client.ask(Request(f"{server.url}/x", {"a": "b"}, "t0ken"))

    assert isinstance(answer, Answer)
    lines = seen[0].split(b"\r\n")
    assert lines[0] == b"CONNECT localhost:%d HTTP/1.1" % port
    assert b"Proxy-Authorization: Basic bWU6cGFzcw==" in lines
    assert b"t0ken" not in b"".join(seen)
    assert sum(server.requests) == 1


@pytest.mark.parametrize(
    "opening",
    [
        b"HTTP/1.1 407 Who?\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_a_proxy_that_gives_no_way_leaves_the_request_unsent(opening: bytes) -> None:
    with wire(opening) as proxy:
        client = SocketHttp(1, {"https_proxy": proxy.url.replace("//", "//me:pass@")})
        answer = client.ask(Request("https://kapi.kakao.example/x", {}, "t0ken"))

    assert isinstance(answer, Failure)
    assert answer.phase is Phase.BEFORE
    assert len(proxy.requests) == 1
    assert b"t0ken" not in proxy.requests[0]
    assert "pass" not in answer.detail


# --- where the settings come from -----------------------------------------------------------------


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("https_proxy", "no_proxy"):
        monkeypatch.delenv(name)
    return home


def variables_of(folder: Path) -> dict[str, str]:
    return dict(find_places(folder / "config.toml").variables)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_in_the_env_file_is_used(folder: Path, name: str) -> None:
    (folder / ".env").write_text(f"{name}=http://a:1\n")

    assert str(proxy_for(KAKAO, variables_of(folder))) == "a:1"
    assert only_in_shell(find_places(folder / "config.toml")) == []


@pytest.mark.parametrize("in_shell", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("beside", ["HTTPS_PROXY", "https_proxy"])
def test_the_environment_wins_however_its_name_is_spelled(
    folder: Path, in_shell: str, beside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(in_shell, "http://shell:1")
    (folder / ".env").write_text(f"{beside}=http://file:2\n")

    assert str(proxy_for(KAKAO, variables_of(folder))) == "shell:1"


@pytest.mark.parametrize(
    "name",
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"],
)
def test_what_only_this_shell_knows_of_the_network_is_named(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "x")

    assert only_in_shell(find_places(folder / "config.toml")) == [name]


@pytest.mark.parametrize("server", ["https"], indirect=True)
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("way", ["absolute", "beside the file", "from home"])
def test_certificates_named_in_the_env_file_are_trusted(
    server: Server, folder: Path, name: str, way: str
) -> None:
    (folder / "ca.pem").write_text(Path(server.variables["REQUESTS_CA_BUNDLE"]).read_text())
    path = {"absolute": f"{folder}/ca.pem", "beside the file": "ca.pem", "from home": "~/ca.pem"}
    (folder / ".env").write_text(f"{name}={path[way]}\n")
    answer = SocketHttp(5, variables_of(folder)).ask(Request(f"{server.url}/x"))

    assert isinstance(answer, Answer), answer


@pytest.mark.parametrize("server", ["https"], indirect=True)
def test_without_its_certificate_a_server_is_told_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL would read this process's environment: what is trusted is in the variables alone."""
    monkeypatch.setenv("SSL_CERT_FILE", server.variables["REQUESTS_CA_BUNDLE"])
    answer = SocketHttp(5, {}).ask(Request(f"{server.url}/x", {}, "t0ken"))

    assert isinstance(answer, Failure)
    assert (answer.phase, answer.detail) == (
        Phase.BEFORE,
        "TLS: no trusted connection to the server",
    )
    assert sum(server.requests) == 0


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_certificates_that_are_not_there_are_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with wire(ANSWER) as found:
        url = found.url.replace("http:", "https:")
        answer = SocketHttp(1, {"SSL_CERT_FILE": str(path)}).ask(Request(url))

    assert isinstance(answer, Failure)
    assert answer.phase is Phase.BEFORE
    assert answer.detail.startswith(f"SSL_CERT_FILE: cannot read '{path}' (")


def test_a_folder_of_certificates_is_trusted() -> None:
    hashed = list(Path("/etc/ssl/certs").glob("*.0"))
    if not hashed:
        pytest.skip("this system has no folder of certificates")
    client = SocketHttp(1, {"SSL_CERT_DIR": "/etc/ssl/certs"})

    assert client._trusted().verify_mode is ssl.CERT_REQUIRED


def test_a_command_in_a_bare_environment_takes_the_proxy_of_the_env_file(folder: Path) -> None:
    """As cron starts it: what the login shell exports is not there."""
    config = folder / "config.toml"
    server = "https://kapi.kakao.example"
    config.write_text(f'[kakao]\nrest_api_key = "x"\napi_url = "{server}"\nauth_url = "{server}"\n')
    with wire(*[b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"] * 3) as proxy:
        (folder / ".env").write_text(f"HTTPS_PROXY={proxy.url}\nKAKAO_ACCESS_TOKEN=t0ken\n")
        sent = subprocess.run(
            [sys.executable, "-m", "kakaocron", "send", "안녕", "--json", "--config", config],
            env={
                "HOME": str(folder),
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert '"reason": "unreachable"' in sent.stdout, sent.stderr
    assert {request.split(b"\r\n")[0] for request in proxy.requests} == {
        b"CONNECT kapi.kakao.example:443 HTTP/1.1"
    }
    assert b"t0ken" not in b"".join(proxy.requests)
