"""What the pure rules pass on cannot be changed on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec import Struct

from kakaocron.delivery import policy, verdicts
from kakaocron.kakao import answers, codes
from kakaocron.ledger import deliveries, events
from kakaocron.schedule import slots
from kakaocron.system import http


def values() -> Iterator[type[Struct]]:
    for module in (answers, codes, verdicts, http, slots, events, deliveries, policy):
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, Struct) and found is not Struct:
                yield found


@pytest.mark.parametrize("value", sorted(set(values()), key=repr), ids=lambda value: value.__name__)
def test_a_value_is_frozen(value: type[Struct]) -> None:
    assert value.__struct_config__.frozen
