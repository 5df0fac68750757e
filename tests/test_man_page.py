"""The manual page is that of these commands, and of the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.man_page import DOCS, man_page

PAGE = DOCS / "kakaocron.1"


def test_the_page_is_what_the_commands_say_of_themselves() -> None:
    assert PAGE.read_text("utf-8") == man_page(), "python -m tests.man_page > docs/kakaocron.1"


def test_the_wheel_puts_it_where_man_looks() -> None:
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]

    assert shared == {PAGE.relative_to(DOCS.parent).as_posix(): "share/man/man1/kakaocron.1"}


def test_man_shows_it_without_a_warning(tmp_path: Path) -> None:
    if not (shutil.which("man") and shutil.which("groff")):
        pytest.skip("the page is shown where man and groff are")
    shown = subprocess.run(
        ["man", "--warnings", "--local-file", str(PAGE)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stderr == ""
    assert re.search(r"^   kakaocron cron install \[OPTION\]", shown.stdout, re.MULTILINE)
    assert "kakaocron send 안녕" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
