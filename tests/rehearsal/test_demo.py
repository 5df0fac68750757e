"""The demo's day: who of its ticks takes a signal."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from kakaocron.installation import Edges
from kakaocron.rehearsal import demo
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.interrupts import SIGNALS


def test_of_two_ticks_at_once_only_that_of_the_main_thread_takes_a_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes: dict[bool, bool] = {}

    def run(_: object, edges: Edges, *__: Any) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        takes[is_main] = edges.interrupts is SIGNALS

    monkeypatch.setattr(demo, "run", run)
    clock = demo.DemoClock(demo.DAY)
    with SandboxServer(Kakao(), clock.now) as sandbox:
        installation = demo._installation(tmp_path, sandbox, clock)
        demo._run_minute(installation, clock, demo.TWO_CRONS.start)

    assert takes == {True: True, False: False}
