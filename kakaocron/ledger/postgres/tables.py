"""The tables of a shared ledger, and the statements on them. Pure.

`event` is the ledger: a row holds the lines that were written of one delivery at once. `n` counts
the rows of an id within a day's part, without a gap: who has read up to n writes n + 1, or finds
that another host was first. That is the claim, and all else that is decided.
"""

from __future__ import annotations

VERSION = 1

# One script from each version to the next. What has been released is never changed.
MIGRATIONS = (
    """
    CREATE TABLE kakaocron.ledger (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        version int NOT NULL,
        id uuid NOT NULL DEFAULT gen_random_uuid(),
        moved_to text
    );
    INSERT INTO kakaocron.ledger (version) VALUES (0);
    CREATE TABLE kakaocron.event (
        day date NOT NULL,
        id text NOT NULL,
        n int NOT NULL,
        token uuid NOT NULL,
        host text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        seq bigint GENERATED ALWAYS AS IDENTITY,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        lines text NOT NULL,
        PRIMARY KEY (day, id, n)
    );
    CREATE INDEX event_by_xid ON kakaocron.event (day, xid);
    CREATE TABLE kakaocron.beat (
        host text NOT NULL,
        at timestamptz NOT NULL,
        word text NOT NULL,
        exit_code int NOT NULL,
        PRIMARY KEY (host, at, word)
    );
    CREATE INDEX beat_by_at ON kakaocron.beat (at);
    CREATE TABLE kakaocron.host (
        name text PRIMARY KEY,
        last_tick timestamptz NOT NULL,
        clock_offset_seconds float8 NOT NULL,
        version text NOT NULL
    );
    CREATE TABLE kakaocron.document (
        name text PRIMARY KEY,
        edition bigint NOT NULL,
        token uuid NOT NULL,
        content text NOT NULL
    );
    CREATE TABLE kakaocron.lease (
        name text PRIMARY KEY,
        holder uuid NOT NULL,
        until timestamptz NOT NULL
    );
    """,
)

# What a role needs that sends and never makes tables, as docs/hosts.md tells.
GRANTS = (
    "GRANT USAGE ON SCHEMA kakaocron TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA kakaocron TO {role}",
    "REVOKE INSERT, UPDATE, DELETE ON kakaocron.ledger FROM {role}",
)

STATE = """
SELECT version, id::text, moved_to, extract(epoch FROM clock_timestamp())::float8
FROM kakaocron.ledger
"""

NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"

# A row is mine or another's: the token that comes back tells. Asked again with the same token it
# says what became of a statement whose answer was lost. All hosts write in the same order, so that
# no two wait for each other.
RECORD = """
INSERT INTO kakaocron.event AS e (day, id, n, token, host, lines)
SELECT day, id, n, token, %s, lines
FROM unnest(%s::date[], %s::text[], %s::int[], %s::uuid[], %s::text[])
    AS new (day, id, n, token, lines)
WHERE NOT EXISTS (SELECT FROM kakaocron.ledger WHERE moved_to IS NOT NULL)
ORDER BY day, id
ON CONFLICT (day, id, n) DO UPDATE SET token = e.token
RETURNING e.token::text, e.seq
"""

# The rows of days from a transaction on. `xmin` is of the same snapshot: all transactions before it
# have ended, so that whoever goes on from there misses none that ended late.
READ = """
SELECT now.xmin, e.day::text, e.id, e.n, e.seq, e.lines
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin) AS now
LEFT JOIN (
    unnest(%s::date[], %s::text[]) AS wanted (day, since)
    JOIN kakaocron.event AS e ON e.day = wanted.day AND e.xid >= wanted.since::xid8
) ON true
ORDER BY e.seq
"""

# Whether each of these rows is still there and the last of its id.
LOOK = """
SELECT coalesce(e.token = wanted.token, false) AND NOT EXISTS (
    SELECT FROM kakaocron.event AS later
    WHERE later.day = wanted.day AND later.id = wanted.id AND later.n > wanted.n
), extract(epoch FROM clock_timestamp())::float8
FROM unnest(%s::date[], %s::text[], %s::int[], %s::uuid[])
    WITH ORDINALITY AS wanted (day, id, n, token, place)
LEFT JOIN kakaocron.event AS e USING (day, id, n)
ORDER BY place
"""

# What else a decision of a host's depends on: pauses, its messages' times, the logins.
_DOCUMENTS = """(
    SELECT coalesce(string_agg(edition::text || ':' || token::text, ',' ORDER BY name), '-')
    FROM kakaocron.document
    WHERE name = 'pauses' OR name = 'timetables ' || %s::text OR starts_with(name, 'login')
)"""

# By what a host can tell later whether anything has changed.
MARK = f"""
SELECT id::text, pg_snapshot_xmin(pg_current_snapshot())::text, {_DOCUMENTS}
FROM kakaocron.ledger WHERE moved_to IS NULL
"""  # noqa: S608 - of constants

# Whether nothing has changed; if so, a host has ticked at some instants and found nothing to do. A
# server whose transactions have not come as far as they had is one that was put back.
QUESTION = f"""
WITH found AS (
    SELECT abs(extract(epoch FROM clock_timestamp())::float8 - %s::float8) < %s::float8
    AND EXISTS (
        SELECT FROM kakaocron.ledger
        WHERE version = %s::int AND id = %s::uuid AND moved_to IS NULL
    )
    AND (
        SELECT pg_snapshot_xmin(pg_current_snapshot()) >= since AND NOT EXISTS (
            SELECT FROM kakaocron.event WHERE day = ANY (days) AND xid >= since
        )
        FROM (SELECT %s::date[] AS days, %s::xid8 AS since) AS known
    )
    AND {_DOCUMENTS} = %s::text AS is_unchanged
), told AS (
    INSERT INTO kakaocron.beat (host, at, word, exit_code)
    SELECT %s::text, to_timestamp(at), 'idle', 0
    FROM found, unnest(%s::float8[]) AS new (at) WHERE is_unchanged
    ON CONFLICT DO NOTHING
), shown AS (
    INSERT INTO kakaocron.host AS h (name, last_tick, clock_offset_seconds, version)
    SELECT %s::text, to_timestamp(%s::float8),
        %s::float8 - extract(epoch FROM clock_timestamp())::float8, %s::text
    FROM found WHERE is_unchanged
    ON CONFLICT (name) DO UPDATE SET last_tick = greatest(h.last_tick, excluded.last_tick),
        clock_offset_seconds = excluded.clock_offset_seconds, version = excluded.version
)
SELECT is_unchanged FROM found
"""  # noqa: S608 - likewise

DAYS = """
WITH RECURSIVE found AS (
    SELECT min(day) AS day FROM kakaocron.event
    UNION ALL
    SELECT (SELECT min(e.day) FROM kakaocron.event AS e WHERE e.day > found.day)
    FROM found WHERE found.day IS NOT NULL
)
SELECT day::text FROM found WHERE day IS NOT NULL ORDER BY day
"""

# What changes whenever a day does. A transaction may end after a later one, so that of days at work
# the rows are counted too.
EDITIONS = """
SELECT wanted.day::text, last.xid::text, (
    SELECT count(*) FROM kakaocron.event WHERE day = wanted.day AND wanted.day >= %s::date
)
FROM unnest(%s::date[]) AS wanted (day)
JOIN LATERAL (
    SELECT xid FROM kakaocron.event WHERE day = wanted.day ORDER BY xid DESC LIMIT 1
) AS last ON true
"""

PRUNE_EVENTS = """
WITH gone AS (DELETE FROM kakaocron.event WHERE day < %s::date RETURNING day)
SELECT DISTINCT day::text FROM gone ORDER BY 1
"""

# The beats of the last complete tick stay, however old: nobody knew otherwise since when slots are
# owed.
PRUNE_BEATS = """
DELETE FROM kakaocron.beat WHERE at < %s::timestamptz AND at < (
    SELECT max(at) FROM kakaocron.beat WHERE word IN ('idle', 'done')
)
"""
