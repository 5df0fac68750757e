"""Whether the ledger is shared with other hosts, where it is then, and what this host is called."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from kakaocron.config.schema import Config, is_host_name
from kakaocron.delivery.policy import Due
from kakaocron.delivery.underway import Sharing
from kakaocron.errors import LedgerError, UsageError
from kakaocron.kst import DAY
from kakaocron.language.words import _
from kakaocron.ledger.files import FileLedger
from kakaocron.ledger.hosts import at_work, rank
from kakaocron.system.clock import Clock
from kakaocron.system.disk import why
from kakaocron.system.places import Places, secret
from kakaocron.system.users import machine_name
from kakaocron.text.causes import parts

if TYPE_CHECKING:
    from kakaocron.ledger.postgres.connection import Database
    from kakaocron.ledger.postgres.sharing import MakeAsker, Shared


def make_shared(
    places: Places,
    config: Config,
    clock: Clock,
    files: FileLedger,
    make_asker: MakeAsker | None = None,
) -> Shared | None:
    """Return what is shared with other hosts, None for a ledger of one's own, in files. Raises
    UsageError."""
    url = ledger_url(places, config)
    if url is None:
        return None
    from kakaocron.ledger.postgres.sharing import share  # noqa: PLC0415 - an extra

    check = partial(_check_carried_over, files, clock)
    host, reading = host_name(places, config), files.make_reading
    return share(url, host, clock, files.heartbeat, check, make_asker, reading)


def _check_carried_over(files: FileLedger, clock: Clock, where: str) -> None:
    """Raise LedgerError if what files know would be forgotten: it would be sent again."""
    yesterday = clock.now().date() - DAY
    try:
        if files.moved_to is None and any(day >= yesterday for day in files.days()):
            raise LedgerError(
                *parts("ledger-left", folder=files.folder, where=where),
                which=f"left:{files.folder}",
            )
    except OSError as error:
        raise LedgerError(
            *parts("ledger-unreadable", folder=files.folder, **why(error)),
            which=f"read:{files.folder}:{error.errno}",
        ) from error


def make_database(
    places: Places,
    config: Config,
    clock: Clock,
    url: str | None = None,
    make_asker: MakeAsker | None = None,
) -> Database:
    """Return the database at an address, of the shared ledger without one. Raises UsageError."""
    url = url or ledger_url(places, config)
    if url is None:
        raise UsageError(
            _("There is no database for the ledger"),
            _("Set [ledger] url, or KAKAOCRON_LEDGER_URL, to postgresql://HOST/DATABASE"),
            which="no-database",
        )
    from kakaocron.ledger.postgres.connection import Database, SharedClock  # noqa: PLC0415

    return (make_asker or Database)(url, host_name(places, config), SharedClock(clock))


def ledger_url(places: Places, config: Config) -> str | None:
    """Return the address of the shared ledger; the environment wins over the configuration."""
    url = config.ledger.url
    return secret(places.variables, "KAKAOCRON_LEDGER_URL") or (url.reveal() if url else None)


def host_name(places: Places, config: Config) -> str:
    """Return what this host is called in every record. Raises UsageError."""
    named = places.variables.get("KAKAOCRON_HOST") or config.ledger.host or machine_name()
    if not is_host_name(named):
        raise UsageError(
            _("The name of this host is '{name}'; it may hold letters, digits, -, _ and .").format(
                name=named
            ),
            _("Set KAKAOCRON_HOST, or [ledger] host"),
            which=f"host:{named}",
        )
    return named


def sharing_of(shared: Shared) -> Sharing:
    def order(due: Sequence[Due]) -> Sequence[Due]:
        if len(due) == 1:
            return due
        try:
            hosts = at_work(shared.heartbeat.hosts(), shared.clock.now()) | {shared.host}
        except LedgerError:
            return due
        return sorted(due, key=lambda one: (one.slot.at, rank(shared.host, hosts, one.id)))

    return Sharing(order, shared.clock.latest)
