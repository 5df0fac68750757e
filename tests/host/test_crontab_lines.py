"""Crontabs as cron reads them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from kakaocron.host.crontab import Job
from kakaocron.host.crontab_lines import CrontabEntry, entries, is_every_minute

BARE = {"HOME": "/home/me", "LOGNAME": "me", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("schedule", "is_each"),
    [
        ("* * * * *", True),
        ("*/1 * * * *", True),
        ("*/1 */1 */1 */1 */1", True),
        ("0-59 * * * *", True),
        ("0-59/1 0-23 1-31 1-12 0-6", True),
        ("* * * * 1-7", True),
        ("* * * jan-dec sun,mon-sat", True),
        ("*/2,1-59/2 * * * *", True),
        ("@minutely", True),
        ("@hourly", False),
        ("@reboot", False),
        ("0 9 * * *", False),
        ("*/5 * * * *", False),
        ("*/2 * * * *", False),
        ("1-59 * * * *", False),
        ("0-58 * * * *", False),
        ("* 7-22 * * *", False),
        ("* * 1-30 * *", False),
        ("* * * 2-12 *", False),
        ("* * * * 1-5", False),
        ("* * * * mon-sat", False),
        ("* * * * x", False),
        ("*/0 * * * *", False),
    ],
)
def test_only_every_minute_is_every_minute(schedule: str, is_each: bool) -> None:
    assert is_every_minute(schedule) is is_each


@pytest.mark.parametrize(
    "folder",
    ["/a", "/a b", "/a%b", "/R&D", "/a (b)", "/a;b", "/a<b>|c", "/it's", '/a"b', "/가 나#"],
)
def test_the_tick_of_our_own_line_is_found_whatever_its_paths_hold(folder: str) -> None:
    job = Job(
        (f"{folder}/kakaocron",),
        Path(folder, "c.toml"),
        (("KAKAOCRON_DATA_DIR", f"{folder}/data"),),
        (f"{folder}/python", "-I", "-S", f"{folder}/is_idle.py"),
    )
    entry = one(job.line.decode())
    assert "is_idle" in entry.command
    assert entry.rehearsal is not None
    assert shlex.split(entry.rehearsal) == [
        f"KAKAOCRON_CONFIG={folder}/c.toml",
        f"KAKAOCRON_DATA_DIR={folder}/data",
        f"{folder}/kakaocron",
        "tick",
        "--dry-run",
    ]


def one(line: str) -> CrontabEntry:
    (found,) = entries(line.encode() + b"\n", BARE)
    return found


@pytest.mark.parametrize(
    ("line", "program", "config"),
    [
        ("* * * * * /opt/kakaocron tick --config /c", ("/opt/kakaocron",), "/c"),
        ("* * * * * /opt/kakaocron --config /c tick", ("/opt/kakaocron",), "/c"),
        ("* * * * * /opt/kakaocron tick --config=/c", ("/opt/kakaocron",), "/c"),
        ("* * * * * /opt/kakaocron tick --config ~/c", ("/opt/kakaocron",), "/home/me/c"),
        ("* * * * * /opt/kakaocron tick --config $HOME/c", ("/opt/kakaocron",), "/home/me/c"),
        ("* * * * * '/a b/kakaocron' tick --config '/c d'", ("/a b/kakaocron",), "/c d"),
        ("@hourly kakaocron tick", ("kakaocron",), None),
        ("* * * * * python3 -m kakaocron tick", ("python3", "-m", "kakaocron"), None),
        ("* * * * * cd /srv && .venv/bin/kakaocron tick >/dev/null 2>&1",
         (".venv/bin/kakaocron",), None),
        ("* * * * * A=b nice -n 5 kakaocron tick >> log", ("kakaocron",), None),
        ("* * * * * flock -n /l kakaocron tick --config /c; true", ("kakaocron",), "/c"),
        ("* * * * * kakaocron tick --config /a\\%b", ("kakaocron",), "/a%b"),
        ("* * * * * kakaocron tick 2>/dev/null", ("kakaocron",), None),
        ("* * * * * kakaocron tick 1<>/run/log 2>&1", ("kakaocron",), None),
        ("#* * * * * kakaocron tick --config /c", ("kakaocron",), "/c"),
        ("* * * * * python3 -I -S /a/is_idle.py 2>/dev/null || kakaocron tick --config /c",
         ("kakaocron",), "/c"),
    ],
)  # fmt: skip
def test_the_program_and_its_configuration_are_found(
    line: str, program: tuple[str, ...], config: str | None
) -> None:
    found = one(line)
    assert (found.program, found.config) == (program, config)
    assert found.is_comment is line.startswith("#")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# kakaocron tick runs each minute",
        "* * * * * echo kakaocron",
        "* * * * * kakaocron status",
        "KAKAOCRON_CONFIG=tick",
        "0 * * * * grep tick log",
        "* * * * *",
    ],
)
def test_other_lines_run_no_tick(line: str) -> None:
    assert list(entries(line.encode() + b"\n", BARE)) == []


def test_the_assignments_above_a_line_hold_for_it_and_those_below_do_not() -> None:
    content = (
        'HOME=/srv/x\nFOO = \'a b\' \n#HOME=/no\n "XDG_DATA_HOME"="/data"\n'
        "* * * * * A=1 kakaocron tick\nHOME=/later\n* * * * * kakaocron tick\n"
    )
    first, second = entries(content.encode(), BARE)
    assert first.settings == {
        **BARE, "HOME": "/srv/x", "FOO": "a b", "XDG_DATA_HOME": "/data", "A": "1",
    }  # fmt: skip
    assert first.assigned_above == {"HOME": "/srv/x", "FOO": "a b", "XDG_DATA_HOME": "/data"}
    assert second.settings["HOME"] == "/later"
    assert "A" not in second.settings


@pytest.mark.parametrize(
    ("line", "is_cut"),
    [
        ("* * * * * kakaocron tick --config /a%b", True),
        ("* * * * * kakaocron tick --config /a\\%b", False),
        ("* * * * * kakaocron tick --config /ab", False),
    ],
)
def test_a_percent_sign_ends_the_command(line: str, is_cut: bool) -> None:
    assert one(line).is_cut is is_cut


def test_what_stands_before_the_program_may_be_a_users_name() -> None:
    assert one("* * * * * root /opt/kakaocron tick").before == ("root",)
    assert one("* * * * * A=1 /opt/kakaocron tick").before == ()
    (found,) = entries(b"* * * * * root /opt/kakaocron tick\n", BARE, has_user=True)
    assert (found.user, found.before) == ("root", ())


@pytest.mark.parametrize(
    ("line", "is_plain"),
    [
        ("* * * * * kakaocron tick", True),
        ("* * * * * kakaocron tick > /dev/null 2>&1", False),
        ("* * * * * kakaocron tick | cat", False),
        ("* * * * * cd / && kakaocron tick", False),
    ],
)
def test_an_option_can_be_added_to_a_plain_command_only(line: str, is_plain: bool) -> None:
    assert one(line).is_plain is is_plain
