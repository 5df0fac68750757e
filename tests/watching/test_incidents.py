"""What the user is told once, and what shows that it is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from kakaocron.errors import (
    BugError,
    KakaocronError,
    LedgerError,
    LockTimeoutError,
    LoginError,
    UsageError,
)
from kakaocron.system.memory import Memory
from kakaocron.system.syscalls import RealDisk
from kakaocron.watching.incidents import (
    ENDED_BY,
    EndSign,
    Incident,
    Incidents,
    Kind,
    digest_of,
    of_error,
    of_problem,
)


@pytest.fixture
def incidents(tmp_path: Path) -> Incidents:
    return Incidents(Memory(str(tmp_path / "incidents.json"), str(tmp_path / "spare"), RealDisk()))


def of(kind: Kind) -> Incident:
    return Incident(kind, "report", f"{kind}!")


def test_every_kind_has_what_ends_it() -> None:
    assert ENDED_BY.keys() == set(Kind)


ERRORS = (KakaocronError, UsageError, LoginError, LedgerError, LockTimeoutError, BugError)


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_that_may_stop_a_tick_is_an_incident(kind: type[KakaocronError]) -> None:
    assert of_error(kind("so")).key == f"exit-{kind.exit_code}:{digest_of('so')}"


@pytest.mark.parametrize("kind", Kind)
def test_an_incident_is_told_once_until_what_ends_it_is_seen(
    incidents: Incidents, kind: Kind
) -> None:
    others = set(EndSign) - {ENDED_BY[kind]}
    assert incidents.news([of(kind)]) == [f"{kind}!"]
    assert incidents.news([of(kind)], set(EndSign), ["report"]) == []
    assert incidents.news([], others, ["another"]) == []
    assert incidents.news([of(kind)]) == []
    is_reached = ENDED_BY[kind] is EndSign.REACHED
    assert incidents.news([], {ENDED_BY[kind]}, ["report"] if is_reached else []) == []
    assert incidents.news([of(kind)]) == [f"{kind}!"]


def test_what_has_happened_is_told_once_for_good(incidents: Incidents) -> None:
    damage = of_problem("ledger-damaged:2026-11-23:unreadable line 2", "damaged")
    incidents.news([damage])
    incidents.news([], {EndSign.TICK, EndSign.CONFIRMED}, ["report"])
    assert incidents.news([damage]) == []


def test_what_another_version_has_remembered_is_forgotten(incidents: Incidents) -> None:
    incidents.memory.write({"dream:x": "dreamt", "exit-2:y": "broken"})
    incidents.news([])
    assert incidents.memory.read() == {"exit-2:y": "broken"}


def test_a_problem_of_no_known_kind_is_a_bug() -> None:
    with pytest.raises(ValueError, match="dream"):
        of_problem("dream:x", "dreamt")
