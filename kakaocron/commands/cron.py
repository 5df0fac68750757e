"""`kakaocron cron show|install|uninstall`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option
from kakaocron.config.reading import load_config
from kakaocron.host.crontab import Job, SystemCrontab, install, job_of, other_lines, uninstall
from kakaocron.host.systemd import remove_units, units_of, write_units
from kakaocron.installation import Edges, claimed_places
from kakaocron.language.words import _
from kakaocron.show.next_step import print_next
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import (
    Places,
    find_places,
    only_in_shell,
    systemd_folder,
)

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
    config: Annotated[Path | None, config_option()] = None, systemd: SystemdOption = False
) -> None:
    """Let cron run a tick every minute. Installing again changes nothing."""
    places = find_places(config)
    load_config(places.config, places.profile)
    claimed_places(places, Edges())
    job = job_of(places)
    if systemd:
        _install_units(job)
    else:
        _install_line(places, job)
    for name in only_in_shell(places):
        print(
            _("{name} is set in this shell only; put it into '{env_file}'").format(
                name=name, env_file=places.env_file
            )
        )
    if not systemd:
        print_next(config)


def _install_line(places: Places, job: Job) -> None:
    backup = _backup(places)
    if install(SystemCrontab(), job, backup):
        print(_("cron runs this every minute now:\n{line}").format(line=os.fsdecode(job.line)))
        print(_("The crontab as it was: {backup}").format(backup=backup))
    else:
        print(_("The crontab has the line already; nothing was changed."))
    for line in other_lines(SystemCrontab().read() or b"", job):
        print(
            _("Another line runs a tick too; no harm, but no use either: {line}").format(line=line)
        )


def _install_units(job: Job) -> None:
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
    backup = _backup(places)
    if uninstall(SystemCrontab(), job_of(places), backup):
        print(
            _("cron does not run kakaocron any more. The crontab as it was: {backup}").format(
                backup=backup
            )
        )
    else:
        print(_("The crontab has no line of this kakaocron; nothing was changed."))
