"""The catalogue, from the code: `python -m tests.language.catalogue` brings ko.po up to date with
the sentences that are marked, and compiles it. It names what is still to be translated.

What is marked: what stands in `_(…)`, `marked(…)` and `ngettext(…)`; the `help` of options and
arguments; the docstring of a command, which is its help; the values of a table of `Templates`; the
words of states and reasons, and what Kakao's error codes mean; the page's `{{…}}` and its script's
`_("…")`.
"""

from __future__ import annotations

import ast
import inspect
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from kakaocron import files
from kakaocron.cli import COMMANDS
from kakaocron.kakao.codes import LOGIN_CODES, MESSAGE_CODES, REMEDIES
from kakaocron.language.catalogue import FOLDER
from kakaocron.states import Reason, State
from kakaocron.system import env_file
from kakaocron.web.words import sentences_of_page, sentences_of_script

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "kakaocron"
PO, MO = FOLDER / "ko.po", FOLDER / "ko.mo"
MARKS = ("_", "marked")
WIDTH = 100
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)

Sentence = tuple[str, ...]  # one, and its plural if it has one


def sentences(path: Path) -> Iterator[Sentence]:
    """Yield what a file says to people. Raises ValueError for a mark that holds no plain text."""
    is_of_commands = path.parent.name == "commands"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield from _marked(node, path)
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).endswith("Templates"):
            assert isinstance(node.value, ast.Dict)
            yield from (
                (_text(value, path),)
                for value in node.value.values
                if not isinstance(value, ast.Name | ast.Attribute)
            )
        elif isinstance(node, ast.FunctionDef) and is_of_commands and _is_command(node, path):
            yield (inspect.cleandoc(ast.get_docstring(node) or ""),)


def _marked(node: ast.Call, path: Path) -> Iterator[Sentence]:
    name = ast.unparse(node.func)
    if name in MARKS and isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp):
        yield (_text(node.args[0], path),)
    elif name == "ngettext":
        yield tuple(_text(argument, path) for argument in node.args[:2])
    elif name in {"typer.Option", "typer.Argument", "typer.Typer"}:
        yield from ((_text(one.value, path),) for one in node.keywords if one.arg == "help")


def _text(node: ast.expr, path: Path) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"{path}:{node.lineno}: what is marked must be a plain text")


def _is_command(node: ast.FunctionDef, path: Path) -> bool:
    decorators = [ast.unparse(one) for one in node.decorator_list]
    return (path.stem, node.name) in COMMANDS.values() or any(
        "_app.command(" in one or "_app.callback(" in one for one in decorators
    )


def template() -> Catalog:
    """Return all sentences that the code has, with the files that say them."""
    found = Catalog(project="kakaocron", fuzzy=False)
    for word in (*State, *Reason, *codes(), *LIGHT, *of_the_page()):
        found.add(str(word), locations=[("kakaocron", 1)])
    for path in sorted(PACKAGE.rglob("*.py")):
        where = [(path.relative_to(ROOT).as_posix(), 1)]
        for one in sentences(path):
            found.add(one if len(one) > 1 else one[0], locations=where)
    return found


# What an idle tick imports marks nothing: the marks would cost it more than all it does.
LIGHT = (
    *(files.NO_HOME, files.NOT_ABSOLUTE, files.WRITE_IT_WHOLE),
    *(env_file.MEND, env_file.NO_STATEMENT, env_file.TOO_LONG, env_file.UNREADABLE),
    env_file.HOLDS_NUL,
)


def codes() -> Iterator[str]:
    """Yield what Kakao's error codes mean, and what to do then."""
    yield from (words for _, _, words in MESSAGE_CODES.values())
    yield from (refusal.detail for refusal in LOGIN_CODES.values())
    yield from (remedy.words for remedy in REMEDIES.values())


def of_the_page() -> Iterator[str]:
    static = PACKAGE / "web" / "static"
    yield from sentences_of_page((static / "index.html").read_text("utf-8"))
    yield from sentences_of_script((static / "app.js").read_text("utf-8"))


def translated() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="ko")


def compiled(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def _empty() -> Catalog:
    """Return a catalogue without a date, over which two branches would differ each time."""
    return Catalog(
        locale="ko",
        project="kakaocron",
        version="0",
        fuzzy=False,
        header_comment="# What kakaocron says, in Korean: python -m tests.language.catalogue",
        msgid_bugs_address="none",
        last_translator="none",
        language_team="none",
        creation_date=NO_DATE,
        revision_date=NO_DATE,
    )


def main() -> None:
    known, now = translated(), _empty()
    for message in template():
        if message.id:
            before = known.get(message.id[0] if message.pluralizable else message.id)
            now.add(message.id, before.string if before else "", locations=message.locations)
    with PO.open("wb") as file:
        write_po(file, now, width=WIDTH, sort_by_file=True, include_lineno=False, omit_header=False)
    MO.write_bytes(compiled(now))
    for message in now:
        if message.id and not any(message.string or ""):
            print(f"to be translated: {message.id!r}")


if __name__ == "__main__":
    main()
