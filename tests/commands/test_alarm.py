"""`kakaocron alarm --test`: one by every way out, and which took it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.fakes import MESSAGE, kakao_section
from tests.watchers import Watcher


def configure(folder: Path, monkeypatch: pytest.MonkeyPatch, monitor: str, kakao: str = "") -> None:
    path = folder / "config.toml"
    path.write_text(f"{kakao}[monitor]\n{monitor}\n{MESSAGE}", "utf-8")
    for name in ("CONFIG", "DATA_DIR", "LOG_DIR"):
        place = path if name == "CONFIG" else folder / name
        monkeypatch.setenv(f"KAKAOCRON_{name}", str(place))


def test_every_way_out_is_tried_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = json.dumps(["sh", "-c", f"cat >{tmp_path}/told"])
    with Watcher() as pinged, Watcher() as alerted:
        configure(
            tmp_path,
            monkeypatch,
            f'ping_url = "http://{pinged.address}/SECRET"\n'
            f'alert_urls = ["json://{alerted.address}/a"]\nalert_command = {command}',
        )
        assert run(["alarm", "--test"]) == 0
        out = capsys.readouterr().out
        assert out.splitlines() == [
            "ping_url: took it",
            "alert_urls 1 (json): took it",
            "alert_command: took it",
        ]
        assert pinged.paths == ["/SECRET/fail"]
        assert alerted.requests[0][2]["title"] == "kakaocron: a test"
        assert "nothing is wrong" in json.loads((tmp_path / "told").read_text())["body"]

        pinged.status = 500
        assert run(["alarm", "--test", "--json"]) == 1
        ping, alert, _ = json.loads(capsys.readouterr().out)["ways"]
        assert (ping["took_it"], ping["why"]) == (False, "HTTP 500")
        assert alert == {
            "way": "alert_urls 1 (json)", "took_it": True, "counts": True, "why": None
        }  # fmt: skip


@pytest.mark.parametrize("arguments", [["alarm"], ["alarm", "--test"]])
def test_without_a_way_out_or_a_word_on_what_to_do_it_is_wrong_usage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    configure(tmp_path, monkeypatch, "")
    assert run(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_kakaotalk_alone_is_no_way_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sandbox: SandboxServer,
) -> None:
    monkeypatch.setattr("kakaocron.watching.telling._run", lambda *_: 0)
    configure(tmp_path, monkeypatch, 'alert_urls = ["kakaotalk://a/b"]', kakao_section(sandbox))
    assert run(["alarm", "--test"]) == 1
    assert "KakaoTalk cannot report that it is broken" in capsys.readouterr().out


def test_no_address_shows_what_it_must_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, monkeypatch, 'ping_url = "https://hc-ping.com/SECRET"')
    for arguments in (["config", "show"], ["config", "show", "--json"], ["config", "check"]):
        assert run(arguments) == 0
        assert "SECRET" not in str(capsys.readouterr())


@pytest.mark.parametrize("key", ["api_url", "auth_url", "link"])
@pytest.mark.parametrize("who", ["me:SECRET@", "SECRET@", ":SECRET@"])
def test_an_address_with_a_password_is_refused_without_showing_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    who: str,
) -> None:
    kakao = f'[kakao]\n{key} = "https://{who}example.com"\n'
    configure(tmp_path, monkeypatch, "", kakao)
    for arguments in (["config", "show"], ["config", "check"], ["tick"], ["doctor"]):
        assert run(arguments) != 0
        told = str(capsys.readouterr())
        assert "SECRET" not in told
        assert key in told
