"""The friends list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.core.answers import Answer
from kakaocron.friends import friends_of
from kakaocron.http import Gate, Request
from kakaocron.sandbox.kakao import Friend, Kakao, Settings
from kakaocron.sandbox.server import SandboxServer

from .fakes import FakeClock, kakao_section


@pytest.fixture
def many(clock: FakeClock) -> Iterator[SandboxServer]:
    friends = tuple(Friend(f"uuid-{n:03d}", f"친구 {n}", n % 2 == 0) for n in range(250))
    with SandboxServer(Kakao(Settings(friends=friends), seed=7), clock.now) as server:
        yield server


def test_all_pages_are_read(
    home: Path,
    many: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = home / ".config" / "kakaocron" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(kakao_section(many, timeout=5) + '[friends]\nmum = "uuid-000"\n')
    token = many.kakao.issue_login(clock.now()).access_token
    monkeypatch.setenv("KAKAO_ACCESS_TOKEN", token)
    assert run(["friends", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 250
    assert {tuple(friend) for friend in found} == {("uuid", "nickname", "allowed_msg")}
    assert sum(friend["allowed_msg"] for friend in found) == 125
    assert run(["friends"]) == 0
    said = capsys.readouterr().out
    assert "mum" in said
    assert "refused" in said


def test_a_login_without_the_scope_is_told_what_to_do(
    home: Path,
    many: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = home / ".config" / "kakaocron" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(kakao_section(many, timeout=5))
    token = many.kakao.issue_login(clock.now(), ["talk_message"]).access_token
    monkeypatch.setenv("KAKAO_ACCESS_TOKEN", token)
    assert run(["friends"]) != 0
    assert "tick the box" in capsys.readouterr().err


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
