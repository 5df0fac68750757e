"""Registers the commands; the one place where an error becomes an exit code."""

from __future__ import annotations

import codecs
import errno
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from traceback import extract_tb
from types import FunctionType
from typing import Annotated, Any, TextIO

from kakaocron import __version__
from kakaocron.commands.help import complaint, is_no_option, translate
from kakaocron.commands.lazy import typer
from kakaocron.commands.options import plainly_given
from kakaocron.errors import Exit, KakaocronError, UsageError
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.choice import can_show_hangul
from kakaocron.language.words import _, marked, speak
from kakaocron.system.interrupts import SIGNALS
from kakaocron.system.log import bug, has_file, log_to_file
from kakaocron.system.places import find_language, find_places_anyhow
from kakaocron.system.stderr import complain
from kakaocron.text.plain import in_plain_letters

EXIT_CODES = marked(
    """\
Exit codes:
  0  fine; so is nothing due, or another tick has the slot
  1  a delivery ended failed, unknown or missed in this run, or was refused
     as a duplicate; or unhealthy
  2  wrong usage or configuration
  3  not logged in, or the login has died
 70  a bug
 74  the ledger cannot be written or read: nothing more is sent, and the words
     say whether something in flight may have arrived
 75  no ledger lock in time; nothing done
130  interrupted"""
)

# Group of the help; command; module, name in it. In the order of the help, and imported when they
# are asked for.
GROUPS = {
    marked("Getting started"): {
        "demo": ("demo", "demo"),
        "init": ("init", "init"),
        "login": ("login", "login"),
        "friends": ("friends", "friends"),
        "rooms": ("rooms", "rooms_app"),
        "cron": ("cron", "cron_app"),
    },
    marked("Sending"): {
        "send": ("send", "send"),
        "schedule": ("schedule", "schedule"),
        "cancel": ("byhand", "cancel"),
        "preview": ("preview", "preview"),
        "pause": ("pause", "pause"),
        "resume": ("pause", "resume"),
        "tick": ("tick", "tick"),
    },
    marked("Looking"): {
        "status": ("status", "status"),
        "next": ("next", "next_slots"),
        "history": ("history", "history"),
        "show": ("history", "show"),
        "explain": ("explain", "explain"),
        "report": ("report", "report"),
        "serve": ("serve", "serve"),
    },
    marked("Fixing"): {
        "doctor": ("doctor", "doctor"),
        "retry": ("byhand", "retry"),
        "resolve": ("byhand", "resolve"),
        "alarm": ("alarm", "alarm"),
        "config": ("config", "config_app"),
        "ledger": ("ledger", "ledger_app"),
    },
    marked("Other"): {
        "health": ("health", "health"),
        "metrics": ("metrics", "metrics"),
        "sandbox": ("sandbox", "sandbox"),
        "simulate": ("simulate", "simulate"),
        "logout": ("login", "logout"),
    },
}
COMMANDS = {name: where for group in GROUPS.values() for name, where in group.items()}


def kakaocron(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", help="Use this config.toml.", show_default=False)
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit
    if config is not None:
        os.environ["KAKAOCRON_CONFIG"] = str(config)
    if context.invoked_subcommand is None:
        _where_one_stands()


def make_app(arguments: Sequence[str]) -> typer.Typer:
    """Return the commands: all of them, unless the first word names the one that is wanted."""
    app = typer.Typer(
        name="kakaocron",
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=EXIT_CODES,
        help="KakaoTalk messages on the minute from plain cron: none twice, none silently lost.",
    )
    app.callback(invoke_without_command=True)(kakaocron)
    wanted = [name for name in arguments[:1] if name in COMMANDS] or COMMANDS
    for group, names in GROUPS.items():
        for name in names:
            if name in wanted:
                _add(app, name, group)
    return app


def _add(app: typer.Typer, name: str, group: str) -> None:
    command = _command(name)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, rich_help_panel=group)
    else:
        app.command(name, rich_help_panel=group)(command)


def _where_one_stands() -> int:
    from kakaocron.commands.standing import where  # noqa: PLC0415 - as all commands

    return where()


def _command(name: str) -> Any:
    module, function = COMMANDS[name]
    return getattr(import_module(f"kakaocron.commands.{module}"), function)


def _called(arguments: Sequence[str]) -> object:
    """Call the command. One as it is mostly given, as cron's, is its function: a parser costs 0.1 s
    to build."""
    if arguments and arguments[0] in COMMANDS:
        command = _command(arguments[0])
        if isinstance(command, FunctionType):
            names = command.__code__.co_varnames[: command.__code__.co_argcount]
            given = plainly_given(arguments[1:], names)
            needed = len(names) - len(command.__defaults__ or ())
            if needed == 0 and given is not None:
                return command(**given)
    if not arguments:
        return _where_one_stands()
    return _parsed(arguments)


_TAKE_A_TEXT = ("send", "schedule")
_FLAGS = ("--force", "--json")
_OPTION = re.compile(r"--?[A-Za-z][A-Za-z-]*(=.*)?", re.DOTALL)


def with_texts_apart(arguments: Sequence[str]) -> list[str]:
    """Put `--` before a text that begins with a dash and can be no option, such as "-5% today"."""
    at = next((n for n, word in enumerate(arguments) if word in COMMANDS), None)
    if at is None or arguments[at] not in _TAKE_A_TEXT or "--" in arguments:
        return list(arguments)
    rest = arguments[at + 1 :]
    texts = [
        n
        for n, word in enumerate(rest)
        if word.startswith("-")
        and word != "-"
        and not _OPTION.fullmatch(word)
        and not (n and _takes_the_next(rest[n - 1]))
    ]
    if len(texts) != 1:
        return list(arguments)
    others = [word for n, word in enumerate(rest) if n not in texts]
    return [*arguments[: at + 1], *others, "--", rest[texts[0]]]


def _takes_the_next(word: str) -> bool:
    return word.startswith("--") and word not in _FLAGS and "=" not in word


def _parsed(arguments: Sequence[str]) -> object:
    arguments = with_texts_apart(arguments)
    try:
        command = typer.main.get_command(make_app(arguments))
        translate(command)
        return command(list(arguments), prog_name="kakaocron", standalone_mode=False)
    except typer.TyperException as error:
        said = complaint(error)
        if not said:  # the help was printed instead
            return UsageError.exit_code
        said += "." if said[-1].isalnum() or said.endswith((")", "'")) else ""
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "kakaocron"
        if is_no_option(error) and path.endswith(_TAKE_A_TEXT):
            said += _(" If it is the text: {command} -- '-text'.").format(command=path)
        raise UsageError(
            _("{said} Try: {command} --help").format(said=said, command=path)
        ) from None
    except typer.Abort:
        raise KeyboardInterrupt from None


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. Every error is one line on stderr."""
    SIGNALS.catch()
    codecs.register_error("plain", in_plain_letters)
    _open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")
    _speak(arguments)
    exit_code: int = Exit.FINE
    try:
        result = _called(arguments)
        exit_code = result if isinstance(result, int) else Exit.FINE
        sys.stdout.flush()
        return exit_code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader has gone (as in `| head`): Typer makes an exit with 1 of it, which is no fault
        # of ours.
        _drop(sys.stdout)
        return exit_code
    except Exception as error:
        return _say(_as_told(error))
    finally:
        _drop_what_cannot_be_written()


def _speak(arguments: Sequence[str]) -> None:
    """Choose the language of all that is said. A program reads what `--json` prints, and what is
    said beside it: it gets English. So does who would see none of the Korean letters."""
    are_fit = all(can_show_hangul(stream.encoding) for stream in (sys.stdout, sys.stderr))
    is_for_a_program = "--json" in arguments
    wanted = find_language(_given_config(arguments)) if are_fit and not is_for_a_program else "en"
    speak(catalogue_of(wanted))


def _given_config(arguments: Sequence[str]) -> Path | None:
    """Return what --config says: that file names the language, and help comes before parsing."""
    for word, following in pairwise([*arguments, ""]):
        if word == "--config" and following:
            return Path(following)
        if word.startswith("--config="):
            return Path(word.removeprefix("--config="))
    return None


def _open_missing_streams() -> None:
    """Put /dev/null where the caller has closed stdin, stdout or stderr: Python has None there,
    and the next file to be opened, the ledger maybe, would get the free number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - to the end


def _as_told(error: Exception) -> KakaocronError:
    if isinstance(error, KakaocronError):
        return error
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return KakaocronError(
            _("Cannot write: {strerror}").format(strerror=error.strerror),
            _("Make room, then try again"),
        )
    if isinstance(error, OSError) and not _takes_output(sys.stdout):
        return UsageError(_("Cannot write to stdout: {strerror}").format(strerror=error.strerror))
    if isinstance(error, OSError) and _is_typers(error):
        where = f" '{error.filename}'" if error.filename else ""
        return UsageError(
            _("Cannot write{where}: {strerror}").format(where=where, strerror=error.strerror)
        )
    if isinstance(error, UnicodeDecodeError) and _is_typers(error):
        return UsageError(
            _("Cannot add to the shell's start file in your home: it is not UTF-8 text")
        )
    if not has_file():  # a command that sends nothing has opened none
        with suppress(Exception):  # the bug may be in finding it
            log_to_file(find_places_anyhow().log_file)
    return bug(error)


def _takes_output(stream: TextIO) -> bool:
    try:
        stream.flush()
    except OSError:
        return False
    return True


def _is_typers(error: Exception) -> bool:
    """Say whether Typer itself came upon it, as where it installs a completion: no command of ours
    was called."""
    package = str(Path(__file__).parent)
    own = [f.filename for f in extract_tb(error.__traceback__) if f.filename.startswith(package)]
    return own[-1:] == [__file__]


def _drop_what_cannot_be_written() -> None:
    """Let go of output that nothing takes (a full disk, a reader that has gone). What stays in a
    stream's buffer Python tries again at its end, and exits with 120 in place of our code."""
    for stream in (sys.stdout, sys.stderr):
        if not _takes_output(stream):
            _drop(stream)


def _drop(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(error: KakaocronError) -> int:
    complain(str(error))
    return error.exit_code
