"""A new message, or one whose times were changed, starts with its next slot."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kakaocron.delivery.tick import Ended
from kakaocron.errors import BugError, Exit, LedgerError
from kakaocron.installation import Edges, Installation
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.system.disk import Disk
from kakaocron.system.stderr import complain
from kakaocron.system.syscalls import RealDisk
from kakaocron.ticking.runner import run_full
from kakaocron.watching.overview import explain_minute, look
from tests.fakes import FakeClock, install, run_tick, texts


def message(name: str, text: str = "", **schedule: object) -> str:
    if "cron" not in schedule:
        schedule.setdefault("slots", '["regular", "peak"]')
    return f'[[message]]\nname = "{name}"\ntext = "{text or name} {{time:%H:%M}}"\n' + "".join(
        f"{key} = {value}\n" for key, value in schedule.items()
    )


def minutes(*minutes: int) -> str:
    return f"[schedule]\nregular_minutes = {list(minutes)}\npeak_hours = []\n"


class House:
    """An installation whose configuration changes from tick to tick."""

    def __init__(self, folder: Path, sandbox: SandboxServer, clock: FakeClock) -> None:
        self.folder, self.sandbox, self.clock = folder, sandbox, clock
        self.disk: Disk = RealDisk()

    def installation(self, config: str) -> Installation:
        return install(self.folder, self.sandbox, self.clock, config, disk=self.disk)

    def tick(self, clock: str, config: str) -> dict[str, State]:
        """Run a tick; return what became of what it settled or sent, by time."""
        self.clock.set(clock)
        ended = run_tick(self.installation(config)).ended
        return {f"{one.message} {one.slot:%H:%M}": one.state for one in ended.values()}

    @property
    def sent(self) -> Sequence[str]:
        return texts(self.sandbox)


@pytest.fixture
def house(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> House:
    return House(tmp_path, sandbox, clock)


HOURLY = minutes(0) + message("hourly")
AT_11 = HOURLY + message("new", cron='"11 * * * *"')


def test_a_new_message_sends_no_slot_that_is_older_than_itself(house: House) -> None:
    assert house.tick("05:10:01", HOURLY) == {}
    assert house.tick("05:18:01", AT_11) == {}
    assert house.tick("05:19:01", AT_11) == {}
    assert house.sent == []
    assert house.tick("06:11:01", AT_11) == {
        "hourly 06:00": State.MISSED,
        "new 06:11": State.CONFIRMED,
    }
    assert house.sent == ["new 06:11"]


@pytest.mark.parametrize(("minute", "is_sent"), [("05:10:59", False), ("05:11:00", True)])
def test_its_next_slot_may_be_that_of_the_minute_in_which_a_tick_first_sees_it(
    house: House, minute: str, is_sent: bool
) -> None:
    house.tick("05:10:01", HOURLY)
    assert house.tick(minute, AT_11) == ({"new 05:11": State.CONFIRMED} if is_sent else {})
    house.tick("05:12:01", AT_11)
    assert house.sent == ["new 05:11"]


CHANGES = {
    "minutes": (minutes(0) + message("m"), minutes(0, 15) + message("m")),
    "peak": (
        minutes(0) + message("m"),
        "[schedule]\nregular_minutes = [0]\npeak_minutes = [15]\npeak_hours = [5]\n" + message("m"),
    ),
    "kinds": (
        "[schedule]\nregular_minutes = [0]\npeak_minutes = [15]\npeak_hours = [5]\n"
        + message("m", slots='["regular"]'),
        "[schedule]\nregular_minutes = [0]\npeak_minutes = [15]\npeak_hours = [5]\n" + message("m"),
    ),
    "cron": (message("m", cron='"0 * * * *"'), message("m", cron='"0,15 * * * *"')),
    "days": (
        minutes(0, 15) + message("m", days='["tue"]'),
        minutes(0, 15) + message("m", days='["mon"]'),
    ),
    "quiet": (
        minutes(0, 15) + message("m", quiet='["05:10-05:20"]'),
        minutes(0, 15) + message("m"),
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_changed_times_send_no_slot_that_is_older_than_the_change(house: House, kind: str) -> None:
    before, after = CHANGES[kind]
    house.tick("05:10:01", before)
    house.tick("05:17:01", before)
    assert house.tick("05:18:01", after) == {}
    assert house.sent == []
    assert house.tick("06:00:01", after) == {"m 06:00": State.CONFIRMED}


def test_another_text_or_receiver_is_sent_at_once(house: House) -> None:
    friends = '[friends]\nmum = "uuid-aaa"\n'
    house.tick("05:10:01", friends + HOURLY)
    changed = friends + minutes(0) + message("hourly", text="changed", to='["me"]')
    house.tick("06:02:01", changed)
    assert house.sent == ["changed 06:00"]


def test_what_the_old_times_owed_while_no_tick_ran_is_on_record(house: House) -> None:
    house.tick("05:10:01", minutes(0, 30) + message("m"))
    changed = minutes(15, 45) + message("m")
    assert house.tick("06:50:01", changed) == {
        "m 05:30": State.MISSED,
        "m 06:00": State.MISSED,
        "m 06:30": State.MISSED,
    }
    assert house.tick("07:15:01", changed) == {"m 07:15": State.CONFIRMED}


def test_what_the_old_times_owe_still_is_sent(house: House) -> None:
    house.tick("05:29:01", minutes(0, 30) + message("m"))
    assert house.tick("05:33:01", minutes(15, 45) + message("m")) == {"m 05:30": State.CONFIRMED}


def test_a_message_that_was_away_for_a_time_is_new_again(house: House) -> None:
    house.tick("05:10:01", AT_11)
    house.tick("05:12:01", HOURLY)
    assert house.tick("06:14:01", AT_11) == {"hourly 06:00": State.MISSED}
    assert house.tick("07:11:01", AT_11) == {
        "hourly 07:00": State.MISSED,
        "new 07:11": State.CONFIRMED,
    }


def test_an_installation_that_noted_nothing_yet_goes_on_as_it_was(house: House) -> None:
    house.tick("05:10:01", HOURLY)
    (house.folder / "data" / "timetables.json").unlink()
    assert house.tick("06:03:01", HOURLY) == {"hourly 06:00": State.CONFIRMED}


def test_status_and_explain_tell_of_no_slot_before_a_change(house: House) -> None:
    house.tick("05:10:01", HOURLY)
    house.clock.set("05:18:01")
    installation = house.installation(AT_11)
    for _ in range(2):  # before a tick has seen it, and after
        assert look(installation).unseen == ()
        told = explain_minute(installation, installation.clock.now().replace(minute=11, second=0))
        (found,) = told.messages
        assert found.reason is Reason.NO_SLOT
        assert "'new' was added at 2026-11-23 05:18:00" in found.why
        assert not told.is_expected
        run_tick(installation)
    house.clock.set("05:40:01")
    later = house.installation(HOURLY + message("new", cron='"11,30 * * * *"'))
    told = explain_minute(later, later.clock.now().replace(minute=30, second=0))
    assert "the times of 'new' were changed at 2026-11-23 05:40:00" in told.messages[0].why


def test_a_file_that_nobody_can_read_stops_the_sending_and_is_named(house: House) -> None:
    house.tick("05:10:01", HOURLY)
    path = house.folder / "data" / "timetables.json"
    path.write_text("{")
    with pytest.raises(LedgerError, match=r"timetables\.json' cannot be read") as caught:
        house.tick("06:00:01", HOURLY)
    assert "remove it" in caught.value.mend
    assert house.sent == []
    path.unlink()
    house.tick("06:01:01", HOURLY)
    assert house.sent == ["hourly 06:00"]


class FullDisk(RealDisk):
    """Takes no new timetables."""

    def replace(self, source: str, target: str) -> None:
        if target.endswith("timetables.json"):
            raise OSError(errno.ENOSPC, "No space left on device")
        super().replace(source, target)


def test_times_that_cannot_be_noted_stop_the_sending_until_they_can_be(house: House) -> None:
    house.tick("05:10:01", HOURLY)
    house.disk = FullDisk()
    with pytest.raises(LedgerError, match="cannot be written"):
        house.tick("05:11:01", AT_11)
    assert house.sent == []
    house.tick("06:00:01", HOURLY)  # what is noted already needs no writing
    house.disk = RealDisk()
    house.tick("06:11:01", AT_11)
    assert house.sent == ["hourly 06:00", "new 06:11"]


def test_a_tick_that_stopped_once_it_noted_a_message_leaves_its_slot_to_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tick("05:10:01", HOURLY)

    def stop(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("kakaocron.delivery.tick.decide_by", stop)
        with pytest.raises(BugError):
            house.tick("05:11:01", AT_11)
    assert house.tick("05:12:01", AT_11) == {"new 05:11": State.CONFIRMED}


class SavedMeanwhile(RealDisk):
    """Somebody saves another configuration whenever a tick takes a lock, for so many times."""

    def __init__(self, path: Path, times: int) -> None:
        self.path, self.times = path, times

    def try_lock(self, fd: int) -> bool:
        if self.times:
            self.times -= 1
            self.path.write_text(f"{self.path.read_text('utf-8')}\n", "utf-8")
        return super().try_lock(fd)


def tick_while_saved(house: House, before: str, after: str, times: int) -> Ended:
    """Run a tick that reads one configuration at first, and another one from then on."""
    path = house.folder / "config.toml"
    path.write_text("", "utf-8")
    house.disk = SavedMeanwhile(path, times)
    given = iter([before])
    edges = Edges(clock=house.clock, disk=house.disk)
    places = house.installation(before).places

    def load() -> Installation:
        return house.installation(next(given, after))

    return run_full(places, edges, load, complain)


def test_a_tick_that_was_stopped_before_it_held_the_lock_goes_by_the_configuration_of_now(
    house: House,
) -> None:
    house.tick("05:10:01", AT_11)
    house.clock.set("05:11:01")
    ended = tick_while_saved(house, before=AT_11, after=HOURLY, times=1)
    assert (ended.exit_code, ended.is_complete, house.sent) == (Exit.FINE, True, [])


@pytest.mark.parametrize(("times", "sent"), [(1, 1), (2, 1), (3, 0)])
def test_a_configuration_that_is_saved_again_and_again_is_the_next_ticks(
    house: House, times: int, sent: int
) -> None:
    house.tick("05:10:01", AT_11)
    house.clock.set("05:11:01")
    ended = tick_while_saved(house, before=AT_11, after=AT_11, times=times)
    assert (ended.exit_code, len(house.sent)) == (Exit.FINE, sent)
    house.tick("05:12:01", AT_11)
    assert house.sent == ["new 05:11"]
