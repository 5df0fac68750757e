"""What is installed: the first thing that a report of a fault needs."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from kakaocron import __version__
from kakaocron.doctor.finding import Bench, Finding, ok

_FOR_DEVELOPERS = re.compile(r"extra == .(test|browser|dev|mutation).")


def versions(_: Bench) -> Iterator[Finding]:
    found = [f"kakaocron {__version__}", f"Python {platform.python_version()}", *_libraries()]
    yield ok("versions", f"{', '.join(found)}; {platform.system()} {platform.release()}")


def _libraries() -> Iterator[str]:
    """Yield each library that kakaocron may use and that is there, with its version."""
    try:
        wanted = requires("kakaocron") or []
    except PackageNotFoundError:  # run from its sources
        return
    for line in wanted:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        if name == "kakaocron" or _FOR_DEVELOPERS.search(line):
            continue
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:  # an extra that is not installed
            continue
