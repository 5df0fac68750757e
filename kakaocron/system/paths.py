"""Where a path starts that somebody wrote. Imports next to nothing: idle ticks ask too.

A relative path starts at the folder of the configuration, never at the one from which a tick
happens to run: cron's is another one, and a relative data folder would be two ledgers.
"""

import os

TYPE_CHECKING = False  # typing itself would be the most expensive import
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kakaocron.errors import UsageError

# Sentences of the catalogue, which these light imports cannot mark: see tests/language/catalogue.
NO_HOME = "'{path}' names no home: write the whole path, beginning with /"
NOT_ABSOLUTE = (
    "{name} is '{value}', which is no absolute path: nobody could tell which folder it means"
)
WRITE_IT_WHOLE = "Write the whole path, or unset it"

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
            raise _usage_error(
                NO_HOME,
                {"path": path},
                f"home:{path}",
            )
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
                NOT_ABSOLUTE,
                {"name": name, "value": value},
                f"xdg:{name}",
                WRITE_IT_WHOLE,
            )


def _usage_error(what: str, facts: "Mapping[str, str]", which: str, mend: str = "") -> "UsageError":
    from kakaocron.errors import UsageError  # noqa: PLC0415 - idle ticks meet none
    from kakaocron.language.words import _  # noqa: PLC0415 - likewise

    return UsageError(_(what).format_map(facts), mend, which=which)
