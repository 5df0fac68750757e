"""Every file that kakaocron reads, spoilt in every way; then everyday commands."""

from __future__ import annotations

import os
import re
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.house import NOBODY, Done, House
from tests.fuzz.judge import faults, twice
from tests.fuzz.mutations import BLIND, Spoil, forge_line, several, spoil_json, spoil_toml

DAY = "2026-11-23"
JSON: tuple[Spoil, ...] = (spoil_json, spoil_json, *BLIND)
TOML: tuple[Spoil, ...] = (*(spoil_toml,) * len(BLIND), *BLIND)
FORGED: tuple[Spoil, ...] = (forge_line,)
INTACT: tuple[Spoil, ...] = BLIND


@dataclass(frozen=True)
class Target:
    """One file, the ways to spoil it, and what it holds where kakaocron has left none."""

    name: str
    spoils: Sequence[Spoil] = INTACT
    otherwise: str | None = None  # another file whose content it may have
    weight: int = 1


TARGETS = (
    Target("config/config.toml", TOML, weight=4),
    Target("config/.env", weight=2),
    Target("config/data.json", JSON, weight=2),
    Target("config/note.txt"),
    Target("config/said.txt"),
    Target("credentials/kakao_rest_api_key"),
    Target(f"data/ledger/{DAY}.jsonl", weight=3),
    Target(f"data/ledger/{DAY}.jsonl", FORGED, weight=4),
    Target("data/ledger/2026-11-22.jsonl"),
    Target("data/ledger/2026-11-24.jsonl", otherwise=f"data/ledger/{DAY}.jsonl"),
    Target("data/ledger/2026-11-10.jsonl", otherwise=f"data/ledger/{DAY}.jsonl"),
    Target("data/ledger.lock"),
    Target("data/tokens.json", JSON, weight=4),
    Target("data/tokens.json.new", JSON, "data/tokens.json", weight=2),
    Target("data/tokens.json.lock"),
    Target("data/pauses.json", JSON, weight=3),
    Target("data/pauses.json.new", JSON, "data/pauses.json"),
    Target("data/timetables.json", JSON, weight=3),
    Target("data/timetables.json.new", JSON, "data/timetables.json"),
    Target("data/incidents.json", JSON, "data/incidents.json", weight=2),
    Target("data/alarms.json", JSON, "data/alarms.json", weight=3),
    Target("data/alarms.lock"),
    Target(f"log/ticks/{DAY}", weight=2),
    Target("log/ticks/2026-11-22"),
    Target("log/ticks/2026-11-24", otherwise=f"log/ticks/{DAY}"),
    Target("log/idle", weight=2),
    Target("log/kakaocron.log"),
    Target("crontab"),
    Target("stdin"),
)
FOLDERS = ("data", "data/ledger", "data/ledger/damaged", "log", "log/ticks", "config", "run")
STRANGE_NAMES = (
    "data/ledger/9999-12-31.jsonl",
    "data/ledger/0001-01-01.jsonl",
    "data/ledger/2026-13-45.jsonl",
    "data/ledger/20261123.jsonl",
    "data/ledger/２０２６-11-23.jsonl",
    "data/ledger/.jsonl",
    "data/ledger/\udcff\udcfe.jsonl",
    "data/ledger/" + "x" * 200 + ".jsonl",
    "log/ticks/9999-12-31",
    "log/ticks/0001-01-01",
    "log/ticks/2026-W48-1",
    "log/ticks/20261123",
    "log/ticks/\udcff",
    "data/a\nb",
    "data/\udcff",
    "config/.env.new",
)
# Ways in which something else than a file can stand at its place.
PLACES: tuple[str, ...] = (
    "gone", "folder", "fifo", "socket", "loop", "dangling", "dev/null", "dev/zero", "dev/full",
    "forbidden", "read-only", "sparse",
)  # fmt: skip
NAMELESS = {"crontab", "stdin"}


@dataclass
class Tally:
    """How many of what was tried, and how it ended."""

    cases: int = 0
    commands: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)


@dataclass
class Case:
    """One try: what is spoilt, how, and what was done then."""

    seed: int
    what: str = ""
    nobody: bool = False
    is_forged: bool = False
    by_hand: set[str] = field(default_factory=set)
    log: list[Done] = field(default_factory=list)

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.what}\n" + "\n".join(map(str, self.log))


def try_files(house: House, seed: int, tally: Tally) -> list[str]:
    """Spoil something, live on for a while, and say what is wrong with how that went."""
    random = Random(seed)
    house.restore()
    case = Case(seed)
    with house.lived_in():
        _spoil(house, random, case)
        before = house.received()
        found = _live(house, random, case, tally)
        if not case.is_forged:
            found += twice(before, house)
    tally.cases += 1
    tally.ways[case.what.partition(":")[0]] += 1
    return [f"{fault}\n{case}" for fault in found]


def _spoil(house: House, random: Random, case: Case) -> None:
    chance = random.random()
    if chance < 0.06:
        name = random.choice(STRANGE_NAMES)
        case.what = f"a strange name: {name!r}"
        target = house.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if random.random() < 0.3:
            target.mkdir()
        else:
            target.write_bytes(random.choice(list(house.files().values())))
        return
    if chance < 0.25:
        names = [one.name for one in TARGETS if one.name not in NAMELESS] + list(FOLDERS)
        name, way = random.choice(names), random.choice(PLACES)
        case.what = f"{way}: {name}"
        case.nobody = way in {"forbidden", "read-only"}
        put_in_place(house, name, way)
        return
    target_ = random.choices(TARGETS, [one.weight for one in TARGETS])[0]
    case.is_forged = target_.spoils is FORGED
    content = _content(house, target_)
    names_, spoilt = several(random, target_.spoils, content)
    case.what = f"{target_.name}{' forged' if case.is_forged else ''}: {names_}"
    if target_.name == "crontab":
        house.crontab = spoilt
    elif target_.name == "stdin":
        house.stdin = spoilt
    else:
        house.write(target_.name, spoilt)


def _content(house: House, target: Target) -> bytes:
    if target.name == "crontab":
        return house.crontab or b""
    if target.name == "stdin":
        return "hand-가나다 😀\n둘째 줄\n".encode()
    files = house.files()
    return files.get(target.name) or files.get(target.otherwise or "", b"")


def put_in_place(house: House, name: str, way: str) -> None:
    """Put something else in the place of a file or folder."""
    path = house.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if way in {"forbidden", "read-only"}:
        if not path.exists():
            path.mkdir()
        _give_away(house)
        mode = 0 if way == "forbidden" else (0o500 if path.is_dir() else 0o400)
        path.chmod(mode)
        return
    aside = house.folder / "home" / "aside"
    if path.exists():
        path.rename(aside)
    makers: dict[str, Callable[[Path], object]] = {
        "gone": lambda _: None,
        "folder": lambda p: p.write_bytes(b"a file") if aside.is_dir() else p.mkdir(),
        "fifo": os.mkfifo,
        "socket": _socket,
        "loop": lambda p: p.symlink_to(p),
        "dangling": lambda p: p.symlink_to("/nowhere/at/all"),
        "sparse": _sparse,
    }
    if way in makers:
        makers[way](path)
    else:
        path.symlink_to(f"/{way}")


def _give_away(house: House) -> None:
    if os.geteuid() == 0:
        for path in (house.folder, *house.folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def _socket(path: Path) -> None:
    # The name of a socket may not be long.
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(30_000_000)


# A minute is written as its hand moves: each step has its own, and time only goes on.
def _live(house: House, random: Random, case: Case, tally: Tally) -> list[str]:
    found: list[str] = []
    steps = [_by_hand(random, case) for _ in range(random.choice((1, 2)))]
    steps += [("09:45:01", ("tick",))] * 1
    steps += [("09:45:20", random.choice(LOOKS))]
    steps += [("09:46:01", ("tick",)), ("10:00:01", ("tick",)), ("10:00:20", random.choice(LOOKS))]
    for clock_time, argv in steps:
        house.set(clock_time)
        done = house.kakaocron(*argv, nobody=case.nobody)
        case.log.append(done)
        tally.commands += 1
        tally.codes[done.code] += 1
        is_raw = argv[-1] == "--raw"
        found += faults(done, house, is_raw=is_raw)
        if found:
            break
    return found


LOOKS: tuple[tuple[str, ...], ...] = (
    ("status",), ("status", "--json"), ("history",), ("history", "--json"), ("history", "--csv"),
    ("history", "--state", "unknown", "--days", "30"), ("show", "score@20261123T0930"),
    ("show", "score@20261123T0930", "--json"), ("show", "report@20261123T0915"), ("next",),
    ("next", "--json"), ("explain", "09:30"), ("explain", "10:30", "--json"), ("report",),
    ("report", "--json"), ("health",), ("health", "--json"), ("metrics",), ("doctor",),
    ("doctor", "--json"), ("preview",), ("preview", "--json"), ("preview", "--message", "score"),
    ("friends",), ("config", "check"), ("config", "show"), ("config", "show", "--json"),
    ("config", "show", "--raw"), ("config", "path"), ("cron", "show"), ("ledger", "path"),
    ("ledger", "verify"), ("ledger", "verify", "--json"), ("tick", "--dry-run"), ("friends",),
    ("explain", "23:45"), ("cron", "show", "--systemd"),
)  # fmt: skip
DEEDS: tuple[tuple[str, ...], ...] = (
    ("send", "hand-TEXT"), ("send", "-"), ("send", "--message", "score"), ("send", "-", "--json"),
    ("send", "hand-TEXT", "--to", "지우", "--to", "me"), ("schedule", "hand-TEXT", "--in", "5m"),
    ("schedule", "--message", "note", "--at", "09:50"), ("schedule", "hand-TEXT", "--next", "peak"),
    ("schedule", "-", "--at", "tomorrow 09:00", "--json"), ("cancel", "report@20261123T1000"),
    ("cancel", "once-a12252500035668f@20261123T0940"), ("retry", "rests@20261123T0930"),
    ("retry", "rests@20261123T0930", "--at", "tomorrow 09:10"),
    ("resolve", "custom@20261123T0915", "--delivered"),
    ("resolve", "feed@20261123T0930", "--not-delivered"), ("pause",), ("pause", "note"),
    ("pause", "score", "--until", "12:00", "--note", "점심"), ("resume",), ("resume", "rests"),
    ("cron", "install"), ("cron", "uninstall"), ("ledger", "prune", "--days", "7"), ("logout",),
    ("metrics", "--textfile", "run/a.prom"), ("init",), ("init", "--yes"),
    ("login", "--no-browser"),
)  # fmt: skip


def _by_hand(random: Random, case: Case) -> tuple[str, tuple[str, ...]]:
    words = random.choice((*LOOKS, *DEEDS))
    number = len(case.by_hand)
    case.by_hand.add(str(number))
    words = tuple(re.sub("TEXT", f"{case.seed}-{number}", word) for word in words)
    return f"09:3{2 + number}:30", words
