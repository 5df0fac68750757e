"""What messages to phones cost: planned, and spent."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from kakaocron.config.reading import parse_config
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import Result
from kakaocron.states import State
from kakaocron.watching.costs import costs_of, planned, spent
from tests.alimtalk.parts import MESSAGE, table

DAY = date(2026, 11, 23)
BOTH = MESSAGE.replace('["010-1234-5678"]', '["010-1234-5678", "010-2222-3333"]')
PRICED = parse_config(table("nhn", "http://127.0.0.1:9", "price = 6.5") + BOTH, "config.toml")
FREE = parse_config(table("nhn", "http://127.0.0.1:9") + BOTH, "config.toml")


def test_a_day_costs_each_slot_to_each_phone() -> None:
    cost = planned(PRICED, PRICED.series(), DAY)

    assert cost is not None
    assert (cost.messages, cost.won) == (96, 624.0)  # 48 half hours, two phones
    assert str(cost) == "알림톡 on 2026-11-23: 96 messages, 624 won"
    assert cost.fields() == {"day": "2026-11-23", "messages": 96, "cost_won": 624.0}


def day_with(*states: State) -> list[Delivery]:
    """Return a delivery for each state of its first phone; its friend has it each time."""
    slot = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
    return [
        Delivery(
            f"report-{n}@20261123T0930",
            "report",
            "regular",
            slot,
            state,
            ("01012345678", "uuid-aaa"),
            targets={"01012345678": Result(state), "uuid-aaa": Result(State.CONFIRMED)},
        )
        for n, state in enumerate(states)
    ]


def test_what_may_have_gone_counts_and_what_failed_does_not() -> None:
    day = day_with(State.CONFIRMED, State.SENT, State.UNKNOWN, State.FAILED, State.RETRYING)
    cost = spent(PRICED, day, DAY)

    assert cost is not None
    assert (cost.messages, cost.won) == (3, 19.5)


def test_only_days_with_messages_to_phones_are_told() -> None:
    read = {DAY: day_with(State.CONFIRMED), DAY - timedelta(days=1): day_with(State.FAILED)}
    found = costs_of(PRICED, read, lambda day: read[day])

    assert [(one.day, one.messages) for one in found] == [(DAY, 1)]


def test_without_a_price_nothing_is_reckoned() -> None:
    assert planned(FREE, FREE.series(), DAY) is None
    assert spent(FREE, (), DAY) is None
    assert costs_of(FREE, [DAY], lambda _: ()) == []
