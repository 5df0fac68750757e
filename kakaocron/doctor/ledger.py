"""The ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kakaocron.delivery.tick import LARGEST_CLOCK_ERROR
from kakaocron.doctor.finding import Bench, Finding, fail, installed, ok
from kakaocron.errors import KakaocronError


def ledger(bench: Bench) -> Iterator[Finding]:
    installation = installed(bench)
    try:
        checked, found = installation.ledger.verify()
        damage = [one for one in found if one.is_damage]
        today = bench.now.date()
        days = [day for day in installation.ledger.days() if day >= today - timedelta(days=1)]
        last = installation.ledger.read(days).last_event_at
    except KakaocronError as error:
        yield fail("ledger", error.what, "Look at the folder's permissions")
        return
    if damage:
        what = f"{damage[0].path}: {damage[0].what}"
        yield fail("ledger", what, "The next tick sets it aside. See: kakaocron ledger verify")
    else:
        yield ok("ledger", f"{checked.days} days, {checked.lines} lines, sound")
    if last and last > bench.now + LARGEST_CLOCK_ERROR:
        what = f"the ledger's last entry is of {last:%Y-%m-%d %H:%M:%S}: the clock was set back"
        yield fail("clock-ledger", what, "Set the clock: timedatectl set-ntp true")
    else:
        yield ok("clock-ledger", "no entry is of the future")
