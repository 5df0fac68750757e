"""The friends list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.config.schema import wanted_scopes
from kakaocron.errors import KakaocronError
from kakaocron.kakao.friends import friends_of
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from kakaocron.system.http import Answer, Gate, Request
from tests.fakes import FakeClock, kakao_section, write_config


@pytest.fixture
def many(clock: FakeClock) -> Iterator[SandboxServer]:
    friends = tuple(SandboxFriend(f"uuid-{n:03d}", f"친구 {n}", n % 2 == 0) for n in range(250))
    with SandboxServer(Kakao(Settings(friends=friends), seed=7), clock.now) as server:
        yield server


@pytest.fixture
def config(home: Path, many: SandboxServer) -> Path:
    return write_config(home, kakao_section(many, timeout=5) + '[friends]\nmum = "uuid-000"\n')


def log_in(
    many: SandboxServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, *scopes: str
) -> None:
    login = many.kakao.issue_login(clock.now(), scopes)
    monkeypatch.setenv("KAKAO_ACCESS_TOKEN", login.access_token)


def test_all_pages_are_read(
    config: Path,
    many: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_in(many, clock, monkeypatch, "talk_message", "friends")
    assert run(["friends", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 250
    assert {tuple(friend) for friend in found} == {("uuid", "nickname", "allowed_msg")}
    assert sum(friend["allowed_msg"] for friend in found) == 125
    assert run(["friends"]) == 0
    said = capsys.readouterr().out
    assert "mum" in said
    assert "refused" in said
    assert "name in [friends]" in said
    assert '[friends] "NAME" = "uuid"' in said


def test_a_login_without_the_scope_is_told_what_to_do(
    config: Path,
    many: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_in(many, clock, monkeypatch, "talk_message")
    assert run(["friends"]) == 3
    assert "tick the box" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "scopes"),
    [
        ("", ("talk_message",)),
        ("[friends]\n", ("talk_message", "friends")),
        ('[friends]\n"지우" = "abcdefg0001"\n', ("talk_message", "friends")),
    ],
)
def test_login_asks_for_the_list_where_there_is_a_table_for_it(
    table: str, scopes: tuple[str, ...]
) -> None:
    assert wanted_scopes(parse_config(table, "config.toml")) == scopes


class Refusing:
    """A server that always gives the same answer."""

    def __init__(self, given: Answer) -> None:
        self.given = given

    def ask(self, request: Request, gate: Gate | None = None) -> Answer:
        return self.given

    def warm(self, url: str, count: int) -> None: ...
    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("status", "code", "exit_code", "said"),
    [
        (401, -401, 3, "Log in again: kakaocron login"),
        (401, None, 3, "Log in again: kakaocron login"),
        (400, -101, 3, "Log in again: kakaocron login"),
        (
            403,
            -402,
            3,
            "not agreed to friends: write [friends] into config.toml, if it is not there, so that "
            "login asks for it; then kakaocron login, and tick the box "
            "'카카오 서비스 내 친구목록(프로필사진, 닉네임, 즐겨찾기 포함)'",
        ),
        (403, -3, 1, "[Consent items]"),
        (400, -10, 1, "Try again later"),
        (500, -1, 1, "Try again later"),
        (502, None, 1, "Try again later"),
    ],
)
def test_a_refusal_says_what_helps(
    status: int, code: int | None, exit_code: int, said: str
) -> None:
    body = b"<html>" if code is None else json.dumps({"msg": "…", "code": code}).encode()
    with pytest.raises(KakaocronError) as error:
        list(friends_of(Refusing(Answer(status, {}, body)), "https://kapi.example", "token"))

    assert error.value.exit_code == exit_code
    assert said in str(error.value)


class Endless:
    """A server that always names another page, elsewhere, and shows the same friends."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, request: Request, gate: Gate | None = None) -> Answer:
        self.asked.append(request.url)
        page = {"elements": [{"uuid": "a"}], "after_url": "https://evil.example/v1/friends"}
        return Answer(200, {}, json.dumps(page if len(self.asked) < 4 else {}).encode())

    def warm(self, url: str, count: int) -> None: ...
    def close(self) -> None: ...


def test_an_address_in_an_answer_gets_no_token() -> None:
    http = Endless()
    assert [friend.uuid for friend in friends_of(http, "https://kapi.kakao.com", "t")] == ["a"]
    assert {url.partition("?")[0] for url in http.asked} == {
        "https://kapi.kakao.com/v1/api/talk/friends"
    }
