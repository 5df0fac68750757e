"""A whole ledger carried from files into a database, and back: line by line, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from uuid import NAMESPACE_OID, uuid5

from msgspec import Struct

from kakaocron.errors import UsageError
from kakaocron.language.words import _
from kakaocron.ledger.events import from_line
from kakaocron.ledger.postgres.connection import Database, Transaction

Lines = Sequence[bytes]  # each with its newline

# Nobody else writes from here to the end of the transaction, and what was being written is there.
_LOCK = "LOCK TABLE kakaocron.event, kakaocron.document IN EXCLUSIVE MODE"
_KNOWN = """
SELECT id, string_agg(lines, '' ORDER BY n), max(n) FROM kakaocron.event
WHERE day = %s::date GROUP BY id
"""
_ADD = "COPY kakaocron.event (day, id, n, token, host, lines) FROM STDIN"
_DAYS = "SELECT DISTINCT day::text FROM kakaocron.event ORDER BY 1"
_LINES = "SELECT lines FROM kakaocron.event WHERE day = %s::date ORDER BY seq"
_MOVE = "UPDATE kakaocron.ledger SET moved_to = %s"
_DOCUMENTS = "SELECT name, content FROM kakaocron.document"
_PUT = """
INSERT INTO kakaocron.document (name, edition, token, content)
VALUES (%s, 1, gen_random_uuid(), %s)
ON CONFLICT (name) DO UPDATE SET edition = document.edition + 1, token = excluded.token,
    content = excluded.content
"""


class Carried(Struct, frozen=True):
    """How much was carried over: days, and lines that were not there before."""

    days: int
    lines: int


def into_database(
    database: Database,
    host: str,
    days: Iterable[tuple[date, Lines]],
    documents: Mapping[str, str],
) -> Carried:
    """Put the lines of days, oldest first, and documents by name into a database that holds
    nothing else; what is there from an earlier time stays. Raises UsageError for one that holds
    something else, LedgerError."""
    day_count = line_count = 0
    with database.transaction() as transaction:
        transaction.execute(_LOCK)
        transaction.execute(_MOVE, [None])
        known_days = {day for (day,) in transaction.execute(_DAYS)}
        for day, lines in days:
            day_count += 1
            known_days.discard(day.isoformat())
            line_count += _add_day(transaction, database.where, host, day, lines)
        for other in sorted(known_days):
            raise _other_history(database.where, other)
        for name, content in documents.items():
            transaction.execute(_PUT, [name, content])
    return Carried(day_count, line_count)


def _add_day(transaction: Transaction, where: str, host: str, day: date, lines: Lines) -> int:
    found = transaction.execute(_KNOWN, [day]).fetchall()
    left = {id_: content for id_, content, _n in found}
    last = {id_: n for id_, _content, n in found}
    count = 0
    with transaction.cursor() as cursor, cursor.copy(_ADD) as copy:
        for line in lines:
            id_, text = from_line(line[:-1]).id, line.decode()
            rest = left.get(id_, "")
            if rest.startswith(text):
                left[id_] = rest[len(text) :]
                continue
            if rest:
                raise _other_history(where, id_)
            last[id_] = last.get(id_, 0) + 1
            count += 1
            token = uuid5(NAMESPACE_OID, f"{last[id_]} {text}")
            copy.write_row((day, id_, last[id_], token, host, text))
    for id_, rest in left.items():
        if rest:
            raise _other_history(where, id_)
    return count


def _other_history(where: str, what: str) -> UsageError:
    return UsageError(
        _("'{where}' holds other history: of '{what}' it knows something else").format(
            where=where, what=what
        ),
        _("Carry over into an empty database, or begin again with the one that is there"),
        which=f"other-history:{where}",
    )


@contextmanager
def out_of_database(
    database: Database, moved_to: str | None
) -> Iterator[tuple[Iterator[tuple[date, Lines]], Mapping[str, str]]]:
    """Hand out the lines of all days, oldest first, and the documents by name, for a block in which
    nobody writes. With `moved_to` nobody will from then on: the ledger is there now. Raises
    LedgerError."""
    with database.transaction() as transaction:
        transaction.execute(_LOCK)
        yield _days(transaction), dict(transaction.execute(_DOCUMENTS).fetchall())
        if moved_to is not None:
            transaction.execute(_MOVE, [moved_to])


def _days(transaction: Transaction) -> Iterator[tuple[date, Lines]]:
    for (day,) in transaction.execute(_DAYS).fetchall():
        rows = transaction.execute(_LINES, [day]).fetchall()
        content = "".join(lines for (lines,) in rows)
        yield date.fromisoformat(day), content.encode().splitlines(keepends=True)
