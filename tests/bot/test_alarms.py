"""What people are told of a bot by which nothing goes: once, however many messages it was for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kakaocron.rehearsal.sandbox.bots import BOT_ERRORS
from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.bot.rooms import DRIVERS, LEFT, ORDERS, with_rooms
from tests.fakes import MESSAGE, FakeClock, ended_tick

SECOND = MESSAGE.replace('"report"', '"orders"') + f'to = ["{ORDERS}", "me"]\n'


def tick(folder: Path, sandbox: SandboxServer, clock: FakeClock, at: str) -> list[dict[str, str]]:
    """Run the tick of a minute by two messages; return the alarms that have been told so far."""
    clock.set(at)
    file = folder / "told"
    command = json.dumps(["sh", "-c", f"cat >>{file}; echo >>{file}"])
    monitor = f"[monitor]\nalert_command = {command}\nmin_success_rate = 0\n"
    message = SECOND + MESSAGE
    here = with_rooms(folder, sandbox, clock, DRIVERS, message=message, more=monitor)
    ended_tick(here, disk=here.edges.disk)
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [alarm for line in lines for alarm in json.loads(line)["alarms"]]


@pytest.mark.parametrize("code", [-401, -873, -5, -12])
def test_a_bot_by_which_nothing_goes_is_one_trouble_with_an_end(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, code: int
) -> None:
    tick(tmp_path, sandbox, clock, "09:15:01")
    sandbox.faults.replace(f"bot{code}")
    for at in ("09:30:01", "09:31:01", "09:45:01"):
        alarms = tick(tmp_path, sandbox, clock, at)
    (begun,) = alarms
    assert (begun["turn"], begun["key"]) == ("begun", "bot")
    assert f"({code}: {BOT_ERRORS[code][1]})" in begun["sentence"]
    sandbox.faults.replace()
    over = tick(tmp_path, sandbox, clock, "10:00:01")[-1]

    assert (over["turn"], over["key"]) == ("over", "bot")
    assert over["sentence"] == "Over: Kakao takes the bot's messages again"


def test_a_room_that_the_bot_has_left_is_a_trouble_of_its_message(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    tick(tmp_path, sandbox, clock, "09:15:01")
    sandbox.kakao.bot.rooms["bgk_sandbox0001"].has_bot = False
    tick(tmp_path, sandbox, clock, "09:30:01")
    (alarm,) = tick(tmp_path, sandbox, clock, "09:45:01")

    assert alarm["key"] == "delivery:report"
    assert "Invite the bot into the room" in alarm["sentence"]
    assert LEFT not in alarm["sentence"]
