"""What an error says of itself."""

from __future__ import annotations

import pytest

from kakaocron import errors
from kakaocron.errors import ContentError, Exit, KakaocronError, LedgerError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (LedgerError("'x' cannot be read", "Fix it"), "'x' cannot be read. Fix it"),
        (LedgerError("'x' cannot be read. Fix it"), "'x' cannot be read. Fix it"),
        (
            ContentError("is missing", ("template", "contents", "0")),
            "template.contents[1]: is missing",
        ),
        (ContentError("the text is empty"), "the text is empty"),
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
