"""cron and its ticks."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from kakaocron.doctor.finding import Bench, Finding, fail, installed, ok, warn
from kakaocron.errors import Exit, KakaocronError, UsageError
from kakaocron.host.crontab import Job, other_lines, with_block
from kakaocron.host.crontab_lines import CrontabEntry, entries, is_every_minute
from kakaocron.host.probe import Machine
from kakaocron.host.systemd import SERVICE, units_of
from kakaocron.installation import Installation
from kakaocron.kst import DAY
from kakaocron.ledger.beats import Beat, Word
from kakaocron.system.places import find_places
from kakaocron.watching.health import are_running, last_tick, tick_problem

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
    service = machine.timer_service()
    runner = yield from _crontab(bench, has_timer=service is not None)
    yield _timer(bench, service, has_line=runner is not None)
    yield _of_others(bench)
    yield _settings_above(bench, runner)
    yield _bare_command(bench, runner)
    found = machine.which("kakaocron")
    others = [path for path in found if os.path.realpath(path) != _program(bench.job)]
    if others:
        what = f"also on the PATH: {', '.join(others)}; cron runs {bench.job.program[0]}"
        yield warn("installations", what, "Keep one of them")
    else:
        yield ok("installations", bench.job.program[0])


def _program(job: Job) -> str:
    return os.path.realpath(job.program[0])


INSTALL = "kakaocron cron install"
BY_HAND = "Fix the line (crontab -e), or take it out, then: kakaocron cron install"
WITH_SYSTEMD = "kakaocron cron install --systemd, then: systemctl --user daemon-reload"


def _bare(machine: Machine) -> dict[str, str]:
    """Return the environment that cron gives to a command if the crontab says nothing of it."""
    return {
        "HOME": machine.home(),
        "LOGNAME": Path(machine.home()).name,
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
    }


# That of systemd's user manager, on Debian.
SYSTEMDS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def crons_variables(bench: Bench) -> Mapping[str, str]:
    """Return the variables that apply to the ticks that cron, or a timer of systemd's, starts."""
    environment, _ = _crons_environment(bench)
    return _with_env_file(bench, environment)


def crons_path(bench: Bench) -> tuple[str | None, bool]:
    """Return where the ticks look for programs; and whether a line or a timer says so that is
    there, or only that is known which cron gives by itself."""
    environment, is_set_up = _crons_environment(bench)
    return _with_env_file(bench, environment).get("PATH"), is_set_up


def has_a_line(bench: Bench) -> bool:
    """Say whether a line of cron's, or a timer of systemd's, is there that runs the ticks."""
    return _crons_environment(bench)[1]


def _with_env_file(bench: Bench, environment: Mapping[str, str]) -> Mapping[str, str]:
    try:
        return find_places(bench.places.config, environment).variables
    except UsageError:  # the `.env` cannot be read, which is told elsewhere
        return environment


def _crons_environment(bench: Bench) -> tuple[dict[str, str], bool]:
    content, bare = b"", _bare(bench.machine)
    with suppress(KakaocronError):
        content = bench.crontab.read() or b""
    for entry in _entries(bench.machine, content):
        if not entry.is_comment and _is_ours(bench, entry):
            return dict(entry.settings), True
    if bench.machine.timer_service() is not None:
        return {**bare, "PATH": SYSTEMDS_PATH}, True
    return bare, False


def _entries(machine: Machine, content: bytes) -> list[CrontabEntry]:
    """Return the lines that run a tick as this user: those of the user's crontab, `content`, and
    of the machine's own."""
    bare = _bare(machine)
    found = list(entries(content, bare))
    for _, text in machine.system_crontabs():
        listed = entries(text, bare, has_user=True)
        found += [one for one in listed if one.user == machine.user()]
    return found


def _crontab(bench: Bench, *, has_timer: bool) -> Generator[Finding, None, CrontabEntry | None]:
    """Judge the crontab; return the line that runs this installation, if there is one."""
    job = bench.job
    try:
        content = bench.crontab.read() or b""
        others = other_lines(content, job)
        is_there = with_block(content, job) == content
    except KakaocronError as error:
        yield warn("crontab", str(error), "If a systemd timer runs the ticks, all is well")
        return None
    found = _entries(bench.machine, content)
    ours = [one for one in found if _is_ours(bench, one)]
    active = [one for one in ours if not one.is_comment]
    faults = {one.line: list(_faults(bench, one)) for one in active}
    sound = [one for one in active if not faults[one.line]]
    is_all = bool(sound) and is_every_minute(*(one.schedule for one in sound))
    alone = [one for one in sound if is_every_minute(one.schedule)]
    if is_all:
        many = "" if alone else f"; its {len(sound)} lines together run it every minute"
        yield ok("crontab", f"has the line of this installation{many}")
    elif active:
        worst = next((one for one in active if faults[one.line]), active[0])
        line = worst.line
        why = [*_schedule_fault(sound or [worst]), *faults[line]]
        mend = INSTALL if job.mark in content else BY_HAND
        yield fail("crontab", f"{'; '.join(why)}: {line}", mend)
    elif has_timer:
        yield ok("crontab", "has no line of kakaocron; a timer of systemd's runs the ticks")
    elif ours:
        yield fail("crontab", f"its line is commented out: {ours[0].line}", INSTALL)
    elif job.mark in content and not is_there:
        yield fail("crontab", "its line is of another path", INSTALL)
    elif others:
        yield _another(bench, [one for one in found if not one.is_comment], others[0])
    else:
        yield warn("crontab", "has no line of kakaocron", INSTALL)
    if is_all and not alone:
        yield ok("crontab-twice", "no line is one too many: each runs the ticks of its minutes")
    elif (is_there and others) or len(active) > 1:
        line = others[0] if others else active[1].line
        what = f"{max(len(others), len(active) - 1)} more lines run a tick: {line}"
        yield warn("crontab-twice", what, "No harm, but take one out: crontab -e")
    else:
        yield ok("crontab-twice", "no second line runs a tick")
    return next(iter([*sound, *active]), None)


def _is_ours(bench: Bench, entry: CrontabEntry) -> bool:
    """Say whether a line is meant for this configuration, well made or not."""
    return os.path.realpath(_config(entry)) == os.path.realpath(bench.job.config)


def _config(entry: CrontabEntry) -> str:
    named = entry.config or entry.settings.get("KAKAOCRON_CONFIG") or _default(entry, "config")
    return _from_its_folder(entry, named)


def _from_its_folder(entry: CrontabEntry, path: str) -> str:
    """Return a path as it is meant where the line runs: cron starts at home, `cd` leads on."""
    folder = entry.expanded(entry.folder or "")
    return os.path.join(entry.settings["HOME"], folder, path)  # noqa: PTH118


def _another(bench: Bench, entries: Sequence[CrontabEntry], line: str) -> Finding:
    """Judge a crontab whose lines, of which `line` is one, run ticks of other configurations: one
    that only HOME or the like leads there was meant for this one."""
    if not entries:
        return warn("crontab", f"runs another kakaocron: {line}", INSTALL)
    bare = _bare(bench.machine)
    moved = [one for one in entries if _by(one, bare) and _is_ours(bench, _without(one, bare))]
    one, *_ = [*moved, *entries]
    by = _by(one, bare)
    which = f"{_config(one)} ({by})" if by else _config(one)
    what = f"runs another kakaocron, with {which} and not '{bench.job.config}'"
    if moved:
        return fail("crontab", f"{what}: {one.line}", BY_HAND)
    return warn("crontab", f"{what}: {one.line}", INSTALL)


def _by(entry: CrontabEntry, bare: Mapping[str, str]) -> str:
    """Return the settings that lead a line to its configuration; none if it names that itself."""
    names = [name for name in _OF_CONFIG if entry.settings.get(name) != bare.get(name)]
    return "" if entry.config else ", ".join(f"{name}={entry.settings[name]}" for name in names)


def _without(entry: CrontabEntry, bare: Mapping[str, str]) -> CrontabEntry:
    others = {name: value for name, value in entry.settings.items() if name not in _OF_CONFIG}
    return replace(entry, settings={**others, "HOME": bare["HOME"]})


def _schedule_fault(entries: Sequence[CrontabEntry]) -> Iterator[str]:
    """Say so if lines together do not run a tick each minute."""
    schedules = list(dict.fromkeys(one.schedule for one in entries))
    if not is_every_minute(*schedules):
        named = " and ".join(f"'{one}'" for one in schedules)
        verb = "is" if len(schedules) == 1 else "are together"
        yield f"{named} {verb} not every minute, which is * * * * *"


# What a crontab may set that leads to another configuration.
_OF_CONFIG = ("HOME", "XDG_CONFIG_HOME", "KAKAOCRON_CONFIG")
# Where platformdirs puts things on Linux, by the environment that cron gives.
_DEFAULTS = {
    "config": ("XDG_CONFIG_HOME", ".config", "kakaocron/config.toml"),
    "data": ("XDG_DATA_HOME", ".local/share", "kakaocron"),
    "log": ("XDG_STATE_HOME", ".local/state", "kakaocron/log"),
}


def _default(entry: CrontabEntry, kind: str) -> str:
    xdg, below_home, name = _DEFAULTS[kind]
    base = entry.settings.get(xdg) or f"{entry.settings['HOME']}/{below_home}"
    return f"{base}/{name}"


def _faults(bench: Bench, entry: CrontabEntry) -> Iterator[str]:
    """Say why a line of this installation does not run its ticks in the minutes that it names."""
    machine = bench.machine
    user = entry.before[0] if entry.before else ""
    if entry.is_cut:
        yield "cron ends the command at a % without a backslash"
    if user and len(entry.before) == 1 and machine.is_user(user):
        yield f"'{user}' is taken for the command: a user stands in /etc/crontab only"
    if "--dry-run" in entry.arguments:
        yield "--dry-run sends nothing"
    yield from _program_faults(bench, entry)
    line = f"{entry.schedule} {entry.command}".encode("utf-8", "surrogateescape")
    if line.replace(b"%", rb"\%") == bench.job.line and not entry.assigned_above:
        return  # it is what we would install
    for kind, name, path in (
        ("data", "KAKAOCRON_DATA_DIR", bench.places.data),
        ("log", "KAKAOCRON_LOG_DIR", bench.places.log),
    ):
        used = _folder(entry, kind, name, bench)
        if used and os.path.realpath(used) != os.path.realpath(path):
            moved = {"HOME", _DEFAULTS[kind][0], name} & entry.assigned_above.keys()
            why = ", ".join(f"{name}={entry.assigned_above[name]}" for name in sorted(moved))
            above = f" ({why} above it)" if why else ""
            yield f"its {kind} folder is '{used}'{above}, and not '{path}'"


def _folder(entry: CrontabEntry, kind: str, name: str, bench: Bench) -> str | None:
    """Return which folder the ticks of a line use: by the line, its `.env` or the platform."""
    if given := entry.settings.get(name):
        return entry.expanded(given)
    try:
        by_file = find_places(bench.places.config, entry.settings)
    except UsageError:
        return None  # told elsewhere
    if by_file.variables.get(name):
        return str(by_file.data if kind == "data" else by_file.log)
    return _default(entry, kind) if sys.platform == "linux" else None


def _program_faults(bench: Bench, entry: CrontabEntry) -> Iterator[str]:
    machine, program = bench.machine, entry.program[0]
    search_path = entry.settings["PATH"]
    if "/" in program:
        path: str | None = _from_its_folder(entry, entry.expanded(program))
        if path and not machine.is_program(path):
            yield f"there is no program '{path}'"
            return
    else:
        path = machine.found_on(search_path, program)
        if path is None:
            yield f"cron's PATH ({search_path}) has no '{program}'"
            return
    if len(entry.program) == 1 and path and os.path.realpath(path) != _program(bench.job):
        yield f"it runs '{path}', and not '{bench.job.program[0]}'"


def _timer(bench: Bench, service: str | None, *, has_line: bool) -> Finding:
    name, machine = "timer", bench.machine
    if service is None:
        return ok(name, "no timer of systemd's runs the ticks")
    wanted = [line for line in units_of(bench.job)[SERVICE].splitlines() if _counts(line)]
    there = [line.strip() for line in service.splitlines() if _counts(line.strip())]
    if there != wanted:
        other = next((line for line in there if line not in wanted), "a line is missing")
        what = f"{SERVICE} runs something else than this installation: {other}"
        return fail(name, what, WITH_SYSTEMD)
    if not machine.lingers():
        what = "systemd's timer ends when you log out"
        return warn(name, what, f"Let it run on: loginctl enable-linger {machine.user()}")
    if has_line:
        mend = "No harm, but keep one: kakaocron cron uninstall, or cron uninstall --systemd"
        return warn(name, "cron and systemd's timer both run the ticks", mend)
    return ok(name, "systemd's timer runs the ticks, whether you are logged in or not")


def _counts(line: str) -> bool:
    return line.startswith(("ExecStart=", "Environment="))


def _of_others(bench: Bench) -> Finding:
    """Look for lines by which another user runs this installation: its files become that user's."""
    machine, name = bench.machine, "crontab-others"
    for path, content in machine.system_crontabs():
        for entry in entries(content, _bare(machine), has_user=True):
            if entry.user != machine.user() and not entry.is_comment and _is_ours(bench, entry):
                what = f"'{path}' runs this installation as {entry.user}: {entry.line}"
                return fail(name, what, f"Take the line out, or name {machine.user()} in it")
    return ok(name, "no other user's line is seen that runs this installation")


def _settings_above(bench: Bench, entry: CrontabEntry | None) -> Finding:
    """Name what the crontab sets for our line and this shell has not, or otherwise."""
    above, here = entry.assigned_above if entry else {}, bench.places.variables
    names = [
        name
        for name, value in sorted(above.items())
        if name.startswith(("KAKAO_", "ENVIRONMENT", "LOG_LEVEL")) and here.get(name) != value
    ]
    if names:
        what = f"above the line, and not the same in this shell: {', '.join(names)}"
        mend = f"Keep such settings in '{bench.places.env_file}' alone"
        return warn("crontab-settings", what, mend)
    return ok("crontab-settings", "no setting above the line changes what a tick does")


def _bare_command(bench: Bench, entry: CrontabEntry | None) -> Finding:
    """Run the command as cron will, with cron's bare environment and the crontab's settings."""
    machine, name = bench.machine, "cron-command"
    try:
        _ = bench.job.line
    except UsageError as error:
        return fail(name, str(error), "Move it, then: kakaocron cron install")
    environment = {**_bare(machine), **(entry.assigned_above if entry else {})}
    is_plain = entry is not None and entry.is_plain and entry.user is None
    command = f"{entry.command if entry and is_plain else bench.job.command} --dry-run"
    ended = machine.run(command, environment)
    if ended.code == 0:
        return ok(name, "runs in cron's bare environment")
    said = " ".join(ended.said.split())[:300]
    settings = shlex.join(f"{name}={value}" for name, value in environment.items())
    shell = f"{shlex.quote(environment['SHELL'])} -c {shlex.quote(command)}"
    mend = f"Try it: env -i {settings} {shell}" if entry else f"Try it: env -i {command}"
    return fail(name, f"fails in cron's bare environment: {said}", mend)


END_MENDS: Mapping[int, str] = {
    Exit.USAGE: "kakaocron config check",
    Exit.LOGIN: "kakaocron login",
    Exit.LEDGER: "See whether the data folder's disk is full or read-only: df -h; mount",
    Exit.LOCK: "See which process hangs: ps aux | grep kakaocron",
    Exit.INTERRUPTED: "If nobody stopped it: see what ends it, as a shutdown or a time limit "
    "around cron's job",
}


def ticks(bench: Bench) -> Iterator[Finding]:
    beats = beats_of(installed(bench), bench.now)
    last = last_tick(beats)
    problem = tick_problem(last, bench.now)
    if last is None:
        yield fail("ticks", "no tick has been seen yet", "kakaocron cron install, then wait")
    elif problem is None:
        yield ok("ticks", f"the last was at {last.at:%H:%M:%S}")
    elif not are_running(last, bench.now):
        yield fail("ticks", problem.what, "See whether cron runs: kakaocron cron show")
    else:
        mend = END_MENDS.get(last.exit_code, "See the log: kakaocron.log in the log folder")
        yield fail("ticks", problem.what, mend)
    hour = [b for b in beats if bench.now - b.at <= timedelta(hours=1) and b.word is not Word.START]
    bad = [beat for beat in hour if beat.exit_code not in {Exit.FINE, Exit.TROUBLE}]
    if bad:
        codes = Counter(beat.exit_code for beat in bad)
        counts = ", ".join(f"{count} with exit {code}" for code, count in sorted(codes.items()))
        what = f"{len(bad)} of the last hour's {len(hour)} failed: {counts}"
        yield warn("tick-ends", what, "See the log: kakaocron.log in the log folder")
    else:
        yield ok("tick-ends", f"none of {len(hour)} in the last hour failed")


def beats_of(installation: Installation, now: datetime) -> list[Beat]:
    """Return the ticks' beats of today and yesterday."""
    days = (now.date() - DAY, now.date())
    return [beat for day in days for beat in installation.heartbeat.read(day) if beat.at <= now]
