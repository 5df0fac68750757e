"""The first config.toml: written once it passes the check."""

from __future__ import annotations

import os
from datetime import date

from kakaocron.config.reading import ConfigError, Fault, parse_config
from kakaocron.config.starter import Answers, config_text
from kakaocron.errors import UsageError
from kakaocron.language.words import _
from kakaocron.messages.faults import faults
from kakaocron.messages.making import Contents
from kakaocron.schedule.slots import count_of_day
from kakaocron.system.disk import Disk, make_folders, replace_file
from kakaocron.system.places import Places
from kakaocron.system.programs import Programs

_OPTIONS = {
    ("kakao", "link"): "--link",
    ("message", "0", "text"): "--text",
    ("message", "0", "to"): "--to",
}


def _of_an_option(error: ConfigError) -> UsageError:
    """Name the option that a fault came from: its line is in no file yet."""
    fault = error.faults[0]
    option = _OPTIONS.get(fault.keys)
    return (
        UsageError(
            _("{option}: {what}; nothing was written").format(option=option, what=fault.what)
        )
        if option
        else error
    )


# Any day of the plan as `init` writes it is as full as any other.
_A_DAY = date(2026, 1, 5)


def write_config(places: Places, answers: Answers, disk: Disk) -> int:
    """Write the file, private, once it passes the check; return its messages a day."""
    content = config_text(answers)
    path = os.path.realpath(places.config)  # a link stays one
    try:
        config = parse_config(content, path, places.profile)
        contents = Contents(config, places.folder, Programs(places.variables))
        for keys, fault in faults(contents, places.variables.get("PATH")):
            raise ConfigError([Fault(path, 1, keys, fault)], config)
    except ConfigError as error:
        raise _of_an_option(error) from None
    try:
        make_folders(disk, str(places.folder))
        replace_file(disk, path, content.encode())
    except OSError as error:
        raise UsageError(
            _("Cannot write '{path}': {strerror}").format(path=path, strerror=error.strerror)
        ) from None
    return sum(count_of_day(one.timetable, _A_DAY) for one in config.series())
