"""Everything that a user can get wrong, looked at once: what `kakaocron doctor` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kakaocron.doctor.config import configuration, plan
from kakaocron.doctor.cron import cron, ticks
from kakaocron.doctor.files import files
from kakaocron.doctor.finding import Bench, Finding
from kakaocron.doctor.kakao import online
from kakaocron.doctor.ledger import ledger
from kakaocron.doctor.login import login
from kakaocron.doctor.versions import versions


def examine(bench: Bench) -> list[Finding]:
    """Look at everything. A check that cannot be made says so; none raises."""
    checks: list[Callable[[Bench], Iterator[Finding]]] = [versions, configuration, files, cron]
    if bench.installation is not None:
        checks += [plan, login, online, ledger, ticks]
    return [finding for check in checks for finding in check(bench)]
