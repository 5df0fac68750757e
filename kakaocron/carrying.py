"""The whole ledger carried over: from files into a database that hosts share, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from kakaocron.errors import Exit, LedgerError, UsageError
from kakaocron.installation import Installation, make_heartbeat, make_ledger
from kakaocron.language.words import _
from kakaocron.ledger.beats import Word
from kakaocron.ledger.day_file import parse_day
from kakaocron.ledger.events import DamagedLineError, from_line
from kakaocron.ledger.files import FileLedger
from kakaocron.sharing import make_database
from kakaocron.system.disk import Disk, make_folders, read_file, replace_file, why
from kakaocron.text.causes import parts

if TYPE_CHECKING:
    from kakaocron.ledger.postgres.connection import Database

# So far back the ticks' trace is carried over: nothing older decides anything.
BEATS_FOR = timedelta(days=3)


class Copied(Struct, frozen=True):
    """What was carried over, and whether the ledger is there from now on."""

    days: int
    lines: int
    is_moved: bool


def database_at(here: Installation, url: str | None = None) -> Database:
    """Return the database at an address, of the shared ledger without one. Raises UsageError."""
    edges = here.edges
    return make_database(here.places, here.config, edges.clock, url, edges.make_asker)


def is_url(target: str) -> bool:
    return target.startswith(("postgresql://", "postgres://"))


def into_database(here: Installation, url: str) -> Copied:
    """Carry the ledger of the data folder into a database. If that is the configured one, the files
    are written to no more. Raises UsageError, LedgerError, LockTimeoutError."""
    from kakaocron.ledger.postgres.beats import hand_on  # noqa: PLC0415 - an extra
    from kakaocron.ledger.postgres.carrying import into_database as put  # noqa: PLC0415 - likewise

    database = database_at(here, url)
    if here.shared and here.shared.database.where == database.where:
        database = database_at(here)  # with the password, which need not stand on a command line
    files, disk = make_ledger(here.places, here.edges), here.edges.disk
    is_moved = here.shared is not None and here.shared.database.where == database.where
    with files.open(even_moved=True) as book:
        for day in files.days():
            # By a ledger of its own: one that has read them all has them all in memory.
            for what in make_ledger(here.places, here.edges).damage([day]).values():
                raise LedgerError(
                    _("The ledger of {day} is damaged, so nothing was carried over").format(
                        day=day
                    ),
                    _("The next tick sets the damage aside"),
                    what,
                )
        days = ((day, list(_lines(read_file(disk, files.path(day))))) for day in files.days())
        done = put(database, database.host, days, _documents(here))
        own = make_heartbeat(here.places, disk)
        known = [day for day in own.days() if day >= book.now.date() - BEATS_FOR]
        hand_on(database, database.host, (beat for day in known for beat in own.read(day)))
        if is_moved:
            files.note_moved(database.where)
    if is_moved:
        for login in here.logins.values():
            login.share()
    return Copied(done.days, done.lines, is_moved)


def _documents(here: Installation) -> dict[str, str]:
    """Return what else is to be carried over, by its name in the database."""
    host = here.shared.host if here.shared else ""
    paths = {"pauses": here.places.pauses, f"timetables {host}": here.places.timetables}
    found = {}
    for name, path in paths.items():
        with suppress(FileNotFoundError):
            found[name] = read_file(here.edges.disk, path).decode()
    return found


def _lines(content: bytes) -> Iterator[bytes]:
    """Yield the whole lines of a day's file. What was set aside of it stays where it is, and what
    was never finished counts as nothing."""
    for line in content.split(b"\n"):
        with suppress(DamagedLineError):
            from_line(line)
            yield line + b"\n"


def into_folder(here: Installation, folder: str) -> Copied:
    """Carry the shared ledger into a folder. If that is the one of the configured data folder, the
    database is written to no more. Raises UsageError, LedgerError."""
    from kakaocron.ledger.postgres.carrying import out_of_database  # noqa: PLC0415 - an extra

    shared = here.shared
    if shared is None:
        return _from_files(here, folder)
    files, disk = make_ledger(here.places, here.edges), here.edges.disk
    is_moved = folder == files.folder
    with out_of_database(database_at(here), folder if is_moved else None) as found:
        days, documents = found
        written = _write_days(disk, folder, days)
        if is_moved:
            _take_back(here, files, documents, written)
    if is_moved:
        files.note_moved(None)
    return Copied(len(written), sum(written.values()), is_moved)


def _from_files(here: Installation, folder: str) -> Copied:
    files, disk = make_ledger(here.places, here.edges), here.edges.disk
    if folder == files.folder:
        raise UsageError(_("'{folder}' is the ledger itself").format(folder=folder))
    with files.open():
        days = ((day, list(_lines(read_file(disk, files.path(day))))) for day in files.days())
        written = _write_days(disk, folder, days)
    return Copied(len(written), sum(written.values()), is_moved=False)


def _write_days(
    disk: Disk, folder: str, days: Iterable[tuple[date, Sequence[bytes]]]
) -> dict[date, int]:
    """Write a file for each day; return how many lines of each were not there before."""
    written = {}
    try:
        make_folders(disk, folder)
        for day, lines in days:
            path = f"{folder}/{day.isoformat()}.jsonl"
            known: list[bytes] = []
            with suppress(FileNotFoundError):
                known = list(_lines(read_file(disk, path)))
            if list(lines[: len(known)]) != known:
                raise UsageError(
                    _("'{path}' holds other history than the ledger").format(path=path),
                    _("Give a folder that is empty"),
                    which=f"other-history:{path}",
                )
            written[day] = len(lines) - len(known)
            if written[day]:
                replace_file(disk, path, b"".join(lines))
    except OSError as error:
        raise LedgerError(
            *parts("ledger-unwritable", folder=folder, **why(error)),
            which=f"written:{folder}:{error.errno}",
        ) from error
    return written


def _take_back(
    here: Installation,
    files: FileLedger,
    documents: Mapping[str, str],
    written: Iterable[date],
) -> None:
    """Make the files what the ticks of this host go by."""
    disk, now, shared = here.edges.disk, here.clock.now(), here.shared
    assert shared is not None  # noqa: S101 - by the caller
    names = {"pauses": here.places.pauses, f"timetables {shared.host}": here.places.timetables}
    for name, path in names.items():
        if name in documents:
            replace_file(disk, path, documents[name].encode())
    last = shared.heartbeat.last_complete(now)
    if last is not None:  # of whichever host: since then slots are owed
        files.heartbeat.beat(last, Word.DONE, Exit.FINE)
    for day in written:
        end = parse_day(day, read_file(disk, files.path(day))).end
        files.heartbeat.reset(day, now, end)
        files.heartbeat.sync(day)
