"""What may import what: the rules of the folders, read from the code itself."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("uncounted")  # it reads the code and runs none of it

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kakaocron"
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in PACKAGE.rglob("*.py")
}

# From the ground up: what stands in a line imports what stands in the lines above it, itself, and
# nothing else, so that no two of them can need each other.
LAYERS = (
    {"language"},
    {"errors", "states", "kst"},
    {"files"},
    {"text"},
    {"schedule"},  # reads documents, and so versions
    {"system"},
    {"ledger", "host"},
    {"idle"},
    {"delivery"},
    {"alimtalk", "bot", "kakao", "config"},
    {"messages"},
    {"sharing"},
    {"installation"},
    {"watching", "actions", "carrying"},
    {"ticking", "doctor", "scheduler", "web"},
    {"show"},
    {"rehearsal"},
    {"commands"},
    {"cli"},
    {"__main__", "is_idle"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# These touch the world themselves, one thing of it each.
EDGES = {
    "__main__", "cli", "config/reading", "files", "host/crontab", "host/probe",
    "host/systemd", "idle", "is_idle", "kakao/callback", "language/catalogue", "ledger/files",
    "ledger/postgres/connection", "ledger/postgres/question",
    "ledger/heartbeat", "messages/workbook", "show/console", "show/half_blocks",
    "show/next_step", "show/pictures", "system/access", "system/clock", "system/disk",
    "system/fetch", "system/interrupts",
    "system/log", "system/memory", "system/places",
    "system/programs", "system/socket_http", "system/stderr", "system/supervisor",
    "system/syscalls", "system/users",
    "system/websocket", "system/workers", "watching/apprise_process", "watching/pings",
    "watching/telling", "web/connections", "web/server",
}  # fmt: skip
# These are handed the edges, and put them to use.
DOERS = {
    "carrying",
    "actions", "alimtalk/channel", "alimtalk/dealer", "alimtalk/nhn", "alimtalk/solapi",
    "bot/channel", "bot/listening", "delivery/asking", "delivery/channel",
    "delivery/claims",
    "delivery/early_start", "delivery/enclosing", "delivery/engine",
    "delivery/landing", "delivery/log_lines", "delivery/snapshot", "delivery/tick",
    "delivery/underway",
    "doctor/database",
    "doctor/bot", "doctor/config", "doctor/cron", "doctor/dealer", "doctor/examination",
    "doctor/files",
    "doctor/finding", "doctor/kakao", "doctor/ledger", "doctor/login", "doctor/standing",
    "doctor/versions", "installation",
    "kakao/channel", "kakao/login", "kakao/login_flow", "ledger/document_file", "ledger/lookup",
    "ledger/pause_file", "ledger/postgres/beats", "ledger/postgres/book",
    "ledger/postgres/carrying", "ledger/postgres/documents", "ledger/postgres/making",
    "ledger/postgres/sealed",
    "ledger/postgres/sharing", "ledger/timetable_file",
    "messages/faults", "messages/images", "messages/making", "messages/starting",
    "messages/tables", "scheduler", "sharing",
    "show/columns",
    "system/belonging", "system/env_file",
    "ticking/idle_plan",
    "ticking/runner", "ticking/upkeep", "watching/coming", "watching/first_tick",
    "watching/incidents", "watching/overview", "watching/prometheus", "web/views",
}  # fmt: skip
# All others compute and do nothing else: no clock, no file, no network, no environment.
FREE = ("commands/", "rehearsal/")
PURE_MODULES = sorted(
    name
    for name in MODULES
    if name not in EDGES | DOERS and not name.startswith(FREE) and not name.endswith("__init__")
)

# What a module may import that computes and does nothing else; the last line's are other people's.
PURE = frozenset({
    "__future__", "base64", "bisect", "calendar", "collections", "contextlib", "contextvars",
    "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "email.utils", "enum", "errno",
    "fractions",
    "functools",
    "hashlib", "heapq", "hmac", "html", "io", "ipaddress", "itertools", "json", "math", "operator",
    "re",
    "shlex", "statistics", "string", "struct", "textwrap", "types", "typing", "unicodedata",
    "urllib.parse", "zlib",
    "cronsim", "holidays", "msgspec", "regex",
})  # fmt: skip

# Each thing of the outside world, and the files through which alone it is reached.
IMPORTERS = {
    "certifi": {"system/socket_http"},
    "ctypes": {"ledger/postgres/question", "system/supervisor"},
    "cronsim": {"schedule/cron_rule"},
    "fcntl": {"system/syscalls", "host/probe"},  # to take a lock, and to see if one is taken
    "cryptography": {"ledger/postgres/sealed"},
    "openpyxl": {"messages/workbook"},
    "psycopg": {"ledger/postgres/connection", "rehearsal/simulation/database"},
    "platformdirs": {"system/places"},
    "regex": {"text/splitting"},
    "rich": {
        "show/columns",
        "show/console",
        "show/half_blocks",
        "show/pictures",
        "rehearsal/picture",
    },
    "PIL": {"show/half_blocks"},
    "tomllib": {"config/reading", "ledger/postgres/question"},
    "typer": {"commands/help", "commands/lazy"},
    "tomli_w": {"commands/config"},
    "websockets": {"rehearsal/sandbox/gateway_socket", "system/websocket"},
}


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return the dotted names of all modules that a file imports, wherever in it."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                within = f"{node.module}.{alias.name}"
                yield within if _module(within) in MODULES else node.module or ""


def _module(dotted: str) -> str:
    return dotted.removeprefix("kakaocron.").replace(".", "/")


def own_imports(name: str) -> set[str]:
    """Return the modules of the package that one of them imports."""
    found = {_module(one) for one in imports(MODULES[name]) if one.startswith("kakaocron.")}
    return {one if one in MODULES else f"{one}/__init__" for one in found}


def unit(name: str) -> str:
    return name.partition("/")[0]


@cache
def calls_of(path: Path) -> set[str]:
    """Return what a file calls by a dotted name, as in `datetime.now`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
    return found


def test_every_module_has_its_place() -> None:
    assert {unit(name) for name in MODULES} - {"__init__"} == LEVEL.keys()
    assert MODULES.keys() >= EDGES | DOERS
    assert not EDGES & DOERS


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {"__init__"}))
def test_imports_go_downwards_only(name: str) -> None:
    level = LEVEL[unit(name)]
    upwards = {
        other
        for other in own_imports(name)
        if unit(other) != unit(name) and LEVEL[unit(other)] >= level
    }

    assert upwards == set()


def test_no_two_modules_need_each_other() -> None:
    """Follow the imports from each module; none may lead back to it."""
    needs = {name: own_imports(name) for name in MODULES}
    done: set[str] = set()

    def follow(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for other in needs[name]:
                follow(other, (*trail, name))
            done.add(name)

    for name in needs:
        follow(name, ())


def test_no_command_imports_another() -> None:
    shared = {f"commands/{name}" for name in ("__init__", "completion", "help", "lazy", "options")}
    found = {
        (name, other)
        for name in MODULES
        if name.startswith("commands/")
        for other in own_imports(name)
        if other.startswith("commands/") and other not in shared
    }

    assert found == set()


def types_of(path: Path) -> set[str]:
    """Return the classes and the names for types that a module defines, private ones aside."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return {name for name in found if re.fullmatch(r"[A-Z]+[a-z]\w*", name)}


def test_one_name_stands_for_one_type() -> None:
    defined: dict[str, list[str]] = {}
    for module, path in sorted(MODULES.items()):
        for name in types_of(path):
            defined.setdefault(name, []).append(module)

    assert {name: found for name, found in defined.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", PURE_MODULES)
def test_what_is_no_edge_imports_pure_modules_only(name: str) -> None:
    foreign = {
        module
        for module in imports(MODULES[name])
        if not module.startswith("kakaocron")
        and module not in PURE
        and module.partition(".")[0] not in PURE - {"email.utils", "urllib.parse"}
    }

    assert foreign == set()
    assert own_imports(name) & (EDGES | DOERS) == set()


@pytest.mark.parametrize("name", [*PURE_MODULES, *sorted(DOERS)])
def test_what_is_no_edge_reads_no_clock_and_prints_nothing(name: str) -> None:
    impure = {"datetime.now", "datetime.today", "date.today", "datetime.utcnow", "print", "open"}

    assert calls_of(MODULES[name]) & impure == set()


@pytest.mark.parametrize(("module", "files"), IMPORTERS.items())
def test_each_outside_thing_has_its_importer(module: str, files: set[str]) -> None:
    importers = {
        name
        for name, path in MODULES.items()
        if any(found.partition(".")[0] == module for found in imports(path))
    }

    assert importers == files


def test_the_engine_knows_no_channel_by_name() -> None:
    knows = {unit(name) for name in MODULES if any(unit(o) == "kakao" for o in own_imports(name))}

    assert knows <= {
        "kakao", "messages", "installation", "watching", "actions", "ticking", "doctor", "show",
        "rehearsal", "commands",
    }  # fmt: skip


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        name for name, path in MODULES.items() if {"os.environ", "os.getenv"} & calls_of(path)
    }

    # The command line writes --config into it; the entry points hand it on; the doctor's machine
    # looks for programs.
    assert readers - {"cli", "__main__", "is_idle", "host/crontab", "host/probe"} == {
        "system/places"
    }


def test_the_stand_in_for_kakao_knows_nothing_of_the_program_that_it_judges() -> None:
    foreign = {
        other
        for name in MODULES
        if name.startswith("rehearsal/sandbox/")
        for other in own_imports(name)
        if not other.startswith("rehearsal/sandbox/")
    }

    assert foreign <= {"errors", "language/words"}


def test_every_foreign_package_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    declared = {
        re.split(r"[^A-Za-z0-9_-]", line)[0].lower().replace("-", "_")
        for line in [*project["dependencies"], *(line for extra in extras for line in extra)]
    }
    used = {
        module.partition(".")[0]
        for path in MODULES.values()
        for module in imports(path)
        if module.partition(".")[0] not in sys.stdlib_module_names
    }

    # urllib3 comes with requests, which names it in its own interface; PIL is the package pillow.
    assert used - declared <= {"kakaocron", "urllib3", "PIL"}
