"""Help and the parser's complaints in the language that is spoken.

Typer's own words for them: rich_utils has names for the titles; what it takes over of Click is said
in English alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kakaocron.commands.lazy import typer
from kakaocron.language.words import _, language, marked

_TITLES = {
    "DEFAULT_STRING": marked("[default: {}]"),
    "REQUIRED_LONG_STRING": marked("[required]"),
    "ARGUMENTS_PANEL_TITLE": marked("Arguments"),
    "OPTIONS_PANEL_TITLE": marked("Options"),
    "COMMANDS_PANEL_TITLE": marked("Commands"),
}
# Of Typer's own options, and what its usage puts for ours.
_OF_TYPER = (
    marked("Install completion for the current shell."),
    marked("Show completion for the current shell, to copy it or customize the installation."),
    marked("Show this message and exit."),
    marked("[OPTIONS]"),
    marked("COMMAND [ARGS]..."),
)

_TYPES = (
    marked("<path>"),
    marked("<str>"),
    marked("<list[str]>"),
    marked("<int>"),
    marked("<int range>"),
    marked("<float range>"),
)

_Say = Callable[[re.Match[str]], str]
# What the parser says of what it was given, and what a user is told.
_SAYINGS: tuple[tuple[str, _Say], ...] = (
    (
        r"Missing (argument|option|parameter) ('.*')\.(.*)",
        lambda m: _("{name} is missing.").format(name=m[2]) + m[3],
    ),
    (r"Missing command\.", lambda _m: _("The command is missing.")),
    (
        r"No such option: (\S+)(.*)",
        lambda m: _("There is no option {name}.").format(name=m[1]) + _possible(m[2]),
    ),
    (
        r"No such command ('.*?')\.(.*)",
        lambda m: _("There is no command {name}.").format(name=m[1]) + _possible(m[2]),
    ),
    (
        r"Got unexpected extra argument\(s\) \((.*)\)",
        lambda m: _("Nothing takes this: {words}").format(words=m[1]),
    ),
    (
        r"Option '(.*)' requires an argument\.",
        lambda m: _("'{name}' needs a value behind it.").format(name=m[1]),
    ),
    (
        r"Option '(.*)' does not take a value\.",
        lambda m: _("'{name}' takes no value.").format(name=m[1]),
    ),
    (
        r"Invalid value for (.*?): (.*)",
        lambda m: _("{name} cannot be this: {why}").format(name=m[1], why=said_of_value(m[2])),
    ),
)
_VALUES: tuple[tuple[str, _Say], ...] = (
    (
        r"Input should be greater than or equal to (\S+)",
        lambda m: _("it must be at least {least}").format(least=m[1]),
    ),
    (
        r"Input should be less than or equal to (\S+)",
        lambda m: _("it must be at most {most}").format(most=m[1]),
    ),
    (
        r"Input should be a valid integer.*",
        lambda _m: _("it must be a whole number"),
    ),
    (
        r"(.*) is not one of (.*)\.",
        lambda m: _("{value} is none of {known}").format(value=m[1], known=m[2]),
    ),
)


def translate(command: Any) -> None:
    """Put a command's help, and that of its options and its own commands, into the language that
    is spoken."""
    for attribute in ("epilog", "options_metavar", "subcommand_metavar", "rich_help_panel"):
        if words := getattr(command, attribute, None):
            setattr(command, attribute, _(words))
    if command.help:
        # As paragraphs: Typer would keep the line ends of the code.
        command.help = " ".join(_(command.help).split())
        command.short_help = command.help.partition(". ")[0].rstrip(".") + "."
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = _(parameter.help)
        _say_type(parameter)
    usage = command.get_usage
    command.get_usage = lambda context: usage(context).replace("Usage:", _("Usage:"), 1)
    ask_for_help = command.get_help_option

    def help_option(context: Any) -> Any:
        option = ask_for_help(context)
        if option is not None:
            option.help = _(option.help)
            _say_type(option)
        return option

    command.get_help_option = help_option
    format_help = command.format_help

    def format_laid_out(context: Any, formatter: Any) -> None:
        _lay_out()
        format_help(context, formatter)

    command.format_help = format_laid_out
    for one in getattr(command, "commands", {}).values():
        translate(one)


def _lay_out() -> None:
    """Have Typer lay out a help with our titles, and cut no word off."""
    from typer import rich_utils  # noqa: PLC0415 - for a help alone, as it takes long

    from kakaocron.show.columns import FoldingTable, wrap_by_cells  # noqa: PLC0415 - likewise

    if language() == "ko":
        wrap_by_cells()
    rich: Any = rich_utils
    for name, words in _TITLES.items():
        setattr(rich, name, _(words))
    rich.Table = FoldingTable
    # Columns cut words off too; all that stand here are texts.
    rich.Columns = rich.Text(" ").join


def _say_type(parameter: Any) -> None:
    """Put what kind of value an option takes into words, and leave out that of one without."""
    typers = parameter.display_type_rich

    def said(ctx: Any) -> str | None:
        words = typers(ctx=ctx)
        return None if words == "<bool>" else _(words) if words in _TYPES else words

    parameter.display_type_rich = said


def complaint(error: typer.TyperException) -> str:
    """Return what the parser has to say, "" where it has printed the help instead."""
    # Typer hands pydantic's own prefix on.
    words = error.format_message().replace("Value error, ", "")
    return _said(words, _SAYINGS)


def is_no_option(error: typer.TyperException) -> bool:
    return error.format_message().startswith("No such option")


def said_of_value(words: str) -> str:
    return _said(words, _VALUES)


def _said(words: str, sayings: tuple[tuple[str, _Say], ...]) -> str:
    if language() == "en":
        return words
    for pattern, say in sayings:
        if found := re.fullmatch(pattern, words, re.DOTALL):
            return say(found)
    return words


def _possible(words: str) -> str:
    found = re.findall(r"--?[\w-]+|(?<=')\w+(?=')", words)
    return " " + _("Did you mean {names}?").format(names=", ".join(found)) if found else ""
