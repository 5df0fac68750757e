"""What a crontab says, as cron reads it: each line that runs a tick, and what holds for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import compress

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.host.daemons import CRON, Daemon

_ASSIGNMENT = re.compile(r"""\s*(["']?)([A-Za-z_]\w*)\1\s*=\s*(.*?)\s*""")
_INLINE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_FIELDS = re.compile(r"\s*(@\S+|\S+(?:\s+\S+){4})\s+(.*)")
_BARE_PERCENT = re.compile(r"(?<!\\)%")
_OPERATOR = re.compile(r"[();<>|&]+")
_REDIRECTIONS = frozenset({"<", ">", ">>", ">&", "<>"})
# What our own line asks before its tick.
_WORD = r"""(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\();<>|&])++"""
_IS_IDLE = re.compile(
    rf"(?:\A|(?<=&& ))(?:export ({_WORD}(?: {_WORD})*); )?{_WORD}(?: {_WORD})*"
    r"(?:(?<=/is_idle\.py)|(?<=/is_idle\.py')) 2>/dev/null \|\| "
)
_TICK = re.compile(r"(?<=\s)tick(?=[\s>]|$)")
# From and to where each field goes, and the names that it may have.
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_RANGES: tuple[tuple[int, int, Sequence[str]], ...] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, ["", *_MONTHS]),
    (0, 7, _DAYS),
)
# systemd-cron's; Debian's cron refuses the crontab.
_EACH_MINUTE = frozenset({"@minutely", "@every_minute"})
_SAME_AS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *"}
_MINUTES_A_DAY = 24 * 60


class CrontabEntry(Struct, frozen=True):
    """A line that runs a tick. `settings` are the assignments above it and before its program,
    `user` is that of a system crontab's sixth field."""

    line: str
    schedule: str
    command: str
    settings: Mapping[str, str]
    program: tuple[str, ...]
    arguments: tuple[str, ...]
    folder: str | None = None  # by `cd FOLDER &&`
    before: tuple[str, ...] = ()  # what stands before the program: `nice`, `env`, a user's name
    user: str | None = None
    is_comment: bool = False
    is_cut: bool = False  # cron ends the command at a % that no backslash stands before
    assigned_above: Mapping[str, str] = field(default_factory=dict)

    @property
    def tick(self) -> str:
        """The command without what only asks whether there is anything to do."""
        return _IS_IDLE.sub(lambda found: f"{found[1]} " if found[1] else "", self.command, count=1)

    @property
    def is_plain(self) -> bool:
        """Say whether an option can be added at the end of the tick's command."""
        words = _words(self.tick)
        return not any(_OPERATOR.search(word) or word.startswith("#") for word in words)

    @property
    def rehearsal(self) -> str | None:
        """The command as the shell gets it, but that its tick sends nothing; None if it does more
        than to go to a folder, run a tick and redirect what that prints."""
        if self.is_plain:
            return f"{self.tick} --dry-run"
        operators = [word for word in _words(self.tick) if _OPERATOR.fullmatch(word)]
        if self.folder is not None and operators[:1] == ["&&"]:
            operators = operators[1:]
        if {*operators} <= _REDIRECTIONS and len(_TICK.findall(self.tick)) == 1:
            return _TICK.sub("tick --dry-run", self.tick)
        return None

    @property
    def config(self) -> str | None:
        """The configuration that the command names, None if it names none."""
        words = iter(self.arguments)
        for word in words:
            if word == "--config":
                return self.expanded(next(words, ""))
            if word.startswith("--config="):
                return self.expanded(word.partition("=")[2])
        return None

    def expanded(self, word: str) -> str:
        """Return a word as the shell makes it of `~` and of the variables that are known."""
        if word == "~" or word.startswith("~/"):
            word = "$HOME" + word[1:]
        names = re.compile(r"\$(\w+)|\$\{(\w+)\}")
        return names.sub(lambda m: self.settings.get(m[1] or m[2], m[0]), word)


def entries(
    content: bytes, defaults: Mapping[str, str], daemon: Daemon = CRON, *, has_user: bool = False
) -> Iterator[CrontabEntry]:
    """Yield the lines that run a tick, those too that are commented out.

    `defaults` is the environment that cron gives without a word; in a system crontab a user's name
    stands before the command.
    """
    above: dict[str, str] = {}
    for raw in content.decode("utf-8", "surrogateescape").split("\n"):
        line = raw.strip()
        is_comment = line.startswith("#")
        if not is_comment and (found := _ASSIGNMENT.fullmatch(line)):
            if daemon.settings is None or found[2] in daemon.settings:
                above[found[2]] = _unquoted(found[3])
            continue
        one = _entry(line.lstrip("# \t"), {**defaults, **above}, daemon, has_user)
        if one is not None:
            yield replace(one, is_comment=is_comment, assigned_above=dict(above))


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value


def _entry(
    line: str, settings: dict[str, str], daemon: Daemon, has_user: bool
) -> CrontabEntry | None:
    found = _FIELDS.fullmatch(line)
    if found is None or "tick" not in line:
        return None
    schedule, rest = found[1], found[2]
    user = None
    if has_user:
        user, _, rest = rest.partition(" ")
    command, is_cut = rest.strip(), False
    if daemon.reads_percent:
        first, *more = _BARE_PERCENT.split(rest)
        command, is_cut = first.replace(r"\%", "%").strip(), bool(more)
    folder: str | None = None
    for part in _simple_commands(command):
        if part[0] == "cd" and len(part) > 1:
            folder = part[1]
        assigned, before, words = _taken_apart(part)
        settings.update(assigned)
        if words:
            count = 3 if words[1:2] == ["-m"] else 1
            program, arguments = tuple(words[:count]), tuple(words[count:])
            return CrontabEntry(
                line, schedule, command, settings, program, arguments, folder, tuple(before), user,
                is_cut=is_cut,
            )  # fmt: skip
    return None


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError:  # a quote that does not end: the shell refuses it too
        return command.split()


def _simple_commands(command: str) -> Iterator[list[str]]:
    part: list[str] = []
    for word in [*_words(command), ";"]:
        if not _OPERATOR.fullmatch(word):
            part.append(word)
        elif part:
            yield part
            part = []


def _taken_apart(part: Sequence[str]) -> tuple[dict[str, str], list[str], list[str]]:
    """Return the assignments of a simple command, what stands before the program, and the program
    with its arguments: none if it runs no tick."""
    assigned: dict[str, str] = {}
    before: list[str] = []
    for number, word in enumerate(part):
        if (found := _INLINE.fullmatch(word)) and not word.startswith("--"):
            assigned[found[1]] = found[2]
        elif word != "export" and _runs_a_tick(part[number:]):
            return assigned, before, list(part[number:])
        else:
            before.append(word)
    return (assigned if part[0] == "export" or not before else {}), before, []


def _runs_a_tick(words: Sequence[str]) -> bool:
    arguments = words[3:] if words[1:3] == ["-m", "kakaocron"] else words[1:]
    options = [word for word in arguments if word != "--dry-run"]
    if options[:1] == ["--config"]:
        options = options[2:]
    elif options and options[0].startswith("--config="):
        options = options[1:]
    is_ours = any("kakaocron" in word for word in words[:3]) or "--config" in " ".join(words)
    after = options[1] if options[1:] else "-"
    # `tick 2>/dev/null`: a descriptor's number is no argument.
    return is_ours and options[:1] == ["tick"] and (after.startswith("-") or after.isdigit())


class _Times(Struct, frozen=True):
    """What a schedule names: minutes, hours, days of the month, months, days of the week."""

    fields: tuple[frozenset[int], ...]
    either_day: bool  # of the month or of the week (crontab(5): where neither begins with *)

    def hold_on(self, day: date, weekday: int) -> bool:
        """Say whether they name a date, of any year, that is a weekday (0 is Sunday)."""
        _, _, days, months, weekdays = self.fields
        of_month, of_week = day.day in days, weekday in weekdays
        fits = of_month or of_week if self.either_day else of_month and of_week
        return fits and day.month in months

    def minutes(self) -> frozenset[int]:
        """Return the minutes of a day that they name, from 0 to 1439."""
        minutes, hours, *_ = self.fields
        return frozenset(hour * 60 + minute for hour in hours for minute in minutes)


def is_every_minute(*schedules: str) -> bool:
    """Say whether schedules, of five fields or an @-word each, together name each minute there is.

    Each date is, in one year or another, each day of the week.
    """
    if _EACH_MINUTE & {*schedules}:
        return True
    times = [found for one in schedules if (found := _times(one))]
    minutes = [one.minutes() for one in times]
    days = [date(2000, 1, 1) + timedelta(days=n) for n in range(366)]
    kinds = {tuple(one.hold_on(day, n) for one in times) for day in days for n in range(7)}
    return all(
        len(frozenset().union(*compress(minutes, holding))) == _MINUTES_A_DAY for holding in kinds
    )


def _times(schedule: str) -> _Times | None:
    """Read a schedule; None for one that names no minutes of the day, or cannot be read."""
    words = _SAME_AS.get(schedule, schedule).split()
    if len(words) != len(_RANGES):
        return None
    found = [_named(word, *limits) for word, limits in zip(words, _RANGES, strict=True)]
    fields = tuple(frozenset(field) for field in found if field is not None)
    if len(fields) != len(_RANGES):
        return None
    either = not words[2].startswith("*") and not words[4].startswith("*")
    return _Times((*fields[:4], frozenset(day % 7 for day in fields[4])), either)


def _named(field: str, low: int, high: int, names: Sequence[str]) -> set[int] | None:
    found: set[int] = set()
    for item in field.lower().split(","):
        span, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        try:
            begin = _number(first, names)
            end = _number(last, names) if last else (high if step else begin)
            found.update(range(begin, end + 1, int(step or 1)))
        except ValueError:
            return None
    return found


def _number(word: str, names: Sequence[str]) -> int:
    return names.index(word) if word in names and word else int(word)
