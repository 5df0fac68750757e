from datetime import datetime, timedelta

import pytest

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import KST, Quotas, SandboxFriend, Settings
from tests.rehearsal.sandbox.support import NOW, content, memo, to_friends, verdict

FRIENDS = tuple(SandboxFriend(f"uuid-{number}", f"친구{number}") for number in range(6))


def open_sandbox(quotas: Quotas, *, has_permission: bool = True) -> tuple[Kakao, str]:
    settings = Settings(friends=FRIENDS, quotas=quotas, has_friend_permission=has_permission)
    kakao = Kakao(settings)
    return kakao, kakao.issue_login(NOW).access_token


def send_until_refused(kakao: Kakao, token: str, *uuids: str) -> tuple[int, object]:
    """How often it worked, and the code that ended it."""
    for count in range(200):
        answer = kakao.handle(to_friends(token, uuids[count % len(uuids)]), NOW)
        if answer.status != 200:
            return count, content(answer)["code"]
    raise AssertionError("no quota ended it")


def test_a_pair_has_20_a_day() -> None:
    assert send_until_refused(*open_sandbox(Quotas()), "uuid-0") == (20, -536)


def test_a_sender_has_100_a_day() -> None:
    uuids = [friend.uuid for friend in FRIENDS]

    assert send_until_refused(*open_sandbox(Quotas()), *uuids) == (100, -532)


def test_a_receiver_has_a_limit_of_its_own() -> None:
    assert send_until_refused(*open_sandbox(Quotas(per_receiver=3)), "uuid-0") == (3, -533)


def test_an_app_has_a_limit_for_the_whole_request() -> None:
    kakao, token = open_sandbox(Quotas(per_app=3))

    assert kakao.handle(to_friends(token, "uuid-0", "uuid-1"), NOW).status == 200
    assert verdict(kakao.handle(to_friends(token, "uuid-2", "uuid-3"), NOW)) == (400, -10)
    assert kakao.handle(to_friends(token, "uuid-2"), NOW).status == 200
    assert len(kakao.deliveries) == 3


def test_before_permission_30_a_day() -> None:
    sandbox = open_sandbox(Quotas(), has_permission=False)

    assert send_until_refused(*sandbox, "uuid-0", "uuid-1") == (30, -532)


def test_a_quota_can_run_out_in_the_middle_of_a_request() -> None:
    kakao, token = open_sandbox(Quotas(per_sender=1))
    answer = kakao.handle(to_friends(token, "uuid-0", "uuid-1"), NOW)

    assert content(answer)["successful_receiver_uuids"] == ["uuid-0"]
    assert content(answer)["failure_info"][0]["code"] == -532
    assert len(kakao.deliveries) == 1


@pytest.mark.parametrize(("minutes_to_midnight", "status"), [(1, 400), (0, 200), (-1, 200)])
def test_quotas_start_anew_at_midnight_in_korea(minutes_to_midnight: int, status: int) -> None:
    kakao = Kakao(Settings(quotas=Quotas(per_pair=1), access_token_lifetime=timedelta(days=2)))
    token = kakao.issue_login(NOW).access_token
    kakao.handle(to_friends(token, "uuid-aaa"), NOW)
    midnight = datetime(2026, 11, 24, tzinfo=KST)
    later = midnight - timedelta(minutes=minutes_to_midnight)

    assert kakao.handle(to_friends(token, "uuid-aaa"), later).status == status


def test_messages_to_oneself_are_not_counted() -> None:
    kakao, token = open_sandbox(Quotas(per_app=1, per_sender=1, per_pair=1))
    for _ in range(150):
        assert kakao.handle(memo(token), NOW).status == 200
    assert kakao.handle(to_friends(token, "uuid-0"), NOW).status == 200
