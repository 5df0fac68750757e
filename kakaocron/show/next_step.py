"""Where one stands, and the one next step: at the end of a command only at a terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kakaocron.language.words import _
from kakaocron.show.console import print_findings
from kakaocron.watching.overview import ticks_run

# One that does not name its configuration yet.
_ENDS_IN_A_COMMAND = re.compile(r"^(?!.*--config).*kakaocron [a-z][\w@ -]*$", re.DOTALL)

if TYPE_CHECKING:
    from kakaocron.doctor.finding import Finding
    from kakaocron.installation import Installation


def print_standing(config: Path | None) -> None:
    """Show what is set up and what is not."""
    findings, step = _standing(config)
    print_findings(findings, with_mends=False)
    print()
    if step:
        _print_step(step, config)
    else:
        print(_("All is well. Today: kakaocron status"))
    print(_("All commands: kakaocron --help"))


def say_next(config: Path | None, installation: Installation | None = None) -> None:
    """Say what comes next to whoever sits at a terminal, until cron runs the ticks."""
    if sys.stdout.isatty() and not (installation is not None and ticks_run(installation)):
        print_next(config)


def print_next(config: Path | None) -> None:
    """Say what comes next, if anything does."""
    if step := _standing(config)[1]:
        _print_step(step, config)


def _print_step(step: str, config: Path | None) -> None:
    # As rare as what follows.
    import shlex  # noqa: PLC0415
    from shutil import which  # noqa: PLC0415

    activate = Path(sys.prefix, "bin", "activate")
    if which("kakaocron") is None and activate.is_file():
        first = f". {shlex.quote(str(activate))}"
        print(_("First, for this terminal to find kakaocron: {first}").format(first=first))
    if config is not None and _ENDS_IN_A_COMMAND.search(step):
        step += f" --config {shlex.quote(str(config))}"  # or it is another installation's step
    print(_("Next: {step}").format(step=step))


def _standing(config: Path | None) -> tuple[list[Finding], str | None]:
    # All that doctor knows: few commands get here, and a pipe never does.
    from kakaocron.doctor.examination import take_bench  # noqa: PLC0415
    from kakaocron.doctor.standing import next_step, standing  # noqa: PLC0415

    found = standing(take_bench(config))
    return found, next_step(found)
