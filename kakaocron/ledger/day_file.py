"""One day of the ledger as a file: its lines, and what of it cannot be read. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from datetime import date, datetime
from typing import Any
from zlib import crc32

from msgspec import Struct, field

from kakaocron.errors import Cause
from kakaocron.language.words import _
from kakaocron.ledger.beats import NO_MARK, NOTHING, End
from kakaocron.ledger.deliveries import Delivery, Gap, fold_into, plain
from kakaocron.ledger.events import (
    LINE_START,
    Claim,
    Damage,
    DamagedLineError,
    Event,
    Pointer,
    from_line,
    is_event,
)
from kakaocron.ledger.ledger import Remark, View
from kakaocron.schedule.slots import slot_day

ReadLine = Callable[[bytes], Event]


class DayFile(Struct, frozen=True):
    """One day's file as read: what its lines came to, and what of it could not be read.

    `damaged` holds the numbers (from 1) of unreadable lines that no `damage` line below them
    accounts for, `marks` the checksums of these lines, `torn_at` the offset of a last line that was
    never finished, `lacks_newline` says that the last line is whole or damaged, but not ended,
    `ids` holds the id of each line that could be read, `notes` are the damage lines, `ends` holds
    each line's checksum by the offset at which it ends, `lines` the number (from 1) of
    each delivery's last line, `pointed_days` the days of the deliveries reopened for this one.

    What holds an item a line is not copied: it goes on growing as the file is read on.
    """

    day: date
    size: int = 0  # bytes, a torn last line included
    ids: Sequence[str] = ()
    notes: Sequence[Damage] = ()
    damaged: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()
    torn_at: int | None = None
    lacks_newline: bool = False
    gap: Gap | None = None
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    settled: datetime | None = None
    last_event_at: datetime | None = None
    ends: Mapping[int, int] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    pointed_days: Set[date] = frozenset()

    @property
    def end(self) -> End:
        size = self.size if self.torn_at is None else self.torn_at
        return End(size, self._mark_at(size))

    def goes_on_from(self, end: End) -> bool:
        """Say whether this may be a file that once ended so, and has grown since."""
        if end.mark == NO_MARK:
            return end.size <= self.end.size
        return end.mark in {self._mark_at(end.size), self._mark_at(end.size + 1)}

    def damage_since(self, known: End) -> Cause | None:
        """Return what is wrong with a file that once ended as is known, None if nothing is."""
        if self.damaged:
            numbers = ", ".join(str(number) for number in self.damaged[:5])
            more = ", …" if len(self.damaged) > 5 else ""  # noqa: PLR2004
            return Cause("bad-lines", {"lines": f"{numbers}{more}"})
        if self.goes_on_from(known):
            return None
        if known.size > self.end.size:
            return Cause("shorter", {"bytes": self.end.size, "before": known.size})
        return Cause("other-file")

    def remarks(self, path: str) -> Iterator[Remark]:
        """Yield what there is to say of the file, which stands at `path`."""
        for number in self.damaged:
            yield Remark(path, _("line {number} is damaged").format(number=number), is_damage=True)
        if self.torn_at is not None:
            count = self.size - self.torn_at
            yield Remark(
                path,
                _(
                    "the last line was never finished ({count} bytes, as after a power cut); "
                    "nothing was sent on its word, and the next write removes it"
                ).format(count=count),
                is_damage=False,
            )
        for note in self.notes:
            what = _("damage set aside earlier, kept as {kept}").format(kept=note.kept)
            yield Remark(path, what, is_damage=False)

    def _mark_at(self, size: int) -> str:
        return as_mark(self.ends[size]) if size in self.ends else NO_MARK


def parse_day(day: date, content: bytes) -> DayFile:
    """Read a day's file. Only NewerFormatError is raised: everything else is damage, and said."""
    return Reading().followed_by(day, content)


class Reading(Struct):
    """A day's file as far as it is known: up to the end of its last whole line.

    Files only grow, so that of one that still has this line there, only what follows is new.
    """

    read_line: ReadLine = from_line
    inode: int = 0
    offset: int = 0
    last_line: bytes = b""
    synced: End = NOTHING  # up to where this process knows it to be on the disk
    count: int = 0  # of lines
    ends: dict[int, int] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    notes: list[Damage] = field(default_factory=list)
    damaged: dict[int, str] = field(default_factory=dict)
    gap_until: datetime | None = None
    gap_above: int = 0  # of how many ids the last damage line is
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)  # first lines, not folded so far
    lines: dict[str, int] = field(default_factory=dict)
    pointed_days: set[date] = field(default_factory=set)
    settled: datetime | None = None
    last_event_at: datetime | None = None

    def followed_by(self, day: date, content: bytes) -> DayFile:
        """Take in what follows, and return the whole. A last line without an end is not kept."""
        *lines, tail = content.split(b"\n")
        for line in lines:
            self.offset += len(line) + 1
            self._take(line, self.offset)
        if lines:
            self.last_line = lines[-1] + b"\n"
        self._fold_claims()
        size = self.offset + len(tail)
        if not tail:
            return self._found(day, size)
        if is_torn(tail, size):
            return self._found(day, size, torn_at=self.offset)
        whole = copy(self)
        whole.ids, whole.notes, whole.damaged = [*self.ids], [*self.notes], {**self.damaged}
        whole.deliveries, whole.ends = {**self.deliveries}, {**self.ends}
        whole.lines, whole.pointed_days = {**self.lines}, {*self.pointed_days}
        whole._take(tail, size)
        whole._fold_claims()
        return whole._found(day, size, lacks_newline=True)

    def take(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Take in whole lines that are numbered otherwise than by their place in a file."""
        for number, line in lines:
            self.count = number - 1
            self.offset += len(line) + 1
            self._take(line, self.offset)

    def _take(self, line: bytes, end: int) -> None:
        self.count += 1
        self.ends[end] = crc32(line)
        try:
            event = self.read_line(line)
        except DamagedLineError:
            self.damaged[self.count] = as_mark(self.ends[end])
            return
        if isinstance(event, Damage):
            # By content: what is spoilt later, above this line, is not accounted for by it.
            self.damaged = {n: mark for n, mark in self.damaged.items() if mark not in event.lines}
            until = event.until or event.at
            self.gap_until = max(until, self.gap_until or until)
            self.gap_above = len(self.ids) + 1
            self.notes.append(event)
        elif isinstance(event, Pointer):
            self.pointed_days.add(slot_day(event.id))
        self.ids.append(event.id)
        self._fold(event)
        self.lines[event.id] = self.count
        if event.settled and (self.settled is None or event.settled > self.settled):
            self.settled = event.settled
        if self.last_event_at is None or event.at > self.last_event_at:
            self.last_event_at = event.at

    def _fold(self, event: Event) -> None:
        if isinstance(event, Claim) and event.id not in self.lines:
            self.claims[event.id] = event
            return
        claim = self.claims.pop(event.id, None)
        delivery = plain(claim, event) if claim else None
        if delivery:
            self.deliveries[event.id] = delivery
            return
        if claim:
            fold_into(self.deliveries, claim)
        fold_into(self.deliveries, event)

    def _fold_claims(self) -> None:
        for claim in self.claims.values():
            fold_into(self.deliveries, claim)
        self.claims.clear()

    def _gap(self) -> Gap | None:
        if self.gap_until is None:
            return None
        return Gap(self.gap_until, frozenset(self.ids[self.gap_above :]))

    def _found(
        self, day: date, size: int, torn_at: int | None = None, *, lacks_newline: bool = False
    ) -> DayFile:
        return DayFile(
            day,
            size,
            self.ids,
            self.notes,
            tuple(self.damaged),
            tuple(self.damaged.values()),
            torn_at,
            lacks_newline,
            self._gap(),
            self.deliveries,
            self.settled,
            self.last_event_at,
            self.ends,
            self.lines,
            self.pointed_days,
        )


def view_of(files: Iterable[DayFile], past: View | None = None) -> View:
    """Fold days; if they are those of a `past` view, by adding to it what is new."""
    ordered = sorted(files, key=lambda found: found.day)
    read_to = {found.day: (found.ids, len(found.ids)) for found in ordered}
    deliveries: dict[str, Delivery] = {}
    lines: dict[str, int] = {}
    if past is not None and _go_on(past.read_to, read_to):
        deliveries, lines, news = past.deliveries, past.lines, dict[str, Delivery]()
        for found in ordered:
            new = set(found.ids[past.read_to[found.day][1] :])
            lines.update((id_, found.lines[id_]) for id_ in new)
            news.update((id_, found.deliveries[id_]) for id_ in new & found.deliveries.keys())
        deliveries.update(news)
    else:
        for found in ordered:
            deliveries.update(found.deliveries)
            lines.update(found.lines)
        news = deliveries
    days = tuple(found.day for found in ordered)
    return View(
        days,
        deliveries,
        max((found.settled for found in ordered if found.settled), default=None),
        max((found.last_event_at for found in ordered if found.last_event_at), default=None),
        {found.day: found.gap for found in ordered if found.gap},
        frozenset(found.day for found in ordered if found.damaged),
        frozenset().union(*(found.pointed_days for found in ordered)) - {*days},
        {found.day: found.end for found in ordered},
        lines,
        news,
        read_to,
    )


def _go_on(before: Mapping[date, Any], now: Mapping[date, Any]) -> bool:
    """Say whether these are the same days, each read on from where it had been read to: one that
    was read anew (its file was replaced, or spoilt) has another list of ids."""
    return before.keys() == now.keys() and all(before[day][0] is now[day][0] for day in now)


def as_mark(checksum: int) -> str:
    return f"{checksum:08x}"


def is_torn(tail: bytes, file_size: int) -> bool:
    """Say whether what stands after the last newline is a line that a power cut left unfinished.

    Such a line was never fsynced, so nothing was done on its word. It begins as every line does,
    or is all NUL (a file system may have grown the file and not yet written to it). Anything else,
    and a file of nothing but NUL, is damage to something that may have counted.
    """
    if not tail:
        return False
    if not tail.strip(b"\0"):
        return len(tail) < file_size
    begins_well = tail[: len(LINE_START)] == LINE_START[: len(tail)]
    return begins_well and not is_event(tail)
