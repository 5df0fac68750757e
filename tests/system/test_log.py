"""The log: many processes write to it, and none takes another's lines away."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from kakaocron.system import log as logging_module
from kakaocron.system.log import BACKUPS, MAX_BYTES, log, log_to_file

PROCESSES = 20
LINES = 15
# Says that it is ready, waits for the word, and writes its lines.
WRITER = """
import sys
from pathlib import Path
from kakaocron.system import log
if int(sys.argv[3]):
    log.MAX_BYTES = int(sys.argv[3])
log.log_to_file(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[4])):
    log.log.info("📤 %s-%d", sys.argv[2], number)
"""

pytestmark = pytest.mark.usefixtures("uncounted")  # twenty processes at a time do one thing


def write_at_once(path: Path, lines: int, max_bytes: int = 0) -> set[str]:
    """Let real processes write to the log at one moment; return what each line ends with."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(number), str(max_bytes), str(lines)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(PROCESSES)
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        _, complaint = writer.communicate(timeout=60)
        assert (writer.returncode, complaint) == (0, b"")
    return {f"📤 {number}-{line}" for number in range(PROCESSES) for line in range(lines)}


def in_files(path: Path) -> list[str]:
    """Return the messages in the log and its older files, oldest first."""
    files = [path.with_name(f"{path.name}.{n}") for n in range(BACKUPS, 0, -1)] + [path]
    lines = [line for one in files if one.exists() for line in one.read_text().splitlines()]
    return [line.split(" - ")[2] for line in lines if " - " in line]


def test_twenty_processes_at_a_full_log_rotate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "kakaocron.log"
    full = b"x" * (MAX_BYTES - 1) + b"\n"
    path.write_bytes(full)
    for number in range(1, BACKUPS + 1):
        path.with_name(f"kakaocron.log.{number}").write_text(f"older {number}\n")

    expected = write_at_once(path, LINES)

    assert path.with_name("kakaocron.log.1").read_bytes().startswith(full)
    assert path.with_name("kakaocron.log.2").read_text() == "older 1\n"
    assert path.with_name("kakaocron.log.3").read_text() == "older 2\n"
    assert sorted(in_files(path)) == sorted(expected)
    assert len(list(tmp_path.glob("kakaocron.log*"))) == BACKUPS + 1


def test_a_log_that_another_process_rotates_just_now_is_not_rotated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, older = tmp_path / "kakaocron.log", tmp_path / "kakaocron.log.1"
    path.write_bytes(b"x" * MAX_BYTES)
    log_to_file(path)
    (handler,) = (one for one in log.handlers if isinstance(one, logging_module._RotatingFile))
    is_full = handler._is_full

    def is_full_until_now(more: int) -> bool:
        found = is_full(more)
        if found:
            path.rename(older)
            path.write_text("now - INFO - theirs\n")
        return found

    monkeypatch.setattr(handler, "_is_full", is_full_until_now)
    log.info("ours")

    assert older.stat().st_size == MAX_BYTES
    assert in_files(path) == ["theirs", "ours"]


def test_twenty_processes_lose_no_line_while_the_log_rotates_again_and_again(
    tmp_path: Path,
) -> None:
    """Each file takes a third of all lines, so that none is so old that it is removed."""
    path = tmp_path / "kakaocron.log"
    line = "2026-11-28 12:00:00 - INFO - 📤 19-14\n".encode()
    expected = write_at_once(path, LINES, max_bytes=len(line) * PROCESSES * LINES // 3)

    assert sorted(in_files(path)) == sorted(expected)
    assert path.with_name("kakaocron.log.1").exists()


def test_a_log_that_another_process_has_rotated_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "kakaocron.log"
    log_to_file(path)
    log.info("before")
    path.rename(tmp_path / "kakaocron.log.1")
    log.info("after")
    assert in_files(path) == ["before", "after"]
    assert "before" not in path.read_text()


@pytest.mark.parametrize(("more", "rotates"), [(-1, False), (0, False), (1, True)])
def test_a_log_holds_exactly_as_much_as_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, rotates: bool
) -> None:
    path = tmp_path / "kakaocron.log"
    log_to_file(path)
    log.info("x")
    size = path.stat().st_size
    monkeypatch.setattr("kakaocron.system.log.MAX_BYTES", 2 * size)
    log.info("%s", "x" * (1 + more))
    assert path.with_name("kakaocron.log.1").exists() is rotates


def test_a_log_that_cannot_be_rotated_grows_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kakaocron.system.log.MAX_BYTES", 10)
    path = tmp_path / "kakaocron.log"
    (tmp_path / "kakaocron.log.2").mkdir()
    (tmp_path / "kakaocron.log.3" / "x").mkdir(parents=True)
    log_to_file(path)
    for word in ("one", "two"):
        logging.getLogger("kakaocron").info(word)
    assert path.read_text().count("INFO") == 2


def test_a_pipe_or_a_device_in_the_place_of_the_log_is_not_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kakaocron.system.log.MAX_BYTES", 1)
    path = tmp_path / "kakaocron.log"
    path.symlink_to("/dev/null")
    log_to_file(path)
    log.info("to nobody")
    assert [one.name for one in tmp_path.iterdir() if one.is_symlink()] == ["kakaocron.log"]
