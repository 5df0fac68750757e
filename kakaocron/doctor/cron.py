"""cron and its ticks."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kakaocron.doctor.finding import Bench, Finding, fail, installed, ok, warn
from kakaocron.errors import KakaocronError, UsageError
from kakaocron.host.crontab import Job, other_lines, with_block
from kakaocron.installation import Installation
from kakaocron.ledger.beats import Beat, Word
from kakaocron.watching.health import RUNNING_WITHIN, last_word, tick_problem

# cron and its ticks


def cron(bench: Bench) -> Iterator[Finding]:
    machine = bench.machine
    if machine.which("crontab"):
        yield ok("cron-program", "installed")
    else:
        mend = "apt-get install cron, or: kakaocron cron install --systemd"
        yield warn("cron-program", "there is no 'crontab' program", mend)
    running = machine.cron_processes()
    if running:
        yield ok("cron-running", running[0])
    else:
        mend = "systemctl enable --now cron; without systemd: service cron start"
        yield warn("cron-running", "no cron daemon is seen (a container's host may have it)", mend)
    yield from _crontab(bench)
    yield _bare_command(bench)
    found = machine.which("kakaocron")
    others = [path for path in found if os.path.realpath(path) != _program(bench.job)]
    if others:
        what = f"also on the PATH: {', '.join(others)}; cron runs {bench.job.program[0]}"
        yield warn("installations", what, "Keep one of them")
    else:
        yield ok("installations", bench.job.program[0])


def _program(job: Job) -> str:
    return os.path.realpath(job.program[0])


def _crontab(bench: Bench) -> Iterator[Finding]:
    job, mend = bench.job, "kakaocron cron install"
    try:
        content = bench.crontab.read() or b""
        others = other_lines(content, job)
        is_there = with_block(content, job) == content
    except (KakaocronError, UsageError) as error:
        yield warn("crontab", str(error), "If a systemd timer runs the ticks, all is well")
        return
    by_hand = [line for line in others if _runs(line, job)]
    if is_there or by_hand:
        yield ok("crontab", "has the line of this installation")
    elif job.mark in content:
        yield fail("crontab", "its line is of another path", mend)
    elif others:
        yield warn("crontab", f"runs another kakaocron: {others[0]}", mend)
    else:
        yield warn("crontab", "has no line of kakaocron", mend)
    if is_there and others:
        what = f"{len(others)} more lines run a tick: {others[0]}"
        yield warn("crontab-twice", what, "No harm, but take one out: crontab -e")
    else:
        yield ok("crontab-twice", "no second line runs a tick")


def _runs(line: str, job: Job) -> bool:
    return bool(re.search(rf"(^|[\s'\"]){re.escape(job.program[0])}['\"]?\s+tick\b", line))


def _bare_command(bench: Bench) -> Finding:
    """Run the command as cron will, with cron's bare environment."""
    machine, name = bench.machine, "cron-command"
    environment = {
        "HOME": machine.home(),
        "LOGNAME": Path(machine.home()).name,
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
    }
    try:
        _ = bench.job.line
    except UsageError as error:
        return fail(name, str(error), "Move it, then: kakaocron cron install")
    command = f"{bench.job.command} --dry-run"
    ended = machine.run(command, environment)
    if ended.code == 0:
        return ok(name, "runs in cron's bare environment")
    said = " ".join(ended.said.split())[:300]
    return fail(name, f"fails in cron's bare environment: {said}", f"Try it: env -i {command}")


END_MENDS = {
    2: "kakaocron config check",
    3: "kakaocron login",
    74: "See whether the data folder's disk is full or read-only: df -h; mount",
    75: "See which process hangs: ps aux | grep kakaocron",
    130: "If nobody stopped it: see what ends it, as a shutdown or a time limit around cron's job",
}


def ticks(bench: Bench) -> Iterator[Finding]:
    beats = _beats(installed(bench), bench.now)
    last = last_word(beats)
    problem = tick_problem(last, bench.now)
    if last is None:
        yield fail("ticks", "no tick has been seen yet", "kakaocron cron install, then wait")
    elif problem is None:
        yield ok("ticks", f"the last was at {last.at:%H:%M:%S}")
    elif bench.now - last.at > RUNNING_WITHIN:
        yield fail("ticks", problem, "See whether cron runs: kakaocron cron show")
    else:
        mend = END_MENDS.get(last.exit_code, "See the log: kakaocron.log in the log folder")
        yield fail("ticks", problem, mend)
    hour = [b for b in beats if bench.now - b.at <= timedelta(hours=1) and b.word is not Word.START]
    bad = [beat for beat in hour if beat.exit_code not in {0, 1}]
    if bad:
        codes = Counter(beat.exit_code for beat in bad)
        counts = ", ".join(f"{count} with exit {code}" for code, count in sorted(codes.items()))
        what = f"{len(bad)} of the last hour's {len(hour)} failed: {counts}"
        yield warn("tick-ends", what, "See the log: kakaocron.log in the log folder")
    else:
        yield ok("tick-ends", f"none of {len(hour)} in the last hour failed")


def _beats(installation: Installation, now: datetime) -> list[Beat]:
    days: Sequence[Any] = (now.date() - timedelta(days=1), now.date())
    beats = [beat for day in days for beat in installation.heartbeat.read(day)]
    return sorted((beat for beat in beats if beat.at <= now), key=lambda beat: beat.at)
