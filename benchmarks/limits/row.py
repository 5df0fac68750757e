"""What a row of the table of limits is, and a build that it is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Build:
    """One state of the code: the folder of its tree, and the Python that it is installed in."""

    name: str
    tree: Path
    python: str

    @property
    def script(self) -> str:
        """The console script, as a user starts it."""
        return str(Path(self.python).parent / "kakaocron")


@dataclass(frozen=True)
class Row:
    """A limit: what is measured, what is wanted of it, and how.

    A float is printed with three digits, a text as it is. `measure` runs each build's code in
    processes of their own, by `build.python` or `build.script`, with a folder of their own for
    `cwd`; it ends by itself, and raises for what it could not measure.
    """

    name: str
    target: str
    measure: Callable[[Build], str | float]
