"""Histories with two accounts, of which one dies now and then, and bugs that they must find."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from kakaocron.config.reading import parse_config
from kakaocron.config.schema import Config
from kakaocron.kakao.login import Login
from kakaocron.kakao.tokens import Tokens
from kakaocron.rehearsal.simulation.campaign import configs, has_accounts, play
from kakaocron.rehearsal.simulation.chaos import Dials
from kakaocron.rehearsal.simulation.home import PLACES
from kakaocron.rehearsal.simulation.rules import probing, with_accounts
from kakaocron.rehearsal.simulation.world import World

pytestmark = pytest.mark.usefixtures("uncounted")

Patch = pytest.MonkeyPatch
MINUTES = 120
DYING = Dials(token_death=0.1)


def often() -> list[Config]:
    """Return a configuration with a slot each five minutes at least, and friends."""
    return [with_accounts(configs(0)[1])]


def test_friends_are_sent_to_by_the_second_account_and_its_own_chat_too() -> None:
    series = {one.name: one.to for one in often()[0].series()}

    assert series["report"] == ("me", "second")
    assert series["orders"][:3] == ("me", "uuid-a@second", "uuid-b@second")
    assert series["orders"][-1] == "second"


def test_both_are_reached_while_nothing_goes_wrong() -> None:
    world = World(3, often(), Dials(), 60)
    outcome = world.play()

    assert outcome.breaches == ()
    assert {name for one in world.history.departures for name in one.arrived} >= {"me", "second"}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_login_that_dies_fails_its_receivers_only(seed: int) -> None:
    world = World(seed, often(), DYING, MINUTES)

    assert world.play().breaches == ()
    assert all(world.history.dead_logins[account] for account in ("", "second"))


def test_a_users_own_accounts_are_played() -> None:
    text = (
        '[account.minji]\nrest_api_key = "hers"\n[[message]]\nname = "report"\n'
        'slots = ["regular"]\ntext = "x"\nto = ["me", "minji", "uuid-a"]\nfrom = "minji"\n'
    )
    world = World(0, [probing(parse_config(text, "config.toml"))], Dials(), 60)

    assert world.play().breaches == ()
    assert {name for one in world.history.departures for name in one.arrived} == {
        "me", "minji", "uuid-a@minji",
    }  # fmt: skip


def test_three_histories_of_seven_have_two_accounts() -> None:
    assert sum(has_accounts(seed) for seed in range(18 * 7)) == 18 * 3
    assert play(18, 60).breaches == ()


def both_send_by_one_login(patch: Patch) -> None:
    read = Login.read
    patch.setattr(Login, "read", lambda self: read(replace(self, path=PLACES.tokens)))


def a_dead_login_ends_the_others(patch: Patch) -> None:
    read = Login.read

    def of_all(self: Login) -> Tokens:
        paths = [PLACES.tokens_of(account) for account in ("", "second")]
        found = [read(replace(self, path=path)) for path in paths if path != self.path]
        dead = (replace(one, access_token=None) for one in found if one.is_dead)
        return next(dead, read(self))

    patch.setattr(Login, "read", of_all)


@pytest.mark.parametrize(
    ("mutant", "breach"),
    [(both_send_by_one_login, "twice"), (a_dead_login_ends_the_others, "lost")],
)
def test_a_seeded_bug_is_found(
    mutant: Callable[[Patch], None], breach: str, monkeypatch: Patch
) -> None:
    mutant(monkeypatch)
    logging.disable(logging.CRITICAL)
    try:
        found = [
            one for seed in range(4) for one in World(seed, often(), DYING, MINUTES).play().breaches
        ]
    finally:
        logging.disable(logging.NOTSET)
    assert any(one.startswith(breach) for one in found)
