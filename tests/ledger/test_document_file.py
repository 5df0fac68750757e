"""Documents beside the ledger that cannot be read: a code and its facts, and one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kakaocron.errors import Cause, LedgerError
from kakaocron.ledger.pause_file import Pauses, pauses_in
from kakaocron.ledger.timetable_file import NotedTimetables, timetables_in
from kakaocron.system.disk import Disk, RealDisk
from kakaocron.watching.causes import in_words


@pytest.mark.parametrize(
    ("content", "behind", "facts", "why"),
    [
        ("{", "not-json", {}, "not JSON"),
        ("[]", "no-json-object", {}, "not a JSON object"),
        ('{"v":"1"}', "no-version-number", {}, "its version is no number"),
        ('{"v":1}', "lacks-key", {"key": "KEY"}, "it lacks 'KEY'"),
        ('{"v":1,"KEY":5}', "odd-form", {}, "it is not of the form that kakaocron writes"),
    ],
)
@pytest.mark.parametrize(
    ("key", "document_in"),
    [("pauses", pauses_in), ("timetables", timetables_in)],
    ids=["pauses", "timetables"],
)
def test_what_is_wrong_is_kept_as_a_code_and_said_in_words(
    tmp_path: Path,
    key: str,
    document_in: Callable[[str, Disk], Pauses | NotedTimetables],
    content: str,
    behind: str,
    facts: dict[str, str],
    why: str,
) -> None:
    path = tmp_path / "document.json"
    path.write_text(content.replace("KEY", key))

    with pytest.raises(LedgerError) as caught:
        document_in(str(path), RealDisk()).read()

    named = {name: fact.replace("KEY", key) for name, fact in facts.items()}
    cause = caught.value.cause
    assert cause == Cause(f"{key}-unreadable", {"path": str(path), "behind": behind, **named})
    words = f"'{path}' cannot be read ({why.replace('KEY', key)}), so nobody knows "
    assert in_words(cause).startswith(words)
    assert str(caught.value) == in_words(cause)


def test_what_is_no_document_but_a_folder_is_told_as_the_system_does(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"\(Is a directory\), so nobody knows what is paused"):
        pauses_in(str(tmp_path), RealDisk()).read()
