"""The ticks' trace where several hosts share a ledger: each one's own on its disk, and all of them
in the database, as far as it could be reached."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from msgspec.structs import replace

from kakaocron import __version__
from kakaocron.errors import KakaocronError
from kakaocron.kst import DAY, KST
from kakaocron.ledger.beats import COMPLETE, NOTHING, WORDS, Beat, End, Word, to_line
from kakaocron.ledger.heartbeat import LAST_INSTANT, Heartbeat
from kakaocron.ledger.hosts import HostSeen
from kakaocron.ledger.postgres.connection import Asker, Rows

_ADD = """
INSERT INTO kakaocron.beat (host, at, word, exit_code)
SELECT %s, to_timestamp(at), word, exit_code
FROM unnest(%s::float8[], %s::text[], %s::int[]) AS new (at, word, exit_code)
ON CONFLICT DO NOTHING
"""
_LAST_OF_MINE = "SELECT extract(epoch FROM max(at))::float8 FROM kakaocron.beat WHERE host = %s"
_SHOW = """
INSERT INTO kakaocron.host AS h (name, last_tick, clock_offset_seconds, version)
VALUES (%s, to_timestamp(%s), %s, %s)
ON CONFLICT (name) DO UPDATE SET last_tick = greatest(h.last_tick, excluded.last_tick),
    clock_offset_seconds = excluded.clock_offset_seconds, version = excluded.version
"""
_HOSTS = """
SELECT name, extract(epoch FROM last_tick)::float8, clock_offset_seconds, version
FROM kakaocron.host ORDER BY name
"""
_ON = """
SELECT extract(epoch FROM at)::float8, word, exit_code, host FROM kakaocron.beat
WHERE at >= to_timestamp(%s) AND at < to_timestamp(%s) ORDER BY at DESC LIMIT %s
"""
_FIRST = """
SELECT extract(epoch FROM at)::float8, word, exit_code, host FROM kakaocron.beat
WHERE at >= to_timestamp(%s) AND at < to_timestamp(%s) ORDER BY at LIMIT 1
"""
# From each day to the next, by the index: there may be millions of beats.
_DAYS = """
WITH RECURSIVE found AS (
    SELECT (min(at) AT TIME ZONE interval '9 hours')::date AS day FROM kakaocron.beat
    UNION ALL
    SELECT (
        SELECT (min(b.at) AT TIME ZONE interval '9 hours')::date FROM kakaocron.beat AS b
        WHERE b.at >= (found.day + 1)::timestamp AT TIME ZONE interval '9 hours'
    )
    FROM found WHERE found.day IS NOT NULL
)
SELECT day::text FROM found WHERE day IS NOT NULL
"""
_LAST_COMPLETE = """
SELECT extract(epoch FROM max(at))::float8 FROM kakaocron.beat
WHERE word = ANY(%s) AND at <= to_timestamp(%s)
"""
_TAIL_ROWS = 64
_ALL_ROWS = 1_000_000
_FAR = datetime(9000, 1, 1, tzinfo=KST)


class SharedHeartbeat(Heartbeat, frozen=True):
    """This host's beats, kept on its disk, and those of all in the database.

    What the database does not answer counts as nothing known: none depends on it.
    """

    database: Asker
    host: str

    @property
    def own(self) -> Heartbeat:
        """This host's beats alone."""
        return Heartbeat(self.folder, self.disk, self.spare)

    def contents(self, day: date) -> tuple[bytes, ...]:
        """Return a day's beats of all hosts; of this one also what the database has not got."""
        beats = self._of_all(day, self.own.read(day), _ALL_ROWS)
        return (b"".join(to_line(b.at, b.word, b.exit_code, NOTHING, b.host) for b in beats),)

    def first(self, day: date) -> Beat | None:
        begin = datetime.combine(day, time(), KST)
        asked = self._asked(_FIRST, begin.timestamp(), (begin + DAY).timestamp())
        found = [_beat(*row) for row in asked]
        own = self.own.first(day)
        return min([*found, *([own] if own else [])], key=lambda beat: beat.at, default=None)

    def read(self, day: date) -> list[Beat]:
        return self.own.read(day)

    def tail(self, day: date) -> list[Beat]:
        return self._of_all(day, self.own.tail(day), _TAIL_ROWS)

    def days(self) -> list[date]:
        theirs = {date.fromisoformat(day) for (day,) in self._asked(_DAYS)}
        return sorted(theirs.union(self.own.days()))

    def last_complete(self, now: datetime = LAST_INSTANT) -> datetime | None:
        asked = self._asked(
            _LAST_COMPLETE, [word.value for word in COMPLETE], min(now, _FAR).timestamp()
        )
        theirs = [_instant(at) for (at,) in asked if at is not None]
        own = self.own.last_complete(now)
        return max([*theirs, *([own] if own else [])], default=None)

    def beat(self, at: datetime, word: Word, exit_code: int, end: End = NOTHING) -> None:
        """Append a line; at the end of a tick hand on all that the database has not got yet."""
        self.own.beat(at, word, exit_code, end)
        if word in {Word.DONE, Word.FAIL}:
            with suppress(KakaocronError):
                self._hand_on(Beat(at, word, exit_code, end))

    def keep_ahead(self, now: datetime) -> None:
        self.own.keep_ahead(now)

    def ledger_end(self, day: date) -> End:
        return NOTHING

    def prune(self, today: date, keep_days: int) -> None:
        self.own.prune(today, keep_days)

    def hosts(self) -> list[HostSeen]:
        """Return all hosts that have ever ticked. Raises LedgerError."""
        found = self.database.ask(_HOSTS)
        return [
            HostSeen(name, _instant(at), offset, version) for name, at, offset, version in found
        ]

    def _hand_on(self, last: Beat) -> None:
        ((known,),) = self.database.ask(_LAST_OF_MINE, self.host)
        since = _instant(known) if known is not None else last.at - DAY
        last = replace(last, at=last.at.replace(microsecond=last.at.microsecond // 1000 * 1000))
        beats = {last, *(one for one in self._own_since(since, last.at.date()) if one.at >= since)}
        hand_on(self.database, self.host, beats)
        offset = self.database.clock.offset or timedelta(0)
        self.database.ask(
            _SHOW, self.host, last.at.timestamp(), offset.total_seconds(), __version__
        )

    def _own_since(self, since: datetime, today: date) -> list[Beat]:
        tail = self.own.tail(today)
        if tail and tail[0].at <= since:
            return tail
        return [beat for day in (today - DAY, today) for beat in self.own.read(day)]

    def _of_all(self, day: date, own: Iterable[Beat], most: int) -> list[Beat]:
        begin = datetime.combine(day, time(), KST)
        found = self._asked(_ON, begin.timestamp(), (begin + DAY).timestamp(), most)
        known = {_beat(*row) for row in found}
        known.update(
            replace(beat, ledger_end=NOTHING, host=self.host) for beat in own if beat.is_of_a_tick
        )
        return sorted(known, key=lambda beat: (beat.at, beat.word is not Word.START))

    def _asked(self, statement: str, *parameters: object) -> Rows:
        try:
            return self.database.ask(statement, *parameters)
        except KakaocronError:
            return []


def hand_on(database: Asker, host: str, beats: Iterable[Beat]) -> None:
    """Put beats of a host into the database, where it has not got them. Raises LedgerError."""
    told = [beat for beat in beats if beat.is_of_a_tick]
    instants = [beat.at.timestamp() for beat in told]
    words, codes = [beat.word.value for beat in told], [int(beat.exit_code) for beat in told]
    database.ask(_ADD, host, instants, words, codes)


def _beat(at: float, word: str, exit_code: int, host: str) -> Beat:
    return Beat(_instant(at), WORDS[word], exit_code, NOTHING, host)


def _instant(seconds: float) -> datetime:
    """Return an instant to the millisecond, as the files have it."""
    return datetime.fromtimestamp(round(seconds, 3), KST)
