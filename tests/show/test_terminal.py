"""Commands on a terminal: what a person sees and types, and what is left behind."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from kakaocron.actions import schedule
from kakaocron.config.reading import parse_config
from kakaocron.installation import find_installation
from kakaocron.ledger.beats import Word
from kakaocron.system.clock import SystemClock
from tests.fakes import MESSAGE
from tests.prefork import Prefork
from tests.years import write_days

CONTROL = re.compile(r"\x1b\[[0-?]*[A-Za-z]")
OWN_SCREEN, CURSOR = "\x1b[?1049l", "\x1b[?25h"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")


def _without_size() -> dict[str, str]:
    """Return the environment without a size that would win over the terminal's own."""
    return {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, *arguments: str, rows: int = 24, columns: int = 80, **more: str) -> None:
        # Behind a shell's `&`, SIGINT is ignored, and what is ignored is inherited.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._mine, theirs = pty.openpty()
        self.resize(rows, columns)
        self.said = ""
        # A read may end within a letter.
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kakaocron", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**_without_size(), "TERM": "xterm-256color", **more},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(theirs)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._mine, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, words: str, rows: int, seconds: float = 30) -> str:
        """Return the last whole frame once it has the words, and so many rows."""
        deadline = time.monotonic() + seconds
        while (words not in self.frame or self.frame.count("\n") != rows - 1) and (
            time.monotonic() < deadline
        ):
            if not self._read():
                break
        return self.frame

    def answer(self, question: str, keys: bytes, seconds: float = 30) -> None:
        """Type, once the question is there; what was said before is forgotten."""
        deadline = time.monotonic() + seconds
        while question not in self.said and time.monotonic() < deadline and self._read():
            pass
        assert question in self.said
        self.said = ""
        os.write(self._mine, keys)

    @property
    def frame(self) -> str:
        *whole, _ = self.said.split("\x1b[H")
        return CONTROL.sub("", whole[-1]).replace("\r", "") if whole else ""

    def end(self, seconds: float = 60) -> int:
        """Read until nobody writes any more; return the exit code."""
        deadline = time.monotonic() + seconds
        while self._read() and time.monotonic() < deadline:
            pass
        os.close(self._mine)
        return self.process.wait(20)

    def _read(self) -> bool:
        if not select.select([self._mine], [], [], 20)[0]:
            return False
        try:
            found = os.read(self._mine, 1 << 16)
        except OSError:  # nobody is at the other end any more
            return False
        self.said += self._decode(found)
        return bool(found)


@pytest.fixture
def day(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a day with more slots than a terminal has lines."""
    rules = f"[schedule]\nregular_minutes = {list(range(0, 60, 10))}\npeak_hours = []\n"
    (home / "config.toml").write_text(rules + MESSAGE)
    for name, path in {"CONFIG": "config.toml", "DATA_DIR": "data", "LOG_DIR": "log"}.items():
        monkeypatch.setenv(f"KAKAOCRON_{name}", str(home / path))
    monkeypatch.delenv("NO_COLOR")
    now = SystemClock().now()
    series = parse_config(rules + MESSAGE, "config.toml").series()
    write_days(home / "data" / "ledger", series, now.replace(hour=23, minute=30), 1, bad=0.02)
    find_installation().heartbeat.beat(now, Word.DONE, 0)
    return home


def test_watching_fits_the_terminal_follows_its_size_and_leaves_it_as_it_was(day: Path) -> None:
    terminal = Terminal("status", "--watch")
    first = terminal.until("last tick", 24).split("\n")
    terminal.resize(18, 60)
    terminal.said = ""
    smaller = terminal.until("last tick", 18).split("\n")

    assert len(first) == 24
    assert len(smaller) == 18
    assert max(map(len, first)) <= 80
    assert max(map(len, smaller)) <= 60
    assert "not shown here" in "".join(smaller)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert terminal.said.endswith(CURSOR + OWN_SCREEN)


@pytest.mark.parametrize("command", [["status"], ["status", "--watch"]])
def test_a_terminal_that_can_only_print_lines_gets_them_once_and_plain(
    day: Path, command: list[str]
) -> None:
    terminal = Terminal(*command, TERM="dumb")

    assert terminal.end() == 0
    assert terminal.said.count("last tick") == 1
    assert "\x1b" not in terminal.said


def test_colours_are_for_terminals_and_for_those_who_want_them(day: Path) -> None:
    coloured, plain = Terminal("status"), Terminal("status", NO_COLOR="1")
    assert (coloured.end(), plain.end()) == (0, 0)
    piped = subprocess.run(
        [sys.executable, "-m", "kakaocron", "status", "--watch"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert COLOUR.search(coloured.said)
    assert not COLOUR.search(plain.said)
    assert "\x1b" not in piped
    assert "last tick" in piped
    assert max(map(len, piped.splitlines())) <= 80


INTERRUPT, END_OF_INPUT = b"\x03", b"\x04"


@pytest.mark.parametrize("keys", [INTERRUPT, END_OF_INPUT])
@pytest.mark.parametrize("arguments", [["init"], ["init", "--force"]])
def test_whoever_leaves_the_questions_of_init_has_written_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], keys: bytes
) -> None:
    config = home / "config.toml"
    monkeypatch.setenv("KAKAOCRON_CONFIG", str(config))
    terminal = Terminal(*arguments)
    terminal.answer("REST API key (not shown): ", b"s3cret-key\n")
    terminal.answer("(not shown): ", keys)

    assert terminal.end() == 130
    assert not terminal.said.strip()
    assert not config.exists()


def test_the_answers_to_init_are_written_and_secrets_never_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home / "config.toml"
    monkeypatch.setenv("KAKAOCRON_CONFIG", str(config))
    terminal = Terminal("init")
    terminal.answer("REST API key (not shown): ", b"s3cret-key\n")
    terminal.answer("(not shown): ", b"\n")
    assert "s3cret-key" not in terminal.said
    terminal.answer("Link of the message", b"https://example.com/report\n")
    terminal.answer("day and night: ", b"\n")

    assert terminal.end() == 0
    assert "s3cret-key" not in terminal.said
    written = parse_config(config.read_text("utf-8"), "config.toml")
    assert written.kakao.rest_api_key is not None
    assert written.kakao.rest_api_key.reveal() == "s3cret-key"
    assert written.kakao.client_secret is None
    assert written.kakao.link == "https://example.com/report"


WIDTHS = (40, 60, 80, 99, 100, 101, 120, 140, 200)
LONG = "아침-점심-배달-보고"
FRIEND = "uuid-of-a-friend-0123456789"


@pytest.fixture
def busy(day: Path) -> list[str]:
    """Book Korean texts beside the day's slots; return their ids, and those of the next slots."""
    config = day / "config.toml"
    friends = f'[friends]\n"민지" = "{FRIEND}"\n'
    text = config.read_text("utf-8")
    config.write_text(friends + text + text[text.index("[[") :].replace('"report"', f'"{LONG}"'))
    installation = find_installation()
    soon = installation.clock.now() + timedelta(minutes=1)
    booked = [
        schedule(installation, soon, text="글 [b] 하나 :smile:"),
        schedule(installation, soon, text=f"긴 글 {'가나다라마바사' * 27}", to=["me", "민지"]),
    ]
    return [one.id for one in booked]


def printed(prefork: Prefork, *command: str, columns: int) -> list[str]:
    """Return the lines that a command leaves on a terminal of so many columns."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(mine, termios.TIOCSWINSZ, struct.pack("HHHH", 400, columns, 0, 0))
    said: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # nobody is at the other end any more
            while found := os.read(mine, 1 << 16):
                said.append(found)

    reading = threading.Thread(target=read)
    reading.start()
    environ = {**_without_size(), "TERM": "xterm-256color"}
    exit_code, _, _ = prefork.run(command, environ, Path.cwd(), os.ttyname(theirs))
    os.close(theirs)
    reading.join()
    os.close(mine)
    assert exit_code == 0, b"".join(said).decode()
    return CONTROL.sub("", b"".join(said).decode()).replace("\r", "").split("\n")


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("command", [("history", "--days", "2"), ("status",)])
def test_each_row_has_its_id_whole_and_says_to_whom_and_what(
    busy: list[str], prefork: Prefork, command: tuple[str, ...], columns: int
) -> None:
    lines = printed(prefork, *command, columns=columns)
    installation = find_installation()
    today = installation.ledger.read([installation.clock.now().date()]).deliveries

    assert set(busy) < today.keys()
    for id_ in today:
        assert any(id_ in line.split() for line in lines), id_
    for text in ("me 글 [b] 하나 :smile:", "긴 글 가나"):
        assert any(text in " ".join(line.split()) for line in lines), text
    assert any("me, 민지" in line for line in lines)
    assert [line for line in lines if cell_len(line) > columns] == []


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("columns", WIDTHS)
def test_coming_slots_have_their_time_and_name_whole(
    busy: list[str], prefork: Prefork, columns: int
) -> None:
    ahead = printed(prefork, "next", "-n", "20", columns=columns)
    booked = printed(prefork, "next", "--booked", columns=columns)

    time = re.compile(r"[A-Z][a-z]{2} \d\d-\d\d \d\d:\d\d( |$)")
    assert sum(bool(time.match(line)) for line in ahead) == 20
    assert sum(bool(time.match(line)) for line in booked) == len(busy)
    names = {LONG, "report"}  # the second from where the day's ledger ends
    assert sum(bool(names & {*line.split()}) for line in ahead) == 20 - len(busy)
    assert any(LONG in line.split() for line in ahead)
    for id_ in busy:
        assert any(id_ in line.split() for line in booked), id_
    assert [line for line in (*ahead, *booked) if cell_len(line) > columns] == []


def test_a_pipe_gets_a_row_a_line_and_nothing_is_cut(busy: list[str]) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "kakaocron", "history", "--days", "1"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    for id_ in busy:
        assert sum(line.startswith(f"{id_} ") for line in said) == 1
    assert any(line.endswith("가나다라마바사" * 27) for line in said)


def test_csv_on_a_terminal_has_no_byte_order_mark(day: Path) -> None:
    terminal = Terminal("history", "--csv", "--days", "1")
    assert terminal.end() == 0
    assert terminal.said.startswith('"id","message"')
