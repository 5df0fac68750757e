"""What the pure rules pass on cannot be changed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
from msgspec import Struct

from kakaocron.delivery import policy, verdicts
from kakaocron.kakao import answers, codes
from kakaocron.ledger import deliveries, events
from kakaocron.schedule import slots
from kakaocron.system import http

ALL = (answers, codes, verdicts, http, slots, events, deliveries, policy)


def values(*modules: ModuleType) -> Iterator[type[Struct]]:
    for module in modules:
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, Struct) and found is not Struct:
                yield found


@pytest.mark.parametrize(
    "value", sorted(set(values(*ALL)), key=repr), ids=lambda value: value.__name__
)
def test_a_value_is_frozen(value: type[Struct]) -> None:
    assert value.__struct_config__.frozen


@pytest.mark.parametrize("module", [events, deliveries])
def test_what_is_held_by_the_thousand_costs_the_garbage_collector_nothing(
    module: ModuleType,
) -> None:
    found = [one for one in values(module) if one.__module__ == module.__name__]

    assert found
    assert [one for one in found if one.__struct_config__.gc] == []
