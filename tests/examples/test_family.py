from collections.abc import Iterator

import pytest

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from tests.examples.conftest import Example, log_in
from tests.fakes import FakeClock

NAMES = ("mom", "dad", "jiwoo", "grandma")
FRIENDS = tuple(SandboxFriend(f"uuid-{name}", name) for name in NAMES)
DINNER = "🍚 오늘 저녁 김치찌개\n당번 아빠 · 7시에 먹어요"
SHOPPING = "🛒 장 볼 것: 두부, 대파, 돼지고기"
PILLS = "💊 할머니, 혈압약 드실 시간이에요."


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[SandboxServer]:
    with SandboxServer(Kakao(Settings(friends=FRIENDS)), clock.now) as server:
        yield server


@pytest.fixture
def family(example: Example, monkeypatch: pytest.MonkeyPatch) -> Example:
    for name in NAMES:
        log_in(example, monkeypatch, name, f"uuid-{name}", "talk_message")
    return example


def arrived(family: Example) -> dict[str, list[str]]:
    return {
        name: [one.text for one in family.sandbox.arrived(f"uuid-{name}")]
        for name in ("me", *NAMES)
    }


def test_each_gets_a_day_of_what_is_meant_for_each(family: Example) -> None:
    for at in ("07:59:59", "08:00", "15:00", "17:00", "17:01"):
        family.tick(at)

    assert arrived(family) == {
        "me": [SHOPPING, DINNER],
        "mom": [PILLS, SHOPPING, DINNER],
        "dad": [SHOPPING, DINNER],
        "jiwoo": [DINNER],
        "grandma": [PILLS, DINNER],
    }
    assert all(one.receiver == "me" for one in family.arrived)  # into a chat of one's own


def test_a_word_to_all_by_hand(family: Example) -> None:
    family.run("send", "오늘 저녁은 7시 반이에요", "--to", "우리집")

    assert set(map(tuple, arrived(family).values())) == {("오늘 저녁은 7시 반이에요",)}


def test_who_has_logged_out_is_the_only_one_without_dinner(family: Example) -> None:
    family.run("logout", "--account", "jiwoo")
    said = family.tick("17:00", exit_code=3)

    assert [name for name, texts in arrived(family).items() if not texts] == ["jiwoo"]
    assert "account 'jiwoo': Not logged in to Kakao" in said
