"""Messages to rooms: a call for each bubble in each room, and each room by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kakaocron.actions import retry, send_now
from kakaocron.delivery.tick import TickReport
from kakaocron.errors import Cause, LoginError, UsageError
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import speak
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.lookup import find_delivery
from kakaocron.rehearsal.sandbox.bots import SEND_PATH
from kakaocron.rehearsal.sandbox.pictures import draw
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import ME, ROOM, Reason, State
from kakaocron.watching.causes import in_words
from kakaocron.watching.sentences import advice, detail_of, sentence
from tests.bot.rooms import BOT, DRIVERS, ID, KEYS, LEFT, ORDERS, QUIET, in_rooms, with_rooms
from tests.fakes import MESSAGE, FakeClock, ended_tick, run_tick

FINE = (State.CONFIRMED, None)
TEXT = "보고 2026-11-23 09:30"


def states(report: TickReport) -> dict[str, tuple[State, Reason | None]]:
    targets = report.ended[ID].targets
    return {name.removeprefix(ROOM): (one.state, one.reason) for name, one in targets.items()}


def details(delivery: Delivery) -> dict[str, str | None]:
    return {name.removeprefix(ROOM): detail_of(one) for name, one in delivery.targets.items()}


def calls(sandbox: SandboxServer) -> int:
    return sum(one.path == SEND_PATH for one in sandbox.requests)


def saying(text: str, **keys: str) -> str:
    more = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    return f'[[message]]\nname = "report"\nslots = ["regular", "peak"]\ntext = "{text}"\n{more}'


def test_five_rooms_one_switched_off_one_left_each_in_its_own_state(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("bot-603")
    rooms = (ORDERS, DRIVERS, QUIET, LEFT, "남의 방")
    here = with_rooms(tmp_path, sandbox, clock, *rooms, rooms={**KEYS, "남의 방": "ffee0011"})
    report = run_tick(here)

    assert states(report) == {
        ORDERS: (State.UNKNOWN, Reason.SERVER_FAULT),
        DRIVERS: FINE,
        QUIET: (State.FAILED, Reason.REFUSED),
        LEFT: (State.FAILED, Reason.REFUSED),
        "남의 방": (State.FAILED, Reason.REFUSED),
    }
    said = details(report.ended[ID])
    assert len(set(said.values())) == 5
    assert said[QUIET] == (
        "the room does not receive the bot's messages (-879: the room does not receive messages.)"
    )
    assert said[LEFT] == "the bot is not in this room (-880: the bot is not in the room.)"
    assert in_rooms(sandbox) == [(DRIVERS, TEXT)]
    assert calls(sandbox) == 5
    said_of_all = sentence(report.ended[ID], here.config.contacts.names())
    assert "It has not reached 조용한 방, 떠난 방, 남의 방" in said_of_all
    assert "nobody knows of 주문방" in said_of_all


def test_a_room_and_oneself_get_the_same_by_one_claim(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    report = run_tick(with_rooms(tmp_path, sandbox, clock, DRIVERS, ME))

    assert states(report) == {DRIVERS: FINE, ME: FINE}
    assert sorted(in_rooms(sandbox)) == sorted([(DRIVERS, TEXT), (ME, TEXT)])
    (posted,) = (one for one in sandbox.deliveries if one.receiver == KEYS[DRIVERS])
    assert json.loads(posted.template["body"]) == {
        "botGroupKey": KEYS[DRIVERS],
        "skillResponse": {
            "version": "2.0",
            "template": {"outputs": [{"simpleText": {"text": TEXT}}]},
        },
    }


@pytest.mark.parametrize(("required", "fault"), [(False, ""), (False, "-911"), (True, "")])
def test_a_room_gets_the_text_of_a_message_with_a_picture(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, required: bool, fault: str
) -> None:
    (tmp_path / "chart.png").write_bytes(draw(300, 200).content)
    message = f'{MESSAGE}image = "chart.png"\nimage_required = {json.dumps(required)}\n'
    here = with_rooms(tmp_path, sandbox, clock, DRIVERS, ME, message=message)
    here.login.access_token()  # else two wait for it, by a clock that their waiting moves
    sandbox.faults.replace(f"{fault}@/v2/api/talk/message/image/upload" if fault else "")
    report = run_tick(here)

    mine = (State.CONFIRMED, Reason.PICTURE_LEFT_OUT) if fault else FINE
    assert states(report) == {DRIVERS: FINE, ME: mine}
    assert sorted(in_rooms(sandbox)) == sorted([(DRIVERS, TEXT), (ME, TEXT)])
    assert [one.picture is not None for one in sandbox.deliveries if one.receiver == ME] == [
        not fault
    ]


@pytest.mark.parametrize(("length", "state"), [(999, FINE), (1000, FINE), (1001, None)])
def test_a_room_takes_a_thousand_characters(
    length: int,
    state: tuple[State, Reason | None] | None,
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, message=saying("가" * length))
    delivery = run_tick(here).ended[ID]

    assert len(in_rooms(sandbox)) == (state is not None)
    if state is None:
        assert delivery.reason is Reason.CONTENT_FAILED
        assert "the text has 1001 characters, a room takes 1000" in str(detail_of(delivery))


def test_beside_oneself_a_room_takes_no_more_than_that_chat(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, DRIVERS, ME, message=saying("가" * 201))

    assert run_tick(here).ended[ID].reason is Reason.CONTENT_FAILED
    assert in_rooms(sandbox) == []


@pytest.mark.parametrize(("to", "parts"), [((DRIVERS,), 2), ((DRIVERS, ME), 8)])
def test_a_long_text_is_split_one_bubble_a_call(
    to: tuple[str, ...], parts: int, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, *to, message=saying("가" * 1500, overflow="split"))
    run_tick(here)

    posted = [text for room, text in in_rooms(sandbox) if room == DRIVERS]
    assert [text.partition(" ")[0] for text in posted] == [
        f"({n}/{parts})" for n in range(1, parts + 1)
    ]
    assert calls(sandbox) == parts


def test_a_part_that_failed_is_sent_again_and_those_before_it_are_not(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    message = saying("가" * 2500, overflow="split")
    here = with_rooms(tmp_path, sandbox, clock, DRIVERS, ORDERS, message=message)
    sandbox.faults.enqueue("slow=0", "bot-10")
    assert states(run_tick(here)) == {
        DRIVERS: (State.RETRYING, Reason.QUOTA),
        ORDERS: FINE,
    }
    clock.sleep(60)
    assert run_tick(here).ended[ID].state is State.CONFIRMED

    heads = [text[:5] for room, text in in_rooms(sandbox) if room == DRIVERS]
    assert heads == ["(1/3)", "(2/3)", "(3/3)"]


@pytest.mark.parametrize(("wait", "ticks"), [("bot-wait=59", 1), ("bot-wait=61", 2), ("429", 1)])
def test_the_next_call_comes_after_the_wait_that_kakao_asks_for(
    wait: str, ticks: int, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = with_rooms(tmp_path, sandbox, clock)
    sandbox.faults.enqueue(wait)
    run_tick(here)
    for tick in range(1, 3):
        clock.sleep(60)
        run_tick(here)
        assert len(in_rooms(sandbox)) == (tick >= ticks)


# --- the key


def test_without_a_token_nothing_leaves_and_one_sentence_says_so(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, DRIVERS, ME, token=None)
    disk = here.edges.disk
    assert ended_tick(here, disk=disk).exit_code == LoginError.exit_code
    clock.set("09:45:01")
    ended_tick(here, disk=disk)

    assert [room for room, _ in in_rooms(sandbox)] == [ME, ME]
    assert calls(sandbox) == 0
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "There is no bot token: set KAKAO_BOT_TOKEN, or KAKAO_BOT_TOKEN_FILE. Put the bot token "
        "there (console, [제품 설정] > [카카오톡 봇] > [봇])"
    ]


def test_a_token_that_cannot_be_read_is_stored_in_no_language_and_told_in_each(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, token="no key")
    ended_tick(here, disk=here.edges.disk)
    clock.set("09:45:01")
    speak(catalogue_of("ko"))
    ended_tick(here, disk=here.edges.disk)

    first, *more = capsys.readouterr().err.splitlines()
    assert first == (
        "The bot token cannot be read: KAKAO_BOT_TOKEN holds a blank or a character that no key or "
        "token has"
    )
    assert more == []  # it is the same trouble in any language
    facts = {"words": "secret-odd", "words.name": "KAKAO_BOT_TOKEN"}
    cause = find_delivery(here.ledger, ID).cause
    assert cause == Cause("bot-down-bad-token", facts)
    assert in_words(cause).startswith("봇 토큰을 읽을 수 없어요: KAKAO_BOT_TOKEN에 ")


def test_a_token_that_could_not_be_read_is_told_by_the_words_of_an_earlier_version() -> None:
    words = "KAKAO_BOT_TOKEN_FILE: cannot read '/a b' (50% {x}). Put the secret into that file"
    cause = Cause("bot-down-bad-token", {"words": words})

    assert in_words(cause) == f"The bot token cannot be read: {words}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": None}, -401),
        ({"is_address_registered": False}, -401),
        ({"exists": False}, -873),
        ({"is_approved": False}, -5),
    ],
)
def test_what_ails_the_bot_is_asked_once_a_slot_and_told_once(
    change: dict[str, object],
    code: int,
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, DRIVERS, ORDERS, ME)
    disk = here.edges.disk
    for name, value in change.items():
        setattr(sandbox.kakao.bot, name, value)
    ended = ended_tick(here, disk=disk)

    assert ended.report is not None
    targets = ended.report.ended[ID].targets
    assert {one.code for name, one in targets.items() if name != ME} == {code}
    assert targets[ME].state is State.CONFIRMED
    assert calls(sandbox) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert f"({code}" in told
    for at in ("09:31:01", "09:45:01"):
        clock.set(at)
        ended_tick(here, disk=disk)
    assert capsys.readouterr().err == ""
    vars(sandbox.kakao.bot).update(
        token=BOT.token, is_address_registered=True, exists=True, is_approved=True
    )
    clock.set("10:00:01")
    assert ended_tick(here, disk=disk).exit_code == 0
    setattr(sandbox.kakao.bot, *next(iter(change.items())))
    clock.set("10:30:01")
    ended_tick(here, disk=disk)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_token_is_nowhere_though_the_server_repeats_it(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = with_rooms(tmp_path, sandbox, clock, LEFT)
    run_tick(here)
    written = [one for one in tmp_path.rglob("*") if one.is_file()]

    assert written
    assert all(BOT.token.encode() not in one.read_bytes() for one in written)


# --- what the configuration says


OTHERS = {name: key for name, key in KEYS.items() if name != DRIVERS}


@pytest.mark.parametrize("rooms", [OTHERS, {}])
def test_what_was_to_go_to_a_room_that_is_no_longer_named_goes_nowhere(
    rooms: dict[str, str], tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("bot-10")
    run_tick(with_rooms(tmp_path, sandbox, clock))
    clock.sleep(60)
    here = with_rooms(tmp_path, sandbox, clock, ME, rooms=rooms)
    delivery = run_tick(here).ended[ID]

    assert delivery.reason is Reason.REFUSED
    assert in_rooms(sandbox) == []
    if rooms:
        assert "'기사방' is not in [rooms] any more" in str(detail_of(delivery))
        assert "kakaocron rooms listen" in advice(delivery)


def test_a_key_that_was_put_right_is_used_when_a_person_tries_again(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    run_tick(with_rooms(tmp_path, sandbox, clock, rooms={DRIVERS: "ffee0011"}))
    here = with_rooms(tmp_path, sandbox, clock)
    retry(here, ID)

    assert in_rooms(sandbox) == [(DRIVERS, TEXT)]


def test_a_template_is_nothing_for_a_room_and_the_others_get_it(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    link = '{ web_url = "https://x.example" }'
    template = f'template = {{ object_type = "text", text = "x", link = {link} }}'
    message = MESSAGE.replace(MESSAGE.splitlines()[4], template)
    report = run_tick(with_rooms(tmp_path, sandbox, clock, ME, DRIVERS, message=message))

    assert states(report) == {ME: FINE, DRIVERS: (State.FAILED, Reason.REFUSED)}
    assert "a room takes plain text" in str(details(report.ended[ID])[DRIVERS])


def test_a_person_sends_to_a_room_by_its_name(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = with_rooms(tmp_path, sandbox, clock)
    done = send_now(here, text="가" * 700, to=[DRIVERS])

    assert done.delivery.to == (f"{ROOM}{DRIVERS}",)
    assert in_rooms(sandbox) == [(DRIVERS, "가" * 700)]
    with pytest.raises(UsageError, match="기사 방"):
        send_now(here, text="x", to=["기사 방"])
