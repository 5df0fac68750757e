"""Making the tables of a shared ledger, and bringing them up to date."""

from __future__ import annotations

import psycopg

from kakaocron.errors import LedgerError
from kakaocron.ledger.postgres.connection import Database
from kakaocron.ledger.postgres.tables import MIGRATIONS, VERSION
from kakaocron.text.causes import parts

# Of all that make them at the same time one does, and the others find it done.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('kakaocron ledger init'))"
_HAS_TABLES = "SELECT to_regclass('kakaocron.ledger') IS NOT NULL"
_HAS_SCHEMA = "SELECT to_regnamespace('kakaocron') IS NOT NULL"


def make_tables(database: Database) -> tuple[int, int]:
    """Make what is missing, all or nothing; return the version before (0: there were none) and
    now. Raises LedgerError."""
    try:
        with database.connect() as connection, connection.transaction():
            ((encoding,),) = connection.execute("SHOW server_encoding")
            if encoding != "UTF8":
                told = parts("not-utf8-database", where=database.where, encoding=encoding)
                raise LedgerError(*told, which=f"encoding:{database.where}")
            connection.execute(_ALONE)
            ((has_schema,),) = connection.execute(_HAS_SCHEMA)
            if not has_schema:
                connection.execute("CREATE SCHEMA kakaocron")
            ((has_tables,),) = connection.execute(_HAS_TABLES)
            before = 0
            if has_tables:
                ((before,),) = connection.execute("SELECT version FROM kakaocron.ledger")
            if before > VERSION:
                told = parts("later-tables", where=database.where, found=before, known=VERSION)
                raise LedgerError(*told, which=f"newer:{database.where}")
            for script in MIGRATIONS[before:]:
                connection.execute(script)
            connection.execute("UPDATE kakaocron.ledger SET version = %s", [VERSION])
            return before, VERSION
    except psycopg.Error as error:
        raise database.unusable(error) from error
