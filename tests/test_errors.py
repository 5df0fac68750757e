"""What an error says of itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import kakaocron
from kakaocron import errors
from kakaocron.errors import Cause, ContentError, Exit, KakaocronError, LedgerError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (LedgerError("'x' cannot be read", "Fix it"), "'x' cannot be read. Fix it"),
        (LedgerError("'x' cannot be read. Fix it"), "'x' cannot be read. Fix it"),
        (
            ContentError("is missing", Cause("missing"), ("template", "contents", "0")),
            "template.contents[1]: is missing",
        ),
        (ContentError("the text is empty", Cause("empty-text")), "the text is empty"),
    ],
)
def test_an_error_is_one_line_of_what_and_what_to_do(error: Exception, line: str) -> None:
    assert str(error) == line


def test_every_error_has_a_documented_exit_code_and_only_it_means_it() -> None:
    kinds = [
        k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, KakaocronError)
    ]
    codes = [kind.exit_code for kind in kinds]

    assert sorted(codes) == sorted(set(Exit) - {Exit.FINE, Exit.INTERRUPTED})


def test_what_to_do_stands_apart_from_what_is_wrong() -> None:
    """Nobody has to take a sentence apart to find the advice in it."""
    advice = re.compile(
        r"\. (As in|Check|Fix|Install|List|Log in|Look|Make|Move|Put|Remove|Run|See|Set|Tick|Then|"
        r"To [a-z]+ it|Try|Use|Write)\b|\{(SEE_DOCTOR|UPGRADE|AGAIN|LOG_IN)\}"
    )
    package = Path(kakaocron.__file__).parent
    found = 0
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", "")
            if name.endswith("Error") and name != "ContentError":
                found += 1
                words = ast.unparse(node.args[0])
                assert not advice.search(words), f"{path}:{node.lineno}: {words}"
    assert found > 100
