"""What is installed: the first thing that a report of a fault needs."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

from kakaocron import __version__
from kakaocron.doctor.finding import Bench, Finding, ok

_FOR_DEVELOPERS = re.compile(r"extra == .(test|browser|dev|mutation).")


def versions(_: Bench) -> Iterator[Finding]:
    found = [f"kakaocron {__version__}", f"Python {platform.python_version()}", *_libraries()]
    yield ok("versions", f"{', '.join(found)}; {platform.system()} {platform.release()}")


@cache  # a library that is replaced under a process is not the one that it runs
def _libraries() -> tuple[str, ...]:
    """Return each library that kakaocron may use and that is there, with its version."""
    try:
        return tuple(_versions_of(requires("kakaocron") or []))
    except PackageNotFoundError:  # run from its sources
        return ()


def _versions_of(wanted: Iterable[str]) -> Iterator[str]:
    for line in wanted:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        if name == "kakaocron" or _FOR_DEVELOPERS.search(line):
            continue
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:  # an extra that is not installed
            continue
