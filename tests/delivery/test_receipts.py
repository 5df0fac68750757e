"""What a channel tells afterwards: confirmed by its word alone, and the unknown settled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.config.contacts import KAKAOTALK
from kakaocron.delivery import asking
from kakaocron.delivery.orders import reopened, resolved
from kakaocron.delivery.tick import TickReport, tick
from kakaocron.delivery.verdicts import Fate, Found, Meaning, Verdict
from kakaocron.errors import Cause, Exit
from kakaocron.installation import Installation
from kakaocron.kakao.channel import KakaoTalk
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery, delivery_fields
from kakaocron.ledger.events import Claim, SendKey, of_slot
from kakaocron.ledger.stats import Receipts
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import Slot
from kakaocron.show.console import print_delivery
from kakaocron.show.pictures import print_overview
from kakaocron.states import Reason, State
from kakaocron.ticking.idle_plan import idle_span
from kakaocron.watching.alarms import of_deliveries
from kakaocron.watching.overview import explain_minute, health_of, look, report
from kakaocron.watching.prometheus import metrics_of
from tests.delivery.dealer import (
    ACCEPTED,
    DELIVERED,
    FAILED,
    LATER,
    LOST,
    NOT_TOLD,
    FakeDealer,
)
from tests.fakes import NOW, FakeClock, install

MESSAGE = """
[[message]]
name = "order"
slots = ["regular"]
text = "주문 {time:%H:%M}"
"""
ID = "order@20261123T0930"


@pytest.fixture
def dealer(clock: FakeClock) -> FakeDealer:
    return FakeDealer(clock.now)


Make = Callable[..., Installation]


@pytest.fixture
def make(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, dealer: FakeDealer
) -> Iterator[Make]:
    """Make an installation whose `me` is reached by the dealer, or only `phone:…` if `mixed`."""
    made: list[Installation] = []

    def make_one(config: str = MESSAGE, *, mixed: bool = False) -> Installation:
        def channel_of(receiver: str) -> str:
            return KAKAOTALK if mixed and not receiver.startswith("phone:") else "dealer"

        here = install(tmp_path, sandbox, clock, config)
        kakao = here.engine.channels[KAKAOTALK]
        assert isinstance(kakao, KakaoTalk)
        kakao = replace(kakao, serves=lambda receiver: channel_of(receiver) == KAKAOTALK)
        policy = replace(here.engine.policy, settling=dealer.settling)
        engine = replace(
            here.engine,
            channels={KAKAOTALK: kakao, "dealer": dealer},
            receipts={"dealer": dealer},
            channel_of=channel_of,
            policy=policy,
        )
        made.append(replace(here, engine=engine))
        return made[-1]

    yield make_one
    for one in made:
        one.close()


def run(installation: Installation) -> TickReport:
    return tick(installation.engine, installation.plan, installation.heartbeat)


def at(installation: Installation, clock_time: str, day: int = 23) -> TickReport:
    """Run the tick of a time of day."""
    clock = installation.clock
    assert isinstance(clock, FakeClock)
    clock.set(clock_time, day)
    return run(installation)


def found(installation: Installation, id_: str = ID) -> Delivery:
    ledger = installation.ledger
    return ledger.read(ledger.days()).deliveries[id_]


def standing(delivery: Delivery) -> tuple[State, Reason | None]:
    return delivery.state, delivery.reason


def lines(installation: Installation) -> list[str]:
    path = Path(installation.places.ledger, "2026-11-23.jsonl")
    return path.read_text("utf-8").splitlines()


# --- Accepted, and then confirmed by the dealer's word alone. -------------------------------------


def test_what_is_accepted_is_sent_and_confirmed_by_the_dealers_word_with_its_time(
    make: Make, dealer: FakeDealer
) -> None:
    here = make()
    first = run(here)

    assert standing(first.ended[ID]) == (State.SENT, None)
    assert (first.exit_code, first.ended[ID].confirmed_at) == (Exit.FINE, None)
    delivered_at = NOW + timedelta(seconds=3)
    dealer.words.append(Found(Fate.DELIVERED, delivered_at.astimezone(), "1000"))
    second = at(here, "09:31:01")

    assert standing(second.ended[ID]) == (State.CONFIRMED, None)
    assert found(here).confirmed_at == delivered_at
    assert found(here).targets["me"].code == "1000"
    assert found(here).targets["me"].ref == "M4V"
    assert dealer.arrived == {"me": 1}
    at(here, "09:32:01")
    assert len(dealer.asked) == 1


def test_the_key_is_on_disk_before_the_request_leaves(make: Make, dealer: FakeDealer) -> None:
    here = make()
    seen: list[str] = []
    sent = dealer._sent

    def looking(parcel: object, name: str, flight: object) -> Verdict:
        seen.extend(lines(here))
        return sent(parcel, name, flight)  # type: ignore[arg-type]

    dealer._sent = looking  # type: ignore[method-assign]
    run(here)

    assert len(seen) == 1
    assert f'"key":"{ID}/1/me","since":"2026-11-23T09:30:01+09:00"' in seen[0]
    assert '"until":"2026-11-23T09:38:01+09:00"' in seen[0]


@pytest.mark.parametrize(
    ("clock_time", "count"), [("09:30:10", 0), ("09:30:11", 1), ("09:30:12", 1)]
)
def test_it_is_asked_about_after_confirmation_delay(
    make: Make, dealer: FakeDealer, clock_time: str, count: int
) -> None:
    here = make()
    run(here)
    at(here, clock_time)

    assert len(dealer.asked) == count


def test_it_is_asked_about_again_with_growing_gaps(make: Make, dealer: FakeDealer) -> None:
    here = make()
    run(here)
    dealer.words = [ACCEPTED] * 100
    minutes = []
    for minute in range(1, 181):
        before = len(dealer.asked)
        when = NOW.replace(second=1) + timedelta(minutes=minute)
        at(here, f"{when:%H:%M:%S}")
        minutes += [minute] if any("0930" in one.key for one in dealer.asked[before:]) else []

    assert minutes[:10] == [1, 2, 3, 4, 5, 7, 9, 12, 15, 19]
    gaps = [later - earlier for earlier, later in pairwise(minutes)]
    assert gaps == sorted(gaps)
    assert standing(found(here)) == (State.SENT, None)


def test_a_failure_reported_later_is_a_failure_with_the_dealers_code(
    make: Make, dealer: FakeDealer
) -> None:
    here = make()
    run(here)
    why = Cause("said", {"words": "not a KakaoTalk user"})
    dealer.words.append(replace(FAILED, cause=why))
    report = at(here, "09:31:01")

    assert standing(report.ended[ID]) == (State.FAILED, Reason.UNDELIVERED)
    assert (found(here).targets["me"].code, found(here).cause) == ("3019", why)
    assert report.exit_code == Exit.TROUBLE
    assert at(here, "09:32:01").exit_code == Exit.FINE  # once
    assert len(dealer.asked) == 1
    (explained,) = explain_minute(here, NOW.replace(second=0)).messages
    assert "not delivered" in explained.why


def test_what_may_arrive_within_days_stays_sent_and_says_so(make: Make, dealer: FakeDealer) -> None:
    here = make()
    run(here)
    dealer.words = [LATER, LATER]
    report = at(here, "09:31:01")

    assert standing(report.ended.get(ID, found(here))) == (State.SENT, Reason.NO_RECEIPT)
    assert found(here).cause == LATER.cause
    assert report.exit_code == Exit.FINE
    at(here, "09:32:01")
    dealer.words = [DELIVERED]
    at(here, "09:33:01")
    assert standing(found(here)) == (State.CONFIRMED, None)


def test_who_never_tells_is_asked_for_three_days(make: Make, dealer: FakeDealer) -> None:
    here = make('[schedule]\nquiet = ["09:40-09:20"]\n' + MESSAGE)  # a slot a day
    run(here)
    dealer.words = [ACCEPTED] * 1000
    asked = []
    when = datetime(2026, 11, 23, 9, 31, 1, tzinfo=KST)
    while when.day < 28:
        before = len(dealer.asked)
        at(here, f"{when:%H:%M:%S}", when.day)
        asked += [when for one in dealer.asked[before:] if one.key == f"{ID}/1/me"]
        when += timedelta(hours=2)

    assert standing(found(here)) == (State.SENT, Reason.NO_RECEIPT)
    assert found(here).cause == Cause("no-receipt", {"days": 3})
    assert timedelta(days=3) <= asked[-1] - NOW < timedelta(days=3, hours=7)
    assert {one.day for one in asked} == {23, 24, 25, 26}
    assert len(asked) < 40
    # Only to days that a tick would not read by itself, and once from each.
    folder = Path(here.places.ledger)
    pointers = [
        (path.stem[-2:], json.loads(line)["id"][12:14])
        for path in folder.iterdir()
        for line in path.read_text("utf-8").splitlines()
        if '"event":"pointer"' in line
    ]
    led = {"25": ["23"], "26": ["23", "24"], "27": ["24", "25"], "28": ["25", "26"]}
    assert sorted(pointers) == [(day, to) for day, slots in led.items() for to in slots]


def test_a_dealer_that_cannot_be_asked_is_a_problem_told_once_by_its_key(
    make: Make, dealer: FakeDealer
) -> None:
    here = make()
    run(here)
    dealer.words = [NOT_TOLD, NOT_TOLD]
    report = at(here, "09:31:01")

    assert report.problems == (
        ("look-up:dealer", Cause("look-up-failed", {"behind": "no-connection"})),
    )
    assert standing(found(here)) == (State.SENT, None)
    assert at(here, "09:32:01").problems == ()
    assert standing(found(here)) == (State.CONFIRMED, None)


def test_a_bug_in_a_look_up_stops_no_record(make: Make, dealer: FakeDealer) -> None:
    here = make()
    run(here)
    dealer.words = [Found(Fate.DELIVERED, NOW, "1000")]
    look_up = dealer.look_up

    def broken(asked: object) -> Iterator[object]:
        yield from look_up(asked)  # type: ignore[arg-type]
        raise ZeroDivisionError

    dealer.look_up = broken  # type: ignore[assignment, method-assign]
    with pytest.raises(ZeroDivisionError):
        at(here, "09:31:01")
    assert standing(found(here)) == (State.CONFIRMED, None)


# --- Look-ups hold nothing up. --------------------------------------------------------------------


def test_the_idle_plan_wakes_for_a_look_up(make: Make, dealer: FakeDealer) -> None:
    here = make()
    run(here)
    dealer.words = [ACCEPTED, ACCEPTED]

    def idle_until() -> str:
        seen = here.snapshot()
        span = idle_span(seen, here.ledger, here.plan, here.engine.policy)
        assert span is not None
        return f"{span.until:%H:%M:%S}"

    assert idle_until() == "09:30:11"
    at(here, "09:31:01")
    assert idle_until() == "09:31:46"
    at(here, "09:32:01")
    assert idle_until() == "09:32:46"
    at(here, "09:33:01")
    assert idle_until() == "10:00:00"  # the next slot


def test_a_look_up_comes_after_what_is_due(make: Make, dealer: FakeDealer) -> None:
    here = make()
    run(here)
    order: list[str] = []
    deliver, look_up = dealer.deliver, dealer.look_up

    def delivering(*given: object) -> None:
        order.append("send")
        deliver(*given)  # type: ignore[arg-type]

    def looking(asked: object) -> object:
        order.append("look up")
        return look_up(asked)  # type: ignore[arg-type]

    dealer.deliver, dealer.look_up = delivering, looking  # type: ignore[assignment, method-assign]
    at(here, "10:00:01")

    assert order == ["send", "look up"]


def test_so_many_look_ups_a_tick_and_the_rest_in_the_next(
    make: Make, dealer: FakeDealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LOOK_UPS_A_TICK", 2)
    here = make("".join(MESSAGE.replace("order", f"m{n}") for n in range(5)))
    run(here)
    counts = []
    for minute in (31, 32, 33, 34):
        before = len(dealer.asked)
        at(here, f"09:{minute}:01")
        counts.append(len(dealer.asked) - before)

    assert counts == [2, 2, 1, 0]


def test_who_gets_no_answer_goes_to_the_end_of_the_queue(
    make: Make, dealer: FakeDealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LOOK_UPS_A_TICK", 1)
    here = make("".join(MESSAGE.replace("order", f"m{n}") for n in range(2)))
    run(here)
    dealer.words = [NOT_TOLD, NOT_TOLD]
    for minute in (31, 32, 33):
        at(here, f"09:{minute}:01")

    assert [one.key[:2] for one in dealer.asked] == ["m0", "m0", "m1", "m0"]


# --- Unknown is settled. --------------------------------------------------------------------------


def test_a_lost_answer_is_settled_by_the_key_alone(make: Make, dealer: FakeDealer) -> None:
    here = make()
    dealer.ways = ["lost after"]
    report = run(here)

    assert standing(report.ended[ID]) == (State.UNKNOWN, Reason.READ_TIMEOUT)
    assert not report.ended[ID].is_held
    at(here, "09:31:01")
    assert standing(found(here)) == (State.CONFIRMED, None)
    assert dealer.arrived == {"me": 1}
    assert dealer.asked[0].key == f"{ID}/1/me"


def test_what_never_arrived_goes_once_more_with_the_same_key_and_content(
    make: Make, dealer: FakeDealer
) -> None:
    here = make()
    dealer.ways = ["lost before"]
    run(here)
    report = at(here, "09:31:01")

    assert standing(report.ended[ID]) == (State.SENT, None)
    assert report.exit_code == Exit.FINE
    assert [key for _, key, *_ in dealer.taken] == [f"{ID}/1/me"]
    assert dealer.flights[1].repeats == {"me"}
    assert dealer.reserved == [(ID, 1, ("me",))]
    events = [json.loads(line) for line in lines(here)]
    assert [(one["event"], one.get("reason")) for one in events] == [
        ("claim", None),
        ("outcome", "read-timeout"),
        ("receipt", "not-found"),
        ("claim", None),
        ("outcome", None),
    ]
    assert events[0]["content"]["text"] == events[3]["text"] == dealer.taken[0][3]
    at(here, "09:32:01")
    assert standing(found(here)) == (State.CONFIRMED, None)
    assert dealer.arrived == {"me": 1}


@pytest.mark.parametrize(
    ("clock_time", "count"), [("09:30:05", 0), ("09:30:06", 1), ("09:30:07", 1)]
)
def test_not_found_means_nothing_before_the_settling_time(
    make: Make, dealer: FakeDealer, clock_time: str, count: int
) -> None:
    here = make()
    dealer.ways = ["lost before"]
    run(here)
    at(here, clock_time)

    assert len(dealer.taken) == count


LIVES = {
    timedelta(minutes=8): [("09:38:00", 1), ("09:38:01", 0), ("09:38:02", 0)],
    # Without an end of its own it is the slot's expiry that ends it.
    None: [("09:39:59", 1), ("09:40:00", 0), ("09:40:01", 0)],
}


@pytest.mark.parametrize(
    ("life", "clock_time", "count"),
    [(life, *case) for life, cases in LIVES.items() for case in cases],
)
def test_after_the_keys_life_or_the_slots_it_stays_unknown(
    make: Make, dealer: FakeDealer, life: timedelta | None, clock_time: str, count: int
) -> None:
    dealer.key_life = life
    here = make()
    dealer.ways = ["lost before"]
    run(here)
    dealer.words = [NOT_TOLD, NOT_TOLD]
    at(here, "09:31:01")
    at(here, clock_time)

    assert len(dealer.taken) == count
    at(here, "09:45:01")
    assert dealer.arrived.total() == count
    if not count:
        assert standing(found(here)) == (State.UNKNOWN, Reason.NOT_FOUND)
        assert found(here).is_held
        (explained,) = explain_minute(here, NOW.replace(second=0)).messages
        assert "knows nothing" in explained.why


def test_the_keys_life_is_asked_about_once_more_as_the_request_leaves(
    make: Make, dealer: FakeDealer, clock: FakeClock
) -> None:
    here = make()
    dealer.ways = ["lost before"]
    run(here)
    deliver = dealer.deliver

    def late(*given: object) -> None:
        clock.set("09:38:01")
        deliver(*given)  # type: ignore[arg-type]

    clock.set("09:37:50")
    dealer.deliver = late  # type: ignore[assignment, method-assign]
    run(here)

    assert dealer.taken == []
    assert standing(found(here)) == (State.UNKNOWN, Reason.READ_TIMEOUT)
    assert found(here).cause == Cause("key-over")


@pytest.mark.parametrize("way", ["not sent", "lost before", LOST])
def test_that_a_repeat_failed_does_not_say_that_the_first_did(
    make: Make, dealer: FakeDealer, way: str | Verdict
) -> None:
    here = make()
    dealer.ways = ["lost before", way]
    run(here)
    at(here, "09:31:01")

    assert found(here).state is State.UNKNOWN
    assert found(here).reason is Reason.READ_TIMEOUT
    for minute in range(32, 36):
        at(here, f"09:{minute}:01")
    assert standing(found(here)) == (State.CONFIRMED, None)
    assert {key for _, key, *_ in dealer.taken} == {f"{ID}/1/me"}
    assert len(dealer.reserved) == 1


def test_a_repeat_that_may_not_go_by_a_quota_or_its_content_stays_unknown(
    make: Make, dealer: FakeDealer
) -> None:
    here = make()
    dealer.ways = ["lost before"]
    run(here)
    dealer.daily = 0
    at(here, "09:31:01")

    assert standing(found(here)) == (State.UNKNOWN, Reason.READ_TIMEOUT)
    assert found(here).cause == Cause("said", {"words": "cap"})


def test_a_definite_refusal_takes_a_new_key(make: Make, dealer: FakeDealer) -> None:
    here = make()
    dealer.ways = [Verdict(Meaning.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW)]
    run(here)
    at(here, "09:31:01")

    assert [key for _, key, *_ in dealer.taken] == [f"{ID}/2/me"]


def test_nothing_is_sent_without_a_key(make: Make, dealer: FakeDealer) -> None:
    here = make()
    why = Cause("no-connection")
    dealer.keyless = Verdict(Meaning.NOT_SENT, Reason.UNREACHABLE, why)
    report = run(here)

    assert standing(report.ended[ID]) == (State.RETRYING, Reason.UNREACHABLE)
    assert dealer.flights == []
    dealer.keyless = None
    at(here, "09:31:01")
    assert standing(found(here)) == (State.SENT, None)


def test_a_bug_in_reserving_sends_nothing(make: Make, dealer: FakeDealer) -> None:
    here = make()

    def broken(*_: object) -> dict[str, str | Verdict]:
        raise ZeroDivisionError

    dealer.reserve = broken  # type: ignore[assignment, method-assign]
    with pytest.raises(ZeroDivisionError):
        run(here)
    assert dealer.flights == []
    assert standing(found(here)) == (State.RETRYING, Reason.UNREACHABLE)


def claimed(here: Installation, key: str, *, life: timedelta | None = None) -> None:
    """Write the claim of a process that died right after it, at 09:30:01."""
    keys = {"me": SendKey(key, NOW, NOW + life if life else None)}
    claim = of_slot(
        Claim,
        Slot("order", NOW.replace(second=0), "regular"),
        ["me"],
        NOW,
        state=State.SENDING,
        expires_at=NOW.replace(minute=40, second=0),
        attempt=1,
        by="1-dead",
        until=NOW + timedelta(seconds=30),
        keys=keys,
    )
    with here.ledger.open() as book:
        book.record([claim])


def test_a_claim_whose_process_died_is_looked_up_and_sent_once_more(
    make: Make, dealer: FakeDealer
) -> None:
    here = make()
    claimed(here, "k")
    at(here, "09:30:32")
    assert standing(found(here)) == (State.UNKNOWN, Reason.PROCESS_DIED)
    at(here, "09:30:36")

    assert standing(found(here)) == (State.SENT, None)
    assert [key for _, key, *_ in dealer.taken] == ["k"]


def test_what_is_retried_by_hand_gets_a_key_of_its_own_and_is_looked_up(
    make: Make, dealer: FakeDealer, clock: FakeClock
) -> None:
    here = make()
    dealer.words = [FAILED]
    run(here)
    at(here, "09:31:01")
    with here.ledger.open() as book:
        delivery = book.read([NOW.date()]).deliveries[ID]
        book.record(reopened(delivery, clock.now(), clock.now(), timedelta(minutes=10)))
    at(here, "09:32:01")
    at(here, "09:33:01")

    assert standing(found(here)) == (State.CONFIRMED, None)
    assert [key for _, key, *_ in dealer.taken] == [f"{ID}/1/me", f"{ID}/2/me"]


def test_a_persons_word_ends_the_look_ups(make: Make, dealer: FakeDealer, clock: FakeClock) -> None:
    here = make()
    dealer.ways = ["lost before"]
    run(here)
    with here.ledger.open() as book:
        delivery = book.read([NOW.date()]).deliveries[ID]
        book.record([resolved(delivery, clock.now(), delivered=True)])
    at(here, "09:31:01")

    assert dealer.asked == []
    assert standing(found(here)) == (State.SENT, Reason.BY_HAND)


def test_where_twice_is_rather_than_never_a_key_that_is_over_is_no_hindrance(
    make: Make, dealer: FakeDealer
) -> None:
    here = make('[delivery]\non_unknown = "resend"\nretry_delays = [540]\n' + MESSAGE)
    dealer.ways = ["lost before"]
    dealer.words = [NOT_TOLD] * 20
    run(here)
    at(here, "09:39:02")

    assert [key for _, key, *_ in dealer.taken] == [f"{ID}/2/me"]


def test_resending_by_choice_keeps_a_key_that_lives(make: Make, dealer: FakeDealer) -> None:
    here = make('[delivery]\non_unknown = "resend"\n' + MESSAGE)
    dealer.ways = ["lost after"]
    dealer.words = [NOT_TOLD] * 20
    run(here)
    at(here, "09:31:01")

    assert dealer.arrived == {"me": 1}
    assert dealer.flights[1].repeats == {"me"}


# --- Several receivers, and a channel beside that cannot be asked. --------------------------------

MIXED = MESSAGE + 'to = ["phone:1", "phone:2", "me"]\n'


def fared(here: Installation) -> dict[str, tuple[State, Reason | None]]:
    return {name: (one.state, one.reason) for name, one in found(here).targets.items()}


def test_each_receiver_is_asked_about_and_none_that_has_it_gets_it_again(
    make: Make, dealer: FakeDealer, sandbox: SandboxServer
) -> None:
    here = make(MIXED, mixed=True)
    dealer.ways = [None, "lost before"]
    run(here)
    assert found(here).state is State.UNKNOWN
    at(here, "09:31:01")

    fine = (State.CONFIRMED, None)
    assert fared(here) == {"phone:1": fine, "phone:2": (State.SENT, None), "me": fine}
    at(here, "09:32:01")
    assert fared(here) == dict.fromkeys(("phone:1", "phone:2", "me"), fine)
    assert dealer.arrived == {"phone:1": 1, "phone:2": 1}
    assert len(sandbox.deliveries) == 1


def test_what_nobody_can_look_up_stays_unknown_beside_what_is_settled(
    make: Make, dealer: FakeDealer, sandbox: SandboxServer
) -> None:
    here = make(MIXED, mixed=True)
    sandbox.faults.enqueue("cut-after")
    dealer.ways = ["lost before"]
    run(here)
    for minute in (31, 32, 33):
        at(here, f"09:{minute}:01")

    assert fared(here)["me"] == (State.UNKNOWN, Reason.CONNECTION_RESET)
    assert fared(here)["phone:1"] == (State.CONFIRMED, None)
    assert len(sandbox.deliveries) == 1
    assert found(here).is_held


def test_a_receiver_whose_time_ran_out_does_not_end_what_may_be_looked_up(
    make: Make, dealer: FakeDealer, sandbox: SandboxServer
) -> None:
    here = make(MIXED, mixed=True)
    for _ in range(8):
        sandbox.faults.enqueue("429")
    dealer.ways = [None, "lost before"]
    dealer.words = [ACCEPTED, NOT_TOLD, NOT_TOLD] * 20
    run(here)
    for minute in range(31, 42):
        at(here, f"09:{minute}:01")

    assert fared(here)["me"][0] is State.FAILED
    assert fared(here)["phone:1"] == (State.SENT, None)
    assert fared(here)["phone:2"] == (State.UNKNOWN, Reason.READ_TIMEOUT)
    dealer.words = []
    for minute in range(42, 50):
        at(here, f"09:{minute}:01")
    assert fared(here)["phone:1"] == (State.CONFIRMED, None)
    # Its own slot is over by then, and nothing of it was ever found: it is said, not sent.
    assert fared(here)["phone:2"] == (State.UNKNOWN, Reason.NOT_FOUND)


def test_an_installation_without_such_a_channel_knows_nothing_of_receipts(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = install(tmp_path, sandbox, clock, MESSAGE)
    run(here)

    assert here.engine.receipts == {}
    assert not any("keys" in line or "receipt" in line for line in lines(here))
    here.close()


# --- What is shown. -------------------------------------------------------------------------------


def test_what_was_accepted_is_counted_against_what_was_delivered_and_how_long_it_took(
    make: Make, dealer: FakeDealer
) -> None:
    here = make("".join(MESSAGE.replace("order", f"m{n}") for n in range(4)))
    run(here)
    assert look(here).receipts == Receipts(4, 0, 0)
    dealer.words = [
        Found(Fate.DELIVERED, NOW + timedelta(seconds=2), "1000"),
        Found(Fate.DELIVERED, NOW + timedelta(seconds=9), "1000"),
        FAILED,
        LATER,
    ]
    at(here, "09:31:01")

    overview = look(here)
    assert overview.receipts == Receipts(4, 2, 1, (2.0, 9.0))
    fields = {
        "accepted": 4,
        "delivered": 2,
        "undelivered": 1,
        "waiting": 1,
        "receipt_p50_seconds": 2.0,
        "receipt_p99_seconds": 9.0,
    }
    assert overview.fields()["receipts"] == report(here, 1).fields()["receipts"] == fields
    said = metrics_of(overview, health_of(overview, here.config.monitor))
    assert 'kakaocron_receipts_today{told="waiting"} 1' in said
    assert "kakaocron_receipt_p99_seconds 9.0" in said
    assert delivery_fields(found(here, "m0@20261123T0930"))["receipt"] == {
        "code": "1000",
        "at": "2026-11-23T09:30:03+09:00",
    }
    assert delivery_fields(found(here, "m3@20261123T0930"))["receipt"] == {
        "code": "3005",
        "at": None,
    }


def test_status_has_no_word_of_receipts_without_such_a_channel(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    here = install(tmp_path, sandbox, clock, MESSAGE)
    run(here)
    overview = look(here)
    print_overview(overview)

    assert overview.receipts is None
    everything = f"{overview.fields()} {report(here, 1).fields()} {capsys.readouterr().out}"
    assert "receipt" not in everything
    assert "receipt" not in metrics_of(overview, health_of(overview, here.config.monitor))
    here.close()


def test_it_is_shown_in_the_terminal(
    make: Make, dealer: FakeDealer, capsys: pytest.CaptureFixture[str]
) -> None:
    here = make()
    run(here)
    dealer.words = [Found(Fate.DELIVERED, NOW + timedelta(seconds=3), "1000")]
    at(here, "09:31:01")
    print_overview(look(here))
    print_delivery(found(here))

    said = capsys.readouterr().out
    assert "receipts: 1 accepted, 1 delivered, 0 undelivered, 0 waiting" in said
    assert "code 1000, 11-23 09:30:04" in said


def test_a_lost_answer_alarms_nobody_before_it_was_looked_up(
    make: Make, dealer: FakeDealer
) -> None:
    here = make()
    dealer.ways = ["lost before"] * 20

    def alarmed() -> bool:
        return bool(of_deliveries([found(here)], {"order"}, lambda _: True).happened)

    run(here)
    assert not alarmed()
    at(here, "09:31:01")
    assert not alarmed()
    at(here, "09:38:02")  # the key is over
    assert alarmed()
