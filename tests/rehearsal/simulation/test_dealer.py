"""Histories by a dealer that tells later what became of a message, and the judge of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kakaocron.delivery import policy, receipts
from kakaocron.delivery.verdicts import Fate
from kakaocron.ledger.events import Result
from kakaocron.rehearsal.simulation import dealer
from kakaocron.rehearsal.simulation.campaign import play_by_dealer
from kakaocron.rehearsal.simulation.judge import ambiguous_sends
from kakaocron.states import State

pytestmark = pytest.mark.usefixtures("uncounted")

MINUTES = 240


def test_lost_answers_are_settled_and_nothing_comes_twice() -> None:
    played = [play_by_dealer(seed, MINUTES) for seed in (0, 1, 4)]

    assert [one.breaches for one in played] == [(), (), ()]
    assert sum(one.ambiguous for one in played) > 10
    assert sum(one.settled for one in played) == sum(one.ambiguous for one in played)
    ends = {(str(state), reason) for one in played for _, state, reason in one.ends}
    assert ends > {("confirmed", None), ("sent", None), ("failed", "undelivered")}


def with_a_new_key_each_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(policy, "_keys_in_use", lambda *_: ())


def with_a_key_that_the_dealer_forgets_sooner(patch: pytest.MonkeyPatch) -> None:
    forgets = replace(dealer.SETTINGS, key_lifetime=timedelta(seconds=30))
    patch.setattr(dealer, "SETTINGS", forgets)


def confirming_what_is_taken(patch: pytest.MonkeyPatch) -> None:
    told = receipts._told

    def wishful(*given: Any) -> Result | None:
        found = given[2]
        if found.fate is Fate.ACCEPTED:
            return Result(State.CONFIRMED, code=found.code)
        return told(*given)

    patch.setattr(receipts, "_told", wishful)


@pytest.mark.parametrize(
    ("mutant", "word"),
    [
        (with_a_new_key_each_time, "twice"),
        (with_a_key_that_the_dealer_forgets_sooner, "twice"),
        (confirming_what_is_taken, "not delivered"),
    ],
)
def test_the_judge_sees_what_is_wrong(
    mutant: Any, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    found = (one for seed in range(12) for one in play_by_dealer(seed, MINUTES).breaches)

    assert any(one.startswith(word) for one in found)


def test_what_is_settled_is_counted_by_the_ledgers_lines_alone() -> None:
    def line(at: str, event: str, **more: Any) -> bytes:
        return json.dumps({"at": at, "event": event, "id": "a@20261123T0930", **more}).encode()

    claim = line("2026-11-23T09:30", "claim", to=["me", "mum"], expires_at="2026-11-23T09:40")
    lost = line("2026-11-23T09:31", "outcome", targets={"me": {"state": "unknown"}})
    died = line("2026-11-23T09:31", "settle", reason="process-died", to=["me", "mum"])
    told = [
        line(f"2026-11-23T09:{minute}", "receipt", targets={"me": {"state": "sent"}})
        for minute in (39, 40, 41)
    ]

    def counted(*lines: bytes) -> list[bool]:
        return list(ambiguous_sends([("day", b"\n".join([claim, *lines]))]))

    assert counted() == []
    assert counted(lost) == [False]
    assert [counted(lost, one) for one in told] == [[True], [False], [False]]
    assert counted(died, told[0]) == [True, False]
    assert counted(lost, told[0], told[1]) == [True]
