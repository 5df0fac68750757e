"""Histories in which each message goes to a room too, by the bot."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kakaocron.bot.answers import of_bubble
from kakaocron.config.reading import parse_config
from kakaocron.config.schema import Config
from kakaocron.delivery.verdicts import Meaning, Verdict
from kakaocron.rehearsal.simulation.campaign import configs, has_rooms
from kakaocron.rehearsal.simulation.chaos import Dials
from kakaocron.rehearsal.simulation.rules import probing, with_rooms
from kakaocron.rehearsal.simulation.world import World
from kakaocron.system.http import Answer

pytestmark = pytest.mark.usefixtures("uncounted")

ROOM = "room:기사방"


def often() -> list[Config]:
    """Return a configuration with a slot each five minutes at least."""
    return [with_rooms(configs(0)[1])]


def test_a_room_is_reached_beside_the_others_while_nothing_goes_wrong() -> None:
    world = World(3, often(), Dials(), 60)

    assert world.play().breaches == ()
    arrived = [name for one in world.history.departures for name in one.arrived]
    assert arrived.count(ROOM) == len({one.probe for one in world.history.departures})
    assert "me" in arrived


@pytest.mark.parametrize("seed", [1, 2])
def test_lost_answers_bring_nothing_twice_into_a_room(seed: int) -> None:
    world = World(seed, often(), Dials(network=0.4), 90)

    assert world.play().breaches == ()


def test_a_users_own_rooms_are_played() -> None:
    text = (
        '[rooms]\n"주문방" = "0f2e9a"\n[[message]]\nname = "report"\n'
        'slots = ["regular"]\ntext = "x"\nto = ["주문방"]\n'
    )
    world = World(0, [probing(parse_config(text, "config.toml"))], Dials(), 60)

    assert world.play().breaches == ()
    assert {name for one in world.history.departures for name in one.arrived} == {"room:주문방"}


def test_three_histories_of_eleven_have_a_room() -> None:
    count = len([seed for seed in range(12 * 11) if has_rooms(seed)])

    assert 0 < count < 12 * 11


def test_the_judge_finds_a_bot_that_sends_again_what_may_have_arrived(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hasty(answer: Answer, token: str) -> Verdict:
        found = of_bubble(answer, token)
        is_doubtful = found.meaning is Meaning.AMBIGUOUS
        return replace(found, meaning=Meaning.NOT_SENT) if is_doubtful else found

    monkeypatch.setattr("kakaocron.bot.channel.of_bubble", hasty)
    breaches = World(1, often(), Dials(network=0.6), 90).play().breaches

    assert any(one.startswith("twice") and ROOM in one for one in breaches)
