"""Kakao's error codes and what each means: the one table that decides. Pure.

The codes and their HTTP statuses are those of Kakao's own error-code page. Whether a message may
have been delivered in spite of an error is documented nowhere: where it is possible, it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from kakaocron.delivery.verdicts import Meaning
from kakaocron.language.words import _
from kakaocron.states import Reason

_NOW, _GOOD, _LOGIN, _AMBIGUOUS = (
    Meaning.REFUSED_FOR_NOW,
    Meaning.REFUSED_FOR_GOOD,
    Meaning.LOG_IN_AGAIN,
    Meaning.AMBIGUOUS,
)

# code: (meaning, reason, what it says to the user)
MESSAGE_CODES: Mapping[int, tuple[Meaning, Reason, str]] = {
    -1: (_AMBIGUOUS, Reason.SERVER_FAULT, "internal fault at Kakao"),
    -2: (_GOOD, Reason.REFUSED, "Kakao does not accept a parameter of the message"),
    -3: (_NOW, Reason.REFUSED_FOR_NOW, "the feature is not enabled for the app; see the console"),
    -4: (_GOOD, Reason.REFUSED, "the Kakao account is restricted"),
    -5: (_GOOD, Reason.REFUSED, "the app has no permission for this"),
    -6: (_GOOD, Reason.REFUSED, "this action is not allowed"),
    -7: (_AMBIGUOUS, Reason.SERVER_FAULT, "maintenance or an internal problem at Kakao"),
    -8: (_GOOD, Reason.REFUSED, "Kakao does not accept a header of the request"),
    -9: (_GOOD, Reason.REFUSED, "Kakao has ended this API"),
    -10: (_NOW, Reason.QUOTA, "the app's call quota is used up"),
    -11: (_NOW, Reason.QUOTA, "the app's money limit is reached"),
    -12: (_GOOD, Reason.REFUSED, "the app or its developer is sanctioned"),
    -101: (_GOOD, Reason.NOT_LOGGED_IN, "the account is not connected to the app; log in again"),
    -103: (_GOOD, Reason.REFUSED, "the account is dormant or does not exist"),
    -401: (_LOGIN, Reason.NOT_LOGGED_IN, "Kakao does not accept the access token"),
    -402: (_GOOD, Reason.NOT_LOGGED_IN, "the account has not agreed to a scope; log in again"),
    -403: (_GOOD, Reason.REFUSED, "the call is forbidden"),
    -405: (_GOOD, Reason.REFUSED, "the account's age must be verified"),
    -406: (_GOOD, Reason.REFUSED, "the account is under age"),
    -501: (_GOOD, Reason.REFUSED, "the account does not use KakaoTalk"),
    -502: (_NOW, Reason.REFUSED_FOR_NOW, "the receiver is not a friend of the sender"),
    -504: (_GOOD, Reason.REFUSED, "the receiver's device is not supported"),
    -530: (_GOOD, Reason.REFUSED, "the receiver refuses messages"),
    -531: (_NOW, Reason.QUOTA, "the sender's monthly quota is used up"),
    -532: (_NOW, Reason.QUOTA, "the sender's daily quota is used up"),
    -533: (_NOW, Reason.QUOTA, "the receiver's daily quota is used up"),
    -536: (_NOW, Reason.QUOTA, "the daily quota from this sender to this receiver is used up"),
    -602: (_GOOD, Reason.REFUSED, "an image is too large"),
    -603: (_AMBIGUOUS, Reason.SERVER_FAULT, "time-out inside Kakao"),
    -606: (_GOOD, Reason.REFUSED, "too many images, or of a wrong format"),
    -903: (_GOOD, Reason.REFUSED, "unknown developer key"),
    -911: (_GOOD, Reason.REFUSED, "the image format is not supported"),
    -9798: (_AMBIGUOUS, Reason.SERVER_FAULT, "Kakao is under maintenance"),
}

# What sending needs, whoever is to have it, and what the list of friends needs.
SENDING, FRIENDS = "talk_message", "friends"
# The boxes of Kakao's consent page, by scope, as Kakao names them.
BOXES: Mapping[str, str] = {
    SENDING: "카카오톡 메시지 전송",
    FRIENDS: "카카오 서비스 내 친구목록(프로필사진, 닉네임, 즐겨찾기 포함)",
}


def box_of(scopes: Iterable[str]) -> str:
    """Name the box of a scope, or several, as far as Kakao's names are known."""
    known = _(" and ").join(f"'{BOXES[scope]}'" for scope in scopes if scope in BOXES)
    return _("the box {known}").format(known=known) if known else _("its box")


class Remedy(Struct, frozen=True):
    """What a person can do of a refusal; whether sending it again helps then, and when at the
    earliest."""

    words: str
    helps: bool = True
    at: str | None = None


_CONSENT_ITEMS = "console, [Kakao Login] > [Consent items]"
_NOTHING_HELPS = "Only Kakao or the account's owner can change that"

REMEDIES: Mapping[int, Remedy] = {
    -2: Remedy("Look at what is sent (kakaocron preview) and to whom (kakaocron friends)"),
    -3: Remedy(f"Switch it on: {_CONSENT_ITEMS}"),
    -4: Remedy(_NOTHING_HELPS, helps=False),
    -5: Remedy("Ask Kakao for the permission: console, [App]"),
    -6: Remedy(_NOTHING_HELPS, helps=False),
    -9: Remedy("Look for a newer kakaocron", helps=False),
    -11: Remedy("Raise the limit: console"),
    -12: Remedy(_NOTHING_HELPS, helps=False),
    -101: Remedy("Run: kakaocron login"),
    -103: Remedy(_NOTHING_HELPS, helps=False),
    -402: Remedy("Run: kakaocron login, and tick {box}"),
    -405: Remedy(_NOTHING_HELPS, helps=False),
    -406: Remedy(_NOTHING_HELPS, helps=False),
    -504: Remedy(_NOTHING_HELPS, helps=False),
    -530: Remedy("The receiver allows messages in KakaoTalk's settings", helps=False),
    -531: Remedy("The quota is free again next month", helps=False),
}

# Codes about people, not about the call: one receiver's, or a quota that may run out midway.
RECEIVER_CODES = frozenset({-501, -502, -504, -530, -531, -532, -533, -536})


class Refusal(Struct, frozen=True):
    """Why kauth gave no token. `is_dead`: only a new login in the browser can help."""

    code: str
    detail: str
    is_dead: bool = False
    is_setup: bool = False
    wait_seconds: int = 0


# KOE237 asks for a pause of 10 to 60 minutes; the shorter first, as one limit is per 10 minutes.
_KOE237_WAIT_SECONDS = 600

LOGIN_CODES: Mapping[str, Refusal] = {
    refusal.code: refusal
    for refusal in (
        Refusal("KOE003", "temporary fault at Kakao"),
        Refusal("KOE004", "Kakao Login is off: console, [Kakao Login] > usage", is_setup=True),
        Refusal(
            "KOE005",
            "a test app admits its members only: console, [App] > [Members]",
            is_setup=True,
        ),
        Refusal(
            "KOE006",
            "the redirect URI is not registered: console, [App] > [Platform key] > [REST API key]",
            is_setup=True,
        ),
        Refusal("KOE009", "the platform is not registered: console, [App]", is_setup=True),
        Refusal(
            "KOE010",
            "the client secret is missing or wrong: console, [App] > [Platform key] > "
            "[REST API key] > client secret; set client_secret in [kakao]",
            is_setup=True,
        ),
        Refusal(
            "KOE101",
            "wrong key, or of a wrong type: rest_api_key must be the REST API key of the console, "
            "[App] > [Platform key]",
            is_setup=True,
        ),
        Refusal(
            "KOE205",
            "a consent item is not set up: console, [Kakao Login] > [Consent items]",
            is_setup=True,
        ),
        Refusal(
            "KOE237",
            "Kakao's limit on issuing tokens is reached",
            wait_seconds=_KOE237_WAIT_SECONDS,
        ),
        Refusal("KOE303", "the redirect URI changed between the two steps of the login"),
        Refusal("KOE310", "wrong grant type", is_setup=True),
        Refusal("KOE319", "no refresh token was sent", is_dead=True),
        Refusal("KOE320", "the authorization code is used, expired or unknown"),
        Refusal("KOE322", "the refresh token has expired or is unknown", is_dead=True),
    )
}
