"""What the user is told once, and what shows that it is over."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import kakaocron
from kakaocron.errors import (
    BugError,
    Cause,
    KakaocronError,
    LedgerError,
    LockTimeoutError,
    LoginError,
    UsageError,
)
from kakaocron.ledger.ledger import OvertakenError
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
    of_login,
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
    assert of_error(kind("so")).key == f"exit-{kind.exit_code}:{digest_of(kind('so').cause)}"


@pytest.mark.parametrize("kind", ERRORS)
def test_the_key_of_an_error_is_the_same_in_another_language(kind: type[KakaocronError]) -> None:
    english, korean = kind("Cannot read 'x'", which="read:x"), kind("'x' 못 읽음", which="read:x")
    assert of_error(english).key == of_error(korean).key
    assert of_error(english).key != of_error(kind("Cannot read 'x'", which="read:y")).key
    assert of_error(kind("a")).key != of_error(kind("b")).key  # better twice than not at all
    causes = (
        Cause("login-dead", {"code": "a", "n": 1}),
        Cause("login-dead", {"n": 1, "code": "a"}),
    )
    assert len({of_login(kind("so", "", cause)).key for cause in causes}) == 1


def test_every_error_that_may_stop_a_tick_has_a_key_that_no_translation_changes() -> None:
    """Those of the configuration, of the places, of the ledger: each gives its cause, or which."""
    package = Path(kakaocron.__file__).parent
    modules = (
        "config/reading", "delivery/landing", "ledger/document_file", "ledger/files",
        "system/belonging", "system/disk", "system/env_file", "system/log", "system/places",
        "files",
    )  # fmt: skip
    names = {kind.__name__ for kind in ERRORS} | {"OtherInstallationError", "DataGoneError"}
    found = 0
    for module in modules:
        for node in ast.walk(ast.parse((package / f"{module}.py").read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                found += 1
                has_cause = len(node.args) > 2 or {"cause", "which"} & {
                    k.arg for k in node.keywords
                }
                assert has_cause, f"{module}:{node.lineno}"
    assert found > 25


@pytest.mark.parametrize(
    "module", ["delivery/landing", "ledger/document_file", "ledger/files", "system/log"]
)
def test_every_error_that_alarms_keep_is_one_of_a_code_and_its_facts(module: str) -> None:
    tree = ast.parse((Path(kakaocron.__file__).parent / f"{module}.py").read_text("utf-8"))
    made = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in {kind.__name__ for kind in ERRORS}
    ]
    assert made
    for error in made:
        (first,) = error.args
        assert isinstance(first, ast.Starred), f"{module}:{error.lineno}"
        assert ast.unparse(first).startswith("*parts("), f"{module}:{error.lineno}"


def test_what_an_earlier_version_has_told_is_told_once_more_at_most(incidents: Incidents) -> None:
    error = UsageError("broken", which="x.toml:1:a")
    incidents.memory.write({"exit-2:d87f7e0c": True, "login:00000000": True})
    assert incidents.news([of_error(error)]) == ["broken"]
    assert incidents.news([of_error(error)]) == []
    assert incidents.news([], {EndSign.TICK, EndSign.CONFIRMED}) == []
    assert incidents.memory.read() == {}


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


class Overtaken:
    """What hosts share, which another one changes again and again."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.told: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        return self.told

    def write(self, fields: Mapping[str, Any]) -> None:
        self.left -= 1
        if self.left >= 0:
            raise OvertakenError("incidents")
        self.told = dict(fields)

    def remove(self) -> None: ...


@pytest.mark.parametrize("times", [4, 5, 6])
def test_what_all_hosts_share_is_told_even_if_it_cannot_be_noted(
    incidents: Incidents, times: int
) -> None:
    shared = Overtaken(times)
    here = replace(incidents, shared=shared)

    assert here.news([of(Kind.LEDGER_DAMAGED)]) == ["ledger-damaged!"]
    assert bool(shared.told) is (times < 5)
    assert here.news([of(Kind.LEDGER_DAMAGED)]) == ([] if times < 5 else ["ledger-damaged!"])
