"""Everything that a user can get wrong, looked at once: what `kakaocron doctor` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from kakaocron.doctor.bot import bot
from kakaocron.doctor.config import configuration, plan
from kakaocron.doctor.cron import cron, ticks
from kakaocron.doctor.database import database
from kakaocron.doctor.dealer import dealer
from kakaocron.doctor.files import files
from kakaocron.doctor.finding import Bench, Finding
from kakaocron.doctor.kakao import online
from kakaocron.doctor.ledger import ledger
from kakaocron.doctor.login import login
from kakaocron.doctor.versions import versions
from kakaocron.errors import KakaocronError, LedgerError, UsageError
from kakaocron.host.crontab import SystemCrontab, job_of
from kakaocron.host.probe import Machine
from kakaocron.installation import Installation, find_installation
from kakaocron.system.belonging import OtherInstallationError
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places_anyhow


def take_bench(config: Path | None) -> Bench:
    """Gather what there is to look at, be it broken. Raises nothing that is known."""
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
    job = job_of(places)
    return Bench(places, Machine(), SystemCrontab(), job, now, installation, config_error, refusal)


def examine(bench: Bench) -> Iterator[Finding]:
    """Look at one thing after the other. A check that cannot be made says so; none raises."""
    checks: list[Callable[[Bench], Iterator[Finding]]] = [versions, configuration, files, cron]
    if bench.installation is not None:
        checks += [plan, login, online, dealer, bot, ledger, database, ticks]
    for check in checks:
        yield from check(bench)
