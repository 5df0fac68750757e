"""What may import what: the rules of the folders, read from the code itself."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kakaocron"
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
CORE = sorted(name for name in MODULES if name.startswith("core/"))

# Modules that compute and do nothing else; the last line's are other people's.
PURE = frozenset({
    "__future__", "base64", "bisect", "calendar", "collections", "contextlib", "dataclasses",
    "datetime", "difflib", "email.utils", "enum", "fractions", "functools", "hashlib", "heapq",
    "hmac", "html", "itertools", "json", "math", "operator", "re", "statistics", "string", "struct",
    "textwrap", "types", "typing", "unicodedata", "urllib.parse", "zlib",
    "cronsim", "msgspec", "regex",
})  # fmt: skip

# Each thing of the outside world, and the files through which alone it is reached.
IMPORTERS = {
    "cronsim": {"core/cron.py"},
    "fcntl": {"syscalls.py", "machine.py"},  # to take a lock, and to see if one is taken
    "platformdirs": {"paths.py"},
    "regex": {"core/split.py"},
    "requests": {"transport.py"},
    "rich": {"render.py", "pictures.py"},
    "tomllib": {"config_file.py"},
    "typer": {"commands/lazy.py"},
    "tomli_w": {"commands/config.py"},
    "urllib3": {"transport.py"},
}


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def calls_of(path: Path) -> set[str]:
    """Return what a file calls by a dotted name, as in `datetime.now`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
    return found


@pytest.mark.parametrize("name", CORE)
def test_the_core_imports_itself_pure_modules_and_errors(name: str) -> None:
    foreign = {
        module
        for module in imports(MODULES[name])
        if module != "kakaocron.errors"
        and not module.startswith("kakaocron.core")
        and module not in PURE
        and module.partition(".")[0] not in PURE - {"email.utils", "urllib.parse"}
    }

    assert foreign == set()


@pytest.mark.parametrize("name", CORE)
def test_the_core_reads_no_clock_and_prints_nothing(name: str) -> None:
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


def test_nothing_below_the_commands_imports_them_or_what_people_see() -> None:
    above = ("kakaocron.cli", "kakaocron.commands", "kakaocron.render")
    people = ("simulation/solo.py", "simulation/workloads.py")  # they play one at the commands
    allowed = ("cli.py", "__main__.py", "commands/", "pictures.py", *people)
    importers = {
        name
        for name, path in MODULES.items()
        if not name.startswith(allowed)
        and any(module.startswith(above) for module in imports(path))
    }

    assert importers == set()


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        name for name, path in MODULES.items() if {"os.environ", "os.getenv"} & calls_of(path)
    }

    # The command line writes --config into it; the entry point hands it on; the doctor's machine
    # looks for programs.
    assert readers - {"cli.py", "__main__.py", "crontab.py", "machine.py"} == {"paths.py"}


def test_the_stand_in_for_kakao_knows_nothing_of_the_program_that_it_judges() -> None:
    foreign = {
        module
        for name, path in MODULES.items()
        if name.startswith("sandbox/")
        for module in imports(path)
        if module.startswith("kakaocron") and not module.startswith("kakaocron.sandbox")
    }

    assert foreign <= {"kakaocron.errors"}


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

    # urllib3 comes with requests, which names it in its own interface.
    assert used - declared <= {"kakaocron", "urllib3"}
