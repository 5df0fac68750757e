"""Registers the commands; the one place where an error becomes an exit code."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from kakaocron import __version__
from kakaocron.commands.byhand import cancel, resolve, retry
from kakaocron.commands.config import config_app
from kakaocron.commands.cron import cron_app
from kakaocron.commands.demo import demo
from kakaocron.commands.doctor import doctor
from kakaocron.commands.explain import explain
from kakaocron.commands.friends import friends
from kakaocron.commands.health import health
from kakaocron.commands.history import history, show
from kakaocron.commands.init import init
from kakaocron.commands.ledger import ledger_app
from kakaocron.commands.login import login, logout
from kakaocron.commands.metrics import metrics
from kakaocron.commands.next import next_slots
from kakaocron.commands.pause import pause, resume
from kakaocron.commands.preview import preview
from kakaocron.commands.report import report
from kakaocron.commands.sandbox import sandbox
from kakaocron.commands.schedule import schedule
from kakaocron.commands.send import send
from kakaocron.commands.serve import serve
from kakaocron.commands.status import status
from kakaocron.commands.tick import tick
from kakaocron.errors import KakaocronError
from kakaocron.logs import log

EXIT_CODES = """\
Exit codes:
  0  fine; so is nothing due, or another tick has the slot
  1  a delivery ended failed, unknown or missed in this run, or was refused
     as a duplicate; or unhealthy
  2  wrong usage or configuration
  3  not logged in, or the login has died
 70  a bug
 74  the ledger cannot be written or read; nothing was sent
 75  no ledger lock in time; nothing done
130  interrupted"""

app = typer.Typer(
    name="kakaocron",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=EXIT_CODES,
    help="KakaoTalk messages on the minute from plain cron: none twice, none silently lost.",
)


@app.callback()
def kakaocron(
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


app.command()(init)
app.command()(login)
app.command()(logout)
app.command()(friends)
app.command()(doctor)
app.command()(tick)
app.command()(send)
app.command()(schedule)
app.command()(cancel)
app.command()(retry)
app.command()(resolve)
app.command()(pause)
app.command()(resume)
app.command()(preview)
app.command()(status)
app.command()(history)
app.command()(show)
app.command()(explain)
app.command()(report)
app.command()(health)
app.command()(metrics)
app.command()(serve)
app.command("next")(next_slots)
app.add_typer(config_app, name="config")
app.add_typer(cron_app, name="cron")
app.add_typer(ledger_app, name="ledger")
app.command()(sandbox)
app.command()(demo)

USAGE, BUG, INTERRUPTED = 2, 70, 130


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. Every error is one line on stderr."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        result = app(list(arguments), prog_name="kakaocron", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except KakaocronError as error:
        return _say(str(error), error.exit_code)
    except typer.TyperException as error:
        said = error.format_message()  # empty where the help was printed instead
        return _say(f"{said} Try: kakaocron --help" if said else "", USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader has gone (as in `| head`): Typer makes an exit with 1 of it, which is no fault
        # of ours, and Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        log.critical("bug\n%s", "".join(traceback.format_exception(error)))
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return _say(
            f"kakaocron has a bug: {type(error).__name__} at {place}; "
            "the log has the whole story: kakaocron.log",
            BUG,
        )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _say(text: str, exit_code: int) -> int:
    line = " ".join(text.split())
    if line:
        print(line, file=sys.stderr)
    return exit_code
