"""Alarms of hosts that share a ledger: what befalls all is told once, what stops one by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.fakes import MESSAGE
from tests.hosts.house import House

CONFIG = '[monitor]\nalert_command = ["tell"]\n' + MESSAGE


@pytest.fixture
def told(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("kakaocron.ledger.postgres.connection.ASKING_SECONDS", 0.1)
    monkeypatch.setattr("kakaocron.delivery.landing.RECORDING_SECONDS", 0.1)
    return []


def test_an_alarm_is_told_by_one_host(house: House, told: list[str]) -> None:
    def feed(
        argv: Sequence[str], content: bytes, env: Mapping[str, str], seconds: float, _: Path | None
    ) -> int:
        told.append(content.decode())
        return 0

    house.tick("a", CONFIG, feed=feed)
    house.clock.set("10:20:01")
    house.tick("a", CONFIG, feed=feed)
    house.clock.set("10:21:01")
    house.tick("b", CONFIG, feed=feed)
    assert len(told) == 1

    house.faults = [lambda *_: True]
    for name in ("a", "a", "b"):
        house.ended(name, CONFIG, feed=feed)
    assert len(told) == 3  # each host that is cut off, once

    house.faults = []
    house.clock.set("10:25:01")
    for name in ("a", "b", "a"):
        house.tick(name, CONFIG, feed=feed)
    assert len(told) == 5  # and that it is over
