"""What a check gives: how a thing is, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.errors import KakaocronError, UsageError
from kakaocron.host.crontab import Crontab, Job
from kakaocron.host.probe import Machine
from kakaocron.installation import Installation
from kakaocron.kakao.causes import for_account, named
from kakaocron.language.words import _, marked
from kakaocron.system.places import Places

LOG_IN_AGAIN = marked("Log in: kakaocron login")

OTHERS = 0o077


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Struct, frozen=True):
    """One thing looked at: how it is, and how to fix it where it is not well."""

    name: str
    status: Status
    what: str
    mend: str = ""


class Bench(Struct, frozen=True):
    """What the checks work on; `installation` is None where the configuration cannot be read."""

    places: Places
    machine: Machine
    crontab: Crontab
    job: Job
    now: datetime
    installation: Installation | None = None
    config_error: UsageError | None = None
    refusal: KakaocronError | None = None  # why the data folder may not be used


def ok(name: str, what: str) -> Finding:
    return Finding(name, Status.OK, what)


def warn(name: str, what: str, mend: str) -> Finding:
    return Finding(name, Status.WARN, what, _(mend))


def fail(name: str, what: str, mend: str) -> Finding:
    return Finding(name, Status.FAIL, what, _(mend))


def installed(bench: Bench) -> Installation:
    assert bench.installation is not None  # noqa: S101 - `examine` has seen to it
    return bench.installation


def of_account(account: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings about an account's login; they name it if it is not the default."""
    for finding in findings:
        mend = for_account(account, finding.mend)
        yield replace(finding, what=named(account, finding.what), mend=mend)


def worst(findings: Sequence[Finding]) -> Status:
    found = {finding.status for finding in findings}
    return next((status for status in (Status.FAIL, Status.WARN) if status in found), Status.OK)


def fields(findings: Sequence[Finding]) -> Mapping[str, Any]:
    """Return the object that `doctor --json` prints."""
    return {
        "status": worst(findings),
        "findings": [
            {"name": f.name, "status": f.status, "what": f.what, "mend": f.mend or None}
            for f in findings
        ],
    }
