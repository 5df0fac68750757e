"""Histories: kakaocron's own code on machines with bad luck, judged at the receiver."""

from __future__ import annotations

import pytest

from kakaocron.config.reading import parse_config
from kakaocron.rehearsal.simulation.campaign import configs, play
from kakaocron.rehearsal.simulation.chaos import Dials
from kakaocron.rehearsal.simulation.event_loop import EventLoop, SpinError
from kakaocron.rehearsal.simulation.rules import probing
from kakaocron.rehearsal.simulation.world import World

pytestmark = pytest.mark.usefixtures("uncounted")

MINUTES = 360
# Histories that broke a promise once, before what was found in them was mended, and some more:
# more than 20,000 minutes. What each of them plays has changed since with what ticks ask of the
# machine; what broke has tests of its own.
SEEDS = (
    *range(18), 20, 62, 71, 79, 83, 118, 188, 304, 308, 327, 364, 422,
    1029, 1104, 1124, 1156, 2064, 10013, 10290, 10393, 10436, 10462, 10554,
    10804, 10906, 10935, 10941, 11010, 11012, 11087, 20245, 21076, 21383,
    22017, 22536, 22880, 24106, 25185, 30851,
)  # fmt: skip


@pytest.mark.parametrize("first", range(0, len(SEEDS), 8))
def test_no_promise_is_broken_in_histories_full_of_faults(first: int) -> None:
    for seed in SEEDS[first : first + 8]:
        assert play(seed, MINUTES).breaches == (), f"seed {seed}"


EVERY_CONTENT = (
    'text = "{score}"\ndata = { score = 1 }',
    'file = "a.txt"',
    'command = ["true"]',
    'template = { object_type = "text" }',
    'template_id = 1\ntemplate_args = { a = "b" }',
    'scrap_url = "https://example.com"',
)


@pytest.mark.parametrize("content", EVERY_CONTENT)
def test_a_configuration_with_any_content_can_be_played(content: str) -> None:
    text = f'[[message]]\nname = "report"\nslots = ["regular"]\n{content}\n'
    outcome = play(0, 60, parse_config(text, "config.toml"))

    assert (outcome.breaches, outcome.minutes) == ((), 60)


def test_a_configuration_with_pictures_is_played_with_pictures() -> None:
    text = '[[message]]\nname = "report"\nslots = ["regular"]\ntext = "x"\nimage_command = ["no"]\n'
    world = World(2, [probing(parse_config(text, "config.toml"))], Dials(network=0.3), 720)
    outcome = world.play()

    assert outcome.breaches == ()
    assert {reason for _, state, reason in outcome.ends if state == "confirmed"} == {
        None,
        "picture-left-out",
    }
    assert any(one.picture for one in world.kakao.deliveries)


def test_who_polls_without_end_is_found() -> None:
    loop = EventLoop()

    def poll() -> None:
        while True:
            loop.wait(loop.now)

    loop.start(poll)
    with pytest.raises(SpinError):
        loop.run(60.0)


def test_one_seed_is_one_history() -> None:
    assert play(3, 200) == play(3, 200)


def test_another_seed_is_another_history() -> None:
    assert play(3, 60).fingerprint != play(4, 60).fingerprint


# Each of these faults was found by a history like this; it is mended since.
FOUND = {
    "heartbeats of the first hour lost in a power cut: a slot without a state": Dials(
        power_cut=0.05, clock_step=0.05
    ),
    "a damaged line of a slot older than the last heartbeat: without a state": Dials(damage=0.05),
    "missed by a clock a day ahead, and never sent when it was right again": Dials(clock_step=0.1),
    "an older copy put back seconds after a send, and not noticed: sent twice": Dials(
        copy_taken=0.3, restore=0.2
    ),
}


@pytest.mark.parametrize("dials", FOUND.values(), ids=FOUND.keys())
def test_what_was_found_stays_mended(dials: Dials) -> None:
    for seed in range(3):
        assert World(seed, configs(1), dials, 180).play().breaches == (), f"seed {seed}"
