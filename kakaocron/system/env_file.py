"""The `.env` beside the configuration: cron has no shell profile. Imports next to nothing.

It is read as python-dotenv 1.2 reads it (a test holds the two against each other): other tools
read the same file. Idle ticks read it too, and could not afford that library's imports.
"""

from kakaocron.files import usage_error
from kakaocron.system.syscalls import read_up_to

TYPE_CHECKING = False  # typing itself would be the most expensive import
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    # The line (from 1), what stands there, its name (None: no statement) and value (None: no `=`).
    Statement = tuple[int, str, str | None, str | None]

MAX_BYTES = 1 << 20
# Sentences of the catalogue, which these light imports cannot mark: see tests/language/catalogue.
MEND = "Fix it, or remove it"
NO_STATEMENT = "{path}:{line}: not a line of the form NAME=value"
TOO_LONG = "'{path}' is longer than {most} bytes"
UNREADABLE = "Cannot read '{path}' ({why})"
HOLDS_NUL = "{path}:{line}: holds a NUL character"
OWN_NAMES = ("KAKAO", "ENVIRONMENT", "LOG_LEVEL")

_ESCAPES = {
    "'": {"\\": "\\", "'": "'"},
    '"': {
        **{"\\": "\\", "'": "'", '"': '"'},
        **{"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"},
    },
}


def read_env_file(path: str, environ: "Mapping[str, str]") -> dict[str, str]:
    """Return the variables of the file at `path`, none if it is not there; `environ` is what
    `${NAME}` in a value is looked up in first, as it wins over the file.

    Raises UsageError for a file that cannot be read, and for a line that means one of
    kakaocron's own variables and gives it no value. Other lines that are none are passed over.
    """
    found: dict[str, str | None] = {}
    for line, said, name, value in _statements(_text(path)):
        if (name is None or value is None) and _means_own(said):
            raise usage_error(NO_STATEMENT, which=f"{path}:{line}", path=path, line=line)
        if name is not None:
            found[name] = None if value is None else _filled(value, found, environ)
    return {name: value for name, value in found.items() if value is not None}


def passed_over(path: str) -> list[int]:
    """Return the lines (from 1) of the file that are no statements. Raises UsageError."""
    return [line for line, _, name, _ in _statements(_text(path)) if name is None]


def _text(path: str) -> str:
    try:
        content = read_up_to(path, MAX_BYTES)
        if len(content) > MAX_BYTES:
            raise usage_error(TOO_LONG, MEND, which=f"long:{path}", path=path, most=MAX_BYTES)
        text = content.decode()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise usage_error(UNREADABLE, MEND, which=f"read:{path}", path=path, why=why) from None
    if "\0" in text:  # no variable can hold it
        line = text[: text.index("\0")].count("\n") + 1
        raise usage_error(HOLDS_NUL, MEND, which=f"nul:{path}:{line}", path=path, line=line)
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _means_own(said: str) -> bool:
    """Say whether what stands there was to set a variable of kakaocron's."""
    lines = (line.strip().removeprefix("export").lstrip(" \t'\"") for line in said.split("\n"))
    return any(line.startswith(OWN_NAMES) for line in lines)


def _statements(text: str) -> "Iterator[Statement]":
    at = 0
    while True:
        at = _skipped(text, at, "")
        if at == len(text):
            return
        end, name, value = _statement(text, at)
        said = text[at:end]
        if name is not None or not said.startswith("#"):
            yield text.count("\n", 0, at) + 1, said, name, value
        at = end


def _statement(text: str, start: int) -> "tuple[int, str | None, str | None]":
    """Read one statement; return where it ends, its name and its value."""
    at = start
    if text.startswith("export", at) and _skipped(text, at + 6) > at + 6:
        at = _skipped(text, at + 6)
    name, at = _name(text, at)
    if name is None:
        return _rest_of_line(text, at), None, None
    at = _skipped(text, at)
    value = None
    if text.startswith("=", at):
        after = _skipped(text, at + 1)
        is_comment = text.startswith("#", after) and after > at + 1
        value, at = ("", after) if is_comment else _value(text, after)
        if value is None:
            return _rest_of_line(text, at), None, None
    end = _skipped(text, at)
    if text.startswith("#", end):
        end = _line_end(text, end)
    if end < len(text) and text[end] != "\n":
        return _rest_of_line(text, at), None, None
    return min(end + 1, len(text)), name, value


def _name(text: str, at: int) -> "tuple[str | None, int]":
    if text.startswith("'", at):
        end = text.find("'", at + 1)
        return (text[at + 1 : end], end + 1) if end > at + 1 else (None, at)
    end = at
    while end < len(text) and text[end] not in "=#" and not text[end].isspace():
        end += 1
    return (text[at:end], end) if end > at else (None, at)


def _value(text: str, at: int) -> "tuple[str | None, int]":
    quote = text[at : at + 1]
    if quote not in _ESCAPES:
        end = _line_end(text, at)
        return _without_comment(text[at:end]), end
    parts: list[str] = []
    end = at + 1
    while end < len(text) and text[end] != quote:
        part = text[end : end + 2] if text[end] == "\\" else text[end]
        parts.append(part)
        end += len(part)
    if end >= len(text):
        return None, at
    escapes = _ESCAPES[quote]
    return "".join(escapes.get(p[1:], p) if len(p) > 1 else p for p in parts), end + 1


def _without_comment(value: str) -> str:
    at = value.find("#", 1)
    while at > 0 and not value[at - 1].isspace():
        at = value.find("#", at + 1)
    return (value if at < 0 else value[:at]).rstrip()


def _filled(value: str, found: "Mapping[str, str | None]", environ: "Mapping[str, str]") -> str:
    """Fill `${NAME}` and `${NAME:-default}` from the environment, or from what stands above."""
    parts: list[str] = []
    at = 0
    while (start := value.find("${", at)) >= 0:
        end = value.find("}", start)
        name, colon, default = value[start + 2 : max(end, 0)].partition(":")
        if end < 0 or (colon and not default.startswith("-")):
            parts.append(value[at : start + 2])
            at = start + 2
            continue
        known = environ[name] if name in environ else found.get(name, default[1:])
        parts += [value[at:start], known or ""]
        at = end + 1
    return "".join(parts) + value[at:]


def _skipped(text: str, at: int, but: str = "\n") -> int:
    """Return where blanks that begin at a place end."""
    while at < len(text) and text[at].isspace() and text[at] not in (but or "\0"):
        at += 1
    return at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _rest_of_line(text: str, at: int) -> int:
    return min(_line_end(text, at) + 1, len(text))
