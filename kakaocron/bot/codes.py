"""The codes with which Kakao's Bot API refuses, and what each means: the one table that decides.
Pure.

The codes are those of the trouble-shooting page of the Bot API, and the platform's common ones.
Whether a bubble may have been posted in spite of an error is documented nowhere: where it is
possible, it counts."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from kakaocron.delivery.verdicts import Meaning
from kakaocron.language.words import marked
from kakaocron.states import Reason

_NOW, _GOOD, _LOGIN, _AMBIGUOUS = (
    Meaning.REFUSED_FOR_NOW,
    Meaning.REFUSED_FOR_GOOD,
    Meaning.LOG_IN_AGAIN,
    Meaning.AMBIGUOUS,
)


class Code(Struct, frozen=True):
    """What a code means. `is_down`: nothing goes by this bot until a person has acted."""

    meaning: Meaning
    reason: Reason
    words: str
    mend: str = ""
    helps: bool = True  # whether sending it again can help then
    is_down: bool = False


_BOT_IS_THERE = marked(
    "Look whether the bot is there and belongs to this app: console, [제품 설정] > [카카오톡 봇]"
)
_ASK_KAKAO = marked("The bot may not be approved: ask Kakao, see docs/rooms.md")
_KEY = marked(
    "Copy the bot token again (console, [제품 설정] > [카카오톡 봇] > [봇]), and register the "
    "address of this machine with it: docs/rooms.md"
)
_LEARN = marked("Learn its key again: kakaocron rooms listen")

CODES: Mapping[int, Code] = {
    -1: Code(_AMBIGUOUS, Reason.SERVER_FAULT, marked("internal fault at Kakao's bot server")),
    -2: Code(_GOOD, Reason.REFUSED, marked("Kakao cannot read the request"), helps=False),
    -3: Code(
        _GOOD,
        Reason.REFUSED,
        marked("the Bot API is not enabled for the app"),
        _BOT_IS_THERE,
        is_down=True,
    ),
    -5: Code(
        _GOOD,
        Reason.REFUSED,
        marked("the bot has no permission for this"),
        _ASK_KAKAO,
        is_down=True,
    ),
    -6: Code(
        _GOOD, Reason.REFUSED, marked("the bot is not allowed this"), _ASK_KAKAO, is_down=True
    ),
    -7: Code(_AMBIGUOUS, Reason.SERVER_FAULT, marked("maintenance at Kakao")),
    -8: Code(
        _GOOD, Reason.REFUSED, marked("Kakao does not accept a header of the request"), helps=False
    ),
    -9: Code(_GOOD, Reason.REFUSED, marked("Kakao has ended this API"), helps=False),
    -10: Code(_NOW, Reason.QUOTA, marked("the bot's quota is used up")),
    -12: Code(
        _GOOD,
        Reason.REFUSED,
        marked("the app or its owner is sanctioned"),
        _ASK_KAKAO,
        is_down=True,
    ),
    -401: Code(
        _LOGIN,
        Reason.NOT_LOGGED_IN,
        marked("Kakao refuses this bot token, or calls from this address"),
        _KEY,
        is_down=True,
    ),
    -603: Code(_AMBIGUOUS, Reason.SERVER_FAULT, marked("time-out inside Kakao")),
    -870: Code(_AMBIGUOUS, Reason.SERVER_FAULT, marked("a fault behind Kakao's Bot API")),
    -873: Code(
        _GOOD, Reason.REFUSED, marked("the app has no valid bot"), _BOT_IS_THERE, is_down=True
    ),
    -876: Code(_GOOD, Reason.REFUSED, marked("the room's key is not valid"), _LEARN),
    -877: Code(
        _GOOD,
        Reason.REFUSED,
        marked("the receiver is no friend of the bot's channel"),
        marked("The receiver adds the bot's channel in KakaoTalk"),
    ),
    -878: Code(_GOOD, Reason.REFUSED, marked("Kakao does not accept the bubble"), helps=False),
    -879: Code(
        _GOOD,
        Reason.REFUSED,
        marked("the room does not receive the bot's messages"),
        marked("Somebody in the room switches them on: [봇 설정] > [알림메시지 받기]"),
    ),
    -880: Code(
        _GOOD,
        Reason.REFUSED,
        marked("the bot is not in this room"),
        marked(
            "Invite the bot into the room; if the key is another one then: kakaocron rooms listen"
        ),
    ),
    -9798: Code(_AMBIGUOUS, Reason.SERVER_FAULT, marked("Kakao is under maintenance")),
}

NO_KEY = -401
# A fault behind the Bot API that stays, by `extras.code`: nothing can have been posted.
BEHIND, LASTING_EXTRAS = -870, frozenset({"10001"})
