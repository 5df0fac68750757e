"""A database that is away, cut off in the middle, or slow: nothing is sent without it."""

from __future__ import annotations

import threading

import pytest

from kakaocron.errors import Cause, Exit, LedgerError
from kakaocron.ledger.beats import Word
from kakaocron.ledger.events import Settle, of_slot
from kakaocron.ledger.lookup import find_delivery
from kakaocron.ledger.postgres import connection
from kakaocron.ledger.postgres.tables import LOOK, READ, RECORD
from kakaocron.schedule.slots import Slot
from kakaocron.states import Reason, State
from tests.fakes import NOW
from tests.hosts.house import Fault, House

SLOT = "report@20261123T0930"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up sooner: what is waited for never comes."""
    monkeypatch.setattr(connection, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(connection, "ASKING_SECONDS", 0.2)
    monkeypatch.setattr("kakaocron.ledger.postgres.book.LOOKING_SECONDS", 0.2)
    monkeypatch.setattr("kakaocron.delivery.landing.RECORDING_SECONDS", 0.3)
    monkeypatch.setattr("kakaocron.delivery.landing.PAUSE_SECONDS", 0.05)


def once(statement: str, *, is_done: bool) -> Fault:
    """Return the fault that cuts one statement once, before or after it was done."""
    left = [True]

    def fault(what: str, done: bool) -> bool:
        return what == statement and done is is_done and bool(left) and left.pop()

    return fault


def always(*statements: str) -> Fault:
    return lambda what, _: not statements or what in statements


@pytest.mark.parametrize("statement", [RECORD, READ, LOOK], ids=["record", "read", "look"])
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_a_statement_that_was_cut_is_asked_again_and_its_fate_is_told(
    house: House, statement: str, is_done: bool
) -> None:
    house.faults = [once(statement, is_done=is_done)]

    report = house.tick("a")

    assert [one.state for one in report.ended.values()] == [State.CONFIRMED]
    delivery = find_delivery(house.host("b").ledger, SLOT)
    assert (len(delivery.attempts), len(house.texts())) == (1, 1)


def test_without_the_database_nothing_is_sent_and_that_is_told_once(house: House) -> None:
    house.faults = [always()]
    ended = [house.ended("a") for _ in range(3)]

    assert {one.exit_code for one in ended} == {Exit.LEDGER}
    assert house.texts() == []
    (said,) = house.said
    assert "cannot be used (the connection was cut), and nothing is sent without it" in said
    assert not list((house.folder / "a" / "data").glob("ledger/*.jsonl"))

    house.faults = []
    house.tick("a")
    assert len(house.texts()) == 1


def test_a_slot_that_the_database_was_away_for_is_missed_for_that(house: House) -> None:
    house.tick("a")
    house.faults = [always()]
    house.clock.set("09:45:01")
    house.ended("a")
    house.faults = []
    house.clock.set("10:20:01")

    house.tick("a")

    ledger = house.host("b").ledger
    assert find_delivery(ledger, "report@20261123T0945").reason is Reason.LEDGER_UNWRITABLE
    assert find_delivery(ledger, "report@20261123T1000").reason is Reason.NO_TICK


def test_a_claim_of_which_nobody_knows_whether_it_was_written_lets_nothing_leave(
    house: House,
) -> None:
    """It was: whoever comes after its lease finds it, and does not send."""
    seen: list[str] = []

    def fault(what: str, done: bool) -> bool:
        seen.append(what)
        return RECORD in seen and (done or what != RECORD)

    house.faults = [fault]
    ended = house.ended("a")
    assert (ended.exit_code, house.texts()) == (Exit.LEDGER, [])

    house.faults = []
    house.clock.set("09:32:01")
    house.tick("b")

    delivery = find_delivery(house.host("b").ledger, SLOT)
    assert (delivery.state, delivery.reason) == (State.UNKNOWN, Reason.PROCESS_DIED)
    assert house.texts() == []


def test_a_claim_that_was_certainly_not_written_is_another_host_s_to_make(house: House) -> None:
    house.faults = [always(RECORD)]
    assert house.ended("a").exit_code == Exit.LEDGER

    house.faults = []
    house.tick("b")

    assert find_delivery(house.host("a").ledger, SLOT).host == "b"
    assert len(house.texts()) == 1


def test_a_host_that_is_cut_off_after_its_claim_lets_nothing_leave(house: House) -> None:
    """The claim is looked at once more just before the request leaves."""
    house.faults = [always(LOOK)]
    ended = house.ended("a")
    assert house.texts() == []
    assert ended.report is not None
    (delivery,) = ended.report.ended.values()
    assert (delivery.state, delivery.reason) == (State.RETRYING, Reason.LEDGER_UNWRITABLE)
    assert delivery.cause == Cause("claim-unasked")

    house.faults = []
    house.clock.set("09:31:01")
    house.tick("b")
    assert len(house.texts()) == 1


def test_how_it_ended_is_recorded_when_the_database_is_back_within_seconds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kakaocron.delivery.landing.RECORDING_SECONDS", 60)
    seen: list[str] = []

    def fault(what: str, done: bool) -> bool:
        seen.append(what)
        return what == RECORD and seen.count(RECORD) in range(3, 8)

    house.faults = [fault]
    house.ended("a")

    assert find_delivery(house.host("b").ledger, SLOT).state is State.CONFIRMED
    assert len(house.texts()) == 1


def test_how_it_ended_is_unknown_if_the_database_stays_away(house: House) -> None:
    seen: list[str] = []

    def fault(what: str, done: bool) -> bool:
        seen.append(what)
        return LOOK in seen and what != LOOK

    house.faults = [fault]
    ended = house.ended("a")
    assert ended.exit_code == Exit.LEDGER
    assert f"1 message may have arrived: {SLOT}" in house.said[0]

    house.faults = []
    house.clock.set("09:32:01")
    house.tick("b")
    delivery = find_delivery(house.host("b").ledger, SLOT)
    assert (delivery.state, delivery.reason) == (State.UNKNOWN, Reason.PROCESS_DIED)
    assert len(house.texts()) == 1


def test_ticks_that_the_database_did_not_hear_of_are_told_it_when_it_is_back(house: House) -> None:
    house.faults = [always()]
    house.ended("a")
    house.faults = []
    house.clock.set("09:31:01")
    house.tick("a")

    beats = house.host("b").heartbeat.tail(house.clock.now().date())
    assert {(f"{one.at:%H:%M}", one.word) for one in beats} == {
        ("09:30", Word.START), ("09:30", Word.FAIL), ("09:31", Word.START), ("09:31", Word.DONE),
    }  # fmt: skip


def test_a_server_that_is_gone_is_noticed_and_one_that_is_back_is_used(house: House) -> None:
    house.tick("a")
    house.server.stop()
    house.clock.set("09:45:01")
    try:
        assert house.ended("a").exit_code == Exit.LEDGER
    finally:
        house.server.start()
    house.tick("a")

    assert len(house.texts()) == 2


def test_reading_may_take_longer_than_writing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a day that is too long to be read in a moment could never be read."""
    ledger = house.host("a").ledger
    other = house.database("other")
    more = {"state": State.MISSED, "reason": Reason.NO_TICK}
    missed = of_slot(Settle, Slot("report", NOW, "regular"), ["me"], NOW, **more)
    with ledger.open() as book:
        monkeypatch.setattr(connection, "STATEMENT_SECONDS", 0.1)
        other.ask("BEGIN")
        other.ask("LOCK TABLE kakaocron.event IN ACCESS EXCLUSIVE MODE")
        freed = threading.Timer(0.4, other.ask, ["COMMIT"])
        freed.start()
        assert book.read([NOW.date()]).deliveries == {}
        freed.join()

        other.ask("BEGIN")
        other.ask("LOCK TABLE kakaocron.event IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LedgerError, match="cannot be used"):
            book.record([missed])
        other.ask("ROLLBACK")
