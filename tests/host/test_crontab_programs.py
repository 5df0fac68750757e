"""The `crontab` programs that there are, each with its own ways, and some that are broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kakaocron.cli import run
from kakaocron.host.crontab import SystemCrontab, may_gain_nothing
from kakaocron.host.probe import CommandResult, Machine
from kakaocron.system.programs import run_briefly

# Each as it was seen to behave; a user's crontab is the file $TAB.
CRON = """
case "$1" in
-l) [ -e "$TAB" ] || { echo "no crontab for k" >&2; exit 1; }; cat "$TAB" ;;
-r) [ -e "$TAB" ] || { echo "no crontab for k" >&2; exit 1; }; rm "$TAB" ;;
*) cat $1 > "$TAB.new"
   [ ! -s "$TAB.new" ] || [ -z "$(tail -c 1 "$TAB.new")" ] ||
       { echo "new crontab file is missing newline before EOF" >&2; exit 1; }
   mv "$TAB.new" "$TAB" ;;
esac
"""
BCRON = """
case "$1" in
-l) [ -e "$TAB" ] || { echo "bcrontab: Fatal: Crontab does not exist" >&2; exit 111; }
    cat "$TAB" ;;
-r) rm -f "$TAB" ;;
-) echo "bcrontab: Error: Too few command-line arguments" >&2
   echo "usage: bcrontab [-u user] file" >&2; exit 111 ;;
*) stat -c %a "$1" >> "$TAB.modes"; cat "$1" > "$TAB" ;;
esac
"""
BUSYBOX = """
case "$1" in
-l) [ -e "$TAB" ] || { echo "crontab: can't open 'k': No such file or directory" >&2; exit 1; }
    cat "$TAB" ;;
-r) rm -f "$TAB" ;;
*) cat $1 > "$TAB" ;;
esac
"""
SYSTEMD_CRON = """
case "$1" in
-l) [ -e "$TAB" ] || { echo "no crontab for k" >&2; exit 1; }; cat "$TAB" ;;
-r) rm -f "$TAB" ;;
-) cat > "$TAB" ;;
*) tr -d '\\r' < "$1" > "$TAB" ;;
esac
"""
PROGRAMS = {"cron": CRON, "bcron": BCRON, "busybox": BUSYBOX, "systemd-cron": SYSTEMD_CRON}
OWN_LINES = "# 내 줄\nMAILTO=me\n0 4 * * * true\n".encode()


@pytest.fixture
def tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set a configuration up; return where the stand-ins keep the crontab."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("TAB", str(tmp_path / "tab"))
    monkeypatch.setattr(Machine, "run", lambda *_: CommandResult(0, ""))
    run(["init", "--yes"])
    return tmp_path / "tab"


def be(tab: Path, program: str) -> None:
    """Put a `crontab` program on the path."""
    path = tab.with_name("bin") / "crontab"
    path.write_text(f"#!/bin/sh\n{program}")
    path.chmod(0o755)


def commands(tab: Path) -> bytes:
    return b"".join(line for line in tab.read_bytes().splitlines(True) if b"kakaocron tick" in line)


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_is_served_from_nothing_and_back(name: str, tab: Path) -> None:
    be(tab, PROGRAMS[name])
    assert run(["cron", "install"]) == 0
    assert commands(tab).startswith(b"* * * * * ")
    assert run(["cron", "uninstall"]) == 0
    assert not tab.exists()
    assert list(tab.parent.glob("kakaocron-crontab-*")) == []


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("lines", [OWN_LINES, b"# CRLF\r\n0 4 * * * true\r\n", b"# no newline"])
def test_each_is_served_beside_lines_that_stay_as_they_are(
    name: str, lines: bytes, tab: Path
) -> None:
    be(tab, PROGRAMS[name])
    tab.write_bytes(lines)
    assert run(["cron", "install"]) == 0
    assert tab.read_bytes().startswith(lines)
    assert commands(tab).startswith(b"* * * * * ")
    taken_out = run(["cron", "uninstall"])
    if name == "cron" and not lines.endswith(b"\n"):  # it would not take what was there before
        assert taken_out == 1
        assert tab.read_bytes().startswith(lines)
    else:
        assert taken_out == 0
        assert tab.read_bytes() == lines


def test_the_file_for_a_program_that_takes_no_input_is_its_users_alone(tab: Path) -> None:
    be(tab, BCRON)
    assert run(["cron", "install"]) == 0
    assert {*tab.with_name("tab.modes").read_text().split()} == {"600"}


def test_the_crontab_is_written_once_more_for_a_daemon_that_overlooked_it(
    tab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's cron compares whole seconds, and systemd-cron sleeps for one."""
    log = tab.with_name("calls")
    be(tab, f'echo "$1" >> {log}\n{CRON}')
    slept: list[float] = []
    monkeypatch.setattr("kakaocron.commands.cron.AGAIN_SECONDS", 2)
    monkeypatch.setattr(
        "kakaocron.system.clock.SystemClock.sleep", lambda _, seconds: slept.append(seconds)
    )
    run(["cron", "install"])
    assert log.read_text().split().count("-") == 2
    run(["cron", "install"])  # which changes nothing
    assert log.read_text().split().count("-") == 2
    log.write_text("")
    run(["cron", "uninstall"])  # to nothing: once more it is emptied and removed
    assert [word for word in log.read_text().split() if word != "-l"] == ["-r", "-", "-r"]
    assert slept == [2, 2]


def test_what_somebody_adds_between_the_two_writes_stays(
    tab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(tab, CRON)

    def edit(_: object, seconds: float) -> None:
        tab.write_bytes(tab.read_bytes() + b"0 1 * * * later\n")

    monkeypatch.setattr("kakaocron.system.clock.SystemClock.sleep", edit)
    assert run(["cron", "install"]) == 0
    assert tab.read_bytes().endswith(b"0 1 * * * later\n")


ENDLESS_CHILD = "sleep 60 & sleep 60"
BROKEN = {
    "hangs": (ENDLESS_CHILD, "did not end within"),
    "prints without an end": ("yes", "did not end within"),
    "lists nothing and complains": ("echo 'cannot read' >&2", "cannot read"),
    "is killed": ("kill -9 $$", "failed"),
    "is no program": ("\0", "crontab"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_program_is_told_in_a_line_and_nothing_is_lost(
    fault: str, tab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("kakaocron.host.crontab.TIMEOUT_SECONDS", 0.3)
    program, said = BROKEN[fault]
    be(tab, program)
    if fault == "is no program":
        (tab.with_name("bin") / "crontab").write_bytes(b"\x7fELF, but no more")
    tab.write_bytes(OWN_LINES)
    for command in ("install", "uninstall"):
        capsys.readouterr()
        assert run(["cron", command]) == 1
        told = capsys.readouterr().err
        assert said in told
        assert "nothing was changed" in told
        assert told.count("\n") == 1
        assert tab.read_bytes() == OWN_LINES


def let_it_hang(monkeypatch: pytest.MonkeyPatch, *, has_written: bool) -> None:
    """Let the program list, and hang where it is to write: before it has, or after."""

    def hang(words: list[str], *rest: Any) -> subprocess.CompletedProcess[bytes]:
        is_listing = words[1] == "-l"
        done = run_briefly(words, *rest) if is_listing or has_written else None
        if done is None or not is_listing:
            raise TimeoutError
        return done

    monkeypatch.setattr("kakaocron.host.crontab.run_briefly", hang)


def test_one_that_hangs_before_it_has_written_has_changed_nothing(
    tab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    be(tab, CRON)
    tab.write_bytes(OWN_LINES)

    let_it_hang(monkeypatch, has_written=False)
    assert run(["cron", "install"]) == 1
    assert "'crontab -' did not end within 20 s; nothing was changed" in capsys.readouterr().err
    assert tab.read_bytes() == OWN_LINES


def test_one_that_hangs_after_it_has_written_is_told_with_the_way_back(
    tab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    be(tab, CRON)
    tab.write_bytes(OWN_LINES)

    let_it_hang(monkeypatch, has_written=True)
    assert run(["cron", "install"]) == 1
    told = capsys.readouterr().err
    assert "what the crontab is now is not known" in told
    backup = Path(told.rpartition("crontab ")[2].strip())
    assert backup.read_bytes() == OWN_LINES


def test_one_that_fails_after_it_has_written_is_told_with_the_way_back(
    tab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    be(tab, f'[ "$1" != -l ] || [ ! -e "$TAB.written" ] || exit 1\n({CRON})\n'
       '[ "$1" = -l ] || touch "$TAB.written"')  # fmt: skip
    tab.write_bytes(OWN_LINES)
    assert run(["cron", "install"]) == 1
    told = capsys.readouterr().err
    assert "was written and cannot be read again" in told
    assert "crontab-backups" in told


DENIALS = (
    "crontabs/k/: fopen: Permission denied",
    "You (k) are not allowed to access to (crontab) because of pam configuration.",
    "crontab: must be suid to work properly",
    "Cannot open input file",
)


@pytest.mark.parametrize("said", DENIALS)
@pytest.mark.parametrize("is_bound", [True, False])
def test_a_program_without_its_rights_gets_one_hint_whatever_it_says(
    said: str,
    is_bound: bool,
    tab: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    be(tab, f"echo '{said}' >&2; exit 1")
    monkeypatch.setattr("kakaocron.host.crontab.may_gain_nothing", lambda: is_bound)
    assert run(["cron", "install"]) == 1
    told = capsys.readouterr().err
    assert said in told
    hints = ("no_new_privs", "lacks its set-group-ID")
    assert [hint in told for hint in hints] == [is_bound, not is_bound]


def test_a_program_that_has_its_rights_and_says_no_gets_no_hint(
    tab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    be(tab, "echo 'You (k) are not allowed to use this program (crontab)' >&2; exit 1")
    (tab.with_name("bin") / "crontab").chmod(0o2755)
    assert run(["cron", "install"]) == 1
    assert "again" not in capsys.readouterr().err


def test_the_bit_that_lets_no_program_gain_rights_is_seen() -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv here: apt-get install util-linux")
    ask = "from kakaocron.host.crontab import may_gain_nothing as bound; print(bound())"
    told = subprocess.run(
        ["setpriv", "--no-new-privs", sys.executable, "-c", ask],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "True\n"
    assert may_gain_nothing() is False


def test_doctor_gives_the_hint_of_a_refusal(tab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    be(tab, f"echo '{DENIALS[2]}' >&2; exit 1")
    run(["doctor"])
    assert "lacks its set-group-ID" in capsys.readouterr().out


def test_without_a_folder_for_the_file_nothing_is_changed(
    tab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(tab, BCRON)
    tab.write_bytes(OWN_LINES)
    monkeypatch.setattr(
        "kakaocron.host.crontab.NamedTemporaryFile",
        lambda **_: (_ for _ in ()).throw(OSError(28, "No space left on device")),
    )
    assert run(["cron", "install"]) == 1
    assert SystemCrontab().read() == OWN_LINES
