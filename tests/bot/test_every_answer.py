"""Every answer and failure of the Bot API, over a real socket, and the state that it leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from kakaocron.rehearsal.sandbox.bots import BOT_ERRORS, ODD_ANSWERS, SEND_PATH
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import ROOM, Reason, State
from kakaocron.watching.sentences import detail_of
from tests.bot.rooms import DRIVERS, in_rooms, with_rooms
from tests.fakes import FakeClock, free_port, run_tick
from tests.outcomes import (
    CONFIRMED,
    CUT,
    FAULT,
    NOT_LOGGED_IN,
    QUOTA,
    REFUSED,
    SILENCE,
    UNPROVEN,
    ended,
    in_ledger,
    later_ticks,
)

# The rows of the table of errors, each with the state that it leads to.
CODES = {
    -1: FAULT,
    -2: REFUSED,
    -3: REFUSED,
    -5: REFUSED,
    -6: REFUSED,
    -7: FAULT,
    -8: REFUSED,
    -9: REFUSED,
    -10: QUOTA,
    -12: REFUSED,
    -401: NOT_LOGGED_IN,
    -603: FAULT,
    -870: FAULT,
    -873: REFUSED,
    -876: REFUSED,
    -877: REFUSED,
    -878: REFUSED,
    -879: REFUSED,
    -880: REFUSED,
    -9798: FAULT,
}
# These are answers to other calls than a send; who gets one all the same knows nothing.
OF_OTHER_CALLS = {-874: UNPROVEN, -875: UNPROVEN, -881: UNPROVEN}

# What stands in place of an answer: what comes of it, and how many bubbles were posted.
FAULTS = {
    "refuse": (CUT, 0),
    "stall": (SILENCE, 0),
    "stall-after": (SILENCE, 1),
    "cut-before": (CUT, 0),
    "cut-after": (CUT, 1),
    "half-before": (CUT, 0),
    "half": (CUT, 1),
    "empty": (UNPROVEN, 1),
    "html": (UNPROVEN, 0),
    "html-502": (FAULT, 0),
    "html-502+": (FAULT, 1),
    "500": (FAULT, 0),
    "502+": (FAULT, 1),
    "503": (FAULT, 0),
    "504": (FAULT, 0),
    "429": (QUOTA, 0),
    "slow=0.05": (CONFIRMED, 1),
    "drip=0.001": (CONFIRMED, 1),
    "early-hints": (CONFIRMED, 1),
    "bot-1+": (FAULT, 1),
    "bot-7+": (FAULT, 1),
    "bot-603+": (FAULT, 1),
    "bot-870+": (FAULT, 1),
    "bot-9798+": (FAULT, 1),
    "bot-counts-less": (UNPROVEN, 0),
    "bot-counts-less+": (UNPROVEN, 1),
    "bot-counts-zero": (UNPROVEN, 0),
    "bot-counts-zero+": (UNPROVEN, 1),
    "bot-counts-error": (FAULT, 0),
    "bot-counts-error+": (FAULT, 1),
    "bot-counts-twice": (UNPROVEN, 0),
    "bot-counts-missing+": (UNPROVEN, 1),
    "bot-counts-missing": (UNPROVEN, 0),
    "bot-counts-words": (UNPROVEN, 0),
    "bot-cut-json": (UNPROVEN, 0),
    "bot-cut-json+": (UNPROVEN, 1),
    "bot-extras-lasting": (REFUSED, 0),
    "bot-extras-other": (FAULT, 0),
    "bot-extras-other+": (FAULT, 1),
    "bot-extras-number": (FAULT, 0),
    "bot-extras-text": (FAULT, 0),
    "bot-rule": (QUOTA, 0),
    "bot-no-code": (UNPROVEN, 0),
    "bot-code-text": (UNPROVEN, 0),
    "bot-long-msg": (REFUSED, 0),
    "bot-elsewhere": (REFUSED, 0),
    "bot-wait=60": (QUOTA, 0),
    "bot-wait-date=60": (QUOTA, 0),
    "bot-wait=999999": ((State.FAILED, Reason.EXPIRED), 0),
}


def test_the_tables_above_name_every_answer() -> None:
    assert CODES.keys() | OF_OTHER_CALLS.keys() == BOT_ERRORS.keys()
    assert {f"bot-{name}" for name in ODD_ANSWERS} <= FAULTS.keys()


@pytest.mark.parametrize(("code", "expected"), (CODES | OF_OTHER_CALLS).items())
def test_each_code_leads_to_its_state_and_is_never_sent_twice(
    code: int,
    expected: tuple[State, Reason | None],
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    sandbox.faults.enqueue(f"bot{code}")
    here = with_rooms(tmp_path, sandbox, clock)

    assert ended(run_tick(here)) == expected
    result = in_ledger(here, clock).targets[f"{ROOM}{DRIVERS}"]
    assert (result.code, result.http_status) == (code, BOT_ERRORS[code][0])
    later_ticks(here, clock)
    at_half_past = [text for _, text in in_rooms(sandbox) if "09:30" in text]
    assert len(at_half_past) == (expected[0] is State.RETRYING)


@pytest.mark.parametrize(("fault", "expected"), FAULTS.items())
def test_each_fault_leads_to_its_state_and_is_never_sent_twice(
    fault: str,
    expected: tuple[tuple[State, Reason | None], int],
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    sandbox.faults.enqueue(fault)
    here = with_rooms(tmp_path, sandbox, clock)

    assert (ended(run_tick(here)), len(in_rooms(sandbox))) == expected
    later_ticks(here, clock)
    will_arrive = expected[0][0] is State.RETRYING or expected[1]
    assert len([text for _, text in in_rooms(sandbox) if "09:30" in text]) == will_arrive


def test_what_went_before_the_connection_stood_is_tried_again(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    here = with_rooms(tmp_path, sandbox, clock, url=closed)

    assert ended(run_tick(here)) == (State.RETRYING, Reason.UNREACHABLE)
    there = with_rooms(tmp_path, sandbox, clock)
    later_ticks(there, clock)
    assert ("기사방", "보고 2026-11-23 09:30") in in_rooms(sandbox)


def test_where_no_tls_can_be_had_nothing_has_left(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, url=sandbox.url.replace("http", "https", 1))

    assert ended(run_tick(here)) == (State.RETRYING, Reason.UNREACHABLE)
    assert str(detail_of(in_ledger(here, clock))).startswith("TLS")
    assert in_rooms(sandbox) == []


def test_no_request_follows_a_redirect_with_the_key(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("bot-elsewhere")
    here = with_rooms(tmp_path, sandbox, clock)
    run_tick(here)

    assert [one.path for one in sandbox.requests if "bot" in one.path] == [SEND_PATH]
    assert "sends elsewhere" in str(detail_of(in_ledger(here, clock)))
