"""A room's key, learned at the gateway over a real socket, whatever befalls the connection."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.bot.causes import BotError
from kakaocron.bot.gateway import INVITED, SAID, GatewayEvent, Session, gateway_of, holds
from kakaocron.bot.listening import listen
from kakaocron.errors import KakaocronError
from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.gateway import Gateway, Listener
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import SandboxBot, Settings
from kakaocron.system.clock import SystemClock
from kakaocron.system.http import Failure
from kakaocron.system.socket_http import SocketHttp
from kakaocron.system.websocket import WebSocket, open_websocket
from tests.bot.rooms import BOT, DRIVERS, KEYS, LEFT
from tests.fakes import NOW, free_port, kakao_section, live_in
from tests.system.wires import wire

CODE = "481516"
PATIENCE_SECONDS = 10.0


class QuickClock(SystemClock):
    """A clock that stands still for nobody."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.01))


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(Kakao(seed=7), lambda: datetime.now(KST)) as found:
        yield found


def events(
    server: SandboxServer, seconds: float = PATIENCE_SECONDS, token: str = BOT.token
) -> Generator[GatewayEvent]:
    http, clock = SocketHttp(3), QuickClock()

    def open_(left: float) -> WebSocket | Failure:
        return open_websocket(gateway_of(server.url), http.connect, left)

    return listen(open_, token, clock, clock.monotonic() + seconds)


def once_heard(server: SandboxServer, *steps: Callable[[Gateway], None]) -> threading.Thread:
    """Take steps at the gateway, each once a bot listens."""

    def take() -> None:
        for step in steps:
            until = time.monotonic() + PATIENCE_SECONDS
            while not server.kakao.gateway.is_heard and time.monotonic() < until:
                time.sleep(0.005)
            step(server.kakao.gateway)

    thread = threading.Thread(target=take)
    thread.start()
    return thread


def says(text: str, room: str = DRIVERS) -> Callable[[Gateway], None]:
    return lambda gateway: gateway.mention(KEYS[room], text, NOW)


def test_what_is_said_to_the_bot_is_heard_with_the_rooms_key(server: SandboxServer) -> None:
    thread = once_heard(server, lambda gateway: gateway.invite(KEYS[LEFT], NOW), says(CODE, LEFT))
    heard = events(server)

    assert [next(heard), next(heard)] == [
        GatewayEvent(INVITED, KEYS[LEFT]),
        GatewayEvent(SAID, KEYS[LEFT], CODE),
    ]
    heard.close()
    thread.join()


@pytest.mark.parametrize("code", [1001, 1011, 4009])
def test_a_connection_that_ends_is_opened_again(server: SandboxServer, code: int) -> None:
    def ends(gateway: Gateway) -> None:
        gateway.close(code)
        while gateway.is_heard:
            time.sleep(0.005)

    thread = once_heard(server, ends, says(CODE))
    heard = events(server)

    assert next(heard) == GatewayEvent(SAID, KEYS[DRIVERS], CODE)
    heard.close()
    thread.join()


def test_frames_of_unknown_kinds_and_no_json_are_passed_over(server: SandboxServer) -> None:
    odd = ['{"op": 99, "d": {}}', "{", "[]", '{"op": 0, "t": "NEWS", "s": 1, "d": {"x": 1}}']
    odd += ['{"op": 0, "t": "MESSAGE_CREATE", "s": 2, "d": []}', '{"op": 10, "d": null}']
    steps = [lambda gateway, text=text: gateway.say(text) for text in odd[:-1]]
    thread = once_heard(server, *steps, says(CODE))
    heard = events(server)

    assert next(heard).text == CODE
    heard.close()
    thread.join()


def test_a_burst_is_heard_to_its_end(server: SandboxServer) -> None:
    def burst(gateway: Gateway) -> None:
        for number in range(300):
            gateway.mention(KEYS[DRIVERS], f"{number} {'가' * 500}", NOW)

    thread = once_heard(server, burst)
    heard = events(server)

    assert [int(next(heard).text.split()[0]) for _ in range(300)] == list(range(300))
    heard.close()
    thread.join()


def test_a_wrong_token_is_said_and_not_tried_again(server: SandboxServer) -> None:
    with pytest.raises(BotError, match=r"refuses this bot token \(4001\)"):
        next(events(server, token="wrong"))


@pytest.mark.parametrize(
    ("code", "said"), [(4001, "refuses this bot token"), (4003, "Upgrade"), (4004, "Only one may")]
)
def test_what_another_connection_cannot_help_ends_it(
    server: SandboxServer, code: int, said: str
) -> None:
    thread = once_heard(server, lambda gateway: gateway.close(code))

    with pytest.raises(KakaocronError, match=said):
        next(events(server))
    thread.join()


def test_a_webhook_is_named_where_the_gateway_takes_nobody(server: SandboxServer) -> None:
    server.kakao.gateway.has_webhook = True

    with pytest.raises(KakaocronError, match=r"HTTP 403.*webhook"):
        next(events(server))


def test_it_ends_at_its_time(server: SandboxServer) -> None:
    began = time.monotonic()

    assert list(events(server, 0.2)) == []
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_nobody_there_is_said_at_once() -> None:
    http, clock = SocketHttp(1), QuickClock()
    url = f"ws://127.0.0.1:{free_port()}/gateway"
    opened = listen(
        lambda left: open_websocket(url, http.connect, left), "t", clock, clock.monotonic() + 5
    )
    with pytest.raises(KakaocronError, match="cannot be reached"):
        next(opened)


MOVED = b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.2:9/\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (MOVED, "HTTP 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "HTTP 200"),
        (b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "HTTP 101"),
        (b"SMTP ready\r\n\r\n", "does not answer"),
    ],
)
def test_what_is_no_gateway_gets_no_token(answer: bytes, said: str) -> None:
    http, clock = SocketHttp(1), QuickClock()
    with wire(answer) as found:
        url = found.url.replace("http", "ws", 1)
        opened = listen(
            lambda left: open_websocket(url, http.connect, min(left, 0.5)),
            "s3cret",
            clock,
            clock.monotonic() + 5,
        )
        with pytest.raises(KakaocronError, match=said):
            next(opened)
    assert all(b"s3cret" not in request for request in found.requests)


# --- frames


def test_a_session_greets_resumes_and_beats() -> None:
    session = Session("t")
    assert list(session.hear('{"op":10,"d":{"heartbeat_interval":3000}}')) == []
    assert session.beat_seconds == 3
    assert [json.loads(one) for one in session.answers] == [{"op": 2, "d": {"token": "t"}}]
    list(session.hear('{"op":3,"d":{"session_id":"s1","bot":{"id":"b"}}}'))
    assert session.is_ready
    big = 2**63 - 1
    said = {"id": big, "botGroupKey": "bgk_1", "content": "x"}
    list(session.hear(json.dumps({"op": 0, "t": "MESSAGE_CREATE", "s": 7, "d": said})))
    assert json.loads(session.beat()) == {"op": 1}
    assert not session.is_acknowledged
    list(session.hear('{"op":11}'))
    assert session.is_acknowledged
    session.begin()
    list(session.hear('{"op":10,"d":{}}'))
    resumed = {"token": "t", "session_id": "s1", "seq": 7}
    assert [json.loads(one) for one in session.answers] == [{"op": 6, "d": resumed}]


@pytest.mark.parametrize("interval", [999, 600_001, -1, "3000", None, 1e400, True])
def test_an_odd_interval_is_not_taken(interval: object) -> None:
    session = Session("t")
    list(session.hear(json.dumps({"op": 10, "d": {"heartbeat_interval": interval}})))

    assert session.beat_seconds == 41.25


@pytest.mark.parametrize(
    "said",
    [
        {"botGroupKey": "한글 키", "content": CODE},
        {"botGroupKey": 7, "content": CODE},
        {"botGroupKey": 'a"\n[kakao]', "content": CODE},
        {"content": CODE},
    ],
)
def test_what_can_be_no_key_is_not_heard(said: dict[str, object]) -> None:
    frame = json.dumps({"op": 0, "t": "MESSAGE_CREATE", "s": 1, "d": said})

    assert list(Session("t").hear(frame)) == []


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        (CODE, True),
        (f"@기사봇 {CODE}", True),
        (f"@봇2 {CODE}!", True),
        (f"1{CODE}", False),
        (f"{CODE}1", False),
        ("48151", False),
        ("", False),
    ],
)
def test_a_code_is_found_in_what_somebody_typed(text: str, is_it: bool) -> None:
    assert holds(text, CODE) is is_it


def test_kakaos_gateway_belongs_to_kakaos_api_and_a_sandboxs_to_its_own() -> None:
    assert gateway_of("https://kapi.kakao.com") == "wss://bot-gateway.kakao.com/gateway"
    assert gateway_of("http://127.0.0.1:8780") == "ws://127.0.0.1:8780/gateway"


# --- the command


@pytest.fixture
def written(server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = live_in(tmp_path, monkeypatch)
    monkeypatch.setenv("KAKAO_BOT_TOKEN", BOT.token)
    rooms = f'[bot]\nurl = "{server.url}"\n[rooms]\n"{DRIVERS}" = "{KEYS[DRIVERS]}"\n'
    config.write_text(kakao_section(server) + rooms, "utf-8")
    return config


def started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kakaocron", "rooms", "listen", *arguments]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # A shell's background job, as this test may be one, has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip


def code_in(process: subprocess.Popen[str], *, on_stderr: bool = False) -> str:
    stream = process.stderr if on_stderr else process.stdout
    assert stream is not None
    for line in stream:
        if found := re.search(r": (\d{6})$", line.rstrip()):
            return found[1]
    raise AssertionError("no code")


def test_the_command_prints_the_line_for_the_configuration(
    server: SandboxServer, written: Path
) -> None:
    before = written.read_text("utf-8")
    with started("새 방", "--minutes", "1") as process:
        code = code_in(process)
        thread = once_heard(
            server,
            lambda gateway: gateway.invite(KEYS[LEFT], NOW),
            says("몰라", LEFT),
            says(f"@기사봇 {code}", LEFT),
        )
        out, err = process.communicate(timeout=20)
        thread.join()

    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == f'"새 방" = "{KEYS[LEFT]}"'
    assert "The bot is in a room now" in out
    assert written.read_text("utf-8") == before
    assert BOT.token not in out


def test_a_room_that_is_known_is_said_to_be(server: SandboxServer, written: Path) -> None:
    with started("--minutes", "1", "--json") as process:
        code = code_in(process, on_stderr=True)
        thread = once_heard(server, says(code))
        out, _ = process.communicate(timeout=20)
        thread.join()

    found = json.loads(out)
    assert {"key": KEYS[DRIVERS], "name": None, "known_as": DRIVERS}.items() <= found.items()


def test_an_interrupt_ends_it(server: SandboxServer, written: Path) -> None:
    with started("--minutes", "1") as process:
        code_in(process)
        once_heard(server).join()
        while not server.kakao.gateway.is_heard:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (130, "")


def test_a_listener_shows_that_it_lives_before_the_interval_is_over() -> None:
    bot = SandboxBot(heartbeat_interval=timedelta(seconds=1))
    with SandboxServer(Kakao(Settings(bot=bot)), lambda: datetime.now(KST)) as found:
        listeners = []
        connect = found.kakao.gateway.connect

        def remembered(now: datetime) -> Listener:
            listeners.append(connect(now))
            return listeners[-1]

        found.kakao.gateway.connect = remembered  # type: ignore[method-assign]
        began = datetime.now(KST)
        assert list(events(found, 1.3)) == []

    (listener,) = listeners
    assert listener.heard_at - began > timedelta(seconds=0.8)
    assert listener.close_code is None
