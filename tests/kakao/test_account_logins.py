"""Another person's login: a link that is sent, the address that is pasted, and what is hers."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kakaocron.cli import run
from kakaocron.commands import completion
from kakaocron.config.reading import parse_config
from kakaocron.installation import credentials, find_installation
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.system.places import Places
from tests.fakes import FakeClock, free_port, kakao_section, write_config
from tests.kakao.test_login_flow import Terminal

PORT = free_port()
APP = Settings(redirect_uris=(f"http://127.0.0.1:{PORT}/callback",))
MESSAGE = (
    '[account.minji]\n[[message]]\nname = "report"\nslots = ["regular"]\ntext = "보고 {time}"\n'
    'to = ["me", "minji"]\n'
)
ME, MINJI, JUN = "uuid-me", "uuid-aaa", "uuid-bbb"


class Phone(Terminal):
    """Somebody who opens the link where he or she is logged in to Kakao, and sends back what the
    browser shows."""

    def __init__(self, capsys: pytest.CaptureFixture[str], who: str, **answer: Any) -> None:
        super().__init__(capsys, login_hint=who, **answer)
        self.told = ""

    def _said(self) -> str:
        self.told = super()._said()
        return self.told


@pytest.fixture
def kakao(clock: FakeClock) -> Iterator[SandboxServer]:
    with SandboxServer(Kakao(APP, seed=3), clock.now) as server:
        yield server


@pytest.fixture
def config(home: Path, kakao: SandboxServer) -> Path:
    return write_config(home, kakao_section(kakao, timeout=5) + MESSAGE)


@pytest.fixture
def data(home: Path) -> Path:
    return home / ".local" / "share" / "kakaocron"


def log_in(
    monkeypatch: pytest.MonkeyPatch, phone: Terminal, *arguments: str, exit_code: int = 0
) -> None:
    monkeypatch.setattr(sys, "stdin", phone)
    assert run(["login", "--port", str(PORT), *arguments]) == exit_code


def test_a_link_is_handed_over_and_the_address_that_comes_back_is_her_login(
    config: Path, data: Path, kakao: SandboxServer, monkeypatch: Any, capsys: Any
) -> None:
    log_in(monkeypatch, Terminal(capsys), "--no-browser")
    phone = Phone(capsys, MINJI)
    log_in(monkeypatch, phone, "--account", "minji")

    assert "Send this address to 'minji'" in phone.told
    assert "account 'minji': Logged in as Kakao account 3000000002" in capsys.readouterr().out
    assert sorted(path.name for path in data.rglob("tokens*/*.json")) == ["minji.json"]
    assert (data / "tokens").stat().st_mode & 0o777 == 0o700
    assert (data / "tokens" / "minji.json").stat().st_mode & 0o777 == 0o600
    assert run(["send", "안녕", "--to", "me", "--to", "minji"]) == 0
    for person, count in ((ME, 1), (MINJI, 1), (JUN, 0)):
        assert [one.text for one in kakao.arrived(person)] == ["안녕"] * count


def test_no_browser_of_this_machine_is_opened_for_somebody_else(
    config: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: pytest.fail("a browser was opened"))
    log_in(monkeypatch, Phone(capsys, MINJI), "--account", "minji")


@pytest.mark.parametrize(
    ("first", "second"), [((), ("--account", "minji")), (("--account", "minji"), ())]
)
def test_one_person_cannot_be_two_accounts(
    config: Path,
    data: Path,
    monkeypatch: Any,
    capsys: Any,
    first: tuple[str, ...],
    second: tuple[str, ...],
) -> None:
    log_in(monkeypatch, Phone(capsys, JUN), "--no-browser", *first)
    kept = sorted(data.rglob("*.json"))
    log_in(monkeypatch, Phone(capsys, JUN), "--no-browser", *second, exit_code=3)

    other = "minji" if first else "me"
    assert f"'{other}' is logged in as it too" in capsys.readouterr().err
    assert sorted(data.rglob("*.json")) == kept


def test_the_same_person_may_log_in_again(config: Path, monkeypatch: Any, capsys: Any) -> None:
    for _ in range(2):
        log_in(monkeypatch, Phone(capsys, MINJI), "--account", "minji")


def test_an_address_of_another_visit_is_refused_and_the_way_back_names_the_account(
    config: Path, data: Path, monkeypatch: Any, capsys: Any
) -> None:
    class Stale(Phone):
        def paste(self, address: str) -> str:
            return re.sub(r"state=[^&]+", "state=old", address)

    log_in(monkeypatch, Stale(capsys, MINJI), "--account", "minji", exit_code=3)
    assert "Try again: kakaocron login --account minji" in capsys.readouterr().err
    assert not (data / "tokens" / "minji.json").exists()


def test_an_unticked_box_is_told_with_the_account(
    config: Path, monkeypatch: Any, capsys: Any
) -> None:
    phone = Phone(capsys, MINJI, agreed_scope="friends")
    log_in(monkeypatch, phone, "--account", "minji", exit_code=3)
    assert "kakaocron login --account minji" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["login"], ["logout"], ["friends"]])
def test_an_unknown_account_is_asked_after(config: Path, capsys: Any, command: list[str]) -> None:
    assert run([*command, "--account", "minij"]) == 2
    said = capsys.readouterr().err
    assert "has no account 'minij'; did you mean 'minji'?" in said
    assert "[account.minij]" in said


def test_logout_ends_one_login_and_leaves_the_other(
    config: Path, data: Path, kakao: SandboxServer, monkeypatch: Any, capsys: Any
) -> None:
    log_in(monkeypatch, Terminal(capsys), "--no-browser")
    log_in(monkeypatch, Phone(capsys, MINJI), "--account", "minji")
    assert run(["logout", "--account", "minji"]) == 0

    assert (data / "tokens.json").exists()
    assert not (data / "tokens" / "minji.json").exists()
    capsys.readouterr()
    assert run(["send", "안녕", "--to", "me", "--to", "minji"]) == 3
    said = capsys.readouterr().err.splitlines()
    assert said == ["account 'minji': Not logged in to Kakao. Run: kakaocron login --account minji"]
    assert [one.text for one in kakao.arrived(ME)] == ["안녕"]


def test_friends_are_those_of_the_account_that_is_named(
    config: Path, monkeypatch: Any, capsys: Any
) -> None:
    config.write_text(
        config.read_text("utf-8").replace('["me", "minji"]', '["uuid-bbb"]\nfrom = "minji"'),
        "utf-8",
    )
    scopes = ["talk_message", "friends"]
    log_in(monkeypatch, Phone(capsys, MINJI, agreed_scope=scopes), "--account", "minji")
    capsys.readouterr()
    assert run(["friends", "--account", "minji", "--json"]) == 0
    found = {one["uuid"] for one in json.loads(capsys.readouterr().out)}
    assert found == {ME, JUN, "uuid-ccc"}
    assert run(["friends"]) == 3


def test_a_login_may_come_from_variables_of_the_account(
    config: Path, home: Path, kakao: SandboxServer, clock: FakeClock, monkeypatch: Any, capsys: Any
) -> None:
    token = kakao.kakao.issue_login(clock.now(), uuid=MINJI).refresh_token
    (config.parent / "hers").write_text(token)
    monkeypatch.setenv("KAKAO_ACCOUNT_MINJI_REFRESH_TOKEN_FILE", "hers")
    assert run(["send", "안녕", "--to", "minji"]) == 0

    assert [one.text for one in kakao.arrived(MINJI)] == ["안녕"]
    assert token not in capsys.readouterr().out


def test_what_is_said_of_an_accounts_variable_names_it(
    config: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setenv("KAKAO_ACCOUNT_MINJI_REFRESH_TOKEN", "gone" * 10)
    assert run(["send", "안녕", "--to", "minji"]) == 3
    said = capsys.readouterr().err
    assert "no longer accepts KAKAO_ACCOUNT_MINJI_REFRESH_TOKEN (KOE322" in said
    assert "kakaocron login --account minji" in said


@pytest.mark.parametrize(
    ("own", "secret"),
    [
        ({}, "of-the-first"),
        ({"REST_API_KEY": "hers"}, None),
        ({"REST_API_KEY": "hers", "CLIENT_SECRET": "its"}, "its"),
        ({"CLIENT_SECRET": "its"}, "its"),
    ],
)
def test_a_client_secret_goes_with_its_key(own: dict[str, str], secret: str | None) -> None:
    config = parse_config(
        '[kakao]\nrest_api_key = "first"\nclient_secret = "x"\n[account.minji]\n', "config.toml"
    )
    variables = {f"KAKAO_ACCOUNT_MINJI_{name}": value for name, value in own.items()}
    places = Places(
        Path("/c"), Path("/d"), Path("/l"), {**variables, "KAKAO_CLIENT_SECRET": "of-the-first"}
    )
    found = credentials(places, config, "minji")

    assert found.rest_api_key == own.get("REST_API_KEY", "first")
    assert found.client_secret == secret
    assert credentials(places, config).client_secret == "of-the-first"


def test_no_secret_of_an_account_is_shown(
    config: Path, data: Path, kakao: SandboxServer, monkeypatch: Any, capsys: Any
) -> None:
    hers = Settings(rest_api_key="her-rest-api-key", client_secret="her-client-secret")
    own = f'rest_api_key = "{hers.rest_api_key}"\nclient_secret = "{hers.client_secret}"\n'
    text = config.read_text("utf-8").replace("[account.minji]\n", f"[account.minji]\n{own}")
    config.write_text(text, "utf-8")
    monkeypatch.setenv("KAKAO_ACCOUNT_MINJI_REFRESH_TOKEN", "her-refresh-token")
    said = ""
    for command in (
        "send 안녕 --to minji",
        "config show",
        "config show --json",
        "doctor --json",
        "status --json",
        "health --json",
        "metrics",
        "friends --account minji",
    ):
        run(command.split())
        said += "".join(capsys.readouterr())

    assert "KOE101" in said  # the sandbox does not know her key
    secrets = (hers.rest_api_key, hers.client_secret or "", "her-refresh-token")
    assert [secret for secret in secrets if secret in said] == []
    assert secrets[2].encode() in (data / "tokens" / "minji.json").read_bytes()


def test_tab_offers_accounts_and_groups(config: Path, capsys: Any) -> None:
    config.write_text(f'{config.read_text("utf-8")}[group]\nall = ["me", "minji"]\n', "utf-8")
    installation = find_installation()

    assert dict(completion._receivers(installation)) == {
        "me": "", "minji": "", "all": "me, minji",
    }  # fmt: skip
    assert [name for name, _ in completion._accounts(installation)] == ["minji"]


def test_preview_names_the_receivers_and_who_sends(config: Path, capsys: Any) -> None:
    text = config.read_text("utf-8")
    text = text.replace('["me", "minji"]', '["me", "minji", "지우"]\nfrom = "minji"')
    config.write_text(f'{text}[friends]\n"지우" = "uuid-bbb"\n', "utf-8")
    assert run(["preview"]) == 0

    assert "report → me, minji, 지우 (minji)\n" in capsys.readouterr().out


def test_a_plan_that_cannot_fit_is_the_sending_accounts(config: Path, capsys: Any) -> None:
    text = config.read_text("utf-8")
    text = text.replace('["me", "minji"]', '["me", "minji", "uuid-bbb"]\nfrom = "minji"')
    config.write_text(text, "utf-8")
    run(["next"])

    found = [line for line in capsys.readouterr().err.splitlines() if "cannot fit" in line]
    assert [
        line.startswith("account 'minji': This plan cannot fit: 48 messages") for line in found
    ] == [True]
