"""Kakao's Bot API and its gateway: what they take, refuse, and tell a bot that listens."""

from __future__ import annotations

import json
import socket
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from kakaocron.errors import UsageError
from kakaocron.rehearsal.sandbox.bots import BOT_ERRORS, ODD_ANSWERS, SEND_PATH
from kakaocron.rehearsal.sandbox.faults import FaultPlan, InjectedFault
from kakaocron.rehearsal.sandbox.gateway import (
    BAD_PAYLOAD,
    BAD_TOKEN,
    DISPATCH,
    HEARTBEAT_ACK,
    HELLO,
    NO_HEARTBEAT,
    READY,
    TAKEN_OVER,
    Listener,
)
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import SandboxBot
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest
from tests.rehearsal.sandbox.support import NOW, content

BOT = SandboxBot()
ROOM, OTHER, QUIET, LEFT = (one.key for one in BOT.rooms)


def text(said: str = "안녕") -> dict[str, Any]:
    return {"simpleText": {"text": said}}


def response(*outputs: Any, version: str = "2.0", **more: Any) -> dict[str, Any]:
    return {"version": version, "template": {"outputs": list(outputs or [text()])}, **more}


def call(
    body: Any = None,
    *,
    method: str = "POST",
    path: str = SEND_PATH,
    key: str = f"KakaoAK {BOT.token}",
    kind: str = "application/json",
    **headers: str,
) -> WireRequest:
    body = {"botGroupKey": ROOM, "skillResponse": response()} if body is None else body
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return WireRequest(
        method, path, "", {"Authorization": key, "Content-Type": kind, **headers}, raw
    )


def to(room: str, *outputs: Any, **more: Any) -> WireRequest:
    return call({"botGroupKey": room, "skillResponse": response(*outputs, **more)})


def verdict(answer: WireAnswer) -> tuple[int, int | None]:
    return answer.status, content(answer).get("code")


def test_a_bubble_is_posted_and_counted(kakao: Kakao) -> None:
    answer = kakao.handle(to(ROOM, text("하나"), text("둘")), NOW)

    assert content(answer) == {"totalCount": 2, "sendCount": 2, "errorCount": 0}
    assert [(one.receiver, one.text, one.sender) for one in kakao.deliveries] == [
        (ROOM, "하나", "bot"),
        (ROOM, "둘", "bot"),
    ]
    assert [one.template["call"] for one in kakao.deliveries] == [1, 1]
    assert kakao.bot.rooms[ROOM].delivered == 2


def test_the_same_body_twice_is_two_bubbles(kakao: Kakao) -> None:
    for _ in range(2):
        kakao.handle(to(ROOM), NOW)

    assert [one.receiver for one in kakao.deliveries] == [ROOM, ROOM]


LONG = "가" * 1000
SMILE = "😀" * 500
REFUSED = {
    "a user's token": (call(key=f"Bearer {BOT.token}"), 401, -401),
    "another key": (call(key="KakaoAK nobody"), 401, -401),
    "no key": (call(key=""), 401, -401),
    "a form": (call(b"botGroupKey=x", kind="application/x-www-form-urlencoded"), 400, -2),
    "no JSON": (call(b"{"), 400, -2),
    "no answer in it": (call({"botGroupKey": ROOM}), 400, -2),
    "another version": (to(ROOM, version="1.0"), 400, -2),
    "no room": (call({"skillResponse": response()}), 400, -876),
    "a room and a person": (
        call({"botGroupKey": ROOM, "botUserKey": "buk_1", "skillResponse": response()}),
        400,
        -876,
    ),
    "another bot's room": (to("ffee0011"), 400, -876),
    "a room without it": (to("bgk_unknown"), 400, -880),
    "a room that it left": (to(LEFT), 400, -880),
    "a quiet room": (to(QUIET), 400, -879),
    "a stranger": (
        call({"botUserKey": BOT.strangers[0], "skillResponse": response()}),
        400,
        -877,
    ),
    "a person without a chat": (
        call({"botUserKey": "buk_1", "skillResponse": response()}),
        400,
        -880,
    ),
    "no bubble": (call({"botGroupKey": ROOM, "skillResponse": {"version": "2.0"}}), 400, -878),
    "four bubbles": (to(ROOM, *[text()] * 4), 400, -878),
    "an empty text": (to(ROOM, text(" ")), 400, -878),
    "1,001 characters": (to(ROOM, text(LONG + "가")), 400, -878),
    "1,001 UTF-16 units": (to(ROOM, text(SMILE + "x")), 400, -878),
    "an unknown bubble": (to(ROOM, {"video": {}}), 400, -878),
    "a carousel in a group": (to(ROOM, {"carousel": {"items": []}}), 400, -878),
    "a picture by http": (to(ROOM, {"simpleImage": {"imageUrl": "http://a/b"}}), 400, -878),
    "a picture without a host": (to(ROOM, {"simpleImage": {"imageUrl": "https:///b"}}), 400, -878),
    "six items": (to(ROOM, {"listCard": {"items": [{}] * 6}}), 400, -878),
    "a label of 15": (to(ROOM, {"textCard": {"buttons": [{"label": "x" * 15}]}}), 400, -878),
    "four buttons": (to(ROOM, {"textCard": {"buttons": [{"label": "x"}] * 4}}), 400, -878),
    "a mention of nobody": (to(ROOM, text("{{#mentions.a}}")), 400, -878),
    "16 mentions": (
        to(ROOM, extra={"mentions": {f"k{n}": {} for n in range(16)}}),
        400,
        -878,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_is_refused_and_not_posted(kakao: Kakao, what: str) -> None:
    request, status, code = REFUSED[what]

    assert verdict(kakao.handle(request, NOW)) == (status, code)
    assert kakao.deliveries == []


@pytest.mark.parametrize("said", ["x", LONG, SMILE])
def test_a_text_may_have_a_thousand_units(kakao: Kakao, said: str) -> None:
    assert kakao.handle(to(ROOM, text(said)), NOW).status == 200


def test_other_paths_and_methods_are_refused(kakao: Kakao) -> None:
    assert kakao.handle(call(path="/v1/bot/rooms"), NOW).status == 404
    assert kakao.handle(call(method="GET"), NOW).status == 405


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"token": None}, 401, -401),
        ({"is_address_registered": False}, 401, -401),
        ({"exists": False}, 400, -873),
        ({"is_approved": False}, 403, -5),
        ({"quota": 0}, 400, -10),
    ],
)
def test_what_changes_at_the_console_changes_the_answer(
    kakao: Kakao, change: dict[str, Any], status: int, code: int
) -> None:
    kakao.handle(to(ROOM), NOW)
    for name, value in change.items():
        setattr(kakao.bot, name, value)

    assert verdict(kakao.handle(to(ROOM), NOW)) == (status, code)
    assert len(kakao.deliveries) == 1


def test_a_reply_takes_its_token_once_and_for_five_minutes(kakao: Kakao) -> None:
    def reply(token: str, at: datetime) -> tuple[int, int | None]:
        headers = {"X-Bot-Callback-Token": token}
        asked = call({"skillResponse": response()}, path="/v1/bot/callback", **headers)
        return verdict(kakao.handle(asked, at))

    tokens = [kakao.bot.issue_callback(ROOM, NOW) for _ in range(2)]
    assert reply(tokens[0], NOW + timedelta(minutes=5)) == (200, None)
    assert reply(tokens[0], NOW) == (400, -881)
    assert reply(tokens[1], NOW + timedelta(minutes=5, seconds=1)) == (400, -881)


def test_guide_and_commands_send_nothing(kakao: Kakao) -> None:
    asked = call({"contents": "도움말"}, path="/v1/bot/guide/update")
    assert kakao.handle(asked, NOW).status == 200
    shown = kakao.handle(call(method="GET", path="/v1/bot/guide"), NOW)
    assert content(shown) == {"contents": "도움말"}
    many = {"utterances": [{"name": f"c{n}"} for n in range(31)]}
    path = "/v1/bot/commands/update"
    assert verdict(kakao.handle(call(many, path=path), NOW)) == (400, -874)
    twice = {"utterances": [{"name": "c"}] * 2}
    assert verdict(kakao.handle(call(twice, path=path), NOW)) == (400, -875)
    assert kakao.deliveries == []


@pytest.mark.parametrize("code", sorted(BOT_ERRORS))
def test_each_code_can_be_asked_for(kakao: Kakao, code: int) -> None:
    fault = InjectedFault.parse(f"bot{code}")
    wire = kakao.exchange(to(ROOM), NOW, fault)

    assert wire.answer is not None
    assert verdict(wire.answer) == (BOT_ERRORS[code][0], code)
    assert not wire.delivered


@pytest.mark.parametrize("name", sorted(ODD_ANSWERS))
def test_each_odd_answer_can_be_asked_for(kakao: Kakao, name: str) -> None:
    wire = kakao.exchange(to(ROOM), NOW, InjectedFault.parse(f"bot-{name}"))

    assert wire.answer is not None
    assert wire.answer.body == ODD_ANSWERS[name].body
    assert not wire.delivered


@pytest.mark.parametrize("name", ["bot-counts-zero+", "bot-870+", "bot-1+", "503+", "empty"])
def test_some_come_though_the_bubble_was_posted(kakao: Kakao, name: str) -> None:
    assert kakao.exchange(to(ROOM), NOW, InjectedFault.parse(name)).delivered
    assert len(kakao.deliveries) == 1


@pytest.mark.parametrize(
    "name", ["bot-880+", "bot-rule+", "bot-wait", "bot-880=3", "bot-x", "bot-2000"]
)
def test_no_other_fault_is_known(name: str) -> None:
    with pytest.raises(UsageError):
        InjectedFault.parse(name)


def test_a_wait_is_told_in_seconds_or_as_a_date(kakao: Kakao) -> None:
    told = [
        kakao.exchange(to(ROOM), NOW, InjectedFault.parse(name)).answer
        for name in ("bot-wait=30", "bot-wait-date=30", "429")
    ]

    assert [answer.status for answer in told if answer] == [429] * 3
    assert [answer.headers.get("Retry-After") for answer in told if answer] == [
        "30",
        "Mon, 23 Nov 2026 00:30:30 GMT",
        None,
    ]


def test_a_bots_fault_hits_its_messages_alone(kakao: Kakao) -> None:
    plan = FaultPlan(script=["bot-880", "stall"])

    assert plan.next(call(method="GET", path="/v1/bot/guide")) is None
    assert [plan.next(to(ROOM)), plan.next(to(ROOM))] != [None, None]
    assert plan.pending == []


# --- the gateway


def heard(listener: Listener) -> list[dict[str, Any]]:
    found = [json.loads(text) for text in listener.frames]
    listener.frames.clear()
    return found


def listening(kakao: Kakao, at: datetime = NOW, **said: Any) -> Listener:
    listener = kakao.gateway.connect(at)
    frame = said or {"op": 2, "d": {"token": BOT.token}}
    kakao.gateway.hear(listener, json.dumps(frame), at)
    return listener


def test_a_bot_is_greeted_let_in_and_told(kakao: Kakao) -> None:
    listener = listening(kakao)
    kakao.gateway.invite(LEFT, NOW)
    kakao.gateway.mention(LEFT, "@봇 481516", NOW)

    hello, ready, entrance, message = heard(listener)
    assert (hello["op"], hello["d"]) == (HELLO, {"heartbeat_interval": 41250})
    assert (ready["op"], ready["d"]["bot"]) == (READY, {"id": BOT.id})
    assert [(one["op"], one["t"], one["s"]) for one in (entrance, message)] == [
        (DISPATCH, "ENTRANCE", 1),
        (DISPATCH, "MESSAGE_CREATE", 2),
    ]
    assert message["d"]["botGroupKey"] == LEFT
    assert message["d"]["content"] == "@봇 481516"
    assert int(float(message["d"]["id"])) != message["d"]["id"]  # no float holds it
    assert kakao.handle(to(LEFT), NOW).status == 200


def test_nothing_is_told_before_it_is_let_in(kakao: Kakao) -> None:
    listener = kakao.gateway.connect(NOW)
    kakao.gateway.mention(ROOM, "x", NOW)

    assert [one["op"] for one in heard(listener)] == [HELLO]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('{"op": 2, "d": {"token": "wrong"}}', BAD_TOKEN),
        ('{"op": 2, "d": {}}', BAD_TOKEN),
        ("{", BAD_PAYLOAD),
        ("[]", BAD_PAYLOAD),
        ('{"op": 2}', BAD_PAYLOAD),
        ('{"op": 99, "d": {}}', BAD_PAYLOAD),
        ('{"op": 6, "d": {"token": "sandbox-bot-token-0001", "session_id": "x"}}', NO_HEARTBEAT),
    ],
)
def test_what_a_bot_says_wrong_ends_its_connection(kakao: Kakao, said: str, code: int) -> None:
    listener = kakao.gateway.connect(NOW)
    kakao.gateway.hear(listener, said, NOW)

    assert listener.close_code == code


def test_a_second_listener_takes_over(kakao: Kakao) -> None:
    first, second = listening(kakao), listening(kakao)
    kakao.gateway.mention(ROOM, "x", NOW)

    assert first.close_code == TAKEN_OVER
    assert [one["op"] for one in heard(second)] == [HELLO, READY, DISPATCH]


@pytest.mark.parametrize(("seconds", "code"), [(89, None), (90, None), (91, NO_HEARTBEAT)])
def test_a_silent_bot_is_given_up(kakao: Kakao, seconds: int, code: int | None) -> None:
    listener = listening(kakao)
    kakao.gateway.look(listener, NOW + timedelta(seconds=seconds))

    assert listener.close_code == code


def test_a_heartbeat_is_answered_and_counts(kakao: Kakao) -> None:
    listener = listening(kakao)
    heard(listener)
    kakao.gateway.hear(listener, '{"op": 1}', NOW + timedelta(seconds=60))
    kakao.gateway.look(listener, NOW + timedelta(seconds=120))

    assert [one["op"] for one in heard(listener)] == [HEARTBEAT_ACK]
    assert listener.close_code is None


def test_a_resumed_session_tells_all_it_has_kept_again(kakao: Kakao) -> None:
    first = listening(kakao)
    session = heard(first)[1]["d"]["session_id"]
    for n in range(150):
        kakao.gateway.mention(ROOM, str(n), NOW)
    kakao.gateway.leave(first)
    kakao.gateway.mention(ROOM, "meanwhile", NOW)
    said = {"token": BOT.token, "session_id": session, "seq": 150}
    told = heard(listening(kakao, op=6, d=said))

    assert [one["op"] for one in told] == [HELLO, *[DISPATCH] * 100]
    assert [one["s"] for one in told[1:]] == list(range(52, 152))


def test_it_is_played_on_a_real_socket(kakao: Kakao) -> None:
    connect = pytest.importorskip("websockets.sync.client").connect
    with SandboxServer(kakao, lambda: NOW) as server:
        url = server.url.replace("http", "ws", 1) + "/gateway"
        with connect(url, open_timeout=5, compression=None) as bot:
            assert json.loads(bot.recv(5))["op"] == HELLO
            bot.send(json.dumps({"op": 2, "d": {"token": BOT.token}}))
            assert json.loads(bot.recv(5))["op"] == READY
            kakao.gateway.mention(ROOM, "안녕", NOW)
            assert json.loads(bot.recv(5))["d"]["content"] == "안녕"
            kakao.gateway.close(1001)
            with pytest.raises(Exception, match="1001"):
                bot.recv(5)
        until = time.monotonic() + 5
        while kakao.gateway.is_heard and time.monotonic() < until:
            time.sleep(0.01)
        assert not kakao.gateway.is_heard
        kakao.gateway.has_webhook = True
        with pytest.raises(Exception, match="403"):
            connect(url, open_timeout=5)


def test_what_is_no_websocket_is_refused(kakao: Kakao) -> None:
    with SandboxServer(kakao, lambda: NOW) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 5) as connection:
            connection.sendall(b"GET /gateway HTTP/1.1\r\nHost: x\r\n\r\n")
            status = connection.recv(4096).split(b" ")[1]

    assert status in {b"426", b"501"}
