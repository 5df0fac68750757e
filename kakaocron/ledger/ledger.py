"""What a ledger has to do, however it keeps its lines: a handful of verbs, no file in any of them.

Kept in files by ledger/files, and in a database that several hosts share by ledger/postgres.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from msgspec import Struct, field

from kakaocron.errors import Barrier, Cause, KakaocronError
from kakaocron.ledger.beats import NOTHING, End
from kakaocron.ledger.deliveries import Delivery, Gap
from kakaocron.ledger.events import Event
from kakaocron.ledger.stats import Ending
from kakaocron.states import Reason
from kakaocron.text.causes import parts

T = TypeVar("T")


# So often something is done again that another host was first to change.
MOST_TIMES = 5


class OvertakenError(KakaocronError):
    """Another host has changed what this was decided by: nothing was done."""

    def __init__(self, what: str) -> None:
        super().__init__(*parts("overtaken", what=what))


class View(Struct, frozen=True):
    """Several days of the ledger, folded.

    `settled`: up to when the latest line says that every slot had a state. `gaps` says what a day
    may have lost, `damaged` which days have lines that cannot be read and are not set aside yet,
    `pointed_days` which other days hold deliveries that were reopened for one of these. `ends` are
    for the heartbeats, by day: what they mean only the ledger knows. `lines` holds the number of
    each delivery's last line in its day: what is written later has a higher one, whatever the clock
    says. `news` are the deliveries of which the view that this one has grown from did not know, or
    not all: every one, if it has grown from none; `read_to` is how far each day was read.
    """

    days: tuple[date, ...] = ()
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    settled: datetime | None = None
    last_event_at: datetime | None = None
    gaps: Mapping[date, Gap] = field(default_factory=dict)
    damaged: frozenset[date] = frozenset()
    pointed_days: frozenset[date] = frozenset()
    ends: Mapping[date, End] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    news: Mapping[str, Delivery] = field(default_factory=dict)
    read_to: Mapping[date, Any] = field(default_factory=dict)

    def end_of(self, day: date) -> End:
        return self.ends.get(day, NOTHING)


class Receipt(Struct, frozen=True):
    """That a line is in the ledger, and durable. Where it stands only the ledger knows."""

    event: Event
    place: Any


class SetAside(Struct, frozen=True):
    """A day's damage that was set aside: what it was, and where what was there is kept."""

    day: date
    what: Cause
    kept: str


class Checked(Struct, frozen=True):
    """How much `verify` has read."""

    days: int
    lines: int


class Document(Protocol):
    """Something small beside the ledger, without which nothing is sent."""

    def read(self, parse: Callable[[bytes], T]) -> T | None:
        """Return what it says, None where there is none. Raises LedgerError if that cannot be
        known."""
        ...

    def write(self, content: bytes) -> None:
        """Replace it, durably. Raises LedgerError, OvertakenError."""
        ...


class Remark(Struct, frozen=True):
    """Something in a part of the ledger; `is_damage` if that part cannot be read."""

    path: str
    what: str
    is_damage: bool


class Reader(Protocol):
    def read(self, days: Iterable[date]) -> View:
        """Fold days. Raises LedgerError."""
        ...


class Book(Reader, Protocol):
    """The ledger to decide by and to write to. `now` was read when that began.

    In files it is locked meanwhile. In a database nobody waits: what was decided by something that
    another host has changed since is refused when it is recorded. What is read here is durable.
    """

    now: datetime

    def read(self, days: Iterable[date], past: View | None = None) -> View:
        """Fold days; if they are those of a `past` view, which is of no more use then, by adding
        to it what is new. Raises LedgerError."""
        ...

    def record(self, events: Sequence[Event]) -> Mapping[str, Receipt]:
        """Add events, and make them durable before returning.

        Returns by id the receipt of its last line; none for an id that was refused, of which
        nothing is written. Raises LedgerError, and then nothing counts of what it returned no
        receipt for.
        """
        ...

    def set_aside_damage(self, days: Iterable[date]) -> list[SetAside]:
        """Set aside what is damaged in some days, so that it is known as a gap from then on."""
        ...


class Ledger(Reader, Protocol):
    """The record of everything that was sent. Read without the lock, for showing it."""

    def open(self) -> AbstractContextManager[Book]:
        """Decide and write for a block. Raises LockTimeoutError, LedgerError."""
        ...

    def days(self) -> list[date]:
        """Return the days of which anything is on record, oldest first. Raises LedgerError."""
        ...

    def lost(self, receipt: Receipt) -> tuple[Reason, Cause] | None:
        """Say why nothing may leave by a claim: its line does not stand where it was written, or
        something after it undoes it, or that cannot be known. None if it holds; nothing is raised.
        """
        ...

    def endings(self, day: date) -> list[Ending]:
        """Return the state and the lateness of each slot of a day. Raises LedgerError."""
        ...

    def version(self, day: date) -> object:
        """Return what changes, hashable, whenever a day's lines do."""
        ...

    def damage(self, days: Iterable[date]) -> dict[date, Cause]:
        """Return what is wrong with days that are damaged and not set aside yet."""
        ...

    def barriers(self, day: date) -> list[Barrier]:
        """Return what would keep lines of a day from being written, as far as is known now."""
        ...

    def verify(self) -> tuple[Checked, list[Remark]]:
        """Look for damage in all days, without changing anything. Raises LedgerError."""
        ...

    def note_ends(self, view: View, now: datetime) -> End:
        """Note where the days before today end; return where today does, for a heartbeat."""
        ...

    def prune(self, today: date, keep_days: int) -> list[date]:
        """Remove days more than `keep_days` before today; return which. Raises LedgerError."""
        ...
