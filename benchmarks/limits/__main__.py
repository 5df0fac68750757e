"""Every limit that is held, today's build beside an earlier one: `python -m benchmarks.limits`.

The earlier one is a git worktree of a commit. Both are installed, with the same versions of all
else, in virtual environments of their own; what is made here is removed at the end. Each row is
measured on one and then the other, with the load of the machine beside: its figures mean little
where other work runs.

    python -m benchmarks.limits [--base COMMIT] [--only WORD]
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.limits.row import Build, Row

HERE = Path(__file__).parent
TREE = HERE.parents[1]
# The last one before the limits were set.
BASE = "d4b3f8a"


def rows() -> list[Row]:
    names = sorted(path.stem for path in HERE.glob("[a-z]*.py") if path.stem != "row")
    parts = [importlib.import_module(f"benchmarks.limits.{name}") for name in names]
    return [row for part in parts for row in part.ROWS]


def built(name: str, tree: Path, venv: Path) -> Build:
    """Install a tree as a user would, beside the constraints of today's."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    pinned = str(TREE / ".ci" / "constraints.txt")
    environ |= {"PIP_CONSTRAINT": pinned, "PIP_BUILD_CONSTRAINT": pinned}
    pip = [venv / "bin" / "pip", "install", "--quiet", f"{tree}[test]"]
    subprocess.run(pip, env=environ, check=True, capture_output=True)
    return Build(name, tree, str(venv / "bin" / "python"))


@contextmanager
def builds(commit: str) -> Iterator[list[Build]]:
    """Yield today's build and that of a commit, for as long as they are needed."""
    with tempfile.TemporaryDirectory(prefix="kakaocron-limits-") as folder:
        base = Path(folder) / "base"
        git = ["git", "-C", str(TREE), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", base, commit], check=True)
        try:
            yield [
                built("today", TREE, Path(folder) / "venv-today"),
                built(commit, base, Path(folder) / "venv-base"),
            ]
        finally:
            subprocess.run([*git, "remove", "--force", base], check=True)


def measured(row: Row, build: Build) -> str:
    try:
        found = row.measure(build)
    except Exception as error:
        return f"not measured: {type(error).__name__}: {error}"
    return found if isinstance(found, str) else f"{found:.3g}"


def show(cells: Sequence[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.limits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base", default=BASE, metavar="COMMIT", help="what to measure beside")
    parser.add_argument("--only", default="", metavar="WORD", help="the rows with this in the name")
    given = parser.parse_args()
    with builds(given.base) as made:
        show(["", *(build.name for build in made), "target", "load"])
        show(["---"] * (3 + len(made)))
        for row in rows():
            if given.only in row.name:
                cells = [measured(row, build) for build in made]
                show([row.name, *cells, row.target, f"{os.getloadavg()[0]:.1f}"])


if __name__ == "__main__":
    main()
