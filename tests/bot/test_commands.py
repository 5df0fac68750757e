"""What a person sees of rooms: the configuration, the doctor, the preview, and nothing of them
where there are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kakaocron.config.reading import ConfigError, parse_config
from kakaocron.doctor.bot import bot
from kakaocron.doctor.finding import Bench, Status
from kakaocron.doctor.login import login
from kakaocron.host.crontab import Job
from kakaocron.host.probe import Machine
from kakaocron.installation import Installation
from kakaocron.messages.faults import faults
from kakaocron.messages.making import Contents
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.programs import Programs
from kakaocron.watching.overview import health_of, look
from tests.bot.rooms import BOT, DRIVERS, ID, KEYS, LEFT, config, in_rooms, with_rooms
from tests.fakes import MESSAGE, FakeClock, install, kakao_section, run_tick
from tests.host.test_crontab import FakeCrontab
from tests.test_cli import Shell, shell

__all__ = ["shell"]


@pytest.fixture
def rooms(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("KAKAO_BOT_TOKEN", BOT.token)
    written = kakao_section(shell.sandbox) + config(shell.sandbox)
    (tmp_path / "config.toml").write_text(written, "utf-8")
    return shell


def test_the_list_has_names_keys_and_messages(rooms: Shell) -> None:
    found = rooms.json("rooms")

    assert found[0] == {"name": DRIVERS, "key": KEYS[DRIVERS], "messages": ["report"]}
    assert [one["name"] for one in found] == list(KEYS)
    assert DRIVERS in rooms.run("rooms")[1]


def test_a_day_by_commands(rooms: Shell) -> None:
    rooms.clock.set("09:30:01")
    assert rooms.run("tick")[0] == 0
    assert rooms.run("send", "지금", "--to", DRIVERS)[0] == 0
    code, _, err = rooms.run("send", "거기", "--to", LEFT)
    assert code == 1
    assert "the bot is not in this room (-880" in err
    assert "Invite the bot into the room" in err

    assert [text for _, text in in_rooms(rooms.sandbox)] == ["보고 2026-11-23 09:30", "지금"]
    (sent,) = [one for one in rooms.json("history") if one["id"] == ID]
    assert (sent["to"], sent["state"]) == ([f"room:{DRIVERS}"], "confirmed")
    assert sent["channel"] == "bot"
    assert DRIVERS in rooms.run("history")[1]
    assert "room:" not in rooms.run("history")[1]
    assert "room:" not in rooms.run("status")[1]


@pytest.mark.parametrize(
    ("option", "said"), [("--image", "no picture"), ("--link", "no link"), ("--button", "no link")]
)
def test_what_a_room_does_not_show_is_refused_by_hand_too(
    option: str, said: str, rooms: Shell
) -> None:
    code, _, err = rooms.run("send", "지금", "--to", DRIVERS, option, "https://a.example")

    assert code == 2
    assert said in err
    assert in_rooms(rooms.sandbox) == []


def test_the_preview_shows_the_bubble_and_its_limit(rooms: Shell) -> None:
    out = rooms.run("preview", "--at", "10:00")[1]

    assert "21 of 1000 characters".replace("21", str(len("보고 2026-11-23 10:00"))) in out
    assert json.loads("{" + out.partition("{")[2]) == {
        "simpleText": {"text": "보고 2026-11-23 10:00"}
    }


BAD = {
    "no key": ('"a" = ""', "must be a room's key"),
    "a key of two lines": ('"a" = "bgk_1\\n2"', "must be a room's key"),
    "a number": ('"a" = 5', "must be a room's key"),
    "no name": ('" " = "bgk_1234"', "a room's name"),
    "a long name": (f'"{"가" * 65}" = "bgk_1234"', "up to 64 characters"),
    "me": ('me = "bgk_1234"', "'me' is yourself"),
    "a friend's name": ('"지우" = "bgk_1234"', "in [friends] too"),
    "a room twice": ('a = "bgk_1234"\nb = "bgk_1234"', "the same room as 'a'"),
}


@pytest.mark.parametrize("what", BAD)
def test_each_mistake_in_rooms_has_its_sentence(what: str) -> None:
    written, said = BAD[what]
    text = f'[friends]\n"지우" = "uuid-aaa"\n[rooms]\n{written}\n{MESSAGE}'
    with pytest.raises(ConfigError) as raised:
        parse_config(text, "config.toml")

    assert said in str(raised.value)
    assert raised.value.faults[0].keys[0] == "rooms"
    assert [one.name for one in raised.value.rest.message] == ["report"]


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://kapi.kakao.com", "https://"), ("x", "must be an address"), ("https://a@b", "@")],
)
def test_the_bots_address_is_checked(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_config(f'[bot]\nurl = "{url}"\n', "config.toml")


@pytest.mark.parametrize(
    ("content", "to", "key"),
    [
        ("template_id = 5", [DRIVERS], "template_id"),
        ('scrap_url = "https://a.example"', ["me", DRIVERS], "scrap_url"),
        ('text = "x"\nlink = "https://a.example"', [DRIVERS], "link"),
        ('text = "x"\nlink = "https://a.example"', ["me", DRIVERS], None),
        (f'text = "{"가" * 201}"', [DRIVERS], None),
        (f'text = "{"가" * 201}"', ["me", DRIVERS], "text"),
        (f'text = "{"가" * 1001}"', [DRIVERS], "text"),
        ('text = "x"', ["기사 방"], "to"),
    ],
)
def test_what_a_room_does_not_take_is_found_beforehand(
    content: str, to: list[str], key: str | None, tmp_path: Path
) -> None:
    message = f'[[message]]\nname = "a"\nslots = ["regular"]\n{content}\n'
    message += f"to = {json.dumps(to, ensure_ascii=False)}\n"
    loaded = parse_config(f'[rooms]\n"{DRIVERS}" = "bgk_1234"\n{message}', "config.toml")
    found = list(faults(Contents(loaded, tmp_path, Programs({})), None))

    assert {keys[-1] for keys, _ in found} == ({key} if key else set())


# --- the doctor


def findings(here: Installation) -> dict[str, tuple[Status, str]]:
    crontab, job = FakeCrontab(None), Job(("kakaocron",), here.places.config)
    bench = Bench(here.places, Machine(), crontab, job, here.clock.now(), here)
    return {
        one.name: (one.status, f"{one.what} {one.mend}") for one in [*bot(bench), *login(bench)]
    }


def test_the_doctor_asks_whether_kakao_takes_the_token_and_sends_nothing(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    found = findings(with_rooms(tmp_path, sandbox, clock))

    assert found["bot-accepted"][0] is Status.OK
    assert found["bot-server"][0] is Status.WARN
    assert "no message goes to 주문방" in found["rooms"][1]
    assert "not needed" in found["login"][1]
    assert sandbox.deliveries == []
    assert [one.path for one in sandbox.requests] == ["/v1/bot/guide"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"token": None}, "register the address"),
        ({"is_address_registered": False}, "register the address"),
        ({"exists": False}, "the app has no valid bot"),
    ],
)
def test_the_doctor_says_what_ails_the_bot(
    change: dict[str, object],
    said: str,
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    vars(sandbox.kakao.bot).update(change)
    status, words = findings(with_rooms(tmp_path, sandbox, clock))["bot-accepted"]

    assert status is Status.FAIL
    assert said in words


def test_without_a_token_the_doctor_names_the_variable(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    found = findings(with_rooms(tmp_path, sandbox, clock, token=None))

    assert "KAKAO_BOT_TOKEN" in found["bot-token"][1]
    assert "bot-accepted" not in found


def test_without_rooms_nobody_hears_of_a_bot(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    found = findings(install(tmp_path, sandbox, clock))

    assert not [name for name in found if "bot" in name or "room" in name]


# --- health


def test_who_sends_to_rooms_alone_needs_no_login(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, login=False)
    run_tick(here)

    assert in_rooms(sandbox) == [(DRIVERS, "보고 2026-11-23 09:30")]
    assert health_of(look(here), here.config.monitor).problems == ()


def test_no_module_of_the_bot_is_loaded_without_rooms(rooms: Shell, tmp_path: Path) -> None:
    def loaded() -> list[str]:
        script = (
            "import sys; from kakaocron.cli import run; run(['tick']); run(['status']);"
            "print([m for m in sys.modules if m.startswith(('kakaocron.bot', 'websockets'))])"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        return list(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))

    with_them = loaded()
    (tmp_path / "config.toml").write_text(kakao_section(rooms.sandbox) + MESSAGE, "utf-8")

    assert "kakaocron.bot.channel" in with_them
    assert "websockets" not in with_them
    assert loaded() == []
