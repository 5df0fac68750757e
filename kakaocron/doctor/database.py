"""The database of a shared ledger, and the hosts that share it."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING

from kakaocron.doctor.finding import Bench, Finding, fail, installed, ok, warn
from kakaocron.errors import KakaocronError
from kakaocron.language.words import _
from kakaocron.ledger.hosts import AT_WORK

if TYPE_CHECKING:
    from kakaocron.ledger.postgres.sharing import Shared

OLDEST_VERSION = 13
SLOW_SECONDS = 0.1
TRIES = 5
TABLES = ("event", "beat", "host", "document", "lease")
_RIGHTS = """
SELECT name || ': ' || privilege
FROM unnest(%s::text[]) AS name, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
WHERE NOT has_table_privilege('kakaocron.' || name, privilege)
"""
_SETTINGS = """
SELECT name, setting FROM pg_settings WHERE name = ANY(ARRAY[
    'server_version_num', 'server_version', 'synchronous_standby_names', 'synchronous_commit',
    'fsync', 'full_page_writes'
])
"""
# Others than a standby follow the log, too: no server takes over from what they write.
_STANDBYS = """
SELECT count(*) FROM pg_stat_replication
WHERE application_name NOT IN ('pg_basebackup', 'pg_receivewal')
"""


def database(bench: Bench) -> Iterator[Finding]:
    shared = installed(bench).shared
    if shared is None:
        return
    try:
        yield from _database(shared)
    except KakaocronError as error:
        yield fail("database", error.what, error.mend or _("Look at the server"))


def _database(shared: Shared) -> Iterator[Finding]:
    where = shared.database.where
    settings: dict[str, str] = dict(shared.database.ask(_SETTINGS))
    version = settings["server_version"]
    said = _("'{where}', PostgreSQL {version}, as host {host}").format(
        where=where, version=version, host=shared.host
    )
    if int(settings["server_version_num"]) < OLDEST_VERSION * 10_000:
        yield fail("database", said, _("PostgreSQL 13 or later is needed"))
    else:
        yield ok("database", said)
    yield _rights(shared)
    yield from _durability(shared, settings)
    yield from _connection(shared)
    yield _clock(shared)
    yield _latency(shared)
    yield from _hosts(shared)


def _rights(shared: Shared) -> Finding:
    missing = [one for (one,) in shared.database.ask(_RIGHTS, list(TABLES))]
    if missing:
        said = _("the role lacks: {missing}").format(missing=", ".join(missing))
        return fail("database-rights", said, _("Give it the rights in docs/hosts.md"))
    return ok("database-rights", _("the role may do what is needed"))


def _durability(shared: Shared, settings: dict[str, str]) -> Iterator[Finding]:
    """Say what can make the database forget a claim, after which a message may go out twice."""
    name, commit = "database-durability", settings["synchronous_commit"]
    ((standbys,),) = shared.database.ask(_STANDBYS)
    if settings["fsync"] == "off" or settings["full_page_writes"] == "off" or commit == "off":
        said = _("a crash of the server can forget a claim: a message may go out twice")
        yield fail(name, said, _("Set fsync, full_page_writes and synchronous_commit to on"))
    elif standbys and (not settings["synchronous_standby_names"] or commit == "local"):
        said = _(
            "{count} standbys, none of which is waited for: a fail-over can forget a claim, and a "
            "message may go out twice"
        ).format(count=standbys)
        yield fail(name, said, _("Set synchronous_standby_names and synchronous_commit = on"))
    elif settings["synchronous_standby_names"]:
        said = _("a claim is on a standby before anything leaves ({names})").format(
            names=settings["synchronous_standby_names"]
        )
        yield ok(name, said)
    else:
        yield ok(name, _("one server, no standby; a claim is on its disk before anything leaves"))


def _connection(shared: Shared) -> Iterator[Finding]:
    mode = shared.database.pooling()
    if mode is not None:
        said = _("through a pooler in {mode} mode, such as PgBouncer: nothing depends on a session")
        yield ok("database-pooler", said.format(mode=mode))
    weak = shared.database.weak_timeouts()
    if weak:
        said = _("the address sets {names}: a server that has gone silent is noticed late").format(
            names=", ".join(weak)
        )
        yield warn("database-timeouts", said, _("Leave them out of [ledger] url"))
    else:
        yield ok("database-timeouts", _("a server that has gone silent is noticed in seconds"))


def _clock(shared: Shared) -> Finding:
    try:
        shared.database.look_at_clock()
    except KakaocronError as error:
        return fail("clock-database", error.what, error.mend)
    offset = shared.clock.offset
    seconds = offset.total_seconds() if offset else 0.0
    return ok("clock-database", _("{seconds:+.2f} s off the database's").format(seconds=seconds))


def _latency(shared: Shared) -> Finding:
    taken = []
    for _time in range(TRIES):
        before = shared.clock.monotonic()
        with shared.alone(f"doctor {shared.host}", 1.0):
            taken.append(shared.clock.monotonic() - before)
    seconds = median(taken)
    said = _("a claim takes {milliseconds:.1f} ms").format(milliseconds=seconds * 1000)
    if seconds < SLOW_SECONDS:
        return ok("database-latency", said)
    mend = _("Bring hosts, server and standby closer together; on their way, set TCP_NODELAY")
    return warn("database-latency", said, mend)


def _hosts(shared: Shared) -> Iterator[Finding]:
    now = shared.clock.now()
    for host in shared.heartbeat.hosts():
        said = _("{name}: last tick {at:%Y-%m-%d %H:%M:%S}, kakaocron {version}").format(
            name=host.name, at=host.last_tick, version=host.version
        )
        if host.last_tick < now - AT_WORK:
            mend = _("If it is to send: kakaocron doctor there")
            yield warn("host", said, mend)
        else:
            yield ok("host", said)
