"""What the state of alarms keeps: codes and facts, which become sentences when they are told."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from kakaocron.errors import Cause
from kakaocron.kst import isoformat
from kakaocron.ledger.deliveries import Attempt, Delivery
from kakaocron.ledger.events import Result
from kakaocron.states import Reason, State
from kakaocron.text.causes import as_facts
from kakaocron.watching.alarms import (
    MOST_UNTOLD,
    AlarmState,
    Observation,
    Trouble,
    Turn,
    days_of,
    from_fields,
    may_tell,
    not_told,
    review,
    to_fields,
    told,
)
from kakaocron.watching.causes import TEMPLATES, in_words
from kakaocron.watching.sentences import trouble_of
from tests.fakes import NOW

ID = "report@20261123T0930"


def delivery(state: State, *results: Result, id_: str = ID, at: datetime = NOW) -> Delivery:
    """Return a delivery to as many receivers as there are results, after two attempts."""
    fared = {f"uuid-{n}": result for n, result in enumerate(results)}
    tries = tuple(Attempt(n, "x", NOW, NOW, tuple(fared), NOW, NOW, fared) for n in (1, 2))
    return Delivery(
        id_, "report", "peak", at, state, tuple(fared), results[0].reason, attempts=tries,
        targets=fared, cause=results[0].cause, behind=results[0].behind,
    )  # fmt: skip


REFUSED = Result(State.FAILED, Reason.REFUSED, None, -402, 403, cause=Cause(
    "kakao-no-scope", {"code": -402, "scopes": "talk_message"}))  # fmt: skip
HTTP = Result(State.UNKNOWN, Reason.SERVER_FAULT, http_status=500, cause=Cause(
    "http", {"status": 500}))  # fmt: skip
WAITS = Result(State.RETRYING, Reason.UNREACHABLE, cause=Cause("dns"))
SPENT = Result(State.FAILED, Reason.EXPIRED, behind=Reason.QUOTA, cause=Cause(
    "kakao", {"code": -532}))  # fmt: skip
ARRIVED = Result(State.CONFIRMED)


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (
            [delivery(State.FAILED, REFUSED)],
            f"{ID} failed (refused: the account has not agreed to talk_message; log in again "
            "(-402)). Run: kakaocron login, and tick the box '카카오톡 메시지 전송'; then: "
            f"kakaocron retry {ID}",
        ),
        (
            [delivery(State.FAILED, SPENT, ARRIVED)],
            f"{ID} failed (expired: quota: the sender's daily quota is used up (-532)). It has not "
            "reached mum; it has reached uuid-1. The quota is free again after midnight (KST); "
            f"then: kakaocron retry {ID} --at 'tomorrow 00:05'",
        ),
        (
            [delivery(State.UNKNOWN, HTTP)],
            f"Nobody can know whether {ID} arrived (server-fault: HTTP 500). Look at the chat, "
            f"then: kakaocron resolve {ID} --delivered (or --not-delivered)",
        ),
        (
            [delivery(State.RETRYING, WAITS, HTTP)],
            f"{ID} is not delivered after 2 attempts (unreachable: DNS: the server's name cannot "
            "be looked up); it is tried again. It is tried again for mum; nobody knows of uuid-1.",
        ),
        (
            [
                delivery(State.FAILED, WAITS, id_="a"),
                delivery(State.MISSED, SPENT, id_="b", at=NOW + timedelta(hours=1)),
            ],
            "2 slots from a to b are not confirmed; the last: missed (expired: quota: the sender's "
            "daily quota is used up (-532)). See: kakaocron history --days 2",
        ),
    ],
)
def test_what_is_kept_of_deliveries_says_the_same_when_it_is_read_back(
    group: list[Delivery], words: str
) -> None:
    cause = trouble_of(group, {"uuid-0": "mum"})
    assert in_words(cause) == words
    kept = review(AlarmState(), Observation({"x": cause}), NOW)
    again = from_fields(json.loads(json.dumps(to_fields(kept))))
    assert again == kept
    assert in_words(again.untold[0].cause) == words


def test_no_sentence_is_kept_of_how_a_trouble_goes_on() -> None:
    trouble = trouble_of([delivery(State.FAILED, REFUSED)])
    held = trouble_of([delivery(State.UNKNOWN, HTTP)])
    begun = review(AlarmState(), Observation({"x": trouble, "y": held}), NOW)
    later = review(begun, Observation({"x": trouble, "y": held}), NOW + timedelta(days=1))
    over = review(later, Observation({}, {"x": held}, {"y": held}), NOW + timedelta(days=2))
    told = [in_words(one.cause) for one in over.untold]
    words, held_words = in_words(trouble), in_words(held)
    assert told == [
        words,
        held_words,
        f"Still, since 2026-11-23 {NOW:%H:%M}: {words}",
        f"Still, since 2026-11-23 {NOW:%H:%M}: {held_words}",
        f"Over: {words}. Meanwhile: {held_words}",
        f"Messages arrive again. {held_words}",
    ]
    kept = json.dumps(to_fields(over), ensure_ascii=False)
    for english in ("Nobody can", "Still", "Over", "Meanwhile", "not agreed", "kakaocron "):
        assert english not in kept
    assert from_fields(json.loads(kept)) == over


@pytest.mark.parametrize("key", ["login", "quota", "ledger", "lock", "rate", "delay"])
def test_the_end_of_a_shared_trouble_has_a_sentence_of_its_own(key: str) -> None:
    known = AlarmState(NOW, troubles={key: Trouble(NOW, Cause("dns"), NOW)})
    (over,) = review(known, Observation({}), NOW).untold
    assert over.cause == Cause(f"over-{key}")
    assert over.cause.code in TEMPLATES


def test_a_memory_with_sentences_is_read_and_nothing_is_told_twice_or_lost() -> None:
    at = isoformat(NOW)
    old = {
        "seen": at,
        "troubles": {
            "unknown:report": {
                "since": at, "sentence": "Nobody knows {x}", "told_at": at, "is_muted": False,
            },
        },
        "untold": [
            {"turn": "lasting", "key": "login", "since": at, "sentence": "Still, since 9: log in"}
        ],
        "mentioned": 0, "tries": 1, "next_try": at,
    }  # fmt: skip
    memory = from_fields(old)
    lasting = review(memory, Observation({"unknown:report": Cause("dns")}), NOW)
    assert lasting == memory
    assert [in_words(one.cause) for one in lasting.untold] == ["Still, since 9: log in"]
    over = review(memory, Observation({}), NOW).untold[1]
    assert in_words(over.cause) == "Over: Nobody knows {x}"
    assert from_fields(to_fields(memory)) == memory


@pytest.mark.parametrize(
    "cause", [None, "dns", {}, {"code": 5}, {"code": "dns", "facts": {"a": []}}]
)
def test_a_cause_of_another_form_is_no_memory(cause: object) -> None:
    fields = to_fields(AlarmState())
    fields["untold"] = [{"turn": "begun", "key": "x", "since": isoformat(NOW), "cause": cause}]
    with pytest.raises(ValueError, match=r"Expected|required"):
        from_fields(fields)


def test_a_cause_of_a_later_version_is_told_as_it_is_kept() -> None:
    inner = {"trouble": "of-2030", "trouble.id": ID, "since": "9"}
    assert in_words(Cause("still", inner)) == f"Still, since 9: of-2030 id={ID}"
    assert in_words(Cause("remedy-kakao", {"code": -7})).startswith("remedy-kakao")


def test_a_clock_that_was_ahead_delays_no_alarm_and_no_reminder() -> None:
    years = timedelta(days=400)
    begun = not_told(
        review(AlarmState(), Observation({"x": Cause("dns")}), NOW + years), NOW + years
    )
    assert may_tell(begun, NOW)
    again = not_told(begun, NOW)
    assert not may_tell(again, NOW)
    assert may_tell(again, NOW + timedelta(minutes=2))
    now_right = review(told(again), Observation({"x": Cause("dns")}), NOW)
    assert now_right.untold == ()
    (reminder,) = review(
        now_right, Observation({"x": Cause("dns")}), NOW + timedelta(days=1)
    ).untold
    assert reminder.turn is Turn.LASTING
    assert days_of(begun, NOW.date()) == [NOW.date() - timedelta(days=1), NOW.date()]


@pytest.mark.parametrize("mentioned", [0, 100])
def test_alarms_that_nobody_takes_are_bounded_and_counted(mentioned: int) -> None:
    memory = AlarmState()
    for n in range(MOST_UNTOLD):
        memory = review(memory, Observation({}, {f"delivery:{n}": Cause("dns")}), NOW)
    assert len(memory.untold) == MOST_UNTOLD
    assert all(one.cause == Cause("dns") for one in memory.untold)
    memory = replace(memory, mentioned=mentioned)
    for n in range(250):
        memory = review(memory, Observation({}, {f"delivery:late-{n}": Cause("dns")}), NOW)
        fresh = memory.untold[memory.mentioned :]
        assert fresh[-1].key == f"delivery:late-{n}"
        if mentioned:  # as after a way that does not count has taken them
            assert len(fresh) == 1
            memory = replace(memory, mentioned=len(memory.untold))
    assert len(memory.untold) == MOST_UNTOLD
    first, second, *_ = memory.untold
    assert in_words(first.cause) == "251 older alarms are left out: nobody took them"
    assert second.key == "delivery:late-151"
    assert from_fields(json.loads(json.dumps(to_fields(memory)))) == memory


def test_only_days_near_by_are_remembered() -> None:
    days = {NOW.date() + timedelta(days=n): 5 for n in range(-400, 400)}
    assert len(review(AlarmState(lines=days), Observation({}), NOW).lines) == 65


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            Cause("ledger-damaged", {
                "day": "2026-11-23", "kept": "/x", **as_facts("damage", Cause("bad-lines", {
                    "lines": "3"}))}),
            "The ledger of 2026-11-23 is damaged (unreadable line 3); a copy is kept as '/x'. "
            "Slots that it may have held are not sent again: kakaocron history --days 2",
        ),
        (
            Cause("clock-off", {"seconds": -91.0}),
            "clock-wrong: this clock is -91 s off Kakao's. Set it: timedatectl set-ntp true",
        ),
        (
            Cause("clock-behind-ledger", {"now": "2026-11-23 09:00:00", "last": "x"}),
            "clock-wrong: it is 2026-11-23 09:00:00, but the ledger's last entry is of x. "
            "Set the clock: timedatectl set-ntp true",
        ),
    ],
)  # fmt: skip
def test_what_a_tick_reports_is_a_cause_too(cause: Cause, words: str) -> None:
    assert in_words(cause) == words
