"""Real processes that run out of something, or are told to end, with messages in flight.

The sandbox says what arrived; the ledger must say the same.
"""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from kakaocron.config.reading import load_config
from kakaocron.config.schema import Message
from kakaocron.delivery import landing
from kakaocron.delivery.channel import Flight
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.tick import Ended
from kakaocron.errors import Cause
from kakaocron.installation import Edges, Installation, assemble, make_heartbeat, make_ledger
from kakaocron.kakao.channel import KakaoTalk
from kakaocron.kakao.tokens import from_json
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import Event
from kakaocron.ledger.files import FileBook, FileLedger
from kakaocron.messages.making import Contents
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.system.clock import SystemClock
from kakaocron.system.disk import Disk, locked
from kakaocron.system.env_file import read_env_file
from kakaocron.system.interrupts import SIGNALS, Signals
from kakaocron.system.places import Places
from kakaocron.system.syscalls import RealDisk
from kakaocron.ticking.runner import run_full
from tests.fakes import kakao_section, wait_for_a_minute_with

TICK = [sys.executable, "-m", "kakaocron", "tick"]
NAMES = ("a", "b", "c", "d")
ASKING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
MESSAGES = "".join(
    f'\n[[message]]\nname = "{name}"\nslots = ["regular"]\ntext = "{name}"\n' for name in NAMES
)
# A user of nobody else's, so that the kernel counts the threads of this test's process alone.
SOMEBODY = 61_234 + os.getpid() % 1000
SECONDS = 90


@dataclass(frozen=True)
class House:
    """Four messages that are due now, one user's files, and the sandbox."""

    folder: Path
    sandbox: SandboxServer

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "KAKAOCRON_CONFIG": str(self.folder / "config.toml"),
            "KAKAOCRON_DATA_DIR": str(self.folder / "data"),
            "KAKAOCRON_LOG_DIR": str(self.folder / "log"),
            "XDG_RUNTIME_DIR": str(self.folder),
        }

    def configure(self, more: str = "", *, ahead: timedelta = timedelta(0)) -> None:
        at = datetime.now(KST) + ahead
        schedule = f"\n[schedule]\nregular_minutes = [{at.minute}]\npeak_hours = []\n"
        text = kakao_section(self.sandbox, timeout=8) + schedule + more + MESSAGES
        (self.folder / "config.toml").write_text(text, "utf-8")
        login = self.sandbox.kakao.issue_login(datetime.now(KST))
        (self.folder / ".env").write_text(f"KAKAO_REFRESH_TOKEN={login.refresh_token}\n")

    def start(
        self,
        limits: Callable[[], object] = lambda: None,
        command: Sequence[str] = TICK,
        user: int | None = None,
        out: IO[str] | None = None,
    ) -> subprocess.Popen[str]:
        def before() -> None:
            for number in ASKING:  # behind a shell's `&`, what is ignored is inherited
                signal.signal(number, signal.SIG_DFL)
            limits()

        if user is not None:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, user, user)
            # Python itself may lie where only root reads.
            caps = "-all,+dac_read_search"
            ids = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
            command = ["setpriv", *ids, f"--inh-caps={caps}", f"--ambient-caps={caps}", *command]
        return subprocess.Popen(
            list(command), env=self.environment, text=True,
            stderr=out or subprocess.PIPE, stdout=out or subprocess.DEVNULL,
            preexec_fn=before,  # noqa: PLW1509
        )  # fmt: skip

    def deliveries(self) -> dict[str, Delivery]:
        places = Places(self.folder / "config.toml", self.folder / "data", self.folder / "log", {})
        ledger = make_ledger(places, Edges())
        return {one.message: one for one in ledger.read(ledger.days()).deliveries.values()}

    def received(self) -> Counter[str]:
        return Counter(delivery.text for delivery in self.sandbox.deliveries)

    def wait_for_requests(self, count: int, path: str = "/send") -> None:
        deadline = time.monotonic() + 30
        while sum(one.path.endswith(path) for one in self.sandbox.requests) < count:
            log = self.folder / "log" / "kakaocron.log"
            assert time.monotonic() < deadline, (
                [(one.path, one.outcome) for one in self.sandbox.requests],
                log.read_text() if log.exists() else "no log",
            )
            time.sleep(0.01)

    def is_truthful(self) -> Counter[State]:
        """Compare what arrived with what the ledger says; return how many came to what."""
        received, known = self.received(), self.deliveries()
        for name in NAMES:
            state = known[name].state if name in known else State.SCHEDULED
            assert received[name] == (state is State.CONFIRMED), (name, state, known.get(name))
        return Counter(one.state for one in known.values())


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return how a process ended, and what it said."""
    try:
        _, said = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    return process.returncode, said


@contextmanager
def a_house() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="kakaocron-endings-"))
    folder.chmod(0o755)
    try:
        with SandboxServer(Kakao(seed=3), lambda: datetime.now(KST)) as sandbox:
            house = House(folder, sandbox)
            house.configure()
            yield house
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def house() -> Iterator[House]:
    wait_for_a_minute_with(15)
    with a_house() as found:
        yield found


def at_most(what: int, count: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(what, (count, count))


@pytest.mark.skipif(os.geteuid() != 0, reason="root has no limit, and only root becomes another")
@pytest.mark.parametrize("threads", [1, 2, 3, 4, 6])
def test_without_threads_enough_messages_go_one_after_another(house: House, threads: int) -> None:
    house.sandbox.answer_delay_seconds = 0.1
    limit = at_most(resource.RLIMIT_NPROC, threads)
    ended = finish(house.start(limit, user=SOMEBODY))

    assert (house.is_truthful(), ended) == ({State.CONFIRMED: 4}, (0, ""))


@pytest.mark.parametrize("descriptors", range(5, 20))
def test_without_descriptors_enough_the_ledger_tells_what_arrived(
    house: House, descriptors: int
) -> None:
    house.sandbox.answer_delay_seconds = 0.3
    code, said = finish(house.start(at_most(resource.RLIMIT_NOFILE, descriptors)))
    states = house.is_truthful()

    assert code in ({0, 74} if descriptors < 10 else {0})
    assert states.keys() <= {State.CONFIRMED, State.RETRYING}
    assert "Traceback" not in said


@pytest.mark.parametrize("megabytes", [36, 44, 52, 70, 160])
def test_without_memory_enough_the_ledger_tells_what_arrived(house: House, megabytes: int) -> None:
    house.sandbox.answer_delay_seconds = 0.3

    def limits() -> None:
        at_most(resource.RLIMIT_AS, megabytes << 20)()
        at_most(resource.RLIMIT_CPU, 5)()

    code, _ = finish(house.start(limits))
    if code in {-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGABRT}:
        # CPython 3.11.7 may turn in a circle inside an import that finds no memory, and let no
        # other thread run: somebody has to kill it; or it ends by abort (3.11.2, Debian 12). What
        # arrived has a claim, and none went twice.
        claimed = {State.SENDING, State.CONFIRMED}
        known = house.deliveries()
        assert all(known[name].state in claimed for name in house.received().elements())
        assert max(house.received().values(), default=0) <= 1
        return
    states = house.is_truthful()

    log = house.folder / "log" / "kakaocron.log"
    if not log.exists():  # Python 3.14 itself does not come so far with the least of them
        assert states.keys() <= {State.SCHEDULED}
        assert house.received().total() == 0
        return
    assert code in {0, 74}, log.read_text()
    if code == 0:
        assert states.keys() <= {State.CONFIRMED, State.RETRYING}


@pytest.mark.parametrize("number", ASKING)
def test_told_to_end_a_tick_waits_for_what_is_in_flight_and_records_it(
    house: House, number: int
) -> None:
    house.sandbox.answer_delay_seconds = 1.5
    process = house.start()
    house.wait_for_requests(4)
    process.send_signal(number)
    ended = finish(process)

    assert (house.is_truthful(), ended) == ({State.CONFIRMED: 4}, (130, ""))


def test_told_to_end_a_tick_waits_for_ten_seconds_at_most(house: House) -> None:
    house.sandbox.faults.enqueue("slow=30")
    process = house.start()
    house.wait_for_requests(4)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    ended = finish(process)

    assert ended == (130, "")
    assert time.monotonic() - began < 14
    states = Counter((one.state, one.reason) for one in house.deliveries().values())
    assert states == {(State.CONFIRMED, None): 3, (State.UNKNOWN, Reason.READ_TIMEOUT): 1}


def test_two_signals_at_once_are_one_and_a_later_one_ends_at_once(house: House) -> None:
    house.sandbox.answer_delay_seconds = 7  # of the token too, within the 8 that a request may take
    process = house.start()
    house.wait_for_requests(4)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGHUP)
    time.sleep(2.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()

    assert finish(process) == (130, "")
    assert time.monotonic() - began < 4


def test_what_has_no_place_yet_is_not_claimed_after_a_signal(house: House) -> None:
    house.configure("\n[delivery]\nat_once = 2\n")
    house.sandbox.answer_delay_seconds = 1.5
    process = house.start()
    house.wait_for_requests(2)
    process.send_signal(signal.SIGTERM)
    ended = finish(process)

    assert (house.is_truthful(), ended) == ({State.CONFIRMED: 2}, (130, ""))


@pytest.mark.parametrize("number", ASKING)
def test_told_to_end_before_its_slot_a_tick_leaves_at_once(house: House, number: int) -> None:
    left = 60 - time.time() % 60
    if left < 25:
        time.sleep(left + 0.2)
    house.configure("early_start = true\n", ahead=timedelta(minutes=1))
    process = house.start()
    house.wait_for_requests(1, "/oauth/token")
    time.sleep(0.3)
    process.send_signal(number)
    began = time.monotonic()
    ended = finish(process)

    assert (ended, house.deliveries()) == ((130, ""), {})
    assert time.monotonic() - began < 1.0


def wait_for_python(process: subprocess.Popen[str]) -> None:
    """Wait until Python has come to our first line: SIGTERM is not left to the kernel any more."""
    while True:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)  # type: ignore[index]
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        assert process.poll() is None


@pytest.mark.parametrize("number", ASKING)
@pytest.mark.parametrize("command", ["tick", "status"])
def test_a_signal_while_it_starts_ends_with_130_and_says_nothing(
    house: House, number: int, command: str
) -> None:
    house.sandbox.answer_delay_seconds = 0.5
    for seconds in (0, 0.02, 0.05, 0.1, 0.15, 0.2):
        process = house.start(command=[*TICK[:-1], command])
        wait_for_python(process)
        time.sleep(seconds)
        process.send_signal(number)

        assert finish(process) in {(130, ""), (0, "")}
    house.is_truthful()


def test_a_signal_where_python_forgets_what_is_raised_comes_once_more() -> None:
    code = "import signal\n\ndef cb():\n    signal.raise_signal(signal.SIGTERM)\n"
    names: dict[str, Any] = {}
    exec(compile(code, "<frozen importlib._bootstrap>", "exec"), names)
    Signals().catch()

    names["cb"]()
    with pytest.raises(KeyboardInterrupt):
        time.sleep(30)


def test_what_the_caller_ignores_is_ignored(house: House) -> None:
    """As nohup(1) does, and a shell for what runs in its background."""
    house.sandbox.answer_delay_seconds = 1
    process = house.start(lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    house.wait_for_requests(4)
    process.send_signal(signal.SIGHUP)

    assert finish(process) == (0, "")
    assert house.is_truthful() == {State.CONFIRMED: 4}


class RefusingDisk(RealDisk):
    """Takes nothing of the ledger while it is told so."""

    def __init__(self, refuses: Callable[[], bool], number: int = errno.ENOSPC) -> None:
        self._refuses, self._number = refuses, number

    def fsync(self, fd: int) -> None:
        if "/ledger/" in str(Path(f"/proc/self/fd/{fd}").readlink()) and self._refuses():
            raise OSError(self._number, os.strerror(self._number))
        super().fsync(fd)


def in_this_process(house: House, disk: Disk | None = None) -> Installation:
    places = Places(
        house.folder / "config.toml",
        house.folder / "data",
        house.folder / "log",
        read_env_file(str(house.folder / ".env"), {}),
    )
    return assemble(places, load_config(places.config, None), Edges(disk=disk or RealDisk()))


def told(installation: Installation, **edges: Any) -> tuple[Ended, list[str]]:
    """Run a tick in this process; return how it ended and what it said."""
    said: list[str] = []
    places, config, disk = installation.places, installation.config, installation.edges.disk
    around = Edges(disk=disk, **edges)
    made = assemble(places, config, around)
    return run_full(places, around, lambda: made, said.append), said


def test_what_arrived_is_recorded_when_the_disk_takes_it_again(house: House) -> None:
    until = [0.0]

    def refuses() -> bool:
        if house.received() and not until[0]:
            until[0] = time.monotonic() + 2
        return time.monotonic() < until[0]

    ended, said = told(in_this_process(house, RefusingDisk(refuses)))

    assert house.is_truthful() == {State.CONFIRMED: 4}
    assert ended.exit_code == 74
    assert "may have arrived" not in said[0]


def test_exit_74_says_how_many_messages_may_have_arrived(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "RECORDING_SECONDS", 0.5)
    ended, said = told(in_this_process(house, RefusingDisk(lambda: bool(house.received()))))

    assert house.received() == dict.fromkeys(NAMES, 1)
    assert (ended.exit_code, len(said)) == (74, 1)
    assert "(No space left on device); 4 messages may have arrived: a@" in said[0]
    assert "nothing was sent" not in said[0]


@pytest.mark.parametrize("seconds", [1.0, None])
def test_a_lock_held_by_another_while_outcomes_wait_is_waited_for(
    house: House, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a process that is stopped in its middle."""
    monkeypatch.setattr(landing, "RECORDING_SECONDS", 2.0)
    monkeypatch.setattr(
        "kakaocron.installation.make_ledger",
        lambda places, edges: FileLedger(
            places.ledger, edges.disk, edges.clock, make_heartbeat(places, edges.disk), 0.4
        ),
    )
    house.sandbox.answer_delay_seconds = 0.5
    installation = in_this_process(house)
    path = f"{installation.places.ledger}.lock"
    held = threading.Event()

    def hold() -> None:
        house.wait_for_requests(4)
        with locked(RealDisk(), SystemClock(), path, 10):
            held.wait(seconds)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        ended, said = told(installation)
    finally:
        held.set()
        thread.join()
    if seconds is None:
        assert ended.exit_code == 74
        assert "another process holds its lock); 4 messages may have arrived" in said[0]
    else:
        assert (ended.exit_code, house.is_truthful()) == (75, {State.CONFIRMED: 4})
        assert "what was on its way is recorded" in said[0]


def test_a_bug_in_a_channel_ends_with_70_once_the_others_are_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = KakaoTalk.deliver

    def broken(self: KakaoTalk, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        if parcel.text == "b":
            raise ZeroDivisionError
        deliver(self, parcel, to, flight)
        if parcel.text == "c":
            raise ZeroDivisionError

    monkeypatch.setattr(KakaoTalk, "deliver", broken)
    ended, said = told(in_this_process(house))

    assert house.is_truthful() == {State.CONFIRMED: 3, State.RETRYING: 1}
    assert (ended.exit_code, len(said)) == (70, 1)
    assert "ZeroDivisionError" in said[0]


def test_a_bug_in_making_ends_with_70_once_the_others_are_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_message = Contents.of_message

    def broken(self: Contents, message: Message, *more: Any) -> Parcel:
        if message.name == "b":
            raise ZeroDivisionError
        return of_message(self, message, *more)

    monkeypatch.setattr(Contents, "of_message", broken)
    ended, _ = told(in_this_process(house))

    assert house.is_truthful() == {State.CONFIRMED: 3, State.RETRYING: 1}
    assert house.deliveries()["b"].reason is Reason.CONTENT_FAILED
    assert house.deliveries()["b"].cause == Cause("not-made", {"error": "ZeroDivisionError"})
    assert ended.exit_code == 70


@pytest.mark.parametrize("error", [OSError(errno.EAGAIN, "no process"), MemoryError()])
def test_what_cannot_be_made_for_want_of_a_process_is_tried_again(
    house: House, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poor(*_: Any) -> Parcel:
        raise error

    monkeypatch.setattr(Contents, "of_message", poor)
    ended, said = told(in_this_process(house))

    assert house.is_truthful() == {State.RETRYING: 4}
    assert {one.reason for one in house.deliveries().values()} == {Reason.CONTENT_FAILED}
    assert (ended.exit_code, said) == (0, [])


@pytest.mark.parametrize("error", [RuntimeError("as if"), MemoryError(), KeyboardInterrupt()])
def test_an_error_between_claim_and_start_leaves_no_claim_that_nobody_ends(
    house: House, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = FileBook.record
    claims = Counter[str]()

    def record_and_stumble(self: FileBook, events: Sequence[Event]) -> Any:
        found = record(self, events)
        claims.update(type(event).__name__ for event in events)
        if claims["Claim"] and not claims["raised"]:
            claims["raised"] += 1
            raise error
        return found

    monkeypatch.setattr(FileBook, "record", record_and_stumble)
    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            told(in_this_process(house))
    else:
        ended, _ = told(in_this_process(house))
        assert ended.exit_code == (0 if isinstance(error, MemoryError) else 70)

    states = house.is_truthful()
    assert states.keys() <= {State.RETRYING, State.CONFIRMED}
    assert states[State.RETRYING] == claims["Claim"] - states[State.CONFIRMED] > 0


def test_a_clock_set_during_the_wait_for_the_last_flights_does_not_prolong_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.sandbox.faults.enqueue("slow=6", "slow=6", "slow=6", "slow=6")
    clock = SystemClock()
    offset = [timedelta(0)]
    now = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda self: now(self) + offset[0])

    def set_back() -> None:
        house.wait_for_requests(4)
        offset[0] = -timedelta(seconds=4)  # less than the slack by which a lease is trusted
        SIGNALS.is_asked = True

    thread = threading.Thread(target=set_back)
    thread.start()
    began = clock.monotonic()
    with pytest.raises(KeyboardInterrupt):
        told(in_this_process(house))
    thread.join()

    assert house.is_truthful() == {State.CONFIRMED: 4}
    assert clock.monotonic() - began < 13


@pytest.mark.parametrize("command", [["send", "x"], ["send", "--message", "a"]])
@pytest.mark.parametrize("number", ASKING)
def test_told_to_end_a_manual_send_records_how_it_ended(
    house: House, number: int, command: list[str]
) -> None:
    house.sandbox.answer_delay_seconds = 1.5
    process = house.start(command=[*TICK[:-1], *command])
    house.wait_for_requests(1)
    process.send_signal(number)

    assert finish(process) == (130, "")
    (found,) = house.deliveries().values()
    assert (found.state, house.received().total()) == (State.CONFIRMED, 1)


@pytest.mark.parametrize("number", ASKING)
@pytest.mark.parametrize(
    ("command", "ready"),
    [
        (["sandbox", "--port", "0"], "listens"),
        (["serve", "--port", "0"], "kakaocron is at"),
        (["simulate", "--days", "300"], None),
        (["demo"], None),
        (["status", "--watch"], None),
    ],
)
def test_other_commands_end_with_130_too(
    house: House, command: list[str], ready: str | None, number: int
) -> None:
    out = house.folder / "out"
    with out.open("w") as file:
        process = house.start(command=[*TICK[:-1], *command], out=file)
        deadline = time.monotonic() + 30
        if ready is None:
            wait_for_python(process)
            time.sleep(0.6)
        while ready is not None and ready not in out.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        code, _ = finish(process)

    may_be_over = command[0] in {"serve", "status", "demo"}  # a whole demo takes three seconds
    assert code in {130, 0} if may_be_over else code == 130
    assert "Traceback" not in out.read_text()


@pytest.mark.parametrize("number", ASKING)
def test_a_renewal_in_the_main_thread_or_beside_it_reaches_the_disk(
    house: House, number: int
) -> None:
    house.sandbox.faults.enqueue("slow=1.5@/oauth/token")
    process = house.start(command=[*TICK[:-1], "friends"])
    house.wait_for_requests(1, "/oauth/token")
    process.send_signal(number)

    assert finish(process)[0] == 130
    assert from_json((house.folder / "data" / "tokens.json").read_bytes()).access_token


def test_a_tick_killed_after_its_request_left_may_have_sent(house: House) -> None:
    house.sandbox.answer_delay_seconds = 5
    process = house.start()
    house.wait_for_requests(4)
    process.kill()
    finish(process)
    found = house.deliveries()["a"]
    said = [
        subprocess.run(
            [*TICK[:-1], *command], capture_output=True, text=True, check=True,
            env=house.environment,
        ).stdout
        for command in (["show", found.id], ["explain", f"{found.slot:%Y-%m-%d %H:%M}"])
    ]  # fmt: skip

    for text in said:
        assert "may have been sent" in text
        assert "nothing sent" not in text
