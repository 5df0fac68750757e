"""`kakaocron sandbox` told what app it is to play, asked over its socket."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from kakaocron.cli import run
from kakaocron.rehearsal.sandbox.settings import Settings

pytestmark = pytest.mark.counted

USUAL = Settings()


@contextmanager
def sandbox(*options: str) -> Iterator[tuple[str, str]]:
    """Run the command; yield its address and what it printed at its start."""
    with subprocess.Popen(
        [sys.executable, "-m", "kakaocron", "sandbox", "--port", "0", *options],
        stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            printed = ""
            while "/_sandbox/deliveries" not in printed:
                line = process.stdout.readline()
                assert line, printed
                printed += line
            yield re.findall(r'api_url = "(.*)"', printed)[0], printed
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


def refresh(url: str, printed: str, **fields: str) -> tuple[int, str | None]:
    token = re.findall(r"KAKAO_REFRESH_TOKEN=(\S+)", printed)[0]
    form = {"grant_type": "refresh_token", "refresh_token": token, **fields}
    answer = requests.post(f"{url}/oauth/token", data=form, timeout=5)
    return answer.status_code, answer.json().get("error_code")


def test_the_usual_key_and_secret_are_32_hex_digits_and_a_first_login_shows_its_boxes() -> None:
    key, secret = USUAL.rest_api_key, USUAL.client_secret or ""
    assert re.fullmatch("[0-9a-f]{32} [0-9a-f]{32}", f"{key} {secret}")
    with sandbox() as (url, printed):
        assert f'rest_api_key = "{key}"' in printed
        assert refresh(url, printed, client_id=key, client_secret=secret) == (200, None)
        assert refresh(url, printed, client_id=key) == (401, "KOE010")
        query = {
            "client_id": key,
            "redirect_uri": USUAL.redirect_uris[0],
            "response_type": "code",
        }
        page = requests.get(f"{url}/oauth/authorize", params=query, timeout=5).text
        assert re.findall(r'value="([a-z_]+)"> ?<span>', page) == ["talk_message", "friends"]


def test_the_app_is_what_the_options_say() -> None:
    uri = "https://localhost:5000"
    options = ["--rest-api-key", "abc", "--client-secret", "", "--redirect-uri", uri]
    options += ["--scope", "talk_message", "--scope", "account_email"]
    with sandbox(*options) as (url, printed):
        assert 'rest_api_key = "abc"' in printed
        assert "client_secret" not in printed
        assert refresh(url, printed, client_id="abc") == (200, None)
        assert refresh(url, printed, client_id=USUAL.rest_api_key) == (401, "KOE101")
        query = {"client_id": "abc", "redirect_uri": uri, "response_type": "code"}
        page = requests.get(f"{url}/oauth/authorize", params=query, timeout=5).text
        assert re.findall(r'id="([a-z_]+)"', page) == [
            "talk_message", "account_email", "agree", "refuse",
        ]  # fmt: skip
        query["redirect_uri"] = USUAL.redirect_uris[0]
        page = requests.get(f"{url}/oauth/authorize", params=query, timeout=5).text
        assert "KOE006" in page


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--rest-api-key", "", "--rest-api-key is empty"),
        ("--rest-api-key", 'a"b', "without quotes"),
        ("--client-secret", "a\nb", "without quotes"),
        ("--redirect-uri", "localhost:5000", "is no web address"),
        ("--redirect-uri", "http://localhost/#x", "is no web address"),
        ("--scope", "talk message", "is no consent item"),
        ("--scope", "", "is no consent item"),
    ],
)
def test_what_no_app_has_is_refused(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sandbox", option, value]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
