"""Makes the manual page, docs/kakaocron.1, from what the commands say of themselves:
python -m tests.man_page > docs/kakaocron.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from kakaocron.cli import EXIT_CODES, make_app

DOCS = Path(__file__).parent.parent / "docs"
FILES = {
    "~/.config/kakaocron/config.toml": "the configuration; each key: docs/configuration.md",
    "~/.config/kakaocron/.env": "variables for every tick, which cron does not take from a shell",
    "~/.local/share/kakaocron": "the ledger, the login, pauses",
    "~/.local/state/kakaocron/log/kakaocron.log": "the log",
}
EXAMPLES = {
    "kakaocron send 안녕": "to yourself, now",
    "kakaocron schedule 안녕 --at '내일 오후 3시 반'": "once, at a time",
    "kakaocron pause --until '금요일 9시'": "nothing is sent until then",
    "kakaocron status --watch": "today, redrawn every 2 seconds",
}


def man_page() -> str:
    """Return the page, in roff with man's macros."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    root = typer.main.get_command(make_app([]))
    # The first line lets man read it as UTF-8.
    yield "'\\\" -*- coding: UTF-8 -*-"
    yield '.TH KAKAOCRON 1 "" kakaocron "User Commands"'
    yield from (".nh", ".ad l")  # no word, and so no address, is broken or stretched
    what, _, promise = (root.help or "").partition(": ")
    yield from (".SH NAME", f"kakaocron \\- {_text(what)}: {_text(promise.rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B kakaocron", "[\\fIOPTION\\fR]... [\\fICOMMAND\\fR]")
    yield from (".SH DESCRIPTION", "Cron runs \\fBkakaocron tick\\fR every minute.")
    yield "Without a command, kakaocron shows what is set up, and what to do next."
    yield "Each command explains itself by \\fB\\-h\\fR."
    yield "Most take \\fB\\-\\-config\\fR too."
    yield from _options(root)
    for group, commands in _groups(root).items():
        yield f".SH {group.upper()}"
        for command in commands:
            yield from _command(command, "kakaocron")
    yield ".SH EXIT STATUS"
    codes = re.split(r"^ *(\d+)  ", EXIT_CODES, flags=re.MULTILINE)[1:]
    for code, said in zip(codes[::2], codes[1::2], strict=True):
        yield from (".TP", f".B {code}", _text(" ".join(said.split())))
    yield ".SH ENVIRONMENT"
    for names, said in re.findall(r"^\| (`[A-Z_`, ]+`) \| (.+) \|$", _section(), re.MULTILINE):
        yield from (".TP", f".B {_text(names.replace('`', ''))}", _text(_plain(said)))
    yield ".SH FILES"
    for path, said in FILES.items():
        yield from (".TP", f".I {_text(path)}", _text(said))
    yield ".SH EXAMPLES"
    for line, said in EXAMPLES.items():
        yield from (".TP", f".B {_text(line)}", _text(said))
    yield from (".SH SEE ALSO", ".BR crontab (1),", ".BR cron (8)")


def _groups(root: Any) -> dict[str, list[Any]]:
    """Return the commands by the group of the help that each is in, in the order of the help."""
    found: dict[str, list[Any]] = {}
    for command in root.commands.values():
        found.setdefault(command.rich_help_panel, []).append(command)
    return found


def _command(command: Any, above: str) -> Iterator[str]:
    name = f"{above} {command.name}"
    beneath = getattr(command, "commands", {}).values()
    if not beneath:
        arguments = [_name(p) for p in command.params if p.param_type_name == "argument"]
        usage = [f"\\fB{name}\\fR", "[\\fIOPTION\\fR]...", *(f"\\fI{a}\\fR" for a in arguments)]
        yield from (".SS", " ".join(usage), _text(command.help))
        yield from _options(command)
    for one in beneath:
        yield from _command(one, name)


def _options(command: Any) -> Iterator[str]:
    is_of_all = command.name != "kakaocron"
    for one in command.params:
        if is_of_all and one.name == "config":
            continue  # said of all
        said = one.help or ""
        if one.param_type_name == "argument":
            named = f"\\fI{_name(one)}\\fR"
        else:
            named = ", ".join(f"\\fB{_text(name)}\\fR" for name in sorted(one.opts, key=len))
            if not one.is_flag:
                named += f" \\fI{_name(one)}\\fR"
            if isinstance(one.default, int | str) and one.default not in {"", False}:
                said += f" Default: {one.default}" if one.show_default else ""
        yield from (".TP", named, _text(said))


def _name(one: Any) -> str:
    return str(one.metavar or one.name).strip("_").upper()


def _section() -> str:
    page = (DOCS / "configuration.md").read_text("utf-8")
    return page.partition("## The environment")[2].partition("\n## ")[0]


def _plain(markdown: str) -> str:
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", markdown).replace("`", "")


def _text(said: str) -> str:
    """Write what roff would take for a command, a hyphen or a typographic quote as it stands."""
    said = " ".join(said.split()).replace("\\", "\\e").replace("-", "\\-")
    said = said.replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{said}" if said.startswith(".") else said


if __name__ == "__main__":
    print(man_page(), end="")
