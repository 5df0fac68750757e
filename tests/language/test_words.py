"""What kakaocron says is in one language, and English where there is no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.language import catalogue
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import _, language, ngettext, speak, speaking
from tests.fakes import MESSAGE, live_in
from tests.test_cli import shell

__all__ = ["shell"]

JSON_COMMANDS = [
    ["status", "--json"], ["history", "--json"], ["show", "report@20261123T0900", "--json"],
    ["explain", "09:15", "--json"], ["health", "--json"], ["doctor", "--json"],
]  # fmt: skip
KOREAN = catalogue_of("ko")
SENTENCE = "Nothing was paused"


def test_a_sentence_is_said_in_the_language_that_is_spoken() -> None:
    assert (_(SENTENCE), language()) == (SENTENCE, "en")
    speak(KOREAN)
    assert (_(SENTENCE), language()) == ("일시정지한 것이 없었어요", "ko")
    with speaking(None):
        assert _(SENTENCE) == SENTENCE
    assert _("no sentence of ours") == "no sentence of ours"
    assert _("") == ""


def test_an_error_inside_a_sentence_is_said_by_its_words() -> None:
    speak(KOREAN)
    said = _("Cannot send this: {error}").format(error=ValueError("Permission denied"))
    assert said == "보낼 수 없어요: 권한이 없어요"


def test_a_count_has_one_form_in_korean_and_two_in_english() -> None:
    said = [ngettext("{count} message", "{count} messages", n).format(count=n) for n in (0, 1, 2)]
    assert said == ["0 messages", "1 message", "2 messages"]
    speak(KOREAN)
    assert ngettext("{count} message", "{count} messages", 2).format(count=2) == "메시지 2개"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KAKAOCRON_LANGUAGE")
    return live_in(tmp_path, monkeypatch)


@pytest.mark.parametrize("content", [None, b"", b"no catalogue", b"\xde\x12\x04\x95" + b"\0" * 9])
def test_without_a_sound_catalogue_all_is_english_and_doctor_says_so(
    content: bytes | None,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config.write_text(MESSAGE)
    if content is not None:
        (tmp_path / "ko.mo").write_bytes(content)
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    catalogue._read.cache_clear()
    try:
        speak(KOREAN)
        assert _(SENTENCE) == SENTENCE
        assert ngettext("one", "many", 2) == "many"
        speak(None)
        monkeypatch.setenv("KAKAOCRON_LANGUAGE", "ko")
        run(["doctor", "--json"])
        findings = json.loads(capsys.readouterr().out)["findings"]
        found = next(one for one in findings if one["name"] == "language")
        assert found["status"] == "warn"
        assert f"'{tmp_path / 'ko.mo'}' is missing or broken" in found["what"]
    finally:
        catalogue._read.cache_clear()


class Foreign:
    """A catalogue of another version: what it says has other places."""

    def __init__(self, said: str) -> None:
        self.said = said

    def gettext(self, _: str, /) -> str:
        return self.said

    def ngettext(self, _one: str, _many: str, _count: int, /) -> str:
        return self.said


@pytest.mark.parametrize("said", ["{gone}", "{", "}", "{}", "{name!z}", "{name:%Q}", "{name.x}"])
def test_a_sentence_whose_places_are_others_is_said_in_english(said: str) -> None:
    speak(Foreign(said))
    assert _("no {name}").format(name="{x}%s") == "no {x}%s"
    assert _("no {name}").format_map({"name": "x"}) == "no x"
    assert ngettext("{name}", "{name}s", 2).format(name="x") == "xs"


def complained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(arguments) != 0
    return capsys.readouterr().err


def test_a_configuration_names_the_language_even_of_what_is_wrong_with_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('language = "ko"\n[kakao]\nno_key = 1\n')
    assert "명령은 없어요" in complained(capsys, "sned")
    config.write_text('language = "en"\n[kakao]\nno_key = 1\n')
    assert "There is no" not in complained(capsys, "sned")


def test_the_env_file_and_the_environment_name_it_too(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(MESSAGE)
    (config.parent / ".env").write_text("KAKAOCRON_LANGUAGE=ko\n")
    assert "명령은 없어요" in complained(capsys, "sned")
    monkeypatch.setenv("KAKAOCRON_LANGUAGE", "en")
    assert "No such command" in complained(capsys, "sned")


def test_a_program_that_reads_json_is_answered_in_english(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('language = "ko"\n' + MESSAGE)
    assert "The ledger has no delivery" in complained(
        capsys, "show", "report@20260105T0900", "--json"
    )
    run(["health", "--json"])
    assert capsys.readouterr().out.isascii()


@pytest.mark.parametrize(
    "words", ['language = "kr"', "language = 1", "[profile.testing]\nlanguage = 'ko'"]
)
def test_a_language_that_there_is_not_is_a_fault_of_its_line(
    words: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(f"{words}\n{MESSAGE if '[' not in words else ''}")
    said = complained(capsys, "config", "check")
    assert f"{config}:{1 if '[' not in words else 2}:" in said
    assert "language" in said


def test_a_variable_that_names_none_counts_as_none_and_doctor_says_so(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(MESSAGE)
    monkeypatch.setenv("KAKAOCRON_LANGUAGE", "kr")
    run(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    found = next(one for one in findings if one["name"] == "language")
    assert found["status"] == "warn"
    assert "'kr'" in found["what"]


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "명령은 없어요"), ("euc-kr", "명령은 없어요"), ("ascii", "No such command")],
)
def test_a_terminal_that_shows_no_hangul_gets_english(encoding: str, expected: str) -> None:
    environ = {**os.environ, "KAKAOCRON_LANGUAGE": "ko", "PYTHONIOENCODING": encoding}
    argv = [sys.executable, "-m", "kakaocron", "sned"]
    ran = subprocess.run(argv, capture_output=True, env=environ, check=False)
    assert ran.returncode == 2
    assert expected in ran.stderr.decode(encoding)
