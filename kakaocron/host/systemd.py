"""systemd's user units, for those who prefer its timer to cron."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kakaocron.errors import UsageError
from kakaocron.host.crontab import Job
from kakaocron.language.words import _
from kakaocron.system.disk import make_folders, replace_file
from kakaocron.system.syscalls import RealDisk

SERVICE, TIMER = "kakaocron.service", "kakaocron.timer"

_SERVICE = """\
[Unit]
Description=KakaoTalk messages on the minute
After=network-online.target
# To be told of a tick that ended badly (exit code other than 0), name a unit of your own:
# OnFailure=kakaocron-failed@%n.service

[Service]
Type=oneshot
{environment}ExecStart={command}
# A tick ends by itself well within this time.
TimeoutStartSec=5min
# Asked to end, as by a shutdown, it records what is in flight: no failure.
SuccessExitStatus=130
UMask=0077
NoNewPrivileges=yes
"""

_TIMER = """\
[Unit]
Description=kakaocron's tick, every minute

[Timer]
OnCalendar=*-*-* *:*:00
AccuracySec=1s
RandomizedDelaySec=0
Persistent=no

[Install]
WantedBy=timers.target
"""


def units_of(job: Job) -> Mapping[str, str]:
    """Return the text of each unit by its file name."""
    environment = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in job.variables
    )
    command = " ".join(_quoted(word.replace("$", "$$")) for word in job.words)
    return {SERVICE: _SERVICE.format(environment=environment, command=command), TIMER: _TIMER}


def _quoted(word: str) -> str:
    """Write a word as systemd reads it: % begins a specifier, quotes keep blanks."""
    if any(c in word for c in "\n\r\0"):
        raise UsageError(
            _("systemd cannot run a command with a line break in it: {word!r}").format(word=word)
        )
    word = word.replace("%", "%%")
    if any(c in word for c in " \t\"'\\;#"):
        word = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return word


def write_units(folder: Path, job: Job) -> list[Path]:
    """Write the units into systemd's folder for the user; return those that changed."""
    changed = []
    try:
        make_folders(RealDisk(), str(folder))
        for name, text in units_of(job).items():
            path = folder / name
            if not path.exists() or path.read_bytes() != text.encode():
                replace_file(RealDisk(), str(path), text.encode())
                changed.append(path)
    except OSError as error:
        raise UsageError(
            _("Cannot write the units to '{folder}': {strerror}").format(
                folder=folder, strerror=error.strerror
            )
        ) from None
    return changed


def remove_units(folder: Path) -> list[Path]:
    """Remove the units; return those that were there."""
    found = [folder / name for name in (SERVICE, TIMER) if (folder / name).exists()]
    for path in found:
        path.unlink()
    return found
