"""Logging in as a user does: by a real browser, by pasting, and every way in which it can fail."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from kakaocron.cli import run
from kakaocron.errors import LoginError, UsageError
from kakaocron.kakao.callback import Callback
from kakaocron.kakao.codes import LOGIN_CODES
from kakaocron.kakao.consent import Consent, explained
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import Settings
from tests.browsers import needs_chromium, start_chromium
from tests.fakes import FakeClock, free_port, kakao_section, write_config

APP = Settings()
MESSAGE = '[[message]]\nname = "report"\nslots = ["regular"]\ntext = "보고 {time}"\n'


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def kakao(clock: FakeClock, port: int) -> Iterator[SandboxServer]:
    settings = Settings(redirect_uris=(f"http://127.0.0.1:{port}/callback",))
    with SandboxServer(Kakao(settings, seed=3), clock.now) as server:
        yield server


@pytest.fixture
def config(home: Path, kakao: SandboxServer) -> Path:
    return write_config(home, kakao_section(kakao, timeout=5) + MESSAGE)


@pytest.fixture
def tokens(home: Path) -> Path:
    return home / ".local" / "share" / "kakaocron" / "tokens.json"


class Terminal:
    """A stdin whose user reads the printed address, goes there, and pastes what comes back."""

    def __init__(self, capsys: pytest.CaptureFixture[str], **answer: Any) -> None:
        self._capsys, self._answer = capsys, answer

    def readline(self, *_: Any) -> str:
        page = found[0] if (found := re.findall(r"http\S+authorize\S+", self._said())) else ""
        answer = {"decision": "agree", "agreed_scope": "talk_message", **self._answer}
        fields = {k: v[0] for k, v in parse_qs(urlsplit(page).query).items()} | answer
        reply = requests.post(page.partition("?")[0], data=fields, allow_redirects=False, timeout=5)
        return self.paste(reply.headers["Location"]) + "\n"

    def _said(self) -> str:
        return self._capsys.readouterr().out

    def paste(self, address: str) -> str:
        return address


def paste(port: int) -> int:
    return run(["login", "--no-browser", "--port", str(port)])


def test_a_login_by_pasting_the_address(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any, kakao: SandboxServer
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(capsys))
    assert paste(port) == 0
    assert "3000000001" in capsys.readouterr().out
    assert tokens.stat().st_mode & 0o777 == 0o600
    paths = [request.path for request in kakao.requests]
    assert paths.count("/v2/user/me") == 1
    assert "/v2/user/scopes" in paths


def test_a_login_beside_an_access_token_from_the_environment(
    config: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setenv("KAKAO_ACCESS_TOKEN", "stale")
    monkeypatch.setattr(sys, "stdin", Terminal(capsys))
    assert paste(port) == 0
    said = capsys.readouterr().out
    assert "3000000001" in said
    assert "Unset it" in said


def test_a_login_by_pasting_the_code_alone(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    class CodeOnly(Terminal):
        def paste(self, address: str) -> str:
            return parse_qs(urlsplit(address).query)["code"][0]

    monkeypatch.setattr(sys, "stdin", CodeOnly(capsys))
    assert paste(port) == 0
    assert tokens.exists()


def test_a_refused_consent(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(capsys, decision="refuse"))
    assert paste(port) == 3
    assert "refused" in capsys.readouterr().err
    assert not tokens.exists()


def test_an_unticked_box_is_told_and_ends_with_3(
    config: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(capsys, agreed_scope="friends"))
    assert paste(port) == 3
    said = capsys.readouterr().err
    assert "talk_message" in said
    assert "[Consent items]" in said


def test_a_friend_in_the_configuration_asks_for_the_friends_scope(
    config: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    config.write_text(config.read_text() + 'to = ["me", "uuid-aaa"]\n')
    monkeypatch.setattr(sys, "stdin", Terminal(capsys))
    assert paste(port) == 3
    assert "not agreed to friends" in capsys.readouterr().err


def test_another_state_is_refused(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    class Foreign(Terminal):
        def paste(self, address: str) -> str:
            return re.sub(r"state=[^&]+", "state=another", address)

    monkeypatch.setattr(sys, "stdin", Foreign(capsys))
    assert paste(port) == 3
    assert "does not belong to this login" in capsys.readouterr().err
    assert not tokens.exists()


def test_a_code_that_was_used_before(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    class Greedy(Terminal):
        def paste(self, address: str) -> str:
            code = parse_qs(urlsplit(address).query)["code"][0]
            form = {"grant_type": "authorization_code", "code": code}
            form |= {"client_id": APP.rest_api_key, "client_secret": APP.client_secret or ""}
            url = re.findall(r'auth_url = "(.*)"', config.read_text())[0]
            requests.post(f"{url}/oauth/token", data=form, timeout=5)
            return address

    monkeypatch.setattr(sys, "stdin", Greedy(capsys))
    assert paste(port) == 3
    assert "KOE320" in capsys.readouterr().err
    assert not tokens.exists()


def test_a_wrong_client_secret_names_the_console_page(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    config.write_text(config.read_text().replace(APP.client_secret or "", "wrong-secret"))
    monkeypatch.setattr(sys, "stdin", Terminal(capsys))
    assert paste(port) == 2
    said = capsys.readouterr().err
    assert "KOE010" in said
    assert "[Platform key] > [REST API key]" in said
    assert "wrong-secret" not in said
    assert not tokens.exists()


@pytest.mark.parametrize(
    ("change", "code", "page"),
    [
        ((APP.rest_api_key, "an-admin-key"), "KOE101", "[Platform key]"),
        (None, "KOE006", "[REST API key]"),
    ],
)
def test_what_the_consent_page_would_refuse_is_said_before_a_browser_opens(
    config: Path, port: int, capsys: Any, change: tuple[str, str] | None, code: str, page: str
) -> None:
    if change:
        config.write_text(config.read_text().replace(*change))
    assert paste(port if change else free_port()) == 2
    said = capsys.readouterr().err
    assert code in said
    assert page in said


def test_no_key_names_where_to_find_it(config: Path, capsys: Any) -> None:
    config.write_text(re.sub(r"rest_api_key.*\n", "", config.read_text()))
    assert run(["login"]) == 2
    assert "[App] > [Platform key]" in capsys.readouterr().err


def test_a_busy_port_says_so_before_anything_is_opened(
    config: Path, port: int, capsys: Any, monkeypatch: Any
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert run(["login", "--port", str(port)]) == 2
    assert "--no-browser" in capsys.readouterr().err
    assert opened == []


def test_an_unreachable_server(config: Path, capsys: Any, kakao: SandboxServer) -> None:
    config.write_text(config.read_text().replace(kakao.url, f"http://127.0.0.1:{free_port()}"))
    assert run(["login", "--no-browser"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize("code", sorted(LOGIN_CODES))
def test_each_code_that_kakao_shows_ends_in_a_sentence(code: str) -> None:
    error = explained(f"... {code} ...", "http://127.0.0.1:8765/callback")
    assert error is not None
    assert code in str(error)
    if LOGIN_CODES[code].is_setup and code != "KOE310":
        assert "console, [" in str(error)


def test_a_new_login_leaves_the_old_one_alone_until_it_succeeds(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(capsys))
    assert paste(port) == 0
    before = tokens.read_bytes()
    monkeypatch.setattr(sys, "stdin", Terminal(capsys, decision="refuse"))
    assert paste(port) == 3
    assert tokens.read_bytes() == before
    monkeypatch.setattr(sys, "stdin", Terminal(capsys))
    assert paste(port) == 0
    assert tokens.read_bytes() != before


def test_logout_removes_the_tokens_here_and_at_kakao(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any, kakao: SandboxServer
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(capsys))
    paste(port)
    assert run(["logout"]) == 0
    assert not tokens.exists()
    assert kakao.requests[-1].path == "/v1/user/logout"
    assert kakao.requests[-1].outcome == "200"
    assert run(["send", "hello"]) == 3
    capsys.readouterr()
    assert run(["logout"]) == 0
    assert capsys.readouterr().out == "No login is saved here; there was nothing to end.\n"


def test_logout_without_a_network_says_what_lives_on(
    config: Path, tokens: Path, port: int, monkeypatch: Any, capsys: Any, kakao: SandboxServer
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(capsys))
    paste(port)
    config.write_text(config.read_text().replace(kakao.url, f"http://127.0.0.1:{free_port()}"))
    assert run(["logout"]) == 0
    assert not tokens.exists()
    assert "lives on" in capsys.readouterr().out


def test_the_listener_takes_one_answer_at_one_path(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    with Callback(port) as callback:
        assert requests.get(f"{url}/favicon.ico", timeout=5).status_code == 404
        assert requests.get(f"{url}/callback", timeout=5).status_code == 404
        assert requests.post(f"{url}/callback?code=x", timeout=5).status_code == 501
        assert requests.get(f"{url}/callback?code=first", timeout=5).status_code == 200
        assert requests.get(f"{url}/callback?code=second", timeout=5).status_code == 404
        assert callback.wait(5) == "code=first"
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/callback?code=third", timeout=5)


def test_no_answer_in_time_is_told(port: int) -> None:
    with Callback(port) as callback, pytest.raises(LoginError, match="No answer"):
        callback.wait(0.01)


@pytest.mark.parametrize(
    "text", ["", "\n", "x", "http://", "http://[", "a b c", "code=", "?state=&code=x"]
)
def test_whatever_is_pasted_ends_in_a_sentence(text: str) -> None:
    consent = Consent("http://127.0.0.1:8765/callback", "the-state", "the-verifier")
    with pytest.raises((LoginError, UsageError)):
        consent.code_pasted(text)


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_is_pasted_may_be_no_text(
    config: Path, port: int, monkeypatch: Any, capsys: Any, errors: str
) -> None:
    pasted = io.TextIOWrapper(io.BytesIO(b"http://127.0.0.1/callback?code=\xff\n"), "utf-8", errors)
    monkeypatch.setattr(sys, "stdin", pasted)
    assert paste(port) == 2
    assert capsys.readouterr().err == "What was pasted is not UTF-8 text; nothing was done\n"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    driver = start_chromium(tmp_path / "chromium")
    driver.implicitly_wait(10)
    yield driver
    driver.quit()


def start_login(port: int) -> tuple[subprocess.Popen[str], str]:
    """Start `kakaocron login` with a browser that does nothing; return the address it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kakaocron", "login", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "BROWSER": "/bin/true"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "/oauth/authorize?" in line:
            return process, line.strip()
    raise AssertionError(process.communicate()[1])


@needs_chromium
@pytest.mark.filterwarnings("ignore")
def test_a_whole_login_in_a_real_browser(
    config: Path, tokens: Path, port: int, browser: Any, kakao: SandboxServer
) -> None:
    process, page = start_login(port)
    browser.get(page)
    browser.find_element("id", "talk_message").click()
    browser.find_element("id", "agree").click()
    from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415 - may be missing

    WebDriverWait(browser, 20).until(lambda b: "kakaocron has the answer" in b.page_source)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "Logged in as Kakao account 3000000001" in out
    assert tokens.exists()
    assert run(["send", "안녕"]) == 0
    assert [delivery.text for delivery in kakao.deliveries] == ["안녕"]


@needs_chromium
@pytest.mark.filterwarnings("ignore")
def test_a_consent_refused_in_a_real_browser(
    config: Path, tokens: Path, port: int, browser: Any
) -> None:
    process, page = start_login(port)
    browser.get(page)
    browser.find_element("id", "refuse").click()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "refused" in err
    assert not tokens.exists()


def test_an_answer_with_another_state_ends_a_login_that_listens(
    config: Path, tokens: Path, port: int
) -> None:
    process, _ = start_login(port)
    query = urlencode({"code": "somebody-elses", "state": "another"})
    requests.get(f"http://127.0.0.1:{port}/callback?{query}", timeout=5)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "does not belong" in err
    assert not tokens.exists()
