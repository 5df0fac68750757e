"""The crontab: whatever else is in it stays as it is, byte by byte."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.errors import UsageError
from kakaocron.host.crontab import (
    END,
    LONGEST_LINE_BYTES,
    CrontabError,
    Job,
    SystemCrontab,
    install,
    other_lines,
    stray_lines,
    uninstall,
    with_block,
)
from kakaocron.host.systemd import units_of

JOB = Job(("/home/me/.venv/bin/kakaocron",), Path("/home/me/.config/kakaocron/config.toml"))


@dataclass
class FakeCrontab:
    """A user's crontab in memory. `lists` and `takes` say how many more calls go well."""

    content: bytes | None
    lists: int = 99
    takes: int = 99
    lies: bool = False
    writes: list[bytes | None] = field(default_factory=list)

    def read(self) -> bytes | None:
        self.lists -= 1
        if self.lists < 0:
            raise CrontabError("'crontab -l' failed (cannot chdir); nothing was changed")
        return self.content

    def write(self, content: bytes) -> None:
        self._change(content)

    def remove(self) -> None:
        self._change(None)

    def _change(self, content: bytes | None) -> None:
        self.writes.append(content)
        self.takes -= 1
        if self.takes < 0:
            raise CrontabError("'crontab -' failed (no space left)")
        if not self.lies:
            self.content = content


LINES = (
    b"MAILTO=me@example.com",
    b"SHELL=/bin/bash",
    b"# a comment, \xed\x95\x9c\xea\xb8\x80, \xff\xfe not UTF-8",
    b"0 4 * * * date +\\%F >> /tmp/log",
    b"*/5 * * * * echo 100% of it%second line%third",
    b"@reboot /usr/bin/true",
    b"",
    b"   ",
    b"\t# tab",
    b"* * * * * /opt/other/kakaocron tick --config /other/config.toml",
    b"# kakaocron begin: /another/config.toml\n* * * * * x\n# kakaocron end",
    b"# kakaocron end",
    b"x" * 5000,
    b"\x00nul",
)


def a_crontab(seed: int) -> bytes | None:
    rng = random.Random(seed)
    if rng.random() < 0.05:
        return None
    lines = [
        rng.choice(LINES) if rng.random() < 0.9 else rng.randbytes(rng.randrange(80))
        for _ in range(rng.randrange(12))
    ]
    ending = rng.choice([b"\n", b"\n", b"\r\n"])
    text = ending.join(lines)
    return text + ending if rng.random() < 0.8 else text


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[Path]:
    """A place for backups, in memory where there is one: thousands are written."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder) / "backup"


@pytest.mark.usefixtures("uncounted")
def test_ten_thousand_crontabs_keep_every_foreign_byte(backup: Path) -> None:
    for seed in range(10_000):
        before = a_crontab(seed)
        crontab = FakeCrontab(before)
        assert install(crontab, JOB, backup)
        assert backup.read_bytes() == (before or b"")
        installed = crontab.content or b""
        assert installed.startswith(before or b"")
        assert JOB.line + b"\n" + END + b"\n" in installed[len(before or b"") :]
        assert installed.endswith(b"\n")
        assert not install(crontab, JOB, backup)
        assert uninstall(crontab, JOB, backup)
        assert backup.read_bytes() == installed
        assert (crontab.content or b"") == (before or b"")
        assert len(crontab.writes) == 2


@pytest.mark.usefixtures("uncounted")
def test_ten_thousand_broken_programs_cost_no_foreign_byte(backup: Path) -> None:
    """Listing fails at the first or second call: nothing is written. A write fails or is a lie:
    nothing has changed. The look after it fails: the old crontab is still a part of the new."""
    kinds = ({"lists": 0}, {"lists": 1}, {"lists": 2}, {"takes": 0}, {"lies": True})
    for seed in range(10_000):
        before, fault = a_crontab(seed), kinds[seed % len(kinds)]
        crontab = FakeCrontab(before, **fault)
        with pytest.raises(CrontabError):
            install(crontab, JOB, backup)
        if fault.get("lists") == 2:
            assert crontab.content == with_block(before or b"", JOB)
            assert backup.read_bytes() == (before or b"")
        else:
            assert crontab.content == before
            assert len(crontab.writes) == ("lists" not in fault)


def test_a_write_that_fails_or_is_a_lie_is_told_and_the_backup_stands(tmp_path: Path) -> None:
    for crontab in (
        FakeCrontab(b"0 0 * * * x\n", takes=0),
        FakeCrontab(b"0 0 * * * x\n", lies=True),
    ):
        backup = tmp_path / "backup"
        with pytest.raises(CrontabError):
            install(crontab, JOB, backup)
        assert backup.read_bytes() == b"0 0 * * * x\n"
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_without_a_backup_nothing_is_written() -> None:
    crontab = FakeCrontab(b"0 0 * * * x\n")
    with pytest.raises(CrontabError, match="backup"):
        install(crontab, JOB, Path("/proc/no/backup"))
    assert crontab.writes == []


def test_a_change_by_somebody_else_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    class Edited(FakeCrontab):
        def read(self) -> bytes | None:
            self.content = (self.content or b"") + b"# one more\n"
            return self.content

    crontab = Edited(b"")
    with pytest.raises(CrontabError, match="meanwhile"):
        install(crontab, JOB, tmp_path / "backup")
    assert crontab.writes == []


def test_what_was_added_after_the_installation_stays(tmp_path: Path) -> None:
    crontab = FakeCrontab(b"# no newline")
    install(crontab, JOB, tmp_path / "backup")
    crontab.content = (crontab.content or b"") + b"0 1 * * * later\n"
    uninstall(crontab, JOB, tmp_path / "backup")
    assert crontab.content == b"# no newline\n0 1 * * * later\n"


def test_a_moved_installation_replaces_its_own_line(tmp_path: Path) -> None:
    crontab = FakeCrontab(b"0 0 * * * x\n")
    install(crontab, JOB, tmp_path / "backup")
    install(crontab, Job(("/new/kakaocron",), JOB.config), tmp_path / "backup")
    assert crontab.content is not None
    assert crontab.content.count(b"* * * * * ") == 1
    assert b"/new/kakaocron" in crontab.content


def test_a_block_without_its_end_is_left_alone(tmp_path: Path) -> None:
    crontab = FakeCrontab(JOB.mark + b"\n" + JOB.line + b"\n0 0 * * * mine\n")
    for change in (install, uninstall):
        with pytest.raises(CrontabError, match="crontab -e"):
            change(crontab, JOB, tmp_path / "backup")
    assert crontab.writes == []


def test_other_lines_that_run_a_tick_are_seen() -> None:
    found = other_lines(b"* * * * * kakaocron tick\n# kakaocron tick\n" + with_block(b"", JOB), JOB)
    assert found == ["* * * * * kakaocron tick"]


def test_the_block_of_another_configuration_is_no_stray_line() -> None:
    other = Job(("/opt/kakaocron", "tick"), Path("/other/config.toml"), ())
    content = with_block(with_block(b"* * * * * kakaocron tick\n", other), JOB)

    assert stray_lines(content, JOB) == ["* * * * * kakaocron tick"]
    assert len(other_lines(content, JOB)) == 2


@pytest.mark.parametrize("path", ["/a b/c.toml", "/100%/c.toml", "/it's/c.toml", "/$HOME/`x`.toml"])
def test_the_line_means_the_same_to_cron_and_the_shell(path: str) -> None:
    job = Job(("/bin/echo",), Path(path), (("KAKAOCRON_DATA_DIR", "/d d%"),))
    command = job.line.decode().removeprefix("* * * * * ")
    as_cron_gives_it = command.replace("\\%", "%")
    said = subprocess.run(["/bin/sh", "-c", as_cron_gives_it], stdout=subprocess.PIPE, check=True)
    assert said.stdout.decode() == f"tick --config {path}\n"
    assert "%" not in command.replace("\\%", "")


@pytest.mark.parametrize(
    ("asks", "ticks"), [("/bin/true", False), ("/bin/false", True), ("/no/such/python", True)]
)
@pytest.mark.parametrize("path", ["/a b/c.toml", "/100%/c.toml", "/it's/c.toml", "/$HOME/`x`.toml"])
def test_a_tick_runs_unless_a_cheaper_program_says_that_there_is_nothing_to_do(
    path: str, asks: str, ticks: bool, tmp_path: Path
) -> None:
    """Both have the same settings; should the cheaper one be gone, each tick runs, and silently."""
    program = tmp_path / "a 100% b" / "kakaocron"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$*" "$KAKAOCRON_CONFIG" "$KAKAOCRON_DATA_DIR"\n')
    program.chmod(0o755)
    is_idle = (asks, "-I", "-S", str(program.with_name("is_idle.py")))
    job = Job((str(program),), Path(path), (("KAKAOCRON_DATA_DIR", "/d d%"),), is_idle)
    command = job.line.decode().removeprefix("* * * * * ")
    assert "%" not in command.replace("\\%", "")
    command = command.replace("\\%", "%")
    said = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True, text=True)
    assert (said.stdout, said.stderr) == (f"tick {path} /d d%\n" if ticks else "", "")


def test_where_cron_would_not_take_the_whole_line_it_is_the_tick_alone() -> None:
    is_idle = ("/python", "-I", "-S", "/" + "x" * 400 + "/is_idle.py")
    whole = []
    for length in (100, 400, 900):
        job = Job(("/kakaocron",), Path("/" + "c" * length), is_idle=is_idle)
        assert len(job.line) <= LONGEST_LINE_BYTES
        whole.append("is_idle" in job.command)
        assert whole[-1] or job.command == job.tick
    assert whole == [True, True, False]


def test_a_line_that_cron_would_refuse_is_refused_here() -> None:
    with pytest.raises(UsageError, match="shorter path"):
        _ = Job(("/k",), Path("/" + "x" * 1000)).line
    with pytest.raises(UsageError, match="line break"):
        _ = Job(("/k",), Path("/a\nb")).line


def test_the_timer_is_on_the_minute_to_the_second() -> None:
    texts = units_of(Job(("/opt/a b/kakaocron",), Path("/100%/$x.toml"), (("LOG_LEVEL", "DEBUG"),)))
    assert "AccuracySec=1s" in texts["kakaocron.timer"]
    assert "RandomizedDelaySec=0" in texts["kakaocron.timer"]
    assert "OnFailure=" in texts["kakaocron.service"]
    service = texts["kakaocron.service"].split("\n")
    assert 'ExecStart="/opt/a b/kakaocron" tick --config /100%%/$$x.toml' in service
    assert "Environment=LOG_LEVEL=DEBUG" in service


def test_systemd_units_are_written_once_and_removed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["init", "--yes"])
    assert run(["cron", "install", "--systemd"]) == 0
    folder = home / ".config" / "systemd" / "user"
    assert {path.name for path in folder.iterdir()} == {"kakaocron.service", "kakaocron.timer"}
    capsys.readouterr()
    assert run(["cron", "install", "--systemd"]) == 0
    assert "there already" in capsys.readouterr().out
    assert run(["cron", "uninstall", "--systemd"]) == 0
    assert list(folder.iterdir()) == []


FAKE = """#!/bin/sh
# A stand-in for `crontab` on a file; FAULT says what goes wrong.
case "$1 $FAULT" in
"-l broken") echo "crontab: cannot chdir(/var/spool/cron)" >&2; exit 1 ;;
"-l half") head -c 3 "$TAB"; echo "no crontab for x" >&2; exit 1 ;;
"-l killed") kill -9 $$ ;;
"-l "*) [ -e "$TAB" ] || { echo "no crontab for x" >&2; exit 1; }; cat "$TAB" ;;
"-r "*) rm "$TAB" ;;
"- refuses") echo "errors in crontab file, can't install." >&2; exit 1 ;;
"- lies") cat > /dev/null ;;
*) cat > "$TAB" ;;
esac
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in for the `crontab` program on the path; return its crontab."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "crontab").write_text(FAKE)
    (folder / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("TAB", str(tmp_path / "tab"))
    monkeypatch.setenv("FAULT", "none")
    run(["init", "--yes"])
    return tmp_path / "tab"


def test_install_and_uninstall_as_commands(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program.write_bytes(b"0 0 * * * mine \xff\n")
    assert run(["cron", "install"]) == 0
    assert b" tick\n" in program.read_bytes()
    said = capsys.readouterr().out
    assert run(["cron", "show"]) == 0
    assert capsys.readouterr().out.strip() in said
    before = program.stat().st_mtime_ns
    assert run(["cron", "install"]) == 0
    assert program.stat().st_mtime_ns == before
    assert run(["cron", "uninstall"]) == 0
    assert program.read_bytes() == b"0 0 * * * mine \xff\n"


@pytest.mark.parametrize("fault", ["broken", "half", "killed", "refuses", "lies"])
def test_a_broken_crontab_program_is_told_and_changes_nothing(
    program: Path, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program.write_bytes(b"0 0 * * * mine\n")
    monkeypatch.setenv("FAULT", fault)
    assert run(["cron", "install"]) == 1
    assert "crontab" in capsys.readouterr().err
    assert program.read_bytes() == b"0 0 * * * mine\n"


def test_no_crontab_program_names_the_ways_out(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["init", "--yes"])
    monkeypatch.setenv("PATH", str(home))
    assert run(["cron", "install"]) == 1
    assert "--systemd" in capsys.readouterr().err


USER = "games"


class OfUser(SystemCrontab, frozen=True):
    """The real program, as a user of this machine who has no crontab."""

    def _run(self, argument: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["crontab", argument],
            input=stdin,
            capture_output=True,
            check=False,
            user=USER,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            cwd="/",
        )


@pytest.fixture
def real() -> Iterator[OfUser]:
    if os.getuid() != 0 or shutil.which("crontab") is None or not _is_user(USER):
        pytest.skip("the real crontab program is tried as root, with cron and a user of its own")
    crontab = OfUser()
    if crontab.read() is not None:
        pytest.skip(f"the user {USER} has a crontab")
    yield crontab
    with contextlib.suppress(CrontabError):
        crontab.remove()


def _is_user(name: str) -> bool:
    return any(known.pw_name == name for known in pwd.getpwall())


def test_the_real_crontab_program(real: OfUser, tmp_path: Path) -> None:
    samples = [
        None,
        b"# only a comment\n",
        b"MAILTO=me@example.com\n0 4 * * * date +\\%F # \xff\xfe \x1b\n",
        b"# long " + b"x" * 3000 + b"\n",
    ]
    for sample in samples:
        if sample is not None:
            real.write(sample)
        assert real.read() == sample
        assert install(real, JOB, tmp_path / "backup")
        assert (real.read() or b"").startswith(sample or b"")
        assert not install(real, JOB, tmp_path / "backup")
        assert uninstall(real, JOB, tmp_path / "backup")
        assert real.read() == sample


def test_the_real_program_does_not_give_carriage_returns_back_so_it_is_not_believed(
    real: OfUser, tmp_path: Path
) -> None:
    real.write(b"# CRLF\r\n")
    before = real._run("-l").stdout
    if before == b"# CRLF\r\n":
        pytest.skip("this crontab program lists carriage returns as they are")
    with pytest.raises(CrontabError, match="Windows"):
        install(real, JOB, tmp_path / "backup")
    assert real._run("-l").stdout == before


def test_the_command_that_is_installed_runs_in_crons_bare_environment(home: Path) -> None:
    run(["init", "--yes"])
    shown = subprocess.run(
        [sys.executable, "-m", "kakaocron", "cron", "show"],
        capture_output=True,
        text=True,
        check=True,
    )
    command = shown.stdout.strip().removeprefix("* * * * * ").replace("\\%", "%")
    bare = {"HOME": str(home), "LOGNAME": "me", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    dry = ["/bin/sh", "-c", f"{command} --dry-run"]
    done = subprocess.run(dry, env=bare, capture_output=True, check=False, cwd="/")
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_line_carries_config_data_and_log_folder_always(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["init", "--yes"])
    capsys.readouterr()
    assert run(["cron", "show"]) == 0
    line = capsys.readouterr().out
    assert f"KAKAOCRON_CONFIG={home}/.config/kakaocron/config.toml " in line
    assert f"KAKAOCRON_DATA_DIR={home}/.local/share/kakaocron " in line
    assert f"KAKAOCRON_LOG_DIR={home}/.local/state/kakaocron/log; " in line
    assert run(["cron", "show", "--systemd"]) == 0
    unit = capsys.readouterr().out
    assert f"Environment=KAKAOCRON_DATA_DIR={home}/.local/share/kakaocron\n" in unit
    assert f"Environment=KAKAOCRON_LOG_DIR={home}/.local/state/kakaocron/log\n" in unit
    monkeypatch.setenv("KAKAOCRON_DATA_DIR", "/srv/data")
    assert run(["cron", "show"]) == 0
    assert "KAKAOCRON_DATA_DIR=/srv/data " in capsys.readouterr().out


OTHERS = b"MAILTO=me\n0 4 * * * true\n"


@pytest.mark.parametrize("added", [b"", b" (newline added above)"])
def test_the_line_of_the_version_before_is_replaced_and_taken_out(
    program: Path, home: Path, added: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """It named neither data nor log folder, unless the shell did, and ran each tick whole."""
    config = f"{home}/.config/kakaocron/config.toml".encode()
    older = (
        b"# kakaocron begin: " + config + added + b"\n"
        b"* * * * * /usr/bin/kakaocron tick --config " + config + b"\n# kakaocron end\n"
    )
    program.write_bytes(OTHERS + older)

    assert run(["cron", "install"]) == 0
    installed = program.read_bytes()
    assert installed.startswith(OTHERS)
    assert installed.count(b"kakaocron tick") == 1
    assert b"KAKAOCRON_DATA_DIR=" in installed
    assert "Another line" not in capsys.readouterr().out
    program.write_bytes(OTHERS + older)
    assert run(["cron", "uninstall"]) == 0
    assert program.read_bytes() == (OTHERS if not added else OTHERS.removesuffix(b"\n"))


@pytest.mark.parametrize("above", ["HOME=/srv/x", "XDG_DATA_HOME=/srv/x", "XDG_STATE_HOME=/srv/x"])
def test_what_stands_above_the_line_moves_no_folder(
    program: Path, home: Path, above: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As cron runs it: a tick's traces are in this installation's folders."""
    program.write_text(f"{above}\n")
    assert run(["cron", "install"]) == 0
    line = program.read_text().split("\n")[2]
    name, _, value = above.partition("=")
    bare = {"HOME": str(home), "LOGNAME": "me", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    command = line.removeprefix("* * * * * ").replace("\\%", "%")
    subprocess.run(["/bin/sh", "-c", command], env={**bare, name: value}, check=False, cwd="/")
    assert (home / ".local/state/kakaocron/log/ticks").is_dir()
    assert not Path("/srv/x").exists()


@pytest.mark.parametrize(
    ("said", "is_none"),
    [
        ("no crontab for me", True),
        ("crontab: can't open 'me': No such file or directory", True),
        ("bcrontab: Fatal: Crontab does not exist", True),
        ("crontab: can't open '/var/spool/x': No such file or directory", False),
        ("crontab: can't change directory to '/var/spool/cron/crontabs'", False),
        ("bcrontab: Fatal: Could not determine user name", False),
    ],
)
def test_each_cron_has_its_own_words_for_no_crontab(
    tmp_path: Path, said: str, is_none: bool
) -> None:
    program = tmp_path / "crontab"
    program.write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 111\n')
    program.chmod(0o755)
    crontab = SystemCrontab(str(program))
    if is_none:
        assert crontab.read() is None
    else:
        with pytest.raises(CrontabError):
            crontab.read()
