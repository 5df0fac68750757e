"""A database in memory, and the way to it: what answers the statements of a shared ledger.

Each statement that kakaocron makes has a function here, by its very text; one that is not known is
a bug of the simulator. They do PostgreSQL's part (which row stands, whose token comes back, what a
snapshot shows) and none of kakaocron's. A statement takes effect whole, at one instant, or not at
all; whether its client learns of that is the line's matter.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol, cast

import psycopg

from kakaocron.doctor import database as doctor
from kakaocron.kst import KST
from kakaocron.ledger.postgres import beats, documents, tables
from kakaocron.ledger.postgres.connection import (
    STATEMENT_SECONDS,
    Database,
    Rows,
    SharedClock,
    Transaction,
)
from kakaocron.rehearsal.simulation.event_loop import EventLoop
from kakaocron.rehearsal.simulation.process import Killed, Process, ProcessLock

# How long a statement is on its way to the server, and its answer on the way back.
TRAVEL_SECONDS = (0.0, 0.0, 0.0, 0.0005, 0.002, 0.02)
# How long a client waits for a server that has gone silent: measured on a real one.
SILENCE_SECONDS = 3.4
CONNECT_SECONDS = 2.0
# How long it takes to learn that a server is down: its machine may be, too.
REFUSED_SECONDS = (0.01, 2.0, 2.0)
# How long after it was given up a statement may still reach the server.
LATE_SECONDS = (0.05, 0.3, 2.0, 8.0, 20.0)
# How long a standby may take to say that it has a commit; none at all for most.
STANDBY_SECONDS = (0.05, 0.5, 2.0, 6.0, 30.0)

LONGEST_LAG_SECONDS = 10.0
MOST_JOURNAL = 500


class EventRow(NamedTuple):
    """A row of the ledger."""

    seq: int
    id: str
    n: int
    token: str
    host: str
    xid: int
    lines: str


class BeatRow(NamedTuple):
    at: float
    word: str
    host: str
    exit_code: int


class Written(NamedTuple):
    """A value that a transaction has replaced, and when (seconds since the history began)."""

    at: float
    table: MutableMapping[Any, Any]
    key: Any
    before: Any


MISSING = object()


class SimulatedServer:
    """The primary that is in office. `life` counts the servers that were: with each all connections
    are gone.

    With a synchronous standby a commit is told when the standby has it, and only what was not told
    can be lost. Without one the standby lags, and what it has not got is lost in a fail-over, told
    or not. The next primary gives the numbers of transactions that were lost once more.
    """

    def __init__(self, loop: EventLoop, began: datetime, *, is_synchronous: bool = True) -> None:
        self.loop = loop
        self.began = began
        self.is_synchronous = is_synchronous
        self.offset = timedelta(0)
        self.life = 0
        self.is_up = True
        self.next_xid = 700
        self.under_way: set[int] = set()  # numbers of transactions that have not ended
        self.forgotten: set[str] = set()  # ids of which a told claim was lost
        self.unknown: list[str] = []  # statements
        self.events: dict[tuple[date, str, int], EventRow] = {}
        self.documents: dict[str, tuple[int, str, str]] = {}
        self.leases: dict[str, tuple[str, float]] = {}
        self.hosts: dict[str, tuple[float, float, str]] = {}
        self.beats: dict[tuple[str, float, str], BeatRow] = {}
        self._seq = 0
        self._journal: list[Written] = []  # what the standby has not got
        self._standby_xid = self.next_xid  # from where on it knows of no transaction
        self._index()

    def _index(self) -> None:
        """Put in order what is looked up in an order, after a loss too."""
        self.days: dict[date, list[EventRow]] = defaultdict(list)
        self.last: dict[tuple[date, str], int] = defaultdict(int)
        for (day, id_, n), row in sorted(self.events.items(), key=lambda item: item[1].seq):
            self.days[day].append(row)
            self.last[day, id_] = max(self.last[day, id_], n)
        self.beat_order = sorted(self.beats.values())

    # What befalls it.

    def true_time(self) -> datetime:
        return self.began + timedelta(seconds=self.loop.now)

    def now(self) -> float:
        """What its clock shows (seconds since 1970)."""
        return (self.true_time() + self.offset).timestamp()

    def stop(self) -> None:
        """End at once: what is under way is rolled back, all connections are gone."""
        self.life += 1
        self.is_up = False
        self.under_way.clear()

    def fail_over(self, lag_seconds: float) -> None:
        """Let the standby, which is so far behind if nobody waits for it, be the primary."""
        self.stop()
        lost_from = self.loop.now if self.is_synchronous else self.loop.now - lag_seconds
        lost_xid = self.next_xid
        while self._journal and (self.is_synchronous or self._journal[-1].at > lost_from):
            written = self._journal.pop()
            row = written.table.get(written.key)
            if isinstance(row, EventRow):
                lost_xid = min(lost_xid, row.xid)
                if '"event":"claim"' in row.lines:
                    self.forgotten.add(row.id)
            if written.before is MISSING:
                written.table.pop(written.key, None)
            else:
                written.table[written.key] = written.before
        self._journal.clear()
        self.next_xid = min(lost_xid, self._standby_xid) if self.is_synchronous else lost_xid
        self._standby_xid = self.next_xid
        self._index()

    # What it is asked.

    def begin(self) -> int:
        """Return the number of a new transaction."""
        self.next_xid += 1
        self.under_way.add(self.next_xid - 1)
        return self.next_xid - 1

    def run(
        self,
        statement: str,
        parameters: Sequence[Any],
        *,
        xid: int | None = None,
        is_local_only: bool = False,
    ) -> Rows:
        """Do a statement as a transaction of its own; return its rows.

        With `is_local_only` it is done and the standby not waited for. Raises
        UnknownStatementError.
        """
        work = _STATEMENTS.get(statement)
        if work is None:
            self.unknown.append(statement)
            raise UnknownStatementError(statement)
        if statement in _READING:
            return work(self, *parameters)
        xid = self.begin() if xid is None else xid
        self._xid = xid
        rows = work(self, *parameters)
        self.under_way.discard(xid)
        if self.is_synchronous and not is_local_only:
            # The log is one: with this commit the standby has all that was written before it.
            self._journal.clear()
            self._standby_xid = self.next_xid
        self._keep_what_may_be_lost()
        return rows

    def _keep_what_may_be_lost(self) -> None:
        """Forget what even a standby that lags has got by now."""
        if len(self._journal) > MOST_JOURNAL:
            since = self.loop.now - LONGEST_LAG_SECONDS
            self._journal = [one for one in self._journal if one.at > since]

    def put(self, table: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        self._journal.append(Written(self.loop.now, table, key, table.get(key, MISSING)))
        table[key] = value

    def remove(self, table: MutableMapping[Any, Any], key: Any) -> None:
        if key in table:
            self._journal.append(Written(self.loop.now, table, key, table.pop(key)))

    def xmin(self) -> int:
        """Return before which transaction all have ended."""
        return min(self.under_way, default=self.next_xid)

    def lines(self, day: date) -> list[bytes]:
        """Return the ledger's lines of a day, as a file would hold them."""
        return "".join(row.lines for row in self.days.get(day, ())).encode().split(b"\n")

    def add_event(self, day: date, id_: str, n: int, token: str, host: str, lines: str) -> EventRow:
        """Insert a row, or return the one that is there."""
        found = self.events.get((day, id_, n))
        if found is None:
            self._seq += 1
            found = EventRow(self._seq, id_, n, token, host, self._xid, lines)
            self.put(self.events, (day, id_, n), found)
            self.days[day].append(found)
            self.last[day, id_] = max(self.last[day, id_], n)
        return found

    def add_beat(self, row: BeatRow) -> None:
        key = (row.host, row.at, row.word)
        if key not in self.beats:
            self.put(self.beats, key, row)
            insort(self.beat_order, row)

    def reindex(self) -> None:
        self._index()


class UnknownStatementError(Exception):
    """The simulator does not know what this statement does."""


# The statements of kakaocron/ledger/postgres, one function each.

Server = SimulatedServer
ID = "00000000-0000-0000-0000-000000000001"


def _state(server: Server) -> Rows:
    return [(tables.VERSION, ID, None, server.now())]


def _now(server: Server) -> Rows:
    return [(server.now(),)]


def _record(server: Server, host: str, *columns: Sequence[Any]) -> Rows:
    rows = sorted(zip(*columns, strict=True), key=lambda row: (row[0], row[1]))
    found = [
        server.add_event(day, id_, n, token, host, lines) for day, id_, n, token, lines in rows
    ]
    return [(row.token, row.seq) for row in found]


def _read(server: Server, days: Sequence[date], since: Sequence[str]) -> Rows:
    xmin = str(server.xmin())
    found = sorted(
        (row.seq, day, row)
        for day, xid in zip(days, map(int, since), strict=True)
        for row in server.days.get(day, ())
        if row.xid >= xid
    )
    if not found:
        return [(xmin, None, None, None, None, None)]
    return [(xmin, day.isoformat(), row.id, row.n, seq, row.lines) for seq, day, row in found]


def _look(server: Server, *columns: Sequence[Any]) -> Rows:
    now = server.now()
    return [(_stands(server, *wanted), now) for wanted in zip(*columns, strict=True)]


def _stands(server: Server, day: date, id_: str, n: int, token: str) -> bool:
    row = server.events.get((day, id_, n))
    return row is not None and row.token == token and server.last[day, id_] <= n


def _mark(server: Server, host: str) -> Rows:
    return [(ID, str(server.xmin()), _editions_of(server, host))]


def _editions_of(server: Server, host: str) -> str:
    """Return what changes with the documents by which a host decides."""
    found = [
        f"{edition}:{token}"
        for name, (edition, token, _) in sorted(server.documents.items())
        if name in {"pauses", f"timetables {host}"} or name.startswith("login")
    ]
    return ",".join(found) or "-"


def _question(server: Server, *given: str) -> Rows:
    (now, apart, version, id_, days, since, host, documents, _, instants, _, last, _, own) = given
    is_unchanged = (
        abs(server.now() - float(now)) < float(apart)
        and (int(version), id_) == (tables.VERSION, ID)
        and server.xmin() >= int(since)
        and not any(
            row.xid >= int(since)
            for day in _array(days)
            for row in server.days.get(date.fromisoformat(day), ())
        )
        and documents == _editions_of(server, host)
    )
    if is_unchanged:
        for at in _array(instants):
            server.add_beat(BeatRow(round(float(at), 6), "idle", host, 0))
        _show(server, host, float(last), float(now) - server.now(), own)
    return [(is_unchanged,)]


def _array(text: str) -> list[str]:
    return [one for one in text.strip("{}").split(",") if one]


def _days(server: Server) -> Rows:
    return [(day.isoformat(),) for day in sorted(server.days) if server.days[day]]


def _editions(server: Server, counted_from: date, days: Sequence[date]) -> Rows:
    return [
        (day.isoformat(), str(max(row.xid for row in rows)), len(rows) * (day >= counted_from))
        for day in days
        if (rows := server.days.get(day))
    ]


def _prune_events(server: Server, first: date) -> Rows:
    gone = [key for key in server.events if key[0] < first]
    for key in gone:
        server.remove(server.events, key)
    server.reindex()
    return [(day.isoformat(),) for day in sorted({day for day, _, _ in gone})]


def _prune_beats(server: Server, first: datetime) -> Rows:
    last = max((row.at for row in server.beats.values() if row.word in {"idle", "done"}), default=0)
    for key, row in list(server.beats.items()):
        if row.at < first.timestamp() and row.at < last:
            server.remove(server.beats, key)
    server.reindex()
    return []


def _add_beats(
    server: Server, host: str, at: Sequence[float], words: Sequence[str], codes: Sequence[int]
) -> Rows:
    for instant, word, code in zip(at, words, codes, strict=True):
        server.add_beat(BeatRow(round(instant, 6), word, host, code))
    return []


def _last_of_mine(server: Server, host: str) -> Rows:
    return [(next((row.at for row in reversed(server.beat_order) if row.host == host), None),)]


def _show(server: Server, name: str, last_tick: float, offset: float, version: str) -> Rows:
    known = server.hosts.get(name, (last_tick, offset, version))
    server.put(server.hosts, name, (max(known[0], last_tick), offset, version))
    return []


def _hosts(server: Server) -> Rows:
    return [(name, *server.hosts[name]) for name in sorted(server.hosts)]


def _beats_on(server: Server, start: float, end: float, most: int) -> Rows:
    first = bisect_left(server.beat_order, (start,))
    last = bisect_left(server.beat_order, (end,))
    found = server.beat_order[max(first, last - most) : last]
    return [(row.at, row.word, row.exit_code, row.host) for row in reversed(found)]


def _first_beat(server: Server, start: float, end: float) -> Rows:
    first = bisect_left(server.beat_order, (start,))
    found = server.beat_order[first : first + 1]
    return [(row.at, row.word, row.exit_code, row.host) for row in found if row.at < end]


def _beat_days(server: Server) -> Rows:
    found, order, place = [], server.beat_order, 0
    while place < len(order):
        day = datetime.fromtimestamp(order[place].at, KST).date()
        found.append((day.isoformat(),))
        midnight = datetime.combine(day + timedelta(days=1), time(), KST)
        place = bisect_left(order, (midnight.timestamp(),))
    return found


def _last_complete(server: Server, words: Sequence[str], until: float) -> Rows:
    last = bisect_left(server.beat_order, (until + 1e-6,))
    found = (row.at for row in reversed(server.beat_order[:last]) if row.word in words)
    return [(next(found, None),)]


def _read_document(server: Server, name: str) -> Rows:
    found = server.documents.get(name)
    return [(found[0], found[2])] if found else []


def _write_document(server: Server, name: str, edition: int, token: str, content: str) -> Rows:
    known = server.documents.get(name)
    if known is None or known[0] == edition - 1:
        server.put(server.documents, name, (edition, token, content))
        return [(token,)]
    return [(known[1],)]


def _take(server: Server, name: str, holder: str, seconds: float) -> Rows:
    known, now = server.leases.get(name), server.now()
    if known is not None and known[1] >= now and known[0] != holder:
        return []
    server.put(server.leases, name, (holder, now + seconds))
    return [(holder,)]


def _give_back(server: Server, name: str, holder: str) -> Rows:
    if server.leases.get(name, ("", 0.0))[0] == holder:
        server.remove(server.leases, name)
    return []


def _settings(server: Server) -> Rows:
    names = "ANY 1 (standby)" if server.is_synchronous else ""
    return [
        ("server_version_num", "150018"),
        ("server_version", "15.18"),
        ("synchronous_standby_names", names),
        ("synchronous_commit", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
    ]


def _standbys(server: Server) -> Rows:
    return [(1,)]


_READ_ONLY: dict[str, Callable[..., Rows]] = {
    tables.STATE: _state,
    tables.NOW: _now,
    tables.READ: _read,
    tables.LOOK: _look,
    tables.MARK: _mark,
    tables.DAYS: _days,
    tables.EDITIONS: _editions,
    beats._LAST_OF_MINE: _last_of_mine,
    beats._HOSTS: _hosts,
    beats._ON: _beats_on,
    beats._DAYS: _beat_days,
    beats._FIRST: _first_beat,
    beats._LAST_COMPLETE: _last_complete,
    documents._READ: _read_document,
    doctor._SETTINGS: _settings,
    doctor._STANDBYS: _standbys,
}
_READING = frozenset(_READ_ONLY)
_STATEMENTS: dict[str, Callable[..., Rows]] = {
    **_READ_ONLY,
    tables.RECORD: _record,
    tables.QUESTION: _question,
    tables.PRUNE_EVENTS: _prune_events,
    tables.PRUNE_BEATS: _prune_beats,
    beats._ADD: _add_beats,
    beats._SHOW: _show,
    documents._WRITE: _write_document,
    documents._TAKE: _take,
    documents._GIVE_BACK: _give_back,
}


# The way to it.


@dataclass(frozen=True)
class LineDials:
    """Probabilities of what befalls one statement.

    `cut`: the connection breaks before the statement is there, or after it was done; `late`: it
    breaks, and the statement is done some time later; `silent`: nothing comes back, be it done or
    not; `slow`: the standby is; `local_only`: it is not waited for, and the server says so.
    """

    cut: float = 0.0
    late: float = 0.0
    silent: float = 0.0
    slow: float = 0.0
    local_only: float = 0.0


@dataclass
class DatabaseLine:
    """The way of one host to the server. `is_down` while nothing passes."""

    rng: Random
    dials: LineDials = field(default_factory=LineDials)
    is_down: bool = False
    mishaps: int = 0

    def draw(self) -> str | None:
        """Return what befalls the next statement."""
        dials = self.dials
        chance = self.rng.random()
        for name in ("cut", "late", "silent", "slow", "local_only"):
            chance -= getattr(dials, name)
            if chance < 0:
                self.mishaps += 1
                return name
        return None


NO_DIALS = LineDials()


class Cursor(NamedTuple):
    rows: Rows

    @property
    def description(self) -> object:
        return self

    def fetchall(self) -> Rows:
        return self.rows


class SimulatedConnection:
    """A connection of one process: autocommit, one statement at a time."""

    def __init__(self, process: Process, server: SimulatedServer, line: DatabaseLine) -> None:
        self._process = process
        self._server = server
        self._line = line
        self._life = server.life
        self._is_closed = False
        self._note: Callable[[Any], None] = lambda _: None

    def add_notice_handler(self, handler: Callable[[Any], None]) -> None:
        self._note = handler

    def close(self) -> None:
        self._is_closed = True

    def execute(self, statement: str, parameters: Sequence[Any] | None = None) -> Cursor:
        with _divisible(self._process):
            return Cursor(self._executed(statement, parameters or ()))

    def _executed(self, statement: str, parameters: Sequence[Any]) -> Rows:
        process, server, line = self._process, self._server, self._line
        process.enter("statement")
        fate = line.draw() if line.dials is not NO_DIALS else None
        if line.is_down or fate == "silent":
            if fate == "silent" and line.rng.random() < 0.5:  # noqa: PLR2004
                self._run_later(statement, parameters, line.rng.choice(LATE_SECONDS))
            self._stay_silent()
        if fate == "late":
            self._run_later(statement, parameters, line.rng.choice(LATE_SECONDS))
            self._break()
        is_done_first = fate == "cut" and line.rng.random() < 0.5  # noqa: PLR2004
        if fate == "cut" and not is_done_first:
            self._break()
        self._travel_there(statement, parameters)
        if fate == "slow" and statement not in _READING:
            rows = self._run_slowly(statement, parameters)
        else:
            rows = server.run(statement, parameters, is_local_only=fate == "local_only")
        self._travel()
        if is_done_first:
            self._break()
        if fate == "local_only" and statement not in _READING:
            self._note(SimpleNamespace(sqlstate="01000"))
        process.leave()
        return rows

    def _travel(self) -> None:
        """Wait for a way's length; what the server did then is its own."""
        _travel(self._process, self._line)
        if self._is_closed or self._life != self._server.life:
            self._break()
        if self._line.is_down:
            self._stay_silent()

    def _travel_there(self, statement: str, parameters: Sequence[Any]) -> None:
        """Bring a statement to the server: one that has set out may be done without its process."""
        try:
            self._travel()
        except Killed:
            if self._life == self._server.life and self._line.rng.random() < 0.5:  # noqa: PLR2004
                self._server.run(statement, parameters)
            raise

    def _run_later(self, statement: str, parameters: Sequence[Any], seconds: float) -> None:
        server, life = self._server, self._life

        def run() -> None:
            if server.life == life:
                server.run(statement, parameters)

        server.loop.at(server.loop.now + seconds, run)

    def _run_slowly(self, statement: str, parameters: Sequence[Any]) -> Rows:
        """Begin a transaction now and end it when the standby is so far, others in between."""
        server, process = self._server, self._process
        seconds, xid, life = self._line.rng.choice(STANDBY_SECONDS), server.begin(), self._life
        found: list[Rows] = []

        def run() -> None:
            if server.life == life:
                found.append(server.run(statement, parameters, xid=xid))

        server.loop.at(server.loop.now + seconds, run)
        if seconds > 1:
            process.is_disturbed = True
        process.wait(min(seconds, STATEMENT_SECONDS))
        if self._life != server.life or not found:
            self._break()
        return found[0]

    def _stay_silent(self) -> None:
        self._process.is_disturbed = True
        self._process.wait(SILENCE_SECONDS)
        self._break()

    def _break(self) -> None:
        self._is_closed = True
        raise psycopg.OperationalError("the connection is lost")


def _travel(process: Process, line: DatabaseLine) -> None:
    if seconds := line.rng.choice(TRAVEL_SECONDS):
        process.wait(seconds)


@contextmanager
def _divisible(process: Process) -> Iterator[None]:
    """Let others come in between, at the gate too: its lock is one of the simulator's."""
    was, process.is_indivisible = process.is_indivisible, False
    try:
        yield
    finally:
        process.is_indivisible = was


class SimulatedDatabase(Database):
    """kakaocron's own side of a connection, over a line to the simulated server."""

    def __init__(
        self,
        process: Process,
        server: SimulatedServer,
        line: DatabaseLine,
        url: str,
        host: str,
        clock: SharedClock,
    ) -> None:
        self._process, self._server, self._line = process, server, line
        super().__init__(url, host, clock)

    def make_lock(self) -> ProcessLock:
        return ProcessLock(self._process)

    def _connected(self) -> Transaction:
        process, line = self._process, self._line
        with _divisible(process):
            process.enter("connect-database")
            _travel(process, line)
            if line.is_down:
                process.is_disturbed = True
                process.wait(CONNECT_SECONDS)
                raise psycopg.OperationalError("no answer")
            if not self._server.is_up:
                process.is_disturbed = True
                process.wait(line.rng.choice(REFUSED_SECONDS))
                raise psycopg.OperationalError("connection refused")
            process.leave()
        return cast("Transaction", SimulatedConnection(process, self._server, line))


class Reached(Protocol):
    """Who has a way to the server."""

    server: SimulatedServer
    line: DatabaseLine


def asker_of(
    process: Process, reached: Reached
) -> Callable[[str, str, SharedClock], SimulatedDatabase]:
    def make(url: str, host: str, clock: SharedClock) -> SimulatedDatabase:
        return SimulatedDatabase(process, reached.server, reached.line, url, host, clock)

    return make
