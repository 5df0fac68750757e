"""A message by two channels: one claim for both, and neither waits for the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.config.contacts import KAKAOTALK
from kakaocron.delivery.channel import Flight, Withheld
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.tick import TickReport, tick
from kakaocron.delivery.verdicts import Meaning, Verdict
from kakaocron.errors import Cause, KakaocronError, UsageError
from kakaocron.installation import Installation
from kakaocron.kakao.channel import KakaoTalk
from kakaocron.ledger.deliveries import Delivery
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.system.http import Phase
from kakaocron.text.causes import said
from tests.delivery.test_early_start import RunningClock
from tests.fakes import MESSAGE, NOW, FakeClock, install, texts

BOTH = MESSAGE + 'to = ["fake:1", "me"]\n'
ID = "report@20261123T0930"
REFUSED = Verdict(Meaning.REFUSED_FOR_NOW, Reason.REFUSED_FOR_NOW, said("busy"), "TRY_LATER", 200)


@dataclass
class FakeChannel:
    """A service with two ways to say no: by its verdicts, in turn, and by a quota of its own."""

    now: Callable[[], datetime]
    verdicts: list[Verdict] = field(default_factory=list)
    most: int = 10
    down: KakaocronError | None = None
    wait: Callable[[], object] = lambda: None
    arrived: list[tuple[datetime, str, str]] = field(default_factory=list)
    asked: list[dict[str, int]] = field(default_factory=list)
    prepared: list[int] = field(default_factory=list)

    def allowance_days(self, to: Iterable[str], today: date) -> set[date]:
        return {today}

    def allowance(self, deliveries: Iterable[Delivery], day: date) -> FakeChannel:
        return self

    def note(self, deliveries: Iterable[Delivery]) -> None:
        pass

    def left(self) -> FakeChannel:
        return self

    def spend(self, wanted: Mapping[str, int]) -> dict[str, Cause]:
        self.asked.append(dict(wanted))
        return {name: said("enough") for name in wanted if len(self.asked) > self.most}

    def prepare(self, count: int) -> None:
        self.prepared.append(count)

    def let_go(self) -> None:
        """Nothing is kept."""

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        self.wait()
        flight.down = self.down
        for name in to:
            try:
                flight.leave()
            except Withheld as withheld:
                verdict = Verdict(
                    Meaning.NOT_SENT, withheld.reason, withheld.cause, phase=Phase.BEFORE
                )
                flight.land(name, verdict, 0)
                continue
            verdict = self.verdicts.pop(0) if self.verdicts else Verdict(Meaning.CONFIRMED)
            if verdict.meaning is Meaning.CONFIRMED:
                self.arrived.append((self.now(), name, parcel.text))
            flight.land(name, verdict, int(verdict.meaning is Meaning.CONFIRMED))


@pytest.fixture
def fake(clock: FakeClock) -> FakeChannel:
    return FakeChannel(clock.now)


def with_both(
    folder: Path, sandbox: SandboxServer, clock: FakeClock, fake: FakeChannel, config: str = BOTH
) -> Installation:
    def channel_of(receiver: str) -> str:
        return "fake" if receiver.startswith("fake:") else KAKAOTALK

    here = install(folder, sandbox, clock, config)
    kakao = here.engine.channels[KAKAOTALK]
    assert isinstance(kakao, KakaoTalk)
    kakao = replace(kakao, serves=lambda receiver: channel_of(receiver) == KAKAOTALK)
    channels = {KAKAOTALK: kakao, "fake": fake}
    return replace(here, engine=replace(here.engine, channels=channels, channel_of=channel_of))


@pytest.fixture
def both(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, fake: FakeChannel
) -> Iterator[Installation]:
    installation = with_both(tmp_path, sandbox, clock, fake)
    yield installation
    installation.close()


def run(installation: Installation) -> TickReport:
    return tick(installation.engine, installation.plan, installation.heartbeat)


def states(report: TickReport, id_: str = ID) -> dict[str, tuple[State, Reason | None]]:
    return {name: (r.state, r.reason) for name, r in report.ended[id_].targets.items()}


FINE = (State.CONFIRMED, None)


def test_each_receiver_gets_it_by_its_own_channel_under_one_claim(
    both: Installation, sandbox: SandboxServer, fake: FakeChannel
) -> None:
    report = run(both)

    assert states(report) == {"fake:1": FINE, "me": FINE}
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    assert [(name, text) for _, name, text in fake.arrived] == [("fake:1", texts(sandbox)[0])]
    assert fake.prepared == [1]
    lines = Path(both.places.ledger, "2026-11-23.jsonl").read_text().splitlines()
    assert [line.count('"event":"claim"') for line in lines] == [1, 0]
    assert "channel" not in "".join(lines)


def test_one_channel_fails_alone_and_is_tried_again_alone(
    both: Installation, sandbox: SandboxServer, clock: FakeClock, fake: FakeChannel
) -> None:
    fake.verdicts.append(REFUSED)
    first = run(both)
    clock.set("09:31:01")
    second = run(both)

    assert states(first) == {"fake:1": (State.RETRYING, Reason.REFUSED_FOR_NOW), "me": FINE}
    assert first.ended[ID].targets["fake:1"].code == "TRY_LATER"
    assert states(second) == {"fake:1": FINE, "me": FINE}
    assert len(texts(sandbox)) == len(fake.arrived) == 1


def test_kakao_fails_alone_as_well(
    both: Installation, sandbox: SandboxServer, fake: FakeChannel
) -> None:
    sandbox.faults.enqueue("-501")

    assert states(run(both)) == {"fake:1": FINE, "me": (State.FAILED, Reason.REFUSED)}
    assert len(fake.arrived) == 1


def test_a_channel_that_is_down_is_reported_by_name_and_stops_no_other(
    both: Installation, sandbox: SandboxServer, fake: FakeChannel
) -> None:
    fake.down = UsageError("The dealer does not know this key")
    fake.verdicts.append(Verdict(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, said("key"), "KEY"))
    report = run(both)

    assert report.down == {"fake": fake.down}
    assert report.exit_code == UsageError.exit_code
    assert len(texts(sandbox)) == 1


def test_none_waits_for_the_other(
    both: Installation, sandbox: SandboxServer, fake: FakeChannel
) -> None:
    """The first of the receivers is kept back until the second has it."""

    def until_kakao_has_it() -> None:
        limit = time.monotonic() + 5
        while not sandbox.deliveries and time.monotonic() < limit:
            time.sleep(0.01)
        seen.append(len(sandbox.deliveries))

    seen: list[int] = []
    fake.wait = until_kakao_has_it

    assert states(run(both)) == {"fake:1": FINE, "me": FINE}
    assert seen == [1]


def test_what_one_channel_never_sent_is_not_unknown_for_what_the_other_did(
    both: Installation, sandbox: SandboxServer, clock: FakeClock, fake: FakeChannel
) -> None:
    """A channel that hangs before its request left is given up: it may be tried again."""
    is_over = threading.Event()

    def hang() -> None:
        limit = time.monotonic() + 5
        while not sandbox.deliveries and time.monotonic() < limit:
            time.sleep(0.01)
        time.sleep(0.1)  # for Kakao's answer to land
        clock.at += both.engine.lease
        is_over.wait(10)

    fake.wait = hang
    report = run(both)
    is_over.set()

    assert states(report) == {"fake:1": (State.RETRYING, Reason.UNREACHABLE), "me": FINE}
    assert fake.arrived == []


def test_each_channel_is_asked_for_its_own_quota(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, fake: FakeChannel
) -> None:
    fake.most = 1
    config = BOTH.replace('"me"', '"me", "uuid-aaa"')
    installation = with_both(tmp_path, sandbox, clock, fake, config)
    run(installation)
    clock.set("09:45:01")
    report = run(installation)

    assert states(report, "report@20261123T0945") == {
        "fake:1": (State.FAILED, Reason.QUOTA),
        "me": FINE,
        "uuid-aaa": FINE,
    }
    assert fake.asked == [{"fake:1": 1}, {"fake:1": 1}]
    assert len(fake.arrived) == 1
    kakao = installation.engine.channels[KAKAOTALK]
    assert isinstance(kakao, KakaoTalk)
    known = installation.ledger.read([NOW.date()]).deliveries.values()
    assert kakao.allowance(known, NOW.date()).counts == {"uuid-aaa": 2}


def test_a_channel_that_nobody_is_sent_by_is_left_alone(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, fake: FakeChannel
) -> None:
    run(with_both(tmp_path, sandbox, clock, fake, MESSAGE))

    assert len(texts(sandbox)) == 1
    assert (fake.prepared, fake.asked, fake.arrived) == ([], [], [])


def test_early_start_brings_both_to_the_gate(tmp_path: Path) -> None:
    slot = NOW.replace(second=0)
    clock = RunningClock(slot - timedelta(seconds=1))
    fake = FakeChannel(clock.now)
    with SandboxServer(Kakao(seed=7), clock.now) as sandbox:
        early = "[schedule]\nearly_start = true\n" + BOTH
        report = run(with_both(tmp_path, sandbox, clock, fake, early))
        (at_kakao,) = (delivery.at for delivery in sandbox.deliveries)

    assert states(report) == {"fake:1": FINE, "me": FINE}
    ((at_fake, _, _),) = fake.arrived
    for at in (at_kakao, at_fake):
        assert timedelta(0) <= at - slot < timedelta(seconds=0.8)
