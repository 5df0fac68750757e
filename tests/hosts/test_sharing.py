"""Several hosts over one ledger, on a real server: the same promises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from kakaocron import actions
from kakaocron.actions import DuplicateError
from kakaocron.delivery import orders
from kakaocron.errors import Cause, Exit, LedgerError, UsageError
from kakaocron.ledger.beats import Word
from kakaocron.ledger.events import Claim, Event, Outcome, Result, Settle, of_slot
from kakaocron.ledger.lookup import deliveries_of, find_delivery
from kakaocron.ledger.postgres import book as book_module
from kakaocron.ledger.postgres.connection import Database, SharedClock
from kakaocron.ledger.postgres.tables import RECORD
from kakaocron.schedule.slots import Slot
from kakaocron.states import Reason, State
from kakaocron.system.workers import Threads
from tests.fakes import MESSAGE, NOW, FakeClock
from tests.hosts.house import House

SLOT = "report@20261123T0930"
AT = NOW.replace(second=0)


def claim(by: str, name: str = "report", attempt: int = 1) -> Claim:
    until = NOW + timedelta(seconds=40)
    more = {"expires_at": AT + timedelta(minutes=10), "state": State.SENDING}
    slot = Slot(name, AT, "peak")
    return of_slot(Claim, slot, ["me"], NOW, attempt=attempt, by=by, until=until, **more)


def missed(name: str = "report") -> Settle:
    more = {"state": State.MISSED, "reason": Reason.NO_TICK}
    return of_slot(Settle, Slot(name, AT, "peak"), ["me"], NOW, **more)


@pytest.mark.parametrize(("count", "statements"), [(2, 1), (3, 1), (4, 2)])
def test_thousands_of_slots_are_settled_by_statements_that_end_in_time(
    house: House, monkeypatch: pytest.MonkeyPatch, count: int, statements: int
) -> None:
    monkeypatch.setattr(book_module, "ROWS_AT_ONCE", 3)
    seen: list[str] = []

    def note(statement: str, is_done: bool) -> bool:
        seen.extend([] if is_done else [statement])
        return False

    ledger = house.host("a").ledger
    with ledger.open() as book:
        house.faults = [note]
        receipts = book.record([missed(f"m{n}") for n in range(count)])

    assert len(receipts) == count
    assert seen.count(RECORD) == statements
    assert len(deliveries_of(house.host("b").ledger, AT.date())) == count


def test_a_slot_is_sent_by_the_first_host_and_by_no_other(house: House) -> None:
    first, second = house.tick("a"), house.tick("b")

    assert [one.state for one in first.ended.values()] == [State.CONFIRMED]
    assert (second.ended, second.due) == ({}, ())
    assert house.texts() == ["보고 2026-11-23 09:30"]
    delivery = find_delivery(house.host("b").ledger, SLOT)
    assert (delivery.host, delivery.attempts[0].host) == ("a", "a")


def test_hosts_that_tick_at_the_same_instant_share_a_big_slot(house: House) -> None:
    messages = "".join(
        f'[[message]]\nname = "m{n}"\nslots = ["peak"]\ntext = "{n}"\n' for n in range(40)
    )
    config = "[delivery]\nat_once = 4\n" + messages
    names, start = ("a", "b", "c"), threading.Barrier(3)
    for name in names:  # so that they know of each other
        house.host(name).heartbeat.beat(NOW - timedelta(minutes=1), Word.DONE, 0)

    def tick(name: str) -> None:
        start.wait()
        house.tick(name, config, workers=Threads())

    threads = [threading.Thread(target=tick, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(house.texts(), key=int) == [str(n) for n in range(40)]
    found = deliveries_of(house.host("a").ledger, AT.date())
    assert {one.state for one in found} == {State.CONFIRMED}
    assert len({one.host for one in found}) > 1


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ([claim("b")], [claim("a")]),
        ([missed()], [claim("a")]),
        ([claim("b")], [missed()]),
        ([claim("b"), missed()], [claim("a")]),
    ],
    ids=["claim-claim", "settle-claim", "claim-settle", "two-lines"],
)
def test_what_was_decided_by_what_has_changed_since_is_refused(
    house: House, theirs: list[Event], ours: list[Event]
) -> None:
    a, b = house.host("a").ledger, house.host("b").ledger
    with a.open() as mine, b.open() as other:
        mine.read([AT.date()])
        other.read([AT.date()])
        assert SLOT in other.record(theirs)

        assert mine.record([*ours, claim("a", "another")]).keys() == {"another@20261123T0930"}

    found = find_delivery(a, SLOT)
    assert {attempt.by for attempt in found.attempts} <= {"b"}


def test_a_claim_is_not_ours_any_more_once_anything_is_written_after_it(house: House) -> None:
    a, b = house.host("a").ledger, house.host("b").ledger
    with a.open() as book:
        receipt = book.record([claim("a")])[SLOT]
    assert a.lost(receipt) is None

    with b.open() as book:
        book.read([AT.date()])
        assert book.record([missed()])

    assert a.lost(receipt) == (Reason.LEDGER_DAMAGED, Cause("claim-gone"))


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        (-1, Reason.CLOCK_WRONG),
        (0, None),
        (38, None),
        (39, Reason.EXPIRED),
        (40, Reason.EXPIRED),
    ],
)
def test_a_claim_holds_from_its_slot_until_its_lease_by_the_database_s_clock(
    house: House, seconds: int, why: Reason | None
) -> None:
    """The slot is at :00, and the claim, of :01, ends at :41; a request leaves a second before."""
    ledger = house.host("a").ledger
    with ledger.open() as book:
        receipt = book.record([claim("a")])[SLOT]

    house.clock.at = AT + timedelta(seconds=seconds + (1 if seconds > 0 else 0))

    lost = ledger.lost(receipt)
    assert (lost[0] if lost else None) is why


def test_how_an_attempt_ended_is_recorded_whatever_was_written_meanwhile(house: House) -> None:
    a, b = house.host("a").ledger, house.host("b").ledger
    with a.open() as mine:
        mine.record([claim("a")])
        with b.open() as other:
            other.read([AT.date()])
            other.record([missed()])
        targets = {"me": Result(State.CONFIRMED)}
        state = State.CONFIRMED
        outcome = Outcome(
            at=NOW, id=SLOT, state=state, attempt=1, by="a", targets=targets, sent_at=NOW
        )
        mine.record([outcome])

    assert find_delivery(b, SLOT).state is State.CONFIRMED


@pytest.mark.parametrize(("times", "is_recorded"), [(3, True), (4, True), (5, False)])
def test_who_is_overtaken_again_and_again_gives_it_up(
    house: House, times: int, is_recorded: bool
) -> None:
    """An outcome is written whatever was written before it, but not tried for ever."""
    a, other = house.host("a").ledger, house.database("b")
    left = [times]

    def overtake(statement: str, done: bool) -> bool:
        if statement == RECORD and not done and left[0] > 0:
            left[0] -= 1
            other.ask(
                "INSERT INTO kakaocron.event (day, id, n, token, host, lines)"
                " SELECT day, id, max(n) + 1, gen_random_uuid(), 'b', '' FROM kakaocron.event"
                " GROUP BY day, id RETURNING 1"
            )
        return False

    outcome = Outcome(at=NOW, id=SLOT, state=State.CONFIRMED, attempt=1, by="a",
                      targets={"me": Result(State.CONFIRMED)}, sent_at=NOW)  # fmt: skip
    with a.open() as mine:
        mine.record([claim("a")])
        house.faults = [overtake]
        if is_recorded:
            assert SLOT in mine.record([outcome])
        else:
            with pytest.raises(LedgerError, match="changed by another host"):
                mine.record([outcome])


def test_what_is_booked_on_one_host_is_sent_by_another(house: House) -> None:
    quiet = MESSAGE.replace('["regular", "peak"]', '["regular"]')
    house.clock.set("09:32:01")
    house.tick("a", quiet)
    booked = actions.schedule(house.host("a"), NOW.replace(minute=40, second=0), text="예약")

    with pytest.raises(DuplicateError):
        actions.schedule(house.host("b"), NOW.replace(minute=40, second=0), text="예약")
    house.clock.set("09:40:01")
    house.tick("b", quiet)

    found = find_delivery(house.host("a").ledger, booked.id)
    assert (found.state, found.host) == (State.CONFIRMED, "b")


def test_a_pause_on_one_host_holds_on_all(house: House) -> None:
    house.clock.set("09:26:01")
    house.tick("a")
    actions.pause(house.host("a"), "report", None, None)
    house.clock.set("09:30:01")
    house.tick("b")
    assert find_delivery(house.host("a").ledger, SLOT).reason is Reason.PAUSED

    assert actions.resume(house.host("b"), "report") == 1
    house.clock.set("09:45:01")
    house.tick("a")

    assert house.texts() == ["보고 2026-11-23 09:45"]


def test_a_tick_that_waits_for_its_slot_learns_of_a_pause_on_another_host(house: House) -> None:
    waiting = house.host("a")
    waiting.snapshot()
    assert waiting.engine.is_current()

    actions.pause(house.host("b"), None, None, None)
    assert not waiting.engine.is_current()

    waiting.snapshot()
    assert waiting.engine.is_current()
    actions.resume(house.host("b"), None)
    assert not waiting.engine.is_current()


@pytest.mark.parametrize(("elapsed", "has_come"), [(100.999, False), (101, True), (101.001, True)])
def test_no_slot_has_come_while_the_database_s_clock_may_still_be_before_it(
    elapsed: float, has_come: bool
) -> None:
    """It was read at some instant of the 0.4 s that a question took: nobody knows at which."""
    clock = SharedClock(FakeClock(AT + timedelta(seconds=1.5)))
    clock.elapsed = lambda: elapsed
    clock.note((AT + timedelta(seconds=0.4)).timestamp(), 100.0, 100.4)
    slot = AT + timedelta(seconds=1)

    assert (clock.now() >= slot) is has_come


@pytest.mark.parametrize(("elapsed", "is_over"), [(100.599, False), (100.6, True), (100.601, True)])
def test_a_slot_is_over_once_the_database_s_clock_may_have_come_to_its_end(
    elapsed: float, is_over: bool
) -> None:
    clock = SharedClock(FakeClock(AT))
    clock.elapsed = lambda: elapsed
    clock.note((AT + timedelta(seconds=0.4)).timestamp(), 100.0, 100.4)

    assert (clock.latest() >= AT + timedelta(seconds=1)) is is_over


@pytest.mark.parametrize(("seconds", "count"), [(0.9, 2), (1.0, 2), (1.1, 4)])
def test_a_clock_that_was_told_slowly_is_asked_once_more(
    seconds: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a host whose clock is off would go on: how far off it is it could not tell."""
    clock = SharedClock(FakeClock(NOW))
    database = Database("postgresql://a/b", "a", clock)
    elapsed, asked = 0.0, 0

    def ask(*_: object) -> list[tuple[float]]:
        nonlocal elapsed, asked
        asked += 1
        elapsed += seconds if asked == 2 else 0.0
        return [(NOW.timestamp(),)]

    monkeypatch.setattr(database, "ask", ask)
    clock.elapsed = lambda: elapsed
    database.look_at_clock()

    assert asked == count


def test_pauses_that_are_made_at_the_same_moment_both_hold(house: House) -> None:
    a, b = house.host("a"), house.host("b")
    read = a.pauses.read
    was_overtaken: list[object] = []

    def read_late() -> object:
        found = read()
        if not was_overtaken:
            was_overtaken.append(actions.pause(b, "report", None, "b"))
        return found

    a = replace(a, pauses=_Reading(a.pauses, read_late))
    actions.pause(a, None, None, "a")

    assert [one.note for one in b.pauses.read()] == ["b", "a"]


class _Reading:
    def __init__(self, pauses: object, read: Callable[[], object]) -> None:
        self.write = pauses.write  # type: ignore[attr-defined]
        self.read = read


def test_an_order_that_another_host_has_overtaken_is_made_again_by_what_is_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.clock.set("09:26:01")
    house.tick("a")
    a, b = house.host("a"), house.host("b")
    once = actions.schedule(a, NOW.replace(minute=40), text="예약").id
    real = orders.cancelled
    done: list[bool] = []

    def cancelled_meanwhile(*arguments: object) -> Event:
        if not done:
            done.append(True)
            actions.cancel(b, once)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "cancelled", cancelled_meanwhile)
    with pytest.raises(UsageError, match="is cancelled"):
        actions.cancel(a, once)


@pytest.mark.parametrize(
    ("off", "sends"), [(-2.001, 0), (-2.0, 1), (-1.999, 1), (1.999, 1), (2.0, 1), (2.001, 0)]
)
def test_a_host_whose_clock_is_off_by_more_than_two_seconds_sends_nothing_and_says_so(
    house: House, off: float, sends: int
) -> None:
    house.clock.set("09:30:04")
    house.offsets["a"] = timedelta(seconds=off)

    ended = house.ended("a")
    again = house.ended("a")

    assert len(house.texts()) == sends
    assert (ended.exit_code, again.exit_code) == ((0, 0) if sends else (1, 1))
    said = [one for one in house.said if "clock" in one]
    assert said == ([] if sends else [f"This host's clock is {off:+g} s off the database's, more "
        "than 2 s; nothing was sent. Set the clock: timedatectl set-ntp true"])  # fmt: skip


@pytest.mark.parametrize("off", [-1.5, 1.5])
def test_nothing_leaves_before_both_clocks_have_come_to_the_slot(house: House, off: float) -> None:
    house.clock.set("09:29:59")
    house.offsets["a"] = timedelta(seconds=off)
    house.tick("a")
    assert house.texts() == []

    house.clock.at += timedelta(seconds=3)
    house.tick("a")

    assert house.texts() == ["보고 2026-11-23 09:30"]


def test_a_slot_is_missed_for_want_of_a_tick_only_if_no_host_ticked(house: House) -> None:
    house.tick("a")
    house.clock.set("09:46:00")
    b = house.host("b")
    b.heartbeat.beat(house.clock.now(), Word.FAIL, Exit.USAGE)  # at :45 too, but for its settings
    house.clock.set("11:20:01")

    house.tick("a")

    found = {one.id[-4:]: one.reason for one in deliveries_of(b.ledger, AT.date())}
    assert found["0945"] is Reason.CONFIG_BROKEN
    assert found["1000"] is Reason.NO_TICK


def test_every_host_shows_when_it_last_ticked_and_how_its_clock_stands(house: House) -> None:
    house.offsets["b"] = timedelta(seconds=1.5)
    house.tick("a")
    house.clock.set("09:31:01")
    house.tick("b")

    shared = house.host("c").shared
    assert shared is not None
    found = {one.name: one for one in shared.heartbeat.hosts()}
    assert list(found) == ["a", "b"]
    assert found["a"].last_tick == NOW
    assert found["b"].clock_offset_seconds == pytest.approx(1.5, abs=0.9)


def test_what_befalls_all_hosts_is_told_by_one_of_them(house: House) -> None:
    house.token = "a-token-that-kakao-does-not-know"
    house.ended("a")
    house.clock.set("09:31:01")
    house.ended("b")

    assert [one for one in house.said if "KAKAO_REFRESH_TOKEN" in one] == house.said[:1]


def test_damage_to_a_row_is_no_gap_that_is_sent_again(house: House) -> None:
    house.tick("a")
    house.server.psql("UPDATE kakaocron.event SET lines = replace(lines, '보고', '보고!')")
    house.clock.set("09:31:01")

    report = house.tick("b")

    assert [key.partition(":")[0] for key, _ in report.problems] == ["ledger-damaged"]
    assert find_delivery(house.host("a").ledger, SLOT).reason is Reason.LEDGER_DAMAGED
    assert len(house.texts()) == 1
    house.clock.set("09:45:01")
    house.tick("a")
    assert len(house.texts()) == 2


def test_a_row_that_is_gone_is_damage(house: House) -> None:
    house.tick("a")
    house.server.psql("DELETE FROM kakaocron.event WHERE n = 1")

    report = house.tick("b")

    assert [key.partition(":")[0] for key, _ in report.problems] == ["ledger-damaged"]
    assert len(house.texts()) == 1


def test_what_was_moved_away_takes_no_line_any_more(house: House) -> None:
    ledger = house.host("a").ledger
    with ledger.open() as book:
        book.read([AT.date()])
        house.server.psql("UPDATE kakaocron.ledger SET moved_to = 'elsewhere'")
        with pytest.raises(LedgerError, match="carried over"):
            book.record([claim("a")])
