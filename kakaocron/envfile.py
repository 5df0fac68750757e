"""The `.env` beside the configuration: cron has no shell profile. Imports next to nothing."""

from kakaocron.errors import UsageError


def read_env_file(path: str) -> dict[str, str]:
    """Read `NAME=value` lines; quotes around a value and `export` before it are allowed.

    Raises UsageError for a file that cannot be read or holds anything else.
    """
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read '{path}': {error}. Mend it, or remove it") from None
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
