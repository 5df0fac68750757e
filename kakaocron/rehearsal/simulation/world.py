"""One history: a machine with kakaocron's own code, its cron, its user and its bad luck."""

from __future__ import annotations

import errno
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec
from msgspec.structs import asdict, replace

from kakaocron.config.schema import Config
from kakaocron.delivery.tick import Ended
from kakaocron.errors import Exit, KakaocronError
from kakaocron.files import config_marks
from kakaocron.installation import Edges, Installation, assemble, config_written_at
from kakaocron.kakao.tokens import to_json
from kakaocron.kst import KST
from kakaocron.ledger.day_file import DayFile, Reading
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import from_line
from kakaocron.rehearsal.sandbox import wire
from kakaocron.rehearsal.sandbox.bots import SEND_PATH
from kakaocron.rehearsal.sandbox.endpoints import TOKEN_PATH, UPLOAD_PATH
from kakaocron.rehearsal.sandbox.faults import InjectedFault
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import (
    Quotas,
    SandboxBot,
    SandboxFriend,
    SandboxRoom,
    Settings,
)
from kakaocron.rehearsal.simulation.chaos import CALM, Dials
from kakaocron.rehearsal.simulation.cron import Cron
from kakaocron.rehearsal.simulation.event_loop import EventLoop
from kakaocron.rehearsal.simulation.files import FileSystem
from kakaocron.rehearsal.simulation.home import (
    HOME,
    PLACES,
    SimulatedContents,
    logged_in,
    person_of,
    url_of,
)
from kakaocron.rehearsal.simulation.judge import (
    History,
    TickRun,
    Version,
    claimed_twice,
    judge,
    key_of_probe,
    out_of_order,
    read_ledger,
    stopped_at_the_write,
)
from kakaocron.rehearsal.simulation.network import Departure, RequestMishap, SimulatedHttp
from kakaocron.rehearsal.simulation.orders import Order, texts
from kakaocron.rehearsal.simulation.person import Person
from kakaocron.rehearsal.simulation.process import (
    Killed,
    Mishap,
    Process,
    ProcessClock,
    ProcessDisk,
    ProcessWorkers,
)
from kakaocron.rehearsal.simulation.rules import rules_of
from kakaocron.states import ROOM
from kakaocron.system.belonging import claim
from kakaocron.system.disk import Disk
from kakaocron.system.http import Http, MakeHttp
from kakaocron.system.places import Places
from kakaocron.ticking.runner import run
from kakaocron.watching.pings import Pings

if TYPE_CHECKING:
    from kakaocron.ledger.postgres.sharing import MakeAsker

MINUTE = timedelta(minutes=1)
SETTLE_MINUTES = 20
UNEXPECTED_EXITS = {Exit.BUG, Exit.INTERRUPTED}


@dataclass(frozen=True)
class HistoryResult:
    """How a history ended. `fingerprint` is the same for the same seed; `ends` counts the slots of
    each message by state and reason, `ambiguous` the sends of which nobody knew at first, `settled`
    those of which it was known before their slot's expiry."""

    seed: int
    minutes: int
    ticks: int
    messages: int
    mishaps: int
    slots: int
    confirmed: int
    breaches: tuple[str, ...]
    fingerprint: str
    stopped_at_the_write: int = 0
    orders: int = 0
    ends: Mapping[tuple[str, str, str | None], int] = field(default_factory=dict)
    ambiguous: int = 0
    settled: int = 0
    is_by_dealer: bool = False
    hosts: int = 1
    hosts_of: str = ""  # between how many of them were drawn


@dataclass(frozen=True)
class SoFar:
    """How far a history has come."""

    minutes: int
    ticks: int
    messages: int
    mishaps: int


class World:
    """The machine and all around it. Everything random comes from `rng`, in a fixed order."""

    places: Places = PLACES

    def __init__(
        self,
        seed: int,
        configs: list[Config],
        dials: Dials,
        minutes: int,
        on_progress: Callable[[SoFar], None] | None = None,
    ) -> None:
        self.seed, self.configs, self.minutes = seed, configs, minutes
        self.rules = {id(config): rules_of(config) for config in configs}
        self.rng = random.Random(seed)  # noqa: S311 - to be replayed, no secret
        self.dials = dials
        self.loop = EventLoop()
        self.files = FileSystem()
        self.read_line = cache(from_line)
        self.readings: deque[tuple[bytes, Reading]] = deque(maxlen=6)
        self.history = History()
        self.standing_faults: dict[str, tuple[int, bool]] = {}
        self.offset = timedelta(0)
        self.alive: list[Process] = []
        self.config = configs[0]
        self._pid = 0
        self._mishaps = 0
        self._is_off = False
        self._outage = False
        self._has_met_limit = False  # on tokens, and got none since
        self._on_progress = on_progress
        self._copy: list[tuple[str, bytes]] | None = None
        self._trace = 0
        self._ticks = 0
        # Histories begin on any day of the week, at any time, often near midnight.
        self.began = datetime(2026, 11, 23, tzinfo=KST) + self.rng.randrange(7 * 24 * 60) * MINUTE
        names = sorted({name for config in configs for name in config.account})
        self.kakao = Kakao(self.settings(), seed)
        self.accounts = _accounts(self.kakao, names)
        self.logins = ("", *names)
        self.history.accounts = frozenset(names)
        latest = self.rng.choice((0.02, 0.5, 2.0))
        self._power_cut_at = self.began
        self.person = Person(self.rng, self.history, self.true_time, self.host_time)
        self.crons = [
            Cron(self.loop, self.host_time, self.start_tick, self.rng, latest) for _ in range(2)
        ]

    # What differs by the way out.

    def settings(self) -> Settings:
        names = sorted({name for config in self.configs for name in config.account})
        return _settings(self.configs, names)

    def fit(self, made: Installation, edges: Edges) -> Installation:
        """Return an installation with the ways out of this world."""
        return made

    def make_asker(self, process: Process) -> MakeAsker | None:
        """Return how a process reaches the database of a shared ledger, if there is one."""
        return None

    def see_what_arrived(self) -> None:
        """Complete what is known of departures, once all is over."""

    # What processes ask.

    def true_time(self) -> datetime:
        return self.began + timedelta(microseconds=round(self.loop.now * 1e6))

    def host_time(self) -> datetime:
        return self.true_time() + self.offset

    def is_crowded(self) -> bool:
        return len(self.alive) > 1

    def mishap_for(self, request: wire.WireRequest) -> RequestMishap | None:
        is_token = request.path == TOKEN_PATH
        if self._outage:
            return RequestMishap("unreachable", seconds=self.rng.choice((0.01, 5.0)))
        if self.rng.random() >= self.dials.network:
            if is_token:
                self._has_met_limit = False
            return None
        self._mishaps += 1
        kind = self.rng.choice(("unreachable", "cut-request", "cut-answer", "fault", "fault"))
        if kind == "unreachable":
            return RequestMishap(kind, seconds=self.rng.choice((0.0, 1.0, 5.0)))
        if kind != "fault":
            if is_token:
                self._disturb(12 * MINUTE)
            return RequestMishap(kind)
        name = self.rng.choice(_FAULTS_BY_PATH.get(request.path, FAULTS))
        fault = InjectedFault.parse(f"{name}@/")
        if is_token:
            # A limit on tokens that is met again before there was one is waited for an hour.
            is_limit = name == "KOE237"
            self._disturb((62 if is_limit and self._has_met_limit else 12) * MINUTE)
            self._has_met_limit |= is_limit
        return RequestMishap(kind, fault)

    def may_go_without(self, request: wire.WireRequest) -> bool:
        """Say whether what befalls a request is no excuse: a picture that need not be there."""
        is_needed = any(message.image_required for message in self.config.message)
        return request.path == UPLOAD_PATH and not is_needed

    def depart(self, departure: Departure) -> None:
        self.history.departures.append(departure)
        self._note(f"depart {departure}")

    def check_claimed(self, probe: str, owner: str) -> None:
        """Look whether a power cut at this instant would leave the claim of what is leaving."""
        message, slot = key_of_probe(probe)
        order = texts(self.history.orders).get(message)
        # A text sent at once has the minute that its command reads, not that it was typed in.
        stamp = "" if order and order.what == "send" else f'{slot:%Y%m%dT%H%M}"'
        mark = f'"id":"{order.message if order else message}@{stamp}'.encode()
        mine = f'"by":"{owner}"'.encode()
        days = (slot, slot + timedelta(days=1)) if order else (slot,)
        if not any(
            mark in line and mine in line and b'"event":"claim"' in line
            for day in days
            for line in reversed(self.durable_lines(day.date()))  # it is one of the last
        ):
            self.history.breaches.append(f"unclaimed: {probe} left, its claim not durable")

    def durable_lines(self, day: date) -> Sequence[bytes]:
        """Return the ledger's lines of a day that would outlive this instant."""
        return (self.files.durable(f"{self.places.ledger}/{day}.jsonl") or b"").split(b"\n")

    # The life of the machine.

    def play(self) -> HistoryResult:
        """Let the history happen, let things settle, and judge it."""
        try:
            self._play()
        except Exception:
            self._close()
            raise  # an interrupt comes while another thread leads: the process is to end
        self._close()
        self.see_what_arrived()
        deliveries = self._deliveries()
        states = {(one.message, one.slot): str(one.state) for one in deliveries}
        told = read_ledger(self._ledger_files())
        breaches = judge(self.history, states, told)
        breaches += out_of_order(self.history, self._ledger_files())
        breaches += claimed_twice(self.history, self._ledger_files())
        for path, content in self.files.walk(HOME):
            self._trace = crc32(path.encode() + content, self._trace)
        return HistoryResult(
            self.seed,
            self.minutes,
            self._ticks,
            len(self.kakao.deliveries),
            self._mishaps,
            len(states),
            sum(state == "confirmed" for state in states.values()),
            tuple(breaches),
            f"{self._trace:08x}",
            stopped_at_the_write(self.history),
            len(self.history.orders),
            Counter((one.message, str(one.state), one.reason) for one in deliveries),
        )

    def _close(self) -> None:
        self._end_all()
        self.loop.run(self.loop.now)
        self.loop.close()

    def _play(self) -> None:
        self._log_in()
        self._use(self.config)
        self.crons[0].start()
        self.loop.at(30.0, self._each_minute)
        fault_seconds = max(0, self.minutes - SETTLE_MINUTES) * 60.0
        self.loop.run(fault_seconds)
        self._settle()
        self.loop.run(self.minutes * 60.0)
        self.history.ended = self.true_time()

    def _settle(self) -> None:
        """End the bad luck: what follows is a machine on which all is well."""
        self.dials = CALM
        self.standing_faults.clear()
        self._outage = False
        if self._is_off:
            self._boot()
        self._set_clock(timedelta(0))
        self._log_in()
        if self.history.orders:
            self._order(Order("resume", self.true_time(), self.host_time()))
        self.crons[1].stop()
        self.crons[0].start()

    def _each_minute(self) -> None:
        self._look_at_the_clock()
        self._tell_progress()
        self.loop.at(self.loop.now + 60.0, self._each_minute)
        if self.dials is CALM:
            return
        for name, rate in self.dials.per_minute:
            if self.rng.random() < rate:
                # Half of it just when ticks run: this is called at second 30 of each minute.
                second = self.rng.choice((30 + self.rng.random(), self.rng.random() * 60.0))
                action = partial(self._happen, getattr(self, f"_{name}"))
                self.loop.at(self.loop.now + second, action)

    def _tell_progress(self) -> None:
        if self._on_progress is not None:
            minutes, messages = int(self.loop.now // 60), len(self.kakao.deliveries)
            self._on_progress(SoFar(minutes, self._ticks, messages, self._mishaps))

    def _happen(self, action: Callable[[], None]) -> None:
        if self.dials is not CALM:
            self._mishaps += 1
            self._note(action.__name__)
            self._stamp_files()
            action()

    def start_tick(self) -> None:
        if self._is_off:
            return
        self._ticks += 1
        process = self._new_process()
        run = TickRun(self.true_time(), self.host_time(), owner=process.owner)
        self.history.runs.append(run)
        process.start(lambda: self._run(process, run))

    def _new_process(self) -> Process:
        self._stamp_files()
        self._pid += 1
        process = Process(self, self._pid, f"{self._pid}-{self.seed}", self._mishaps_of_a_process())
        self.alive.append(process)
        return process

    def _stamp_files(self) -> None:
        """Let what is written from now on bear this instant."""
        self.files.clock_ns = int(self.host_time().timestamp() * 1e9)

    def _run(self, process: Process, run: TickRun) -> None:
        try:
            with self._watched(process), suppress(KeyboardInterrupt):
                ended = run_tick(self, process)
                self._note(f"exit {process.pid} {ended.exit_code} {self.loop.now}")
                run.exit_code, run.is_complete = ended.exit_code, ended.is_complete
                run.is_idle = ended.report is None and ended.error is None
                if ended.exit_code in UNEXPECTED_EXITS:
                    self.history.breaches.append(f"bug: exit {ended.exit_code}: {ended.error}")
        finally:
            run.ended = self.true_time()
            run.is_disturbed = process.was_disturbed or run.exit_code is None

    def _obey(self, process: Process, order: Order) -> None:
        try:
            with self._watched(process), suppress(KakaocronError, KeyboardInterrupt):
                installation = loaded(self, edges_of(self, process))
                self.person.carry_out(installation, order)
                order.is_done = True
        finally:
            self._note(f"{order.what} {order.message} {order.is_done}")
            order.ended, order.host_ended = self.true_time(), self.host_time()
            order.departed = len(self.history.departures)
            if process.was_disturbed or not order.is_done:
                self.history.disturbed.append((order.started, order.ended))

    @contextmanager
    def _watched(self, process: Process) -> Iterator[None]:
        """See a process to its end, however that comes."""
        try:
            yield
        except Killed:
            raise
        except Exception as error:
            where = _place(error)
            self.history.breaches.append(f"bug: {type(error).__name__}: {error} at {where}")
        finally:
            process.was_disturbed = process.is_disturbed
            process.kill()
            if process in self.alive:
                self.alive.remove(process)

    def _mishaps_of_a_process(self) -> list[Mishap]:
        dials, rng = self.dials, self.rng
        found = []
        at = rng.choice((rng.randrange(1, 40), rng.randrange(1, 140)))
        if rng.random() < dials.kill:
            found.append(Mishap("kill", at, is_after=rng.random() < 0.5))  # noqa: PLR2004
        if dials.signal and rng.random() < dials.signal:
            found.append(Mishap("signal", rng.choice((at, rng.randrange(1, 140)))))
        if rng.random() < dials.pause:
            seconds = rng.choice((0.5, 3.0, 20.0, 45.0, 70.0, 200.0, 900.0))
            found.append(Mishap("pause", at, seconds=seconds))
        if rng.random() < dials.disk:
            calls = rng.choice(DISK_CALLS)
            number = rng.choice((errno.ENOSPC, errno.EIO, errno.EROFS, errno.EIO))
            short = calls == ("write",) and rng.random() < 0.5  # noqa: PLR2004
            found.append(Mishap("fail", at, calls=calls, number=number, is_short=short))
        self._mishaps += len(found)
        return found

    # The user.

    def _use(self, config: Config) -> None:
        self.config = config
        self.files.put(str(self.places.config), f"# configuration {id_of(config)}\n".encode())
        now = self.host_time()
        if self.history.versions:
            self.history.versions[-1].see(now)
        self.history.versions.append(
            Version(now, self.true_time(), self.rules[id(config)], now, now)
        )

    def _log_in(self) -> None:
        for account in self.logins:
            self._log_in_to(account)

    def _log_in_to(self, account: str) -> None:
        tokens = logged_in(self.kakao, self.true_time(), self.host_time(), account)
        self.files.put(self.places.tokens_of(account), to_json(tokens))
        now, dead = self.true_time(), self.history.dead_logins[account]
        dead[:] = [(start, min(end, now + MINUTE)) for start, end in dead]

    def _config_edit(self) -> None:
        self._use(self.rng.choice(self.configs))

    def _by_hand(self) -> None:
        """Give an order, as a person does who knows nothing of ticks."""
        if not self._is_off:
            self._order(self.person.draw())

    def _order(self, order: Order) -> None:
        order.departed_before = len(self.history.departures)
        self.history.orders.append(order)
        process = self._new_process()
        process.start(lambda: self._obey(process, order))

    # Bad luck.

    def _disturb(self, length: timedelta) -> None:
        now = self.true_time()
        self.history.disturbed.append((now, now + length))

    def _disk_trouble(self) -> None:
        """The disk is full, read-only or broken for a while."""
        number, calls, short = self.rng.choice(STANDING_DISK_FAULTS)
        self.standing_faults = dict.fromkeys(calls, (number, short))
        seconds = self.rng.choice((20.0, 90.0, 400.0))
        self._disturb(timedelta(seconds=seconds))
        self.loop.at(self.loop.now + seconds, self.standing_faults.clear)

    def _outage_begins(self) -> None:
        self._outage = True
        seconds = self.rng.choice((30.0, 200.0, 1500.0))
        self._disturb(timedelta(seconds=seconds))
        self.loop.at(self.loop.now + seconds, self._outage_ends)

    def _outage_ends(self) -> None:
        self._outage = False

    def _power_cut(self) -> None:
        if self._is_off:
            return
        self._end_all()
        self._power_cut_at = self.true_time()
        self.files.cut_power(self.rng)
        self._is_off = True
        for cron in self.crons:
            cron.stop()
        seconds = self.rng.choice((1.0, 40.0, 130.0, 1500.0, 5000.0))
        self._disturb(timedelta(seconds=seconds + 60.0))
        self.loop.at(self.loop.now + seconds, self._boot)
        if self.rng.random() < 0.2:  # noqa: PLR2004 - a board without a battery clock
            self._set_clock(-timedelta(seconds=self.rng.choice((30.0, 700.0, 7000.0))))
            self.loop.at(
                self.loop.now + seconds + self.rng.choice((5.0, 100.0)),
                lambda: self._set_clock(timedelta(0)),
            )

    def _boot(self) -> None:
        if self._is_off:
            self._is_off = False
            self.crons[0].start()

    def _end_all(self) -> None:
        for process in list(self.alive):
            process.kill()
        self.alive.clear()

    def _clock_step(self) -> None:
        size = self.rng.choice(CLOCK_STEPS) * self.rng.choice((-1, 1))
        self._set_clock(self.offset + timedelta(seconds=size))
        if self.rng.random() < 0.7 or abs(self.offset) > timedelta(hours=30):  # noqa: PLR2004
            seconds = self.rng.choice((10.0, 100.0, 700.0, 4000.0))
            self.loop.at(self.loop.now + seconds, lambda: self._set_clock(timedelta(0)))

    def _set_clock(self, offset: timedelta) -> None:
        if offset == self.offset:
            return
        now = self.true_time()
        self._look_at_the_clock()
        if self.offset > timedelta(0):
            self.history.ran_ahead.append((now, self.host_time()))
        if self.history.wrong_clock and self.history.wrong_clock[-1][1] > now:
            start, _ = self.history.wrong_clock[-1]
            self.history.wrong_clock[-1] = (start, now + MINUTE)
        self.offset = offset
        if offset:
            never = self.began + timedelta(days=10_000)
            self.history.wrong_clock.append((now - MINUTE, never))
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        self.history.latest_host = max(self.history.latest_host, self.host_time())
        self.history.versions[-1].see(self.host_time())

    def _cron_restart(self) -> None:
        """The daemon is restarted; while it is down across :00, that minute is skipped."""
        self.crons[0].stop()
        seconds = self.rng.choice((1.0, 30.0, 61.0, 200.0))
        self.loop.at(
            self.loop.now + seconds, lambda: None if self._is_off else self.crons[0].start()
        )

    def _second_cron(self) -> None:
        self.crons[1].start()
        self.loop.at(self.loop.now + self.rng.choice((120.0, 1900.0)), self.crons[1].stop)

    def _token_death(self) -> None:
        account = self.rng.choice(self.logins) if len(self.logins) > 1 else ""
        self.kakao.revoke_access_tokens(person_of(account))
        if self.rng.random() < 0.4:  # noqa: PLR2004
            self.kakao.revoke_refresh_tokens(person_of(account))
            never = self.began + timedelta(days=10_000)
            self.history.dead_logins[account].append((self.true_time(), never))
            wait = self.rng.choice((100.0, 1000.0))
            self.loop.at(self.loop.now + wait, partial(self._log_in_to, account))

    def _held_lock(self) -> None:
        """Somebody else holds the ledger's lock for a while."""
        try:
            fd = self.files.open(f"{self.places.ledger}.lock", 2)
        except OSError:
            return
        if not self.files.try_lock(fd):
            self.files.close(fd)
            return
        seconds = self.rng.choice((3.0, 30.0, 130.0))
        self._disturb(timedelta(seconds=seconds))

        def let_go() -> None:
            if fd in self.files.handles:
                self.files.close(fd)

        self.loop.at(self.loop.now + seconds, let_go)

    def _lock_replaced(self) -> None:
        """Somebody removes the lock file, as a tidy person might."""
        try:
            self.files.unlink(f"{self.places.ledger}.lock")
        except OSError:
            return

    def _copy_taken(self) -> None:
        if not self.alive:
            self._copy = self._ledger_files()

    def _ledger_files(self) -> list[tuple[str, bytes]]:
        try:
            found = list(self.files.walk(self.places.ledger))
        except OSError:
            return []
        return [(path, content) for path, content in found if "/damaged/" not in path]

    def _restore(self) -> None:
        """An older copy of the ledger folder is put back, once a tick has seen what is there."""
        if self._copy is None or not self._is_known_by_a_tick():
            return
        for path, _ in self._ledger_files():
            self.files.unlink(path)
        self.history.tampered.append(self.true_time())
        for path, content in self._copy:
            self.files.put(path, content)
        self.files.sync_all()
        self._disturb(3 * MINUTE)

    def _damage(self) -> None:
        """Bytes of a day file that is in use are changed, cut or overwritten."""
        day = (self.host_time() - self.rng.choice((0, 0, 0, 1)) * timedelta(days=1)).date()
        path = f"{self.places.ledger}/{day}.jsonl"
        content = self.files.content(path)
        if not content or not self._is_known_by_a_tick():
            return
        self.history.tampered.append(self.true_time())
        self.files.put(path, damaged(content, self.rng))
        self._disturb(3 * MINUTE)

    def _is_known_by_a_tick(self) -> bool:
        """Say whether the newest run is over, all went well, and its heartbeat is still there."""
        if self.alive or not self.history.runs or not self.history.runs[-1].is_complete:
            return False
        newest = self.history.runs[-1]
        return not newest.is_disturbed and newest.started > self._power_cut_at

    # Afterwards.

    def _deliveries(self) -> list[Delivery]:
        process = Process(self, 0, "judge")
        self.alive = [process]
        ledger = assemble(self.places, self.config, edges_of(self, process)).ledger
        return list(ledger.read(ledger.days()).deliveries.values())

    def _note(self, what: str) -> None:
        self._trace = crc32(f"{self.loop.now} {what}".encode(), self._trace)


def id_of(config: Config) -> int:
    return crc32(repr(config.fields()).encode())


def edges_of(world: World, process: Process) -> Edges:
    def make_http(timeout: float) -> Http:
        return SimulatedHttp(process, world, timeout)

    disk: Disk = ProcessDisk(process)
    return Edges(
        clock=ProcessClock(process),
        disk=disk,
        workers=ProcessWorkers(process),
        interrupts=process.interrupts,
        make_http=make_http,
        owner=process.owner,
        make_reading=partial(RememberedReading, world.read_line, memory=world.readings),
        feed=partial(feed, process),
        make_asker=world.make_asker(process),
    )


class SimulatedPings(Pings):
    """A watcher elsewhere that answers, sooner or later; only the end of a tick is told it."""

    def __init__(self, process: Process, url: str, make_http: MakeHttp) -> None:
        super().__init__(url, make_http)
        self._process = process

    def begin(self) -> None:
        self._process.check()

    def end(self, is_fine: bool, seconds: float) -> None:
        self._process.wait(min(0.1, seconds))


def feed(
    process: Process,
    _: Sequence[str],
    __: bytes,
    ___: Mapping[str, str],
    seconds: float,
    *____: object,
) -> int:
    """Stand in for the user's own command that takes alarms; now and then it fails or hangs."""
    took = process.host.rng.choice((0.02, 0.5, seconds + 1.0))
    process.wait(min(took, seconds))
    if took > seconds:
        raise TimeoutError
    return process.host.rng.choice((0, 0, 1))


def loaded(world: World, edges: Edges) -> Installation:
    """Do what a command that writes does first; the configuration's marks are taken before it."""
    places = claim(world.places, edges.disk, edges.clock, edges.owner)
    marks = config_marks(edges.disk, str(places.config))
    written_at = config_written_at(places, edges.disk)
    made = assemble(places, world.config, edges, marks, written_at)
    contents = SimulatedContents(**asdict(made.contents))
    made = replace(made, contents=contents, plan=replace(made.plan, make=contents.of))
    return world.fit(made, edges)


def run_tick(world: World, process: Process) -> Ended:
    """Do what cron's command does."""
    edges = edges_of(world, process)

    def load() -> Installation:
        return loaded(world, edges)

    return run(world.places, edges, load, lambda _: None, partial(SimulatedPings, process))


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Spoil a file somewhere: a bit, a stretch, a cut in the middle or at the end, a lost line."""
    at = rng.randrange(len(content))
    way = rng.choice(("flip", "garbage", "nul", "cut", "delete", "line"))
    if way == "flip":
        return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]
    length = rng.randrange(1, 80)
    if way == "garbage":
        return content[:at] + rng.randbytes(length) + content[at + length :]
    if way == "nul":
        return content[:at] + b"\0" * length + content[at + length :]
    if way == "cut":
        return content[:at]
    if way == "delete":
        return content[:at] + content[at + length :]
    lines = content.split(b"\n")
    del lines[rng.randrange(len(lines))]
    return b"\n".join(lines)


def _settings(configs: list[Config], accounts: Sequence[str]) -> Settings:
    uuids = {
        receiver.partition("@")[0]
        for config in configs
        for series in config.series()
        for receiver in series.to
    }
    uuids = {one for one in uuids - {"me", *accounts} if not one.startswith(ROOM)} | {
        person_of(name) or "" for name in accounts
    }
    friends = tuple(SandboxFriend(uuid, uuid) for uuid in sorted(uuids))
    plenty = Quotas(10**9, 10**9, 10**9, 10**9, 10**9)
    rooms = {key: SandboxRoom(key, name) for one in configs for name, key in one.rooms.items()}
    bot = SandboxBot(rooms=tuple(rooms.values()), key_prefix="")
    return Settings(friends=friends, quotas=plenty, bot=bot)


def _accounts(kakao: Kakao, names: Sequence[str]) -> dict[str, str]:
    """Return the accounts by the host that their requests name, and by Kakao's number."""
    numbers = {one.uuid: str(one.user_id) for one in kakao.settings.people}
    hosts = {url_of(name).partition("//")[2]: name for name in names}
    return hosts | {numbers[person_of(name) or ""]: name for name in names}


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"


class RememberedReading(Reading):
    """Goes on from where a reading of the same bytes has ended: reading is pure, and the same lines
    are read each minute."""

    memory: deque[tuple[bytes, Reading]] = msgspec.field(default_factory=deque)

    def followed_by(self, day: date, content: bytes) -> DayFile:
        if self.lines or not content:
            return Reading.followed_by(self, day, content)
        start = b""
        for beginning, before in self.memory:
            if len(beginning) > len(start) and content.startswith(beginning):
                start = beginning
                _become(self, before)
        found = Reading.followed_by(self, day, content[len(start) :])
        snapshot = Reading()
        _become(snapshot, self)
        self.memory.append((content[: self.offset], snapshot))
        return found


def _become(reading: Reading, other: Reading) -> None:
    for name in _READ:
        value = getattr(other, name)
        setattr(reading, name, value.copy() if isinstance(value, dict | list | set) else value)


_READ = tuple({*Reading.__struct_fields__} - {"read_line", "inode", "synced"})


DISK_CALLS = (
    ("write",),
    ("write",),
    ("fsync",),
    ("fsync",),
    ("replace",),
    ("open-write",),
    ("open",),
    ("read",),
    ("mkdir",),
    ("unlink",),
    ("truncate",),
    ("lock",),
)
_CHANGES = ("open-write", "write", "mkdir", "replace", "unlink", "truncate")
STANDING_DISK_FAULTS = (
    (errno.ENOSPC, ("write", "mkdir"), False),
    (errno.ENOSPC, ("write",), True),
    (errno.EROFS, _CHANGES, False),
    (errno.EIO, ("fsync",), False),
    (errno.EIO, ("write", "fsync", "replace"), False),
    (errno.EIO, ("read",), False),
)
CLOCK_STEPS = (1.0, 4.0, 6.0, 45.0, 100.0, 250.0, 900.0, 3600.0, 20_000.0, 86_400.0)
FAULTS = (
    "refuse", "stall", "stall-after", "cut-before", "cut-after", "half-before", "half", "html",
    "html-502", "500", "502+", "503", "504+", "429", "empty", "slow=3", "slow=30", "drip",
    "drip=2", "result-500", "result-500+", "no-uuid", "no-uuid+", "-1", "-1+", "-2", "-7", "-7+",
    "-10", "-401", "401-twice", "-402", "-532", "-603", "-603+", "-9798", "-9798+", "date=+3600",
    "early-hints", "early-hints=3", "early-hints=30",
)  # fmt: skip
UPLOAD_FAULTS = (
    "refuse", "unread", "stall", "stall-after", "cut-before", "cut-after", "half", "html", "500",
    "empty", "slow=3", "slow=30", "drip", "drip=2", "no-address", "picture-gone", "-1", "-401",
    "-402", "-602", "-606", "-911", "-9798", "429", "early-hints=30",
)  # fmt: skip
BOT_FAULTS = (
    "refuse", "stall", "stall-after", "cut-before", "cut-after", "half-before", "half", "html",
    "html-502", "500", "502+", "503", "429", "empty", "slow=3", "slow=30", "drip", "bot-1",
    "bot-1+", "bot-10", "bot-603+", "bot-870", "bot-870+", "bot-879", "bot-880", "bot-401",
    "bot-873", "bot-wait=30", "bot-wait=999999", "bot-counts-less+", "bot-counts-zero",
    "bot-counts-error", "bot-counts-missing+", "bot-cut-json+", "bot-no-code", "bot-code-text",
    "bot-elsewhere",
)  # fmt: skip
TOKEN_FAULTS = (
    "cut-after", "cut-before", "stall", "stall-after", "half", "html", "500", "KOE003", "KOE237",
    "rotate", "empty", "drip", "slow=3", "early-hints",
)  # fmt: skip
_FAULTS_BY_PATH = {TOKEN_PATH: TOKEN_FAULTS, UPLOAD_PATH: UPLOAD_FAULTS, SEND_PATH: BOT_FAULTS}
