from collections.abc import Iterator

import pytest

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from tests.examples.conftest import Example, log_in
from tests.fakes import FakeClock

OWNER, GANGNAM, HONGDAE, STAFF = "uuid-me", "uuid-aaa", "uuid-bbb", "uuid-ccc"
CLOSING = "마감 2026-11-23\n매출 {}원 · 주문 {}건"
OF_GANGNAM = "🏪 강남점 " + CLOSING.format("1,284,500", 143)
OF_HONGDAE = "🏪 홍대점 " + CLOSING.format("986,000", 97)


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[SandboxServer]:
    friends = tuple(SandboxFriend(uuid, uuid) for uuid in (GANGNAM, HONGDAE, STAFF))
    with SandboxServer(Kakao(Settings(friends=friends)), clock.now) as server:
        yield server


@pytest.fixture
def shops(example: Example, monkeypatch: pytest.MonkeyPatch) -> Example:
    log_in(example, monkeypatch, "gangnam", GANGNAM, "talk_message", "friends")
    log_in(example, monkeypatch, "hongdae", HONGDAE, "talk_message")
    return example


def arrived(shops: Example) -> list[list[str]]:
    people = (OWNER, GANGNAM, HONGDAE)
    return [sorted(one.text for one in shops.sandbox.arrived(who)) for who in people]


def test_each_shop_gets_its_own_numbers_and_the_owner_all(shops: Example) -> None:
    shops.tick("21:59:59")
    shops.tick("22:00")

    assert arrived(shops) == [[OF_GANGNAM, OF_HONGDAE], [OF_GANGNAM], [OF_HONGDAE]]


def test_what_both_have_to_know_goes_to_both(shops: Example) -> None:
    shops.tick("09:00")

    owner, gangnam, hongdae = arrived(shops)
    assert (owner, gangnam) == ([], hongdae)
    assert [text[:8] for text in gangnam] == ["📋 이번 주 단"]


def test_the_staff_hears_from_the_shop(shops: Example) -> None:
    shops.tick("21:30")
    (staff,) = shops.sandbox.arrived(STAFF)

    assert staff.text == "🧹 21:30 마감 준비를 시작해 주세요."
    assert staff.sender == str(Settings().user_id + 1)  # Gangnam's
    assert arrived(shops) == [[], [], []]


def test_a_shop_whose_login_has_ended_costs_the_others_nothing(shops: Example) -> None:
    shops.sandbox.kakao.revoke_access_tokens(HONGDAE)
    shops.sandbox.kakao.revoke_refresh_tokens(HONGDAE)
    said = shops.tick("22:00", exit_code=3)

    assert arrived(shops) == [[OF_GANGNAM, OF_HONGDAE], [OF_GANGNAM], []]
    assert "account 'hongdae': Kakao no longer accepts the saved login" in said
    assert "kakaocron login --account hongdae" in said
