"""Several hosts over one simulated database: each a machine of its own, with its own bad luck."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from functools import partial
from zlib import crc32

from kakaocron.config.schema import Config
from kakaocron.errors import KakaocronError
from kakaocron.kakao.tokens import Tokens, to_json
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.postgres.sharing import MakeAsker
from kakaocron.rehearsal.simulation.chaos import CALM, Dials
from kakaocron.rehearsal.simulation.cron import Cron
from kakaocron.rehearsal.simulation.database import (
    LONGEST_LAG_SECONDS,
    NO_DIALS,
    DatabaseLine,
    LineDials,
    SimulatedServer,
    asker_of,
)
from kakaocron.rehearsal.simulation.home import PLACES, LinkFreePlaces, logged_in
from kakaocron.rehearsal.simulation.judge import (
    History,
    Spans,
    TickRun,
    Version,
    claimed_twice,
    judge,
    read_ledger,
    stopped_at_the_write,
)
from kakaocron.rehearsal.simulation.network import Departure
from kakaocron.rehearsal.simulation.process import Process
from kakaocron.rehearsal.simulation.world import (
    MINUTE,
    SETTLE_MINUTES,
    HistoryResult,
    World,
    edges_of,
    loaded,
)
from kakaocron.states import Reason, State

URL = "postgresql://simulated/kakaocron"
# From here on a host's clock is too far off the database's; below it may be, for all that it knows.
SURELY_OFF = timedelta(seconds=2.5)
# For how long a host trusts what it knows of the clocks.
CLOCK_TRUSTED = timedelta(seconds=21)
SMALL_STEPS = (0.3, 0.8, 1.4, 2.2, 3.0, 8.0, 60.0, 900.0)


@dataclass(frozen=True)
class DatabaseDials:
    """Probabilities of what befalls the database, and the ways to it, each minute."""

    restart: float = 0.0
    fail_over: float = 0.0
    partition: float = 0.0
    clock_step: float = 0.0
    login_dies: float = 0.0


USUAL_DATABASE = DatabaseDials(0.004, 0.006, 0.006, 0.004, 0.004)
USUAL_LINE = LineDials(cut=0.02, late=0.005, silent=0.002, slow=0.005, local_only=0.003)
# What a shared ledger has no files for.
OF_FILES = frozenset({
    "held_lock", "lock_replaced", "copy_taken", "restore", "damage", "config_edit", "token_death",
})  # fmt: skip


def dials_of_host(dials: Dials) -> Dials:
    """Return the dials without those of a ledger in files."""
    return replace(dials, **dict.fromkeys(OF_FILES, 0.0))


def draw_database(rng: random.Random) -> tuple[DatabaseDials, LineDials]:
    """Draw the character of a history: some faults often, some never."""

    def drawn(usual: DatabaseDials | LineDials) -> dict[str, float]:
        return {
            one.name: getattr(usual, one.name) * rng.choice((0, 0, 1, 1, 5))
            for one in fields(usual)
        }

    return DatabaseDials(**drawn(USUAL_DATABASE)), LineDials(**drawn(USUAL_LINE))


class HostWorld(World):
    """One of the hosts. Its clock is off by a little at all times."""

    def __init__(
        self, around: HostsWorld, number: int, configs: list[Config], dials: Dials, minutes: int
    ) -> None:
        super().__init__(around.seed * 10 + number, configs, dials, minutes)
        self.around = around
        self.name = f"host{number}"
        self._pid = number * 1_000_000
        self.loop, self.kakao, self.began = around.loop, around.kakao, around.began
        self.read_line = around.read_line
        self.history.departures = around.history.departures
        self.history.breaches = around.history.breaches
        self.history.orders = around.history.orders
        self.person.count_from(number * 1_000_000)
        luck = random.Random(f"{around.seed} {number}")  # noqa: S311 - to be replayed, no secret
        self.server, self.line = around.server, DatabaseLine(luck)
        self.skew = timedelta(seconds=round(self.rng.uniform(-0.4, 0.4), 3))
        variables = {
            **PLACES.variables,
            "KAKAOCRON_LEDGER_URL": URL,
            "KAKAOCRON_HOST": self.name,
            **({"KAKAOCRON_LOGIN_KEY": "simulated"} if around.is_login_shared else {}),
        }
        self.places = LinkFreePlaces(PLACES.config, PLACES.data, PLACES.log, variables)
        latest = self.rng.choice((0.02, 0.5, 2.0))
        self.crons = [
            Cron(self.loop, self.host_time, self.start_tick, self.rng, latest) for _ in range(2)
        ]
        self.far_off: list[tuple[datetime, datetime]] = []  # the clock, certainly
        self._power_cut_at = self.began

    def host_time(self) -> datetime:
        return super().host_time() + self.skew

    def clock_error(self) -> timedelta:
        """Return how far this host's clock is ahead of the database's."""
        return self.offset + self.skew - self.server.offset

    def make_asker(self, process: Process) -> MakeAsker | None:
        return asker_of(process, self)

    def durable_lines(self, day: date) -> Sequence[bytes]:
        return self.server.lines(day)

    def depart(self, departure: Departure) -> None:
        super().depart(replace(departure, behind_database=-self.clock_error()))
        if self.is_surely_off():
            said = f"clock apart: {departure.probe} left by {self.name}"
            self.history.breaches.append(f"{said}, which is {self.clock_error()} off")

    def _run(self, process: Process, run: TickRun) -> None:
        was_off = self.is_surely_off()
        super()._run(process, run)
        if was_off and self.is_surely_off() and run.is_complete and not run.is_idle:
            said = f"clock apart: {self.name} said nothing of its clock"
            self.history.breaches.append(f"{said}, which is {self.clock_error()} off")

    def is_surely_off(self) -> bool:
        """Say whether the clock has been too far off for longer than a host may not know it."""
        since = self.true_time() - CLOCK_TRUSTED
        return any(start <= since and end > self.true_time() for start, end in self.far_off)

    def note_clock(self) -> None:
        """Take down from when on, and until when, the clock is certainly too far off."""
        now = self.true_time()
        if self.far_off and self.far_off[-1][1] > now:
            self.far_off[-1] = (self.far_off[-1][0], now)
        if abs(self.clock_error()) > SURELY_OFF:
            self.far_off.append((now, self.began + timedelta(days=10_000)))

    def _set_clock(self, offset: timedelta) -> None:
        super()._set_clock(offset)
        self.note_clock()

    def _clock_step(self) -> None:
        size = timedelta(seconds=self.rng.choice(SMALL_STEPS) * self.rng.choice((-1, 1)))
        self._set_clock(size)
        seconds = self.rng.choice((10.0, 100.0, 700.0))
        self.loop.at(self.loop.now + seconds, lambda: self._set_clock(timedelta(0)))

    def _log_in_to(self, account: str) -> None:
        self.around.log_in(self)

    def runs(self) -> Iterator[TickRun]:
        """Yield this host's ticks in true time: what befell the host befell them."""
        troubles = Spans([*self.history.disturbed, *self.history.wrong_clock])
        for run in self.history.runs:
            end = run.ended or self.around.history.ended
            was_off = any(True for _ in troubles.touching(run.started, end))
            disturbed = run.is_disturbed or was_off
            yield replace(run, host_started=run.started, is_disturbed=disturbed)

    # What HostsWorld has it do.

    def begin(self) -> None:
        self._use(self.config)
        self.crons[0].start()
        self.loop.at(30.0, self._each_minute)

    def settle(self) -> None:
        self.line.dials, self.line.is_down = NO_DIALS, False
        self._settle()

    def end(self) -> None:
        self._end_all()

    def keep(self, tokens: Tokens) -> None:
        self.files.put(self.places.tokens_of(""), to_json(tokens))

    def cut_off(self, seconds: float, *, from_kakao: bool) -> None:
        """Let this host reach the database no more for a while, nor Kakao."""
        self.line.is_down = True
        if from_kakao:
            self._outage = True
        self._disturb(timedelta(seconds=seconds))
        self.loop.at(self.loop.now + seconds, self._reach)

    def _reach(self) -> None:
        self.line.is_down = False
        self._outage_ends()

    def share_login(self) -> None:
        """Put this host's login where all hosts find it, as `kakaocron login` does."""
        process = self._new_process()

        def share() -> None:
            with self._watched(process):
                try:
                    loaded(self, edges_of(self, process)).login.share()
                except (KakaocronError, KeyboardInterrupt):
                    return

        process.start(share)

    def counts(self) -> tuple[int, int]:
        """Return how many ticks and mishaps there were."""
        return self._ticks, self._mishaps + self.line.mishaps

    def trace(self, trace: int) -> int:
        return crc32(f"{self._trace}".encode(), trace)

    def deliveries(self) -> list[Delivery]:
        return self._deliveries()


class HostsWorld:
    """All hosts, the database and Kakao. `is_synchronous`: the standby is waited for."""

    def __init__(
        self,
        seed: int,
        config: Config,
        dials: Sequence[Dials],
        minutes: int,
        database: DatabaseDials,
        line: LineDials,
        *,
        is_synchronous: bool = True,
        is_login_shared: bool = False,
    ) -> None:
        self.seed, self.minutes, self.dials = seed, minutes, database
        self.rng = random.Random(f"hosts {seed}")  # noqa: S311 - to be replayed, no secret
        self.is_login_shared = is_login_shared
        model = World(seed, [config], CALM, minutes)
        self.loop, self.kakao, self.began = model.loop, model.kakao, model.began
        self.read_line = model.read_line
        self.history = History(is_shared=True)
        self.server = SimulatedServer(self.loop, self.began, is_synchronous=is_synchronous)
        self.hosts = [
            HostWorld(self, number, [config], one, minutes) for number, one in enumerate(dials, 1)
        ]
        for host in self.hosts:
            host.line.dials = line
        self._mishaps = 0
        self._is_calm = False

    def true_time(self) -> datetime:
        return self.hosts[0].true_time()

    def play(self) -> HistoryResult:
        """Let the history happen, let things settle, and judge it."""
        try:
            self._play()
        except Exception:
            self._close()
            raise
        self._close()
        history = self._whole()
        deliveries = self.hosts[0].deliveries()
        states = {(one.message, one.slot): str(one.state) for one in deliveries}
        days = [(f"{day}", b"\n".join(self.server.lines(day))) for day in sorted(self.server.days)]
        breaches = judge(history, states, read_ledger(days))
        breaches += claimed_twice(history, days)
        breaches += missed_in_vain(history, deliveries)
        breaches += [f"bug: unknown to the simulator: {one}" for one in self.server.unknown]
        trace = 0
        for host in self.hosts:
            trace = host.trace(trace)
        for _, content in days:
            trace = crc32(content, trace)
        ticks, mishaps = zip(*(host.counts() for host in self.hosts), strict=True)
        return HistoryResult(
            self.seed,
            self.minutes,
            sum(ticks),
            len(self.kakao.deliveries),
            sum(mishaps) + self._mishaps,
            len(states),
            sum(state == "confirmed" for state in states.values()),
            tuple(breaches),
            f"{trace:08x}",
            stopped_at_the_write(history),
            len(history.orders),
            Counter((one.message, str(one.state), one.reason) for one in deliveries),
            hosts=len(self.hosts),
        )

    def _play(self) -> None:
        self.log_in(self.hosts[0])
        for host in self.hosts:
            host.begin()
        self.loop.at(31.0, self._each_minute)
        self.loop.run(max(0, self.minutes - SETTLE_MINUTES) * 60.0)
        self._settle()
        self.loop.run(self.minutes * 60.0)
        self.history.ended = self.true_time()

    def _settle(self) -> None:
        self._is_calm = True
        self.server.is_up = True
        self._step_clock(0.0)
        for host in self.hosts:
            host.settle()

    def _close(self) -> None:
        for host in self.hosts:
            host.end()
        self.loop.run(self.loop.now)
        self.loop.close()

    def _whole(self) -> History:
        """Return what all hosts saw, in true time."""
        whole, ended = self.history, self.history.ended
        rules = self.hosts[0].history.versions[0].rules
        early, late = self.began - timedelta(days=1), ended + timedelta(days=1)
        whole.versions = [Version(self.began, self.began, rules, early, late)]
        whole.latest_host = ended
        runs = [run for host in self.hosts for run in host.runs()]
        whole.runs = sorted(runs, key=lambda run: run.started)
        return whole

    # Bad luck.

    def _each_minute(self) -> None:
        self.loop.at(self.loop.now + 60.0, self._each_minute)
        if self._is_calm:
            return
        for one in fields(DatabaseDials):
            if self.rng.random() < getattr(self.dials, one.name):
                second = self.rng.choice((28 + 4 * self.rng.random(), self.rng.random() * 60.0))
                action = partial(self._happen, getattr(self, f"_{one.name}"))
                self.loop.at(self.loop.now + second, action)

    def _happen(self, action: Callable[[], None]) -> None:
        if not self._is_calm:
            self._mishaps += 1
            action()

    def _restart(self) -> None:
        self._be_away(self.server.stop, self.rng.choice((0.5, 5.0, 30.0, 200.0, 1200.0)))

    def _fail_over(self) -> None:
        lag = self.rng.choice((0.1, 1.0, LONGEST_LAG_SECONDS))
        self._be_away(partial(self.server.fail_over, lag), self.rng.choice((0.5, 3.0, 20.0)))
        self._step_clock(round(self.rng.uniform(-0.5, 0.5), 3))

    def _be_away(self, stop: Callable[[], None], seconds: float) -> None:
        stop()
        self._disturb(seconds + 1)
        life = self.server.life

        def come_back() -> None:
            self.server.is_up |= self.server.life == life

        self.loop.at(self.loop.now + seconds, come_back)

    def _partition(self) -> None:
        """Cut one host off the database; in half of the cases off Kakao too."""
        host = self.rng.choice(self.hosts)
        seconds = self.rng.choice((2.0, 20.0, 100.0, 600.0, 1500.0))
        host.cut_off(seconds, from_kakao=self.rng.random() < 0.5)  # noqa: PLR2004

    def _clock_step(self) -> None:
        self._step_clock(round(self.rng.uniform(-0.7, 0.7), 3))

    def _step_clock(self, seconds: float) -> None:
        self.server.offset = timedelta(seconds=seconds)
        for host in self.hosts:
            host.note_clock()

    def _login_dies(self) -> None:
        self.kakao.revoke_access_tokens()
        if self.rng.random() < 0.4:  # noqa: PLR2004
            self.kakao.revoke_refresh_tokens()
            never = self.began + timedelta(days=10_000)
            self.history.dead_logins[""].append((self.true_time(), never))
            wait = self.rng.choice((100.0, 1000.0))
            self.loop.at(self.loop.now + wait, partial(self.log_in, self.rng.choice(self.hosts)))

    def log_in(self, host: HostWorld) -> None:
        """Log in: on one host for all, or on each."""
        shared = None
        for one in self.hosts:
            if shared is None or not self.is_login_shared:
                shared = logged_in(self.kakao, one.true_time(), one.host_time())
            one.keep(shared)
        if self.is_login_shared:
            host.share_login()
        now, dead = self.true_time(), self.history.dead_logins[""]
        dead[:] = [(start, min(end, now + MINUTE)) for start, end in dead]

    def _disturb(self, seconds: float) -> None:
        now = self.true_time()
        self.history.disturbed.append((now, now + timedelta(seconds=seconds)))


def missed_in_vain(history: History, deliveries: Sequence[Delivery]) -> Iterator[str]:
    """Find what is said to be missed as no tick came, though one did on any of the hosts."""
    whole = [run for run in history.runs if run.is_complete and not run.is_disturbed]
    for one in deliveries:
        if one.state is not State.MISSED or one.reason is not Reason.NO_TICK:
            continue
        if one.message not in history.versions[0].rules.messages:
            continue
        start = one.slot + timedelta(seconds=4)
        end = history.versions[0].rules.expiry(one.message, one.slot) - timedelta(seconds=5)
        for run in whole:
            if start <= run.started and run.ended is not None and run.ended < end:
                yield f"lost: {one.id} is missed, though the tick of {run.started:%H:%M:%S} came"
                break
