"""The first config.toml: written once it passes the check."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from kakaocron.config.reading import ConfigError, Fault, parse_config
from kakaocron.config.starter import Answers, config_text
from kakaocron.errors import UsageError
from kakaocron.kst import DAY, KST
from kakaocron.messages.faults import faults
from kakaocron.messages.making import Contents
from kakaocron.schedule.slots import slots_between
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
    return UsageError(f"{option}: {fault.what}; nothing was written") if option else error


# Any day of the plan as `init` writes it is as full as any other.
_A_DAY = datetime(2026, 1, 5, tzinfo=KST)


def write_config(places: Places, answers: Answers, disk: Disk) -> int:
    """Write the file, private, once it passes the check; return its messages a day."""
    content = config_text(answers)
    path = os.path.realpath(places.config)  # a link stays one
    try:
        config = parse_config(content, path, places.profile)
        contents = Contents(config, places.folder, Programs(places.variables))
        for keys, fault in faults(contents, places.variables.get("PATH")):
            raise ConfigError([Fault(path, 1, keys, fault)])
    except ConfigError as error:
        raise _of_an_option(error) from None
    try:
        make_folders(disk, str(places.folder))
        replace_file(disk, path, content.encode())
    except OSError as error:
        raise UsageError(f"Cannot write '{path}': {error.strerror}") from None
    start = _A_DAY - timedelta.resolution
    return sum(
        1
        for one in config.series()
        for _ in slots_between(one.name, one.timetable, start, start + DAY)
    )
