"""What is said at the gateway of Kakao's Bot API: frames in, frames and events out. Pure.

The frames are those of the Gateway page of Kakao's documentation; an event or a frame of a kind
that is not known is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from kakaocron.text.objects import json_object

DISPATCH, HEARTBEAT, IDENTIFY, READY, RESUME, HELLO, HEARTBEAT_ACK = 0, 1, 2, 3, 6, 10, 11
# Close codes after which another connection cannot help, and one after which the session is gone.
BAD_TOKEN, BAD_PAYLOAD, TAKEN_OVER, SESSION_GONE = 4001, 4003, 4004, 4009
INVITED, LEFT, SAID = "ENTRANCE", "LEAVE", "MESSAGE_CREATE"
KAKAO = "https://kapi.kakao.com"
KAKAOS_GATEWAY = "wss://bot-gateway.kakao.com/gateway"
USUAL_BEAT_SECONDS = 41.25
_INTERVALS_MS = range(1_000, 600_001)
# Sent a little before the interval is over.
BEAT_SHARE = 0.85
_KEY = re.compile(r"[!-~]{4,200}")


def gateway_of(url: str) -> str:
    """Return the gateway that belongs to a Bot API: Kakao's own, or that of a sandbox."""
    return KAKAOS_GATEWAY if url == KAKAO else url.replace("http", "ws", 1) + "/gateway"


class GatewayEvent(Struct, frozen=True):
    """One event of a room: the bot was invited, put out, or addressed with a `text`.

    `is_chat`: no room, but one person's chat with the bot's channel.
    """

    kind: str
    key: str
    text: str = ""
    is_chat: bool = False


class Session(Struct):
    """What the gateway has told a listener, over one connection after another."""

    token: str
    id: str | None = None
    seq: int = 0
    beat_seconds: float = USUAL_BEAT_SECONDS
    is_ready: bool = False
    is_acknowledged: bool = True
    answers: list[str] = field(default_factory=list)  # frames to be sent

    def begin(self) -> None:
        """Begin another connection."""
        self.is_ready, self.is_acknowledged = False, True
        self.answers.clear()

    def forget(self) -> None:
        """Begin another session with the next connection."""
        self.id, self.seq = None, 0

    def beat(self) -> str:
        """Return a sign of life; the gateway has to acknowledge it before the next."""
        self.is_acknowledged = False
        return json.dumps({"op": HEARTBEAT})

    def hear(self, text: str) -> Iterator[GatewayEvent]:
        """Take in a frame; yield the event that it tells of, if any."""
        frame = json_object(text.encode("utf-8", "replace")) or {}
        op, said = frame.get("op"), frame.get("d")
        said = said if isinstance(said, dict) else {}
        if op == HELLO:
            self._greeted(said)
        elif op == READY:
            found = said.get("session_id")
            self.id, self.seq = (found if isinstance(found, str) else None), 0
            self.is_ready = True
        elif op == HEARTBEAT_ACK:
            self.is_acknowledged = True
        elif op == DISPATCH:
            self.is_ready = True  # after a RESUME nothing else may say so
            sequence = frame.get("s")
            self.seq = int(sequence) if isinstance(sequence, int) else self.seq
            yield from _event(frame.get("t"), said)

    def _greeted(self, said: dict[str, Any]) -> None:
        interval = said.get("heartbeat_interval")
        if isinstance(interval, int) and interval in _INTERVALS_MS:
            self.beat_seconds = interval / 1000
        if self.id is None:
            self.answers.append(json.dumps({"op": IDENTIFY, "d": {"token": self.token}}))
            return
        resumed = {"token": self.token, "session_id": self.id, "seq": self.seq}
        self.answers.append(json.dumps({"op": RESUME, "d": resumed}))


def _event(kind: object, said: dict[str, Any]) -> Iterator[GatewayEvent]:
    key, text = said.get("botGroupKey"), said.get("content")
    is_chat = said.get("isChannelChatroom") is True
    if is_chat and not key:
        key = said.get("botUserKey")
    if kind in {INVITED, LEFT, SAID} and isinstance(key, str) and _KEY.fullmatch(key):
        yield GatewayEvent(str(kind), key, text if isinstance(text, str) else "", is_chat)


def holds(text: str, code: str) -> bool:
    """Say whether somebody has typed a code; Kakao may leave the mention before it, or cut it."""
    return code in re.findall(r"[0-9]+", text)
