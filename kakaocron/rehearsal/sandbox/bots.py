"""Kakao's Bot API: messages to group rooms, one bot (Kakao's documentation, Bot pages; what they
leave open is taken strictly)."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

from kakaocron.rehearsal.sandbox.arrival import Arrival
from kakaocron.rehearsal.sandbox.bodies import json_body
from kakaocron.rehearsal.sandbox.codes import RefusedError
from kakaocron.rehearsal.sandbox.settings import KST, SandboxBot, SandboxRoom
from kakaocron.rehearsal.sandbox.templates import utf16_units
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest, json_answer

BOT_PREFIX = "/v1/bot/"
SEND_PATH = BOT_PREFIX + "send_message"
CALLBACK_LIFE = timedelta(minutes=5)
MOST_BUBBLES, MOST_CHARACTERS, MOST_COMMANDS, MOST_MENTIONS = 3, 1000, 30, 15
MOST_BUTTONS, MOST_LABEL, MOST_ITEMS = 3, 14, 5
_WRONG_METHOD = 405

_HTTPS = re.compile(r"https://[^\s/?#]+\S*")
_MENTION = re.compile(r"\{\{#mentions\.(\w+)\}\}")

# code → HTTP status, msg (Kakao's trouble-shooting page of the Bot API, and the common codes; the
# words are ours).
BOT_ERRORS: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        -1: (400, "bot meta server error."),
        -2: (400, "failed to parse parameter."),
        -3: (403, "the Bot API is not enabled."),
        -5: (403, "permission denied"),
        -6: (403, "not allowed."),
        -7: (400, "service is under maintenance."),
        -8: (400, "invalid header."),
        -9: (400, "deprecated API."),
        -10: (400, "API limit has been exceeded."),
        -12: (403, "restricted app."),
        -401: (401, "this key does not exist, or the caller's address is not registered"),
        -603: (400, "execution timeout."),
        -870: (400, "message API error."),
        -873: (400, "invalid bot."),
        -874: (400, "too many commands."),
        -875: (400, "duplicate command."),
        -876: (400, "invalid botGroupKey."),
        -877: (400, "not a channel friend."),
        -878: (400, "invalid bubble."),
        -879: (400, "the room does not receive messages."),
        -880: (400, "the bot is not in the room."),
        -881: (400, "invalid callback token."),
        -9798: (503, "under maintenance."),
    }
)

# Kakao does not say that nothing was posted after these.
AMBIGUOUS = frozenset({-1, -7, -603, -870, -9798})


class BotRefusedError(RefusedError):
    """The Bot API refuses the request."""

    errors = BOT_ERRORS


def _counts(total: int, sent: int, errors: int) -> WireAnswer:
    counts = {"totalCount": total, "sendCount": sent, "errorCount": errors}
    return json_answer(200, counts)


def _behind(extras: object) -> WireAnswer:
    return BotRefusedError(-870, extras=extras).answer()


# Answers that a strict client must not take for what they are not, by the name of the fault.
ODD_ANSWERS: Mapping[str, WireAnswer] = MappingProxyType(
    {
        "counts-less": _counts(2, 1, 1),
        "counts-zero": _counts(0, 0, 0),
        "counts-error": _counts(1, 0, 1),
        "counts-twice": _counts(2, 2, 0),
        "counts-missing": json_answer(200, {}),
        "counts-words": json_answer(200, {"totalCount": "1", "sendCount": "1", "errorCount": "0"}),
        "cut-json": WireAnswer(200, {"Content-Type": "application/json"}, b'{"totalCount":1,'),
        "extras-lasting": _behind({"code": "10001", "message": "app is not valid"}),
        "extras-other": _behind({"code": "99999", "message": "try again"}),
        "extras-number": _behind({"code": 10001, "message": "app is not valid"}),
        "extras-text": _behind("10001"),
        "rule": BotRefusedError(-10, rule_id="r1", rule_name="per second").answer(),
        "no-code": json_answer(400, {"msg": "something is wrong"}),
        "code-text": json_answer(400, {"code": "-880", "msg": "the bot is not in the room."}),
        "long-msg": json_answer(400, {"code": -880, "msg": "x" * 100_000}),
        "elsewhere": WireAnswer(302, {"Location": "http://127.0.0.2:9/v1/bot/send_message"}, b""),
    }
)
_CERTAIN = frozenset({"extras-lasting", "rule", "long-msg", "elsewhere"})
# These take seconds, as in bot-wait=30: a 429 with a Retry-After.
WAITS = frozenset({"wait", "wait-date"})


def is_fault(name: str) -> bool:
    """Tell whether a fault of the Bot API has that name: `-880`, `counts-zero`, `wait`."""
    return name in ODD_ANSWERS or name in WAITS or _code_of(name) is not None


def may_follow_a_delivery(name: str) -> bool:
    code = _code_of(name)
    return code in AMBIGUOUS if code is not None else name in ODD_ANSWERS.keys() - _CERTAIN


def odd_answer(name: str, seconds: int, now: datetime) -> WireAnswer:
    """Return what the fault of that name puts in place of the Bot API's own answer."""
    code = _code_of(name)
    if code is not None:
        return BotRefusedError(code).answer()
    if name == "wait":
        return WireAnswer(429, {"Content-Type": "text/plain", "Retry-After": f"{seconds}"}, b"")
    if name == "wait-date":
        until = format_datetime((now + timedelta(seconds=seconds)).astimezone(UTC), usegmt=True)
        return WireAnswer(429, {"Content-Type": "text/plain", "Retry-After": until}, b"")
    return ODD_ANSWERS[name]


def _code_of(name: str) -> int | None:
    is_code = name.startswith("-") and name[1:].isdecimal() and int(name) in BOT_ERRORS
    return int(name) if is_code else None


@dataclass
class Room:
    """A room as it is now; `delivered` counts the bubbles in it."""

    key: str
    name: str
    has_bot: bool = True
    receives: bool = True
    delivered: int = 0


class BotApi:
    """The API side of one bot; appends to `deliveries` exactly when a bubble is posted.

    What the console holds can be changed: `token` (None: deleted), `exists`, `is_approved`,
    `is_address_registered`, and `quota`, the calls that are left (None: no end).
    """

    def __init__(self, settings: SandboxBot, deliveries: list[Arrival]) -> None:
        self.settings = settings
        self.token: str | None = settings.token
        self.exists = True
        self.is_approved = True
        self.is_address_registered = True
        self.quota: int | None = None
        self.rooms = {one.key: _room(one) for one in settings.rooms}
        self.calls = 0
        self._deliveries = deliveries
        self._callbacks: dict[str, tuple[str, datetime]] = {}
        self._guide = ""
        self._commands: list[Any] = []
        self.routes: Mapping[tuple[str, str], Callable[[WireRequest, datetime], WireAnswer]] = {
            ("POST", SEND_PATH): self._send,
            ("POST", BOT_PREFIX + "callback"): self._reply,
            ("GET", BOT_PREFIX + "guide"): self._show_guide,
            ("POST", BOT_PREFIX + "guide/update"): self._update_guide,
            ("GET", BOT_PREFIX + "commands"): self._show_commands,
            ("POST", BOT_PREFIX + "commands/update"): self._update_commands,
        }

    def issue_callback(self, key: str, now: datetime) -> str:
        """Return a token for one reply into a room."""
        token = f"callback-{len(self._callbacks) + 1:04d}"
        self._callbacks[token] = (key, now)
        return token

    def answer(self, request: WireRequest, now: datetime) -> WireAnswer | None:
        """Answer a request under /v1/bot/, None for a path that there is not."""
        paths = {path for _method, path in self.routes}
        if request.path not in paths:
            return None
        route = self.routes.get((request.method, request.path))
        if route is None:
            return json_answer(_WRONG_METHOD, {"msg": "method not allowed"})
        try:
            self._authorize(request)
            return route(request, now)
        except BotRefusedError as refusal:
            return refusal.answer()

    def _authorize(self, request: WireRequest) -> None:
        kind, _, key = (request.header("Authorization") or "").partition(" ")
        if kind != "KakaoAK" or self.token is None or key != self.token:
            raise BotRefusedError(-401)
        if not self.is_address_registered:
            raise BotRefusedError(-401, "ip mismatched")

    def _send(self, request: WireRequest, now: datetime) -> WireAnswer:
        body, outputs = self._read(request)
        given = [name for name in ("botGroupKey", "botUserKey") if name in body]
        if len(given) != 1 or not isinstance(body[given[0]], str):
            raise BotRefusedError(-876)
        if not self.exists:
            raise BotRefusedError(-873)
        if not self.is_approved:
            raise BotRefusedError(-5)
        if given == ["botUserKey"]:
            raise BotRefusedError(-877 if body["botUserKey"] in self.settings.strangers else -880)
        room = self.rooms.get(body["botGroupKey"])
        if room is None and not body["botGroupKey"].startswith(self.settings.key_prefix):
            raise BotRefusedError(-876)
        if room is None or not room.has_bot:
            raise BotRefusedError(-880)
        if not room.receives:
            raise BotRefusedError(-879)
        _check_outputs(outputs, body["skillResponse"])
        return self._post(request, now, room, outputs)

    def _reply(self, request: WireRequest, now: datetime) -> WireAnswer:
        body, outputs = self._read(request)
        key, since = self._callbacks.pop(request.header("X-Bot-Callback-Token") or "", ("", now))
        room = self.rooms.get(key)
        if room is None or now - since > CALLBACK_LIFE:
            raise BotRefusedError(-881)
        _check_outputs(outputs, body["skillResponse"])
        return self._post(request, now, room, outputs)

    def _read(self, request: WireRequest) -> tuple[dict[str, Any], Sequence[Any]]:
        body = json_body(request)
        response = body.get("skillResponse") if body else None
        if body is None or not isinstance(response, dict) or response.get("version") != "2.0":
            raise BotRefusedError(-2)
        template = response.get("template")
        outputs = template.get("outputs") if isinstance(template, dict) else None
        return body, outputs if isinstance(outputs, list) else ()

    def _post(
        self, request: WireRequest, now: datetime, room: Room, outputs: Sequence[Any]
    ) -> WireAnswer:
        if self.quota is not None:
            if self.quota <= 0:
                raise BotRefusedError(-10)
            self.quota -= 1
        self.calls += 1
        for output in outputs:
            room.delivered += 1
            self._deliveries.append(
                Arrival(
                    now.astimezone(KST),
                    room.key,
                    _text_of(output),
                    {**output, "call": self.calls, "body": request.body.decode(errors="replace")},
                    "bot",
                    request.path,
                    request.received_at_ns,
                )
            )
        return _counts(len(outputs), len(outputs), 0)

    def _show_guide(self, _request: WireRequest, _now: datetime) -> WireAnswer:
        self._check_bot()
        return json_answer(200, {"contents": self._guide})

    def _update_guide(self, request: WireRequest, now: datetime) -> WireAnswer:
        body = json_body(request)
        if body is None or not isinstance(body.get("contents"), str):
            raise BotRefusedError(-2)
        self._guide = body["contents"]
        return self._show_guide(request, now)

    def _show_commands(self, _request: WireRequest, _now: datetime) -> WireAnswer:
        self._check_bot()
        return json_answer(200, {"utterances": self._commands})

    def _update_commands(self, request: WireRequest, now: datetime) -> WireAnswer:
        body = json_body(request)
        utterances = body.get("utterances") if body else None
        if not isinstance(utterances, list):
            raise BotRefusedError(-2)
        if len(utterances) > MOST_COMMANDS:
            raise BotRefusedError(-874)
        written = [json.dumps(one, sort_keys=True) for one in utterances]
        if len(set(written)) < len(written):
            raise BotRefusedError(-875)
        self._commands = utterances
        return self._show_commands(request, now)

    def _check_bot(self) -> None:
        if not self.exists:
            raise BotRefusedError(-873)


def _room(one: SandboxRoom) -> Room:
    return Room(one.key, one.name, one.has_bot, one.receives)


def _check_outputs(outputs: Sequence[Any], response: Mapping[str, Any]) -> None:
    """Raise BotRefusedError for bubbles that a group room does not take."""
    mentions = response.get("extra", {})
    mentions = mentions.get("mentions", {}) if isinstance(mentions, dict) else {}
    if not 1 <= len(outputs) <= MOST_BUBBLES or not isinstance(mentions, dict):
        raise BotRefusedError(-878)
    if len(mentions) > MOST_MENTIONS or not all(_is_bubble(one, mentions) for one in outputs):
        raise BotRefusedError(-878)


def _is_bubble(output: Any, mentions: Mapping[str, Any]) -> bool:
    if not isinstance(output, dict) or len(output) != 1:
        return False
    ((kind, said),) = output.items()
    check = _BUBBLES.get(kind)
    return check is not None and isinstance(said, dict) and check(said, mentions)


def _is_simple_text(said: Mapping[str, Any], mentions: Mapping[str, Any]) -> bool:
    text = said.get("text")
    if not isinstance(text, str) or not text.strip():
        return False
    named = _MENTION.findall(text)
    return utf16_units(text) <= MOST_CHARACTERS and set(named) <= mentions.keys()


def _is_simple_image(said: Mapping[str, Any], _mentions: Mapping[str, Any]) -> bool:
    return _is_https(said.get("imageUrl"))


def _is_card(said: Mapping[str, Any], _mentions: Mapping[str, Any]) -> bool:
    thumbnail = said.get("thumbnail", {"imageUrl": "https://example.com/"})
    is_seen = isinstance(thumbnail, dict) and _is_https(thumbnail.get("imageUrl"))
    return is_seen and _are_buttons(said.get("buttons", []))


def _is_list(said: Mapping[str, Any], _mentions: Mapping[str, Any]) -> bool:
    items = said.get("items")
    is_list = isinstance(items, list) and 1 <= len(items) <= MOST_ITEMS
    return is_list and _are_buttons(said.get("buttons", []))


def _are_buttons(buttons: Any) -> bool:
    return (
        isinstance(buttons, list)
        and len(buttons) <= MOST_BUTTONS
        and all(
            isinstance(one, dict)
            and isinstance(one.get("label"), str)
            and 1 <= len(one["label"]) <= MOST_LABEL
            for one in buttons
        )
    )


def _is_https(url: Any) -> bool:
    return isinstance(url, str) and _HTTPS.fullmatch(url) is not None


def _text_of(output: Mapping[str, Any]) -> str:
    ((kind, said),) = output.items()
    return str(said.get("text") or said.get("altText") or said.get("title") or kind)


_BUBBLES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], bool]] = {
    "simpleText": _is_simple_text,
    "simpleImage": _is_simple_image,
    "textCard": _is_card,
    "basicCard": _is_card,
    "itemCard": _is_card,
    "listCard": _is_list,
}
