"""What the system has against a file is said with the file and its owner."""

from __future__ import annotations

import errno
import os
import pwd  # noqa: F401 - it cannot be loaded any more as another user
import tempfile
from datetime import date
from pathlib import Path

import pytest

from kakaocron.errors import Cause, LedgerError
from kakaocron.host.probe import Machine
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import speak
from kakaocron.ledger.files import FileLedger
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.system.belonging import settled
from kakaocron.system.clock import SystemClock
from kakaocron.system.disk import RealDisk, reason, why
from kakaocron.system.places import find_places
from kakaocron.text.causes import in_words


def open_to_others(folder: Path) -> None:
    """Let every user into a folder that pytest made, and through those that it lies in."""
    for one in (folder, *folder.parents):
        if Path(tempfile.gettempdir()) in one.parents:
            one.chmod(one.stat().st_mode | 0o055)


@pytest.mark.parametrize("of_root", ["ledger/2026-11-23.jsonl", "ledger.lock"])
def test_the_error_names_the_file_of_the_ledger_that_root_has_left(
    tmp_path: Path, of_root: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("files are made as root, and used as another user")
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    for path in (ledger, tmp_path):
        os.chown(path, 65534, 65534)
    open_to_others(tmp_path)
    (tmp_path / of_root).touch(mode=0o600)

    os.seteuid(65534)
    try:
        with (
            pytest.raises(LedgerError) as error,
            FileLedger(
                str(ledger), RealDisk(), SystemClock(), Heartbeat(str(ledger), RealDisk(), "")
            ).open() as book,
        ):
            book.read([date(2026, 11, 23)])
    finally:
        os.seteuid(0)

    assert f"Permission denied: '{tmp_path / of_root}' is root's" in str(error.value)


def test_what_lies_behind_a_folder_of_roots_is_named_with_the_folder(tmp_path: Path) -> None:
    """A first run as root leaves folders that the user cannot even look into."""
    if os.geteuid() != 0:
        pytest.skip("folders are made as root, and used as another user")
    open_to_others(tmp_path)

    class Nobody(Machine):
        def uid(self) -> int:
            return 65534

    data = tmp_path / ".local/share/kakaocron"
    data.mkdir(parents=True)
    (tmp_path / ".local").chmod(0o700)
    (data / "owner.json").touch()
    environment = {"HOME": str(tmp_path), "KAKAOCRON_DATA_DIR": str(data)}
    places = find_places(tmp_path / "config.toml", environment)

    os.seteuid(65534)
    try:
        with pytest.raises(LedgerError) as error:
            settled(places, RealDisk())
        foreign = Nobody().not_mine([str(data), str(data / "ledger"), str(tmp_path / "absent")])
    finally:
        os.seteuid(0)

    local = tmp_path / ".local"
    assert f"(Permission denied: '{local}' is root's), so that nobody" in str(error.value)
    assert foreign == [(str(local), "root")]


def test_a_file_of_ones_own_has_no_other_owner(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    denied = PermissionError(errno.EACCES, "Permission denied", str(path))
    assert reason(denied) == f"Permission denied: '{path}'"
    gone = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "absent"))
    assert reason(gone) == f"Permission denied: '{tmp_path / 'absent'}'"
    assert reason(OSError(errno.ENOSPC, "x", str(path))) == "No space left on device"
    assert reason(OSError("another process writes to it too")) == "another process writes to it too"


def test_what_the_system_has_against_a_file_is_kept_as_codes_and_said_in_each_language(
    tmp_path: Path,
) -> None:
    (tmp_path / "x").touch()
    if os.geteuid() == 0:
        os.chown(tmp_path / "x", 65534, 65534)
    of_another = str(tmp_path / "x") if os.geteuid() == 0 else "/"
    denied = PermissionError(errno.EACCES, "Permission denied", of_another)
    owner = "nobody" if os.geteuid() == 0 else "root"
    speak(catalogue_of("ko"))
    facts = {"reason": "Permission denied", "file": of_another, "owner": owner}
    assert why(denied) == {"behind": "denied-by-owner", **facts}
    told = in_words(Cause("ledger-unreadable", {"folder": "/a", **why(denied)}))
    assert f"(권한이 없어요: '{of_another}'의 주인은 {owner})" in told
    speak(None)
    told = in_words(Cause("ledger-unreadable", {"folder": "/a", **why(denied)}))
    assert f"(Permission denied: '{of_another}' is {owner}'s)" in told
