"""Whose a data folder is: one configuration's, and both sides know.

Its `owner.json` names the configuration and the ledger's id, and says whether the ledger's own
folder was made: it too may be gone while the rest is there. A note beside the configuration names
the folders of its ledgers and their ids, so that a disk that is not mounted, an emptied folder, or
an environment that leads elsewhere is not taken for a new installation: whose slots would all be
sent again. `ticks.json` in the log folder says of which ledger the heartbeats there speak.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.errors import SEE_DOCTOR, UPGRADE, LedgerError, LockTimeoutError, UsageError
from kakaocron.files import PLAN_NAME
from kakaocron.language.words import _
from kakaocron.system.clock import Clock
from kakaocron.system.disk import (
    Disk,
    exists,
    locked,
    make_folders,
    read_file,
    reason,
    replace_file,
)
from kakaocron.system.places import Places, fallback_note

VERSION = 1
OWNER_NAME = "owner.json"
TICKS_NAME = "ticks.json"
LOCK_TIMEOUT_SECONDS = 10.0


class OtherInstallationError(UsageError):
    """The data folder is not this configuration's: nothing was done."""


class DataGoneError(LedgerError):
    """The data folder is this configuration's and what it held is not there: nothing was done."""


class Owner(Struct, frozen=True):
    """What `owner.json` says; `has_ledger` if the ledger's folder was made."""

    id: str
    config: str
    has_ledger: bool = False


class Note(Struct, frozen=True):
    """What the note beside a configuration says: the id of the ledger in each of its folders."""

    config: str
    ledgers: Mapping[str, str] = field(default_factory=dict)


def settled(places: Places, disk: Disk) -> Places:
    """Return the places as this configuration uses them, without writing anything.

    Raises OtherInstallationError, DataGoneError.
    """
    return _with_ticks(places, disk, _checked(places, disk))


def claim(places: Places, disk: Disk, clock: Clock, new_id: str) -> Places:
    """Do so before something is written; what belongs to nobody is this configuration's from now,
    and `new_id`, which no other process gives, is its ledger's.

    Raises OtherInstallationError, LedgerError, LockTimeoutError.
    """
    owner = _checked(places, disk)
    if owner is None:
        try:
            make_folders(disk, str(places.data))
            with locked(disk, clock, str(places.data / "owner.lock"), LOCK_TIMEOUT_SECONDS):
                owner = _checked(places, disk)  # another process may have been first
                if owner is None:
                    owner = _own(places, disk, Owner(new_id, str(places.config)))
        except OSError as error:
            raise _unwritable(places, error) from error
    elif not owner.has_ledger:  # as an earlier version has left it
        with (
            suppress(OSError, LockTimeoutError),
            locked(disk, clock, str(places.data / "owner.lock"), 0.0),
        ):
            owner = _own(places, disk, _checked(places, disk) or owner)
    note = _note(places, disk)
    data = str(places.data)
    if note.ledgers.get(data) != owner.id:
        _write_note(places, disk, {**note.ledgers, data: owner.id})
    if _ticks_id(places, disk) is None:
        _write_ticks(places, disk, owner)
    return _with_ticks(places, disk, owner)


def adopt(places: Places, disk: Disk, clock: Clock, new_id: str) -> str:
    """Make the data folder, as it is now, this configuration's, whose it was before; return what
    was done. Raises UsageError if that one still uses it, LedgerError, LockTimeoutError."""
    data = str(places.data)
    try:
        make_folders(disk, data)
        with locked(disk, clock, str(places.data / "owner.lock"), LOCK_TIMEOUT_SECONDS):
            known = _owner_anyhow(places, disk)
            if known and not _is_same(disk, known.config, str(places.config)):
                _check_is_gone(places, disk, known)
            has_ledger = exists(disk, places.ledger)
            id_ = known.id if known else new_id
            owner = _own(places, disk, Owner(id_, str(places.config)))
    except OSError as error:
        raise _unwritable(places, error) from error
    before = _note(places, disk).ledgers
    kept = {path: id_ for path, id_ in before.items() if _id_in(disk, path) == id_}
    _write_note(places, disk, {**kept, data: owner.id})
    if _ticks_id(places, disk) not in kept.values():
        _write_ticks(places, disk, owner)
    with suppress(OSError):  # what was found idle was found so of another ledger, maybe
        disk.unlink(str(places.log / PLAN_NAME))
    if known is None or not has_ledger:
        return _("'{data}' is the data folder of '{config}' from now on; its ledger is new").format(
            data=data, config=places.config
        )
    return _("'{data}' and the ledger in it are those of '{config}' from now on").format(
        data=data, config=places.config
    )


def _check_is_gone(places: Places, disk: Disk, owner: Owner) -> None:
    if exists(disk, owner.config):
        raise UsageError(
            _("'{config}' is still there and uses '{data}'; nothing was changed").format(
                config=owner.config, data=places.data
            ),
            _(
                "Remove or rename it first, or give '{config}' a data folder of its own: "
                "KAKAOCRON_DATA_DIR in '{env_file}'"
            ).format(config=places.config, env_file=places.env_file),
            which=f"used:{places.data}:{owner.config}",
        )


def _checked(places: Places, disk: Disk) -> Owner | None:
    """Return the owner, this configuration; None for a folder that may become its own."""
    note = _note(places, disk)  # first, as it is written last
    owner = _owner(places, disk)
    data, config = str(places.data), str(places.config)
    if owner is None:
        if data in note.ledgers:
            raise _gone(places, str(places.data / OWNER_NAME))
        if note.ledgers:
            raise _elsewhere(places, note, _("holds none of its own yet"))
        return None
    if not _is_same(disk, owner.config, config):
        raise OtherInstallationError(
            _(
                "The data folder '{data}' belongs to '{config}', not to '{other}'; nothing was done"
            ).format(data=data, config=owner.config, other=config),
            _(
                "Give this one a folder of its own: KAKAOCRON_DATA_DIR in '{env_file}'. If the "
                "file was only moved: {adopting}"
            ).format(env_file=places.env_file, adopting=_adopting(places)),
            which=f"others:{data}:{owner.config}",
        )
    if owner.has_ledger:
        with suppress(PermissionError):  # the ledger itself meets it, and says what to do
            if not exists(disk, places.ledger):
                raise _gone(places, places.ledger)
    if not note.ledgers or note.ledgers.get(data) == owner.id:
        return owner
    if data in note.ledgers or owner.id not in note.ledgers.values():
        raise _elsewhere(places, note, _("holds another one"))
    for path, id_ in note.ledgers.items():
        if id_ == owner.id and _id_in(disk, path) == id_ and not _is_same(disk, path, data):
            raise _elsewhere(places, note, _("holds a copy of it"))
    return owner


def _gone(places: Places, path: str) -> DataGoneError:
    return DataGoneError(
        _(
            "The ledger of '{config}' is gone: '{path}' is not there, and nothing is sent "
            "without it"
        ).format(config=places.config, path=path),
        _(
            "Is its disk not mounted? If it will not come back, begin a new ledger there: "
            "{adopting}"
        ).format(adopting=_adopting(places)),
        which=f"gone:{path}",
    )


def _elsewhere(places: Places, note: Note, what: str) -> OtherInstallationError:
    """Tell of a configuration that has a ledger already: two of them would send twice."""
    known = ", ".join(f"'{path}'" for path in note.ledgers)
    return OtherInstallationError(
        _(
            "The ledger of '{config}' is in {known}, and '{data}' {what}: what one has sent "
            "the other would send again; nothing was done"
        ).format(config=places.config, known=known, data=places.data, what=what),
        _(
            "Use the known folder: look at KAKAOCRON_DATA_DIR, XDG_DATA_HOME and HOME. If "
            "the other one is meant: {adopting}"
        ).format(adopting=_adopting(places)),
        which=f"elsewhere:{places.data}:{' '.join(note.ledgers)}",
    )


def _adopting(places: Places) -> str:
    return f"kakaocron config adopt --config {shlex.quote(str(places.config))}"


def _owner(places: Places, disk: Disk) -> Owner | None:
    """Return what the data folder says; None if it says nothing. Raises LedgerError."""
    path = str(places.data / OWNER_NAME)
    try:
        found = json.loads(read_file(disk, path))
        if found["v"] > VERSION:
            raise LedgerError(
                _("'{path}' was written by a later kakaocron; nothing was done").format(path=path),
                UPGRADE,
                which=f"newer:{path}",
            )
        return _owner_in(found)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LedgerError(
            _(
                "'{path}' cannot be read ({reason}), so that nobody knows whose data folder it "
                "is; nothing was done"
            ).format(path=path, reason=reason(error)),
            SEE_DOCTOR,
            which=f"read:{path}:{error.errno}",
        ) from error
    except (ValueError, TypeError, KeyError, RecursionError):
        raise LedgerError(
            _(
                "'{path}' is damaged, so that nobody knows whose data folder it is; nothing was "
                "done"
            ).format(path=path),
            _("If it is this configuration's: {adopting}").format(adopting=_adopting(places)),
            which=f"damaged:{path}",
        ) from None


def _owner_anyhow(places: Places, disk: Disk) -> Owner | None:
    texts = _texts_in(disk, str(places.data / OWNER_NAME), "id", "config")
    return Owner(texts[0], texts[1]) if texts else None


def _owner_in(found: Mapping[str, object]) -> Owner:
    return Owner(_text(found["id"]), _text(found["config"]), found.get("has_ledger") is True)


def _id_in(disk: Disk, data: str) -> str | None:
    """Return the id of the ledger in a folder, None if there is none that can be read."""
    texts = _texts_in(disk, f"{data}/{OWNER_NAME}", "id")
    return texts[0] if texts else None


def _texts_in(disk: Disk, path: str, *names: str) -> tuple[str, ...] | None:
    """Return some fields of a JSON file, in order; None unless each is there and a text."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        found = json.loads(read_file(disk, path))
        return tuple(_text(found[name]) for name in names)
    return None


def _own(places: Places, disk: Disk, owner: Owner) -> Owner:
    """Write down whose the data folder is, and make the ledger's own in it. Raises OSError."""
    make_folders(disk, places.ledger)
    owner = replace(owner, has_ledger=True)
    fields = {"v": VERSION, "id": owner.id, "config": owner.config, "has_ledger": True}
    replace_file(disk, str(places.data / OWNER_NAME), _json(fields))
    return owner


def _note(places: Places, disk: Disk) -> Note:
    """Return the configuration's note. One that was copied with its folder says nothing of this
    configuration; one that is lost or damaged is written again."""
    for path in _note_paths(places):
        try:
            found = json.loads(read_file(disk, path))
            note = Note(
                _text(found["config"]),
                {_text(data): _text(id_) for data, id_ in found["ledgers"].items()},
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
        is_copy = not _is_same(disk, note.config, str(places.config)) and _is_there(
            disk, note.config
        )
        return Note(str(places.config)) if is_copy else note
    return Note(str(places.config))


def _note_paths(places: Places) -> Iterator[str]:
    yield str(places.note)
    yield fallback_note(places)  # rarely asked for, and it takes its time


def _write_note(places: Places, disk: Disk, ledgers: Mapping[str, str]) -> None:
    """Write it beside the configuration, or, where that folder is read-only, among the user's
    states. Without any the data folder alone knows: that is less, and no reason to send nothing."""
    fields = {"v": VERSION, "config": str(places.config), "ledgers": dict(ledgers)}
    for path in _note_paths(places):
        with suppress(OSError):
            make_folders(disk, os.path.dirname(path))  # noqa: PTH120
            replace_file(disk, path, _json(fields))
            return


def _ticks_id(places: Places, disk: Disk) -> str | None:
    texts = _texts_in(disk, str(places.log / TICKS_NAME), "id")
    return texts[0] if texts else None


def _write_ticks(places: Places, disk: Disk, owner: Owner) -> None:
    with suppress(OSError):  # heartbeats may be lost at any time too
        make_folders(disk, str(places.log))
        fields = {"v": VERSION, "id": owner.id}
        replace_file(disk, str(places.log / TICKS_NAME), _json(fields), durable=False)


def _with_ticks(places: Places, disk: Disk, owner: Owner | None) -> Places:
    """Keep the heartbeats apart from those of another ledger over the same log folder."""
    known = _ticks_id(places, disk)
    if known is None or (owner is not None and known == owner.id):
        return places
    return replace(places, ticks=f"ticks-{owner.id if owner else 'none'}")


def _is_same(disk: Disk, one: str, other: str) -> bool:
    """Say whether two paths mean one file: by name, or through links and mounts."""
    if one == other:
        return True
    try:
        first, second = disk.stat(one), disk.stat(other)
    except OSError:
        return False
    return (first.device, first.inode) == (second.device, second.inode)


def _is_there(disk: Disk, path: str) -> bool:
    try:
        return exists(disk, path)
    except OSError:
        return False


def _json(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, indent=1).encode() + b"\n"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _unwritable(places: Places, error: OSError) -> LedgerError:
    what = os.strerror(error.errno) if error.errno else str(error)
    return LedgerError(
        _(
            "The data folder '{data}' cannot be written ({what}), and nothing is sent without it"
        ).format(data=places.data, what=what),
        SEE_DOCTOR,
        which=f"written:{places.data}:{error.errno}",
    )
