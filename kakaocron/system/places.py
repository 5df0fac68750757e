"""Where things are, and what the environment says. The one reader of `os.environ`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kakaocron.errors import UsageError
from kakaocron.system.env_file import read_env_file
from kakaocron.system.proxies import CA_NAMES, PROXY_NAMES
from kakaocron.system.syscalls import read_up_to
from kakaocron.text.plain import is_secret

APP = "kakaocron"
SECRET_NAMES = (
    "KAKAO_ACCESS_TOKEN",
    "KAKAO_REFRESH_TOKEN",
    "KAKAO_REST_API_KEY",
    "KAKAO_CLIENT_SECRET",
)
MAX_SECRET = 10_000


@dataclass(frozen=True, slots=True)
class Places:
    """The files and folders of one installation, and the variables that apply to it."""

    config: Path
    data: Path
    log: Path
    variables: Mapping[str, str] = field(repr=False)

    @property
    def ledger(self) -> str:
        return str(self.data / "ledger")

    @property
    def pauses(self) -> str:
        return str(self.data / "pauses.json")

    @property
    def tokens(self) -> str:
        return str(self.data / "tokens.json")

    @property
    def heartbeat(self) -> str:
        return str(self.log / "ticks")

    @property
    def log_file(self) -> Path:
        return self.log / "kakaocron.log"

    @property
    def profile(self) -> str | None:
        return self.variables.get("ENVIRONMENT") or None


def find_places(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Places:
    """Resolve the paths: option, then environment, then the platform's own folders.

    A `.env` beside the configuration adds variables, as cron has no shell profile; the real
    environment wins. Raises UsageError for a `.env` that cannot be read.
    """
    variables = dict(os.environ if environ is None else environ)
    path = find_config(config, variables)
    return _places(path, _with_env_file(variables, path.parent))


def _with_env_file(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Add what the `.env` of a folder has and the environment has not. Raises UsageError."""
    beside = read_env_file(str(folder / ".env"), environ)
    for name in CA_NAMES:
        if beside.get(name):
            beside[name] = str(folder / Path(os.path.expanduser(beside[name])))  # noqa: PTH111
    # A proxy's name may be spelled in lower case too: the environment wins in either.
    named = {name.upper() for name in environ} & PROXY_NAMES
    return {**{n: v for n, v in beside.items() if n.upper() not in named}, **environ}


def find_places_anyhow(config: Path | None = None) -> Places:
    """Resolve the paths to tell of what is broken: even if it is the `.env` itself."""
    try:
        return find_places(config)
    except UsageError:
        return _places(find_config(config), dict(os.environ))


def _places(config: Path, merged: Mapping[str, str]) -> Places:
    return Places(
        config,
        _expanded(_named(merged, "KAKAOCRON_DATA_DIR") or _platform("data")),
        _expanded(_named(merged, "KAKAOCRON_LOG_DIR") or _platform("log")),
        merged,
    )


def find_config(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Resolve the configuration's path alone."""
    variables = os.environ if environ is None else environ
    path = config or _named(variables, "KAKAOCRON_CONFIG") or _platform("config") / "config.toml"
    return _expanded(path)


def _expanded(path: Path) -> Path:
    # Path.expanduser raises where there is no such user.
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111


def _named(variables: Mapping[str, str], name: str) -> Path | None:
    value = variables.get(name)
    return Path(value) if value else None


def _platform(kind: str) -> Path:
    # Imported here: with every path given, nothing needs it.
    import platformdirs  # noqa: PLC0415

    found: Path = getattr(platformdirs, f"user_{kind}_path")(APP)
    return found


def secret(variables: Mapping[str, str], name: str) -> str | None:
    """Return a secret from NAME, from the file that NAME_FILE names, or from systemd's
    credentials folder; None if there is none. The text of an error never holds the secret."""
    found = (variables.get(name) or "").strip() or _secret_in_file(variables, name)
    if found and not is_secret(found):
        raise UsageError(f"{name} holds a blank or a character that no key or token has")
    return found


def _secret_in_file(variables: Mapping[str, str], name: str) -> str | None:
    path = variables.get(f"{name}_FILE")
    credentials = variables.get("CREDENTIALS_DIRECTORY")
    if not path and credentials:
        for candidate in (name, name.lower()):
            if os.path.isfile(f"{credentials}/{candidate}"):  # noqa: PTH113 - never raises
                path = f"{credentials}/{candidate}"
    if not path:
        return None
    try:
        content = read_up_to(path, MAX_SECRET)
        if len(content) > MAX_SECRET:
            raise UsageError(f"{name}_FILE: '{path}' is longer than {MAX_SECRET} bytes")
        return content.decode().strip() or None
    except (OSError, UnicodeDecodeError) as error:
        kind = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"{name}_FILE: cannot read '{path}' ({kind})") from None


def settings_in_shell(places: Places) -> tuple[tuple[str, str], ...]:
    """Return the settings that cron, whose environment is bare, must be given with the command:
    those of this shell, and always the folders, which a HOME or XDG_DATA_HOME in a crontab would
    move. Secrets are none of them: a command can be read by everybody."""
    settings = [
        (name, os.environ[name]) for name in ("ENVIRONMENT", "LOG_LEVEL") if name in os.environ
    ]
    return (
        *settings,
        ("KAKAOCRON_DATA_DIR", str(places.data)),
        ("KAKAOCRON_LOG_DIR", str(places.log)),
    )


def only_in_shell(places: Places) -> list[str]:
    """Return which secrets, proxies and certificates are in this shell's environment and not in
    the `.env` that cron's ticks read."""
    found = read_env_file(str(places.config.parent / ".env"), os.environ)
    beside = {name.upper() for name in found}
    secrets = [variant for name in SECRET_NAMES for variant in (name, f"{name}_FILE")]
    network = sorted({*CA_NAMES, *PROXY_NAMES, *map(str.lower, PROXY_NAMES)})
    return [
        name for name in (*secrets, *network) if os.environ.get(name) and name.upper() not in beside
    ]


def systemd_folder() -> Path:
    """Return where systemd looks for the user's own units."""
    import platformdirs  # noqa: PLC0415

    return Path(platformdirs.user_config_path("systemd")) / "user"
