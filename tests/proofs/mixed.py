"""What a person and cron do to one installation in any order, and what holds whatever it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from copy import deepcopy
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kakaocron import actions
from kakaocron.errors import KakaocronError
from kakaocron.installation import Installation, make_ledger
from kakaocron.ledger.deliveries import Delivery
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from kakaocron.rehearsal.simulation.home import PLACES
from kakaocron.schedule.pauses import Pause
from kakaocron.schedule.slots import parse_delivery_id
from kakaocron.states import FINAL, State
from tests.proofs.solo import UNREACHABLE, Solo
from tests.proofs.workloads import HEAD, PROBE, REPORT, at

ORDERS = (
    f'[[message]]\nname = "orders"\nslots = ["regular"]\ntext = "{PROBE}"\nto = ["me", "uuid-a"]\n'
)
DAY_AND_NIGHT = HEAD.replace('quiet = ["10:15-08:45"]\n', "")
CONFIGS = (
    DAY_AND_NIGHT + REPORT,
    DAY_AND_NIGHT + REPORT + ORDERS,
    DAY_AND_NIGHT + "[delivery]\nexpire_after = 1200\nretry_delays = [10, 90]\n" + REPORT + ORDERS,
    DAY_AND_NIGHT + "[delivery]\nexpire_after = 300\n[ledger]\nkeep_days = 2\n" + REPORT,
)
TROUBLES = (UNREACHABLE, "cut-before", "cut-after", "half", "-10", "-7", "-2", "html", "500", "503")
SECONDS = (1, 29, 60, 200, 700, 1800, 4000, 30_000, 90_000, 200_000)
MINUTE = timedelta(minutes=1)


class Mixed(RuleBasedStateMachine):
    """The model beside the real thing holds what was asked for, and counts at the receiver."""

    def __init__(self) -> None:
        super().__init__()
        self.solo = Solo(
            at(8, 50), Kakao(Settings(friends=(SandboxFriend("uuid-a", "A"),)), seed=1)
        )
        self.solo.configure(CONFIGS[0])
        self.solo.log_in()
        self.first_tick: datetime | None = None
        self.last_tick = at(8, 50)
        self.asked_again: Counter[str] = Counter()
        self.were_unknown: set[str] = set()
        self.by_hand: set[str] = set()
        self.cancelled: dict[str, int] = {}
        self.pauses: list[Pause] = []
        self.texts: dict[str, str] = {}
        self.seen: dict[str, Delivery] = {}
        self.pruned_before = at(0, 0, day=1)

    # What happens.

    @initialize(config=st.sampled_from(CONFIGS))
    def begin(self, config: str) -> None:
        self.solo.configure(config)

    @rule(minutes=st.sampled_from((1, 1, 2, 3, 12)))
    def cron(self, minutes: int) -> None:
        """Let so many minutes pass, with a tick in each."""
        for _ in range(minutes):
            self.solo.at = self.solo.at.replace(second=1, microsecond=0) + MINUTE
            self._tick()

    @rule(seconds=st.sampled_from(SECONDS))
    def wait(self, seconds: int) -> None:
        self.solo.at += timedelta(seconds=seconds)

    @rule(minutes=st.sampled_from((0, 5)))
    def next_slot(self, minutes: int) -> None:
        """Let time pass to the next slot, or a while after it, without a tick."""
        half_hour = 30 * MINUTE
        past = (self.solo.at - at(0, 0, 0)) % half_hour
        self.solo.at += half_hour - past + timedelta(minutes=minutes, seconds=1)

    @rule()
    def tick(self) -> None:
        self._tick()

    @rule(calls=st.integers(1, 25))
    def tick_that_is_killed(self, calls: int) -> None:
        """Start a tick, and leave the machine as it is after so many of its changes."""
        left: list[Solo] = []
        count = 0

        def watch() -> None:
            nonlocal count
            count += 1
            if count == calls:
                left.append(Solo(self.solo.at, deepcopy(self.solo.kakao), self.solo.files.copy()))

        self.solo.changed = watch
        at_start, troubles = self.solo.at, list(self.solo.troubles)
        self.solo.tick()
        self.solo.changed = lambda: None
        if left:
            self.solo.at = max(at_start, left[0].at)
            self.solo.files, self.solo.kakao = left[0].files, left[0].kakao
            self.solo.troubles.clear()
            self.solo.troubles.extend(troubles[1:])

    @rule(trouble=st.sampled_from(TROUBLES))
    def trouble(self, trouble: str) -> None:
        if len(self.solo.troubles) < 2:
            self.solo.troubles.append(trouble)

    @rule(config=st.sampled_from(CONFIGS))
    def edit(self, config: str) -> None:
        self._move_clock_of_files()
        self.solo.configure(config)

    @rule(minutes=st.sampled_from((0, 1, 2, 20, 200, 2000)), friend=st.booleans())
    def schedule(self, minutes: int, friend: bool) -> None:
        when = self.solo.at + minutes * MINUTE
        text = f"once for {when:%Y-%m-%d %H:%M}"
        to = ["me", "uuid-a"] if friend else None
        with suppress(KakaocronError):
            self.texts[actions.schedule(self._now(), when, text=text, to=to).id] = text

    @rule(force=st.booleans())
    def send(self, force: bool) -> None:
        text = f"by hand at {self.solo.at:%Y-%m-%d %H:%M}"
        known = self._deliveries()
        with suppress(KakaocronError):
            sent = actions.send_now(self._now(), text=text, force=force)
            self.texts[sent.delivery.id] = text
            assert force or sent.delivery.id not in known
            if sent.delivery.id in known:
                self.asked_again[text] += 1

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        coming = self.solo.at.replace(second=0, microsecond=0)
        coming += (30 - coming.minute % 30) * MINUTE
        ids = [f"{name}@{coming:%Y%m%dT%H%M}" for name in ("report", "orders")]
        id_ = self._any_id(data, ids)
        with suppress(KakaocronError):
            assert actions.cancel(self._now(), id_).state in FINAL
            self.cancelled[id_] = self._count_of(id_)
            self.by_hand.discard(id_)

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), minutes=st.sampled_from((None, None, 2, 40, 3000)))
    def retry(self, data: st.DataObject, minutes: int | None) -> None:
        id_ = self._any_id(data)
        before = self._deliveries().get(id_)
        when = None if minutes is None else self.solo.at + minutes * MINUTE
        with suppress(KakaocronError):
            actions.retry(self._now(), id_, when)
            assert before is not None
            assert before.state is not State.CONFIRMED
            self.cancelled.pop(id_, None)
            self.by_hand.add(id_)
            if id_ in self.were_unknown:
                self.asked_again[self._text_of(id_)] += 1

    @precondition(lambda self: self.were_unknown)
    @rule(data=st.data(), delivered=st.booleans())
    def resolve(self, data: st.DataObject, delivered: bool) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.were_unknown)))
        with suppress(KakaocronError):
            found = actions.resolve(self._now(), id_, delivered=delivered)
            assert found.state is not State.CONFIRMED or found.attempts

    @rule(
        name=st.sampled_from((None, "report", "orders")),
        minutes=st.sampled_from((None, 3, 45, 600)),
    )
    def pause(self, name: str | None, minutes: int | None) -> None:
        until = None if minutes is None else self.solo.at + minutes * MINUTE
        with suppress(KakaocronError):
            actions.pause(self._now(), name, until, None)
            self.pauses.append(Pause(self.solo.at, name, until))

    @rule(name=st.sampled_from((None, None, "report", "orders")))
    def resume(self, name: str | None) -> None:
        with suppress(KakaocronError):
            actions.resume(self._now(), name)
            self.pauses = [
                Pause(one.start, one.message, self.solo.at)
                if one.is_open(self.solo.at) and name in {None, one.message}
                else one
                for one in self.pauses
            ]

    @rule(days=st.sampled_from((2, 3)))
    def prune(self, days: int) -> None:
        installation = self._now()
        with installation.ledger.open() as book:
            installation.ledger.prune(book.now.date(), days)
        self._forget(days)

    def teardown(self) -> None:
        """Let the waiting things come to their end."""
        self.solo.troubles.clear()
        latest = max(
            (one.next_attempt_at for one in self._deliveries().values() if one.next_attempt_at),
            default=self.solo.at,
        )
        for moment in (self.solo.at, max(latest, self.solo.at) + MINUTE):
            for minutes in (1, 2, 45, 90):
                self.solo.at = moment + minutes * MINUTE
                self._tick()
        self.nobody_gets_anything_twice()
        self.what_came_due_has_one_state()
        for delivery in self._deliveries().values():
            is_over = self.pruned_before <= delivery.slot <= self.solo.at - 30 * MINUTE
            assert not is_over or delivery.state in {*FINAL, State.SENT}, delivery

    @property
    def sent(self) -> Counter[tuple[str, str]]:
        """What arrived, and at whom."""
        return Counter((one.text, one.receiver) for one in self.solo.kakao.deliveries)

    # What holds.

    @invariant()
    def nobody_gets_anything_twice(self) -> None:
        for (text, receiver), times in self.sent.items():
            assert times <= 1 + self.asked_again[text], f"{text} reached {receiver} {times} times"

    @invariant()
    def confirmed_is_what_arrived(self) -> None:
        for id_, delivery in self._deliveries().items():
            if delivery.state is State.UNKNOWN or any(
                one.state is State.UNKNOWN for one in delivery.targets.values()
            ):
                self.were_unknown.add(id_)
            for name, result in delivery.targets.items():
                if result.state is State.CONFIRMED:
                    assert self.sent[self._text_of(id_), name], f"{id_} never reached {name}"
            if delivery.state is State.CONFIRMED:
                assert {one.state for one in delivery.targets.values()} == {State.CONFIRMED}

    @invariant()
    def what_was_cancelled_or_rests_is_not_sent(self) -> None:
        for id_, count in self.cancelled.items():
            assert self._count_of(id_) == count, f"{id_} was sent after it was cancelled"
        for text, _ in self.sent:
            name, bar, stamp = text.partition("|")
            id_ = f"{name}@{stamp}"
            if bar and id_ not in self.by_hand and id_ not in self.seen:
                slot = parse_delivery_id(id_)[1]
                assert not any(one.covers(name, slot) for one in self.pauses), f"{id_} rested"

    @invariant()
    def ids_are_stable(self) -> None:
        found = self._deliveries()
        for id_, before in self.seen.items():
            if before.slot >= self.pruned_before:
                assert id_ in found, f"{id_} is gone"
                now = found[id_]
                assert (now.message, now.slot) == (before.message, before.slot)
                assert len(now.attempts) >= len(before.attempts)
                assert before.state is not State.CONFIRMED or (
                    now.state is State.CONFIRMED or self.asked_again[self._text_of(id_)]
                )
        self.seen.update(found)
        days = defaultdict(set)
        for path, content in self.solo.files.walk(PLACES.ledger) if self.first_tick else ():
            for line in content.split(b"\n"):
                if b'"event":"pointer"' not in line and (mark := line.find(b'"id":"')) >= 0:
                    days[line[mark + 6 : line.index(b'"', mark + 6)]].add(path)
        assert all(len(paths) == 1 for paths in days.values())

    @invariant()
    def what_came_due_has_one_state(self) -> None:
        """Every configuration here has the message `report`, at :00 and :30."""
        if self.first_tick is None:
            return
        found = self._deliveries()
        slot = self.first_tick.replace(minute=0, second=0, microsecond=0)
        while slot <= self.last_tick:
            if slot > self.first_tick and slot >= self.pruned_before:
                assert f"report@{slot:%Y%m%dT%H%M}" in found, f"{slot} has no state"
            slot += 30 * MINUTE

    def _tick(self) -> None:
        self._move_clock_of_files()
        began = self.solo.at
        exit_code, said = self.solo.tick()
        assert exit_code in {0, 1}, said
        assert not any("damaged" in line for line in said)
        self.first_tick = self.first_tick or began
        self.last_tick = began
        self._forget(self.solo.config().ledger.keep_days)

    def _forget(self, days: int) -> None:
        """The first tick of a day removes older ones; it may, so nothing is expected of them."""
        first = self.solo.at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
            days=days
        )
        self.pruned_before = max(self.pruned_before, first)

    def _move_clock_of_files(self) -> None:
        self.solo.files.clock_ns = int(self.solo.at.timestamp() * 1e9)

    def _now(self) -> Installation:
        return self.solo.installation()

    def _deliveries(self) -> dict[str, Delivery]:
        ledger = make_ledger(PLACES, self.solo.edges())
        return ledger.read(ledger.days()).deliveries

    def _any_id(self, data: st.DataObject, more: list[str] | None = None) -> str:
        return data.draw(st.sampled_from(sorted(self.seen)[-8:] + (more or [])))

    def _text_of(self, id_: str) -> str:
        name, _, stamp = id_.partition("@")
        return self.texts.get(id_) or f"{name}|{stamp}"

    def _count_of(self, id_: str) -> int:
        return sum(one.text == self._text_of(id_) for one in self.solo.kakao.deliveries)
