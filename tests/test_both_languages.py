"""Each page for users stands in both languages: the same headings, commands, keys and figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import pytest

from kakaocron.alimtalk import causes as dealers
from kakaocron.bot import causes as bots
from kakaocron.kakao import causes as kakaos
from kakaocron.language.catalogue import catalogue_of
from kakaocron.states import State
from kakaocron.text import causes
from kakaocron.watching.explain import MEANINGS

pytestmark = pytest.mark.usefixtures("uncounted")  # it reads pages and runs no code

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
KOREAN_README = DOCS / "README.ko.md"
FOR_DEVELOPERS = {"architecture.md", "changelog.md", "mutants.md", "releasing.md"}
KOREAN_ONLY = {"glossary.md"}
GLOSSARY = DOCS / "ko" / "glossary.md"
USER_PAGES = [
    page
    for page in sorted(DOCS.glob("*.md"))
    if page.name not in FOR_DEVELOPERS and page != KOREAN_README
]
EXAMPLES = ROOT / "examples"
PAIRS = [
    (ROOT / "README.md", KOREAN_README),
    (EXAMPLES / "README.md", EXAMPLES / "README.ko.md"),
    *((page, DOCS / "ko" / page.name) for page in USER_PAGES),
]
KOREAN_PAGES = [KOREAN_README, EXAMPLES / "README.ko.md", *sorted((DOCS / "ko").glob("*.md"))]

HEADING = re.compile(r"(#+) (.+?)(?: <a id=\"([\w-]+)\"></a>)?$")
COMMENT = re.compile(r"(?:^|\s+)#(?: .*)?$")
SPAN = re.compile(r"(`+)(.+?)\1")
FIGURE = re.compile(r"\d[\d,.]*\d")
LINK = re.compile(r"\]\(([^)\s]+)\)")
UNITS = {"ms", "s", "MB"}
# Above a block of what the program says: in each language it says the same in other words.
OUTPUT = "<!-- program output -->"


@dataclass
class Section:
    """What of a section is the same in every language.

    `blocks`: each its fence's word and its lines without comments; `tables`: rows of cells.
    """

    level: int
    anchor: str
    blocks: list[tuple[str, list[str]]] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    prose: str = ""


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def without_comments(lines: Sequence[str]) -> list[str]:
    stripped = [COMMENT.sub("", line.rstrip()) for line in lines]
    return [line for line in stripped if line.strip()]


def sections_of(text: str) -> list[Section]:
    """Return a page's sections; a heading in Korean ends with the anchor of its twin."""
    sections: list[Section] = []
    lines = iter(text.splitlines())
    was_table = was_block = False
    for line in lines:
        is_table, is_block = line.startswith("|"), line.startswith("    ")
        if line.startswith("```"):
            block = without_comments(list(iter(lambda: next(lines), "```")))
            if sections[-1].prose.rstrip().endswith(OUTPUT):
                block = [OUTPUT] * len(block)
            sections[-1].blocks.append((line[3:], block))
        elif match := HEADING.match(line):
            level = len(match[1])
            anchor = "" if level == 1 else match[3] or anchor_of(match[2])
            sections.append(Section(level, anchor))
        elif is_block:
            if not was_block:
                sections[-1].blocks.append(("", []))
            sections[-1].blocks[-1][1].extend(without_comments([line]))
        elif is_table:
            if not was_table:
                sections[-1].tables.append([])
            sections[-1].tables[-1].append([cell.strip() for cell in line.split("|")[1:-1]])
        else:
            sections[-1].prose += line + "\n"
        was_table, was_block = is_table, is_block
    return sections


def spans_of(text: str) -> set[str]:
    return {" ".join(code.split()) for _, code in SPAN.findall(text.replace("\n", " "))}


def figures_of(prose: str) -> set[str]:
    """Return the numbers of three digits and more: those that go out of date unseen."""
    plain = SPAN.sub("", LINK.sub("", prose.replace("\n", " ")))
    return {one for one in FIGURE.findall(plain) if sum(map(str.isdigit, one)) >= 3}


def is_figure(cell: str) -> bool:
    words = set(re.findall(r"[^\W\d_]+", cell))
    return words <= UNITS and any(map(str.isdigit, cell))


def is_key(cell: str) -> bool:
    return cell.startswith("`") and not re.search("[^\\W_]", SPAN.sub("", cell))


def one_sided(kind: str, english: set[str], korean: set[str]) -> Iterator[str]:
    for one in sorted(english - korean):
        yield f"{kind} '{one}' is missing in Korean"
    for one in sorted(korean - english):
        yield f"{kind} '{one}' stands in Korean only"


def of_rows(english: list[str], korean: list[str]) -> Iterator[str]:
    name = english[0]
    if len(english) != len(korean):
        yield f"row '{name}': {len(english)} cells in English, {len(korean)} in Korean"
        return
    for ours, theirs in zip(english, korean, strict=True):
        if (is_figure(ours) or is_key(ours)) and ours != theirs:
            yield f"row '{name}': '{ours}' is '{theirs}' in Korean"
    for said in one_sided("", spans_of(" ".join(english)), spans_of(" ".join(korean))):
        yield f"row '{name}': {said.strip()}"


def of_tables(english: list[list[str]], korean: list[list[str]]) -> Iterator[str]:
    ours, theirs = ({row[0] for row in table if is_key(row[0])} for table in (english, korean))
    if ours != theirs:
        yield from one_sided("key", ours, theirs)
    elif len(english) != len(korean):
        yield f"table '{english[0][0]}': {len(english)} rows in English, {len(korean)} in Korean"
    else:
        for one, other in zip(english, korean, strict=True):
            yield from of_rows(one, other)


def of_blocks(english: tuple[str, list[str]], korean: tuple[str, list[str]]) -> Iterator[str]:
    if english[0] != korean[0]:
        yield f"the block of '{english[0]}' is one of '{korean[0]}' in Korean"
    for one, other in zip_longest(english[1], korean[1]):
        if one != other:
            yield f"command or line '{one}' is '{other}' in Korean"
            return


def of_sections(english: Section, korean: Section) -> Iterator[str]:
    for kind, ours, theirs in (
        ("blocks of code", english.blocks, korean.blocks),
        ("tables", english.tables, korean.tables),
    ):
        if len(ours) != len(theirs):
            yield f"{len(ours)} {kind} in English, {len(theirs)} in Korean"
    for block, its_twin in zip(english.blocks, korean.blocks, strict=False):
        yield from of_blocks(block, its_twin)
    for table, twin in zip(english.tables, korean.tables, strict=False):
        yield from of_tables(table, twin)
    yield from one_sided("code", spans_of(english.prose), spans_of(korean.prose))
    yield from one_sided("figure", figures_of(english.prose), figures_of(korean.prose))


def differences(english: str, korean: str) -> list[str]:
    """Return a sentence for each thing that one of two twins has and the other has not."""
    ours, theirs = sections_of(english), sections_of(korean)
    anchors = [[(one.level, one.anchor) for one in page] for page in (ours, theirs)]
    missing = [f"heading '{name}' is missing in Korean" for level, name in anchors[0]
               if (level, name) not in anchors[1]]  # fmt: skip
    missing += [f"heading '{name}' stands in Korean only" for level, name in anchors[1]
                if (level, name) not in anchors[0]]  # fmt: skip
    if not missing and anchors[0] != anchors[1]:
        missing = [f"headings in another order: {[name for _, name in anchors[1]]}"]
    of_korean = {one.anchor: one for one in theirs}
    return missing + [
        f"'{one.anchor or 'the first lines'}': {said}"
        for one in ours
        if one.anchor in of_korean
        for said in of_sections(one, of_korean[one.anchor])
    ]


def test_every_page_for_users_has_its_twin() -> None:
    there = {page.name for page in (DOCS / "ko").glob("*.md")} - KOREAN_ONLY

    assert there == {page.name for page in USER_PAGES}
    assert [name for name in FOR_DEVELOPERS if not (DOCS / name).exists()] == []


@pytest.mark.parametrize(("english", "korean"), PAIRS, ids=lambda page: page.stem)
def test_twins_have_the_same_headings_commands_keys_and_figures(
    english: Path, korean: Path
) -> None:
    found = differences(english.read_text("utf-8"), korean.read_text("utf-8"))

    assert found == [], "\n".join([str(korean.relative_to(ROOT)), *found])


def test_where_one_stands_is_shown_as_the_program_says_it() -> None:
    page = (DOCS / "ko" / "set-up.md").read_text("utf-8")
    shown = page.partition(OUTPUT)[2].split("```")[1].strip().splitlines()
    assert KOREAN is not None
    say, path = KOREAN.gettext, "/home/me/.config/kakaocron/config.toml"
    count = KOREAN.ngettext("{path}, {count} message", "{path}, {count} messages", 1)
    last = f"send-e8f817f346d1d411@20261123T0930: {say(State.CONFIRMED)}({State.CONFIRMED})"
    assert shown == [
        f"✓ {say('configuration')}: {count.format(path=path, count=1)}",
        f"✓ {say('login')}: {say('there')}",
        f"! cron: {say('does not run kakaocron yet')}",
        f"✓ {say('last message')}: {last}",
        "",
        say("Next: {step}").format(step="kakaocron cron install"),
        say("All commands: kakaocron --help"),
    ]


@pytest.mark.parametrize(("english", "korean"), PAIRS, ids=lambda page: page.stem)
def test_twins_name_each_other_in_their_first_lines(english: Path, korean: Path) -> None:
    for page, twin, word in ((english, korean, "한국어"), (korean, english, "English")):
        links = re.findall(rf"\[{word}\]\((.+?)\)", page.read_text("utf-8")[:300])

        assert [(page.parent / link).resolve() for link in links] == [twin], page


PAGE = """\
# The page

## First of all

Say `kakaocron send`; it takes 1,440 ticks.

```sh
kakaocron init      # writes a file
```

| Key | Default |
|---|---|
| `timeout` | `10` |
| `link` | none |

### And then

    kakaocron status

| | median |
|---|---|
| a tick | 10.5 ms |
"""
TWIN = """\
# 쪽

## 먼저 <a id="first-of-all"></a>

`kakaocron send`라고 적으면 점검을 1,440번 해요.

```sh
kakaocron init      # 파일을 만들어요
```

| 항목 | 기본값 |
|---|---|
| `timeout` | `10` |
| `link` | 없음 |

### 그다음 <a id="and-then"></a>

    kakaocron status

| | 가운데 값 |
|---|---|
| 점검 한 번 | 10.5 ms |
"""


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("", "", []),
        (
            '### 그다음 <a id="and-then"></a>',
            "",
            "heading 'and-then' is missing in Korean",
        ),
        ("### 그다음", "## 그다음", "heading 'and-then' is missing in Korean"),
        ("`kakaocron send`라고", "명령을", "code 'kakaocron send' is missing in Korean"),
        ("1,440번", "1,441번", "figure '1,440' is missing in Korean"),
        ("kakaocron init ", "kakaocron login ", "'kakaocron init' is 'kakaocron login'"),
        ("```sh\nkakaocron init      # 파일을 만들어요\n```", "", "1 blocks of code in English, 0"),
        ("| `link` | 없음 |\n", "", "key '`link`' is missing in Korean"),
        ("| `10` |", "| `11` |", "row '`timeout`': '`10`' is '`11`' in Korean"),
        ("| `10` |", "| `10` | 초 |", "row '`timeout`': 2 cells in English, 3 in Korean"),
        ("    kakaocron status", "    kakaocron show", "'    kakaocron status' is"),
        ("10.5 ms", "10.6 ms", "row 'a tick': '10.5 ms' is '10.6 ms' in Korean"),
    ],
)
def test_what_one_twin_lacks_is_named(there: str, instead: str, said: str | list[str]) -> None:
    assert there in TWIN
    found = differences(PAGE, TWIN.replace(there, instead) if there else TWIN)

    if said == []:
        assert found == []
    else:
        assert any(str(said) in one for one in found), found


def anchors_in(page: Path) -> set[str]:
    return {one.anchor for one in sections_of(page.read_text("utf-8"))}


@pytest.mark.parametrize("page", KOREAN_PAGES, ids=lambda page: page.stem)
def test_a_korean_page_links_to_korean_pages_and_to_headings_that_are_there(page: Path) -> None:
    twins = {english.resolve(): korean for english, korean in PAIRS}
    links = [link for link in LINK.findall(page.read_text("utf-8")) if ":" not in link]
    targets = [
        ((page.parent / file).resolve() if file else page, anchor)
        for file, _, anchor in (link.partition("#") for link in links)
    ]

    to_english = [target for target, _ in targets if twins.get(target, page) != page]
    assert to_english == []
    assert [
        (target.name, anchor)
        for target, anchor in targets
        if anchor and anchor not in anchors_in(target)
    ] == []


def said_in(page: Path) -> str:
    """Return what a page says in its own words."""
    return SPAN.sub("", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))


@pytest.mark.parametrize("page", KOREAN_PAGES, ids=lambda page: page.stem)
def test_korean_pages_speak_in_one_way(page: Path) -> None:
    assert re.findall(r"\S*니다\b", said_in(page)) == []  # 해요체 throughout, and no 합니다체


@pytest.mark.parametrize(
    "page", [page for page in KOREAN_PAGES if page != GLOSSARY], ids=lambda page: page.stem
)
def test_korean_pages_use_no_word_that_the_glossary_has_another_for(page: Path) -> None:
    rows = [line.split(" | ") for line in GLOSSARY.read_text("utf-8").splitlines()]
    others = [word for row in rows if len(row) == 4 for word in row[2].split(", ")]
    said = said_in(page)

    assert len(others) > 20
    assert [word for word in others if re.search(rf"(?<![가-힣]){word}", said)] == []


KOREAN = catalogue_of("ko")
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (?:(.*?) \| )?(.*) \|$", re.MULTILINE)


class Dots(dict[str, str]):
    """Stands for the facts of any cause."""

    def __missing__(self, _: str) -> str:
        return "…"


def shown(template: str) -> str:
    """Return a template's sentence as the page has it: `…` for each fact."""
    return re.sub(r"(?<!{){(\w+):[^{}]+}", r"{\1}", template).format_map(Dots())


def table_under(page: str, anchor: str) -> str:
    return (DOCS / "ko" / page).read_text("utf-8").split(f'<a id="{anchor}">')[1].split("\n## ")[0]


def test_the_korean_pages_say_reasons_and_causes_as_the_program_does() -> None:
    assert KOREAN is not None
    reasons = {row[1]: row[3] for row in ROW.finditer(table_under("watching.md", "reasons"))}
    sentences = {row[1]: row[3] for row in ROW.finditer(table_under("ledger.md", "causes"))}
    templates = {
        **causes.TEMPLATES, **kakaos.TEMPLATES, **dealers.TEMPLATES, **bots.TEMPLATES,
    }  # fmt: skip
    meanings = {str(reason): KOREAN.gettext(said) for reason, said in MEANINGS.items()}
    said = {code: shown(KOREAN.gettext(template)) for code, template in templates.items()}

    del sentences["code"]  # the table's head
    rows = {**meanings, **said}.items() - {**reasons, **sentences}.items()
    assert (reasons.keys(), sentences.keys()) == (meanings.keys(), said.keys())
    assert rows == set(), "\n".join(f"| `{code}` | … | {words} |" for code, words in sorted(rows))
