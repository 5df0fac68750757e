"""`.env` is read as python-dotenv reads it, and no line that was meant for us is passed over."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from dotenv.main import DotEnv
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kakaocron.errors import UsageError
from kakaocron.system.env_file import OWN_NAMES, passed_over, read_env_file

ENVIRON = {"HOME": "/home/me", "A": "from the environment", "EMPTY": ""}


def as_dotenv_reads(content: bytes, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what python-dotenv would add to ENVIRON, where the environment wins."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read()
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", dict(ENVIRON))
        found = DotEnv(None, stream=io.StringIO(text), override=False).dict()
    return {name: value for name, value in found.items() if value is not None}


def read(folder: Path, content: bytes, environ: Mapping[str, str] = ENVIRON) -> dict[str, str]:
    (folder / ".env").write_bytes(content)
    return read_env_file(str(folder / ".env"), environ)


# What decides how a line is read, and what stands between.
PIECES = [
    "A", "B", "C", "x", "가", "'", '"', "`", "\\", "\\n", "\\'", '\\"', "\\\\", "=", "#", " #", " ",
    "  ", "\t", "\n", "\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u3000", "\ufeff",
    "export", "export ", "export\t", "${A}", "${B}", "${C:-d}", "${C:-}", "${", "}", ":-", "$A",
    ":", "B=", "C=", "B='", 'C="', "B = ", "${EMPTY}", "\u00a0", "-", "=#", "= #", "🙂",
]  # fmt: skip
LINES = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
FILES = st.one_of(LINES, st.text(max_size=60), st.lists(LINES, max_size=5).map("\n".join))


def is_others(text: str) -> bool:
    """Hypothesis puts in the words of whatever modules are loaded, the names of our own variables
    among them: these have rules of their own."""
    return not any(word in text for word in ("\0", *OWN_NAMES))


@pytest.mark.usefixtures("uncounted")
@settings(
    max_examples=3000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(FILES.filter(is_others))
@example('KEY="x" # note')
@example("B=x # note\nC='y' # note")
@example("B=a#b #c\nC=#novalue\nD= # comment")
@example("\ufeffB=x")
@example('B="two\nlines"\nC=x')
@example("B='it\\'s'\nC=\"tab\\tnew\\nline\\\\\"")
@example("B=${HOME}/x\nC='${HOME}'\nD=${X:-y}${B}")
@example("B\nexport C\nD=x")
@example("export B=x\nexport\tC=y\nexport=z")
@example("B: x\nwhat is this\nC=x")
@example('B="unclosed\nC=x\nD="y"')
@example("'B'=x\n'C D' = y")
@example("B=x\nB=y\nA=lost\nC=${A}${B}")
@example("B=x\nB\nC=${B:-z}")
@example("B='\\x'\nC=\"\\x\\u0041\"")
@example("   B   =   x   \n\n# c\n   # d")
@example("B=\rC=x\r\nD=y")
def test_a_file_is_read_as_python_dotenv_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    logging.getLogger("dotenv.main").setLevel(logging.ERROR)
    content = text.encode()
    expected = as_dotenv_reads(content, monkeypatch)
    assert read(tmp_path, content) == expected


OTHER_PEOPLES = """\
\ufeff# shared with docker compose
export NODE_ENV=production
DATABASE_URL="postgres://u:p#w@h/db?x=1"   # the database
COMPOSE_PROFILES
JWT_KEY="-----BEGIN KEY-----
KAKAO_looks_like=ours
-----END KEY-----"
some words that are nothing
MAIL_FROM='보고 <a@b.kr>'
KAKAO_REST_API_KEY="abc" # the app's key
KAKAOCRON_DATA_DIR=${HOME}/kakao
LOG_LEVEL = debug
BROKEN="no end
"""


def test_what_other_tools_keep_in_the_same_file_does_no_harm(tmp_path: Path) -> None:
    found = read(tmp_path, OTHER_PEOPLES.replace("\n", "\r\n").encode())
    assert {name: found[name] for name in found if name.startswith(("KAKAO", "LOG"))} == {
        "KAKAO_REST_API_KEY": "abc",
        "KAKAOCRON_DATA_DIR": "/home/me/kakao",
        "LOG_LEVEL": "debug",
    }
    assert found["DATABASE_URL"] == "postgres://u:p#w@h/db?x=1"
    assert passed_over(str(tmp_path / ".env")) == [8, 13]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("KAKAO_REFRESH_TOKEN SECRET", 1),
        ("B=1\n\nexport KAKAO_REFRESH_TOKEN", 3),
        ("KAKAO_REST_API_KEY: SECRET", 1),
        ('KAKAO_REST_API_KEY="SECRET', 1),
        ("B=1\nKAKAO_REST_API_KEY='SECRET' x", 2),
        ("export KAKAOCRON_DATA_DIR '/x'", 1),
        ("ENVIRONMENT production", 1),
        ("LOG_LEVEL", 1),
        # What is lost with the line before it.
        ('B="SECRET\nKAKAOCRON_DATA_DIR=/x\nC="y"', 1),
        ("B=1\nC=\0SECRET", 2),
    ],
)
def test_a_line_that_was_meant_for_kakaocron_is_never_passed_over(
    tmp_path: Path, content: str, line: int
) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, content.encode())
    assert str(caught.value).startswith(f"{tmp_path}/.env:{line}: ")
    assert "SECRET" not in str(caught.value)


def test_no_file_holds_nothing(tmp_path: Path) -> None:
    assert read_env_file(str(tmp_path / ".env"), {}) == {}
    assert passed_over(str(tmp_path / ".env")) == []


def test_reading_it_imports_nothing_that_an_idle_tick_cannot_afford() -> None:
    code = (
        "import sys; before = set(sys.modules); import kakaocron.system.env_file; "
        "print(sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    heavy = {"re", "typing", "dotenv", "logging", "pathlib", "codecs", "dataclasses"}
    assert not heavy & set(eval(ended.stdout))
