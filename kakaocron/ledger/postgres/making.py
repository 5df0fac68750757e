"""Making the tables of a shared ledger, and bringing them up to date."""

from __future__ import annotations

from kakaocron.errors import LedgerError
from kakaocron.ledger.postgres.connection import Database
from kakaocron.ledger.postgres.tables import MIGRATIONS, VERSION
from kakaocron.text.causes import parts

# Of all that make them at the same time one does, and the others find it done.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('kakaocron ledger init'))"


def make_tables(database: Database) -> int:
    """Make what is missing, all or nothing; return the version before (0: there were none).
    Raises LedgerError."""
    with database.transaction() as connection:
        ((encoding,),) = connection.execute("SHOW server_encoding")
        if encoding != "UTF8":
            told = parts("not-utf8-database", where=database.where, encoding=encoding)
            raise LedgerError(*told, which=f"encoding:{database.where}")
        connection.execute(_ALONE)
        ((schema, table),) = connection.execute(
            "SELECT to_regnamespace('kakaocron')::text, to_regclass('kakaocron.ledger')::text"
        )
        if schema is None:
            connection.execute("CREATE SCHEMA kakaocron")
        before = 0
        if table is not None:
            ((before,),) = connection.execute("SELECT version FROM kakaocron.ledger")
        if before > VERSION:
            told = parts("later-tables", where=database.where, found=before, known=VERSION)
            raise LedgerError(*told, which=f"newer:{database.where}")
        for script in MIGRATIONS[before:]:
            connection.execute(script)
        connection.execute("UPDATE kakaocron.ledger SET version = %s", [VERSION])
        return int(before)
