"""The quick count beside the whole fold: they must never differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.config.reading import parse_config
from kakaocron.delivery.policy import settle_slot
from kakaocron.ledger.deliveries import fold
from kakaocron.ledger.events import Claim, Outcome, Result, from_line, of_slot, to_line
from kakaocron.ledger.stats import Ending, endings_of
from kakaocron.ledger.tally import endings
from kakaocron.schedule.slots import Slot
from kakaocron.states import Reason, State
from tests.fakes import MESSAGE, NOW
from tests.ledger.test_deliveries import rewritten
from tests.years import write_days

SLOT = Slot("report", NOW.replace(second=0), "peak")
TO = ["me", "mum"]


def folded(content: bytes) -> list[Ending]:
    return endings_of(fold(from_line(line) for line in content.splitlines()).values())


def settle(state: State, reason: Reason) -> bytes:
    return to_line(settle_slot(SLOT, TO, NOW, state, reason))


def claim(attempt: int = 1) -> bytes:
    text = 'a text with "sent_at":"2026" and {"state":"confirmed"} in it'
    by = {"attempt": attempt, "by": "1-a", "until": NOW, "text": text}
    return to_line(of_slot(Claim, SLOT, TO, NOW, state=State.SENDING, **by))


def outcome(me: str, mum: str, attempt: int = 1) -> bytes:
    targets = {"me": Result(State(me)), "mum": Result(State(mum))}
    return to_line(
        Outcome(
            at=NOW,
            id=SLOT.id,
            state=State(me if me != "confirmed" else mum),
            attempt=attempt,
            by="1-a",
            targets=targets,
            sent_at=NOW,
        )
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        claim(),
        settle(State.MISSED, Reason.NO_TICK),
        claim() + outcome("confirmed", "confirmed"),
        claim() + outcome("failed", "failed"),
        claim() + outcome("failed", "confirmed"),
        claim() + outcome("retrying", "retrying") + claim(2) + outcome("confirmed", "unknown", 2),
        claim() + settle(State.UNKNOWN, Reason.PROCESS_DIED) + outcome("confirmed", "confirmed"),
        claim() + outcome("unknown", "unknown") + settle(State.CONFIRMED, Reason.BY_HAND),
        outcome("confirmed", "confirmed"),
        settle(State.MISSED, Reason.PAUSED),
        settle(State.MISSED, Reason.PAUSED) + claim() + outcome("confirmed", "confirmed"),
        settle(State.CANCELLED, Reason.PAUSED),
        settle(State.MISSED, Reason.NO_TICK) * 2,
        settle(State.MISSED, Reason.NO_TICK) + claim() + outcome("confirmed", "confirmed"),
    ],
)
def test_it_counts_as_the_fold_does(content: bytes) -> None:
    assert endings(content) == folded(content)


def test_it_counts_whole_days_as_the_fold_does(tmp_path: Path) -> None:
    write_days(tmp_path / "ledger", parse_config(MESSAGE, "config.toml").series(), NOW, 3, bad=0.2)
    for path in (tmp_path / "ledger").iterdir():
        content = path.read_bytes()
        assert sorted(endings(content) or [], key=str) == sorted(folded(content), key=str)
        assert len(folded(content)) > 20


@pytest.mark.parametrize("ends", [b"", settle(State.CONFIRMED, Reason.BY_HAND)])
def test_what_a_person_sent_at_once_is_no_slot(ends: bytes) -> None:
    slot = claim() + outcome("confirmed", "confirmed")
    by_hand = b"".join(
        to_line(replace(from_line(line), id="send-1a2b@20261123T0930"))
        for line in (slot + ends).splitlines()
    )

    assert endings(slot + by_hand) == endings(slot) == folded(slot + by_hand)


@pytest.mark.parametrize(
    "content",
    [
        claim()[:-1],
        claim() + b'{"v":1,"at":',
        claim().replace(b"sending", b"seNding"),
        claim().replace(b"mum", b"dad"),
        claim().replace(b'{"v":1', b'{"v":2'),
        b"\0" * 40,
        b"\n",
        rewritten(settle(State.MISSED, Reason.NO_TICK), state="queued") + b"\n",
        rewritten(settle(State.MISSED, Reason.NO_TICK), event="rerouted") + b"\n",
        claim() + outcome("failed", "delegated"),
    ],
)
def test_what_is_not_whole_or_not_known_is_left_to_the_whole_reader(content: bytes) -> None:
    assert endings(content) is None
