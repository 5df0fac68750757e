"""cron and its ticks."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from kakaocron.doctor.finding import Bench, Finding, fail, installed, ok, warn
from kakaocron.errors import Exit, KakaocronError, UsageError
from kakaocron.files import XDG_NAMES
from kakaocron.host.crontab import Job, other_lines, stray_lines, with_block
from kakaocron.host.crontab_lines import CrontabEntry, entries, is_every_minute
from kakaocron.host.probe import Machine
from kakaocron.host.systemd import SERVICE, units_of
from kakaocron.installation import Installation
from kakaocron.kst import DAY
from kakaocron.language.words import _, marked
from kakaocron.ledger.beats import Beat, Word
from kakaocron.system.places import find_places
from kakaocron.watching.health import are_running, last_tick, tick_problem

# cron and its ticks


def cron(bench: Bench) -> Iterator[Finding]:
    machine = bench.machine
    if machine.which("crontab"):
        yield ok("cron-program", _("installed"))
    else:
        mend = _("apt-get install cron, or: kakaocron cron install --systemd")
        yield warn("cron-program", _("there is no 'crontab' program"), mend)
    service = machine.timer_service()
    yield _daemon(machine, has_timer=service is not None)
    runner = yield from _crontab(bench, has_timer=service is not None)
    yield _timer(bench, service, has_line=runner is not None)
    yield _of_others(bench)
    yield _settings_above(bench, runner)
    yield _bare_command(bench, runner)
    found = machine.which("kakaocron")
    others = [path for path in found if os.path.realpath(path) != _program(bench.job)]
    if others:
        what = _("also on the PATH: {others}; cron runs {program}").format(
            others=", ".join(others), program=bench.job.program[0]
        )
        yield warn("installations", what, _("Keep one of them"))
    else:
        yield ok("installations", bench.job.program[0])


def _daemon(machine: Machine, *, has_timer: bool) -> Finding:
    name, running = "cron-running", machine.cron_processes()
    if not running:
        what = _("no cron daemon is seen (a container's host may have it; anacron is none)")
        return warn(name, what, START)
    daemon = machine.daemon
    if daemon.makes_timers and not has_timer:
        said = _(
            "{name}: its timers are up to a minute late, and two changes of crontabs "
            "within a second may leave one of them unseen"
        )
        what = said.format(name=running[0])
        return warn(name, what, _("A timer of kakaocron's own is exact: ") + _(WITH_SYSTEMD))
    return ok(name, "; ".join(filter(None, (running[0], _(daemon.says)))))


def _program(job: Job) -> str:
    return os.path.realpath(job.program[0])


START = marked("systemctl enable --now cron; without systemd: service cron start")
INSTALL = "kakaocron cron install"
BY_HAND = marked("Fix the line (crontab -e), or take it out, then: kakaocron cron install")
WITH_SYSTEMD = marked("kakaocron cron install --systemd, then: systemctl --user daemon-reload")


def bare_environment(machine: Machine) -> dict[str, str]:
    """Return the environment that cron gives to a command if the crontab says nothing of it."""
    return {
        "HOME": machine.home(),
        "LOGNAME": Path(machine.home()).name,
        "SHELL": machine.roots_shell() if machine.daemon.by_roots_shell else "/bin/sh",
        "PATH": "/usr/bin:/bin",
    }


# That of systemd's user manager, on Debian.
SYSTEMDS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def crons_variables(bench: Bench) -> Mapping[str, str]:
    """Return the variables that apply to the ticks that cron, or a timer of systemd's, starts."""
    environment = _crons_environment(bench)[0]
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
    content, bare = b"", bare_environment(bench.machine)
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
    bare, daemon = bare_environment(machine), machine.daemon
    found = list(entries(content, bare, daemon))
    for _path, text in machine.system_crontabs():
        listed = entries(text, bare, daemon, has_user=True)
        found += [one for one in listed if one.user == machine.user()]
    return found


def _crontab(bench: Bench, *, has_timer: bool) -> Generator[Finding, None, CrontabEntry | None]:
    """Judge the crontab; return the line that runs this installation, if there is one."""
    job = bench.job
    try:
        content = bench.crontab.read() or b""
        others, strays = other_lines(content, job), stray_lines(content, job)
        is_there = with_block(content, job) == content
    except KakaocronError as error:
        mend = error.mend or _("If a systemd timer runs the ticks, all is well")
        yield warn("crontab", error.what, mend)
        return None
    found = _entries(bench.machine, content)
    ours = [one for one in found if _is_ours(bench, one)]
    active = [one for one in ours if not one.is_comment]
    faults = {one.line: list(_faults(bench, one)) for one in active}
    sound = [one for one in active if not faults[one.line]]
    is_all = bool(sound) and is_every_minute(*(one.schedule for one in sound))
    alone = [one for one in sound if is_every_minute(one.schedule)]
    if is_all:
        many = (
            ""
            if alone
            else _("; its {count} lines together run it every minute").format(count=len(sound))
        )
        yield ok("crontab", _("has the line of this installation{many}").format(many=many))
    elif active:
        worst = next((one for one in active if faults[one.line]), active[0])
        line = worst.line
        why = [*_schedule_fault(sound or [worst]), *faults[line]]
        mend = INSTALL if job.mark in content else BY_HAND
        yield fail("crontab", f"{'; '.join(why)}: {line}", mend)
    elif has_timer:
        yield ok("crontab", _("has no line of kakaocron; a timer of systemd's runs the ticks"))
    elif ours:
        yield fail(
            "crontab", _("its line is commented out: {line}").format(line=ours[0].line), INSTALL
        )
    elif job.mark in content and not is_there:
        yield fail("crontab", _("its line is of another path"), INSTALL)
    elif others:
        yield _another(bench, [one for one in found if not one.is_comment], others[0])
    else:
        yield warn("crontab", _("has no line of kakaocron"), INSTALL)
    if is_all and not alone:
        yield ok("crontab-twice", _("no line is one too many: each runs the ticks of its minutes"))
    elif (is_there and strays) or len(active) > 1:
        line = strays[0] if strays else active[1].line
        what = _("{count} more lines run a tick: {line}").format(
            count=max(len(strays), len(active) - 1), line=line
        )
        yield warn("crontab-twice", what, _("No harm, but take one out: crontab -e"))
    else:
        yield ok("crontab-twice", _("no second line runs a tick"))
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
        return warn("crontab", _("runs another kakaocron: {line}").format(line=line), INSTALL)
    bare = bare_environment(bench.machine)
    moved = [one for one in entries if _by(one, bare) and _is_ours(bench, _without(one, bare))]
    one = next(iter([*moved, *entries]))
    by = _by(one, bare)
    which = f"{_config(one)} ({by})" if by else _config(one)
    what = _("runs another kakaocron, with {which} and not '{config}'").format(
        which=which, config=bench.job.config
    )
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
        if len(schedules) == 1:
            yield _("'{schedule}' is not every minute, which is * * * * *").format(
                schedule=schedules[0]
            )
        else:
            said = _("{schedules} are together not every minute, which is * * * * *")
            yield said.format(schedules=_(" and ").join(f"'{one}'" for one in schedules))


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
        yield _("cron ends the command at a % without a backslash")
    if user and len(entry.before) == 1 and machine.is_user(user):
        yield _("'{user}' is taken for the command: a user stands in /etc/crontab only").format(
            user=user
        )
    if "--dry-run" in entry.arguments:
        yield _("--dry-run sends nothing")
    for name in XDG_NAMES:
        value = entry.assigned_above.get(name)
        if value and not value.startswith("/"):
            yield _(
                "{name} above it is '{value}', and cron expands nothing: that is no folder"
            ).format(name=name, value=value)
    yield from _program_faults(bench, entry)
    line = f"{entry.schedule} {entry.command}".encode("utf-8", "surrogateescape")
    same = line.replace(rb"\%", b"%") == bench.job.line.replace(rb"\%", b"%")
    if same and not entry.assigned_above:
        return  # it is what we would install
    for kind, name, path in (
        ("data", "KAKAOCRON_DATA_DIR", bench.places.data),
        ("log", "KAKAOCRON_LOG_DIR", bench.places.log),
    ):
        used = _folder(entry, kind, name, bench)
        if used and os.path.realpath(used) != os.path.realpath(path):
            moved = {"HOME", _DEFAULTS[kind][0], name} & entry.assigned_above.keys()
            why = ", ".join(f"{name}={entry.assigned_above[name]}" for name in sorted(moved))
            above = _(" ({why} above it)").format(why=why) if why else ""
            said = _its_folder(kind)
            yield said.format(used=used, above=above, path=path)


def _its_folder(kind: str) -> str:
    if kind == "data":
        return _("its data folder is '{used}'{above}, and not '{path}'")
    return _("its log folder is '{used}'{above}, and not '{path}'")


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
            yield _("there is no program '{path}'").format(path=path)
            return
    else:
        path = machine.found_on(search_path, program)
        if path is None:
            yield _("cron's PATH ({search_path}) has no '{program}'").format(
                search_path=search_path, program=program
            )
            return
    if len(entry.program) == 1 and path and os.path.realpath(path) != _program(bench.job):
        yield _("it runs '{path}', and not '{program}'").format(
            path=path, program=bench.job.program[0]
        )


def _timer(bench: Bench, service: str | None, *, has_line: bool) -> Finding:
    name, machine = "timer", bench.machine
    if service is None:
        return ok(name, _("no timer of systemd's runs the ticks"))
    wanted = [line for line in units_of(bench.job)[SERVICE].splitlines() if _counts(line)]
    there = [line.strip() for line in service.splitlines() if _counts(line.strip())]
    if there != wanted:
        other = next((line for line in there if line not in wanted), _("a line is missing"))
        what = _("{service} runs something else than this installation: {other}").format(
            service=SERVICE, other=other
        )
        return fail(name, what, WITH_SYSTEMD)
    if not machine.lingers():
        what = _("systemd's timer ends when you log out")
        return warn(
            name,
            what,
            _("Let it run on: loginctl enable-linger {user}").format(user=machine.user()),
        )
    if has_line:
        mend = _("No harm, but keep one: kakaocron cron uninstall, or cron uninstall --systemd")
        return warn(name, _("cron and systemd's timer both run the ticks"), mend)
    return ok(name, _("systemd's timer runs the ticks, whether you are logged in or not"))


def _counts(line: str) -> bool:
    return line.startswith(("ExecStart=", "Environment="))


def _of_others(bench: Bench) -> Finding:
    """Look for lines by which another user runs this installation: its files become that user's."""
    machine, name = bench.machine, "crontab-others"
    for path, content in machine.system_crontabs():
        for entry in entries(content, bare_environment(machine), machine.daemon, has_user=True):
            if entry.user != machine.user() and not entry.is_comment and _is_ours(bench, entry):
                what = _("'{path}' runs this installation as {user}: {line}").format(
                    path=path, user=entry.user, line=entry.line
                )
                return fail(
                    name,
                    what,
                    _("Take the line out, or name {user} in it").format(user=machine.user()),
                )
    return ok(name, _("no other user's line is seen that runs this installation"))


def _settings_above(bench: Bench, entry: CrontabEntry | None) -> Finding:
    """Name what the crontab sets for our line and this shell has not, or otherwise."""
    above, here = entry.assigned_above if entry else {}, bench.places.variables
    names = [
        name
        for name, value in sorted(above.items())
        if name.startswith(("KAKAO_", "ENVIRONMENT", "LOG_LEVEL")) and here.get(name) != value
    ]
    if names:
        what = _("above the line, and not the same in this shell: {names}").format(
            names=", ".join(names)
        )
        mend = _("Keep such settings in '{env_file}' alone").format(env_file=bench.places.env_file)
        return warn("crontab-settings", what, mend)
    return ok("crontab-settings", _("no setting above the line changes what a tick does"))


def _bare_command(bench: Bench, entry: CrontabEntry | None) -> Finding:
    """Run the command as cron will, with cron's bare environment and the crontab's settings."""
    machine, name = bench.machine, "cron-command"
    try:
        bench.job.line  # noqa: B018 - it raises
    except UsageError as error:
        return fail(name, str(error), _("Move it, then: kakaocron cron install"))
    environment = {**bare_environment(machine), **(entry.assigned_above if entry else {})}
    command = (entry.rehearsal if entry else None) or f"{bench.job.tick} --dry-run"
    ended = machine.run(command, environment)
    if ended.code == 0:
        return ok(name, _("runs in cron's bare environment"))
    said = " ".join(ended.said.split())[:300]
    settings = shlex.join(f"{name}={value}" for name, value in environment.items())
    shell = f"{shlex.quote(environment['SHELL'])} -c {shlex.quote(command)}"
    mend = (
        _("Try it: env -i {settings} {shell}").format(settings=settings, shell=shell)
        if entry
        else _("Try it: env -i {command}").format(command=command)
    )
    return fail(name, _("fails in cron's bare environment: {said}").format(said=said), mend)


END_MENDS: Mapping[int, str] = {
    Exit.USAGE: "kakaocron config check",
    Exit.LOGIN: "kakaocron login",
    Exit.LEDGER: marked("See whether the data folder's disk is full or read-only: df -h; mount"),
    Exit.LOCK: marked("See which process hangs: ps aux | grep kakaocron"),
    Exit.INTERRUPTED: marked(
        "If nobody stopped it: see what ends it, as a shutdown or a time limit around cron's job"
    ),
}


def ticks(bench: Bench) -> Iterator[Finding]:
    beats = beats_of(installed(bench), bench.now)
    last = last_tick(beats)
    problem = tick_problem(last, bench.now)
    if last is None:
        yield fail("ticks", _("no tick has been seen yet"), _no_ticks(bench))
    elif problem is None:
        yield ok("ticks", _("the last was at {at:%H:%M:%S}").format(at=last.at))
    elif not are_running(last, bench.now):
        yield fail("ticks", problem.what, _no_ticks(bench))
    else:
        mend = _(END_MENDS.get(last.exit_code, "")) or _(
            "See the log: kakaocron.log in the log folder"
        )
        yield fail("ticks", problem.what, mend)
    hour = [b for b in beats if bench.now - b.at <= timedelta(hours=1) and b.word is not Word.START]
    bad = [beat for beat in hour if beat.exit_code not in {Exit.FINE, Exit.TROUBLE}]
    if bad:
        codes = Counter(beat.exit_code for beat in bad)
        counts = ", ".join(
            _("{count} with exit {code}").format(count=count, code=code)
            for code, count in sorted(codes.items())
        )
        what = _("{count} of the last hour's {all} failed: {counts}").format(
            count=len(bad), all=len(hour), counts=counts
        )
        yield warn("tick-ends", what, _("See the log: kakaocron.log in the log folder"))
    else:
        yield ok("tick-ends", _("none of {count} in the last hour failed").format(count=len(hour)))


def _no_ticks(bench: Bench) -> str:
    """Say what to do where no tick comes: nothing that was done already."""
    machine = bench.machine
    content = b""
    with suppress(KakaocronError):
        content = bench.crontab.read() or b""
    found = _entries(machine, content)
    has_line = any(_is_ours(bench, one) and not one.is_comment for one in found)
    if machine.timer_service() is not None and not has_line:
        return _("See the timer: systemctl --user status kakaocron.timer kakaocron.service")
    if not has_line:
        return "kakaocron cron install --wait"
    if not machine.cron_processes():
        return _("The crontab has the line; start a cron daemon: {start}").format(start=_(START))
    return _(
        "The crontab has the line, and the first tick comes within two minutes. If none "
        "does: kakaocron cron install --wait, which writes it again; else {wake}"
    ).format(wake=_(machine.daemon.wake))


def beats_of(installation: Installation, now: datetime) -> list[Beat]:
    """Return the ticks' beats of today and yesterday."""
    days = (now.date() - DAY, now.date())
    return [beat for day in days for beat in installation.heartbeat.read(day) if beat.at <= now]
