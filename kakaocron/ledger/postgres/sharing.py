"""Everything that hosts share, over one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from msgspec import Struct

from kakaocron.ledger import pause_file, timetable_file
from kakaocron.ledger.day_file import Reading
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.ledger.pause_file import Pauses
from kakaocron.ledger.postgres.beats import SharedHeartbeat
from kakaocron.ledger.postgres.book import PostgresLedger
from kakaocron.ledger.postgres.connection import Database, SharedClock
from kakaocron.ledger.postgres.documents import SharedDocument, SharedMemory, leased
from kakaocron.ledger.postgres.sealed import SharedLogin
from kakaocron.ledger.postgres.tables import MARK, VERSION
from kakaocron.ledger.timetable_file import NotedTimetables
from kakaocron.system.clock import Clock

MakeAsker = Callable[[str, str, SharedClock], Database]


class Shared(Struct, frozen=True):
    """A ledger and what goes with it, in a database that several hosts share."""

    database: Database
    host: str
    clock: SharedClock
    ledger: PostgresLedger
    heartbeat: SharedHeartbeat
    pauses: Pauses
    timetables: NotedTimetables
    orders: SharedDocument  # what a tick that waits for its slot has to look at again: the pauses

    def memory(self, name: str) -> SharedMemory:
        return SharedMemory(self.database, name)

    def login(self, account: str, key: str) -> SharedLogin:
        """Return where all hosts keep an account's login, sealed with a key that only they have."""
        return SharedLogin(self.database, account, key)

    def mark(self, days: Iterable[date]) -> str | None:
        """Return, in one line, by what a question tells later whether anything has changed that a
        decision by these days depends on; None if nothing is decided here. Raises LedgerError."""
        for id_, since, documents in self.database.ask(MARK, self.host):
            wanted = ",".join(day.isoformat() for day in days)
            return f"{self.host} {id_} {VERSION} {since} {wanted} {documents}"
        return None

    @contextmanager
    def alone(self, name: str, seconds: float) -> Iterator[None]:
        """Be the only host for a block. Raises LockTimeoutError, LedgerError."""
        with leased(self.database, name, seconds):
            yield


def share(
    url: str,
    host: str,
    clock: Clock,
    own: Heartbeat,
    check: Callable[[str], None],
    make_asker: MakeAsker | None = None,
    make_reading: Callable[[], Reading] = Reading,
) -> Shared:
    """Put a shared ledger together, without a connection so far. Raises UsageError.

    `check` raises what keeps anything from being written to it, given where it is.
    """
    shared_clock = SharedClock(clock)
    database = (make_asker or Database)(url, host, shared_clock)
    # Of each host its own: while a new configuration is brought to one after another, they differ.
    timetables = SharedDocument(database, f"timetables {host}", timetable_file.UNREADABLE)
    pauses = SharedDocument(database, "pauses", pause_file.UNREADABLE)
    return Shared(
        database=database,
        host=host,
        clock=shared_clock,
        ledger=PostgresLedger(database, host, shared_clock, check, make_reading),
        heartbeat=SharedHeartbeat(own.folder, own.disk, own.spare, database, host),
        pauses=Pauses(pauses),
        timetables=NotedTimetables(timetables),
        orders=pauses,
    )
