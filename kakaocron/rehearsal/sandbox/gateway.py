"""The gateway of Kakao's Bot API: what it says to a bot that listens. Frames in, frames out, no
sockets (Kakao's documentation, Gateway page; its quirks as they were reported)."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kakaocron.rehearsal.sandbox.bots import BotApi

GATEWAY_PATH = "/gateway"
DISPATCH, HEARTBEAT, IDENTIFY, READY, RESUME, HELLO, HEARTBEAT_ACK = 0, 1, 2, 3, 6, 10, 11
BAD_TOKEN, BAD_PAYLOAD, TAKEN_OVER, NO_HEARTBEAT = 4001, 4003, 4004, 4009
LONGEST_SILENCE = timedelta(seconds=90)
KEPT_EVENTS = 100


@dataclass
class Listener:
    """One connection: what is to be sent to it, and the code with which it is to be closed."""

    heard_at: datetime
    frames: deque[str] = field(default_factory=deque)
    close_code: int | None = None
    is_ready: bool = False

    def say(self, op: int, d: object = None, **more: object) -> None:
        self.frames.append(json.dumps({"op": op, "d": d, **more}, ensure_ascii=False))


class Gateway:
    """The gateway for one bot: one session, and one connection at a time.

    `has_webhook`: events go to a webhook, and nobody may listen here.
    """

    def __init__(self, bot: BotApi) -> None:
        self._bot = bot
        self.has_webhook = False
        self._listener: Listener | None = None
        self._session = ""
        self._sessions = 0
        self._sequence = 0
        self._kept: deque[tuple[str, Mapping[str, Any], int]] = deque(maxlen=KEPT_EVENTS)
        self._messages = 2**53 - 1  # odd ones from here on fit no float

    @property
    def is_heard(self) -> bool:
        """Tell whether a bot listens and is ready."""
        return self._listener is not None and self._listener.is_ready

    def connect(self, now: datetime) -> Listener:
        """Begin a connection."""
        listener = Listener(now)
        interval = self._bot.settings.heartbeat_interval / timedelta(milliseconds=1)
        listener.say(HELLO, {"heartbeat_interval": round(interval)})
        return listener

    def hear(self, listener: Listener, text: str, now: datetime) -> None:
        """Take what a bot says."""
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            listener.close_code = BAD_PAYLOAD
            return
        op, said = frame.get("op"), frame.get("d")
        if op == HEARTBEAT:
            listener.heard_at = now
            listener.say(HEARTBEAT_ACK)
        elif op in {IDENTIFY, RESUME} and isinstance(said, dict) and not listener.is_ready:
            self._let_in(listener, op, said, now)
        else:
            listener.close_code = BAD_PAYLOAD

    def look(self, listener: Listener, now: datetime) -> None:
        """Give up a connection that has been silent for too long."""
        if now - listener.heard_at > LONGEST_SILENCE:
            listener.close_code = NO_HEARTBEAT

    def leave(self, listener: Listener) -> None:
        """Note that a connection has ended."""
        if self._listener is listener:
            self._listener = None

    def close(self, code: int) -> None:
        """Close the connection of the bot that listens, as at a restart."""
        if self._listener is not None:
            self._listener.close_code = code

    def say(self, text: str) -> None:
        """Send any text as a frame to the bot that listens."""
        if self._listener is not None:
            self._listener.frames.append(text)

    def tell(self, kind: str, said: Mapping[str, Any]) -> None:
        """Tell the bot of an event; while its session lasts it is kept for a RESUME."""
        if not self._session:
            return
        self._sequence += 1
        self._kept.append((kind, said, self._sequence))
        if self._listener is not None:
            self._listener.say(DISPATCH, said, t=kind, s=self._sequence)

    def invite(self, key: str, now: datetime) -> None:
        """Let somebody invite the bot into a room."""
        self._bot.rooms[key].has_bot = True
        said = {"botGroupKey": key, "inviter": {"botUserKey": "buk_inviter"}, "params": {}}
        token = self._bot.issue_callback(key, now)
        self.tell("ENTRANCE", {**said, "timestamp": _stamp(now), "callbackToken": token})

    def remove(self, key: str) -> None:
        """Let somebody put the bot out of a room."""
        self._bot.rooms[key].has_bot = False
        self.tell("LEAVE", {"botGroupKey": key})

    def mention(self, key: str, text: str, now: datetime) -> None:
        """Let somebody in a room say something to the bot: other words it does not hear."""
        self._messages += 2
        said = {
            "id": self._messages,
            "content": text,
            "timestamp": _stamp(now),
            "isChannelChatroom": False,
            "botGroupKey": key,
            "botUserKey": "buk_somebody",
            "callbackToken": self._bot.issue_callback(key, now),
        }
        self.tell("MESSAGE_CREATE", said)

    def _let_in(self, listener: Listener, op: int, said: Mapping[str, Any], now: datetime) -> None:
        if self._bot.token is None or said.get("token") != self._bot.token:
            listener.close_code = BAD_TOKEN
            return
        if op == RESUME and (not self._session or said.get("session_id") != self._session):
            listener.close_code = NO_HEARTBEAT
            return
        if self._listener is not None and self._listener is not listener:
            self._listener.close_code = TAKEN_OVER
        self._listener, listener.is_ready, listener.heard_at = listener, True, now
        if op == IDENTIFY:
            self._sessions += 1
            self._session, self._sequence = f"session-{self._sessions}", 0
            self._kept.clear()
        if op == IDENTIFY or self._bot.settings.tells_ready_after_resume:
            ready = {"session_id": self._session, "bot": {"id": self._bot.settings.id}}
            listener.say(READY, ready)
        for kind, event, sequence in self._kept:  # those too that it has heard
            listener.say(DISPATCH, event, t=kind, s=sequence)


def _stamp(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S.%f}000+09:00"
