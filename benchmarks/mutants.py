"""Changes what decides, one place at a time, and tells which changes no test notices.

    pip install -e '.[mutation]'
    python benchmarks/mutants.py

mutmut changes the bodies of functions. It leaves tables, constants, enums and properties alone: of
those its operators make mutants here, and one of ours puts each outcome, state and reason for its
neighbour. Sentences that are for people are left as they are there, and so are names of types:
nothing evaluates them, and mypy checks them. What survives must stand in docs/mutants.md with the
reason why no test can tell; the exit code is 1 if something does not, or if something stands there
that no longer survives.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import re
import resource
import shutil
import subprocess
import sys
import tomllib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis  # noqa: F401 -- imported once, here, and not by each of a thousand children
import libcst as cst
import pytest
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import create_mutations
from mutmut.stats import status_by_exit_code

EXPLAINED = Path("docs/mutants.md")
SETTINGS = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
MODULES = [Path(name) for name in SETTINGS["only_mutate"]]
CPU_SECONDS = 120
CHILDREN = 2


@dataclass(frozen=True)
class Mutant:
    """One change, known by where it is and by the lines that it takes out and puts in."""

    module: str
    where: str
    change: tuple[str, ...]
    fate: str = "survived"

    @property
    def key(self) -> tuple[str, ...]:
        return (f"{self.module}.{self.where}", *self.change)


def changed_lines(diff: Sequence[str]) -> tuple[str, ...]:
    kept = (line for line in diff if line[:1] in "+-" and line[:3] not in {"+++", "---"})
    return tuple(f"{line[0]}{line[1:].strip()}" for line in kept)


# --- functions: mutmut -----------------------------------------------------------------------


def in_functions(paths: Sequence[Path]) -> Iterator[Mutant]:
    # Asked for nothing but a module without functions, mutmut fails.
    paths = [path for path in paths if re.search(r"^ *def ", path.read_text("utf-8"), re.MULTILINE)]
    if not paths:
        return
    shutil.rmtree("mutants", ignore_errors=True)
    names = [f"{'.'.join(path.with_suffix('').parts)}.*" for path in paths]
    command = [
        str(Path(sys.executable).with_name("mutmut")),
        "run",
        "--max-children",
        f"{CHILDREN}",
        *names,
    ]
    subprocess.run(command, check=True)
    for path in paths:
        found = SourceFileMutationData(path=path)
        found.load()
        for name, exit_code in found.exit_code_by_key.items():
            fate = status_by_exit_code[exit_code]
            where = re.sub(r"^x_?|__mutmut_\d+$", "", name.rpartition(".")[2])
            is_told = fate not in {"killed", "timeout"}
            diff = get_diff_for_mutant(name, path=path).splitlines() if is_told else []
            yield Mutant(path.stem, where.strip("ǁ").replace("ǁ", "."), changed_lines(diff), fate)


# --- everything else -------------------------------------------------------------------------

_LISTED = re.compile(
    r"\b(?:Reason|State|Meaning|Kind|Phase|Word)\.[A-Z_]+|\b_(?:NOW|GOOD|LOGIN|AMBIGUOUS)\b"
)
_DEFINED = re.compile(r"^(?:    )?(?:def|class) (\w+)|^(\w+)[ :]", re.MULTILINE)
_NAME_OF_TYPE = re.compile(r"\w+ = (?:TypeVar\(|Callable\[|Mapping\[|[A-Z]\w+ \|)")
_PROPERTY = re.compile(r"    @property\n    def (\w+)")


def outside_functions(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (where, code) for each change outside of what mutmut changes."""
    code = path.read_text("utf-8")
    # mutmut passes over what is decorated: for it, a property is a plain method.
    bare = code.replace("    @property\n", "    # @property\n")
    properties = set(_PROPERTY.findall(code))
    module, mutations, *_ = create_mutations(str(path), bare)
    for mutation in mutations:
        around = mutation.contained_by_top_level_function
        where = around.name.value if isinstance(around, cst.FunctionDef) else "-"
        if where not in {"-", *properties} or _is_sentence(mutation.original_node):
            continue
        changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
        source = changed.code.replace("    # @property\n", "    @property\n")
        if not _NAME_OF_TYPE.match(_changed_from(code, source)):
            yield where, source
    for found in _LISTED.finditer(code):
        if neighbour := _neighbour(code, found[0]):
            where = "".join(_DEFINED.findall(code[: found.start()])[-1])
            yield where, code[: found.start()] + neighbour + code[found.end() :]


def _is_sentence(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleString | cst.ConcatenatedString) and " " in node.value


def _changed_from(code: str, source: str) -> str:
    """Return the first line that is another one in the changed source."""
    pairs = zip(code.splitlines(), source.splitlines(), strict=False)
    return next((old for old, new in pairs if old != new), "")


def _neighbour(code: str, name: str) -> str | None:
    """Return the next of the same list, as far as the module knows it, or None."""
    known = set(_LISTED.findall(code))
    names = sorted(other for other in known if other.partition(".")[0] == name.partition(".")[0])
    if name.startswith("_"):
        names = ["_NOW", "_GOOD", "_LOGIN", "_AMBIGUOUS"]
    following = names[(names.index(name) + 1) % len(names)]
    return None if following == name else following


class Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a source that stands in no file."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def get_source(self, fullname: str) -> str:
        return self.source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, f"<changed {fullname}>", "exec")

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(module.__name__), module.__dict__)


def started(path: Path, source: str) -> int:
    """Start the tests in a child that knows only the changed module; return its process id."""
    tests = sorted(
        SETTINGS["pytest_add_cli_args_test_selection"],
        key=lambda name: (path.stem not in name, path.parent.name not in name),
    )
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.dont_write_bytecode = True
        sys.meta_path.insert(0, Changed(".".join(path.with_suffix("").parts), source))
        quick = ["-x", "-q", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        quick += SETTINGS["pytest_add_cli_args"]
        # File by file: the first finds most, and to collect the others would take longer than that.
        os._exit(any(_fails([*quick, name]) for name in tests))
    return child


def fate_of(child: int) -> str:
    exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if exit_code < 0:
        return "timeout"
    return "killed" if exit_code else "survived"


def _fails(arguments: Sequence[str]) -> bool:
    return pytest.main([*arguments]) not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


def fates(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (where, code, fate) for each change, with so many tried at a time."""
    running = deque[tuple[str, str, int]]()
    for where, source in outside_functions(path):
        if len(running) == CHILDREN:
            changed_at, changed, child = running.popleft()
            yield changed_at, changed, fate_of(child)
        running.append((where, source, started(path, source)))
    for where, source, child in running:
        yield where, source, fate_of(child)


def in_tables(paths: Sequence[Path]) -> Iterator[Mutant]:
    sys.path.insert(0, str(Path.cwd()))
    for path in paths:
        code = path.read_text("utf-8")
        if fate_of(started(path, code)) != "survived":
            sys.exit(f"the tests fail for an unchanged '{path}': mend that first")
        for number, (where, source, fate) in enumerate(fates(path), start=1):
            diff = list(unified_diff(code.splitlines(), source.splitlines(), n=0, lineterm=""))
            print(f"\r{path.stem}: {number} outside of functions", end="", flush=True)
            yield Mutant(path.stem, where, changed_lines(diff), fate)
        print()


# --- the account -----------------------------------------------------------------------------


def explained() -> set[tuple[str, ...]]:
    """Read the headings and the indented changes below them; the words are for people."""
    keys = set()
    for part in EXPLAINED.read_text("utf-8").split("\n### ")[1:]:
        heading, _, rest = part.partition("\n")
        blocks = re.findall(r"(?:^    [+-].*\n)+", rest, re.MULTILINE)
        keys |= {(heading.strip(), *(line.strip() for line in b.splitlines())) for b in blocks}
    return keys


def main(wanted: Sequence[str]) -> int:
    names = [path.stem for path in MODULES]
    for name in wanted:
        if name not in names:
            sys.exit(f"'{name}' is no module that is changed: name some of {', '.join(names)}")
    paths = [path for path in MODULES if not wanted or path.stem in wanted]
    mutants = [*in_functions(paths), *in_tables(paths)]
    alive = {m.key: m for m in mutants if m.fate not in {"killed", "timeout"}}
    known = {key for key in explained() if key[0].partition(".")[0] in {p.stem for p in paths}}
    print(f"\n{'module':10}{'mutants':>9}{'killed':>9}{'endless':>9}{'explained':>11}{'loose':>7}")
    for path in paths:
        fates = Counter(m.fate for m in mutants if m.module == path.stem)
        left = [key in known for key, m in alive.items() if m.module == path.stem]
        print(
            f"{path.stem:10}{fates.total():9}{fates['killed']:9}{fates['timeout']:9}"
            f"{left.count(True):11}{left.count(False):7}"
        )
    for key in sorted(alive.keys() - known):
        print(f"\n### {key[0]}  ({alive[key].fate})\n\n    " + "\n    ".join(key[1:]))
    for key in sorted(known - alive.keys()):
        print(f"\n'{EXPLAINED}' explains what does not survive: {key}")
    return 1 if alive.keys() ^ known else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
