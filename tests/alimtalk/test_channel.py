"""알림톡 by either dealer, from the slot to the receipt, judged at the phone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kakaocron.actions import send_now
from kakaocron.delivery.tick import TickReport
from kakaocron.errors import Exit, UsageError
from kakaocron.ledger.deliveries import Delivery, delivery_fields
from kakaocron.ledger.events import Result
from kakaocron.ledger.lookup import find_delivery
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import DealerSettings, Settings
from kakaocron.states import Reason, State
from kakaocron.watching.sentences import detail_of
from tests.alimtalk.parts import (
    ID,
    MESSAGE,
    NOBODY,
    NUMBER,
    SECRETS,
    SILENT,
    TEXT,
    TURNS,
    UNCERTAIN,
    arrived,
    both,
    phone,
)
from tests.fakes import NOW, FakeClock, run_tick

SENT, CONFIRMED, FAILED, UNKNOWN = State.SENT, State.CONFIRMED, State.FAILED, State.UNKNOWN


class House:
    """One folder, of which each tick is a process of its own."""

    def __init__(self, folder: Path, sandbox: SandboxServer, clock: FakeClock) -> None:
        self.folder, self.sandbox, self.clock = folder, sandbox, clock

    def tick(self, dealer: str, to: str = NUMBER, *, more: str = "", **keys: str) -> TickReport:
        message = MESSAGE.replace("010-1234-5678", to)
        place = (self.folder, self.sandbox, self.clock, dealer)
        installation = phone(*place, message=message, more=more, keys=keys)
        report = run_tick(installation)
        installation.close()
        return report

    def delivery(self, dealer: str) -> Delivery:
        return find_delivery(phone(self.folder, self.sandbox, self.clock, dealer).ledger, ID)

    def result(self, dealer: str, to: str = NUMBER) -> Result:
        return self.delivery(dealer).targets[to]

    def later(self, **span: float) -> None:
        self.clock.at += timedelta(**span)

    def calls(self) -> list[str]:
        """Return what was asked of the dealer, without the names of groups and requests."""
        return [
            f"{one.method} {one.path.rpartition('/')[2]} {one.outcome}"
            for one in self.sandbox.requests
        ]


@pytest.fixture
def house(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> House:
    return House(tmp_path, sandbox, clock)


def arrivals(house: House) -> list[tuple[str, str]]:
    return arrived(house.sandbox)


@both
def test_accepted_is_sent_and_the_dealers_word_confirms_it(house: House, dealer: str) -> None:
    house.tick(dealer)
    assert house.delivery(dealer).state is SENT
    house.later(minutes=1)
    house.tick(dealer)
    found = house.delivery(dealer)

    assert (found.state, found.confirmed_at) == (CONFIRMED, NOW + timedelta(seconds=2))
    told = delivery_fields(found)
    assert told["channel"] == "alimtalk"
    assert told["receipt"] == {
        "code": {"nhn": "1000", "solapi": "4000"}[dealer],
        "at": "2026-11-23T09:30:03+09:00",
    }
    assert arrivals(house) == [(NUMBER, TEXT)]
    assert len(found.attempts) == 1


@both
def test_what_fails_later_says_why(house: House, dealer: str) -> None:
    house.tick(dealer, NOBODY)
    house.later(minutes=1)
    house.tick(dealer, NOBODY)
    found = house.delivery(dealer)

    assert found.state is FAILED
    code = {"nhn": "3019", "solapi": "3104"}[dealer]
    assert found.targets[NOBODY].code == code
    assert "the phone has no KakaoTalk" in (detail_of(found) or "")
    assert arrivals(house) == []  # and no SMS in its place


@both
def test_what_the_dealer_never_tells_stays_sent(house: House, dealer: str) -> None:
    house.tick(dealer, SILENT)
    for _ in range(3):
        house.later(minutes=5)
        house.tick(dealer, SILENT)

    assert house.delivery(dealer).state is SENT
    assert [call for call in house.calls() if call.startswith(("POST messages", "POST send"))]
    assert len(house.delivery(dealer).attempts) == 1


@both
def test_receipt_unknown_is_told_and_not_taken_for_delivered(house: House, dealer: str) -> None:
    house.tick(dealer, UNCERTAIN)
    house.later(minutes=1)
    house.tick(dealer, UNCERTAIN)
    found = house.delivery(dealer)

    assert found.state is SENT
    assert {"nhn": "may arrive within 3 days", "solapi": "may have arrived"}[dealer] in (
        detail_of(found.targets[UNCERTAIN]) or ""
    )


@both
def test_a_result_that_changes_is_followed(house: House, dealer: str) -> None:
    house.tick(dealer, TURNS)
    states = []
    for seconds in (30, 60, 60):
        house.later(seconds=seconds)
        house.tick(dealer, TURNS)
        states.append(house.delivery(dealer).state)

    assert states[0] is SENT
    assert states[-1] is CONFIRMED
    assert house.delivery(dealer).confirmed_at == NOW + timedelta(seconds=60)


WORDS = """
[[message]]
name = "words"
slots = ["regular"]
text = "안녕"
to = ["010-1234-5678"]
"""

# What happens to the answer of the call that sends, and whether the message was taken.
LOST = [("cut-after", 1), ("cut-before", 0), ("html-502+", 1), ("502", 0),
        ("half", 1), ("empty", 1)]  # fmt: skip


@both
@pytest.mark.parametrize(("fault", "taken"), LOST)
def test_a_lost_answer_is_settled_by_looking_it_up(
    house: House, dealer: str, fault: str, taken: int
) -> None:
    house.sandbox.faults.enqueue(fault)
    house.tick(dealer)
    assert house.delivery(dealer).state is UNKNOWN
    for _ in range(4):
        house.later(minutes=1)
        house.tick(dealer)

    assert house.delivery(dealer).state is CONFIRMED
    assert arrivals(house) == [(NUMBER, TEXT)]
    sends = [call for call in house.calls() if call.startswith(("POST messages", "POST send"))]
    assert len(sends) == 1 + (not taken)


@both
def test_a_repeat_that_the_dealer_knows_is_no_second_message(house: House, dealer: str) -> None:
    """The list does not show in time what was taken: the key goes out once more, and is known."""
    late = Settings(dealers=DealerSettings(search_delay=timedelta(minutes=4)))
    with SandboxServer(Kakao(late, seed=7), house.clock.now) as sandbox:
        house.sandbox = sandbox
        sandbox.faults.enqueue("cut-after")
        house.tick(dealer)
        for _ in range(6):
            house.later(minutes=1)
            house.tick(dealer)

        assert house.delivery(dealer).state is CONFIRMED
        assert arrivals(house) == [(NUMBER, TEXT)]


def test_after_the_keys_life_nothing_goes_again(house: House) -> None:
    """NHN's key protects for ten minutes: what is not found after eight stays unknown."""
    late = Settings(dealers=DealerSettings(search_delay=timedelta(days=1)))
    with SandboxServer(Kakao(late, seed=7), house.clock.now) as sandbox:
        house.sandbox = sandbox
        sandbox.faults.enqueue("cut-after")
        more = "\n[delivery]\nexpire_after = 3600\n"
        house.tick("nhn", more=more)
        house.later(minutes=9)
        for _ in range(5):
            house.later(minutes=1)
            house.tick("nhn", more=more)

        assert house.delivery("nhn").state is UNKNOWN
        assert arrivals(house) == [(NUMBER, TEXT)]
        assert sum(call.startswith("POST messages") for call in house.calls()) == 1


@pytest.mark.parametrize("fault", ["cut-after", "cut-before", "502", "html"])
def test_a_group_is_filled_once_whatever_became_of_the_answer(house: House, fault: str) -> None:
    house.sandbox.faults.enqueue(f"{fault}@PUT/messages/v4/groups/*/messages")
    house.tick("solapi")
    house.later(minutes=1)
    house.tick("solapi")

    assert house.delivery("solapi").state is CONFIRMED
    assert arrivals(house) == [(NUMBER, TEXT)]


@pytest.mark.parametrize("fault", ["cut-after", "cut-before", "502", "html", "429"])
def test_a_group_that_could_not_be_made_has_sent_nothing(house: House, fault: str) -> None:
    house.sandbox.faults.enqueue(f"{fault}@POST/messages/v4/groups")
    house.tick("solapi")
    assert house.delivery("solapi").state is State.RETRYING
    house.later(minutes=1)
    house.tick("solapi")
    house.later(minutes=1)
    house.tick("solapi")

    assert house.delivery("solapi").state is CONFIRMED
    assert arrivals(house) == [(NUMBER, TEXT)]


@pytest.mark.parametrize(
    ("dealer", "keys", "words"),
    [
        ("nhn", {"app_key": "another"}, "does not know the app key"),
        ("nhn", {"sender_key": "f" * 40}, "no such sender profile"),
        ("solapi", {"api_key": "another"}, "does not know the API key"),
    ],
)
def test_keys_of_another_project_fail_with_their_sentence(
    house: House, dealer: str, keys: dict[str, str], words: str
) -> None:
    house.tick(dealer, **keys)
    found = house.delivery(dealer)

    assert (found.state, found.reason) == (FAILED, Reason.REFUSED)
    assert words in (detail_of(found) or "")
    assert arrivals(house) == []


@pytest.mark.parametrize(
    ("dealer", "secret", "words"),
    [
        ("nhn", "wrong", "does not know the secret key"),
        ("solapi", "wrong", "the API secret is not that of the API key"),
        ("nhn", "", "ALIMTALK_SECRET_KEY is not given"),
        ("solapi", "", "ALIMTALK_API_SECRET is not given"),
    ],
)
def test_a_wrong_secret_fails_with_its_sentence(
    house: House, dealer: str, secret: str, words: str
) -> None:
    secrets = dict.fromkeys(SECRETS, secret)
    report = run_tick(phone(house.folder, house.sandbox, house.clock, dealer, secrets=secrets))
    found = house.delivery(dealer)

    assert found.state is FAILED
    assert words in (detail_of(found) or "")
    assert words in str(report.down["alimtalk"])
    assert report.down["alimtalk"].cause.code != "said"  # it is the same in any language
    assert report.exit_code == Exit.USAGE


@both
def test_a_dealer_that_refuses_the_account_is_not_asked_for_each_message(
    house: House, dealer: str
) -> None:
    often = "".join(MESSAGE.replace('"report"', f'"m{n}"') for n in range(20))
    message = f"[delivery]\nat_once = 2\n{often}"
    secrets = dict.fromkeys(SECRETS, "wrong")
    place = (house.folder, house.sandbox, house.clock, dealer)
    report = run_tick(phone(*place, message=message, secrets=secrets))

    assert len(report.troubles) == 20
    # Of the one that gives keys, only those were asked for that were made ready before its answer.
    assert len(house.calls()) == 20 if dealer == "nhn" else len(house.calls()) < 20


@both
@pytest.mark.parametrize(
    ("before", "after"),
    [("KC_REPORT_01", "NONE"), ('"이름" = "민수"', '"성" = "김"')],
)
def test_a_wrong_template_fails_for_good(
    house: House, dealer: str, before: str, after: str
) -> None:
    message = MESSAGE.replace(before, after)
    run_tick(phone(house.folder, house.sandbox, house.clock, dealer, message=message))
    found = house.delivery(dealer)

    assert (found.state, found.reason) == (FAILED, Reason.REFUSED)
    assert found.targets[NUMBER].code in {-3003, -3049, "1043", "1044"}


@both
def test_who_cannot_have_it_harms_nobody_else(house: House, dealer: str) -> None:
    message = MESSAGE.replace(
        '"010-1234-5678"', '"010-1234-5678", "02-123-4567", "+1 415 555 0100"'
    )
    message += (
        '[[message]]\nname = "words"\nslots = ["regular"]\ntext = "안녕"\nto = ["010-1234-5678"]\n'
    )
    run_tick(phone(house.folder, house.sandbox, house.clock, dealer, message=message))
    targets = house.delivery(dealer).targets

    assert {name: one.state for name, one in targets.items()} == {
        NUMBER: SENT,
        "021234567": FAILED,
        "+14155550100": FAILED,
    }
    assert "is no mobile number" in (detail_of(targets["021234567"]) or "")
    ledger = phone(house.folder, house.sandbox, house.clock, dealer).ledger
    other = find_delivery(ledger, "words@20261123T0930")
    assert (other.state, other.reason) == (FAILED, Reason.REFUSED)
    house.later(seconds=5)
    assert arrivals(house) == [(NUMBER, TEXT)]


@both
def test_a_daily_cap_holds(house: House, dealer: str) -> None:
    for minute in ("09:30:01", "10:00:01", "10:30:01"):
        house.clock.set(minute)
        house.tick(dealer, more="daily_cap = 2")
    ledger = phone(house.folder, house.sandbox, house.clock, dealer).ledger
    last = find_delivery(ledger, "report@20261123T1030")

    assert (last.state, last.reason) == (FAILED, Reason.QUOTA)
    assert detail_of(last) == "daily_cap in [alimtalk] is 2, and 2 went out today"
    house.later(seconds=5)
    assert len(arrivals(house)) == 2


@both
@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_that_is_five_minutes_off_is_told_of_and_does_no_harm(
    tmp_path: Path, dealer: str, minutes: int
) -> None:
    clock = FakeClock(NOW)
    with SandboxServer(Kakao(seed=7), lambda: clock.at + timedelta(minutes=minutes)) as other:
        report = run_tick(phone(tmp_path, other, clock, dealer))
        clock.at += timedelta(seconds=3)

        assert [cause.code for _, cause in report.problems] == ["clock-off"]
        assert arrived(other) == [(NUMBER, TEXT)]


def test_far_off_solapi_takes_nothing_and_says_why(tmp_path: Path) -> None:
    clock = FakeClock(NOW)
    with SandboxServer(Kakao(seed=7), lambda: NOW - timedelta(minutes=16)) as other:
        run_tick(phone(tmp_path, other, clock, "solapi"))
        found = find_delivery(phone(tmp_path, other, clock, "solapi").ledger, ID)

    assert found.targets[NUMBER].reason is Reason.CLOCK_WRONG
    assert "clock is more than 15 minutes off" in (detail_of(found.targets[NUMBER]) or "")


def test_another_installation_with_the_same_account_is_not_taken_for_this_one(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    """Both have a slot of the same name; the one that nobody has sent must not find the other's."""
    run_tick(phone(tmp_path / "one", sandbox, clock, "nhn"))
    sandbox.faults.enqueue("cut-before")
    run_tick(phone(tmp_path / "two", sandbox, clock, "nhn"))
    for _ in range(3):
        clock.at += timedelta(minutes=1)
        run_tick(phone(tmp_path / "two", sandbox, clock, "nhn"))

    assert len(arrived(sandbox)) == 2


@both
def test_no_secret_of_a_dealers_is_written_down(
    house: House, dealer: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="kakaocron")
    for fault in ("cut-after", "html", "502", "half"):
        house.sandbox.faults.enqueue(fault)
        house.tick(dealer)
        house.later(minutes=30)
    written = [path.read_bytes() for path in house.folder.rglob("*") if path.is_file()]
    secrets = [value.encode() for value in SECRETS.values()]

    assert len(written) > 1
    assert not any(secret in one for one in written for secret in secrets)
    assert not any(value in caplog.text for value in SECRETS.values())


@both
@pytest.mark.parametrize("fault", ["cut-after", "502", "html", "empty"])
def test_a_look_up_that_fails_changes_nothing_and_is_made_again(
    house: House, dealer: str, fault: str
) -> None:
    house.tick(dealer)
    house.later(minutes=1)
    house.sandbox.faults.replace(f"{fault}@GET/")
    report = house.tick(dealer)
    assert house.delivery(dealer).state is SENT
    assert [key for key, _ in report.problems] == ["look-up:alimtalk"]
    house.sandbox.faults.replace()
    house.later(minutes=2)
    house.tick(dealer)

    assert house.delivery(dealer).state is CONFIRMED
    assert arrivals(house) == [(NUMBER, TEXT)]


@pytest.mark.parametrize(
    "asked",
    [
        {"text": "안녕", "to": ["010-1234-5678"]},
        {"message": "report", "to": ["me"]},
        {"message": "report", "to": ["010-1234-5678", "me"]},
    ],
    ids=["a text to a phone", "a template to KakaoTalk", "a template to both"],
)
def test_by_hand_what_does_not_fit_its_receiver_is_refused_before_the_ledger(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, asked: dict[str, Any]
) -> None:
    here = phone(tmp_path, sandbox, clock)
    with pytest.raises(UsageError, match="this content is not for"):
        send_now(here, **asked)
    assert (here.ledger.days(), sandbox.deliveries) == ([], [])
