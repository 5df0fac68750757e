"""No sentence bypasses the catalogue: under one that leaves no English word, what a command prints
has none but names, keys, words of JSON, and what is data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from kakaocron.cli import COMMANDS, run
from kakaocron.language import catalogue
from kakaocron.states import Reason, State
from tests.test_cli import Shell, after_a_morning, shell

__all__ = ["after_a_morning", "shell"]

# The same commands are run, and counted, in the languages that there are.
pytestmark = pytest.mark.usefixtures("uncounted")

WORD = re.compile(r"[A-Za-z]{2,}(?:['-][A-Za-z]+)*")


class NoEnglish:
    """A catalogue in which every sentence is there, and none of its words is English."""

    def gettext(self, sentence: str) -> str:
        parts = re.split(r"(\{[^{}]*\})", sentence)
        return "".join(part if part[:1] == "{" else WORD.sub("말", part) for part in parts)

    def ngettext(self, _one: str, many: str, _count: int) -> str:
        return self.gettext(many)


# Data, and what is typed: addresses, files, ids, options, values in quotes, clock times, JSON.
DATA = re.compile(
    r"https?://\S+|'[^']*'|\"[^\"]*\"|[\w.-]*@\w+|(?<!\w)-{1,2}[\w-]+|\S*/\S*|<list\[[^>]*>|\[\[?[\w.*-]+\]?\]"
    r"|\w+\.(?:toml|py)|[A-Z][A-Z0-9_]{2,}\w*|[a-z]+_[a-z_]+"
)
NAMES = {
    *COMMANDS, *map(str, State), *map(str, Reason), "kakaocron", "me", "report", "regular", "peak",
    "uuid", "uuid-aaa", "uuid-bbb", "uuid-ccc", "HTTP", "text",
    "id", "prune", "install", "check", "export",
}  # fmt: skip


def english(printed: str) -> Iterable[str]:
    for line in printed.splitlines():
        for word in WORD.findall(DATA.sub(" ", line)):
            if word not in NAMES:
                yield f"{word}: {line.strip()}"


@pytest.fixture
def no_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(catalogue, "_read", NoEnglish)
    monkeypatch.setenv("KAKAOCRON_LANGUAGE", "ko")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def told(after_a_morning: Shell, no_english: None) -> Shell:
    return after_a_morning


PRINTED = [
    "status", "history", "history --days 0", "show report@20261123T0900", "show nothing",
    "show report@20261123T0831", "explain 09:00", "explain 09:15", "explain 09:30",
    "explain 10:00", "explain 03:00", "report", "health", "next -n 3", "next --booked", "friends",
    "preview", "config check", "config path", "alarm", "alarm --test", "ledger verify",
    "ledger prune", "pause report", "pause", "resume", "resume", "send 안녕", "send",
    "retry report@20261123T0915", "retry report@20261123T0830", "cancel report@20261123T0900",
    "cancel report@20261123T0945", "resolve report@20261123T0900",
    "resolve report@20261123T0900 --delivered", "schedule 안녕 --in 5m", "schedule", "tick",
    "tick --dry-run", "logout", "init", "init --yes --force", "sned", "status --no-such", "",
    "cron show", "explain 25:00", "schedule 안녕 --at 어제", "schedule 안녕 --at soon",
    "pause --until yesterday", "metrics --textfile /", "config adopt", "serve --port 99999",
    "sandbox --faults slow", "sandbox --faults -603:2",
]  # fmt: skip


@pytest.mark.parametrize("command", PRINTED)
def test_what_a_command_says_is_all_in_the_catalogue(told: Shell, command: str) -> None:
    _, out, err = told.run(*command.split())

    assert list(english(out + err)) == []


def test_what_doctor_finds_is_too(told: Shell) -> None:
    """But the names of its findings, which scripts know, and what it names of this machine."""
    _, out, _ = told.run("doctor")

    said = re.sub(r"(?m)^\S (versions|file-system|cron-running|installations): .*$", "", out)
    said = re.sub(r"(?m)^\S [a-z-]+: |^    → .*(sudo|env|systemctl|apt-get|chmod) .*$", "", said)
    found = [one for one in english(said) if not one.startswith(("INFO", "ko:"))]
    assert found == []


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.usefixtures("no_english")
def test_its_help_is_too(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    run([command, "--help"])
    out, err = capsys.readouterr()

    names = re.findall(r"[a-z_]+", " ".join(re.findall(r"│\s+(?:\*\s+)?([a-z_]+)\s+<", out)))
    names += re.findall(r"│ ([a-z]+) ", out)  # the commands of a group
    found = [said for said in english(out + err) if said.partition(":")[0] not in {"ID", *names}]
    assert found == []


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_its_options_are_all_named_in_a_narrow_terminal(
    told: Shell, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rich cuts off a word that is longer than its column."""
    shown = []
    for columns in (400, 40):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown.append(told.run(command, "--help")[1].replace("<글>…", ""))
    wide, narrow = shown
    names = re.findall(r"(?m)^│ (--[a-z-]+)", wide)
    assert "--help" in names
    assert [name for name in names if f"│ {name[:6]}" not in narrow] == []
    assert "…" not in narrow
    assert "<bool>" not in wide


@pytest.mark.parametrize("columns", [40, 41, 79, 80, 100])
def test_no_syllable_of_the_help_is_lost(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rich would cut one off where a line of Hangul fills its column."""
    monkeypatch.setenv("KAKAOCRON_LANGUAGE", "ko")
    monkeypatch.setenv("COLUMNS", str(columns))
    run(["--help"])
    printed = capsys.readouterr().out
    assert re.findall("[가-힣] ?…", printed) == []
    assert "어느 시각이나 발송 하나에 무슨 일이 있었는지" in re.sub(r"[\s│]+", " ", printed)
