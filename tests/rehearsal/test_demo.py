"""The demo's day, and a signal in the midst of it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from kakaocron.installation import Edges
from kakaocron.rehearsal import demo
from kakaocron.system.interrupts import Signals
from kakaocron.ticking.runner import run


def test_a_signal_ends_the_day_after_its_minute_and_no_tick_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = Signals()
    others: list[object] = []
    minutes: list[int] = []

    def run_tick(places: object, edges: Edges, *rest: Any) -> object:
        others.append(edges.interrupts)
        return run(places, edges, *rest)  # type: ignore[arg-type]

    def ask_at_the_third(minute: int) -> None:
        minutes.append(minute)
        if minute == 3:
            signals._take(signal.SIGINT, None)

    monkeypatch.setattr(demo, "SIGNALS", signals)
    monkeypatch.setattr(demo, "run", run_tick)
    with pytest.raises(KeyboardInterrupt):
        demo.run_day(tmp_path, ask_at_the_third)

    assert minutes == [1, 2, 3]
    assert len(others) == 3
    assert signals not in others
