"""README and its Korean sister say the same commands, and the commands work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from kakaocron.cli import EXIT_CODES, run
from kakaocron.errors import Exit
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.fakes import MESSAGE, FakeClock, kakao_section, live_in

ROOT = Path(__file__).parent.parent
ENGLISH = (ROOT / "README.md").read_text("utf-8")
KOREAN = (ROOT / "docs" / "README.ko.md").read_text("utf-8")
EXIT_CODE = re.compile(r"^\|? *(\d+) [| ]", re.MULTILINE)


def commands(page: str) -> list[list[str]]:
    """Return the command lines of each block, without what is said beside them."""
    blocks = re.findall(r"```sh\n(.+?)```", page, re.DOTALL)
    return [[line.partition(" #")[0].strip() for line in block.splitlines()] for block in blocks]


def test_the_korean_page_has_the_commands_of_the_english_one() -> None:
    english, korean = commands(ENGLISH), commands(KOREAN)

    assert len(english) == 5
    assert korean == english


@pytest.mark.parametrize("page", [ENGLISH, KOREAN], ids=["English", "Korean"])
def test_the_exit_codes_are_those_of_the_help(page: str) -> None:
    assert EXIT_CODE.findall(page) == EXIT_CODE.findall(EXIT_CODES)
    assert EXIT_CODE.findall(EXIT_CODES) == [str(int(code)) for code in Exit]


@pytest.mark.parametrize("line", commands(KOREAN)[4])
def test_what_is_often_wanted_works(
    line: str,
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = live_in(tmp_path, monkeypatch)
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    config.write_text(kakao_section(sandbox) + MESSAGE, "utf-8")

    assert run(shlex.split(line)[1:]) == 0
    told = capsys.readouterr()
    assert told.out != ""
    assert told.err == "" or (" schedule " in line and told.err.startswith("To me on "))


def test_every_page_and_picture_that_a_page_names_is_there() -> None:
    links = [
        page.parent / link
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for link in re.findall(r"\]\(([^)#:]+)[)#]", page.read_text("utf-8"))
    ]

    assert len(links) > 20
    assert [link for link in links if not link.exists()] == []
