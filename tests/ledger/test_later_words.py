"""Words that a later kakaocron has written: no damage, and nothing is sent on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kakaocron import actions
from kakaocron.cli import run
from kakaocron.delivery.policy import Policy, decide, idle_until, settle_slot
from kakaocron.errors import Cause, UsageError
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery, fold
from kakaocron.ledger.events import (
    Claim,
    Event,
    Outcome,
    Reopen,
    Result,
    Schedule,
    Settle,
    Unknown,
    from_line,
    of_slot,
    to_line,
)
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import Slot
from kakaocron.states import Reason, State
from tests.delivery.test_policy import at_minutes
from tests.fakes import MESSAGE, FakeClock, day_file, install, kakao_section, run_tick, texts
from tests.ledger.test_deliveries import rewritten

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
AT = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
SLOT = Slot("report", AT, "peak")
RESEND = Policy((30 * SECOND,), 4, 10 * MINUTE, resend_unknown=True)


def claim(number: int = 1) -> Claim:
    return of_slot(
        Claim,
        SLOT,
        ["me", "mum"],
        AT,
        state=State.SENDING,
        expires_at=AT + 10 * MINUTE,
        attempt=number,
        by="a",
        until=AT + 30 * SECOND,
    )


def outcome(**states: str) -> Outcome:
    return Outcome(
        at=AT + SECOND,
        id=SLOT.id,
        state=State.RETRYING,
        attempt=1,
        by="a",
        targets={name: Result(State(state)) for name, state in states.items()},
        next_attempt_at=AT + 31 * SECOND,
    )


def as_line(event: Event, /, **changes: Any) -> bytes:
    """Return the line of an event, with changes as of a later version's."""
    return rewritten(to_line(event), **changes)


def folded(*lines: bytes) -> Delivery:
    return fold(from_line(line) for line in lines)[SLOT.id]


SCHEDULED = of_slot(Schedule, SLOT, ["me"], AT - MINUTE, state=State.SCHEDULED)
REOPENED = of_slot(Reopen, SLOT, ["me"], AT, state=State.SCHEDULED, next_attempt_at=AT)
MISSED = settle_slot(SLOT, ["me"], AT, State.MISSED, Reason.NO_TICK)
WAITING = outcome(me="retrying", mum="retrying")
REROUTED = as_line(MISSED, event="rerouted")
HELD: dict[str, tuple[list[bytes], str]] = {
    "a kind alone": ([as_line(claim(), event="lease")], "lease"),
    "a kind after a schedule": ([as_line(SCHEDULED), REROUTED], "rerouted"),
    "a kind that says what is known": (
        [as_line(SCHEDULED), as_line(MISSED, event="rerouted", state="retrying")],
        "rerouted",
    ),
    "a kind after a claim": ([as_line(claim()), REROUTED], "rerouted"),
    "a kind after a missed slot": ([as_line(MISSED), as_line(MISSED, event="revive")], "revive"),
    "a state of a schedule": ([as_line(SCHEDULED, state="queued")], "queued"),
    "a state of a claim": ([as_line(claim(), state="queued")], "queued"),
    "a state of a settling line": ([as_line(SCHEDULED), as_line(MISSED, state="queued")], "queued"),
    "a state of a reopening line": ([as_line(MISSED), as_line(REOPENED, state="queued")], "queued"),
    "a state of an outcome": ([as_line(claim()), as_line(WAITING, state="queued")], "queued"),
    "a state of one receiver": (
        [as_line(claim()), as_line(outcome(me="queued", mum="retrying"))],
        "queued",
    ),
    "bad news after it": ([as_line(claim()), REROUTED, as_line(WAITING)], "rerouted"),
}


def held(name: str) -> Delivery:
    return folded(*HELD[name][0])


@pytest.mark.parametrize("name", HELD)
def test_its_delivery_shows_the_word_and_is_at_no_end(name: str) -> None:
    delivery = held(name)

    assert delivery.state == HELD[name][1]
    assert not (delivery.state.is_known or delivery.is_final or delivery.is_held)
    assert (delivery.message, delivery.slot) == (SLOT.message, AT)


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("after", [-MINUTE, 0 * MINUTE, MINUTE, 9 * MINUTE, 58 * MINUTE])
def test_no_tick_sends_or_settles_it(name: str, after: timedelta) -> None:
    series = [at_minutes(30, to=("me", "mum"))]
    now, known = AT + after, {SLOT.id: held(name)}

    decision = decide(series, RESEND, known, now, AT - MINUTE, ahead=MINUTE)

    assert (decision.settle, decision.due) == ((), ())
    assert idle_until([], RESEND, known, now, now + MINUTE) <= now + MINUTE


@pytest.mark.parametrize("name", HELD)
def test_a_real_tick_sends_nothing_of_it_and_no_order_changes_it(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, name: str
) -> None:
    clock.set("09:29:01")
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    file = day_file(installation)
    file.parent.mkdir(exist_ok=True)
    with file.open("ab") as ledger:
        ledger.write(b"".join(line + b"\n" for line in HELD[name][0]))
    before = file.read_bytes()
    for at in ("09:30:01", "09:31:01", "09:41:01"):
        clock.set(at)
        report = run_tick(installation)
        assert (report.problems, report.due, report.ended) == ((), (), {})
    for order in (actions.cancel, actions.retry):
        with pytest.raises(UsageError, match=f"is {HELD[name][1]};"):
            order(installation, SLOT.id)

    assert texts(sandbox) == []
    assert file.read_bytes() == before


SHOWING = (
    "status", "status --json", "history", "history --csv", "history --json", "show ID",
    "show ID --json", "explain 09:30", "explain 09:30 --json", "health", "metrics", "report",
    "next", "doctor", "ledger verify",
)  # fmt: skip


def test_every_view_shows_the_words_as_they_are(
    home: Path,
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (home / "config.toml").write_text(kakao_section(sandbox) + MESSAGE)
    for name, path in (("CONFIG", "config.toml"), ("DATA_DIR", "data"), ("LOG_DIR", "log")):
        monkeypatch.setenv(f"KAKAOCRON_{name}", str(home / path))
    now = datetime.now(KST)
    slot = Slot("report", now.replace(minute=0, second=0, microsecond=0), "regular")
    settled = settle_slot(slot, ["me"], now, State.MISSED, Reason.NO_TICK)
    ledger = home / "data" / "ledger" / f"{now.date()}.jsonl"
    ledger.parent.mkdir(parents=True)
    for changes in ({"state": "queued", "reason": "dealer-busy"}, {"event": "rerouted"}):
        ledger.write_bytes(as_line(settled, **changes) + b"\n")
        for command in SHOWING:
            words = command.replace("ID", slot.id).replace("09:30", f"{slot.at:%H:%M}").split()
            assert run(words) in {0, 1, 3}, words
            said = capsys.readouterr()
            assert "Traceback" not in said.err
            if words[0] in {"history", "show", "explain"}:
                assert changes.get("state", "rerouted") in said.out


def test_what_is_confirmed_stays_so() -> None:
    confirmed = [as_line(claim()), as_line(outcome(me="confirmed", mum="confirmed"))]

    for last in (REROUTED, as_line(MISSED, state="queued")):
        assert folded(*confirmed, last).state is State.CONFIRMED


def test_of_a_kind_alone_nothing_is_known_but_its_id_its_word_and_when_it_was_written() -> None:
    assert held("a kind alone") == Delivery(
        SLOT.id, SLOT.message, "", AT, State("lease"), updated_at=AT
    )


def test_what_a_kind_that_nobody_knows_does_not_say_is_empty() -> None:
    bare = Event(at=AT, id=SLOT.id)

    assert from_line(as_line(bare, event="rerouted")) == Unknown(at=AT, id=SLOT.id, word="rerouted")


def test_a_kind_that_nobody_knows_says_why_and_ends_the_wait_for_the_next_attempt() -> None:
    written_at, cause = AT + MINUTE, Cause("http", {"status": 429})
    why = {"reason": Reason.REFUSED, "cause": cause, "behind": Reason.REFUSED_FOR_NOW}
    last = replace(MISSED, at=written_at, **why)
    waiting = folded(as_line(claim()), as_line(WAITING))
    assert waiting.next_attempt_at == AT + 31 * SECOND

    assert folded(as_line(claim()), as_line(WAITING), as_line(last, event="rerouted")) == replace(
        waiting, state=State("rerouted"), **why, next_attempt_at=None, updated_at=written_at
    )


def test_a_confirmation_counts_after_it() -> None:
    good = as_line(outcome(me="confirmed", mum="confirmed"))

    assert folded(*HELD["a kind after a claim"][0], good).state is State.CONFIRMED


def test_a_kind_of_line_about_no_delivery_makes_none() -> None:
    assert fold([from_line(as_line(MISSED, event="note", id="2026-11-23"))]) == {}


def test_an_unknown_reason_is_read_and_changes_nothing_else() -> None:
    retrying = as_line(outcome(me="retrying", mum="confirmed"), reason="dealer-busy")
    delivery = folded(as_line(claim()), retrying)

    decision = decide([at_minutes(30)], RESEND, {SLOT.id: delivery}, AT + MINUTE, AT - MINUTE)
    assert [due.to for due in decision.due] == [("me",)]


@pytest.mark.parametrize(("reason", "is_final"), [(Reason.BY_HAND, True), (None, False)])
def test_sent_is_an_end_where_a_person_said_so(reason: Reason | None, is_final: bool) -> None:
    unknown = [as_line(claim()), as_line(outcome(me="unknown", mum="confirmed"))]
    sent = of_slot(Settle, SLOT, ["me", "mum"], AT + MINUTE, state=State.SENT, reason=reason)
    delivery = folded(*unknown, as_line(sent))

    assert (delivery.state, delivery.is_final) == (State.SENT, is_final)


@pytest.mark.parametrize("state", sorted(set(State) - {State.SENT}))
def test_by_hand_makes_no_other_state_an_end(state: State) -> None:
    delivery = Delivery(SLOT.id, "report", "peak", AT, state)

    assert replace(delivery, reason=Reason.BY_HAND).is_final is delivery.is_final
