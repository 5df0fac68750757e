"""The ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kakaocron.delivery.tick import LARGEST_CLOCK_ERROR
from kakaocron.doctor.finding import Bench, Finding, fail, installed, ok
from kakaocron.errors import KakaocronError
from kakaocron.language.words import _


def ledger(bench: Bench) -> Iterator[Finding]:
    installation = installed(bench)
    try:
        checked, found = installation.ledger.verify()
        damage = [one for one in found if one.is_damage]
        today = bench.now.date()
        days = [day for day in installation.ledger.days() if day >= today - timedelta(days=1)]
        last = installation.ledger.read(days).last_event_at
    except KakaocronError as error:
        yield fail("ledger", error.what, _("Look at the folder's permissions"))
        return
    if damage:
        what = f"{damage[0].path}: {damage[0].what}"
        yield fail("ledger", what, _("The next tick sets it aside. See: kakaocron ledger verify"))
    else:
        yield ok(
            "ledger",
            _("{days} days, {lines} lines, sound").format(days=checked.days, lines=checked.lines),
        )
    if last and last > bench.now + LARGEST_CLOCK_ERROR:
        what = _(
            "the ledger's last entry is of {last:%Y-%m-%d %H:%M:%S}: the clock was set back"
        ).format(last=last)
        yield fail("clock-ledger", what, _("Set the clock: timedatectl set-ntp true"))
    else:
        yield ok("clock-ledger", _("no entry is of the future"))
