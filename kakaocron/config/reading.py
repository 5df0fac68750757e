"""Reads config.toml, and names file, line and key of whatever is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from msgspec import Struct, ValidationError, convert

from kakaocron.config.schema import AccountSettings, Config, as_secret
from kakaocron.errors import Keys, UsageError, readable
from kakaocron.language.words import _, marked
from kakaocron.system.syscalls import read_up_to
from kakaocron.text.causes import in_words
from kakaocron.text.tables import BAD_CHOICE, UNKNOWN_KEY, fault_of, nearest

MAX_BYTES = 1 << 20
MOST_FAULTS = 50
# Stands where a message is faulty as a whole, so that the others are looked at under their numbers.
SOUND_MESSAGE = {"slots": ["regular"], "text": "x"}
MAKE_ONE = marked("Make one: kakaocron init")
PROFILES = ("development", "production", "testing")


class Fault(Struct, frozen=True):
    """One thing that is wrong with a file; `str()` of it is the line that the user reads.

    `keys` are empty where it is the file as a whole.
    """

    path: str
    line: int
    keys: Keys
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {readable(self.keys) or 'the file'}: {self.what}"


class ConfigError(UsageError):
    """All that is wrong with a file; `rest` is what it says without what stands at the keys that
    were `left_out`."""

    def __init__(
        self, faults: Sequence[Fault], rest: Config, left_out: Sequence[Keys] = ()
    ) -> None:
        others = len(faults) - 1
        super().__init__(
            f"{faults[0]}"
            + (
                _(" ({others} more: kakaocron config check)").format(others=others)
                if others
                else ""
            ),
            which=" ".join(f"{one.path}:{one.line}:{readable(one.keys)}" for one in faults),
        )
        self.faults = tuple(faults)
        self.rest = rest
        self.left_out = left_out

    def concerns(self, keys: Keys) -> bool:
        """Say whether what is found in the rest at these keys may come of what was left out."""
        return _rests_on(keys, self.left_out)


# What a message's receivers and times mean is said in these.
_OF_ALL_MESSAGES = ("friends", "account", "group", "rooms", "schedule")


def _table_of(keys: Keys) -> Keys:
    return keys[:2] if keys[:1] == ("message",) else keys[:1]


def _rests_on(keys: Keys, left_out: Iterable[Keys]) -> bool:
    tables = {_table_of(one) for one in left_out}
    may_share = keys[:1] in {("message",), ("group",)}
    shared = may_share and any((name,) in tables for name in _OF_ALL_MESSAGES)
    return shared or bool({(), ("message",), _table_of(keys)} & tables)


def load_config(path: Path, profile: str | None = None) -> Config:
    """Read and check the file. Raises UsageError; a ConfigError if it is TOML."""
    return parse_config(read_config(path), str(path), profile)


def read_config(path: Path) -> str:
    try:
        content = read_up_to(str(path), MAX_BYTES)
    except FileNotFoundError:
        what = _("There is no configuration at '{path}'").format(path=path)
        raise UsageError(what, MAKE_ONE, which=f"none:{path}") from None
    except OSError as error:
        what = _("Cannot read '{path}': {strerror}").format(path=path, strerror=error.strerror)
        raise UsageError(what, which=f"{error.errno}:{path}") from None
    if len(content) > MAX_BYTES:
        raise UsageError(
            _("'{path}' is longer than {most} bytes").format(path=path, most=MAX_BYTES),
            which=f"long:{path}",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what, mend = (
            _("{path}:{line}: not UTF-8 text").format(path=path, line=line),
            _("Save the file as UTF-8"),
        )
        raise UsageError(what, mend, which=f"utf-8:{path}:{line}") from None


def parse_config(text: str, path: str, profile: str | None = None) -> Config:
    """Check a configuration's text; `path` only names it in errors."""
    if profile is not None and profile not in PROFILES:
        near = nearest(profile, PROFILES)
        raise UsageError(
            _("ENVIRONMENT is '{profile}'; it must be one of {profiles}{near}").format(
                profile=profile, profiles=", ".join(PROFILES), near=near
            ),
            which=f"profile:{profile}",
        )
    try:
        tables = tomllib.loads(text)
    except ValueError as error:  # tomllib's own, or a number of thousands of digits
        said = _one_line(str(error))
        raise UsageError(_not_toml(text, path, said), which=f"toml:{path}:{said}") from None
    except RecursionError:
        what = _("{path}: not TOML that can be read: nested too deeply").format(path=path)
        raise UsageError(what, which=f"deep:{path}") from None
    lines = key_lines(text)
    profiles = tables.pop("profile", {})
    faults: list[Fault] = []
    left_out: Sequence[Keys] = ()
    try:
        checked = _checked(tables, path, lines)
    except ConfigError as error:
        checked, left_out, faults = error.rest, error.left_out, [*error.faults]
    known = {(one.keys, one.what) for one in faults}
    faults += _profile_faults(profiles, path, lines)
    for name in PROFILES:
        overrides = profiles.get(name) if isinstance(profiles, dict) else None
        if not isinstance(overrides, dict):
            continue
        inside = _inside(name)
        try:
            overridden = _checked(_merged(tables, overrides), path, lines, ("profile", name))
            checked = overridden if name == profile else checked
        except ConfigError as error:
            # What the profile says nothing of is told once, as the file's own.
            own = (
                one
                for one in error.faults
                if (one.keys, one.what.removesuffix(inside)) not in known
            )
            faults += own
    if faults:
        raise ConfigError(faults, checked, left_out)
    return checked


def _inside(profile: str) -> str:
    return _(" (in profile '{profile}')").format(profile=profile)


def _profile_faults(
    profiles: object, path: str, lines: Mapping[tuple[str, ...], int]
) -> Iterator[Fault]:
    if not isinstance(profiles, dict):
        yield Fault(path, lines.get(("profile",), 1), ("profile",), _("must be a table"))
        return
    for name, overrides in profiles.items():
        keys = ("profile", name)
        line = _line_of(keys, lines) or 1
        if name not in PROFILES:
            what = _("it must be one of {profiles}{nearest}").format(
                profiles=", ".join(PROFILES), nearest=nearest(name, PROFILES)
            )
            yield Fault(path, line, keys, _("unknown profile; {what}").format(what=what))
        elif not isinstance(overrides, dict):
            yield Fault(path, line, keys, _("must be a table"))
        elif "language" in overrides:
            own = (*keys, "language")
            what = _("stands at the top of the file alone: it is read before the profile is known")
            yield Fault(path, _line_of(own, lines) or line, own, what)


def _not_toml(text: str, path: str, said: str) -> str:
    from kakaocron.config.mistakes import mistake  # noqa: PLC0415 - for faults alone

    what, _at, where = said.partition(" (at ")
    found = re.search(r"line (\d+), column (\d+)", where)
    line, column = (int(found[1]), int(found[2])) if found else _end_of(text)
    if not found and not where.startswith("end"):
        return _("{path}: not TOML: {what}").format(path=path, what=what[:200])
    place = _("{path}:{line}: not TOML").format(path=path, line=line) + (
        _(" at column {column}").format(column=column) if found else ""
    )
    why = mistake(text, line, column, what)
    return f"{place}: {why or what[:200]}" + (
        "" if why or found else _(": the file ends too early")
    )


def _end_of(text: str) -> tuple[int, int]:
    """Return the line and column (from 1) of the last thing that a text says; where a text of
    several lines has no end, of its beginning."""
    lines = text.rstrip().split("\n")
    outside = [number for number, _ in _outside_strings("\n".join(lines))]
    last = outside[-1]
    return last, len(lines[last - 1]) + 1


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        found = merged.get(key)
        both = isinstance(value, dict) and isinstance(found, dict)
        merged[key] = _merged(found, value) if both else value  # type: ignore[arg-type]
    return merged


def _checked(
    tables: Mapping[str, Any],
    path: str,
    lines: Mapping[tuple[str, ...], int],
    prefix: tuple[str, ...] = (),
) -> Config:
    def told(keys: Keys, what: str) -> Fault:
        line = (
            _line_of((*prefix, *keys), lines, len(prefix))
            or _line_of(keys, lines)
            or _line_of(prefix, lines)
            or 1
        )
        inside = _inside(prefix[1]) if prefix else ""
        return Fault(path, line, keys, f"{what}{inside}")

    config, faults = _converted(tables)
    left_out = [keys for keys, _ in faults]
    faults += [found for found in config.contradictions() if not _rests_on(found[0], left_out)]
    if faults:
        raise ConfigError([told(*fault) for fault in faults], config, left_out)
    return config


def _converted(tables: Mapping[str, Any]) -> tuple[Config, list[tuple[Keys, str]]]:
    """Return the configuration and its faults: what is faulty is left out to see the next one."""
    rest = {name: _copied(table) for name, table in tables.items()}
    faults: list[tuple[Keys, str]] = []
    left_out: set[Keys] = set()
    while len(faults) < MOST_FAULTS:
        try:
            return convert(rest, Config, dec_hook=as_secret), faults
        except ValidationError as error:
            keys, what = _fault_of(error, rest)
        table = keys[:2] if keys[:1] == ("message",) else keys[:1]
        key = keys[: len(table) + 1]
        is_there = key != table and _has(rest, key)
        # What a table lacks after something was left out of it is no fault of the user's.
        if is_there or not any(one[: len(key)] == key for one in left_out):
            faults.append((keys, what))
        if is_there:
            del _value_at(rest, table)[key[-1]]
            left_out.add(key)
        elif len(table) > 1:
            # Each with a name of its own, or two would be called the same.
            rest["message"][int(table[1])] = {**SOUND_MESSAGE, "name": f"faulty.{table[1]}"}
        elif table:
            del rest[table[0]]
        else:
            break
    return Config(), faults


def _copied(table: Any) -> Any:
    """Copy what faults are left out of: tables, and lists of tables."""
    if isinstance(table, list):
        return [dict(one) if isinstance(one, dict) else one for one in table]
    return dict(table) if isinstance(table, dict) else table


def located(path: Path, keys: Keys, what: str) -> Fault:
    """Say where in the file a fault stands that a closer look has found."""
    return Fault(str(path), _line_of(keys, key_lines(read_config(path))) or 1, keys, what)


def _fault_of(error: ValidationError, tables: Mapping[str, Any]) -> tuple[Keys, str]:
    keys, cause = fault_of(error)
    keys = keys if _has(tables, keys[:-1]) else ()  # an unknown key may itself look like a path
    if keys == ("message",):
        return keys, _("each message is a table of its own, under [[message]]")
    if cause.code == UNKNOWN_KEY and keys:
        near = _home_of(keys) or nearest(keys[-1], _known_keys(keys[:-1]))
        return keys, in_words(cause) + near
    if cause.code == BAD_CHOICE:
        choices = [str(choice) for choice in get_args(_type_at(keys))]
        named = _(" or ").join(f"'{choice}'" for choice in choices)
        near = nearest(str(_value_at(tables, keys)), choices)
        return keys, _("must be {named}{near}").format(named=named, near=near)
    return keys, in_words(cause)


def _type_at(keys: Sequence[str]) -> Any:
    """Return the type of a key's value, without its bounds and without None."""
    found: Any = Config
    if keys[:1] == ("account",) and len(keys) > 1:
        found, keys = AccountSettings, keys[2:]
    for key in keys:
        found = get_args(found)[0] if key.isdigit() else get_type_hints(found)[key]
        if type(None) in get_args(found):
            found = get_args(found)[0]
    return found


def _value_at(tables: Mapping[str, Any], keys: Sequence[str]) -> Any:
    found: Any = tables
    for key in keys:
        found = found[int(key) if key.isdigit() else key]
    return found


def _has(tables: Mapping[str, Any], keys: Sequence[str]) -> bool:
    try:
        _value_at(tables, keys)
    except (LookupError, TypeError):
        return False
    return True


def _home_of(keys: Keys) -> str:
    """Name the table that has the last of the keys, if none like it is known where it stands."""
    if keys[-1] == "language":
        return _("; it belongs to the top of the file, before the first [")
    homes = [
        f"[[{name}]]" if name == "message" else f"[{name}]"
        for name in Config.__struct_fields__
        if name not in {"friends", "phones", "account", "group", "rooms", "language"}
        and keys[-1] in _known_keys((name, "0") if name == "message" else (name,))
    ]
    return _("; it belongs into {homes}").format(homes=_(" or ").join(homes)) if homes else ""


def _known_keys(keys: Sequence[str]) -> list[str]:
    known = _type_at(keys)
    return list(known.__struct_encode_fields__) + (["profile"] if known is Config else [])


def _one_line(text: str) -> str:
    return " ".join(text.split())


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Return on which line (from 1) each key and table stands; tomllib keeps none of it.

    The elements of an array of tables are numbered from 0, as in ("message", "0", "text").
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in _outside_strings(text):
        if header := _HEADER.match(line):
            table = _split_keys(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            elif table[:1] in counts:
                table = (table[0], str(counts[table[:1]]), *table[1:])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_split_keys(key[1])), number)
    return lines


def _outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that do not begin inside a multi-line string."""
    closing = ""
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        yield number, line
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2:
                closing = quotes


def _split_keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _line_of(
    keys: tuple[str, ...], lines: Mapping[tuple[str, ...], int], at_least: int = 0
) -> int | None:
    """Return the line of a key, or of the table that it is in; of more than `at_least` parts."""
    while len(keys) > at_least:
        # An array of tables has no line of its own: the first thing in it has.
        beneath = [line for key, line in lines.items() if key[: len(keys)] == keys]
        if beneath:
            return lines.get(keys, min(beneath))
        keys = keys[:-1]
    return None
