"""What is stored of a cause, and what is said of it."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from kakaocron.alimtalk import causes as dealers
from kakaocron.bot import causes as bots
from kakaocron.bot.codes import CODES
from kakaocron.errors import Cause
from kakaocron.kakao import causes as kakaos
from kakaocron.kakao.codes import MESSAGE_CODES
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import speak
from kakaocron.text import causes
from kakaocron.watching.causes import in_words

DOCS = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
ALL = {**causes.TEMPLATES, **kakaos.TEMPLATES, **dealers.TEMPLATES, **bots.TEMPLATES}


def facts_of(template: str) -> set[str]:
    names = {name for _, name, _, _ in string.Formatter().parse(template) if name}
    return names - {"meaning", "mend"}  # Kakao's, of a code


def test_the_page_lists_every_code_with_its_facts() -> None:
    table = DOCS.partition("### Causes")[2].partition("|---|")[2].partition("## Damage")[0]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*?) \|", table, re.MULTILINE)

    assert {code: set(re.findall(r"`(\w+)`", facts)) for code, facts in rows} == {
        code: facts_of(template) for code, template in ALL.items()
    }


def test_no_channel_takes_a_code_that_is_everybodys() -> None:
    tables = (causes.TEMPLATES, kakaos.TEMPLATES, dealers.TEMPLATES, bots.TEMPLATES)

    assert len(ALL) == sum(map(len, tables))


@pytest.mark.parametrize("code", sorted(ALL))
def test_every_cause_is_one_plain_line(code: str) -> None:
    facts: dict[str, str | int | float] = dict.fromkeys(facts_of(ALL[code]), 7)
    said = in_words(Cause(code, facts))

    assert said == " ".join(said.split())
    assert "{meaning}" not in said
    assert code == "said" or said != str(Cause(code, facts))


@pytest.mark.parametrize("code", sorted(MESSAGE_CODES))
def test_a_code_of_kakaos_is_said_in_words_and_with_its_number(code: int) -> None:
    assert kakaos.in_words(Cause("kakao", {"code": code})) == f"{MESSAGE_CODES[code][2]} ({code})"


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_of_the_bot_api_is_said_in_words_and_with_its_number(code: int) -> None:
    assert in_words(Cause("bot", {"code": code})) == f"{CODES[code].words} ({code})"


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (Cause("of-later", {"a": 1, "b": "x"}), "of-later a=1 b=x"),
        (Cause("http"), "http"),  # its fact is lost
        (Cause("too-slow", {"name": "a", "seconds": "b"}), "too-slow name=a seconds=b"),
        (Cause("said", {"words": "{0.__class__} {x}"}), "{0.__class__} {x}"),
    ],
)
def test_what_cannot_be_said_is_shown_as_it_stands(cause: Cause, said: str) -> None:
    assert causes.in_words(cause) == kakaos.in_words(cause) == said


def test_what_the_login_server_met_is_said_with_it() -> None:
    cause = Cause("login-server", {"behind": "no-connection-because", "error": "no route"})

    assert kakaos.in_words(cause) == "Kakao's login server: no connection: no route"


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"seen": 4, "units": 4, "most": 3}, ""),
        ({"seen": 4, "units": 5, "most": 3}, "4 characters count 5 (an emoji two or more): "),
        ({"text": "", "units": 5, "most": 3}, ""),  # as earlier versions wrote it
        ({"text": "4글자가 5자로: ", "units": 5, "most": 3}, "4글자가 5자로: "),
    ],
)
def test_how_many_characters_count_is_said_where_fewer_are_seen(
    facts: dict[str, str | int], text: str
) -> None:
    units = facts["units"]
    words = f"{text}the text has {units} characters, which is more than 3 parts"
    assert in_words(Cause("many-parts", facts)) == words
    long = in_words(Cause("long-text", facts)), in_words(Cause("bot-long-text", facts))
    assert all(one.startswith(f"{text}the text has {units} characters, ") for one in long)


@pytest.mark.parametrize(
    ("cause", "earlier", "korean"),
    [
        (
            Cause("cannot-show", {"name": "a", "format": "d", "kind": "kind-text"}),
            {"kind": "a text"},
            "'{a:d}': 'a'의 값이 글 종류라서 이 형식으로 보여 줄 수 없어요",
        ),
        (
            Cause("no-csv", {"name": "a", "row": 2, "behind": "csv-quote"}),
            {"error": "a quote stands inside a cell"},
            "'a' 2행: CSV가 아니에요: 칸 안에 따옴표가 있어요",
        ),
        (
            Cause("kakao-no-answer", {"status": 200, "bytes": 2, "kind": "kind-unknown"}),
            {"kind": "no content type"},
            "HTTP 200, 종류를 밝히지 않은 것 2바이트: 카카오의 응답이 아니에요",
        ),
    ],
)
def test_codes_say_what_earlier_versions_kept_in_words(
    cause: Cause, earlier: dict[str, str], korean: str
) -> None:
    facts = {name: fact for name, fact in cause.facts.items() if name not in ("kind", "behind")}
    old = Cause(cause.code, {**facts, **earlier})
    assert in_words(cause) == in_words(old)
    speak(catalogue_of("ko"))
    assert in_words(cause) == in_words(old) == korean
