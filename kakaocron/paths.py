"""Where things are, and what the environment says. The one reader of `os.environ`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kakaocron.errors import UsageError

APP = "kakaocron"
SECRET_NAMES = (
    "KAKAO_ACCESS_TOKEN",
    "KAKAO_REFRESH_TOKEN",
    "KAKAO_REST_API_KEY",
    "KAKAO_CLIENT_SECRET",
)
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


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


def find_places(
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    with_env_file: bool = True,
) -> Places:
    """Resolve the paths: option, then environment, then the platform's own folders.

    A `.env` beside the configuration adds variables, as cron has no shell profile; the real
    environment wins. Raises UsageError for a `.env` that cannot be read.
    """
    variables = dict(os.environ if environ is None else environ)
    path = config or _named(variables, "KAKAOCRON_CONFIG") or _platform("config") / "config.toml"
    path = path.expanduser().absolute()
    merged = {**read_env_file(path.parent / ".env"), **variables} if with_env_file else variables
    return Places(
        path,
        (_named(merged, "KAKAOCRON_DATA_DIR") or _platform("data")).expanduser().absolute(),
        (_named(merged, "KAKAOCRON_LOG_DIR") or _platform("log")).expanduser().absolute(),
        merged,
    )


def _named(variables: Mapping[str, str], name: str) -> Path | None:
    value = variables.get(name)
    return Path(value) if value else None


def _platform(kind: str) -> Path:
    # Imported here: with every path given, an idle tick does without it.
    import platformdirs  # noqa: PLC0415

    found: Path = getattr(platformdirs, f"user_{kind}_path")(APP)
    return found


def read_env_file(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines; quotes around a value and `export` before it are allowed."""
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read '{path}': {error}. Mend it, or remove it") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None or "\0" in stripped:
            raise UsageError(f"{path}:{number}: not a line of the form NAME=value")
        found[match[1]] = _unquoted(match[2].strip())
    return found


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()


def secret(variables: Mapping[str, str], name: str) -> str | None:
    """Return a secret from NAME, from the file that NAME_FILE names, or from systemd's
    credentials folder; None if there is none. The text of an error never holds the secret."""
    if value := variables.get(name):
        return value.strip()
    path = variables.get(f"{name}_FILE")
    credentials = variables.get("CREDENTIALS_DIRECTORY")
    if not path and credentials:
        for candidate in (name, name.lower()):
            if (Path(credentials) / candidate).is_file():
                path = str(Path(credentials) / candidate)
    if not path:
        return None
    try:
        return Path(path).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        kind = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"{name}_FILE: cannot read '{path}' ({kind})") from None
