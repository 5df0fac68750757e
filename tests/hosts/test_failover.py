"""Three hosts on real servers: one killed, one cut off, the primary killed too and its standby
promoted, again and again. Nothing goes out twice, and every slot has an end."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from kakaocron.ledger.lookup import deliveries_of
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import State
from tests.fakes import FakeClock
from tests.hosts.house import House
from tests.hosts.servers import Server, free_port, own, programs, run, server, wait_until

pytestmark = pytest.mark.usefixtures("uncounted")

HOSTS = ("a", "b", "c")
FORK = multiprocessing.get_context("fork")


def config_of(messages: int) -> str:
    return "[delivery]\nat_once = 16\n" + "".join(
        f'[[message]]\nname = "m{n}"\ncron = "*/10 * * * *"\ntext = "{n} {{time:%H:%M}}"\n'
        for n in range(messages)
    )


class Pair:
    """A primary and a standby that it waits for; after each fail-over the other way round."""

    def __init__(self, first: Server) -> None:
        self.primary = first
        self.standby = self._follow(first)

    def _follow(self, primary: Server) -> Server:
        folder = primary.folder.with_name(f"{primary.folder.name}-{free_port()}")
        folder.mkdir()
        own(folder)
        standby = Server(folder, free_port())
        known = ("-h", "127.0.0.1", "-p", str(primary.port), "-U", "kakaocron")
        run("pg_basebackup", "-D", standby.data, "-R", "-X", "stream", "-c", "fast", *known)
        with Path(f"{standby.data}/postgresql.conf").open("a") as conf:
            conf.write(f"\nport = {standby.port}\n")
        standby.start()
        names = "ALTER SYSTEM SET synchronous_standby_names = '*'"
        primary.psql(names, "SELECT pg_reload_conf()")
        return standby

    def fail_over(self) -> None:
        self.primary.stop("immediate")  # and it stays away: the old one is fenced
        self.standby.promote()
        self.primary, old = self.standby, self.primary
        self.primary.psql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        shutil.rmtree(old.folder, ignore_errors=True)

    def follow_again(self) -> None:
        self.standby = self._follow(self.primary)

    @property
    def url(self) -> str:
        ports = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://kakaocron@{ports}/kakaocron"


@pytest.fixture
def pair() -> Iterator[Pair]:
    if programs() is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    with server(fsync="on", more=["wal_keep_size = 64MB"]) as first:
        pair = Pair(first)
        try:
            yield pair
        finally:
            for one in (pair.primary, pair.standby):
                one.stop()
                shutil.rmtree(one.folder, ignore_errors=True)


def _have_arrived(house: House, count: int) -> bool:
    return len(house.texts()) >= count


@pytest.mark.parametrize(
    ("rounds", "messages"), [(1, 20), pytest.param(5, 200, marks=pytest.mark.hosts)]
)
def test_nothing_is_sent_twice_through_fail_overs(
    tmp_path: Path,
    pair: Pair,
    sandbox: SandboxServer,
    clock: FakeClock,
    rounds: int,
    messages: int,
) -> None:
    config = config_of(messages)
    chance = random.Random(14)
    with House(tmp_path, pair.primary, sandbox, clock) as house:
        house.url = pair.url
        house.make_tables()
        clock.set("09:29:00")
        for name in HOSTS:
            house.tick(name, config)
        for number in range(rounds):
            house.url = pair.url
            clock.set(f"{10 + number}:00:01")
            ticks = {name: FORK.Process(target=house.ended, args=(name, config)) for name in HOSTS}
            for tick in ticks.values():
                tick.start()
            # In the middle of the slot, however fast or slow the machine is.
            before = len(house.texts())
            wait_until(
                partial(
                    _have_arrived,
                    house,
                    before + chance.randrange(messages // 20, messages * 3 // 5),
                ),
                60,
            )
            killed, cut = chance.sample(HOSTS, 2)
            ticks[killed].kill()
            house.cut_off(cut)
            time.sleep(chance.uniform(0.0, 0.3))
            pair.fail_over()
            for tick in ticks.values():
                tick.join(120)
                assert tick.exitcode is not None
            house.cut_off(None)
            pair.follow_again()
            house.url = pair.url
            for minute in (3, 5, 15):
                clock.set(f"{10 + number}:{minute:02d}:01")
                for name in HOSTS:
                    house.ended(name, config)
        ledger = house.host("a", config).ledger
        found = [one for one in deliveries_of(ledger, clock.now().date()) if one.slot.minute == 0
                 and one.slot.hour >= 10]  # fmt: skip
        sent = Counter(house.texts())

    states = Counter(one.state for one in found)
    print(f"{len(found)} slots: {dict(states)}; {sum(sent.values())} arrived")
    assert len(found) == rounds * messages
    # Whatever befell one host and the servers, another reached the database before the expiry.
    assert states.keys() <= {State.CONFIRMED, State.UNKNOWN}
    assert max(sent.values()) == 1
    # What was confirmed has arrived; what nobody knows of may have.
    for one in found:
        text = f"{one.message[1:]} {one.slot:%H:%M}"
        if one.state is State.CONFIRMED:
            assert sent[text] == 1
        elif one.state is not State.UNKNOWN:
            assert sent[text] == 0, (text, one.state)
