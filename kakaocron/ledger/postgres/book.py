"""The ledger in PostgreSQL: no lock, but whoever decided by what has changed since is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from uuid import uuid4

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.errors import Barrier, Cause, KakaocronError, LedgerError
from kakaocron.kst import DAY, KST
from kakaocron.ledger.beats import NOTHING, End
from kakaocron.ledger.day_file import DayFile, Reading, view_of
from kakaocron.ledger.events import (
    Claim,
    Damage,
    Event,
    Outcome,
    Pointer,
    day_of,
    to_line,
)
from kakaocron.ledger.ledger import MOST_TIMES, Checked, Receipt, Remark, SetAside, View
from kakaocron.ledger.postgres.connection import Asker, SharedClock
from kakaocron.ledger.postgres.tables import (
    DAYS,
    EDITIONS,
    LOOK,
    PRUNE_BEATS,
    PRUNE_EVENTS,
    READ,
    RECORD,
)
from kakaocron.ledger.stats import Ending, endings_of
from kakaocron.states import Reason
from kakaocron.text.causes import parts

# What is so whatever else was written meanwhile: how an attempt ended, that a part was damaged,
# where something else is due.
UNCONDITIONAL = (Outcome, Damage, Pointer)
# A request leaves so long before its claim's lease ends, by the database's clock too.
LEASE_MARGIN = timedelta(seconds=1)
# So many rows in a statement, which has to end in time: a host that was off for a day of a thousand
# messages has tens of thousands of slots to settle.
ROWS_AT_ONCE = 1000
# How long it may take to look at a claim once more: the request has waited so long for nothing.
LOOKING_SECONDS = 4.0


class Row(Struct, frozen=True):
    """Some lines of one delivery that stand or fall together, and where."""

    day: date
    id: str
    n: int
    token: str
    events: tuple[Event, ...]
    lines: str

    @property
    def is_unconditional(self) -> bool:
        return isinstance(self.events[0], UNCONDITIONAL)


class DayRead(Struct):
    """A day's part of the ledger as far as this process has read it: up to which row of each id,
    and up to before which transaction."""

    reading: Reading
    rows: dict[str, int] = field(default_factory=dict)
    since: str = "0"

    def take(self, id_: str, n: int, seq: int, lines: str) -> None:
        """Take in one more row; one that is missing before it is damage."""
        known = self.rows.get(id_, 0)
        if n <= known:
            return
        self.rows[id_] = n
        missing = [(seq, b"")] * (n > known + 1)
        content = lines.encode("utf-8", "surrogateescape").splitlines()
        self.reading.take([*missing, *((seq, line) for line in content)])


class PostgresBook(Struct):
    """The ledger at `now`. Others may write to it meanwhile: what is recorded by what was read
    here is refused then."""

    ledger: PostgresLedger
    now: datetime
    _found: dict[date, DayFile] = field(default_factory=dict)
    _rows: dict[date, dict[str, int]] = field(default_factory=dict)

    def read(self, days: Iterable[date], past: View | None = None) -> View:
        """Fold days, each as it was when it was first read here."""
        new = [day for day in dict.fromkeys(days) if day not in self._found]
        if new:
            self._found |= self.ledger.read_days(new)
            self._rows |= {day: dict(self.ledger.rows_of(day)) for day in new}
        return view_of(self._found.values(), past)

    def record(self, events: Sequence[Event]) -> dict[str, Receipt]:
        """Add events; return by id the receipt of its last line.

        Of an id that another host has written to since it was read here there is none, and nothing
        of it was written, but for what is so in any case. Raises LedgerError: nobody knows then
        whether they were added.
        """
        groups: dict[tuple[date, str], list[Event]] = {}
        for event in events:
            own = replace(event, host=self.ledger.host)
            groups.setdefault((day_of(event), event.id), []).append(own)
        self.read({day for day, _id in groups})
        rows = [
            Row(
                day,
                id_,
                self._rows[day].get(id_, 0) + 1,
                str(uuid4()),
                tuple(group),
                b"".join(map(to_line, group)).decode(),
            )
            for (day, id_), group in groups.items()
        ]
        receipts: dict[str, Receipt] = {}
        lost: set[str] = set()
        for _time in range(MOST_TIMES):
            if not rows:
                break
            written = self.ledger.write(rows)
            for row in written:
                self._rows[row.day][row.id] = row.n
                receipts[row.id] = Receipt(row.events[-1], row)
            ours = {row.token for row in written}
            others = [row for row in rows if row.token not in ours]
            refused = [row for row in others if row.is_unconditional]
            lost.update(row.id for row in others if not row.is_unconditional)
            if refused:
                self.ledger.read_days({row.day for row in refused})
            rows = [
                replace(row, n=self.ledger.rows_of(row.day).get(row.id, 0) + 1) for row in refused
            ]
        if rows:
            what = ", ".join(row.id for row in rows)
            raise LedgerError(*parts("overtaken", what=what), which=f"overtaken:{what}")
        for day in {day for day, _id in groups}:
            self._found.pop(day, None)
            if day in self._rows:
                self._found[day] = self.ledger.known(day)
        return {id_: receipt for id_, receipt in receipts.items() if id_ not in lost}

    def set_aside_damage(self, days: Iterable[date]) -> list[SetAside]:
        """Note in each damaged day that its gaps are known; what is damaged stays where it is."""
        self.read(days)
        found = {day: self._found[day].damage_since(NOTHING) for day in days}
        return [self._set_aside(day, what) for day, what in found.items() if what is not None]

    def _set_aside(self, day: date, what: Cause) -> SetAside:
        kept = f"kakaocron.event, {day.isoformat()}"
        damage = Damage(
            at=self.now,
            id=day.isoformat(),
            cause=what,
            kept=kept,
            until=self.now,
            lines=self._found[day].marks,
        )
        self.record([damage])
        return SetAside(day, what, kept)


Look = tuple[bool | None, float]


class _Looks:
    """Questions whether claims stand: those that come while one is asked are asked together."""

    def __init__(self, database: Asker) -> None:
        self._database = database
        self._lock = database.make_lock()
        self._asking = database.make_lock()
        self._waiting: dict[str, Row] = {}
        self._answers: dict[str, Look] = {}

    def look(self, row: Row) -> Look:
        """Say whether a row is the last of its id, None if that cannot be asked, and what time it
        is at the database (seconds since 1970)."""
        with self._lock:
            self._waiting[row.token] = row
        with self._asking:
            with self._lock:
                rows, self._waiting = list(self._waiting.values()), {}
            if rows:
                found = self._ask(rows)
                answers = {one.token: answer for one, answer in zip(rows, found, strict=True)}
                with self._lock:
                    self._answers |= answers
        with self._lock:
            return self._answers.pop(row.token)

    def _ask(self, rows: Sequence[Row]) -> list[Look]:
        columns = [[getattr(one, name) for one in rows] for name in ("day", "id", "n", "token")]
        try:
            found = self._database.ask(LOOK, *columns, seconds=LOOKING_SECONDS)
        except KakaocronError:
            return [(None, 0.0)] * len(rows)
        return [(bool(stands), now) for stands, now in found]


class PostgresLedger:
    """The ledger in a database that several hosts share; `host` names this one in every record."""

    def __init__(
        self,
        database: Asker,
        host: str,
        clock: SharedClock,
        check: Callable[[str], None] = lambda _: None,
        make_reading: Callable[[], Reading] = Reading,
    ) -> None:
        self.database = database
        self.check = check
        self.make_reading = make_reading
        self.host = host
        self.clock = clock
        self._lock = database.make_lock()
        self._parts: dict[date, DayRead] = {}
        self._looks = _Looks(database)
        self._editions: tuple[float, dict[date, object]] = (float("-inf"), {})

    @contextmanager
    def open(self) -> Iterator[PostgresBook]:
        """Begin to decide. Nothing is locked: what has changed since is refused when it is
        recorded. Raises LedgerError, ClockOffError."""
        self.check(self.database.where)
        self.database.look_at_clock()
        yield PostgresBook(self, self.clock.now())

    def read(self, days: Iterable[date]) -> View:
        """Fold days, for showing them. Raises LedgerError."""
        return view_of(self.read_days(days).values())

    def read_days(self, days: Iterable[date]) -> dict[date, DayFile]:
        """Read days; of what this process has read before, only what is new. Raises LedgerError."""
        with self._lock:
            for day in days:
                if day not in self._parts:
                    self._parts[day] = DayRead(self.make_reading())
            wanted = {day: self._parts[day] for day in days}
            found = self.database.ask(READ, list(wanted), [one.since for one in wanted.values()])
            for _xmin, day, id_, n, seq, lines in found:
                if day is not None:
                    wanted[date.fromisoformat(day)].take(id_, n, seq, lines)
            for part in wanted.values():
                part.since = found[0][0]
            return {day: self.known(day) for day in wanted}

    def known(self, day: date) -> DayFile:
        """Return a day as far as it was read."""
        return self._parts[day].reading.followed_by(day, b"")

    def rows_of(self, day: date) -> Mapping[str, int]:
        """Return how many rows of each id are known of a day."""
        return self._parts[day].rows

    def write(self, rows: Sequence[Row]) -> list[Row]:
        """Write rows; return those that are there now as ours. Raises LedgerError."""
        groups = [rows[n : n + ROWS_AT_ONCE] for n in range(0, len(rows), ROWS_AT_ONCE)]
        return [row for group in groups for row in self._write(group)]

    def _write(self, rows: Sequence[Row]) -> list[Row]:
        names = ("day", "id", "n", "token", "lines")
        columns = [[getattr(row, name) for row in rows] for name in names]
        found = self.database.ask(RECORD, self.host, *columns)
        if not found:
            raise LedgerError(
                *parts("ledger-moved", to="", folder=self.database.where),
                which=f"moved:{self.database.where}",
            )
        places: dict[str, int] = dict(found)
        written = [row for row in rows if row.token in places]
        with self._lock:
            for row in written:
                part = self._parts[row.day]
                if part.rows.get(row.id, 0) == row.n - 1:
                    part.take(row.id, row.n, places[row.token], row.lines)
        return written

    def days(self) -> list[date]:
        """Return the days of which anything is on record, oldest first. Raises LedgerError."""
        return [date.fromisoformat(day) for (day,) in self.database.ask(DAYS)]

    def lost(self, receipt: Receipt) -> tuple[Reason, Cause] | None:
        """Say why nothing may leave by a claim: its row is not the last of its delivery, or cannot
        be asked for, or by the database's clock its time has not come or is over. None if it
        holds."""
        claim = receipt.event
        stands, now = self._looks.look(receipt.place)
        if stands is None:
            return Reason.LEDGER_UNWRITABLE, Cause("claim-unasked")
        if not stands or not isinstance(claim, Claim):
            return Reason.LEDGER_DAMAGED, Cause("claim-gone")
        if now < claim.slot.timestamp():
            return Reason.CLOCK_WRONG, Cause("set-back")
        if claim.expires_at and now >= claim.expires_at.timestamp():
            return Reason.EXPIRED, Cause("slot-over")
        if now >= (claim.until - LEASE_MARGIN).timestamp():
            return Reason.EXPIRED, Cause("claim-over")
        return None

    def endings(self, day: date) -> list[Ending]:
        return endings_of(self.read([day]).deliveries.values())

    def version(self, day: date) -> object:
        """Return what changes, hashable, whenever a day's lines do; asked for all days at once."""
        with self._lock:
            asked_at, found = self._editions
            if self.clock.monotonic() - asked_at > 1:
                today = self.clock.now().date()
                days = [today - n * DAY for n in range(-1, 100)]
                try:
                    rows = self.database.ask(EDITIONS, today - DAY, days)
                except LedgerError:
                    rows = []
                found = {date.fromisoformat(day): tuple(rest) for day, *rest in rows}
                self._editions = self.clock.monotonic(), found
            return found.get(day)

    def damage(self, days: Iterable[date]) -> dict[date, Cause]:
        found = {day: one.damage_since(NOTHING) for day, one in self.read_days(days).items()}
        return {day: what for day, what in found.items() if what is not None}

    def barriers(self, day: date) -> list[Barrier]:
        """Return what would keep lines from being written: the database is away, or a clock."""
        try:
            self.database.look_at_clock()
        except KakaocronError as error:
            return [Barrier(error.what, error.mend)]
        return []

    def verify(self) -> tuple[Checked, list[Remark]]:
        """Look for damage in all days, without changing anything. Raises LedgerError."""
        remarks: list[Remark] = []
        days = self.days()
        lines = 0
        for day in days:
            found = self.read_days([day])[day]
            with self._lock:
                del self._parts[day]  # a year's would be too much to keep
            lines += len(found.ids)
            remarks += found.remarks(f"{self.database.where} {day.isoformat()}")
        return Checked(len(days), lines), remarks

    def note_ends(self, view: View, now: datetime) -> End:
        """Where a day's part ends only the database knows: the heartbeats say nothing of it."""
        return NOTHING

    def prune(self, today: date, keep_days: int) -> list[date]:
        """Remove days more than `keep_days` before today; return which. Raises LedgerError."""
        first = today - timedelta(days=keep_days)
        self.database.ask(PRUNE_BEATS, datetime.combine(first, datetime.min.time(), KST))
        gone = self.database.ask(PRUNE_EVENTS, first)
        return [date.fromisoformat(day) for (day,) in gone]
