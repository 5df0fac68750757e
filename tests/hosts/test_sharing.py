"""Several hosts over one ledger, on a real server: the same promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kakaocron import actions
from kakaocron.errors import Exit
from kakaocron.ledger.lookup import find_delivery
from kakaocron.ledger.postgres.connection import ClockOffError
from kakaocron.states import Reason, State
from tests.hosts.house import House

SLOT = "report@20261123T0930"


def test_a_slot_is_sent_by_the_first_host_and_by_no_other(house: House) -> None:
    first, second = house.tick("a"), house.tick("b")

    assert [one.state for one in first.ended.values()] == [State.CONFIRMED]
    assert (second.ended, second.due) == ({}, ())
    assert house.texts() == ["보고 2026-11-23 09:30"]
    (delivery,) = (find_delivery(house.host(name).ledger, SLOT) for name in "b")
    assert (delivery.host, delivery.attempts[0].host) == ("a", "a")
