"""Listening at the gateway of Kakao's Bot API for a while: connect, stay, come back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from kakaocron.bot.causes import BotError
from kakaocron.bot.codes import CODES, NO_KEY
from kakaocron.bot.gateway import (
    BAD_PAYLOAD,
    BAD_TOKEN,
    BEAT_SHARE,
    SESSION_GONE,
    TAKEN_OVER,
    GatewayEvent,
    Session,
)
from kakaocron.errors import UPGRADE, KakaocronError
from kakaocron.language.words import _
from kakaocron.system.clock import Clock
from kakaocron.system.http import Failure
from kakaocron.system.websocket import NoWebSocketError, WebSocket, WebSocketClosedError

OPENING_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 30.0

# Opens a connection within so many seconds; raises NoWebSocketError.
OpenGateway = Callable[[float], WebSocket | Failure]


def listen(open_: OpenGateway, token: str, clock: Clock, until: float) -> Generator[GatewayEvent]:
    """Yield what the gateway tells until an instant of the clock that no step changes.

    A connection that ends is opened again, ever later. Raises KakaocronError with what to do for
    what does not pass by itself, and where not even the first connection can be had.
    """
    session, pause, has_been_ready = Session(token), 0.0, False
    while (left := until - clock.monotonic()) > 0:
        session.begin()
        why = _("it does not answer")
        try:
            websocket = open_(min(left, OPENING_SECONDS))
            if isinstance(websocket, Failure):
                why = websocket.detail
            else:
                with closing(websocket):
                    yield from _stay(websocket, session, clock, until)
        except NoWebSocketError as refused:
            if not has_been_ready and refused.status:
                raise _refused(refused.status) from None
        except WebSocketClosedError as closed:
            _check(closed.code)
            if closed.code == SESSION_GONE:
                session.forget()
        if session.is_ready:
            has_been_ready, pause = True, 0.0
        elif not has_been_ready and clock.monotonic() < until:
            raise _unreachable(why)
        pause = min(max(1.0, 2 * pause), LONGEST_PAUSE_SECONDS)
        clock.sleep(max(0.0, min(pause, until - clock.monotonic())))


def _stay(
    websocket: WebSocket, session: Session, clock: Clock, until: float
) -> Iterator[GatewayEvent]:
    """Yield what one connection tells, to its end. Raises WebSocketClosedError."""
    opened = clock.monotonic()
    beat = opened + BEAT_SHARE * session.beat_seconds
    while (now := clock.monotonic()) < until:
        if not session.is_ready and session.id is None and now - opened > OPENING_SECONDS:
            return
        if now >= beat:
            if not session.is_acknowledged:
                return
            websocket.send(session.beat())
            beat = now + BEAT_SHARE * session.beat_seconds
        text = websocket.receive(max(0.0, min(until - now, beat - now, 1.0)))
        if text is None:
            continue
        yield from session.hear(text)
        for answer in session.answers:
            websocket.send(answer)
            beat = clock.monotonic() + BEAT_SHARE * session.beat_seconds
        session.answers.clear()


def _check(code: int | None) -> None:
    if code == BAD_TOKEN:
        what = _("Kakao's gateway refuses this bot token ({code})").format(code=code)
        raise BotError(what, CODES[NO_KEY].mend)
    if code == TAKEN_OVER:
        what = _("Another program listens for this bot now ({code})").format(code=code)
        raise KakaocronError(what, _("Only one may: stop the other, then try again"))
    if code == BAD_PAYLOAD:
        what = _("Kakao's gateway does not understand this kakaocron ({code})").format(code=code)
        raise KakaocronError(what, UPGRADE)


def _refused(status: int) -> KakaocronError:
    return KakaocronError(
        _("Kakao's gateway takes no listener (HTTP {status})").format(status=status),
        _(
            "Take the webhook out, as events go there or here: console, [제품 설정] > "
            "[카카오톡 봇] > [웹훅]; and see that the address of this machine is registered: "
            "docs/rooms.md"
        ),
    )


def _unreachable(detail: str) -> KakaocronError:
    what = _("Kakao's gateway cannot be reached ({detail})").format(detail=detail)
    return KakaocronError(what, _("Try again later"))
