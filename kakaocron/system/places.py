"""Where things are, and what the environment says. The one reader of `os.environ`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from msgspec import Struct

from kakaocron.errors import KakaocronError, UsageError
from kakaocron.files import check_xdg, placed, real_folder
from kakaocron.language.choice import chosen_language, configured_language
from kakaocron.language.words import Language, _
from kakaocron.system.env_file import read_env_file
from kakaocron.system.proxies import CA_NAMES, PROXY_NAMES
from kakaocron.system.syscalls import read_up_to
from kakaocron.text.causes import parts
from kakaocron.text.plain import is_secret

APP = "kakaocron"
SECRET_NAMES = (
    "KAKAO_ACCESS_TOKEN",
    "KAKAO_REFRESH_TOKEN",
    "KAKAO_REST_API_KEY",
    "KAKAO_CLIENT_SECRET",
    "ALIMTALK_SECRET_KEY",
    "ALIMTALK_API_SECRET",
    "KAKAO_BOT_TOKEN",
    "KAKAOCRON_LEDGER_URL",
    "KAKAOCRON_LOGIN_KEY",
)
MAX_SECRET = 10_000
MAX_BEGINNING = 1 << 16  # bytes of a configuration, for the keys above its first table
DEFAULT_TICKS = "ticks"
# What names a file or a folder: relative, it starts at the configuration's folder.
FILE_NAMES = tuple(f"{name}_FILE" for name in SECRET_NAMES)
# The same of another account; text/plain.account_variables has the name before it.
_OF_ACCOUNT = re.compile(
    r"KAKAO_ACCOUNT_.+_(?:ACCESS_TOKEN|REFRESH_TOKEN|REST_API_KEY|CLIENT_SECRET)(?:_FILE)?"
)
FOLDER_NAMES = ("KAKAOCRON_DATA_DIR", "KAKAOCRON_LOG_DIR")


class Places(Struct, frozen=True):
    """The files and folders of one installation, and the variables that apply to it."""

    config: Path
    data: Path
    log: Path
    variables: Mapping[str, str]
    ticks: str = DEFAULT_TICKS  # where the heartbeats are, in the log folder

    def __repr__(self) -> str:
        return f"Places({str(self.config)!r}, {str(self.data)!r}, {str(self.log)!r})"

    @property
    def folder(self) -> Path:
        """Return where relative paths start and `.env` lies: beside the real file, if `config` is
        a link to it."""
        return Path(real_folder(str(self.config)))

    @property
    def env_file(self) -> Path:
        return self.folder / ".env"

    @property
    def note(self) -> Path:
        """Return where the configuration's note of its ledgers lies, beside the real file."""
        real = Path(os.path.realpath(self.config))
        return real.with_name(f".{real.name}.ledgers")

    @property
    def ledger(self) -> str:
        return str(self.data / "ledger")

    @property
    def pauses(self) -> str:
        return str(self.data / "pauses.json")

    @property
    def timetables(self) -> str:
        return str(self.data / "timetables.json")

    @property
    def apprise(self) -> str:
        """Return the folder in which Apprise keeps what services give it."""
        return str(self.data / "apprise")

    @property
    def tokens(self) -> str:
        return str(self.data / "tokens.json")

    def tokens_of(self, account: str) -> str:
        """Return the file of an account's login; the first account has no name."""
        return str(self.data / "tokens" / f"{account}.json") if account else self.tokens

    @property
    def heartbeat(self) -> str:
        return str(self.log / self.ticks)

    @property
    def log_file(self) -> Path:
        return self.log / "kakaocron.log"

    @property
    def profile(self) -> str | None:
        return self.variables.get("ENVIRONMENT") or None


def names_secret(name: str) -> bool:
    """Say whether a variable holds a secret, or the path of a file that does."""
    return name in SECRET_NAMES or name in FILE_NAMES or bool(_OF_ACCOUNT.fullmatch(name))


def find_places(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Places:
    """Resolve the paths: option, then environment, then the platform's own folders.

    A `.env` beside the configuration adds variables, as cron has no shell profile; the real
    environment wins. Raises UsageError for a `.env` that cannot be read.
    """
    variables = dict(os.environ if environ is None else environ)
    check_xdg(variables)
    path = find_config(config, variables)
    folder = real_folder(str(path))
    merged = _with_env_file(variables, Path(folder))
    check_xdg(merged)
    for name in merged:
        if merged[name] and names_secret(name) and name.endswith("_FILE"):
            merged[name] = placed(merged[name], folder)
    places = _places(path, merged)
    _check_link(places)
    return places


def _with_env_file(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Add what the `.env` of a folder has and the environment has not. Raises UsageError."""
    beside = read_env_file(str(folder / ".env"), environ)
    for name in CA_NAMES:
        if beside.get(name):
            beside[name] = placed(beside[name], str(folder))
    # A proxy's name may be spelled in lower case too: the environment wins in either.
    named = {name.upper() for name in environ} & PROXY_NAMES
    return {**{n: v for n, v in beside.items() if n.upper() not in named}, **environ}


def env_file_passed_over(places: Places) -> Path | None:
    """Return the `.env` beside a link to the configuration, if it is another one than that which
    is read: beside the real file."""
    beside = places.config.parent / ".env"
    try:
        same = os.path.exists(places.env_file) and os.path.samefile(beside, places.env_file)  # noqa: PTH110, PTH121
        return None if same or not os.path.exists(beside) else beside  # noqa: PTH110
    except OSError:
        return None


def _check_link(places: Places) -> None:
    """Raise UsageError where a `.env` that is not read asks for other folders: an earlier version
    may have kept its ledger there."""
    beside = env_file_passed_over(places)
    if beside is None:
        return
    asked = read_env_file(str(beside), places.variables)
    for name, path in (("KAKAOCRON_DATA_DIR", places.data), ("KAKAOCRON_LOG_DIR", places.log)):
        wanted = asked.get(name)
        if wanted and name not in os.environ and placed(wanted, str(beside.parent)) != str(path):
            raise UsageError(
                _(
                    "'{beside}' sets {name} and is not read: '{config}' is a link, and what counts "
                    "is the .env beside the real file, '{env_file}'"
                ).format(beside=beside, name=name, config=places.config, env_file=places.env_file),
                _("Move it there"),
                which=f"env:{name}",
            )


def find_places_anyhow(config: Path | None = None) -> Places:
    """Resolve the paths to tell of what is broken: even if it is the `.env` itself."""
    try:
        return find_places(config)
    except UsageError:
        fit = {n: v for n, v in os.environ.items() if not n.startswith("XDG_") or v[:1] == "/"}
        fit = {n: v for n, v in fit.items() if n not in FOLDER_NAMES or v[:1] == "/"}
        return _places(find_config(config, fit), fit, is_strict=False)


def _places(config: Path, merged: Mapping[str, str], *, is_strict: bool = True) -> Places:
    # Without HOME the home is the user's, whoever asks.
    if is_strict and not os.environ.get("HOME", "/").startswith("/") and not _has_folders(merged):
        raise UsageError(
            _(
                "HOME is '{home}', which is no absolute path: it names no folder for the ledger"
            ).format(home=os.environ["HOME"]),
            _("Set it, or KAKAOCRON_DATA_DIR and KAKAOCRON_LOG_DIR"),
            which="home",
        )
    return Places(
        config,
        _folder(merged, "KAKAOCRON_DATA_DIR", config) or _platform("data", merged),
        _folder(merged, "KAKAOCRON_LOG_DIR", config) or _platform("log", merged),
        merged,
    )


def _folder(merged: Mapping[str, str], name: str, config: Path) -> Path | None:
    value = merged.get(name)
    return Path(placed(value, real_folder(str(config)))) if value else None


def _has_folders(merged: Mapping[str, str]) -> bool:
    """Say whether nothing has to be looked for in the user's home."""
    pairs = (("KAKAOCRON_DATA_DIR", "XDG_DATA_HOME"), ("KAKAOCRON_LOG_DIR", "XDG_STATE_HOME"))
    return all(merged.get(own) or (merged.get(xdg) or "").strip() for own, xdg in pairs)


def find_config(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Resolve the configuration's path alone."""
    variables = os.environ if environ is None else environ
    path = (
        config
        or _named(variables, "KAKAOCRON_CONFIG")
        or _platform("config", variables) / "config.toml"
    )
    return _expanded(path)


def _expanded(path: Path) -> Path:
    # Path.expanduser raises where there is no such user.
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111


def _named(variables: Mapping[str, str], name: str) -> Path | None:
    value = variables.get(name)
    return Path(value) if value else None


_XDG = {
    "config": ("XDG_CONFIG_HOME", APP),
    "data": ("XDG_DATA_HOME", APP),
    "state": ("XDG_STATE_HOME", APP),
    "log": ("XDG_STATE_HOME", f"{APP}/log"),
}


def _platform(kind: str, variables: Mapping[str, str]) -> Path:
    name, within = _XDG[kind]
    if base := (variables.get(name) or "").strip():  # the `.env` may have it: nobody else would ask
        return Path(base) / within
    # Imported here: with every path given, nothing needs it.
    import platformdirs  # noqa: PLC0415

    found: Path = getattr(platformdirs, f"user_{kind}_path")(APP)
    return found.absolute()


def fallback_note(places: Places) -> str:
    """Return where the note of a configuration goes whose own folder cannot be written."""
    name = f"{places.note.parent}/{places.note.name}".encode("utf-8", "surrogateescape")
    folder = _platform("state", places.variables) / "installations"
    return str(folder / f"{crc32(name):08x}.json")


def secret(variables: Mapping[str, str], name: str) -> str | None:
    """Return a secret from NAME, from the file that NAME_FILE names, or from systemd's
    credentials folder; None if there is none. The text of an error never holds the secret."""
    found = (variables.get(name) or "").strip() or _secret_in_file(variables, name)
    if found and not is_secret(found):
        raise UsageError(*parts("secret-odd", name=name), which=f"secret:{name}")
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
            told = parts("secret-long", name=name, path=path, most=MAX_SECRET)
            raise UsageError(*told, which=f"long:{name}")
        return content.decode().strip() or None
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None)
        why = {"error": words} if words else {"behind": "not-utf8-text"}
        told = parts("secret-unreadable", name=name, path=path, **why)
        raise UsageError(*told, which=f"read:{name}:{path}") from None


def find_language(config: Path | None = None) -> Language:
    """Return the language to speak, before all else is read: by the environment, the `.env`, the
    configuration. What cannot be read of them has no say; its own reader tells of it."""
    variables: Mapping[str, str] = os.environ
    configured = None
    with suppress(KakaocronError, OSError, ValueError):
        path = find_config(config, variables)
        configured = configured_language(_beginning(path))
        variables = _with_env_file(variables, Path(real_folder(str(path))))
    return chosen_language(variables, configured)


def _beginning(path: Path) -> str:
    try:
        return read_up_to(str(path), MAX_BEGINNING).decode("utf-8-sig", "replace")
    except OSError:
        return ""


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
    found = read_env_file(str(places.env_file), os.environ)
    beside = {name.upper() for name in found}
    others = sorted(name for name in os.environ if _OF_ACCOUNT.fullmatch(name))
    secrets = [variant for name in SECRET_NAMES for variant in (name, f"{name}_FILE")] + others
    network = sorted({*CA_NAMES, *PROXY_NAMES, *map(str.lower, PROXY_NAMES)})
    return [
        name for name in (*secrets, *network) if os.environ.get(name) and name.upper() not in beside
    ]


def systemd_folder() -> Path:
    """Return where systemd looks for the user's own units."""
    import platformdirs  # noqa: PLC0415

    return Path(platformdirs.user_config_path("systemd")) / "user"
