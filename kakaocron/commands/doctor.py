"""`kakaocron doctor`: what is wrong, and how to fix it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.options import config_option, json_option
from kakaocron.doctor.examination import examine
from kakaocron.doctor.finding import Bench, Status, fields, worst
from kakaocron.errors import Exit, KakaocronError, LedgerError, UsageError
from kakaocron.host.crontab import SystemCrontab, job_of
from kakaocron.host.probe import Machine
from kakaocron.installation import Installation, find_installation
from kakaocron.show.console import print_findings, print_json
from kakaocron.system.belonging import OtherInstallationError
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places_anyhow


def doctor(
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> int:
    """Check everything that can be wrong, and say how to fix it. Exit 1 if anything fails, 2
    if the data folder is another configuration's."""
    installation: Installation | None = None
    config_error: UsageError | None = None
    refusal: KakaocronError | None = None
    try:
        installation = find_installation(config)
    except (OtherInstallationError, LedgerError) as error:
        refusal = error
    except UsageError as error:
        config_error = error
    places = find_places_anyhow(config)
    now = SystemClock().now()
    bench = Bench(
        places,
        Machine(),
        SystemCrontab(),
        job_of(places),
        now,
        installation,
        config_error,
        refusal,
    )
    findings = examine(bench)
    if as_json:
        print_json(fields(findings))
    else:
        print_findings(findings)
    if isinstance(refusal, OtherInstallationError):
        return refusal.exit_code
    return Exit.TROUBLE if worst(findings) is Status.FAIL else Exit.FINE
