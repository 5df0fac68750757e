"""`kakaocron cron show|install|uninstall`."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option
from kakaocron.config.reading import load_config
from kakaocron.doctor.cron import bare_environment
from kakaocron.errors import SEE_DOCTOR, KakaocronError
from kakaocron.host.crontab import (
    CrontabError,
    Job,
    SystemCrontab,
    install,
    job_of,
    stray_lines,
    uninstall,
    write_again,
)
from kakaocron.host.probe import Machine
from kakaocron.host.systemd import remove_units, units_of, write_units
from kakaocron.installation import Edges, claimed_places, make_heartbeat
from kakaocron.language.words import _
from kakaocron.ledger.beats import Word
from kakaocron.show.next_step import print_next
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import (
    Places,
    find_places,
    only_in_shell,
    systemd_folder,
)
from kakaocron.system.syscalls import RealDisk
from kakaocron.watching.first_tick import first_tick

# How long after a change the crontab is written again, for the daemons that overlook one of two
# within a second; and how long a first tick takes at most: bcron's comes in the second minute.
AGAIN_SECONDS = 2
MOST_RELOADING_SECONDS = 10
MOST_WAITED = timedelta(seconds=150)
# How a shell ends that cannot run a command, and a Python that cannot import it.
CANNOT_RUN = (1, 126, 127)

cron_app = typer.Typer(help="The line that runs kakaocron every minute.")
SystemdOption = Annotated[
    bool, typer.Option("--systemd", help="A user timer of systemd's in place of cron.")
]


def _backup(places: Places) -> Path:
    return places.data / "crontab-backups" / f"{SystemClock().now():%Y%m%dT%H%M%S.%f}"


@cron_app.command("show")
def show(
    config: Annotated[Path | None, config_option()] = None, systemd: SystemdOption = False
) -> None:
    """Print the crontab line of this installation, or its units. Nothing is changed."""
    job = job_of(find_places(config))
    if not systemd:
        print(os.fsdecode(job.line))
        return
    for name, text in units_of(job).items():
        print(f"# {systemd_folder() / name}\n{text}")


@cron_app.command("install")
def install_job(
    config: Annotated[Path | None, config_option()] = None,
    systemd: SystemdOption = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the first tick, 150 seconds at most.")
    ] = False,
) -> None:
    """Let cron run a tick every minute. Installing again changes nothing."""
    places = find_places(config)
    load_config(places.config, places.profile)
    claimed_places(places, Edges())
    job = job_of(places)
    since = _install_units(job) if systemd else _install_line(places, job, is_awaited=wait)
    for name in only_in_shell(places):
        print(
            _("{name} is set in this shell only; put it into '{env_file}'").format(
                name=name, env_file=places.env_file
            )
        )
    if wait:
        _await_tick(places, since)
    if not systemd:
        print_next(config)


def _install_line(places: Places, job: Job, *, is_awaited: bool) -> datetime:
    """Write the line; return since when it is there, or was looked for."""
    machine, backup, crontab = Machine(), _backup(places), SystemCrontab()
    _try(machine, job)
    is_new = install(crontab, job, backup)
    since = SystemClock().now()
    if is_new:
        print(_("Installed in your crontab:\n{line}").format(line=os.fsdecode(job.line)))
        print(_("The crontab as it was: {backup}").format(backup=backup))
    else:
        print(_("The crontab has the line already; nothing was changed."))
    written = crontab.read() or b""
    for line in stray_lines(written, job):
        print(
            _("Another line runs a tick too; no harm, but no use either: {line}").format(line=line)
        )
    if not machine.cron_processes():
        print(_("No cron daemon is seen here, and without one no tick comes."))
    elif is_new and not is_awaited:
        print(_("The first tick comes within two minutes."))
    if is_new or is_awaited:
        _write_again(machine, job, backup, written, is_there=True)
    return since


def _try(machine: Machine, job: Job) -> None:
    """Raise CrontabError for a command that cannot be run, as after its folder was moved."""
    assert job.line  # noqa: S101 - it raises UsageError if cron would not take it
    command = f"{job.tick} --dry-run"
    ended = machine.run(command, bare_environment(machine))
    if ended.code is None or ended.code < 0 or ended.code in CANNOT_RUN:
        said = " ".join(ended.said.split())[-300:] or _("exit {exit_code}").format(
            exit_code=ended.code
        )
        raise CrontabError(
            _("What cron is to run does not run ({said}); the crontab is unchanged").format(
                said=said
            ),
            _(
                "If its folder was moved, make the virtual environment again where it is now, with "
                "pip install, then try: {command}"
            ).format(command=command),
        )


def _write_again(
    machine: Machine, job: Job, backup: Path, written: bytes, *, is_there: bool
) -> None:
    """Write the crontab once more, and look whether systemd-cron has seen it."""
    sys.stdout.flush()
    clock = SystemClock()
    clock.sleep(AGAIN_SECONDS)
    write_again(SystemCrontab(), backup, written)
    if not machine.daemon.makes_timers:
        return
    deadline = clock.monotonic() + MOST_RELOADING_SECONDS
    while machine.has_timer_of(job.command) is not is_there:
        if clock.monotonic() >= deadline:
            no_timer = _("systemd has no timer of it yet: {wake}")
            said = no_timer if is_there else _("systemd still has a timer of it: {wake}")
            print(said.format(wake=_(machine.daemon.wake)))
            return
        clock.sleep(0.2)


def _await_tick(places: Places, since: datetime) -> None:
    seconds = int(MOST_WAITED.total_seconds())
    print(
        _("Waiting for the first tick, {seconds} seconds at most …").format(seconds=seconds),
        flush=True,
    )
    beat = first_tick(make_heartbeat(places, RealDisk()), SystemClock(), since, MOST_WAITED)
    if beat is None:
        raise KakaocronError(
            _("It is installed, and in {seconds} seconds no tick came").format(seconds=seconds),
            SEE_DOCTOR,
        )
    print(_("It runs: a tick came at {at:%H:%M:%S}").format(at=beat.at))
    if beat.word is Word.FAIL:
        print(_("It ended with exit code {code}").format(code=beat.exit_code))
        print(_(SEE_DOCTOR))


def _install_units(job: Job) -> datetime:
    changed = write_units(systemd_folder(), job)
    print(
        "\n".join(_("Wrote {path}").format(path=path) for path in changed)
        or _("The units are there already.")
    )
    print(
        _(
            "Start it: systemctl --user daemon-reload && "
            "systemctl --user enable --now kakaocron.timer"
        )
    )
    print(_("Keep it running while you are logged out: loginctl enable-linger"))
    return SystemClock().now()


@cron_app.command("uninstall")
def uninstall_job(
    config: Annotated[Path | None, config_option()] = None, systemd: SystemdOption = False
) -> None:
    """Take kakaocron out of the crontab; nothing else in it is changed."""
    places = find_places(config)
    if systemd:
        print(_("Stop it first: systemctl --user disable --now kakaocron.timer"))
        removed = remove_units(systemd_folder())
        print(
            "\n".join(_("Removed {path}").format(path=path) for path in removed)
            or _("There were no units.")
        )
        return
    backup, job, crontab = _backup(places), job_of(places), SystemCrontab()
    if uninstall(crontab, job, backup):
        print(_("Taken out of your crontab."))
        print(_("The crontab as it was: {backup}").format(backup=backup))
        _write_again(Machine(), job, backup, crontab.read() or b"", is_there=False)
    else:
        print(_("The crontab has no line of this kakaocron; nothing was changed."))
