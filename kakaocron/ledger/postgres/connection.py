"""The connection to PostgreSQL: every wait has an end, and every statement can be asked again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar, cast

from kakaocron.errors import KakaocronError, LedgerError, UsageError
from kakaocron.kst import KST
from kakaocron.ledger.postgres.tables import NOW, READ, STATE, VERSION
from kakaocron.system.clock import Clock
from kakaocron.text.causes import parts

try:
    import psycopg
    from psycopg import waiting
    from psycopg.abc import PQGen
    from psycopg.conninfo import conninfo_to_dict
except ImportError:
    raise UsageError(*parts("no-driver")) from None

# How long one statement may take, and how long it is asked again and again.
STATEMENT_SECONDS = 4.0
READING_SECONDS = 30.0  # of a day of many thousand messages, from far away
ASKING_SECONDS = 9.0
BY_HAND_SECONDS = 600.0
PAUSE_SECONDS = 0.1
# A host whose clock is further off the database's sends nothing.
LARGEST_CLOCK_OFFSET = timedelta(seconds=2)
# How long what was found of the clock is trusted, on the clock that nobody sets.
CLOCK_SECONDS = 20.0
# An answer that took longer, or came to a process that was stopped, says too little of the clock.
EXACT_SECONDS = 0.5
CLOCK_TRIES = 3

# Measured: with one kind of time-out alone a host that has gone silent is noticed after over 50 s
# in one case (a request unsent, or an answer awaited); with both in 3.4 s.
DEFAULTS = {
    "target_session_attrs": "read-write",
    "connect_timeout": 2,
    "tcp_user_timeout": 3000,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}

_PROCESS = "SELECT pg_backend_pid()"
POOLER_TRIES = 5  # others' statements may come between

# What an address may set in their place without a warning.
LONGEST = {
    "connect_timeout": 10,
    "tcp_user_timeout": 10_000,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 5,
}

# Of the states of an error: the tables are missing, as are a schema or a database.
_NO_TABLES = frozenset({"42P01", "3F000", "3D000"})
# The server will say the same again: no right, no such role or password, a statement of another
# version's tables. All else may be over in a moment: a restart, a fail-over, a full server.
_LASTING = ("28", "42", "22", "0A", "3D", "3F")
# A wait for the standby was broken off: the commit is on this server alone, which proves nothing.
_LOCAL_ONLY = frozenset({"01000", "57P01"})

Rows = list[tuple[Any, ...]]
RV = TypeVar("RV")


class ClockOffError(KakaocronError):
    """This host's clock is too far off the database's: nothing was sent."""


class SharedClock:
    """The time that a host goes by: its own, or the database's if that is behind.

    So nothing is due before both say so; `latest` is for what may be over.
    """

    def __init__(self, host: Clock) -> None:
        self.host = host
        self.elapsed = host.monotonic
        self._database: tuple[datetime, float, timedelta] | None = None

    def now(self) -> datetime:
        own, database, uncertain = self._both()
        return min(own, database - uncertain)

    def latest(self) -> datetime:
        own, database, uncertain = self._both()
        return max(own, database + uncertain)

    def monotonic(self) -> float:
        return self.host.monotonic()

    def sleep(self, seconds: float) -> None:
        self.host.sleep(seconds)

    @property
    def offset(self) -> timedelta | None:
        """How far this host's clock is ahead of the database's; None before that was asked."""
        own, database, _ = self._both()
        return own - database if self._database else None

    @property
    def is_known(self) -> bool:
        """Whether the database's clock was asked a moment ago, and agrees by now."""
        if self._database is None or not self.is_exact:
            return False
        _, asked_at, _ = self._database
        is_new = self.elapsed() - asked_at < CLOCK_SECONDS
        return is_new and abs(self.offset or timedelta(0)) <= LARGEST_CLOCK_OFFSET

    @property
    def is_exact(self) -> bool:
        """Whether what is known of the database's clock is good to a part of a second."""
        return self._database is not None and self._database[2].total_seconds() <= EXACT_SECONDS

    def note(self, database: float, before: float, after: float) -> None:
        """Take down what the database's clock said (seconds since 1970) between two instants."""
        at, uncertain = datetime.fromtimestamp(database, KST), (after - before) / 2
        self._database = at, (before + after) / 2, timedelta(seconds=uncertain)

    def check(self) -> None:
        """Raise ClockOffError if this host's clock is certainly further off than it may be."""
        if self._database is None:
            return
        offset, uncertain = self.offset or timedelta(0), self._database[2]
        if abs(offset) - uncertain > LARGEST_CLOCK_OFFSET:
            seconds = round(offset.total_seconds(), 3)
            most = LARGEST_CLOCK_OFFSET.total_seconds()
            told = parts("clock-off-database", seconds=seconds, most=most)
            raise ClockOffError(*told, which="clock-off-database")

    def _both(self) -> tuple[datetime, datetime, timedelta]:
        """Return the host's time, the database's, and how far that may be from what it shows: it
        was read at some instant between question and answer."""
        own = self.host.now()
        if self._database is None:
            return own, own, timedelta(0)
        at, asked_at, uncertain = self._database
        return own, at + timedelta(seconds=self.elapsed() - asked_at), uncertain


class Asker(Protocol):
    """What the ledger wants of a database."""

    where: str
    clock: SharedClock

    def ask(self, statement: str, *parameters: object, seconds: float | None = None) -> Rows:
        """Return the rows of a statement that may be made more than once. Raises LedgerError."""
        ...

    def look_at_clock(self) -> None:
        """Make sure of the clocks. Raises LedgerError, ClockOffError."""
        ...

    def make_lock(self) -> AbstractContextManager[object]:
        """Return a lock between the threads of this process, for one to take it again and again."""
        ...


class Transaction(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose statements end in time. None is ever cancelled: a wait for the standby
    that was cancelled returns as if all were well."""

    seconds = STATEMENT_SECONDS

    def wait(
        self, gen: PQGen[RV], interval: float = PAUSE_SECONDS, timeout: float | None = None
    ) -> RV:
        seconds = self.seconds if timeout is None else timeout
        return waiting.wait(gen, self.pgconn.socket, interval=interval, timeout=seconds)


class Database:
    """A connection that is made when it is first needed, and again after it was lost."""

    def __init__(self, url: str, host: str, clock: SharedClock) -> None:
        self.host = host
        self.clock = clock
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error:
            raise UsageError(
                *parts("bad-database-url")
            ) from None  # its own words may quote a password
        self._parameters: dict[str, Any] = {
            **DEFAULTS,
            "application_name": f"kakaocron {host}",
            **given,
        }
        self.where = f"{given.get('host') or ''}/{given.get('dbname') or given.get('user') or ''}"
        self._lock = self.make_lock()
        self._connection: Transaction | None = None
        self._is_local_only = False
        self._is_away = False
        self.id = ""

    def ask(self, statement: str, *parameters: object, seconds: float | None = None) -> Rows:
        """Return the rows of a statement, asked again while it is in doubt what became of it.

        After the deadline nobody knows whether it was done. Raises LedgerError.
        """
        # Where it was given up once, once more is asked, but not for long.
        most = ASKING_SECONDS if seconds is None else seconds
        until = self.clock.monotonic() + (0.0 if self._is_away else most)
        while True:
            try:
                rows = self._ask(statement, parameters)
            except psycopg.Error as error:
                is_lasting = (error.sqlstate or "").startswith(_LASTING)
                if is_lasting or self.clock.monotonic() + PAUSE_SECONDS >= until:
                    self._is_away = True
                    raise self.unusable(error) from error
            else:
                self._is_away = False
                return rows
            self.clock.host.sleep(PAUSE_SECONDS)

    def _ask(self, statement: str, parameters: Sequence[object]) -> Rows:
        with self._lock:
            try:
                if self._connection is None:
                    self._connect()
                rows = self._execute(statement, parameters)
            except BaseException:
                self.close()
                raise
            if self._is_local_only:
                self.close()
                raise psycopg.OperationalError("the standby was not waited for")
            return rows

    def _execute(self, statement: str, parameters: Sequence[object]) -> Rows:
        assert self._connection is not None  # noqa: S101 - by the callers
        self._is_local_only = False
        self._connection.seconds = READING_SECONDS if statement is READ else STATEMENT_SECONDS
        found = self._connection.execute(statement, parameters or None)
        return found.fetchall() if found.description else []

    def _connect(self) -> None:
        self._connection = self._connected()
        self._connection.add_notice_handler(self._note)
        before = self.clock.elapsed()
        state = self._execute(STATE, ())
        (version, self.id, moved_to, now), *_ = state or [(0, "", None, 0.0)]
        self.clock.note(now, before, self.clock.elapsed())
        told = {"where": self.where}
        if version > VERSION:
            said = parts("later-tables", found=version, known=VERSION, **told)
            raise LedgerError(*said, which=f"newer:{self.where}")
        if version < VERSION:
            said = parts("earlier-tables", found=version, known=VERSION, **told)
            raise LedgerError(*said, which=f"older:{self.where}")
        if moved_to is not None:
            said = parts("ledger-moved", to=moved_to, folder=self.where)
            raise LedgerError(*said, which=f"moved:{self.where}")

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Do something by hand, all or nothing, on a connection of its own. Raises LedgerError."""
        try:
            with self._connected() as connection, connection.transaction():
                connection.seconds = BY_HAND_SECONDS
                yield connection
        except psycopg.Error as error:
            raise self.unusable(error) from error

    def _connected(self) -> Transaction:
        return Transaction.connect(
            autocommit=True, prepare_threshold=None, **cast("Any", self._parameters)
        )

    def look_at_clock(self) -> None:
        """Make sure of the clocks. Raises LedgerError, ClockOffError."""
        if not self.clock.is_known:
            with self._lock:
                for _try in range(CLOCK_TRIES):
                    self.ask(NOW)  # so that the connection is there, and is not timed
                    before = self.clock.elapsed()
                    ((now,),) = self.ask(NOW)
                    self.clock.note(now, before, self.clock.elapsed())
                    if self.clock.is_exact:
                        break
        self.clock.check()

    def make_lock(self) -> AbstractContextManager[object]:
        return threading.RLock()

    def pooling(self) -> str | None:
        """Return in which mode a pooler stands between, if the process that answers is none that
        this connection was told of: `transaction` if it answers another connection too. Raises
        LedgerError."""
        with self._lock:
            ((answering,),) = self.ask(_PROCESS)
            told = self._connection.pgconn.backend_pid if self._connection else answering
        if answering == told:
            return None
        try:
            with self._connected() as other:
                for _time in range(POOLER_TRIES):
                    if other.execute(_PROCESS).fetchall() == self.ask(_PROCESS):
                        return "transaction"
        except psycopg.Error as error:
            raise self.unusable(error) from error
        return "session"

    def weak_timeouts(self) -> list[str]:
        """Return which time-outs the address sets so that a silent server is noticed late."""
        return [
            name
            for name, most in LONGEST.items()
            if not 0 < int(self._parameters.get(name) or 0) <= most
        ]

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def unusable(self, error: psycopg.Error) -> LedgerError:
        """Return what to say of a database that does not do what it was asked."""
        code = error.sqlstate
        if code in _NO_TABLES:
            told = parts("no-tables", where=self.where)
        else:
            told = parts("database-unusable", where=self.where, error=_said(error))
        return LedgerError(*told, which=f"database:{self.where}:{code}")

    def _note(self, said: psycopg.errors.Diagnostic) -> None:
        self._is_local_only |= said.sqlstate in _LOCAL_ONLY


def _said(error: psycopg.Error) -> str:
    """Return the first line of an error that says something."""
    primary = error.diag.message_primary
    lines = [line.strip() for line in (primary or str(error)).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
