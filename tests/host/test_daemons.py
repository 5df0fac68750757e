"""Which cron daemon a machine has, and what that means for its lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from kakaocron.host import probe
from kakaocron.host.crontab_lines import CrontabEntry, entries
from kakaocron.host.daemons import (
    BCRON,
    BUSYBOX,
    CRON,
    CRONIE,
    DAEMONS,
    SYSTEMD_CRON_1,
    SYSTEMD_CRON_2,
    Daemon,
    daemon_of,
)
from kakaocron.host.probe import CRONS

BARE = {"HOME": "/home/me", "LOGNAME": "me", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("processes", "program", "daemon"),
    [
        (["cron"], "/usr/bin/crontab", CRON),
        (["crond"], "/usr/bin/crontab", CRONIE),
        (["crond"], "/usr/bin/busybox", BUSYBOX),
        (["bcron-sched"], "/usr/bin/bcrontab", BCRON),
        (["systemd-cron"], "/usr/bin/crontab", SYSTEMD_CRON_1),
        (["systemd-cron-2"], "/usr/bin/crontab", SYSTEMD_CRON_2),
        (["fcron"], "/usr/bin/crontab", CRON),  # of which nothing is known
        ([], "/usr/bin/crontab", CRON),
        ([], "/usr/bin/busybox", BUSYBOX),
        (["cron"], "/usr/bin/busybox", CRON),
        ([], "", CRON),
    ],
)
def test_a_daemon_is_known_by_its_process_and_its_crontab_program(
    processes: list[str], program: str, daemon: Daemon
) -> None:
    assert daemon_of(processes, program) is daemon


def test_each_that_is_known_is_looked_for() -> None:
    assert DAEMONS.keys() - CRONS == {"systemd-cron", "systemd-cron-2"}  # which have no process


def one(line: str, daemon: Daemon) -> CrontabEntry:
    (found,) = entries(line.encode() + b"\n", BARE, daemon)
    return found


@pytest.mark.parametrize(
    ("word", "by_cron", "by_the_shell"),
    [
        (r"/a\%b", "/a%b", "/a%b"),
        (r"'/a '\%'b'", "/a %b", "/a %b"),
        (r"'/a\%b'", "/a%b", r"/a\%b"),  # right in two daemons alone
        (r'"/a\%b"', "/a%b", r"/a\%b"),
        ("/a%b", "/a", "/a%b"),
    ],
)
def test_what_a_percent_sign_means_is_the_daemons_matter(
    word: str, by_cron: str, by_the_shell: str
) -> None:
    line = f"* * * * * kakaocron tick --config {word}"
    for daemon in (CRON, CRONIE, SYSTEMD_CRON_2):
        assert one(line, daemon).config == by_cron
        assert one(line, daemon).is_cut is (by_cron == "/a")
    for daemon in (BCRON, BUSYBOX, SYSTEMD_CRON_1):
        assert one(line, daemon).config == by_the_shell
        assert one(line, daemon).is_cut is False


def test_busybox_passes_over_what_is_set_above_a_line_but_the_shell() -> None:
    content = b"KAKAOCRON_CONFIG=/x\nSHELL=/bin/sh\n* * * * * kakaocron tick\n"
    (by_cron,) = entries(content, BARE, CRON)
    (by_busybox,) = entries(content, BARE, BUSYBOX)
    assert by_cron.settings["KAKAOCRON_CONFIG"] == "/x"
    assert by_busybox.settings == BARE
    assert by_busybox.assigned_above == {"SHELL": "/bin/sh"}


@pytest.mark.parametrize(
    ("command", "rehearsal"),
    [
        ("kakaocron tick", "kakaocron tick --dry-run"),
        ("kakaocron tick --config /c", "kakaocron tick --config /c --dry-run"),
        ("kakaocron tick >/dev/null 2>&1", "kakaocron tick --dry-run >/dev/null 2>&1"),
        ("kakaocron tick>>log", "kakaocron tick --dry-run>>log"),
        ("kakaocron tick --config /c # x", "kakaocron tick --dry-run --config /c # x"),
        ("cd /srv && ./kakaocron tick 2>>log", "cd /srv && ./kakaocron tick --dry-run 2>>log"),
        (
            "export A=b C='d e'; '/f g/p' -I -S '/f g/is_idle.py' 2>/dev/null || kakaocron tick",
            "A=b C='d e' kakaocron tick --dry-run",
        ),
        (
            "python -I -S /g/is_idle.py 2>/dev/null || kakaocron tick >log",
            "kakaocron tick --dry-run >log",
        ),
        # What does more than that is not to be done by a doctor.
        ("true || kakaocron tick", None),
        ("kakaocron tick && curl ping", None),
        ("kakaocron tick | logger", None),
        ("kakaocron tick; kakaocron tick", None),
        ("cd /srv && kakaocron tick && curl ping", None),
        ("(kakaocron tick) 2>/dev/null", None),
        ("kakaocron tick > tick", None),  # which of the two is meant is not guessed
    ],
)
def test_a_line_is_rehearsed_as_it_is_unless_it_does_more_than_tick(
    command: str, rehearsal: str | None
) -> None:
    assert one(f"* * * * * {command}", CRON).rehearsal == rehearsal


@pytest.mark.parametrize(
    ("is_booted", "content", "name"),
    [
        (True, b"#!/usr/bin/python3\n", ["systemd-cron"]),
        (True, b"\x7fELF", ["systemd-cron-2"]),
        (True, None, []),
        (False, b"\x7fELF", []),
    ],
)
def test_systemd_cron_is_known_by_its_generator(
    is_booted: bool,
    content: bytes | None,
    name: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = tmp_path / "systemd-crontab-generator"
    if content is not None:
        generator.write_bytes(content)
    monkeypatch.setattr(probe, "CRONTAB_GENERATORS", (str(tmp_path / "none"), str(generator)))
    monkeypatch.setattr(probe, "BOOTED", str(tmp_path if is_booted else tmp_path / "none"))
    assert list(probe._systemd_cron()) == name
