"""`kakaocron doctor`: what is wrong, and how to fix it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.options import config_option, json_option
from kakaocron.doctor.examination import examine, take_bench
from kakaocron.doctor.finding import Status, fields, worst
from kakaocron.errors import Exit
from kakaocron.show.console import print_findings, print_json
from kakaocron.show.next_step import say_next
from kakaocron.system.belonging import OtherInstallationError


def doctor(
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> int:
    """Check everything that can be wrong, and say how to fix it. Exit 1 if anything fails, 2
    if the data folder is another configuration's."""
    bench = take_bench(config)
    findings = list(examine(bench))
    if as_json:
        print_json(fields(findings))
    else:
        print_findings(findings)
        say_next(config, bench.installation)
    if isinstance(bench.refusal, OtherInstallationError):
        return bench.refusal.exit_code
    return Exit.TROUBLE if worst(findings) is Status.FAIL else Exit.FINE
