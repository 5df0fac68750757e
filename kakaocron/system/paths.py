"""Where a path starts that somebody wrote. Imports next to nothing: idle ticks ask too.

A relative path starts at the folder of the configuration, never at the one from which a tick
happens to run: cron's is another one, and a relative data folder would be two ledgers.
"""

import os

TYPE_CHECKING = False  # typing itself would be the most expensive import
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kakaocron.errors import UsageError

XDG_NAMES = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


def real_folder(config: str) -> str:
    """Return where the configuration really lies: links to it are followed, so that all of them
    read the same `.env`, and mean the same files."""
    return os.path.dirname(os.path.realpath(config))  # noqa: PTH120


def placed(path: str, folder: str) -> str:
    """Return a path as absolute; `~` is a home, and a relative one starts at `folder`.

    Raises UsageError for the home of nobody.
    """
    if path.startswith("~"):
        at_home = os.path.expanduser(path)  # noqa: PTH111
        if not at_home.startswith("/"):
            what = f"'{path}' names no home: write the whole path, beginning with /"
            raise _usage_error(what, f"home:{path}")
        path = at_home
    parts = os.path.join(folder, path).split("/")  # noqa: PTH118
    return "/" + "/".join(part for part in parts if part not in {"", "."})


def check_xdg(variables: "Mapping[str, str]") -> None:
    """Raise UsageError for a folder of the platform's that is no absolute path: libraries pass it
    over, and whoever asks from elsewhere gets another one."""
    for name in XDG_NAMES:
        value = (variables.get(name) or "").strip()
        if value and not value.startswith("/"):
            raise _usage_error(
                f"{name} is '{value}', which is no absolute path: nobody could tell which folder "
                "it means",
                f"xdg:{name}",
                "Write the whole path, or unset it",
            )


def _usage_error(what: str, which: str, mend: str = "") -> "UsageError":
    from kakaocron.errors import UsageError  # noqa: PLC0415 - idle ticks meet none

    return UsageError(what, mend, which=which)
