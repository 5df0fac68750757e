"""The `.env` beside the configuration: cron has no shell profile. Imports next to nothing."""

from kakaocron.errors import UsageError
from kakaocron.system.syscalls import read_up_to

MAX_BYTES = 1 << 20


def read_env_file(path: str) -> dict[str, str]:
    """Read `NAME=value` lines; quotes around a value and `export` before it are allowed.

    Raises UsageError for a file that cannot be read or holds anything else.
    """
    try:
        content = read_up_to(path, MAX_BYTES)
        if len(content) > MAX_BYTES:
            raise UsageError(f"'{path}' is longer than {MAX_BYTES} bytes. Mend it, or remove it")
        text = content.decode()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"Cannot read '{path}' ({why}). Mend it, or remove it") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        name = _without_export(name).strip()
        if not equals or not (name.isascii() and name.isidentifier()) or "\0" in stripped:
            raise UsageError(f"{path}:{number}: not a line of the form NAME=value")
        found[name] = _unquoted(value.strip())
    return found


def _without_export(name: str) -> str:
    first, _, rest = name.replace("\t", " ").partition(" ")
    return rest if first == "export" and rest.strip() else name


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()
