"""`kakaocron config path|show|check|adopt`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.commands.options import config_option, json_option
from kakaocron.config.reading import ConfigError, load_config, located, read_config
from kakaocron.doctor.cron import crons_path
from kakaocron.doctor.finding import Bench
from kakaocron.errors import Exit, UsageError
from kakaocron.host.crontab import SystemCrontab, job_of
from kakaocron.host.probe import Machine
from kakaocron.installation import Edges, credentials
from kakaocron.language.words import _, ngettext
from kakaocron.messages.faults import faults, quota_faults, what_is_read
from kakaocron.messages.making import Contents
from kakaocron.show.console import print_json
from kakaocron.show.next_step import say_next
from kakaocron.system.belonging import adopt as adopt_folder
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places, secret
from kakaocron.system.programs import Programs
from kakaocron.system.stderr import complain

config_app = typer.Typer(help="Where the configuration is, what it says, what is wrong with it.")


@config_app.command("path")
def path(config: Annotated[Path | None, config_option()] = None) -> None:
    """Print where config.toml is, or would be."""
    print(find_places(config).config)


@config_app.command("show")
def show(
    config: Annotated[Path | None, config_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
    raw: Annotated[bool, typer.Option(help="The file as it stands, secrets and all.")] = False,
) -> None:
    """Print the configuration as it is understood: defaults filled in, secrets hidden."""
    places = find_places(config)
    if raw:
        print(read_config(places.config), end="")
        return
    loaded = load_config(places.config, places.profile).fields()
    if as_json:
        print_json(loaded)
        return
    import tomli_w  # noqa: PLC0415 - for this command alone

    print(tomli_w.dumps(loaded), end="")


@config_app.command("check")
def check(config: Annotated[Path | None, config_option()] = None) -> int:
    """Check the configuration; name file, line and key of each fault."""
    places = find_places(config)
    broken = None
    try:
        loaded = load_config(places.config, places.profile)
    except ConfigError as error:
        broken, loaded = error, error.rest
    contents = Contents(loaded, places.folder, Programs(places.variables))
    if broken is None:
        credentials(places, loaded)  # raises UsageError for a file that holds none
    now = SystemClock().now()
    path, is_set_up = crons_path(Bench(places, Machine(), SystemCrontab(), job_of(places), now))
    found = [
        (keys, what)
        for keys, what in faults(contents, path)
        if broken is None or not broken.concerns(keys)
    ]
    here = list(faults(contents, places.variables.get("PATH"))) if found else []
    if broken is None and (settings := loaded.alimtalk):
        name = settings.secret_name
        if not secret(places.variables, name):
            said = _("{name} is not set: nothing goes to phones. Put it into '{path}'")
            missing = (("alimtalk",), said.format(name=name, path=places.env_file))
            found.append(missing)
            here.append(missing)
    for fault in broken.faults if broken else ():
        complain(str(fault))
    for keys, what in found:
        only_there = "" if (keys, what) in here else _(" (cron's PATH is {path})").format(path=path)
        complain(f"{located(places.config, keys, what)}{only_there}")
    # Where no cron is set up yet, something else may start the ticks, with a PATH of its own.
    if broken or (found and (is_set_up or here)):
        return UsageError.exit_code
    count = len(loaded.message)
    said = ngettext("{count} message", "{count} messages", count).format(count=count)
    said = said if count else _("no message: ticks have nothing to send")
    print(_("{config}: fine, {said}").format(config=places.config, said=said))
    for said in what_is_read(contents):
        print(said)
    for said in quota_faults(loaded, now.date()):
        complain(said)
    say_next(config)
    return Exit.FINE


@config_app.command("adopt")
def adopt(config: Annotated[Path | None, config_option()] = None) -> None:
    """Let this configuration take the data folder as it is now: after config.toml was moved, or
    for a new ledger where another was known. What the old ledger has sent, a new one does not
    know."""
    places = find_places(config)
    load_config(places.config, places.profile)
    edges = Edges()
    print(adopt_folder(places, edges.disk, edges.clock, edges.owner))
    print(_("See whether all is well: kakaocron doctor"))
