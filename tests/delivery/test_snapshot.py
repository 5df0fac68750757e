"""One look at what is on record, with a tick between any two of its readings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kakaocron.actions import schedule
from kakaocron.installation import Installation
from kakaocron.ledger.beats import Word
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.system.syscalls import RealDisk
from kakaocron.ticking.idle_plan import leave_plan, may_leave_at_once
from kakaocron.watching.overview import explain_minute, look
from tests.fakes import MESSAGE, FakeClock, install, run_tick

CALLS = ("open", "read", "stat", "listdir")
MOST_CALLS = 200
SLOT = "report@20261123T0930"


class Interrupted(RealDisk):
    """A disk before whose reading number `at` something happens."""

    def __init__(self, at: int, happens: Callable[[], object]) -> None:
        self.left, self.happens = at, happens

    def __getattribute__(self, name: str) -> Any:
        if name in CALLS:
            self.left -= 1
            if self.left == 0:
                self.happens()
        return super().__getattribute__(name)


@dataclass
class Scene:
    """A new installation for each reading before which something is to happen."""

    folder: Path
    sandbox: SandboxServer
    clock: FakeClock
    variables: Mapping[str, str]

    def at(self, number: int, disk: RealDisk | None = None) -> Installation:
        folder = self.folder / str(number)
        return install(
            folder, self.sandbox, self.clock, MESSAGE, disk=disk, variables=self.variables
        )


@pytest.fixture
def scene(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Scene:
    token = sandbox.kakao.issue_login(clock.now()).access_token
    return Scene(tmp_path, sandbox, clock, {"KAKAO_ACCESS_TOKEN": token})


def test_status_shows_no_minute_that_never_was(scene: Scene) -> None:
    """Either the tick is seen, and what it did, or the slot is still to be seen to."""
    seen = set()
    for number in range(1, MOST_CALLS):
        scene.clock.set("09:15:01")
        run_tick(scene.at(number))
        scene.clock.set("09:30:01")
        disk = Interrupted(number, partial(run_tick, scene.at(number)))
        found = look(scene.at(number, disk))
        if disk.left > 0:
            break
        is_unseen = SLOT in {one.id for one in found.unseen}
        assert (SLOT in {one.id for one in found.deliveries}) != is_unseen
        count = len(found.deliveries) + len(found.upcoming) + is_unseen
        assert found.stats.total_scheduled == count
        assert found.last is not None
        has_ticked = found.last.word is Word.DONE and found.last.at == scene.clock.at
        seen.add((has_ticked, is_unseen))
    else:
        pytest.fail("there is no end to it")
    assert seen == {(True, False), (False, False)}


def test_explain_calls_no_slot_forgotten_that_a_tick_sends_just_now(scene: Scene) -> None:
    found = set()
    for number in range(1, MOST_CALLS):
        scene.clock.set("09:15:01")
        run_tick(scene.at(number))
        scene.clock.set("09:30:01")
        disk = Interrupted(number, partial(run_tick, scene.at(number)))
        here = scene.at(number, disk)
        (one,) = explain_minute(here, scene.clock.at.replace(second=0)).messages
        if disk.left > 0:
            break
        found.add((one.state, one.reason))
    else:
        pytest.fail("there is no end to it")
    assert found == {(State.CONFIRMED, None), (State.SCHEDULED, Reason.NO_TICK)}


def test_what_is_ordered_while_the_plan_is_made_wakes_the_ticks(scene: Scene) -> None:
    for number in range(1, MOST_CALLS):
        scene.clock.set("09:20:01")
        other = scene.at(number)
        report = run_tick(other)
        (other.places.log / "idle").unlink()
        order = partial(schedule, other, scene.clock.at + timedelta(seconds=59), text="soon")
        disk = Interrupted(number, order)
        leave_plan(scene.at(number, disk), report)
        scene.clock.set("09:21:01")
        if disk.left > 0:
            break
        assert not may_leave_at_once(other.places, other.edges), number
    else:
        pytest.fail("there is no end to it")
    assert may_leave_at_once(other.places, other.edges)
