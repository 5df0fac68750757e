"""`kakaocron init`: what it writes is sound, private, and never overwrites unasked."""

from __future__ import annotations

import contextlib
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.config.schema import Config
from kakaocron.config.starter import Answers, config_text, quiet_outside


@pytest.fixture
def config_path(home: Path) -> Path:
    return home / ".config" / "kakaocron" / "config.toml"


def test_what_init_writes_passes_the_check_and_is_enough_for_tick(
    config_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAKAO_REST_API_KEY", 'key"with\\quotes')
    assert run(["init", "--yes"]) == 0
    assert run(["config", "check"]) == 0
    assert run(["tick", "--dry-run"]) == 0
    assert "key" not in capsys.readouterr().out.replace("API key", "")
    parsed = parse_config(config_path.read_text(), "config.toml")
    assert parsed.kakao.rest_api_key
    assert parsed.kakao.rest_api_key.reveal() == 'key"with\\quotes'
    assert parsed.schedule.early_start


def test_the_file_is_private(config_path: Path) -> None:
    run(["init", "--yes"])
    assert stat.S_IMODE(config_path.stat().st_mode) == 0o600


def test_init_never_overwrites_without_force(
    config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_path.parent.mkdir(parents=True)
    config_path.write_text("# mine\n")
    assert run(["init", "--yes"]) == 2
    assert config_path.read_text() == "# mine\n"
    assert "init --force" in capsys.readouterr().err
    assert run(["init", "--yes", "--force"]) == 0
    assert "[[message]]" in config_path.read_text()


def test_options_end_up_in_the_file(config_path: Path) -> None:
    options = [
        "--link",
        "https://example.org",
        "--text",
        '안녕 "{time}"\n둘째 줄',
        "--to",
        "uuid-aaa",
    ]
    assert run(["init", "--yes", *options]) == 0
    parsed = parse_config(config_path.read_text(), "config.toml")
    assert parsed.kakao.link == "https://example.org"
    assert parsed.message[0].text == '안녕 "{time}"\n둘째 줄'
    assert parsed.message[0].to == ("uuid-aaa",)


def test_an_option_that_the_check_refuses_writes_nothing(config_path: Path) -> None:
    assert run(["init", "--yes", "--link", "not an address"]) == 2
    assert not config_path.exists()


def test_a_key_in_the_env_file_stays_there_alone(config_path: Path) -> None:
    config_path.parent.mkdir(parents=True)
    (config_path.parent / ".env").write_text("KAKAO_REST_API_KEY=from-env-file\n")
    assert run(["init", "--yes"]) == 0
    assert "from-env-file" not in config_path.read_text()


def test_the_commented_lines_are_defaults_or_examples_that_pass_too() -> None:
    """Every `# key = value` of the template is a key that the configuration knows."""
    lines = config_text(Answers()).split("\n")
    text = "\n".join(
        line.removeprefix("# ")
        if line.startswith("# ") and (" = " in line or "[" in line[:4])
        else line
        for line in lines
    )
    assert parse_config(text.replace('"…"', '"x"'), "config.toml") != Config()


def answered(*answers: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """Run `init` on a terminal, answer its questions; return its exit code and all it said."""
    terminal, child = pty.openpty()
    # `setsid --ctty`: what is typed unseen is read from the controlling terminal.
    words = ["setsid", "--ctty", "--wait", sys.executable, "-m", "kakaocron", "init"]
    process = subprocess.Popen(words, stdin=child, stdout=child, stderr=child)
    os.close(child)
    said = b""
    for question, answer in answers:
        heard = b""
        while question not in heard:
            heard += os.read(terminal, 1000)
        said += heard
        os.write(terminal, answer)
    with contextlib.suppress(OSError):  # the terminal's end
        while part := os.read(terminal, 1000):
            said += part
    os.close(terminal)
    return process.wait(20), said


KEY, SECRET, LINK = b"REST API key (not shown): ", b"(not shown): ", b"]: "
HOURS = b"day and night: "


def test_on_a_terminal_it_asks_and_shows_no_secret(home: Path, config_path: Path) -> None:
    exit_code, said = answered(
        (KEY, b"typed-key\n"),
        (SECRET, b"typed-secret\n"),
        (LINK, b"https://example.org/page\n"),
        (HOURS, b"\n"),
    )
    assert exit_code == 0
    parsed = parse_config(config_path.read_text(), "config.toml")
    assert parsed.kakao.rest_api_key
    assert parsed.kakao.rest_api_key.reveal() == "typed-key"
    assert parsed.kakao.link == "https://example.org/page"
    assert b"typed-key" not in said
    assert b"typed-secret" not in said


NO_TEXT = b"\xff\xfe\n"


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ([(KEY, NO_TEXT)], b"The answer"),
        ([(KEY, b"key\n"), (SECRET, NO_TEXT)], b"The answer"),
        ([(KEY, b"key\n"), (SECRET, b"\n"), (LINK, NO_TEXT)], b"The link"),
        ([(KEY, b"key\n"), (SECRET, b"\n"), (LINK, b"\n"), (HOURS, NO_TEXT)], b"The answer"),
    ],
    ids=["key", "secret", "link", "hours"],
)
def test_an_answer_that_is_no_text_is_told(
    home: Path, config_path: Path, answers: list[tuple[bytes, bytes]], what: bytes
) -> None:
    exit_code, said = answered(*answers)
    assert exit_code == 2
    assert what + b" is not UTF-8 text; nothing was done" in said
    assert not config_path.exists()


@pytest.mark.parametrize(
    ("option", "value", "what"),
    [
        ("--text", "안녕 {tiem}", "no value for '{tiem}'"),
        ("--text", "", "at least 1 character"),
        ("--link", "notaurl", "must be an address"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_written(
    home: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, what: str
) -> None:
    code = run(["init", "--yes", option, value])

    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith(f"{option}: ")
    assert what in said
    assert not (home / ".config" / "kakaocron" / "config.toml").exists()


def test_a_key_and_a_link_that_can_be_none_are_asked_for_again_at_once(
    home: Path, config_path: Path
) -> None:
    exit_code, said = answered(
        (KEY, "제 키\n".encode()),
        (KEY, b"typed-key\n"),
        (SECRET, b"two words\n"),
        (SECRET, b"\n"),
        (LINK, b"typed-key\n"),
        (LINK, b"https://example.org\n"),
        (HOURS, b"\n"),
    )
    parsed = parse_config(config_path.read_text(), "config.toml")
    assert (exit_code, parsed.kakao.link) == (0, "https://example.org")
    assert parsed.kakao.rest_api_key
    assert parsed.kakao.rest_api_key.reveal() == "typed-key"
    assert parsed.kakao.client_secret is None
    assert said.count(b"holds a blank or a character that no key has; copy it once more") == 2
    assert b"must be an address such as https://example.com" in said
    assert b"two words" not in said


def test_hours_are_asked_for_until_they_can_be_read(home: Path, config_path: Path) -> None:
    exit_code, said = answered(
        (KEY, b"key\n"), (SECRET, b"\n"), (LINK, b"\n"), (HOURS, b"7 to 10\n"), (HOURS, b"7-22\n")
    )
    assert exit_code == 0
    assert b"'7 to 10' is not of the form 07:00-22:00" in said
    assert b"It plans 50 messages a day, none from 22:00 to 07:00." in said
    assert parse_config(config_path.read_text(), "config.toml").schedule.quiet == ("22:00-07:00",)


@pytest.mark.parametrize(
    ("hours", "quiet"),
    [
        ("", None),
        ("07:00-22:30", "22:30-07:00"),
        (" 7 ~ 22 ", "22:00-07:00"),
        ("0-24", None),
        ("9-24", "00:00-09:00"),
        ("22:00-02:00", "02:00-22:00"),
    ],
)
def test_hours_become_the_quiet_ones_around_them(hours: str, quiet: str | None) -> None:
    assert quiet_outside(hours) == quiet


@pytest.mark.parametrize("hours", ["7", "25-26", "7:60-9:00", "07.00-22.00", "seven", "7-22-23"])
def test_what_are_no_hours_is_refused(hours: str) -> None:
    with pytest.raises(ValueError, match="'"):
        quiet_outside(hours)


def test_the_plan_is_told_in_messages_a_day(
    config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--yes"]) == 0
    assert "It plans 68 messages a day, day and night." in capsys.readouterr().out


@pytest.mark.parametrize(
    "appended",
    [
        '[friends]\n"지우" = "uuid-aaa"\n',
        'skip_holidays = false\nfallback_text = "x"\n',
        '[[message]]\nname = "second"\nslots = ["regular"]\ntext = "x"\n',
        "[monitor]\nmin_success_rate = 0.8\n",
    ],
)
def test_what_is_appended_to_the_file_holds(config_path: Path, appended: str) -> None:
    run(["init", "--yes"])
    with config_path.open("a", encoding="utf-8") as file:
        file.write(appended)
    assert run(["config", "check"]) == 0
    assert parse_config(config_path.read_text("utf-8"), "x") == parse_config(
        config_path.read_text("utf-8"), "x", "production"
    )


def test_a_key_that_is_appended_below_the_message_is_told_its_place(
    config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["init", "--yes"])
    with config_path.open("a", encoding="utf-8") as file:
        file.write("max_retries = 2\n")
    assert run(["config", "check"]) == 2
    assert "message[1].max_retries: unknown key; it belongs into [delivery]" in (
        capsys.readouterr().err
    )


def test_the_lines_for_friends_hold_once_the_signs_are_off(config_path: Path) -> None:
    run(["init", "--yes"])
    text = config_path.read_text("utf-8")
    text = text.replace("# [friends]", "[friends]").replace('# "지우" = "…"', '"지우" = "uuid-aaa"')
    config_path.write_text(text, "utf-8")
    assert run(["config", "check"]) == 0
    assert parse_config(text, "config.toml").friends == {"지우": "uuid-aaa"}
