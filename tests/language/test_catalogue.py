"""The Korean catalogue is whole, in step with the code, and says each thing by its one word."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest

from tests.language.catalogue import MO, template, translated

pytestmark = pytest.mark.usefixtures("uncounted")

GLOSSARY = (Path(__file__).parents[2] / "docs" / "ko" / "glossary.md").read_text("utf-8")
TO_DO = "Run: python -m tests.language.catalogue"


def entries() -> Iterator[tuple[str, str]]:
    """Yield each sentence, the plural form where there is one, with the Korean one."""
    for message in translated():
        if message.id:
            english = message.id if isinstance(message.id, str) else message.id[-1]
            korean = message.string or ""
            yield english, korean if isinstance(korean, str) else korean[0]


def singles() -> dict[str, str]:
    return {
        message.id: str(message.string)
        for message in translated()
        if message.id and isinstance(message.id, str)
    }


def plurals() -> dict[tuple[str, str], str]:
    return {
        (message.id[0], message.id[1]): (message.string or [""])[0]
        for message in translated()
        if isinstance(message.id, tuple | list)
    }


def names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_the_catalogue_has_the_sentences_of_the_code_and_no_others() -> None:
    said = {str(message.id) for message in template()}
    assert {str(message.id) for message in translated()} == said, TO_DO


def test_every_sentence_is_translated_and_none_is_a_guess() -> None:
    assert [english for english, korean in entries() if not korean] == []
    assert [message.id for message in translated() if message.id and message.fuzzy] == []


def test_the_compiled_catalogue_is_that_of_the_written_one() -> None:
    """It lies in the repository, so that a clone speaks Korean without another tool."""
    with MO.open("rb") as file:
        said = GNUTranslations(file)
    assert {english: said.gettext(english) for english in singles()} == singles(), TO_DO
    assert {two: said.ngettext(*two, 2) for two in plurals()} == plurals(), TO_DO


def test_both_languages_have_the_same_places() -> None:
    differing = []
    for english, korean in entries():
        try:
            same = names(english) == names(korean)
        except ValueError:  # no template: it is said as it is, braces and all
            same = english.count("{") == korean.count("{")
        if not same:
            differing.append((english, korean))
    assert differing == []


def rows(heading: str) -> list[list[str]]:
    part = GLOSSARY.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("heading", ["상태", "까닭"])
def test_states_and_reasons_are_said_as_in_the_glossary(heading: str) -> None:
    said = dict(entries())
    glossary = {row[0].strip("`"): row[1] for row in rows(heading)}
    assert {word: said[word] for word in glossary} == glossary


def test_no_sentence_uses_a_word_that_the_glossary_has_another_for() -> None:
    others = [word.strip() for row in rows("그 밖의 말") for word in row[2].split(",")]
    assert [
        (word, korean) for _, korean in entries() for word in others if re.search(word, korean)
    ] == []


# Of each of these the Korean sentence must say the Korean word wherever the English has the word.
HELD = ("ledger", "receiver", "sandbox", "placeholder", "login", "quiet hours", "alarm")


def test_a_thing_is_said_by_its_one_word() -> None:
    words = {row[0]: row[1] for row in rows("그 밖의 말")}
    missing = []
    for english, korean in entries():
        bare = re.sub(
            r"\{[^}]*\}|kakaocron \w+|\[\w+\]|'[^']*'|`[^`]*`|--\w+|[\w/]+\.md", "", english
        )
        missing += [
            (one, korean)
            for one in HELD
            if re.search(rf"\b{one}s?\b", bare) and words[one] not in korean
        ]
    assert missing == []


def test_every_sentence_is_polite_in_the_one_way() -> None:
    """The short polite form throughout: no 합니다, and no 한다."""
    formal = re.compile(r"니다(?![가-힣])|[가-힣]다(?=[.!]|$)|십시오")
    assert [korean for _, korean in entries() if formal.search(korean)] == []


def test_a_particle_after_a_name_is_written_with_both_forms() -> None:
    """Which of the two fits is known when the name is: '보고'를, '발송'을."""
    alone = re.compile(
        r"[^%]\}['\"”]?(?:을|를|이|가|은|는|와|과|로|으로|이에요|예요|이라|라)(?![가-힣(])"
    )
    assert [korean for _, korean in entries() if alone.search(korean)] == []
